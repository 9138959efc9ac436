//! The product of functions of two tensors' codes, element by element: each function as an integer of a few digits, rounded once.

use super::stem;
use crate::graph::{Edges, Epilogue, TensorId, TensorKind};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::part;
use crate::onnx::tables;
use crate::onnx::target::Target;
use crate::onnx::value::Floats;

/// What a function's rounding may leave a product off by, in codes of the output, before it has a third digit.
const OFF: f64 = 1.0 / 128.0;

/// The product of functions of two tensors' codes.
#[derive(Debug)]
pub(in crate::onnx) struct Factored {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) columns: usize,
    pub(in crate::onnx) operands: [Factor; 2],
}

/// One of them: how its codes are read, and what they stand for.
#[derive(Debug)]
pub(in crate::onnx) struct Factor {
    pub(in crate::onnx) x: Matrix,
    pub(in crate::onnx) floats: Floats,
}

/// A digit of an operand: codes less the one of zero, times a weight.
struct Digit {
    x: Matrix,
    zero: u8,
    weight: i64,
}

/// An operand as integers.
struct Integers {
    digits: Vec<Digit>,
    /// That of each code, and what 1 stands for.
    of_codes: [i64; 256],
    unit: f64,
}

impl Factored {
    /// The ends between which products lie.
    pub(super) fn ends(&self) -> [f32; 2] {
        stem::product(self.operands.each_ref().map(|of| stem::of_codes(&of.floats.images)))
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let [a, b] = &self.operands;
        // A function's rounding to two digits, times the largest of the other.
        let off = a.most() * b.most() / f64::from(1u32 << 17);
        // Of three digits each, the first ones' products would count too much: the first that has digits has three.
        let digits = match off > OFF * target.fineness() {
            true if a.floats.is_scaled() => [2, 3],
            true => [3, 2],
            false => [2, 2],
        };
        let first = a.integers(builder, &part(&self.name, "first"), digits[0]);
        let second = b.integers(builder, &part(&self.name, "second"), digits[1]);
        let unit = first.unit * second.unit;
        let (lowest, highest) = target.ends();
        let edges = Edges::rising(lowest, highest, |code| target.least(code) / unit);
        let codes = tables::pairs(|i, j| target.code(a.floats.images[i] * b.floats.images[j]));
        tables::near(&codes, |i, j| edges.code(first.of_codes[i] * second.of_codes[j]))?;
        let mut terms = Vec::with_capacity(first.digits.len() * second.digits.len());
        for a in &first.digits {
            for b in &second.digits {
                let with = builder.source(&b.x, false)?;
                terms.push((a.x.clone(), with.factor([a.zero, b.zero], a.weight * b.weight)));
            }
        }
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }
}

impl Factor {
    /// The largest of its floats in size.
    fn most(&self) -> f64 {
        stem::most(self.floats.images.iter()).into()
    }

    /// Those of codes less their zero, or the nearest multiples of a part of the largest float, in `count` digits.
    fn integers(&self, builder: &mut Builder, name: &str, count: u32) -> Integers {
        let floats = &self.floats;
        if floats.is_scaled() {
            let zero = floats.zero_code();
            let digits = vec![Digit { x: self.x.clone(), zero, weight: 1 }];
            let of_codes = std::array::from_fn(|code| code as i64 - i64::from(zero));
            return Integers { digits, of_codes, unit: floats.scaling.scale.into() };
        }
        // Of both signs there is room for half as many.
        let signed = floats.images.iter().any(|image| *image < 0.0);
        let half = if signed { 1i64 << (8 * count - 1) } else { 0 };
        let largest = if signed { half - 1 } else { (1 << (8 * count)) - 1 };
        let unit = self.most() / largest as f64;
        let of_codes = floats.images.map(|x| (f64::from(x) / unit).round_ties_even() as i64);
        let digit = |at: u32| {
            let table = of_codes.map(|value| ((value + half) >> (8 * at)) as u8);
            let (name, x) = (part(name, &format!("digit{at}")), self.x.view.tensor);
            let tensor = builder.map(&name, x, &table);
            let x = Matrix { view: self.x.view.on(tensor), ..self.x.clone() };
            let zero = if signed && at + 1 == count { 128 } else { 0 };
            Digit { x, zero, weight: 1 << (8 * at) }
        };
        Integers { digits: (0..count).rev().map(digit).collect(), of_codes, unit }
    }
}
