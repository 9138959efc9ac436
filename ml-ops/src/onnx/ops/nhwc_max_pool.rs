//! com.microsoft NhwcMaxPool: the largest code in each window of an image with the channels last.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::{Codes, Value};
use crate::onnx::windows::{self, Pool};

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "NhwcMaxPool",
    inputs: 1,
    attributes: &[&windows::ATTRIBUTES, &["ceil_mode"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    let seen = shapes::channels_first(&x.view);
    let shape = seen.shape();
    let Some((_, sizes @ [_, ..])) = shape.split_first() else {
        return Err(NodeError::OperandShape { index: 0, expected: 3, got: shape.len() + 1 });
    };
    let largest = Pool::of(node, sizes, None)?.max(builder, node.name, &seen)?;
    let view = shapes::channels_last(&largest);
    Ok(Value::Codes(Codes { view, quantized: false, origin: None, ..x.clone() }))
}
