//! What a name in a file stands for while the graph is built.

use super::builder::Builder;
use super::deferred::Deferred;
use super::error::NodeError;
use super::masked::Masked;
use super::matrix::Matrix;
use super::positions::Counted;
use super::prepared::FloatInput;
use super::thresholds::Comparison;
use super::view::View;
use super::words::{WordFloats, Words};
use crate::array::Array;
use crate::graph::{CodeType, IntegerType, dequantize_table, quantize};
use std::borrow::Cow;
use std::rc::Rc;

/// What a name stands for. Shapes are those of one sample, without the batch.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A constant.
    Constant(Rc<Array>),
    /// A constant behind a DequantizeLinear: weights or a bias.
    Dequantized(Rc<Dequantized>),
    /// The graph's float input, before its QuantizeLinear.
    FloatInput(FloatInput),
    /// An input of whole numbers, before something says what they are.
    NumberInput(View),
    /// Numbers that are counted from such an input.
    Counted(Counted),
    /// Zeros and ones, false and true, that are a function of an input's numbers.
    Flags(Floats),
    /// An 8-bit tensor.
    Codes(Codes),
    /// A 16-bit tensor.
    Words(Words),
    /// The floats of a 16-bit tensor.
    WordFloats(WordFloats),
    /// Floats that are a function of an 8-bit tensor's codes.
    Floats(Floats),
    /// Such floats, negated in some features of their tensor.
    Negated(Floats, Rc<Vec<bool>>),
    /// Floats that a QuantizeLinear will make codes of.
    Deferred(Deferred),
    /// Floats of which a Softmax leaves some out.
    Masked(Masked),
    /// Comparisons of such floats with numbers.
    Comparison(Comparison),
    /// A tensor of integers of 32 bits, or as 64.
    Integers(View, IntegerType),
}

/// An 8-bit tensor.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    pub(super) view: View,
    pub(super) dtype: CodeType,
    /// A QuantizeLinear made it.
    pub(super) quantized: bool,
    /// The tensor of whose codes these are a function, if it is another.
    pub(super) origin: Option<(View, Rc<[u8; 256]>)>,
}

/// Scale and zero point of an 8-bit tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scaling {
    pub(super) scale: f32,
    pub(super) zero_point: i32,
}

/// Floats that are a function of an 8-bit tensor's codes.
#[derive(Debug, Clone)]
pub(super) struct Floats {
    pub(super) codes: Codes,
    /// The scale and zero point of the DequantizeLinear it came from.
    pub(super) scaling: Scaling,
    /// The float of each code.
    pub(super) images: Box<[f32; 256]>,
    /// `images` are still those of the DequantizeLinear.
    pub(super) pure: bool,
    /// Nothing but Identity came between the DequantizeLinear and here.
    pub(super) direct: bool,
    /// What a kernel of the runtime makes of it, which has it between a DequantizeLinear and a QuantizeLinear.
    pub(super) fused: Option<Fused>,
}

/// What a kernel of the runtime makes of floats if the QuantizeLinear is of their type.
#[derive(Clone)]
pub(super) struct Fused {
    /// The code of each code, in the scale and zero point of the QuantizeLinear.
    pub(super) codes: Rc<dyn Fn(Scaling) -> Result<[u8; 256], NodeError>>,
    /// Bounds of the Relu and Clip that have come since.
    pub(super) low: f32,
    pub(super) high: f32,
}

impl std::fmt::Debug for Fused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fused").field("low", &self.low).field("high", &self.high).finish()
    }
}

/// A constant behind a DequantizeLinear.
#[derive(Debug, Clone)]
pub(super) struct Dequantized {
    pub(super) values: Rc<Array>,
    /// One scale, or one for each index of `axis`.
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Option<Rc<Array>>,
    pub(super) axis: usize,
}

/// The integers that a matmul works on.
#[derive(Debug, Clone)]
pub(super) struct MatMulOperands {
    /// Name of the node in the graph.
    pub(super) name: String,
    /// `groups * weights.k` columns of an 8-bit tensor, or of integers.
    pub(super) x: Matrix,
    pub(super) zero_code: u8,
    /// The largest size of the integers, if it is of them.
    pub(super) reach: Option<i64>,
    pub(super) weights: Weights,
    pub(super) bias: Vec<i64>,
    pub(super) groups: usize,
}

/// A weight matrix as codes and offsets: `W[row][column] = codes[row * n + column] + offsets[column]`.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) k: usize,
    pub(super) n: usize,
    /// Dimensions that number matrices, whose columns lie side by side; none for one matrix.
    pub(super) heads: Vec<usize>,
    pub(super) codes: Vec<u8>,
    /// One for all columns, or one for each.
    pub(super) offsets: Vec<i32>,
}

