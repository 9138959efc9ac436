//! Floats that are no function of one code, computed only when a QuantizeLinear says into what.

mod average;
mod concatenation;
mod product;
mod sum;

pub(super) use average::{Average, Formula};
pub(super) use concatenation::Concatenation;
pub(super) use product::Product;
pub(super) use sum::{Sum, Term};

use super::builder::Builder;
use super::error::NodeError;
use super::value::{Codes, Scaling};
use super::view::View;
use super::windows::Pool;
use crate::graph::CodeType;
use std::rc::Rc;

/// Floats whose QuantizeLinear has not come yet.
#[derive(Debug, Clone)]
pub(super) struct Deferred {
    pub(super) kind: Kind,
    /// Bounds of the Relu and Clip that have come so far.
    pub(super) low: f32,
    pub(super) high: f32,
    /// A MaxPool that has come, and what it was of.
    pub(super) pool: Option<Rc<(View, Pool)>>,
    /// What has become of the output tensor, whichever that will be.
    pub(super) view: View,
}

/// What the floats are.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A matmul or convolution of dequantized operands.
    Product(Rc<Product>),
    /// A sum or difference of two dequantized tensors.
    Sum(Rc<Sum>),
    /// Averages of a dequantized tensor.
    Average(Rc<Average>),
    /// Dequantized tensors one after the other.
    Concatenation(Rc<Concatenation>),
}

impl Deferred {
    /// `kind`, whose output tensor is seen as `view`.
    pub(super) fn new(kind: Kind, view: View) -> Self {
        Self { kind, low: f32::NEG_INFINITY, high: f32::INFINITY, pool: None, view }
    }

    /// The floats clamped to `[low, high]`.
    pub(super) fn clamped(&self, low: f32, high: f32) -> Self {
        let (low, high) = (self.low.clamp(low, high), self.high.clamp(low, high));
        Self { low, high, ..self.clone() }
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        name: &str,
        to: Scaling,
        dtype: CodeType,
    ) -> Result<Codes, NodeError> {
        let bounds = (self.low, self.high);
        let mut tensor = match &self.kind {
            Kind::Product(product) => product.quantize(builder, bounds, to, dtype)?,
            Kind::Sum(sum) => sum.quantize(builder, bounds, to, dtype)?,
            Kind::Average(average) => average.quantize(builder, bounds, to, dtype)?,
            Kind::Concatenation(parts) => parts.quantize(builder, bounds, to, dtype)?,
        };
        if let Some(pool) = &self.pool {
            tensor = pool.1.max(builder, name, &pool.0.on(tensor))?.tensor;
        }
        Ok(Codes { view: self.view.on(tensor), dtype, quantized: true, origin: None })
    }
}
