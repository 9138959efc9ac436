//! Products whose accumulators are sums of several, at a scale for each column: of 16-bit tensors in two digits, rounded once.

use super::after::After;
use super::exact::{Integers, LARGEST_BIAS};
use super::{Addend, ExactTerm, Product};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind, WordType, signed_bits};
use crate::onnx::arithmetic::Operation;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::operands::{of_column, one_if_alike, units};
use crate::onnx::rowwise::{Summand, part};
use crate::onnx::target::Target;
use crate::onnx::value::{MatMulOperands, Scaling};
use crate::onnx::view::View;
use crate::onnx::words::{self, MAX_IMAGE};
use std::rc::Rc;

/// What a code of 16 bits may be off by because multiples of its step are integers.
const OFF: f64 = 1.0 / 512.0;

/// Digits of a multiple of a column's step.
const MOST_DIGITS: i32 = 4;

/// Powers of two by which sums and multiples may be finer than accumulators.
const COARSEST: i32 = -7;
const FINEST: i32 = 22;

/// Bits that sums have at most.
const WIDEST: u32 = 61;

/// A product of a 16-bit tensor and weights.
#[derive(Debug)]
pub(in crate::onnx) struct Wide {
    pub(super) name: String,
    /// Matmuls of one shape, and how much the accumulators of each count.
    parts: Vec<(MatMulOperands, i64)>,
    /// What an accumulator's 1 stands for: one, or one for each column.
    scales: Vec<f32>,
}

/// By how much a multiple of each column's step is an integer of several digits.
struct Multiples {
    /// Sums are multiplied by it.
    factor: i64,
    /// What the last digit counts.
    unit: i64,
    /// Of 256 steps, one for each column.
    integers: Vec<u32>,
    digits: i32,
}

impl Wide {
    /// The sum of `parts`, the last of which has the bias, and of what `after` adds. `None` if that is no sum, or too large.
    pub(in crate::onnx) fn new(
        name: &str,
        mut parts: Vec<(MatMulOperands, i64)>,
        scales: Vec<f32>,
        after: &[After],
    ) -> Option<Self> {
        let (last, 1) = parts.last_mut()? else { return None };
        if !after.is_empty() {
            last.bias.resize(last.weights.n, 0);
        }
        for (column, bias) in last.bias.iter_mut().enumerate() {
            for after in after {
                if after.operation != Operation::Add {
                    return None;
                }
                let [added, scale] = [&after.constant, &scales].map(|of| of_column(of, column));
                *bias += units(added.into(), scale.into(), LARGEST_BIAS).ok()?;
            }
        }
        let is_scale = |scale: &f32| scale.is_finite() && *scale > 0.0;
        if !scales.iter().all(is_scale) {
            return None;
        }
        Some(Self { name: name.to_owned(), parts, scales: one_if_alike(scales) })
    }

    /// The ends between which floats lie.
    pub(super) fn ends(&self) -> [f32; 2] {
        let largest = self.scales.iter().copied().fold(0.0, f32::max);
        let most = self.bound() as f32 * largest;
        [-most, most]
    }

    /// The products, seen as `view`, as summands, if they have one scale.
    pub(super) fn summands(&self, view: &View) -> Option<Vec<ExactTerm>> {
        let &[scale] = &self.scales[..] else { return None };
        let term = |(matmul, counts): &(MatMulOperands, i64)| {
            let scale = f64::from(scale) * *counts as f64;
            let product = Product { matmul: matmul.clone(), scales: vec![scale as f32] };
            let (product, after, view) = (Rc::new(product), vec![], view.clone());
            ExactTerm { of: Addend::Product { product, after, view, fine: false }, scale }
        };
        Some(self.parts.iter().map(term).collect())
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let (lowest, highest) = target.ends();
        let edges = |scale: &f32| {
            Edges::rising(lowest, highest, |code| target.least(code) / f64::from(*scale))
        };
        let epilogue = Epilogue::Edges(self.scales.iter().map(edges).collect());
        let terms = self.sums(builder)?;
        builder.combine(&self.name, self.columns(), terms, TensorKind::Code, epilogue)
    }

