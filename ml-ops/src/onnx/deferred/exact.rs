//! A sum of dequantized tensors and products in one integer for each element, rounded once.

use super::{After, Product, Rectified};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind, WordType};
use crate::onnx::arithmetic::Operation;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::operands::{of_column, units};
use crate::onnx::rowwise::Summand;
use crate::onnx::target::Target;
use crate::onnx::value::{MatMulOperands, Scaling};
use crate::onnx::view::View;
use crate::onnx::words::{self, Digits, MAX_IMAGE, Words};
use std::rc::Rc;

/// Multiples of the finest scale are at most so many to a unit.
const FINEST: u32 = 1 << 16;

/// Bits by which a unit may be coarser than the finest scale.
const COARSEST: u32 = 24;

/// What a sum may be off by because scales are multiples of one, in codes of its output.
pub(super) const OFF: f64 = 1.0 / 16.0;

/// By how much less that is where weights of 24 bits are in the sum.
const FINE: f64 = 1.0 / 1024.0;

/// Largest constant that is added to a product, in units of its accumulators: the nearest integer is exact.
pub(super) const LARGEST_BIAS: f64 = (1u64 << 53) as f64;

/// A sum of tensors of one shape.
#[derive(Debug, Clone)]
pub(in crate::onnx) struct Exact {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) terms: Vec<ExactTerm>,
    /// How a tensor of its elements is seen.
    pub(in crate::onnx) layout: View,
}

/// A tensor at a scale.
#[derive(Debug, Clone)]
pub(in crate::onnx) struct ExactTerm {
    pub(in crate::onnx) of: Addend,
    /// The scale, negative where it is subtracted.
    pub(in crate::onnx) scale: f64,
}

/// What is added.
#[derive(Debug, Clone)]
pub(in crate::onnx) enum Addend {
    /// A tensor of codes, and the multiple of the scale that each stands for, at most 255.
    Codes { view: View, values: Box<[i64; 256]> },
    /// A dequantized 16-bit tensor.
    Words { words: Words, zero_point: i32 },
    /// A product with one scale, plus constants; `fine` if it is by a digit of weights of 24 bits.
    Product { product: Rc<Product>, after: Vec<After>, view: View, fine: bool },
    /// What a Relu leaves of a sum.
    Rectified(Rc<Rectified>),
}

/// The integers that a sum is of.
pub(super) struct Integers {
    pub(super) terms: Vec<Summand>,
    /// What is added to their sum.
    pub(super) constant: i64,
    /// What 1 stands for.
    pub(super) unit: f64,
    pub(super) columns: usize,
}

impl Integers {
    /// The codes that a QuantizeLinear makes of what they stand for.
    pub(super) fn quantize(
        self,
        builder: &mut Builder,
        name: &str,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let least = |code: u8| target.least(code) / self.unit - self.constant as f64;
        let (lowest, highest) = target.ends();
        let epilogue = Epilogue::Edges(vec![Edges::rising(lowest, highest, least)]);
        builder.combine(name, self.columns, self.terms, TensorKind::Code, epilogue)
    }

    /// The 16-bit tensor that one makes, in two codes, of which the high one is between `ends`; `read` reads them.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        name: &str,
        ends: (u8, u8),
        (to, dtype): (Scaling, WordType),
        read: impl Fn(TensorId) -> Matrix,
    ) -> Result<[TensorId; 2], NodeError> {
        let zero = f64::from(to.zero_point - dtype.min());
        let step = f64::from(to.scale) / self.unit;
        let edge = |value: f64| (value - 0.5 - zero) * step - self.constant as f64;
        words::digits(builder, name, self.columns, &self.terms, (edge, step), ends, read)
    }
}

impl ExactTerm {
    /// The floats of a tensor of codes, if they are multiples of a scale.
    pub(in crate::onnx) fn codes(view: &View, images: &[f32; 256], scale: f32) -> Option<Self> {
        let of = Addend::Codes { view: view.clone(), values: multiples(images, scale)? };
        Some(Self { of, scale: scale.into() })
    }

    /// A product with one scale and nothing after it but additions of constants.
    pub(in crate::onnx) fn product(
        product: &Rc<Product>,
        after: &[After],
        view: &View,
    ) -> Option<Self> {
        let is_sum = |after: &After| after.operation == Operation::Add;
        let (&scale, rest) = product.scales.split_first()?;
        (after.iter().all(is_sum) && rest.iter().all(|other| *other == scale)).then(|| {
            let (product, after, view) = (product.clone(), after.to_vec(), view.clone());
            let of = Addend::Product { product, after, view, fine: false };
            Self { of, scale: scale.into() }
        })
    }

