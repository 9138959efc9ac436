//! Matmuls of two tensors that the graph computes: all leading dimensions are heads.

use super::builder::{Builder, Source};
use super::error::NodeError;
use super::matrix::Matrix;
use super::node::NodeView;
use super::operands::requantize;
use super::target::Target;
use super::value::{Codes, Scaling, Value};
use super::view::View;
use crate::graph::{CodeMatrix, Epilogue, Op, TensorId, TensorKind, signed_bits};

/// Largest accumulators of integers.
const WIDEST: i64 = 1 << 60;

/// A matmul of two tensors of codes or integers.
#[derive(Debug, Clone)]
pub(super) struct Heads {
    name: String,
    operands: [Matrix; 2],
    zero_codes: [u8; 2],
    /// The largest sizes of the operands' elements, less their zero codes.
    sizes: [i64; 2],
    heads: usize,
    /// Products that each sum adds up.
    depth: usize,
    /// Columns of a head.
    columns: usize,
}

impl Heads {
    /// The product of `a` by `b`, operand `index`, less their zero codes, and how it is seen.
    pub(super) fn new(
        node: &NodeView<'_>,
        operands: [&View; 2],
        zero_codes: [u8; 2],
        index: usize,
    ) -> Result<(Self, View), NodeError> {
        let [mut a, mut b] = operands.map(View::clone);
        let rank = a.rank();
        let wrong = |expected, got| NodeError::OperandShape { index, expected, got };
        if rank < 2 || b.rank() != rank {
            return Err(wrong(rank.max(2) + 1, b.rank() + 1));
        }
        let (row, last) = (rank - 2, rank - 1);
        let (depth, columns) = (a.size(last), b.size(last));
        if b.size(row) != depth {
            return Err(wrong(depth, b.size(row)));
        }
        for dim in 0..row {
            match (a.size(dim), b.size(dim)) {
                (m, n) if m == n => {}
                (1, n) => a = a.repeated(dim, n),
                (m, 1) => b = b.repeated(dim, m),
                (expected, got) => return Err(wrong(expected, got)),
            }
        }
        let mut shape = a.shape();
        shape[last] = columns;
        let matrix = |view: &View| {
            let heads = (0..row).flat_map(|dim| view.digits(dim));
            let cols = heads.chain(view.digits(last)).collect();
            Matrix { rows: view.digits(row), cols, view: view.clone(), pad: None }
        };
        let (name, heads) = (node.name.to_owned(), shape[..row].iter().product());
        let operands = [matrix(&a), matrix(&b)];
        let output = View::new(0, &shape, |dim| dim != row);
        let sizes = zero_codes.map(|zero| i64::from(zero.max(255 - zero)));
        Ok((Self { name, operands, zero_codes, sizes, heads, depth, columns }, output))
    }

    /// The name of the node.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The same of elements of at most these sizes, less their zero codes.
    pub(super) fn of_sizes(self, sizes: [i64; 2]) -> Self {
        Self { sizes, ..self }
    }

    /// Rows and columns of the product, all heads side by side.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.operands[0].size().0, self.heads * self.columns)
    }

    /// What no accumulator exceeds in size: of codes no more than 32 bits hold, as runtimes hold them.
    pub(super) fn bound(&self) -> Result<i64, NodeError> {
        let [a, b] = self.sizes.map(i128::from);
        let bound = self.depth as i128 * a * b;
        let of_codes = self.sizes.iter().all(|size| *size <= 255);
        let most = if of_codes { i64::from(i32::MAX) } else { WIDEST };
        let found = i64::try_from(bound).ok().filter(|bound| *bound <= most);
        found.ok_or(NodeError::AccumulatorRange { bound })
    }

    /// The tensor of the product.
    pub(super) fn add(
        &self,
        builder: &mut Builder,
        epilogue: Epilogue,
    ) -> Result<TensorId, NodeError> {
        let bound = self.bound()?;
        let kind = match &epilogue {
            Epilogue::Requantize(_) | Epilogue::Edges(_) => TensorKind::Code,
            Epilogue::Accumulator => TensorKind::Integer { bits: signed_bits(bound) },
        };
        let mut matrix = |at: usize| -> Result<CodeMatrix, NodeError> {
            let Source { x, gather } = builder.source(&self.operands[at], false)?;
            Ok(CodeMatrix { x, gather, zero_code: self.zero_codes[at] })
        };
        let (a, b) = (matrix(0)?, matrix(1)?);
        let rows = self.operands[0].size().0;
        let y = builder.rows_of(rows, self.heads * self.columns, kind);
        let op = Op::BatchMatMul { a, b, heads: self.heads, row_factors: None, y, epilogue };
        builder.push(&self.name, op);
        Ok(y)
    }
}

