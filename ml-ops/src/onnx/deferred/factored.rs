//! The product of functions of two tensors' codes, element by element: each function as an integer of a few digits, rounded once.

use super::exact::OFF;
use super::stem;
use crate::graph::{Edges, Epilogue, TensorId, TensorKind};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::part;
use crate::onnx::target::Target;
use crate::onnx::value::Floats;

/// What a function's rounding may leave a product off by, in codes of the output, before it has a third digit.
const FINE: f64 = 1.0 / 128.0;

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
        let most = a.most() * b.most();
        // What functions of so many digits may leave the product off by, in codes.
        let off = |digits: u32| most / f64::from(1u32 << (8 * digits + 1)) / target.fineness();
        let is_function = [a, b].map(|of| !of.floats.is_scaled());
        // Of three digits each, the first ones' products would count too much.
        let digits = match is_function {
            [true, _] if off(2) > FINE => [3, 2],
            [_, true] if off(2) > FINE => [2, 3],
            _ => [2, 2],
        };
        let fewest = digits.into_iter().zip(is_function).filter(|(_, is)| *is);
        if fewest.map(|(digits, _)| digits).min().is_some_and(|digits| off(digits) > OFF) {
            return Err(NodeError::NoTables);
        }
        let (of_first, unit_of_a) = a.digits(builder, &part(&self.name, "first"), digits[0]);
        let (of_second, unit_of_b) = b.digits(builder, &part(&self.name, "second"), digits[1]);
        let mut terms = Vec::with_capacity(of_first.len() * of_second.len());
        for a in &of_first {
            for b in &of_second {
                let with = builder.source(&b.x, false)?;
                terms.push((a.x.clone(), with.factor([a.zero, b.zero], a.weight * b.weight)));
            }
        }
        let unit = unit_of_a * unit_of_b;
        let (lowest, highest) = target.ends();
        let edges = Edges::rising(lowest, highest, |code| target.least(code) / unit);
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }
}

impl Factor {
    /// The largest of its floats in size.
    fn most(&self) -> f64 {
        let [low, high] = stem::of_codes(&self.floats.images);
        low.abs().max(high.abs()).max(f32::MIN_POSITIVE).into()
    }

    /// Digits, and what 1 stands for: those of codes less their zero, or `count` of the nearest multiples of a part of the largest
    /// float.
    fn digits(&self, builder: &mut Builder, name: &str, count: u32) -> (Vec<Digit>, f64) {
        let floats = &self.floats;
        if floats.is_scaled() {
            let digit = Digit { x: self.x.clone(), zero: floats.zero_code(), weight: 1 };
            return (vec![digit], floats.scaling.scale.into());
        }
        // Of both signs there is room for half as many.
        let signed = floats.images.iter().any(|image| *image < 0.0);
        let half = if signed { 1i64 << (8 * count - 1) } else { 0 };
        let largest = if signed { half - 1 } else { (1 << (8 * count)) - 1 };
        let unit = self.most() / largest as f64;
        let integer = |x: f32| (f64::from(x) / unit).round_ties_even() as i64 + half;
        let integers = floats.images.map(integer);
        let mut digit = |at: u32| {
            let table = integers.map(|value| (value >> (8 * at)) as u8);
            let (name, x) = (part(name, &format!("digit{at}")), self.x.view.tensor);
            let tensor = builder.map(&name, x, &table);
            let x = Matrix { view: self.x.view.on(tensor), ..self.x.clone() };
            let zero = if signed && at + 1 == count { 128 } else { 0 };
            Digit { x, zero, weight: 1 << (8 * at) }
        };
        ((0..count).rev().map(&mut digit).collect(), unit)
    }
}