impl Weights {
    /// The weights of a column.
    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = i64> {
        let offset = i64::from(super::operands::of_column(&self.offsets, column));
        self.codes.iter().skip(column).step_by(self.n).map(move |&code| i64::from(code) + offset)
    }

    /// Takes `zero` times the sum of each column's weights off its bias.
    pub(super) fn subtract(&self, zero: i64, bias: &mut Vec<i64>) {
        if zero == 0 {
            return;
        }
        bias.resize(self.n, 0);
        for row in self.codes.chunks(self.n) {
            for (column, (bias, &code)) in bias.iter_mut().zip(row).enumerate() {
                let offset = super::operands::of_column(&self.offsets, column);
                *bias -= zero * (i64::from(code) + i64::from(offset));
            }
        }
    }
}

impl MatMulOperands {
    /// Bound on the size of the accumulators of a column.
    pub(super) fn bound(&self, column: usize) -> i64 {
        let sizes: i64 = self.weights.column(column).map(i64::abs).sum();
        let zero = i64::from(self.zero_code);
        let bias = self.bias.get(column).copied().unwrap_or(0);
        sizes * self.reach.unwrap_or(zero.max(255 - zero)) + bias.abs()
    }
}

impl Codes {
    /// The code of `zero_point`, a value of the tensor's type.
    pub(super) fn zero_code(&self, zero_point: i32) -> u8 {
        (zero_point - self.dtype.min()) as u8
    }
}

impl Floats {
    /// Those that a DequantizeLinear makes of `codes`.
    pub(super) fn of(codes: Codes, scaling: Scaling) -> Self {
        let images = Box::new(dequantize_table(scaling.scale, scaling.zero_point, codes.dtype));
        Self { codes, scaling, images, pure: true, direct: false, fused: None }
    }

    /// The code that stands for zero.
    pub(super) fn zero_code(&self) -> u8 {
        self.codes.zero_code(self.scaling.zero_point)
    }

    /// Whether the floats are those of a DequantizeLinear, or zeros and ones of an input.
    pub(super) fn is_scaled(&self) -> bool {
        let Scaling { scale, zero_point } = self.scaling;
        self.pure || *self.images == dequantize_table(scale, zero_point, self.codes.dtype)
    }

    /// The floats after a function of each.
    pub(super) fn map(&self, function: impl Fn(f32) -> f32) -> Self {
        let images = self.images.map(function);
        Self {
            codes: self.codes.clone(),
            scaling: self.scaling,
            pure: self.pure && images == *self.images,
            images: Box::new(images),
            direct: false,
            fused: None,
        }
    }

    /// The same floats, up to their rounding, as those of a DequantizeLinear of another scale; `None` if they are none.
    pub(super) fn scaled(&self) -> Option<Cow<'_, Self>> {
        if self.pure {
            return Some(Cow::Borrowed(self));
        }
        let scale = ((f64::from(self.images[255]) - f64::from(self.images[0])) / 255.0) as f32;
        let Scaling { zero_point, .. } = self.scaling;
        let table = dequantize_table(scale, zero_point, self.codes.dtype);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= b.abs() * 4.0 * f32::EPSILON;
        let is_scaled =
            scale.is_finite() && scale > 0.0 && self.images.iter().zip(&table).all(near);
        let scaling = Scaling { scale, zero_point };
        is_scaled.then(|| {
            let (codes, images) = (self.codes.clone(), Box::new(table));
            Cow::Owned(Self { codes, scaling, images, pure: true, direct: false, fused: None })
        })
    }

    /// The floats clamped to `[low, high]`.
    pub(super) fn clamped(&self, low: f32, high: f32) -> Self {
        let mut floats = self.map(|x| x.max(low).min(high));
        floats.fused.clone_from(&self.fused);
        if let Some(fused) = &mut floats.fused {
            fused.low = fused.low.clamp(low, high);
            fused.high = fused.high.clamp(low, high);
        }
        floats
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantized(&self, to: Scaling, dtype: CodeType) -> Result<[u8; 256], NodeError> {
        let code = |x: f32| quantize(x, to.scale, to.zero_point, dtype);
        match &self.fused {
            // The runtime drops a Relu or Clip that the output's range implies.
            Some(Fused { codes, low, high })
                if dtype == self.codes.dtype && (code(*low), code(*high)) == (0, 255) =>
            {
                codes(to)
            }
            _ => Ok(self.images.map(code)),
        }
    }
}

