//! Elements divided by a power of the squares around them (LRN): a factor in levels for each element, and one product.

use crate::exact;
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind, signed_bits};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::part;
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::view::{View, Window};

/// Levels to a code of the output, of the largest element.
const FINENESS: f64 = 16.0;

/// Most codes that a level is the sum of.
const MOST_PARTS: usize = 16;

/// `x / (bias + alpha / size * sum of squares)^beta`, the squares of `size` elements along the first dimension.
#[derive(Debug)]
pub(in crate::onnx) struct LocalNormalization {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) x: View,
    pub(in crate::onnx) from: Scaling,
    pub(in crate::onnx) zero_code: u8,
    pub(in crate::onnx) size: usize,
    pub(in crate::onnx) alpha: f64,
    pub(in crate::onnx) beta: f64,
    pub(in crate::onnx) bias: f64,
}

impl LocalNormalization {
    /// How the tensor that is made is seen.
    pub(in crate::onnx) fn output(&self) -> View {
        View::new(0, &self.x.shape(), |dim| dim == 0)
    }

    /// The factor of an element around which squares of codes add up to `squares`.
    fn factor(&self, squares: f64) -> f64 {
        power(self.bias + self.of_square() * squares, -self.beta)
    }

    /// What a square of a code adds.
    fn of_square(&self) -> f64 {
        self.alpha / self.size as f64 * f64::from(self.from.scale) * f64::from(self.from.scale)
    }

    /// The sum of squares at which the factor is `factor`.
    fn squares(&self, factor: f64) -> f64 {
        (power(factor, -1.0 / self.beta) - self.bias) / self.of_square()
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let (zero, channels) = (i64::from(self.zero_code), self.x.size(0));
        let largest = zero.max(255 - zero);
        let bound = largest * largest * self.size.min(channels) as i64;
        let scale = f64::from(self.from.scale);
        // The largest factor is a number of steps, each of which changes no element's code by much.
        let most = self.factor(0.0);
        let wanted = FINENESS * largest as f64 * scale * most / f64::from(target.to.scale);
        let range = 1.0 - self.factor(bound as f64) / most;
        // As many levels as codes can be the sums of that are needed anyway.
        let parts = (wanted * range / 255.0).ceil().clamp(1.0, MOST_PARTS as f64);
        let steps = (255.0 * parts / range.max(1e-4)).floor();
        let step = most / steps;
        let levels = (steps * range).round_ties_even() as usize;
        let squares = self.sums(builder, bound)?;
        let output = self.output();
        let is_channel = |dim: usize| dim == 0;
        let mut terms = vec![(
            Matrix::laid_out(&self.x, is_channel),
            Function::table(|code| steps as i64 * (code - zero)),
        )];
        for number in 0..levels.div_ceil(255) {
            let first = 255 * number;
            let last = (levels - first).min(255) as u8;
            let edges = Edges::rising(0, last, |code| {
                self.squares(most - step * (first as f64 + f64::from(code) - 0.5))
            });
            let read = Matrix::laid_out(&output.on(squares), is_channel);
            let name = part(&self.name, &format!("level{number}"));
            let of = vec![(read, Function::Times(1))];
            let epilogue = Epilogue::Edges(vec![edges]);
            let with = builder.combine(&name, channels, of, TensorKind::Code, epilogue)?;
            let zeros = [self.zero_code, 0];
            let product = Function::Product { with, with_gather: None, zeros, factor: -1 };
            terms.push((Matrix::laid_out(&self.x, is_channel), product));
        }
        let zero_of_output = f64::from(target.zero_code());
        let unit = f64::from(target.to.scale) / (scale * step);
        let (lowest, highest) = target.ends();
        let edges =
            Edges::rising(lowest, highest, |code| (f64::from(code) - 0.5 - zero_of_output) * unit);
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, channels, terms, TensorKind::Code, epilogue)
    }

    /// The sum of squares around each element.
    fn sums(&self, builder: &mut Builder, bound: i64) -> Result<TensorId, NodeError> {
        let channels = self.x.size(0);
        let pad = (self.size - 1) / 2;
        let window = Window { out: channels, stride: 1, kernel: self.size, dilation: 1, pad };
        let mut view = self.x.clone();
        let (positions, taps) = match view.window(0, &window) {
            Some(found) => found,
            None => {
                view = builder.copied(&part(&self.name, "copy"), &self.x)?;
                view.window(0, &window).ok_or(NodeError::NoView { index: 0 })?
            }
        };
        let rows = (1..view.rank()).flat_map(|dim| view.digits(dim)).collect();
        let cols = vec![positions, taps];
        let matrix = Matrix { rows, cols, view, pad: Some(self.zero_code) };
        let zero = i64::from(self.zero_code);
        let square = Function::table(|code| (code - zero) * (code - zero));
        let kind = TensorKind::Integer { bits: signed_bits(bound) };
        let name = part(&self.name, "squares");
        builder.combine(&name, channels, vec![(matrix, square)], kind, Epilogue::Accumulator)
    }
}

/// `x^exponent` of a positive number.
fn power(x: f64, exponent: f64) -> f64 {
    let x = exponent * exact::ln(x);
    if x > 0.0 { 1.0 / exact::exp(-x) } else { exact::exp(x) }
}
