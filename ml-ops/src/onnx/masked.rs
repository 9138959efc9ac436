//! Masks of attention: a constant, or an input of zeros and ones, that takes some elements of each row out of a Softmax.

use super::arithmetic::is_number;
use super::builder::Builder;
use super::constants;
use super::error::NodeError;
use super::joined::{self, Side};
use super::rowwise::part;
use super::value::{Floats, Value};
use super::view::View;
use super::words::WordFloats;
use crate::array::{Array, ArrayData};

/// What a float32 exponential makes zero.
const UNDERFLOW: f64 = 104.0;

/// Floats of which some elements are as small as nothing beside the others of their row.
#[derive(Debug, Clone)]
pub(super) struct Masked {
    pub(super) floats: Scores,
    pub(super) mask: Mask,
}

/// Floats that are a DequantizeLinear's, of 8 bits or of 16.
#[derive(Debug, Clone)]
pub(super) enum Scores {
    Codes(Floats),
    Words(WordFloats),
}

impl Scores {
    /// Those of `value`, up to their rounding; `None` of other floats.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Floats(floats) => Some(Self::Codes(floats.scaled()?.into_owned())),
            Value::WordFloats(floats) => floats.is_pure().then(|| Self::Words(floats.clone())),
            Value::Deferred(floats) => floats.scaled_words().map(Self::Words),
            _ => None,
        }
    }

    /// How the elements are seen.
    pub(super) fn view(&self) -> &View {
        match self {
            Self::Codes(floats) => &floats.codes.view,
            Self::Words(floats) => floats.words.view(),
        }
    }

    /// How far two elements are apart at most.
    fn spread(&self) -> f64 {
        match self {
            Self::Codes(floats) => 255.0 * f64::from(floats.scaling.scale),
            Self::Words(floats) => 65535.0 * f64::from(floats.scaling.scale),
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Codes(floats) => Value::Floats(floats),
            Self::Words(floats) => Value::WordFloats(floats),
        }
    }
}

/// Which elements are left out.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    /// Codes of the floats' shape or one that is broadcast to it.
    pub(super) view: View,
    /// The code of what is left out.
    pub(super) out: u8,
}

/// The sum of floats and what leaves some of them out of a Softmax; `None` of other operands.
pub(super) fn sum(
    builder: &mut Builder,
    name: &str,
    [a, b]: [&Value; 2],
) -> Result<Option<Value>, NodeError> {
    for (floats, mask, index) in [(a, b, 1), (b, a, 0)] {
        let Some(scores) = Scores::of(floats) else { continue };
        let masked = match mask {
            Value::Floats(mask) => added_numbers(builder, &scores, mask)?,
            // One number beside codes makes a function of them.
            Value::Constant(_) if matches!(scores, Scores::Codes(_)) && is_number(mask) => None,
            Value::Constant(constant) => added(builder, name, &scores, constant, index)?,
            _ => None,
        };
        if masked.is_some() {
            return Ok(masked);
        }
    }
    Ok(None)
}

/// Whether `value`, in the place of any of the floats or added to it, is as small as nothing beside the others.
fn is_nothing(floats: &Scores, value: f32) -> bool {
    f64::from(value) <= -(2.0 * floats.spread() + UNDERFLOW)
}

/// `floats` with `mask` added, a function of an input's numbers; `None` if that leaves nothing out.
pub(super) fn added_numbers(
    builder: &Builder,
    floats: &Scores,
    mask: &Floats,
) -> Result<Option<Value>, NodeError> {
    by_numbers(builder, floats, mask, |image| {
        let nothing = is_nothing(floats, image);
        (image == 0.0 || nothing).then_some(nothing)
    })
}

/// `floats` where flags, a function of an input's numbers, operand 0, are `kept`, and elsewhere `value`.
pub(super) fn chosen_by_flags(
    builder: &Builder,
    floats: &Value,
    (flags, kept): (&Floats, bool),
    value: f32,
) -> Result<Value, NodeError> {
    let expected = "a dequantized tensor, or a number that is nothing beside its elements";
    let wrong = NodeError::Operand { index: if kept { 2 } else { 1 }, expected };
    let floats = Scores::of(floats).filter(|floats| is_nothing(floats, value)).ok_or(wrong)?;
    if let Some(masked) = by_numbers(builder, &floats, flags, |flag| Some((flag != 0.0) != kept))? {
        return Ok(masked);
    }
    let (codes, function) = flags.codes.function();
    let stays = |code: u8| {
        let code = usize::from(function[usize::from(code)]);
        (flags.images[code] != 0.0) == kept
    };
    if !builder.occurring(codes.view.tensor).into_iter().all(stays) {
        let expected = "flags that an input's numbers or a constant make";
        return Err(NodeError::Operand { index: 0, expected });
    }
    Ok(floats.value())
}

