//! Matmuls of two tensors: that their matrices have the rows and columns that heads ask for, and factors their rows.

use super::MAX_REQUANTIZED;
use super::gather::{check_gather, product};
use super::steps::check_epilogue;
use crate::graph::{CodeMatrix, Epilogue, Graph, GraphError, Op, TensorKind, TensorShape};

/// Largest size of a row's factor.
const MAX_FACTOR: u64 = 1 << 31;

impl Graph {
    /// Whether node `node`, a matmul of two tensors that exist, gives elements of the shape `y`.
    pub(super) fn check_batch_matmul(
        &self,
        node: usize,
        op: &Op,
        y: &TensorShape,
    ) -> Result<(), GraphError> {
        let Op::BatchMatMul { a, b, heads, row_factors, epilogue, .. } = op else { return Ok(()) };
        let wrong = GraphError::NodeShape { node };
        check_epilogue(node, epilogue, y.features)?;
        for matrix in [a, b] {
            self.check_operand(node, matrix)?;
        }
        let columns = self.columns(a).ok_or(wrong)?;
        let no_heads = GraphError::Heads { node, heads: *heads, left: columns, right: y.features };
        let (Some(k), Some(n)) = (columns.checked_div(*heads), y.features.checked_div(*heads))
        else {
            return Err(no_heads);
        };
        if k == 0 || (k * heads, n * heads) != (columns, y.features) {
            return Err(no_heads);
        }
        self.check_matrix(node, a, (y.rows_per_sample, columns))?;
        self.check_matrix(node, b, (k, y.features))?;
        if b.gather.as_ref().is_some_and(|gather| gather.split_taps(n).is_none()) {
            return Err(no_heads);
        }
        if let Some(factors) = row_factors {
            let small = factors.iter().all(|factor| factor.unsigned_abs() <= MAX_FACTOR);
            if factors.len() != y.rows_per_sample || !small {
                return Err(GraphError::RowFactors { node });
            }
        }
        let codes = !matches!(epilogue, Epilogue::Accumulator);
        let bound = self.product_bound(a, b, k, largest_factor(row_factors.as_deref()));
        if bound >= MAX_REQUANTIZED {
            return Err(GraphError::AccumulatorRange { node, log_bound: bound.ilog2() });
        }
        if codes == (y.kind == TensorKind::Code) { Ok(()) } else { Err(wrong) }
    }

    /// Whether zeros of a matrix, and what lies outside its source, are of its tensor's kind.
    fn check_operand(&self, node: usize, matrix: &CodeMatrix) -> Result<(), GraphError> {
        if self.tensors[matrix.x].kind == TensorKind::Code {
            return Ok(());
        }
        if matrix.zero_code != 0 {
            return Err(GraphError::ZeroCode { node, zero_code: matrix.zero_code });
        }
        match matrix.gather.as_ref().and_then(|gather| gather.pad) {
            Some(pad) => Err(GraphError::Pad { node, pad: Some(pad) }),
            None => Ok(()),
        }
    }

    /// Whether a matrix of a tensor has so many rows and columns.
    fn check_matrix(
        &self,
        node: usize,
        matrix: &CodeMatrix,
        size: (usize, usize),
    ) -> Result<(), GraphError> {
        let x = &self.tensors[matrix.x];
        match &matrix.gather {
            Some(gather) => check_gather(node, gather, x, size),
            None if (x.rows_per_sample, x.features) == size => Ok(()),
            None => Err(GraphError::NodeShape { node }),
        }
    }

    /// Columns of a matrix, if they are within a `usize`.
    fn columns(&self, matrix: &CodeMatrix) -> Option<usize> {
        match &matrix.gather {
            Some(gather) => product(gather.cols.iter().map(|dim| &dim.size)),
            None => Some(self.tensors[matrix.x].features),
        }
    }

    /// The products that a sum of a [`BatchMatMul`](Op::BatchMatMul) with `heads` heads and left operand `a` adds up.
    /// Precondition: the graph is valid.
    pub(crate) fn depth(&self, a: &CodeMatrix, heads: usize) -> usize {
        self.columns(a).and_then(|columns| columns.checked_div(heads)).unwrap_or(0)
    }

    /// Bound on the size of a sum of `k` products, times a factor of at most `factor` in size.
    pub(super) fn product_bound(
        &self,
        a: &CodeMatrix,
        b: &CodeMatrix,
        k: usize,
        factor: u64,
    ) -> i128 {
        let size = |matrix: &CodeMatrix| {
            let (low, high) = self.tensors[matrix.x].kind.range();
            let zero = i64::from(matrix.zero_code);
            i128::from((low - zero).unsigned_abs().max((high - zero).unsigned_abs()))
        };
        let product = (k as i128).saturating_mul(size(a)).saturating_mul(size(b));
        product.saturating_mul(factor.into())
    }
}

/// The largest size of a row's factor.
pub(super) fn largest_factor(factors: Option<&[i64]>) -> u64 {
    let largest = |factors: &[i64]| factors.iter().map(|factor| factor.unsigned_abs()).max();
    factors.map_or(1, |factors| largest(factors).unwrap_or(0))
}
