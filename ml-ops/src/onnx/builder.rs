//! The graph under construction: tensors, nodes, and the grouping of elements into rows.
//!
//! How the elements of the network's inputs are grouped into rows is open until a node reads them as a
//! matrix; of other tensors the node that writes them says it.

use super::error::NodeError;
use super::matrix::Matrix;
use super::precision::Precision;
use super::stepped::Stepped;
use super::value::{Codes, MatMulOperands};
use super::view::View;
use super::words::{Digits, Words};
use crate::graph::{
    CodeType, Edges, Epilogue, Function, Gather, InputPort, InputTransform, Node, Op, TensorId,
    TensorKind, TensorShape, Term, WeightMatrix, WeightShape, WordType, bound, signed_bits,
};
use std::collections::HashMap;
use std::rc::Rc;

/// The graph under construction.
pub(super) struct Builder {
    /// The file fixes the batch to 1, so that 1 in a shape means the batch.
    pub(super) batch_is_one: bool,
    pub(super) tensors: Vec<PendingTensor>,
    groupings: Vec<Grouping>,
    pub(super) weights: Vec<WeightShape>,
    pub(super) matrices: Vec<WeightMatrix>,
    pub(super) nodes: Vec<Node>,
    inputs: Vec<PendingInput>,
    /// Tensors of zeros and ones that are a function of inputs of such.
    flags: Vec<TensorId>,
    /// Tensors that are steps of a product's accumulators.
    pub(super) stepped: HashMap<TensorId, Rc<Stepped>>,
    /// What integers may be off by.
    pub(super) precision: Precision,
}

/// An input of the network, of which a tensor is made when something reads it.
struct PendingInput {
    shape: Vec<usize>,
    tensor: TensorId,
    transform: Option<InputTransform>,
}

/// A tensor whose grouping into rows may be open.
#[derive(Clone, Copy)]
pub(super) struct PendingTensor {
    grouping: usize,
    kind: TensorKind,
}

impl PendingTensor {
    /// What the elements are.
    pub(super) fn kind(self) -> TensorKind {
        self.kind
    }
}

/// How the elements of a sample are grouped into rows, shared by all tensors of the same rows.
struct Grouping {
    elements: usize,
    features: Option<usize>,
}

/// A tensor as a matrix of some number of columns for each output: the node's `x` and its gather.
pub(super) struct Source {
    pub(super) x: TensorId,
    pub(super) gather: Option<Gather>,
}

impl Source {
    /// A product with an element of it.
    pub(super) fn factor(&self, zeros: [u8; 2], factor: i64) -> Function {
        let (with, with_gather) = (self.x, self.gather.clone());
        Function::Product { with, with_gather, zeros, factor }
    }
}

impl Builder {
    /// An empty graph.
    pub(super) fn new(batch_is_one: bool) -> Self {
        Self {
            batch_is_one,
            tensors: Vec::new(),
            groupings: Vec::new(),
            weights: Vec::new(),
            matrices: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            flags: Vec::new(),
            stepped: HashMap::new(),
            precision: Precision::default(),
        }
    }

    /// One more input, of `shape` without the batch, as it comes.
    pub(super) fn input(&mut self, shape: Vec<usize>) -> View {
        let elements = shape.iter().product();
        self.groupings.push(Grouping { elements, features: None });
        let tensor = self.tensor(self.groupings.len() - 1, TensorKind::Code);
        let view = View::open(tensor, &shape);
        self.inputs.push(PendingInput { shape, tensor, transform: None });
        view
    }

    /// The input whose tensor `view` is of, read by `transform` as by all who have read it before.
    fn read_input(
        &mut self,
        transform: &InputTransform,
        view: &View,
    ) -> Result<&mut PendingInput, NodeError> {
        let mut inputs = self.inputs.iter_mut();
        let input = inputs.find(|input| input.tensor == view.tensor);
        let input = input.ok_or(NodeError::InputQuantizedTwice)?;
        if *input.transform.get_or_insert_with(|| transform.clone()) != *transform {
            return Err(NodeError::InputQuantizedTwice);
        }
        Ok(input)
    }

    /// Takes a tensor of zeros and ones as if it were an input of such.
    pub(super) fn take_as_flags(&mut self, tensor: TensorId) {
        self.flags.push(tensor);
    }

    /// Whether a tensor is an input of numbers, or flags that are made of some.
    pub(super) fn is_of_numbers(&self, tensor: TensorId) -> bool {
        self.count_of(tensor).is_some()
    }

