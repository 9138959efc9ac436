//! The graph under construction: tensors, nodes, and the grouping of elements into rows.
//!
//! A tensor's elements are grouped into rows by the matmul that reads or writes it; until one does, the
//! grouping is open, so that reshapes ahead of the first matmul and behind the last one cost nothing.

use super::error::NodeError;
use super::value::{Codes, MatMulOperands, Scaling};
use crate::graph::{
    CodeType, Epilogue, Function, InputPort, InputTransform, Node, Op, TensorId, TensorKind,
    TensorShape, Term, WeightMatrix, WeightShape, bound, signed_bits,
};

/// The graph under construction.
pub(super) struct Builder {
    /// The file fixes the batch to 1, so that 1 in a shape means the batch.
    pub(super) batch_is_one: bool,
    pub(super) tensors: Vec<PendingTensor>,
    groupings: Vec<Grouping>,
    pub(super) weights: Vec<WeightShape>,
    pub(super) matrices: Vec<WeightMatrix>,
    pub(super) nodes: Vec<Node>,
    pub(super) input: Option<InputPort>,
    input_shape: Vec<usize>,
}

/// A tensor whose grouping into rows may be open.
pub(super) struct PendingTensor {
    grouping: usize,
    kind: TensorKind,
}

/// How the elements of a sample are grouped into rows, shared by all tensors of the same rows.
struct Grouping {
    elements: usize,
    features: Option<usize>,
}

impl Builder {
    /// An empty graph over an input of `input_shape`, without the batch.
    pub(super) fn new(batch_is_one: bool, input_shape: Vec<usize>) -> Self {
        Self {
            batch_is_one,
            tensors: Vec::new(),
            groupings: Vec::new(),
            weights: Vec::new(),
            matrices: Vec::new(),
            nodes: Vec::new(),
            input: None,
            input_shape,
        }
    }

    /// The input tensor, of codes that `transform` makes, seen with the shape `shape`.
    pub(super) fn input(
        &mut self,
        transform: InputTransform,
        shape: &[usize],
    ) -> Result<Codes, NodeError> {
        let tensor = match &self.input {
            Some(port) if port.transform == transform => port.tensor,
            Some(_) => return Err(NodeError::InputQuantizedTwice),
            None => {
                let grouping = self.grouping(self.input_shape.iter().product(), None);
                let tensor = self.tensor(grouping, TensorKind::Code);
                self.input = Some(InputPort { tensor, shape: self.input_shape.clone(), transform });
                tensor
            }
        };
        let (dtype, quantized) = match transform {
            InputTransform::Codes { dtype } => (dtype, false),
            InputTransform::Quantize { dtype, .. } => (dtype, true),
        };
        Ok(Codes { tensor, dtype, shape: shape.to_vec(), quantized })
    }

    /// The float input quantized.
    pub(super) fn quantized_input(
        &mut self,
        to: Scaling,
        dtype: CodeType,
        shape: &[usize],
    ) -> Result<Codes, NodeError> {
        let transform =
            InputTransform::Quantize { scale: to.scale, zero_point: to.zero_point, dtype };
        self.input(transform, shape)
    }

    /// `y = table[x]`; `x` itself if the table changes nothing.
    pub(super) fn map(&mut self, name: &str, x: TensorId, table: Box<[u8; 256]>) -> TensorId {
        if table.iter().enumerate().all(|(x, y)| x == usize::from(*y)) {
            return x;
        }
        let y = self.tensor(self.tensors[x].grouping, TensorKind::Code);
        let table = Box::new(table.map(i64::from));
        let term = Term { x, gather: None, taps: 1, function: Function::Table(table) };
        self.push(name, Op::Combine { terms: vec![term], y, epilogue: Epilogue::Accumulator });
        y
    }

    /// `y = max(x, 0)` on integers.
    pub(super) fn relu(&mut self, name: &str, x: TensorId) -> TensorId {
        let PendingTensor { grouping, kind } = self.tensors[x];
        let y = self.tensor(grouping, kind);
        self.push(name, Op::Relu { x, y });
        y
    }

    /// The output of a matmul.
    pub(super) fn matmul(
        &mut self,
        operands: &MatMulOperands,
        epilogue: Epilogue,
    ) -> Result<TensorId, NodeError> {
        let x = operands.x.tensor;
        let of = &operands.weights;
        let rows = self.group(x, of.k)?;
        let (shape, matrix) =
            WeightMatrix::from_codes(of.k, of.n, &of.codes, &of.offsets, &operands.bias);
        let bound = bound(self.tensors[x].kind, i64::from(operands.zero_code), &shape);
        let narrow = i32::try_from(bound).map_err(|_| NodeError::AccumulatorRange { bound })?;
        let kind = match &epilogue {
            Epilogue::Requantize(_) | Epilogue::Edges(_) => TensorKind::Code,
            Epilogue::Accumulator => TensorKind::Integer { bits: signed_bits(i64::from(narrow)) },
        };
        let grouping = self.grouping(rows.saturating_mul(of.n), Some(of.n));
        let y = self.tensor(grouping, kind);
        self.weights.push(shape);
        self.matrices.push(matrix);
        let weights = self.weights.len() - 1;
        let op = Op::MatMul {
            x,
            gather: None,
            zero_code: operands.zero_code,
            weights,
            groups: 1,
            y,
            epilogue,
        };
        self.push(&operands.name, op);
        Ok(y)
    }

    /// The final shape of a tensor; one row a sample if no matmul has grouped it.
    pub(super) fn shape(&self, tensor: TensorId) -> TensorShape {
        let PendingTensor { grouping, kind } = self.tensors[tensor];
        let Grouping { elements, features } = self.groupings[grouping];
        let features = features.unwrap_or(elements);
        TensorShape { rows_per_sample: elements / features, features, kind }
    }

    /// Groups a tensor into rows of `features`, and says how many those are.
    fn group(&mut self, tensor: TensorId, features: usize) -> Result<usize, NodeError> {
        let grouping = &mut self.groupings[self.tensors[tensor].grouping];
        let rows_hold = *grouping.features.get_or_insert(features);
        if rows_hold != features {
            return Err(NodeError::Regrouping { features, rows_hold });
        }
        Ok(grouping.elements / features)
    }

    fn grouping(&mut self, elements: usize, features: Option<usize>) -> usize {
        self.groupings.push(Grouping { elements, features });
        self.groupings.len() - 1
    }

    fn tensor(&mut self, grouping: usize, kind: TensorKind) -> TensorId {
        self.tensors.push(PendingTensor { grouping, kind });
        self.tensors.len() - 1
    }

    fn push(&mut self, name: &str, op: Op) {
        let name = name.to_owned();
        self.nodes.push(Node { name, op });
    }
}
