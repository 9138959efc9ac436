//! Dequantized tensors and constants one after the other: each through a table of its own.

use super::{Deferred, Kind};
use crate::array::{Array, ArrayData};
use crate::graph::{TensorId, WordType};
use crate::onnx::builder::Builder;
use crate::onnx::concatenated;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::part;
use crate::onnx::target::Target;
use crate::onnx::value::{Floats, Scaling, Value};
use crate::onnx::view::View;
use crate::onnx::words::{Digits, WordFloats, Words};
use std::ops::Range;
use std::rc::Rc;

/// Dequantized tensors one after the other.
#[derive(Debug)]
pub(in crate::onnx) struct Concatenation {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) parts: Vec<ConcatenationPart>,
    /// The dimension along which they follow on each other.
    pub(in crate::onnx) dim: usize,
}

/// One of them.
#[derive(Debug)]
pub(in crate::onnx) enum ConcatenationPart {
    /// A function of a tensor's codes.
    Floats(Floats),
    /// Floats that codes are made of.
    Deferred(Deferred),
    /// Floats of a 16-bit tensor.
    Words(WordFloats),
    /// Floats of the file for one sample, which codes are made of, and how they are seen.
    Constant(Rc<Array>, View),
}

impl ConcatenationPart {
    /// How the elements are seen.
    fn view(&self) -> &View {
        match self {
            Self::Floats(floats) => &floats.codes.view,
            Self::Deferred(floats) => &floats.view,
            Self::Words(floats) => floats.words.view(),
            Self::Constant(_, view) => view,
        }
    }

    /// The part as a value; `None` of a constant.
    fn value(&self) -> Option<Value> {
        match self {
            Self::Floats(floats) => Some(Value::Floats(floats.clone())),
            Self::Deferred(floats) => Some(Value::Deferred(floats.clone())),
            Self::Words(floats) => Some(Value::WordFloats(floats.clone())),
            Self::Constant(..) => None,
        }
    }

    /// A value as a part.
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Floats(floats) => Some(Self::Floats(floats)),
            Value::Deferred(floats) => Some(Self::Deferred(floats)),
            Value::WordFloats(floats) => Some(Self::Words(floats)),
            _ => None,
        }
    }
}

impl Deferred {
    /// The dimension along which the floats are put together of others, if they are, in the order in which they were.
    pub(in crate::onnx) fn put_together(&self) -> Option<usize> {
        self.parts().map(|(_, dim)| dim)
    }

    /// The floats that these are put together of, and along which dimension.
    fn parts(&self) -> Option<(Vec<Value>, usize)> {
        let Kind::Concatenation(of) = &self.kind else { return None };
        let views: Vec<&View> = of.parts.iter().map(ConcatenationPart::view).collect();
        let output = concatenated::output(&views, of.dim).ok()?;
        if !self.pools.is_empty() || !self.after.is_empty() {
            return None;
        }
        let values = of.parts.iter().map(ConcatenationPart::value).collect::<Option<Vec<_>>>()?;
        let seen = |change: &dyn Fn(&View) -> Option<View>| {
            let values = values.iter().map(|value| value.renumbered(change));
            values.collect::<Option<Vec<_>>>()
        };
        // The first dimension may be one that samples do not have, or have no more.
        let fewer =
            |view: &View| (view.rank() > 1 && view.size(0) == 1).then(|| view.clone().squeezed(0));
        let more = |view: &View| Some(view.clone().unsqueezed(0));
        if self.view == output {
            Some((values, of.dim))
        } else if of.dim > 0 && fewer(&output).as_ref() == Some(&self.view) {
            Some((seen(&fewer)?, of.dim - 1))
        } else if more(&output).as_ref() == Some(&self.view) {
            Some((seen(&more)?, of.dim + 1))
        } else {
            None
        }
    }

