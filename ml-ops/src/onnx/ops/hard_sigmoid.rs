//! HardSigmoid: of a dequantized tensor.

use crate::onnx::builder::Builder;
use crate::onnx::elementwise::unary;
use crate::onnx::error::NodeError;
use crate::onnx::floats;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "HardSigmoid",
    inputs: 1,
    attributes: &[&["alpha", "beta"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let (alpha, beta) = (node.float("alpha", 0.2)?, node.float("beta", 0.5)?);
    unary(node, move |x| floats::hard_sigmoid(x, alpha, beta))
}
