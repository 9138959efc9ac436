//! DepthToSpace: groups of channels as squares of pixels.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "DepthToSpace",
    inputs: 1,
    attributes: &[&["blocksize", "mode"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let (block, channels, height, width) = shapes::blocks(node, &shape)?;
    let area = block * block;
    if !channels.is_multiple_of(area) {
        return Err(NodeError::OperandShape { index: 0, expected: area, got: channels });
    }
    let of = channels / area;
    let (cut, order) = match node.text("mode")?.unwrap_or("DCR") {
        "DCR" => ([block, block, of, height, width], [2, 3, 0, 4, 1]),
        "CRD" => ([of, block, block, height, width], [0, 3, 1, 4, 2]),
        other => {
            return Err(NodeError::AttributeText { attribute: "mode", value: other.to_owned() });
        }
    };
    let to = [of, height * block, width * block];
    shapes::seen(builder, node, |view| view.reshaped(&cut)?.transposed(&order).reshaped(&to))
}