/// The square of each number of a tensor of integers that is seen as `view`, whose last dimension has size 1.
pub(super) fn squares(builder: &mut Builder, name: &str, view: &View) -> Result<View, NodeError> {
    products_of(builder, name, [view, view])
}

/// The product of each number of two tensors of integers that are seen as these, whose last dimensions have size 1.
pub(super) fn products_of(
    builder: &mut Builder,
    name: &str,
    views: [&View; 2],
) -> Result<View, NodeError> {
    let last = views[0].rank() - 1;
    let matrix = |view: &View| {
        let heads = (0..last).flat_map(|dim| view.digits(dim)).collect();
        Matrix { rows: vec![], cols: heads, view: view.clone(), pad: None }
    };
    let size = |view: &View| {
        let (low, high) = builder.tensors[view.tensor].kind().range();
        i128::from(low).abs().max(i128::from(high))
    };
    let most = size(views[0]) * size(views[1]);
    let bound = i64::try_from(most).map_err(|_| NodeError::AccumulatorRange { bound: most })?;
    let kind = TensorKind::Integer { bits: signed_bits(bound) };
    let [a, b] = views.map(matrix);
    let y = products(builder, name, [&a, &b], kind, Epilogue::Accumulator)?;
    Ok(View::new(y, &views[0].shape(), |dim| dim != last))
}

/// The products of the numbers of two matrices of one row, column by column.
pub(super) fn products(
    builder: &mut Builder,
    name: &str,
    operands: [&Matrix; 2],
    kind: TensorKind,
    epilogue: Epilogue,
) -> Result<TensorId, NodeError> {
    // A row of one number for each head, and so the other operand.
    let heads = operands[0].size().1;
    let mut operand = |matrix| -> Result<CodeMatrix, NodeError> {
        let Source { x, gather } = builder.source(matrix, true)?;
        Ok(CodeMatrix { x, gather, zero_code: 0 })
    };
    let (a, b) = (operand(operands[0])?, operand(operands[1])?);
    let y = builder.rows_of(1, heads, kind);
    builder.push(name, Op::BatchMatMul { a, b, heads, row_factors: None, y, epilogue });
    Ok(y)
}

/// QLinearMatMul of operand 0 (scale: 1, zero point: 2) by `b`, operand 3 (4, 5), into codes of the scale in operand 6
/// and zero point in 7.
pub(super) fn requantized(
    builder: &mut Builder,
    node: &NodeView<'_>,
    b: &Codes,
) -> Result<Value, NodeError> {
    let a = node.codes(0)?;
    node.value(2)?;
    node.value(5)?;
    let zero = |codes: &Codes, index: usize| -> Result<u8, NodeError> {
        Ok(codes.zero_code(node.zero_point(index, codes.dtype)?))
    };
    let (heads, output) = Heads::new(node, [&a.view, &b.view], [zero(a, 2)?, zero(b, 5)?], 3)?;
    let (dtype, zero_point) = node.optional_code(7)?.ok_or(NodeError::MissingInput { index: 7 })?;
    let to = Scaling { scale: node.scale(6)?, zero_point };
    let scale = node.scale(1)? * node.scale(4)?;
    let requantize = requantize(&[scale], &Target::unbounded(to, dtype))?;
    let tensor = heads.add(builder, Epilogue::Requantize(requantize))?;
    let view = output.on(tensor);
    Ok(Value::Codes(Codes { view, dtype, quantized: false, origin: None }))
}