    /// How the elements are seen.
    pub(in crate::onnx) fn view(&self) -> &View {
        match &self.of {
            Addend::Codes { view, .. } | Addend::Product { view, .. } => view,
            Addend::Words { words, .. } => words.view(),
            Addend::Rectified(of) => of.view(),
        }
    }

    /// The tensor that is added, computed.
    fn settled(&self, builder: &mut Builder) -> Result<Self, NodeError> {
        let integers = |view: View| {
            // Of its type nothing matters but that it is no sum of codes.
            let words = Words { dtype: WordType::I16, digits: Digits::One(view) };
            Ok(Self { of: Addend::Words { words, zero_point: 0 }, scale: self.scale })
        };
        let (product, after, view) = match &self.of {
            Addend::Product { product, after, view, .. } => (product, after, view),
            Addend::Rectified(of) => return integers(of.made(builder)?),
            Addend::Codes { .. } | Addend::Words { .. } => return Ok(self.clone()),
        };
        let mut matmul: MatMulOperands = product.matmul.clone();
        matmul.bias.resize(matmul.weights.n, 0);
        for (column, bias) in matmul.bias.iter_mut().enumerate() {
            let added = units(added(after, column), self.scale.abs(), LARGEST_BIAS)?;
            let sum = bias.checked_add(added);
            let bound = i128::from(*bias) + i128::from(added);
            *bias = sum.ok_or(NodeError::AccumulatorRange { bound: bound.abs() })?;
        }
        let tensor = builder.matmul(&matmul, Epilogue::Accumulator)?;
        integers(view.on(tensor))
    }

    /// The largest size of its integers.
    pub(super) fn size(&self) -> f64 {
        match &self.of {
            Addend::Codes { .. } => 255.0,
            Addend::Words { .. } => 65535.0,
            Addend::Rectified(of) => of.bound() as f64,
            Addend::Product { product, after, .. } => {
                let of = |column| {
                    let added = added(after, column) / self.scale.abs();
                    product.matmul.bound(column) as f64 + added.abs()
                };
                (0..product.matmul.weights.n).map(of).fold(0.0, f64::max)
            }
        }
    }

    /// `factor` times the tensor, and a constant that is to be added.
    fn times(&self, factor: i64, read: impl Fn(&View) -> Matrix) -> (Vec<Summand>, i64) {
        match &self.of {
            Addend::Codes { view, values } => {
                let table = Box::new(values.map(|value| factor * value));
                (vec![(read(view), Function::Table(table))], 0)
            }
            Addend::Words { words, zero_point } => {
                let (terms, constant) = words.times(factor, read);
                (terms, constant - factor * i64::from(*zero_point))
            }
            Addend::Product { .. } | Addend::Rectified(_) => (Vec::new(), 0),
        }
    }
}

impl Exact {
    /// The sum of `terms`, of one shape, for node `name`.
    pub(in crate::onnx) fn new(name: &str, terms: Vec<ExactTerm>) -> Result<Self, NodeError> {
        let views: Vec<&View> = terms.iter().map(ExactTerm::view).collect();
        let (first, rest) = views.split_first().ok_or(NodeError::NoTables)?;
        let shape = first.shape();
        if let Some(other) = rest.iter().find(|view| view.shape() != shape) {
            let (expected, got) = (first.elements(), other.elements());
            return Err(NodeError::OperandShape { index: 1, expected, got });
        }
        let layout = View::new(0, &shape, |dim| first.is_feature(dim));
        Ok(Self { name: name.to_owned(), terms, layout })
    }

    /// The sum of `terms`, and how it is seen.
    pub(super) fn seen(name: &str, terms: Vec<ExactTerm>) -> Option<(Self, View)> {
        let sum = Self::new(name, terms).ok()?;
        let seen = sum.layout.clone();
        Some((sum, seen))
    }

    /// What the sum may be off by because scales are multiples of one, in codes of its output: less where more is to come,
    /// `finer`, or weights of 24 bits are in it.
    pub(super) fn off(&self, finer: f64) -> f64 {
        if self.is_fine() { OFF * FINE.min(finer) } else { OFF * finer }
    }

