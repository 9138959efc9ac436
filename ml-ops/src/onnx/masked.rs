//! Masks of attention: a constant that takes some elements of each row out of a Softmax.

use super::builder::Builder;
use super::constants;
use super::error::NodeError;
use super::value::{Floats, Value};
use super::view::View;
use crate::array::{Array, ArrayData};

/// What a float32 exponential makes zero.
const UNDERFLOW: f64 = 104.0;

/// Floats of which some elements are as small as nothing beside the others of their row.
#[derive(Debug, Clone)]
pub(super) struct Masked {
    pub(super) floats: Floats,
    /// Codes of the floats' shape or one that is broadcast to it: 1 for what is left, 0 for what is not.
    pub(super) mask: View,
}

/// Whether `value`, in the place of any of the floats or added to it, is as small as nothing beside the others.
fn is_nothing(floats: &Floats, value: f32) -> bool {
    f64::from(value) <= -(2.0 * 255.0 * f64::from(floats.scaling.scale) + UNDERFLOW)
}

/// `floats` with a constant, operand `index`, added, if that is a mask: zeros and numbers that make nothing of what
/// they are added to.
pub(super) fn added(
    builder: &mut Builder,
    name: &str,
    floats: &Floats,
    constant: &Array,
    index: usize,
) -> Result<Option<Value>, NodeError> {
    let ArrayData::F32(values) = constant.data() else { return Ok(None) };
    let is_mask = |&value: &f32| value == 0.0 || is_nothing(floats, value);
    if !floats.pure || !values.iter().all(is_mask) || values.iter().all(|&value| value == 0.0) {
        return Ok(None);
    }
    let codes = values.iter().map(|&value| u8::from(value == 0.0)).collect();
    masked(builder, name, floats, (constant, codes), index).map(Some)
}

/// `floats` where a constant condition, operand 0, is `kept`, and elsewhere `value`.
pub(super) fn chosen(
    builder: &mut Builder,
    name: &str,
    floats: &Floats,
    (condition, kept): (&Array, bool),
    value: f32,
) -> Result<Value, NodeError> {
    let ArrayData::U8(values) = condition.data() else {
        return Err(NodeError::OperandType { index: 0 });
    };
    if !floats.pure || !is_nothing(floats, value) {
        let expected = "a dequantized tensor, or a number that is nothing beside its elements";
        return Err(NodeError::Operand { index: if kept { 2 } else { 1 }, expected });
    }
    let codes = values.iter().map(|&value| u8::from((value != 0) == kept)).collect();
    masked(builder, name, floats, (condition, codes), 0)
}

fn masked(
    builder: &mut Builder,
    name: &str,
    floats: &Floats,
    (constant, codes): (&Array, Vec<u8>),
    index: usize,
) -> Result<Value, NodeError> {
    let view = &floats.codes.view;
    let shape = constants::shape(constant, view.rank(), index)?;
    let mut sizes = shape.iter().enumerate();
    if let Some((dim, &got)) = sizes.find(|&(dim, &size)| size != 1 && size != view.size(dim)) {
        return Err(NodeError::OperandShape { index, expected: view.size(dim), got });
    }
    // A row has something left.
    let row = shape.last().copied().unwrap_or(1).max(1);
    if let Some(row) = codes.chunks(row).position(|row| row.iter().all(|&code| code == 0)) {
        return Err(NodeError::MaskedRow { index, row });
    }
    let mask = builder.constant(name, view, &shape, &codes);
    Ok(Value::Masked(Masked { floats: floats.clone(), mask }))
}
