//! Tensors without a batch in front: where the file fixes it to 1, operators may move it, or take it away.
//!
//! A sample's dimensions then are all those of the file. They are so again without the first where that has size 1.

use super::error::NodeError;
use super::value::Value;
use std::collections::{HashMap, HashSet};

/// Operators that may move the first dimension.
const MOVES: [&str; 9] = [
    "Transpose",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Gather",
    "Flatten",
    "Slice",
    "Split",
    "Concat",
];

/// Other operators that do not ask which dimension is the batch, or know it by their axis.
const KNOWN: [&str; 70] = [
    "Abs",
    "Add",
    "ArgMax",
    "ArgMin",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "Einsum",
    "Elu",
    "Erf",
    "Exp",
    "Expand",
    "Floor",
    "Gelu",
    "Gemm",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "MatMul",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "Max",
    "Min",
    "Mish",
    "Mul",
    "Neg",
    "PRelu",
    "Pad",
    "Pow",
    "QGemm",
    "QLinearAdd",
    "QLinearConcat",
    "QLinearLeakyRelu",
    "QLinearMatMul",
    "QLinearMul",
    "QLinearSigmoid",
    "QLinearSoftmax",
    "QuantizeLinear",
    "RMSNormalization",
    "Reciprocal",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
    "Relu",
    "Round",
    "Selu",
    "Shape",
    "Sigmoid",
    "Sign",
    "SimplifiedLayerNormalization",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Sub",
    "Sum",
    "Swish",
    "Tanh",
    "ThresholdedRelu",
    "Tile",
    "TopK",
    "Where",
];

/// The names of values whose dimensions are all those of the file.
#[derive(Debug, Default)]
pub(super) struct Wholes(HashSet<String>);

impl Wholes {
    /// Whether the dimensions of the value `name` are all those of the file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The operands of a node of `operator` that are to be seen in all their dimensions; `None` if it sees samples of a batch.
    pub(super) fn operands(
        &self,
        operator: &str,
        inputs: &[String],
        values: &HashMap<String, Value>,
        batch_is_one: bool,
    ) -> Result<Option<HashMap<String, Value>>, NodeError> {
        let is_whole = |name: &String| self.has(name);
        let moves = MOVES.contains(&operator) && batch_is_one;
        match inputs.iter().position(is_whole) {
            None if !moves => return Ok(None),
            Some(index) if !(moves || KNOWN.contains(&operator)) => {
                return Err(NodeError::NoBatch { index });
            }
            _ => {}
        }
        let mut seen = HashMap::new();
        for (index, name) in inputs.iter().enumerate().filter(|(_, name)| !is_whole(name)) {
            if let Some(value) = values.get(name).filter(|value| value.view().is_some()) {
                let whole = value.renumbered(|view| Some(view.clone().unsqueezed(0)));
                seen.insert(name.clone(), whole.ok_or(NodeError::NoView { index })?);
            }
        }
        Ok(Some(seen))
    }

    /// The value `name` that such a node makes, without the first dimension where that can be the batch.
    pub(super) fn made(&mut self, name: &str, value: Value) -> Value {
        let Some(view) = value.view() else { return value };
        let has_batch = view.rank() > 1 && view.size(0) == 1;
        match value.renumbered(|view| has_batch.then(|| view.clone().squeezed(0))) {
            Some(sample) => sample,
            None => {
                self.0.insert(name.to_owned());
                value
            }
        }
    }
}