    /// Whether weights of 24 bits are in it.
    pub(super) fn is_fine(&self) -> bool {
        self.terms.iter().any(|term| match &term.of {
            Addend::Product { fine, .. } => *fine,
            Addend::Rectified(of) => of.is_fine(),
            Addend::Codes { .. } | Addend::Words { .. } => false,
        })
    }

    /// A number of which all scales are multiples, such that integers are off by at most `most` in all.
    pub(super) fn unit(&self, most: f64) -> Result<f64, NodeError> {
        let scales = self.terms.iter().map(|term| term.scale.abs());
        let finest = scales.fold(f64::INFINITY, f64::min);
        let sizes: Vec<f64> = self.terms.iter().map(ExactTerm::size).collect();
        let off = |unit: f64| {
            let of = |(term, size): (&ExactTerm, &f64)| {
                let multiple = (term.scale / unit).round_ties_even();
                (multiple * unit - term.scale).abs() * size
            };
            self.terms.iter().zip(&sizes).map(of).sum::<f64>()
        };
        // Of weights of 24 bits not all are needed beside a coarse output.
        let coarser = if self.is_fine() { COARSEST } else { 0 };
        let coarser = (1..=coarser).rev().map(|bits| finest * f64::from(1u32 << bits));
        let finer = (1..=FINEST).map(|parts| finest / f64::from(parts));
        let largest = self.terms.iter().map(|term| term.scale.abs()).fold(0.0, f64::max);
        let fits = |unit: &f64| off(*unit) <= most && *unit <= largest;
        coarser.chain(finer).find(fits).ok_or(NodeError::NoTables)
    }

    /// The integers, at scales that are multiples of `unit`.
    pub(super) fn integers(&self, builder: &mut Builder, unit: f64) -> Result<Integers, NodeError> {
        let read = |view: &View| Matrix::laid_out(view, |dim| self.layout.is_feature(dim));
        let (mut terms, mut constant) = (Vec::new(), 0i64);
        for term in &self.terms {
            let factor = (term.scale / unit).round_ties_even();
            // What images, and the constant, are multiples of the factor by.
            let most = match &term.of {
                Addend::Product { .. } | Addend::Rectified(_) => 1.0,
                Addend::Codes { .. } => 255.0,
                Addend::Words { .. } => 65536.0,
            };
            if factor.abs() * most > MAX_IMAGE {
                return Err(NodeError::NoTables);
            }
            if factor != 0.0 {
                let (of_term, more) = term.settled(builder)?.times(factor as i64, read);
                constant = constant.checked_add(more).ok_or(NodeError::NoTables)?;
                terms.extend(of_term);
            }
        }
        let columns = read(&self.layout).size().1;
        Ok(Integers { terms, constant, unit, columns })
    }

    /// Bound on the size of the sum of integers that stand for multiples of `unit`.
    pub(super) fn bound(&self, unit: f64) -> i64 {
        let of = |term: &ExactTerm| (term.scale / unit).round_ties_even().abs() * term.size();
        self.terms.iter().map(of).sum::<f64>() as i64
    }

    /// The codes of the sum in `to`.
    pub(in crate::onnx) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let of = self.integers(builder, self.unit(self.off(1.0) * target.fineness())?)?;
        of.quantize(builder, &self.name, target)
    }

    /// The 16-bit tensor of the sum in `to`, in two codes.
    pub(in crate::onnx) fn words(
        &self,
        builder: &mut Builder,
        bounds: (f32, f32),
        to: Scaling,
        dtype: WordType,
    ) -> Result<[TensorId; 2], NodeError> {
        let ends = words::ends(bounds, to, dtype)?;
        let of = self.integers(builder, self.unit(self.off(1.0) * f64::from(to.scale))?)?;
        let view = &self.layout;
        let read = |y| Matrix::laid_out(&view.on(y), |dim| view.is_feature(dim));
        of.words(builder, &self.name, ends, (to, dtype), read)
    }
}

/// What is added to a column of a product.
fn added(after: &[After], column: usize) -> f64 {
    after.iter().map(|after| f64::from(of_column(&after.constant, column))).sum()
}

/// The multiples of `scale` that floats are, at most 255 in size.
pub(super) fn multiples(images: &[f32; 256], scale: f32) -> Option<Box<[i64; 256]>> {
    let units = |x: f32| (f64::from(x) / f64::from(scale)).round_ties_even();
    let is_multiple = |x: &f32| units(*x).abs() <= 255.0 && units(*x) as f32 * scale == *x;
    images.iter().all(is_multiple).then(|| Box::new(images.map(|x| units(x) as i64)))
}