    /// How many numbers the elements of a tensor are of, if it is an input of numbers.
    fn count_of(&self, tensor: TensorId) -> Option<usize> {
        if self.flags.contains(&tensor) {
            return Some(2);
        }
        let input = self.inputs.iter().find(|input| input.tensor == tensor)?;
        match input.transform {
            Some(InputTransform::Numbers { count }) => Some(count),
            _ => None,
        }
    }

    /// How many elements the numbers of a tensor are of, if it is an ArgMax's.
    pub(super) fn numbers_of(&self, tensor: TensorId) -> Option<usize> {
        self.nodes.iter().find_map(|node| match node.op {
            Op::ArgMax { taps, y, .. } if y == tensor => Some(taps),
            _ => None,
        })
    }

    /// The tensor of an input, seen as `view`, that has a row of `vocabulary` codes for each number.
    pub(super) fn one_hot_input(
        &mut self,
        view: &View,
        vocabulary: usize,
    ) -> Result<TensorId, NodeError> {
        let (rows, features) = (view.elements(), Some(vocabulary));
        let tensor = self.read_input(&InputTransform::OneHot { vocabulary }, view)?.tensor;
        let grouping = self.tensors[tensor].grouping;
        self.groupings[grouping] = Grouping { elements: rows.saturating_mul(vocabulary), features };
        Ok(tensor)
    }

    /// The rows, `k` of `n` codes, that `tokens` rows of such a tensor number.
    pub(super) fn embedding(
        &mut self,
        name: &str,
        x: TensorId,
        tokens: usize,
        (k, n): (usize, usize),
        codes: &[u8],
    ) -> TensorId {
        let (shape, matrix) = WeightMatrix::from_codes(k, n, codes, &[0], &[]);
        let y = self.rows_of(tokens, n, TensorKind::Code);
        self.weights.push(shape);
        self.matrices.push(matrix);
        let (weights, epilogue) = (self.weights.len() - 1, Epilogue::Edges(vec![Edges::clamped()]));
        let op = Op::MatMul { x, gather: None, zero_code: 0, weights, groups: 1, y, epilogue };
        self.push(name, op);
        y
    }

    /// An input's tensor, of codes that `transform` makes, seen as `view`.
    pub(super) fn quantized_input(
        &mut self,
        transform: InputTransform,
        view: View,
    ) -> Result<Codes, NodeError> {
        self.read_input(&transform, &view)?;
        let transform = match transform {
            InputTransform::Computed { then, .. } => *then,
            transform => transform,
        };
        let (dtype, quantized) = match transform {
            InputTransform::Codes { dtype } => (dtype, false),
            InputTransform::Quantize { dtype, .. } => (dtype, true),
            InputTransform::Computed { .. }
            | InputTransform::Levels { .. }
            | InputTransform::OneHot { .. }
            | InputTransform::Numbers { .. }
            | InputTransform::Words { .. }
            | InputTransform::QuantizeWords { .. } => (CodeType::U8, false),
        };
        Ok(Codes { view, dtype, quantized, origin: None })
    }

    /// An input's tensor, of 16-bit integers that `transform` makes, seen as `view`.
    pub(super) fn word_input(
        &mut self,
        transform: InputTransform,
        dtype: WordType,
        view: View,
    ) -> Result<Words, NodeError> {
        self.quantized_input(transform, view.clone())?;
        self.tensors[view.tensor].kind = dtype.kind();
        Ok(Words { dtype, digits: Digits::One(view) })
    }

    /// The integers that `table` makes of the codes of `x`.
    pub(super) fn integers(&mut self, name: &str, x: &View, table: &[i64; 256]) -> View {
        let most = table.iter().map(|value| value.abs()).max().unwrap_or(0);
        let kind = TensorKind::Integer { bits: signed_bits(most) };
        let y = self.tensor(self.tensors[x.tensor].grouping, kind);
        let function = Function::Table(Box::new(*table));
        let terms = vec![Term { x: x.tensor, gather: None, taps: 1, function }];
        self.push(name, Op::Combine { terms, y, epilogue: Epilogue::Accumulator });
        x.on(y)
    }

    /// Where each input enters, if anything reads it, in their order.
    pub(super) fn input_ports(&self) -> Vec<Option<InputPort>> {
        let port = |input: &PendingInput| {
            let transform = input.transform.clone()?;
            Some(InputPort { tensor: input.tensor, shape: input.shape.clone(), transform })
        };
        self.inputs.iter().map(port).collect()
    }