/// `floats` of which those are left out for whose numbers `mask`, a function of an input's, is something of which `out` says
/// so; `None` if it says neither of one, or that none is.
fn by_numbers(
    builder: &Builder,
    floats: &Scores,
    mask: &Floats,
    out: impl Fn(f32) -> Option<bool>,
) -> Result<Option<Value>, NodeError> {
    let (codes, function) = mask.codes.function();
    if !builder.is_of_numbers(codes.view.tensor) {
        return Ok(None);
    }
    let of = |code: u8| out(mask.images[usize::from(function[usize::from(code)])]);
    let occurring = builder.occurring(codes.view.tensor);
    let found: Option<Vec<bool>> = occurring.iter().map(|&code| of(code)).collect();
    let Some(out) = found.filter(|out| out.iter().filter(|out| **out).count() == 1) else {
        return Ok(None);
    };
    let (view, of) = (codes.view, floats.view());
    if view.rank() != of.rank() {
        return Err(NodeError::OperandShape { index: 1, expected: of.rank(), got: view.rank() });
    }
    let mut sizes = (0..of.rank()).map(|dim| (view.size(dim), of.size(dim)));
    if let Some((got, expected)) = sizes.find(|&(got, expected)| got != 1 && got != expected) {
        return Err(NodeError::OperandShape { index: 1, expected, got });
    }
    let out = occurring.iter().zip(&out).find_map(|(&code, out)| out.then_some(code));
    let mask = out.map(|out| Mask { view, out });
    Ok(mask.map(|mask| Value::Masked(Masked { floats: floats.clone(), mask })))
}

/// `masked` with what `mask`, floats with something left out too, leaves out as well.
pub(super) fn both(
    builder: &mut Builder,
    name: &str,
    masked: &Masked,
    mask: &Mask,
) -> Result<Value, NodeError> {
    let [a, b] = [&masked.mask, mask];
    let (of_a, of_b) = (|code: u8| code != a.out, |code: u8| code != b.out);
    let sides = [Side { view: &a.view, kept: &of_a }, Side { view: &b.view, kept: &of_b }];
    let view = joined::both(builder, &part(name, "mask"), sides)?;
    let mask = Mask { view, out: 0 };
    Ok(Value::Masked(Masked { floats: masked.floats.clone(), mask }))
}

/// `floats` with a constant, operand `index`, added, if that is a mask: zeros and numbers that make nothing of what
/// they are added to.
pub(super) fn added(
    builder: &mut Builder,
    name: &str,
    floats: &Scores,
    constant: &Array,
    index: usize,
) -> Result<Option<Value>, NodeError> {
    let ArrayData::F32(values) = constant.data() else { return Ok(None) };
    let is_mask = |&value: &f32| value == 0.0 || is_nothing(floats, value);
    if !values.iter().all(is_mask) || values.iter().all(|&value| value == 0.0) {
        return Ok(None);
    }
    let codes = values.iter().map(|&value| u8::from(value == 0.0)).collect();
    masked(builder, name, floats, (constant, codes), index).map(Some)
}

/// `floats` where a constant condition, operand 0, is `kept`, and elsewhere `value`.
pub(super) fn chosen(
    builder: &mut Builder,
    name: &str,
    floats: &Value,
    (condition, kept): (&Array, bool),
    value: f32,
) -> Result<Value, NodeError> {
    let ArrayData::U8(values) = condition.data() else {
        return Err(NodeError::OperandType { index: 0 });
    };
    let expected = "a dequantized tensor, or a number that is nothing beside its elements";
    let wrong = NodeError::Operand { index: if kept { 2 } else { 1 }, expected };
    let floats = Scores::of(floats).filter(|floats| is_nothing(floats, value)).ok_or(wrong)?;
    let codes = values.iter().map(|&value| u8::from((value != 0) == kept)).collect();
    masked(builder, name, &floats, (condition, codes), 0)
}

fn masked(
    builder: &mut Builder,
    name: &str,
    floats: &Scores,
    (constant, codes): (&Array, Vec<u8>),
    index: usize,
) -> Result<Value, NodeError> {
    let view = floats.view();
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
    let mask = Mask { view: builder.constant(name, view, &shape, &codes), out: 0 };
    Ok(Value::Masked(Masked { floats: floats.clone(), mask }))
}