impl Value {
    /// The floats clamped to what `bounds` gives; `None` where there are none that can be.
    ///
    /// # Errors
    /// Those of `bounds`, which is asked for floats alone.
    pub(super) fn clamped(
        &self,
        bounds: impl FnOnce() -> Result<(f32, f32), NodeError>,
    ) -> Result<Option<Self>, NodeError> {
        let clamp: &dyn Fn(f32, f32) -> Self = match self {
            Self::Floats(floats) => &|low, high| Self::Floats(floats.clamped(low, high)),
            Self::WordFloats(floats) => &|low, high| Self::WordFloats(floats.clamped(low, high)),
            Self::Deferred(floats) => &|low, high| Self::Deferred(floats.clamped(low, high)),
            Self::FloatInput(floats) => &|low, high| Self::FloatInput(floats.clamped(low, high)),
            Self::Constant(_)
            | Self::Dequantized(_)
            | Self::NumberInput(_)
            | Self::Counted(_)
            | Self::Flags(_)
            | Self::Codes(_)
            | Self::Words(_)
            | Self::Negated(..)
            | Self::Masked(_)
            | Self::Comparison(_)
            | Self::Integers(..) => return Ok(None),
        };
        let (low, high) = bounds()?;
        Ok(Some(clamp(low, high)))
    }

    /// The view of the elements; `None` for constants.
    pub(super) fn view(&self) -> Option<&View> {
        match self {
            Self::Constant(_) | Self::Dequantized(_) => None,
            Self::FloatInput(floats) => Some(&floats.view),
            Self::Integers(view, _) | Self::NumberInput(view) => Some(view),
            Self::Counted(counted) => Some(&counted.view),
            Self::Codes(codes) => Some(&codes.view),
            Self::Words(words) => Some(words.view()),
            Self::WordFloats(floats) => Some(floats.words.view()),
            Self::Floats(floats) | Self::Flags(floats) | Self::Negated(floats, _) => {
                Some(&floats.codes.view)
            }
            Self::Deferred(deferred) => Some(&deferred.view),
            Self::Masked(masked) => Some(masked.floats.view()),
            Self::Comparison(comparison) => Some(&comparison.of.view),
        }
    }

    /// The same elements seen as `change` says of a view, as an operator of the file moves them; `None` for constants, and
    /// where it says so.
    pub(super) fn seen(&self, change: impl Fn(&View) -> Option<View>) -> Option<Self> {
        let mut value = self.renumbered(change)?;
        if let Self::Floats(floats) | Self::Flags(floats) | Self::Negated(floats, _) = &mut value {
            floats.direct = false;
        }
        Some(value)
    }

    /// The same, where no operator of the file does that.
    pub(super) fn renumbered(&self, change: impl Fn(&View) -> Option<View>) -> Option<Self> {
        let mut value = self.clone();
        match &mut value {
            // A mask has dimensions that are broadcast.
            Self::Constant(_) | Self::Dequantized(_) | Self::Masked(_) => return None,
            Self::FloatInput(floats) => floats.view = change(&floats.view)?,
            Self::Integers(view, _) | Self::NumberInput(view) => *view = change(view)?,
            Self::Counted(counted) => counted.view = change(&counted.view)?,
            Self::Codes(codes) => codes.see(&change)?,
            Self::Words(words) => words.see(&change)?,
            Self::WordFloats(floats) => floats.words.see(&change)?,
            Self::Floats(floats) | Self::Flags(floats) | Self::Negated(floats, _) => {
                floats.codes.see(&change)?;
            }
            Self::Deferred(deferred) => deferred.view = change(&deferred.view)?,
            Self::Comparison(comparison) => comparison.of.view = change(&comparison.of.view)?,
        }
        Some(value)
    }
}

impl Codes {
    /// The codes that `table` makes of these.
    pub(super) fn mapped(&self, builder: &mut Builder, name: &str, table: &[u8; 256]) -> Self {
        let tensor = builder.map(name, self.view.tensor, table);
        let view = self.view.on(tensor);
        let (of, first) = match &self.origin {
            Some((of, first)) => (of.clone(), Some(first)),
            None => (self.view.clone(), None),
        };
        let whole = match first {
            Some(first) => first.map(|code| table[usize::from(code)]),
            None => *table,
        };
        Self { view, dtype: self.dtype, quantized: false, origin: Some((of, Rc::new(whole))) }
    }

    /// The tensor of whose codes these are a function, and the function.
    pub(super) fn function(&self) -> (Self, [u8; 256]) {
        match &self.origin {
            Some((view, table)) => {
                (Self { view: view.clone(), origin: None, ..self.clone() }, **table)
            }
            None => (self.clone(), std::array::from_fn(|code| code as u8)),
        }
    }

    fn see(&mut self, change: impl Fn(&View) -> Option<View>) -> Option<()> {
        self.view = change(&self.view)?;
        if let Some((view, _)) = &mut self.origin {
            *view = change(view)?;
        }
        Some(())
    }
}
