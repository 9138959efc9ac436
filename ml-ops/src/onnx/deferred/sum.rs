//! A sum or difference of two dequantized tensors.

use super::{ExactTerm, stem};
use crate::graph::{CodeType, Edges, Epilogue, Function, TensorId, TensorKind};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::qlinear::{self, Quantization};
use crate::onnx::tables::{self, PAIRS, pairs};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::view::View;

/// The integer of the largest float, where no tables are.
const LARGEST: f64 = (1u64 << 30) as f64;

/// A sum or difference of two dequantized tensors.
#[derive(Debug)]
pub(in crate::onnx) struct Sum {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) columns: usize,
    pub(in crate::onnx) terms: [Term; 2],
    /// The runtime makes a QLinearAdd of it, if it is one of dequantized tensors of the output's type.
    pub(in crate::onnx) fused: bool,
    /// The second is subtracted.
    pub(in crate::onnx) subtracted: bool,
    /// How a tensor of those rows and columns is seen.
    pub(in crate::onnx) layout: View,
}

/// A dequantized tensor that is added.
#[derive(Debug, Clone)]
pub(in crate::onnx) struct Term {
    pub(in crate::onnx) x: Matrix,
    pub(in crate::onnx) dtype: CodeType,
    pub(in crate::onnx) from: Scaling,
    /// The float of each code.
    pub(in crate::onnx) images: Box<[f32; 256]>,
    /// They are those of a DequantizeLinear.
    pub(in crate::onnx) pure: bool,
}

impl Sum {
    /// The ends between which sums lie.
    pub(super) fn ends(&self) -> [f32; 2] {
        let [[a, b], [c, d]] = self.terms.each_ref().map(|term| stem::of_codes(&term.images));
        if self.subtracted { [a - d, b - c] } else { [a + c, b + d] }
    }

    /// The terms, if their floats are multiples of their scales, as summands of integers.
    pub(super) fn exact(&self) -> Option<[ExactTerm; 2]> {
        let [a, b] = &self.terms;
        let sign = if self.subtracted { -1.0 } else { 1.0 };
        Some([a.exact(1.0)?, b.exact(sign)?])
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let [a, b] = &self.terms;
        let &Target { to, dtype, .. } = target;
        let of_one_type = a.dtype == dtype && b.dtype == dtype;
        let fused = self.fused
            && target.through.is_none()
            && a.pure
            && b.pure
            && !self.subtracted
            && of_one_type;
        if fused && target.ends() == (0, 255) {
            return self.add(builder, (to, dtype));
        }
        let sign = if self.subtracted { -1.0 } else { 1.0 };
        let codes = pairs(|i, j| target.code(a.images[i] + sign * b.images[j]));
        let in_codes =
            |term: &Term, sign: f64| term.images.map(|x| sign * f64::from(x) / f64::from(to.scale));
        let made = self.combine(builder, &codes, &in_codes(a, 1.0), &in_codes(b, sign.into()));
        if made != Err(NodeError::NoTables) {
            return made;
        }
        if !(a.pure && b.pure) {
            return self.rounded_once(builder, &codes, target);
        }
        // Where rounding keeps floats from being a step of a sum, the exact sum is rounded once.
        let (f, g) = (a.multiples(1.0, to.scale), b.multiples(sign, to.scale));
        let codes = pairs(|i, j| target.code(((f[i] + g[j]) * f64::from(to.scale)) as f32));
        self.combine(builder, &codes, &f, &g)
    }

    /// The codes of sums of functions of codes, each a multiple of a fine unit; `codes` are those of the float operators.
    fn rounded_once(
        &self,
        builder: &mut Builder,
        codes: &[u8; PAIRS],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let images = || self.terms.iter().flat_map(|term| term.images.iter());
        if images().any(|image| !image.is_finite()) {
            return Err(NodeError::NoTables);
        }
        let unit = f64::from(stem::most(images())) / LARGEST;
        let sign = if self.subtracted { -1.0 } else { 1.0 };
        let table = |term: &Term, sign: f64| -> Box<[i64; 256]> {
            Box::new(term.images.map(|x| (sign * f64::from(x) / unit).round_ties_even() as i64))
        };
        let [a, b] = &self.terms;
        let (f, g) = (table(a, 1.0), table(b, sign));
        let (lowest, highest) = target.ends();
        let edges = Edges::rising(lowest, highest, |code| target.least(code) / unit);
        tables::near(codes, |i, j| edges.code(f[i] + g[j]))?;
        let terms = vec![(a.x.clone(), Function::Table(f)), (b.x.clone(), Function::Table(g))];
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }

    /// What QLinearAdd makes of the terms.
    pub(in crate::onnx) fn add(
        &self,
        builder: &mut Builder,
        to: Quantization,
    ) -> Result<TensorId, NodeError> {
        let [a, b] = &self.terms;
        let (qa, qb) = ((a.from, a.dtype), (b.from, b.dtype));
        let code = qlinear::codes(qlinear::add, [qa, qb, to], None)?;
        let value = |code: usize| code as i32 + to.1.min();
        let codes = pairs(|i, j| code(value(i), value(j)));
        // The sum is rounded once of these, so that it grows with their exact sum.
        let f = std::array::from_fn(|i| f64::from(value(i)) * f64::from(a.from.scale / to.0.scale));
        let g = std::array::from_fn(|j| f64::from(qlinear::second_summand(qa, qb, to, value(j))));
        self.combine(builder, &codes, &f, &g)
    }

    /// Tables whose sum decides `codes`, which grow with `f` of the one and `g` of the other.
    fn combine(
        &self,
        builder: &mut Builder,
        codes: &[u8; PAIRS],
        f: &[f64; 256],
        g: &[f64; 256],
    ) -> Result<TensorId, NodeError> {
        let (f, g, edges) = tables::adding_up(codes, f, g).ok_or(NodeError::NoTables)?;
        let [a, b] = &self.terms;
        let term = |term: &Term, table| (term.x.clone(), Function::Table(table));
        let terms = vec![term(a, f), term(b, g)];
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }
}

impl Term {
    /// `sign` times the real number that each code stands for, in units of `unit`.
    fn multiples(&self, sign: f32, unit: f32) -> [f64; 256] {
        let scale = f64::from(sign) * f64::from(self.from.scale) / f64::from(unit);
        let zero = self.from.zero_point - self.dtype.min();
        std::array::from_fn(|code| f64::from(code as i32 - zero) * scale)
    }

    /// What is `sign` times the term, if its floats are multiples of the scale.
    fn exact(&self, sign: f64) -> Option<ExactTerm> {
        let term = ExactTerm::codes(&self.x.view, &self.images, self.from.scale)?;
        Some(ExactTerm { scale: sign * term.scale, ..term })
    }
}
