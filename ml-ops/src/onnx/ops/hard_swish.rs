//! HardSwish: a dequantized tensor times its HardSigmoid of slope 1/6.

use crate::onnx::builder::Builder;
use crate::onnx::elementwise::unary;
use crate::onnx::error::NodeError;
use crate::onnx::floats;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "HardSwish",
    inputs: 1,
    attributes: &[],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    unary(node, move |x| x * floats::hard_sigmoid(x, 1.0 / 6.0, 0.5))
}
