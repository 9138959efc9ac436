//! Floats that are no function of one code, computed only when a QuantizeLinear says into what.

mod after;
mod average;
mod concatenation;
mod each;
mod elementwise;
mod normalization;
mod product;
mod softmax;
mod sum;
mod tensors;

pub(super) use after::After;
pub(super) use average::{Average, Formula};
pub(super) use concatenation::Concatenation;
pub(super) use each::Each;
pub(super) use elementwise::Elementwise;
pub(super) use normalization::{MAX_LENGTH, Normalization};
pub(super) use product::Product;
pub(super) use softmax::Softmax;
pub(super) use sum::{Sum, Term};
pub(super) use tensors::Tensors;

use super::builder::Builder;
use super::error::NodeError;
use super::value::{Codes, Scaling};
use super::view::View;
use super::windows::Pool;
use crate::graph::{CodeType, Epilogue, OutputTransform, TensorId};
use std::rc::Rc;

/// Floats whose QuantizeLinear has not come yet.
#[derive(Debug, Clone)]
pub(super) struct Deferred {
    pub(super) kind: Kind,
    /// Bounds of the Relu and Clip that have come so far.
    pub(super) low: f32,
    pub(super) high: f32,
    /// Operations with constants that have come, before the bounds.
    pub(super) after: Vec<After>,
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
    /// A matmul of two dequantized tensors.
    Tensors(Rc<Tensors>),
    /// A product of two dequantized tensors, element by element.
    Elementwise(Rc<Elementwise>),
    /// A sum or difference of two dequantized tensors.
    Sum(Rc<Sum>),
    /// Averages of a dequantized tensor.
    Average(Rc<Average>),
    /// Dequantized tensors one after the other.
    Concatenation(Rc<Concatenation>),
    /// A dequantized tensor of several scales.
    Each(Rc<Each>),
    /// Softmax along the last dimension.
    Softmax(Rc<Softmax>),
    /// Rows along the last dimension brought to one size.
    Normalization(Rc<Normalization>),
}

impl Deferred {
    /// `kind`, whose output tensor is seen as `view`.
    pub(super) fn new(kind: Kind, view: View) -> Self {
        Self { kind, low: f32::NEG_INFINITY, high: f32::INFINITY, after: vec![], pool: None, view }
    }

    /// The floats clamped to `[low, high]`.
    pub(super) fn clamped(&self, low: f32, high: f32) -> Self {
        let (low, high) = (self.low.clamp(low, high), self.high.clamp(low, high));
        Self { low, high, ..self.clone() }
    }

    /// Whether neither bounds nor a MaxPool have come.
    pub(super) fn is_unbounded(&self) -> bool {
        (self.low, self.high) == (f32::NEG_INFINITY, f32::INFINITY) && self.pool.is_none()
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
        let tensor = match &self.kind {
            Kind::Product(product) => product.quantize(builder, &self.after, bounds, to, dtype)?,
            Kind::Tensors(product) => product.quantize(builder, &self.after, bounds, to, dtype)?,
            Kind::Elementwise(product) => product.quantize(builder, bounds, to, dtype)?,
            Kind::Sum(sum) => sum.quantize(builder, bounds, to, dtype)?,
            Kind::Average(average) => average.quantize(builder, bounds, to, dtype)?,
            Kind::Concatenation(parts) => parts.quantize(builder, bounds, to, dtype)?,
            Kind::Each(each) => each.quantize(builder, bounds, to, dtype)?,
            Kind::Softmax(softmax) => softmax.quantize(builder, bounds, to, dtype)?,
            Kind::Normalization(rows) => rows.quantize(builder, bounds, to, dtype)?,
        };
        let view = self.pooled(builder, name, tensor)?;
        Ok(Codes { view, dtype, quantized: true, origin: None })
    }

    /// The codes in `tensor`, which grow with the floats, after the MaxPool, as they are seen.
    pub(super) fn pooled(
        &self,
        builder: &mut Builder,
        name: &str,
        tensor: TensorId,
    ) -> Result<View, NodeError> {
        let tensor = match &self.pool {
            Some(pool) => pool.1.max(builder, name, &pool.0.on(tensor))?.tensor,
            None => tensor,
        };
        Ok(self.view.on(tensor))
    }

    /// Whether the floats grow with the accumulators they are of.
    pub(super) fn check_upward(&self) -> Result<(), NodeError> {
        let falls = match &self.kind {
            Kind::Product(product) => product.falls(&self.after)?,
            _ => vec![],
        };
        match falls.iter().position(|&falls| falls) {
            Some(column) => Err(NodeError::NotMonotone { column }),
            None => Ok(()),
        }
    }

    /// The integers of a product whose floats are affine functions of them, or of a tensor of several scales, in the
    /// network's output; `None` if they are not.
    pub(super) fn affine(
        &self,
        builder: &mut Builder,
    ) -> Result<Option<(View, OutputTransform)>, NodeError> {
        if let Kind::Each(each) = &self.kind
            && self.is_unbounded()
            && self.view == each.output()
        {
            return each.affine(builder).map(Some);
        }
        let Kind::Product(product) = &self.kind else { return Ok(None) };
        if !self.is_unbounded() || self.view.features().is_none() {
            return Ok(None);
        }
        let Some((scales, offsets)) = product.affine(&self.after) else { return Ok(None) };
        let tensor = builder.matmul(&product.matmul, Epilogue::Accumulator)?;
        Ok(Some((self.view.on(tensor), OutputTransform::Affine { scales, offsets })))
    }
}
