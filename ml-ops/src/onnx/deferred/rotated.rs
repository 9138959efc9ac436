//! Pairs of features turned by angles that depend on the position (RotaryEmbedding): exact sums of two products, rounded once.

use crate::graph::{Edges, Epilogue, TensorId, TensorKind};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::{Summand, part};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::view::View;

/// The integer that the largest cosine or sine is.
const LARGEST: f64 = 32767.0;

/// `x cos + y sin` of a dequantized tensor of heads, positions and features, `y` being the other feature of the pair.
#[derive(Debug)]
pub(in crate::onnx) struct Rotated {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) x: View,
    /// The same with the features of each pair exchanged.
    pub(in crate::onnx) exchanged: View,
    pub(in crate::onnx) from: Scaling,
    pub(in crate::onnx) zero_code: u8,
    /// For each position and feature, by which `x` is multiplied, and `y`.
    pub(in crate::onnx) factors: [Vec<f32>; 2],
}

impl Rotated {
    /// How the tensor that is made is seen.
    pub(in crate::onnx) fn output(&self) -> View {
        View::new(0, &self.x.shape(), |dim| self.is_feature(dim))
    }

    /// Whether a dimension numbers columns: those that do in what is read, or the last.
    fn is_feature(&self, dim: usize) -> bool {
        let any = (0..self.x.rank()).any(|dim| self.x.is_feature(dim));
        if any && !self.x.is_open() { self.x.is_feature(dim) } else { dim + 1 == self.x.rank() }
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let all = self.factors.iter().flatten();
        let most = all.fold(f32::MIN_POSITIVE, |most, factor| most.max(factor.abs()));
        let unit = f64::from(most) / LARGEST;
        let mut terms: Vec<Summand> = Vec::with_capacity(4);
        for ((view, factors), name) in
            [&self.x, &self.exchanged].into_iter().zip(&self.factors).zip(["cos", "sin"])
        {
            let integers: Vec<i64> =
                factors.iter().map(|&of| (f64::from(of) / unit).round_ties_even() as i64).collect();
            // Two digits: the high one less 128.
            for (digit, shift, zero, weight) in [("high", 8, 128, 256), ("low", 0, 0, 1)] {
                let codes: Vec<u8> =
                    integers.iter().map(|value| ((value + (1 << 15)) >> shift) as u8).collect();
                let name = part(&self.name, &format!("{name}/{digit}"));
                let with = self.constant(builder, &name, &codes);
                let function = builder.source(&with, false)?.factor([self.zero_code, zero], weight);
                terms.push((self.laid_out(view), function));
            }
        }
        let zero = f64::from(target.zero_code());
        let step = f64::from(target.to.scale) / (f64::from(self.from.scale) * unit);
        let (lowest, highest) = target.ends();
        let edges = Edges::rising(lowest, highest, |code| (f64::from(code) - 0.5 - zero) * step);
        let columns = self.laid_out(&self.x).size().1;
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, columns, terms, TensorKind::Code, epilogue)
    }

    fn laid_out(&self, view: &View) -> Matrix {
        Matrix::laid_out(view, |dim| self.is_feature(dim))
    }

    /// Codes for each position and feature, the same for all heads.
    fn constant(&self, builder: &mut Builder, name: &str, codes: &[u8]) -> Matrix {
        let shape = self.x.shape();
        let of_one = [1, shape[1], shape[2]];
        let beside = View::new(0, &of_one, |dim| self.is_feature(dim));
        // What is no feature where it has size 1 changes nothing.
        let view = builder.constant(name, &beside, &of_one, codes).repeated(0, shape[0]);
        self.laid_out(&view)
    }
}
