//! PRelu: floats with constant slopes for negative ones, one or one for each index.

use crate::onnx::arithmetic::{self, Operation};
use crate::onnx::builder::Builder;
use crate::onnx::constants;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "PRelu", inputs: 2, attributes: &[], import: Import::One(import) };

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let slopes = constants::array_of(node, 1)?;
    arithmetic::by_constant(node, node.value(0)?, &slopes, Operation::Slope, 1)
}