    /// What `change` makes of each of the floats that these are put together of, after bounds, and of its place along the dimension,
    /// put together again; `None` if some are constants, or become none that can be.
    pub(in crate::onnx) fn each_part(
        &self,
        name: &str,
        mut change: impl FnMut(Value, Range<usize>) -> Result<Value, NodeError>,
    ) -> Result<Option<Self>, NodeError> {
        let Some((values, dim)) = self.parts() else { return Ok(None) };
        let (mut parts, mut start) = (Vec::with_capacity(values.len()), 0);
        for value in values {
            let Some(value) = value.clamped(|| Ok((self.low, self.high)))? else { return Ok(None) };
            let end = start + value.view().map_or(0, |view| view.size(dim));
            let Some(part) = ConcatenationPart::of(change(value, start..end)?) else {
                return Ok(None);
            };
            parts.push(part);
            start = end;
        }
        let views: Vec<&View> = parts.iter().map(ConcatenationPart::view).collect();
        let output = concatenated::output(&views, dim)?;
        let concatenation = Concatenation { name: name.to_owned(), parts, dim };
        Ok(Some(Self::new(Kind::Concatenation(Rc::new(concatenation)), output)))
    }
}

impl Concatenation {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let code = |x| target.code(x);
        let mut parts = Vec::with_capacity(self.parts.len());
        for (index, of_part) in self.parts.iter().enumerate() {
            parts.push(match of_part {
                ConcatenationPart::Floats(floats) => {
                    (floats.codes.view.clone(), floats.images.map(code))
                }
                ConcatenationPart::Deferred(of) => {
                    let name = part(&self.name, &format!("operand{index}"));
                    let view = of.bounded(builder, &name, target)?.view;
                    (view, std::array::from_fn(|code| code as u8))
                }
                ConcatenationPart::Words(of) => {
                    let name = part(&self.name, &format!("operand{index}"));
                    let view = of.deferred(&name)?.bounded(builder, &name, target)?.view;
                    (view, std::array::from_fn(|code| code as u8))
                }
                ConcatenationPart::Constant(array, view) => {
                    let ArrayData::F32(values) = array.data() else {
                        return Err(NodeError::OperandType { index });
                    };
                    let codes: Vec<u8> = values.iter().map(|&x| code(x)).collect();
                    let view = builder.constant(&self.name, view, &view.shape(), &codes);
                    (view, std::array::from_fn(|code| code as u8))
                }
            });
        }
        Ok(concatenated::view(builder, &self.name, &parts, self.dim)?.tensor)
    }

    /// The 16-bit tensor that a QuantizeLinear makes after bounds, in two codes.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        (low, high): (f32, f32),
        to: Scaling,
        dtype: WordType,
    ) -> Result<[TensorId; 2], NodeError> {
        let identity: [u8; 256] = std::array::from_fn(|code| code as u8);
        let (mut of_high, mut of_low) = (Vec::new(), Vec::new());
        for (index, of_part) in self.parts.iter().enumerate() {
            let name = part(&self.name, &format!("operand{index}"));
            let words = match of_part {
                ConcatenationPart::Floats(floats) => {
                    let of = |x: f32| dtype.quantize(x.max(low).min(high), to.scale, to.zero_point);
                    let view = builder.integers(&name, &floats.codes.view, &floats.images.map(of));
                    Words { dtype, digits: Digits::One(view) }
                }
                ConcatenationPart::Deferred(of) => {
                    of.clamped(low, high).words(builder, &name, to, dtype)?
                }
                ConcatenationPart::Words(of) => {
                    of.clamped(low, high).words(builder, &name, to, dtype)?
                }
                ConcatenationPart::Constant(..) => {
                    let expected = "a tensor that is computed, beside those of 16 bits";
                    return Err(NodeError::Operand { index, expected });
                }
            };
            let [high, low] = words.codes(builder, &part(&name, "digits"))?;
            of_high.push((high, identity));
            of_low.push((low, identity));
        }
        let name = |of| part(&self.name, of);
        let high = concatenated::view(builder, &name("high"), &of_high, self.dim)?;
        let low = concatenated::view(builder, &name("low"), &of_low, self.dim)?;
        Ok([high.tensor, low.tensor])
    }
}