    /// `y = table[x]`; `x` itself if the table changes nothing.
    pub(super) fn map(&mut self, name: &str, x: TensorId, table: &[u8; 256]) -> TensorId {
        if table.iter().enumerate().all(|(x, y)| x == usize::from(*y)) {
            return x;
        }
        let y = self.tensor(self.tensors[x].grouping, TensorKind::Code);
        let function = Function::Table(Box::new(table.map(i64::from)));
        let terms = vec![Term { x, gather: None, taps: 1, function }];
        self.push(name, Op::Combine { terms, y, epilogue: Epilogue::Accumulator });
        y
    }

    /// The sum of what tables make of the codes of two tensors of one shape, as codes.
    pub(super) fn sum_of_codes(
        &mut self,
        name: &str,
        parts: [TensorId; 2],
        tables: [Function; 2],
    ) -> Result<TensorId, NodeError> {
        let [a, b] = parts.map(|tensor| self.shape(tensor));
        if a != b {
            let (features, rows_hold) = (a.features, b.features);
            return Err(NodeError::Regrouping { features, rows_hold });
        }
        let y = self.rows_of(a.rows_per_sample, a.features, TensorKind::Code);
        let terms = parts.into_iter().zip(tables);
        let term = |(x, function)| Term { x, gather: None, taps: 1, function };
        let epilogue = Epilogue::Edges(vec![Edges::clamped()]);
        self.push(name, Op::Combine { terms: terms.map(term).collect(), y, epilogue });
        Ok(y)
    }

    /// A constant of `shape` and these codes, the last dimension fastest, with the dimensions that are features of
    /// `beside` as features.
    pub(super) fn constant(
        &mut self,
        name: &str,
        beside: &View,
        shape: &[usize],
        codes: &[u8],
    ) -> View {
        let product = |of_features: bool| -> usize {
            let dims = shape.iter().enumerate();
            dims.filter(|&(dim, _)| beside.is_feature(dim) == of_features).map(|(_, n)| n).product()
        };
        let (rows, features) = (product(false), product(true));
        let mut laid_out = vec![0; codes.len()];
        for (at, &code) in codes.iter().enumerate() {
            let (mut rest, mut place, mut strides) = (at, [0, 0], [1, 1]);
            for (dim, &size) in shape.iter().enumerate().rev() {
                let side = usize::from(beside.is_feature(dim));
                place[side] += rest % size * strides[side];
                strides[side] *= size;
                rest /= size;
            }
            let [row, feature] = place;
            laid_out[feature * rows + row] = code;
        }
        let y = self.rows_of(rows, features, TensorKind::Code);
        self.push(name, Op::Constant { codes: laid_out, y });
        View::new(y, shape, |dim| beside.is_feature(dim))
    }

