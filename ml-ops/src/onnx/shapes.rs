//! What operators that only move elements share: axes, and views with a copy where there is no view.

use super::builder::Builder;
use super::error::NodeError;
use super::node::NodeView;
use super::value::{Codes, Floats, Value};
use super::view::View;
use super::words::{Digits, WordFloats, Words};

/// The error of a constant where a tensor is wanted.
pub(super) const NOT_COMPUTED: NodeError =
    NodeError::Operand { index: 0, expected: "a tensor that the graph computes" };

/// The shape of a sample of a value that the graph computes, operand 0.
pub(super) fn of(value: &Value) -> Result<Vec<usize>, NodeError> {
    value.view().map(View::shape).ok_or(NOT_COMPUTED)
}

/// Operand 0 in the shape `to` of as many elements.
pub(super) fn reshaped(
    builder: &mut Builder,
    node: &NodeView<'_>,
    to: &[usize],
) -> Result<Value, NodeError> {
    let value = node.value(0)?;
    of(value)?;
    if let Some(seen) = value.seen(|view| view.reshaped(to)) {
        return Ok(seen);
    }
    let elements = to.iter().product();
    let mut value = copied(builder, node)?;
    for view in views_of(&mut value) {
        let flat = View::new(view.tensor, &[elements], |_| true);
        *view = flat.reshaped(to).ok_or(NodeError::NoView { index: 0 })?;
    }
    Ok(value)
}

/// Operand 0 in a tensor of its own, all of a sample's elements as features in order.
fn copied(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let mut value = node.value(0)?.clone();
    match &mut value {
        Value::Codes(codes) => codes.origin = None,
        Value::Floats(floats) => floats.codes.origin = None,
        _ => {}
    }
    let views = views_of(&mut value);
    if views.is_empty() {
        return Err(NodeError::NoView { index: 0 });
    }
    for view in views {
        *view = builder.laid_out(node.name, view, |_| true)?;
    }
    Ok(value)
}

/// Operand 0, codes or floats that are a function of them, in the tensor that `copy` makes of it, or of each of two digits.
pub(super) fn copied_as(
    node: &NodeView<'_>,
    mut copy: impl FnMut(&View) -> Result<View, NodeError>,
) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Codes(codes) => {
            let view = copy(&codes.view)?;
            Ok(Value::Codes(Codes { view, quantized: false, origin: None, ..codes.clone() }))
        }
        Value::Floats(floats) => {
            let view = copy(&floats.codes.view)?;
            let codes = Codes { view, quantized: false, origin: None, ..floats.codes.clone() };
            Ok(Value::Floats(Floats { codes, direct: false, fused: None, ..floats.clone() }))
        }
        Value::Words(Words { digits: Digits::Two(digits), dtype }) => {
            let digits = Digits::Two([copy(&digits[0])?, copy(&digits[1])?]);
            Ok(Value::Words(Words { dtype: *dtype, digits }))
        }
        Value::WordFloats(floats) => {
            let Words { digits: Digits::Two(digits), dtype } = &floats.words else {
                let expected = "a 16-bit tensor that the graph computes";
                return Err(NodeError::Operand { index: 0, expected });
            };
            let digits = Digits::Two([copy(&digits[0])?, copy(&digits[1])?]);
            let words = Words { dtype: *dtype, digits };
            Ok(Value::WordFloats(WordFloats { words, ..floats.clone() }))
        }
        _ => Err(NodeError::Operand { index: 0, expected: "an 8-bit tensor or a dequantized one" }),
    }
}

/// The views of a value whose tensors are there.
fn views_of(value: &mut Value) -> Vec<&mut View> {
    match value {
        Value::Codes(codes) => vec![&mut codes.view],
        Value::Floats(floats) => vec![&mut floats.codes.view],
        Value::Integers(view, _) => vec![view],
        Value::Words(words) | Value::WordFloats(WordFloats { words, .. }) => {
            match &mut words.digits {
                Digits::One(view) => vec![view],
                Digits::Two([high, low]) => vec![high, low],
            }
        }
        _ => vec![],
    }
}

/// Operand 0 as `change` sees it, of a copy if need be.
pub(super) fn seen(
    builder: &mut Builder,
    node: &NodeView<'_>,
    change: impl Fn(&View) -> Option<View>,
) -> Result<Value, NodeError> {
    let value = node.value(0)?;
    of(value)?;
    if let Some(seen) = value.seen(&change) {
        return Ok(seen);
    }
    let value = copied(builder, node)?;
    value.seen(change).ok_or(NodeError::NoView { index: 0 })
}

/// Axis `axis` (operands' numbering, the batch first if `node` has one) of a sample of `rank` dimensions.
pub(super) fn axis(
    node: &NodeView<'_>,
    attribute: &'static str,
    axis: i64,
    rank: usize,
) -> Result<usize, NodeError> {
    let batch = i64::from(!node.is_whole());
    let all = rank as i64 + batch;
    let from_front = if axis < 0 { axis.saturating_add(all) } else { axis };
    match usize::try_from(from_front.saturating_sub(batch)) {
        Ok(dim) if dim < rank => Ok(dim),
        _ => Err(NodeError::AttributeValue { attribute, value: axis as f64 }),
    }
}

/// Several different axes.
pub(super) fn axes(
    node: &NodeView<'_>,
    attribute: &'static str,
    axes: &[i64],
    rank: usize,
) -> Result<Vec<usize>, NodeError> {
    let mut dims: Vec<usize> = Vec::with_capacity(axes.len());
    for &value in axes {
        let dim = axis(node, attribute, value, rank)?;
        if dims.contains(&dim) {
            return Err(NodeError::AttributeValue { attribute, value: value as f64 });
        }
        dims.push(dim);
    }
    Ok(dims)
}

/// The block size of a node that makes channels of squares of pixels or back, and channels, height and width of operand 0.
pub(super) fn blocks(
    node: &NodeView<'_>,
    shape: &[usize],
) -> Result<(usize, usize, usize, usize), NodeError> {
    let value = node.int("blocksize", 0)?;
    let wrong = NodeError::AttributeValue { attribute: "blocksize", value: value as f64 };
    let block = usize::try_from(value).ok().filter(|block| (1..=1 << 12).contains(block));
    match *shape {
        [channels, height, width] => Ok((block.ok_or(wrong)?, channels, height, width)),
        _ => Err(NodeError::OperandShape { index: 0, expected: 4, got: shape.len() + 1 }),
    }
}

/// An image whose channels are its last dimension, with them as the first.
pub(super) fn channels_first(view: &View) -> View {
    let mut order: Vec<usize> = (0..view.rank()).collect();
    order.rotate_right(view.rank().min(1));
    view.transposed(&order)
}

/// An image whose channels are its first dimension, with them as the last.
pub(super) fn channels_last(view: &View) -> View {
    let mut order: Vec<usize> = (0..view.rank()).collect();
    order.rotate_left(view.rank().min(1));
    view.transposed(&order)
}