    /// The 16-bit tensor that a QuantizeLinear makes after bounds, in two codes.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        bounds: (f32, f32),
        to: Scaling,
        dtype: WordType,
    ) -> Result<[TensorId; 2], NodeError> {
        let ends = words::ends(bounds, to, dtype)?;
        let zero = f64::from(to.zero_point - dtype.min());
        let step = |scale: &f32| f64::from(to.scale) / f64::from(*scale);
        let steps: Vec<f64> = self.scales.iter().map(step).collect();
        if let ([scale], [step]) = (&self.scales[..], &steps[..])
            && 65280.0 * step <= MAX_IMAGE
        {
            let (terms, unit, columns) = (self.sums(builder)?, (*scale).into(), self.columns());
            let of = Integers { terms, constant: 0, unit, columns };
            return of.words(builder, &self.name, ends, (to, dtype), |y| self.matrix(y));
        }
        let multiples = self.multiples(&steps)?;
        let edges = |of: f64, factor: i64, (first, last): (u8, u8)| {
            let edges = |step: &f64| {
                let edge = |digit| (of * f64::from(digit) - 0.5 - zero) * step * factor as f64;
                Edges::rising(first, last, edge)
            };
            Epilogue::Edges(steps.iter().map(edges).collect())
        };
        let (columns, kind) = (self.columns(), TensorKind::Code);
        let sums = self.sums(builder)?;
        let high = part(&self.name, "high");
        let high = builder.combine(&high, columns, sums.clone(), kind, edges(256.0, 1, ends))?;
        // What it counts is taken off before the low digit.
        let times = |(matrix, function): Summand| match function {
            Function::Times(counts) => (matrix, Function::Times(counts * multiples.factor)),
            function => (matrix, function),
        };
        let mut terms: Vec<Summand> = sums.into_iter().map(times).collect();
        for digit in 0..multiples.digits {
            let codes: Vec<u8> = (0..columns)
                .map(|column| (of_column(&multiples.integers, column) >> (8 * digit)) as u8)
                .collect();
            let beside = View::new(0, &[1, columns], |dim| dim == 1);
            let name = part(&self.name, &format!("step{digit}"));
            let constant = builder.constant(&name, &beside, &[1, columns], &codes);
            let constant = Matrix::laid_out(&constant.repeated(0, self.rows()), |dim| dim == 1);
            let factor = -(multiples.unit << (8 * digit));
            let function = builder.source(&constant, false)?.factor([0, 0], factor);
            terms.push((self.matrix(high), function));
        }
        let low = edges(1.0, multiples.factor, (0, 255));
        let low = builder.combine(&part(&self.name, "low"), columns, terms, kind, low)?;
        Ok([high, low])
    }

    fn columns(&self) -> usize {
        self.parts[0].0.weights.n
    }

    fn rows(&self) -> usize {
        self.parts[0].0.x.size().0
    }

    /// All elements of a tensor of as many.
    fn matrix(&self, tensor: TensorId) -> Matrix {
        let view = View::new(tensor, &[self.rows(), self.columns()], |dim| dim == 1);
        Matrix::laid_out(&view, |dim| dim == 1)
    }

    /// The accumulators, computed.
    fn sums(&self, builder: &mut Builder) -> Result<Vec<Summand>, NodeError> {
        let of = |(matmul, counts): &(MatMulOperands, i64)| {
            let tensor = builder.matmul(matmul, Epilogue::Accumulator)?;
            Ok((self.matrix(tensor), Function::Times(*counts)))
        };
        self.parts.iter().map(of).collect()
    }

    /// Bound on the size of the sums.
    fn bound(&self) -> i64 {
        let of = |column: usize| {
            let of = |(matmul, counts): &(MatMulOperands, i64)| counts * matmul.bound(column);
            self.parts.iter().map(of).sum()
        };
        (0..self.columns()).map(of).max().unwrap_or(0)
    }

    /// Integers for 256 of each of `steps`.
    fn multiples(&self, steps: &[f64]) -> Result<Multiples, NodeError> {
        let least = steps.iter().copied().fold(f64::INFINITY, f64::min);
        let most = steps.iter().copied().fold(0.0, f64::max);
        let column = steps.iter().position(|step| *step == least).unwrap_or(0);
        let apart = NodeError::ScalesApart { column };
        // The multiple of the largest high digit is off by 255 halves of an integer.
        let is_fine = |bits: &i32| OFF * least * power(*bits) >= 127.5;
        let shift = (COARSEST..=FINEST).find(is_fine).ok_or(apart.clone())?;
        let scale = 256.0 * power(shift);
        let digits = (1..=MOST_DIGITS).find(|digits| most * scale + 1.0 < power(8 * digits));
        let (factor, unit) = (1i64 << shift.max(0), 1i64 << (-shift).max(0));
        let bound = self.bound().checked_mul(factor).filter(|bound| signed_bits(*bound) <= WIDEST);
        let (Some(digits), Some(_)) = (digits, bound) else { return Err(apart) };
        let integers = steps.iter().map(|step| (step * scale).round_ties_even() as u32).collect();
        Ok(Multiples { factor, unit, integers, digits })
    }
}

/// `2^bits`, exactly.
fn power(bits: i32) -> f64 {
    let size = (1u64 << bits.unsigned_abs()) as f64;
    if bits < 0 { 1.0 / size } else { size }
}