    /// The codes that a tensor may have: those of a constant or of an input of few numbers, or all.
    pub(super) fn occurring(&self, tensor: TensorId) -> Vec<u8> {
        let of_constant = |node: &Node| match &node.op {
            Op::Constant { codes, y } if *y == tensor => Some(codes.clone()),
            _ => None,
        };
        if let Some(count) = self.count_of(tensor) {
            return (0..=u8::MAX).take(count).collect();
        }
        let mut codes = self.nodes.iter().find_map(of_constant).unwrap_or((0..=255).collect());
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// `y = max(x, 0)` on integers.
    pub(super) fn relu(&mut self, name: &str, x: TensorId) -> TensorId {
        let PendingTensor { grouping, kind } = self.tensors[x];
        let y = self.tensor(grouping, kind);
        self.precision.set(y, self.precision.of(x));
        self.push(name, Op::Relu { x, y });
        y
    }

    /// The output of a matmul.
    pub(super) fn matmul(
        &mut self,
        operands: &MatMulOperands,
        epilogue: Epilogue,
    ) -> Result<TensorId, NodeError> {
        let source = self.source(&operands.x, false)?;
        let of = &operands.weights;
        let (shape, matrix) = match operands.groups {
            1 => WeightMatrix::from_codes(of.k, of.n, &of.codes, &of.offsets, &operands.bias),
            _ => WeightMatrix::from_bytes(of.k, of.n, &of.codes, &of.offsets, &operands.bias),
        };
        let kind = self.tensors[source.x].kind;
        let bound = bound(kind, i64::from(operands.zero_code), &shape);
        let of_weights = || (0..of.n).map(|column| operands.bound(column)).max();
        let most = i64::from(i32::MAX);
        let narrow = match operands.reach {
            None if bound <= most.into() => Some(bound as i64),
            // A channel's bias may be as large as 32 bits hold; then it is for the weights to be small.
            None => of_weights().filter(|bound| *bound <= most).map(|_| most),
            // Integers are as wide as these weights ask for.
            Some(_) => of_weights().filter(|bound| *bound < 1 << 61),
        };
        let narrow = narrow.ok_or(NodeError::AccumulatorRange { bound })?;
        let kind = match &epilogue {
            Epilogue::Requantize(_) | Epilogue::Edges(_) => TensorKind::Code,
            Epilogue::Accumulator => TensorKind::Integer { bits: signed_bits(narrow) },
        };
        let off = self.off_of_matmul(source.x, operands, &epilogue)?;
        let y = self.rows_of(operands.x.size().0, of.n, kind);
        if epilogue == Epilogue::Accumulator {
            self.precision.set(y, off);
        }
        self.weights.push(shape);
        self.matrices.push(matrix);
        let op = Op::MatMul {
            x: source.x,
            gather: source.gather,
            zero_code: operands.zero_code,
            weights: self.weights.len() - 1,
            groups: operands.groups,
            y,
            epilogue,
        };
        self.push(&operands.name, op);
        Ok(y)
    }

    /// The sum over `terms`: what each reads for `columns` outputs of each row, and the function of it. Without
    /// an epilogue the sums are of kind `kind`.
    pub(super) fn combine(
        &mut self,
        name: &str,
        columns: usize,
        terms: Vec<(Matrix, Function)>,
        kind: TensorKind,
        epilogue: Epilogue,
    ) -> Result<TensorId, NodeError> {
        let rows = terms.first().map_or(0, |(matrix, _)| matrix.size().0);
        let off = self.off_of_sum(&terms, columns, &epilogue)?;
        let terms = terms
            .into_iter()
            .map(|(matrix, function)| {
                let taps = matrix.size().1 / columns;
                let Source { x, gather } = self.source(&matrix, taps > 1)?;
                Ok(Term { x, gather, taps, function })
            })
            .collect::<Result<_, NodeError>>()?;
        let y = self.rows_of(rows, columns, kind);
        if epilogue == Epilogue::Accumulator {
            self.precision.set(y, off);
        }
        self.push(name, Op::Combine { terms, y, epilogue });
        Ok(y)
    }

    /// The largest of the codes that `matrix` reads for each of `columns` outputs of each row.
    pub(super) fn max(
        &mut self,
        name: &str,
        columns: usize,
        matrix: &Matrix,
    ) -> Result<TensorId, NodeError> {
        let (rows, width) = matrix.size();
        let Source { x, gather } = self.source(matrix, true)?;
        let y = self.rows_of(rows, columns, TensorKind::Code);
        let gather = gather.ok_or(NodeError::NoView { index: 0 })?;
        let op = Op::Max { x, gather, taps: width / columns, y };
        self.push(name, op);
        Ok(y)
    }

    /// Which of the elements that `matrix` reads is the largest, for each of `columns` outputs of each row.
    pub(super) fn argmax(
        &mut self,
        name: &str,
        columns: usize,
        matrix: &Matrix,
        last: bool,
    ) -> Result<TensorId, NodeError> {
        let (rows, width) = matrix.size();
        let taps = width / columns;
        let Source { x, gather } = self.source(matrix, true)?;
        let gather = gather.ok_or(NodeError::NoView { index: 0 })?;
        let kind = TensorKind::Integer { bits: signed_bits(taps as i64 - 1) };
        let y = self.rows_of(rows, columns, kind);
        self.push(name, Op::ArgMax { x, gather, taps, last, y });
        Ok(y)
    }

    /// The values that codes stand for, as integers.
    pub(super) fn valued(&mut self, name: &str, codes: &Codes) -> Result<View, NodeError> {
        let PendingTensor { grouping, .. } = self.tensors[codes.view.tensor];
        let x = codes.view.tensor;
        let [least, most] = [codes.dtype.min(), codes.dtype.max()].map(i64::from);
        let kind = TensorKind::Integer { bits: signed_bits(least).max(signed_bits(most)) };
        let y = self.tensor(grouping, kind);
        let function = Function::table(|code| code + least);
        let terms = vec![Term { x, gather: None, taps: 1, function }];
        self.push(name, Op::Combine { terms, y, epilogue: Epilogue::Accumulator });
        Ok(codes.view.on(y))
    }

    /// A tensor of its own with the elements of `view`, which must be codes or integers of one kind.
    pub(super) fn copied(&mut self, name: &str, view: &View) -> Result<View, NodeError> {
        let is_feature = |dim| view.is_feature(dim);
        self.laid_out(name, view, is_feature)
    }

    /// A tensor of its own with the integers of `view`, of kind `kind`.
    pub(super) fn copied_as(
        &mut self,
        name: &str,
        view: &View,
        kind: TensorKind,
    ) -> Result<View, NodeError> {
        self.made(name, view, |dim| view.is_feature(dim), kind)
    }

    /// A tensor of its own with the elements of `view`, whose dimensions number features or rows.
    pub(super) fn laid_out(
        &mut self,
        name: &str,
        view: &View,
        is_feature: impl Fn(usize) -> bool,
    ) -> Result<View, NodeError> {
        self.made(name, view, is_feature, self.tensors[view.tensor].kind)
    }

    fn made(
        &mut self,
        name: &str,
        view: &View,
        is_feature: impl Fn(usize) -> bool,
        kind: TensorKind,
    ) -> Result<View, NodeError> {
        let function = match kind {
            TensorKind::Code => Function::table(|code| code),
            TensorKind::Integer { .. } => Function::Times(1),
        };
        let matrix = Matrix::laid_out(view, &is_feature);
        let columns = matrix.size().1;
        let terms = vec![(matrix, function)];
        let y = self.combine(name, columns, terms, kind, Epilogue::Accumulator)?;
        Ok(View::new(y, &view.shape(), is_feature))
    }

    /// The elements of `view` in a tensor whose rows and features its dimensions number: its own, or a copy.
    pub(super) fn straight(
        &mut self,
        name: &str,
        view: &View,
        is_feature: impl Fn(usize) -> bool,
    ) -> Result<View, NodeError> {
        let matrix = self.settled(&Matrix::laid_out(view, &is_feature))?;
        match matrix.gather() {
            None => Ok(View::new(view.tensor, &view.shape(), is_feature)),
            Some(_) => self.laid_out(name, view, is_feature),
        }
    }

    /// Whether the elements of `view`, in order, are those of its tensor as rows of features.
    pub(super) fn is_row_major(&self, view: &View) -> bool {
        let matrix = Matrix::rows_and_columns(view, 0);
        match self.groupings[self.tensors[view.tensor].grouping].features {
            None => matrix.in_order().is_some(),
            Some(features) => (0..=view.rank()).any(|first| {
                let matrix = Matrix::rows_and_columns(view, first);
                let rows = matrix.size().1 == features;
                rows && self.grouped(&matrix).is_some_and(|matrix| matrix.gather().is_none())
            }),
        }
    }

    /// The tensor and the gather that read `matrix`; a gather even of the tensor as it is if `always`.
    pub(super) fn source(&mut self, matrix: &Matrix, always: bool) -> Result<Source, NodeError> {
        let matrix = self.settled(matrix)?;
        let gather = if always { Some(matrix.explicit_gather()) } else { matrix.gather() };
        Ok(Source { x: matrix.view.tensor, gather })
    }

    /// The matrix of a tensor whose grouping is open no more: as the matrix has it, if it is the tensor's
    /// elements in order, or else one element to a row.
    fn settled(&mut self, matrix: &Matrix) -> Result<Matrix, NodeError> {
        let grouping = self.tensors[matrix.view.tensor].grouping;
        let features = &mut self.groupings[grouping].features;
        let rows_hold = *features.get_or_insert_with(|| matrix.in_order().unwrap_or(1));
        let regrouping = NodeError::Regrouping { features: matrix.size().1, rows_hold };
        self.grouped(matrix).ok_or(regrouping)
    }

    fn grouped(&self, matrix: &Matrix) -> Option<Matrix> {
        let features = self.groupings[self.tensors[matrix.view.tensor].grouping].features?;
        if matrix.view.is_open() { matrix.clone().grouped(features) } else { Some(matrix.clone()) }
    }

    /// The final shape of a tensor; one row a sample if nothing has grouped it.
    pub(super) fn shape(&self, tensor: TensorId) -> TensorShape {
        let PendingTensor { grouping, kind } = self.tensors[tensor];
        let Grouping { elements, features } = self.groupings[grouping];
        let features = features.unwrap_or(elements);
        TensorShape { rows_per_sample: elements / features, features, kind }
    }

    pub(super) fn rows_of(&mut self, rows: usize, features: usize, kind: TensorKind) -> TensorId {
        let elements = rows.saturating_mul(features);
        self.groupings.push(Grouping { elements, features: Some(features) });
        self.tensor(self.groupings.len() - 1, kind)
    }

    fn tensor(&mut self, grouping: usize, kind: TensorKind) -> TensorId {
        self.tensors.push(PendingTensor { grouping, kind });
        self.tensors.len() - 1
    }

    pub(super) fn push(&mut self, name: &str, op: Op) {
        let name = name.to_owned();
        self.nodes.push(Node { name, op });
    }
}
