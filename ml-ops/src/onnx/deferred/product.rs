//! A matmul or convolution of dequantized operands: its accumulators at a scale, and what follows on it.

use super::ExactTerm;
use super::after::{self, After};
use crate::graph::{Edges, Epilogue, TensorId};
use crate::onnx::arithmetic::Operation;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::fine::Digits;
use crate::onnx::operands::{Layout, of_column, requantize};
use crate::onnx::steps;
use crate::onnx::target::Target;
use crate::onnx::value::{MatMulOperands, Weights};
use crate::onnx::view::View;
use rayon::prelude::*;

/// A matmul or convolution of dequantized operands.
#[derive(Debug)]
pub(in crate::onnx) struct Product {
    pub(in crate::onnx) matmul: MatMulOperands,
    /// `f32(sx * sw)`: one, or one for each column.
    pub(in crate::onnx) scales: Vec<f32>,
}

impl Product {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        if after.is_empty() && !target.dtype.is_narrow() {
            let requantize = requantize(&self.scales, target)?;
            return builder.matmul(&self.matmul, Epilogue::Requantize(requantize));
        }
        let falls = self.falls(after)?;
        if falls.contains(&true) && self.scales.iter().all(|scale| *scale > 0.0) {
            return self.turned(&falls).quantize(builder, after, target);
        }
        let edges: Vec<_> = (0..self.matmul.weights.n)
            .into_par_iter()
            .map(|column| self.edges(after, column, false, |x| target.code(x)))
            .collect();
        // The error is the first column's, whichever thread is first.
        let edges = edges.into_iter().collect::<Result<_, _>>()?;
        builder.matmul(&self.matmul, Epilogue::Edges(edges))
    }

    /// For each column whether the float falls as the accumulator grows.
    pub(in crate::onnx) fn falls(&self, after: &[After]) -> Result<Vec<bool>, NodeError> {
        after::falls(after, self.matmul.weights.n)
    }

    /// Whether the floats of all columns are one increasing function of the accumulators.
    pub(in crate::onnx) fn keeps_order(&self, after: &[After]) -> bool {
        let is_one = |values: &[f32]| values.windows(2).all(|pair| pair[0] == pair[1]);
        let keeps = |after: &After| {
            let is_number = of_column(&after.constant, 0).is_normal();
            is_number && is_one(&after.constant) && after.reverses(0) == Some(false)
        };
        is_one(&self.scales) && after.iter().all(keeps)
    }

    /// The floats after affine functions of each column, seen as `view`, as summands of integers: products by weights of 24 bits
    /// at one scale.
    pub(super) fn summands(&self, after: &[After], view: &View) -> Option<Vec<ExactTerm>> {
        let Weights { k, n, codes, offsets, .. } = &self.matmul.weights;
        let of_columns = after::affine(after, *n)?;
        let scale = |column: usize| f64::from(of_column(&self.scales, column));
        let weight = |(at, &code): (usize, &u8)| {
            let column = at % n;
            let integer = i64::from(code) + i64::from(of_column(offsets, column));
            integer as f64 * scale(column) * of_columns[column].0
        };
        let weights: Vec<f64> = codes.iter().enumerate().map(weight).collect();
        let bias = of_columns.iter().enumerate().map(|(column, &(factor, summand))| {
            let integer = self.matmul.bias.get(column).copied().unwrap_or(0);
            integer as f64 * scale(column) * factor + summand
        });
        let digits = Digits::of(&[*k, *n], &weights, 0).ok()?;
        let fine = digits.weights(Layout::Columns, |_| Ok(bias.collect())).ok()?;
        // Integers of 16 bits have 24 bits more than their products with bytes.
        fine.terms(&self.matmul, 1.0, view).ok().filter(|_| self.matmul.reach.is_none())
    }

    /// The factor and the summand of each column, or of all, if what follows is one multiplication and one
    /// addition at most, in that order.
    pub(super) fn affine(&self, after: &[After]) -> Option<(Vec<f32>, Vec<f32>)> {
        let of = |operation| move |after: &&After| after.operation == operation && !after.first;
        let (factor, rest) = match after.split_first() {
            Some((factor, rest)) if of(Operation::Mul)(&factor) => (Some(factor), rest),
            _ => (None, after),
        };
        let summand = match rest {
            [] => None,
            [summand] => Some(summand).filter(of(Operation::Add))?.into(),
            _ => return None,
        };
        // A factor joins the scale only where the product before it is exact, as that with a power of two is.
        let is_power = |scale: &f32| scale.to_bits().trailing_zeros() >= f32::MANTISSA_DIGITS - 1;
        if factor.is_some() && !self.scales.iter().all(is_power) {
            return None;
        }
        let one = vec![1.0];
        let factors = factor.map_or(&one, |factor| &factor.constant);
        let n = self.scales.len().max(factors.len());
        let product = |column| of_column(&self.scales, column) * of_column(factors, column);
        let scales: Vec<f32> = (0..n).map(product).collect();
        let zero = vec![0.0];
        let offsets = summand.map_or(&zero, |summand: &After| &summand.constant);
        let n = scales.len().max(offsets.len());
        let all = |values: &[f32]| (0..n).map(|column| of_column(values, column)).collect();
        Some((all(&scales), all(offsets)))
    }

    /// The same floats of negated accumulators in the columns `turned`, which have the negated weights, biases and scales.
    pub(in crate::onnx) fn turned(&self, turned: &[bool]) -> Self {
        let mut matmul = self.matmul.clone();
        let Weights { n, codes, offsets, .. } = &mut matmul.weights;
        let most = codes.iter().copied().max().unwrap_or(0);
        for row in codes.chunks_mut(*n) {
            let of_columns = row.iter_mut().zip(turned).filter(|(_, turned)| **turned);
            of_columns.for_each(|(code, _)| *code = most - *code);
        }
        let offset = |(column, &turned): (usize, &bool)| {
            let offset = of_column(offsets, column);
            if turned { -offset - i32::from(most) } else { offset }
        };
        *offsets = turned.iter().enumerate().map(offset).collect();
        let biases = matmul.bias.iter_mut().zip(turned).filter(|(_, turned)| **turned);
        biases.for_each(|(bias, _)| *bias = -*bias);
        let scale = |(column, &turned): (usize, &bool)| {
            let scale = of_column(&self.scales, column);
            if turned { -scale } else { scale }
        };
        let scales = turned.iter().enumerate().map(scale).collect();
        Self { matmul, scales }
    }

    /// The edges of `code` of the float in a column, which grows with the accumulator; of `255 - code`, `reversed`.
    pub(in crate::onnx) fn edges(
        &self,
        after: &[After],
        column: usize,
        reversed: bool,
        code: impl Fn(f32) -> u8,
    ) -> Result<Edges, NodeError> {
        let bound = self.matmul.bound(column);
        let scale = of_column(&self.scales, column);
        if !(bound as f32 * scale).is_finite() {
            return Err(NodeError::AccumulatorScale { column, value: scale });
        }
        let of = |acc: i64| {
            let x = after::value(after, column, acc as f32 * scale);
            if reversed { 255 - code(x) } else { code(x) }
        };
        steps::edges(bound, of).ok_or(NodeError::NotMonotone { column })
    }
}
