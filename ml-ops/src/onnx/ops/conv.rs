//! Conv of a dequantized image and dequantized constants: the integer convolution of what they dequantize.

use crate::onnx::builder::Builder;
use crate::onnx::convolved::{self, Geometry};
use crate::onnx::depthwise;
use crate::onnx::error::NodeError;
use crate::onnx::factors;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::Layout;
use crate::onnx::unquantized;
use crate::onnx::value::Value;
use crate::onnx::windows;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Conv",
    inputs: 3,
    attributes: &[&convolved::ATTRIBUTES, &windows::ATTRIBUTES],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let Some(each) = depthwise::by_channel(node)? {
        return depthwise::import(builder, node, each);
    }
    if convolved::is_of_points(node)?
        && let Some(product) = unquantized::product(builder, node, 0, Layout::Kernels)?
    {
        return Ok(product);
    }
    let x = factors::image(builder, node, 0)?;
    let constants = factors::constants(node, &x, Layout::Kernels)?;
    let geometry = Geometry::of(node, &x.view, &constants.shape, 1)?;
    factors::convolved(builder, node, &geometry, x, constants)
}
