//! Softmax of a dequantized tensor along an axis, in integers.

use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, MAX_LENGTH, Softmax, WordSoftmax};
use crate::onnx::error::NodeError;
use crate::onnx::masked::{Mask, Masked, Scores};
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::normalized::check_last;
use crate::onnx::rowwise::Rowwise;
use crate::onnx::shapes;
use crate::onnx::value::Value;
use crate::onnx::view::View;
use crate::onnx::words::WordFloats;
use std::borrow::Cow;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Softmax",
    inputs: 1,
    attributes: &[&["axis"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let (x, mask) = match node.value(0)? {
        Value::Masked(Masked { floats: Scores::Words(floats), mask }) => {
            return of_words(node, floats, Some(mask.clone()));
        }
        Value::WordFloats(floats) if floats.is_pure() => return of_words(node, floats, None),
        Value::Deferred(floats) if let Some(floats) = floats.scaled_words() => {
            return of_words(node, &floats, None);
        }
        Value::Masked(Masked { floats: Scores::Codes(floats), mask }) => {
            (Cow::Borrowed(floats), Some(mask.clone()))
        }
        Value::Floats(floats) if let Some(scaled) = floats.scaled() => (scaled, None),
        _ => (Cow::Borrowed(node.dequantized_codes(0)?), None),
    };
    let view = &x.codes.view;
    let dim = masked_axis(node, view, mask.as_ref())?;
    let rows = Rowwise::new(node.name, &last(view, dim));
    let output = back(&rows.output(), dim);
    let has_kernel = mask.is_none() && node.is_between_codes(1);
    let (scale, dtype) = (x.scaling.scale, x.codes.dtype);
    let softmax = Softmax { x: rows, scale, dtype, has_kernel, mask };
    Ok(Value::Deferred(Deferred::new(Kind::Softmax(Rc::new(softmax)), output)))
}

/// That of a 16-bit tensor.
fn of_words(
    node: &NodeView<'_>,
    floats: &WordFloats,
    mask: Option<Mask>,
) -> Result<Value, NodeError> {
    let view = floats.words.view();
    let dim = masked_axis(node, view, mask.as_ref())?;
    let mut words = floats.words.clone();
    words.see(|view| Some(last(view, dim)));
    let x = Rowwise::new(node.name, words.view());
    if x.length() > MAX_LENGTH {
        let (expected, got) = (MAX_LENGTH, x.length());
        return Err(NodeError::OperandShape { index: 0, expected, got });
    }
    let output = back(&x.output(), dim);
    let softmax = WordSoftmax { x, words, scale: floats.scaling.scale, mask };
    Ok(Value::Deferred(Deferred::new(Kind::WordSoftmax(Rc::new(softmax)), output)))
}

/// [`axis`] of elements that are seen as `view`; the last where some are left out.
fn masked_axis(node: &NodeView<'_>, view: &View, mask: Option<&Mask>) -> Result<usize, NodeError> {
    let dim = axis(node, view.rank(), node.opset())?;
    if mask.is_some() && dim + 1 != view.rank() {
        return Err(NodeError::AttributeValue { attribute: "axis", value: dim as f64 + 1.0 });
    }
    Ok(dim)
}

/// The dimension of a sample of `rank` that the node's axis is. Without the attribute it is the last or, in operator sets before
/// 13, the first behind the batch; in those it is an axis and all after it, so that it is to be the last.
pub(super) fn axis(node: &NodeView<'_>, rank: usize, opset: i64) -> Result<usize, NodeError> {
    if node.attribute("axis").is_none() && rank > 1 {
        return Err(NodeError::MissingAttribute { attribute: "axis" });
    }
    let value = node.int("axis", -1)?;
    if opset < 13 {
        check_last(node, value, rank)?;
    }
    shapes::axis(node, "axis", value, rank)
}

/// The view with dimension `dim` as the last.
pub(super) fn last(view: &View, dim: usize) -> View {
    let mut order: Vec<usize> = (0..view.rank()).collect();
    order[dim..].rotate_left(1);
    view.transposed(&order)
}

/// The view with its last dimension as dimension `dim`: the inverse of [`last`].
pub(super) fn back(view: &View, dim: usize) -> View {
    let mut order: Vec<usize> = (0..view.rank()).collect();
    order[dim..].rotate_right(1);
    view.transposed(&order)
}
