//! Floats that are no function of one code, computed only when a QuantizeLinear says into what.

mod after;
mod applied;
mod average;
mod columns;
mod concatenation;
mod course;
mod cut;
mod each;
mod elementwise;
mod embedded;
mod exact;
mod factored;
mod fine_normalization;
mod group_normalization;
mod hidden;
mod interpolation;
mod inverse;
mod largest;
mod levels;
mod lines;
mod local_normalization;
mod mapped;
mod normalization;
mod normalization_part;
mod padded;
mod product;
mod quotient;
mod rectified;
mod rotated;
mod row_sizes;
mod softmax;
mod stem;
mod sum;
mod sum_average;
mod summed;
mod tensors;
mod wide;
mod word_normalization;
mod word_softmax;
mod word_tensors;

pub(super) use after::After;
pub(super) use applied::Applied;
pub(super) use average::{Average, Formula, Summands};
pub(super) use columns::Columns;
pub(super) use concatenation::{Concatenation, ConcatenationPart};
pub(super) use cut::Cut;
pub(super) use each::Each;
pub(super) use elementwise::Elementwise;
pub(super) use embedded::Embedded;
pub(super) use exact::{Addend, Exact, ExactTerm};
pub(super) use factored::{Factor, Factored};
pub(super) use group_normalization::{GroupNormalization, MAX_GROUP};
pub(super) use hidden::Hidden;
pub(super) use interpolation::{Interpolation, Weighted};
pub(super) use largest::{Compared, Largest};
pub(super) use local_normalization::LocalNormalization;
pub(super) use mapped::Mapped;
pub(super) use normalization::{MAX_LENGTH, Normalization};
pub(super) use normalization_part::NormalizationPart;
pub(super) use padded::{How, Inner, Padded};
pub(super) use product::Product;
pub(super) use quotient::Quotient;
pub(super) use rectified::Rectified;
pub(super) use rotated::Rotated;
pub(super) use softmax::Softmax;
pub(super) use sum::{Sum, Term};
pub(super) use sum_average::SumAverage;
pub(super) use summed::Summed;
pub(super) use tensors::Tensors;
pub(super) use wide::Wide;
pub(super) use word_normalization::WordNormalization;
pub(super) use word_softmax::WordSoftmax;
pub(super) use word_tensors::WordTensors;

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::operands::of_column;
use super::rowwise;
use super::target::Target;
use super::value::{Codes, Scaling};
use super::view::View;
use super::windows::Pool;
use super::words::{Digits, WordFloats, Words};
use crate::graph::{CodeType, Epilogue, OutputTransform, TensorId, WordType};
use std::rc::Rc;

/// Most elements of an output each of which has a factor of its own.
const MOST_FACTORS: usize = 1 << 16;

/// Floats whose QuantizeLinear has not come yet.
#[derive(Debug, Clone)]
pub(super) struct Deferred {
    pub(super) kind: Kind,
    /// Bounds of the Relu and Clip that have come so far.
    pub(super) low: f32,
    pub(super) high: f32,
    /// Operations with constants that have come, before the bounds.
    pub(super) after: Vec<After>,
    /// MaxPools that have come, and what each was of.
    pub(super) pools: Vec<Rc<(View, Pool)>>,
    /// What has become of the output tensor, whichever that will be.
    pub(super) view: View,
}

/// What the floats are.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A matmul or convolution of dequantized operands.
    Product(Rc<Product>),
    /// A function of each element of one.
    Applied(Rc<Applied>),
    /// A matmul of two dequantized tensors.
    Tensors(Rc<Tensors>),
    /// One of which 16 bits have one or both.
    WordTensors(Rc<WordTensors>),
    /// A product of two dequantized tensors, element by element.
    Elementwise(Rc<Elementwise>),
    /// A product of functions of two tensors' codes, element by element.
    Factored(Rc<Factored>),
    /// Floats of codes.
    Mapped(Rc<Mapped>),
    /// A sum or difference of two dequantized tensors.
    Sum(Rc<Sum>),
    /// Averages of a dequantized tensor.
    Average(Rc<Average>),
    /// Sums divided by how many elements of a mask are ones.
    Quotient(Rc<Quotient>),
    /// Averages of a sum of dequantized tensors and products.
    SumAverage(Rc<SumAverage>),
    /// Dequantized tensors one after the other.
    Concatenation(Rc<Concatenation>),
    /// A dequantized tensor, by a function for each index of some dimensions.
    Each(Rc<Each>),
    /// Elements between those of a dequantized tensor.
    Interpolation(Rc<Interpolation>),
    /// Softmax along the last dimension.
    Softmax(Rc<Softmax>),
    /// The same of a 16-bit tensor.
    WordSoftmax(Rc<WordSoftmax>),
    /// Rows along the last dimension brought to one size.
    Normalization(Rc<Normalization>),
    /// What a normalization of rows is made of, in parts.
    NormalizationPart(Rc<NormalizationPart>),
    /// Groups of an image's channels brought to one size.
    GroupNormalization(Rc<GroupNormalization>),
    /// Rows or groups of a 16-bit tensor.
    WordNormalization(Rc<WordNormalization>),
    /// A sum of dequantized tensors and products, some of more than 8 bits.
    Exact(Rc<Exact>),
    /// A product or an average of 16-bit tensors.
    Summed(Rc<Summed>),
    /// A convolution of a 16-bit tensor.
    Wide(Rc<Wide>),
    /// Elements divided by a power of the squares around them.
    LocalNormalization(Rc<LocalNormalization>),
    /// Pairs of features that are turned by angles.
    Rotated(Rc<Rotated>),
    /// Floats of which some are left out.
    Cut(Rc<Cut>),
    /// The largest or smallest of several floats.
    Largest(Rc<Largest>),
    /// The network's input, or floats of codes, with elements around them or in other places.
    Padded(Rc<Padded>),
    /// Rows of a table of floats.
    Embedded(Rc<Embedded>),
}

impl Kind {
    /// The codes that a QuantizeLinear makes, before a MaxPool, `after` operations with constants.
    pub(super) fn codes(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        match self {
            Self::Product(product) => product.quantize(builder, after, target),
            Self::Applied(applied) => applied.quantize(builder, after, target),
            Self::Tensors(product) => product.quantize(builder, after, target),
            Self::WordTensors(product) => product.quantize(builder, after, target),
            Self::Elementwise(product) => product.quantize(builder, target),
            Self::Factored(product) => product.quantize(builder, target),
            Self::Mapped(floats) => Ok(floats.quantize(builder, target)),
            Self::Sum(sum) => sum.quantize(builder, target),
            Self::Average(average) => average.quantize(builder, target),
            Self::Quotient(of) => of.quantize(builder, target),
            Self::SumAverage(average) => average.quantize(builder, target),
            Self::Concatenation(parts) => parts.quantize(builder, target),
            Self::Each(each) => each.quantize(builder, after, target),
            Self::Interpolation(of) => of.quantize(builder, target),
            Self::Softmax(softmax) => softmax.quantize(builder, target),
            Self::WordSoftmax(softmax) => softmax.quantize(builder, target),
            Self::Normalization(rows) => rows.quantize(builder, after, target),
            Self::NormalizationPart(of) => of.quantize(builder, target),
            Self::GroupNormalization(groups) => groups.quantize(builder, after, target),
            Self::WordNormalization(rows) => rows.quantize(builder, after, target),
            Self::Exact(sum) => sum.quantize(builder, target),
            Self::Summed(sums) => sums.quantize(builder, target),
            Self::Wide(product) => product.quantize(builder, target),
            Self::LocalNormalization(rows) => rows.quantize(builder, target),
            Self::Rotated(of) => of.quantize(builder, target),
            Self::Cut(cut) => cut.quantize(builder, target),
            Self::Largest(largest) => largest.quantize(builder, target),
            Self::Padded(padded) => padded.quantize(builder, target),
            Self::Embedded(rows) => Ok(rows.quantize(builder, target)),
        }
    }

    /// The 16-bit tensor that a QuantizeLinear makes `after` operations with constants and bounds, in two codes, if these are
    /// floats of which no sum of tensors is made.
    fn words(
        &self,
        builder: &mut Builder,
        after: &[After],
        bounds: (f32, f32),
        to: (Scaling, WordType),
    ) -> Result<Option<[TensorId; 2]>, NodeError> {
        let made = match self {
            Self::Average(average) => average.summed(builder)?.words(builder, bounds, to.0, to.1),
            Self::Summed(sums) => sums.words(builder, bounds, to.0, to.1),
            Self::Elementwise(product) => {
                product.exact(builder)?.words(builder, bounds, to.0, to.1)
            }
            Self::Tensors(product) => product.of_words().words(builder, after, bounds, to),
            Self::WordTensors(product) => product.words(builder, after, bounds, to),
            Self::Softmax(softmax) => softmax.of_words(builder).words(builder, bounds, to),
            Self::WordSoftmax(softmax) => softmax.words(builder, bounds, to),
            Self::Normalization(rows) => rows.of_words(builder).words(builder, after, bounds, to),
            Self::WordNormalization(rows) => rows.words(builder, after, bounds, to),
            _ => return Ok(None),
        };
        made.map(Some)
    }

    /// Whether these are normalized elements that a constant of these floats can follow: one, or one for each column.
    pub(super) fn can_be_followed(&self, constant: &[f32]) -> bool {
        match self {
            Self::GroupNormalization(groups) => groups.columns.can_be_followed(constant),
            Self::Normalization(rows) => rows.columns.can_be_followed(constant),
            Self::WordNormalization(rows) => rows.columns.can_be_followed(constant),
            _ => false,
        }
    }
}

impl Deferred {
    /// `kind`, whose output tensor is seen as `view`.
    pub(super) fn new(kind: Kind, view: View) -> Self {
        Self {
            kind,
            low: f32::NEG_INFINITY,
            high: f32::INFINITY,
            after: vec![],
            pools: vec![],
            view,
        }
    }

    /// The floats clamped to `[low, high]`.
    pub(super) fn clamped(&self, low: f32, high: f32) -> Self {
        let (low, high) = (self.low.clamp(low, high), self.high.clamp(low, high));
        Self { low, high, ..self.clone() }
    }

    /// Whether neither bounds nor a MaxPool have come.
    pub(super) fn is_unbounded(&self) -> bool {
        (self.low, self.high) == (f32::NEG_INFINITY, f32::INFINITY) && self.pools.is_empty()
    }

    /// The codes that a QuantizeLinear makes behind the bounds of `target`.
    fn bounded(
        &self,
        builder: &mut Builder,
        name: &str,
        target: &Target,
    ) -> Result<Codes, NodeError> {
        self.clamped(target.low, target.high).quantize(builder, name, target.to, target.dtype)
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        name: &str,
        to: Scaling,
        dtype: CodeType,
    ) -> Result<Codes, NodeError> {
        let target = &Target { low: self.low, high: self.high, to, dtype, through: None };
        let tensor = self.kind.codes(builder, &self.after, target)?;
        let view = self.pooled(builder, name, tensor)?;
        Ok(Codes { view, dtype, quantized: true, origin: None })
    }

    /// The 16-bit tensor that a QuantizeLinear makes, of sums of dequantized tensors and products.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        name: &str,
        to: Scaling,
        dtype: WordType,
    ) -> Result<Words, NodeError> {
        let expected = "a sum of dequantized tensors or a product of one scale";
        let wrong = NodeError::Operand { index: 0, expected };
        let bounds = (self.low, self.high);
        let made = match (&self.kind, self.wide(name)) {
            _ if !self.pools.is_empty() => return Err(wrong),
            (Kind::Concatenation(parts), _) => Some(parts.words(builder, bounds, to, dtype)?),
            (Kind::Applied(applied), _) => applied.words(builder, name, self, (to, dtype))?,
            (kind, None) => kind.words(builder, &self.after, bounds, (to, dtype))?,
            (_, Some(product)) => Some(product.words(builder, bounds, to, dtype)?),
        };
        if let Some(digits) = made {
            return Ok(Words { dtype, digits: Digits::Two(digits.map(|of| self.view.on(of))) });
        }
        let (sum, seen) = self.sum(name).ok_or(wrong)?;
        let digits = sum.words(builder, bounds, to, dtype)?;
        Ok(Words { dtype, digits: Digits::Two(digits.map(|tensor| seen.on(tensor))) })
    }

    /// The dequantized 16-bit tensor that the floats are up to their rounding, at a scale of its own.
    pub(super) fn scaled_words(&self) -> Option<WordFloats> {
        match &self.kind {
            Kind::Applied(applied) => applied.scaled_words(self),
            _ => None,
        }
    }

    /// The floats before their bounds as a product of a 16-bit tensor, if they are one of several scales or digits.
    fn wide(&self, name: &str) -> Option<Rc<Wide>> {
        match &self.kind {
            Kind::Wide(product) => Some(product.clone()),
            Kind::Product(product) if product.matmul.reach.is_some() => {
                let is_one = product.scales.windows(2).all(|pair| pair[0] == pair[1]);
                let (matmul, scales) = (product.matmul.clone(), product.scales.clone());
                let wide = Wide::new(name, vec![(matmul, 1)], scales, &self.after);
                wide.filter(|_| !is_one).map(Rc::new)
            }
            _ => None,
        }
    }

    /// The floats before their bounds as a sum of which integers can be made, and how it is seen.
    fn sum(&self, name: &str) -> Option<(Exact, View)> {
        match &self.kind {
            Kind::Exact(sum) => Some(((**sum).clone(), self.view.clone())),
            Kind::Sum(sum) => {
                let (name, terms, layout) = (name.to_owned(), sum.exact()?, sum.layout.clone());
                Some((Exact { name, terms: terms.into(), layout }, self.view.clone()))
            }
            Kind::Product(product) => {
                let term = ExactTerm::product(product, &self.after, &self.view);
                let terms = match term {
                    Some(term) => vec![term],
                    None => product.summands(&self.after, &self.view)?,
                };
                Exact::seen(name, terms)
            }
            Kind::Each(each) => Exact::seen(name, each.summands(&self.after, &self.view)?),
            Kind::Wide(product) => Exact::seen(name, product.summands(&self.view)?),
            _ => None,
        }
    }

    /// The floats as summands of integers, if nothing but additions and a Relu has come; nodes have the name `name`.
    pub(super) fn summands(&self, name: &str) -> Option<Vec<ExactTerm>> {
        let (sum, seen) = self.sum(name).filter(|_| self.pools.is_empty())?;
        match (self.low, self.high) {
            // A sum that is seen as it was made can be continued.
            (f32::NEG_INFINITY, f32::INFINITY) => (seen == sum.layout).then_some(sum.terms),
            (0.0, f32::INFINITY) => {
                let name = name.to_owned();
                Rectified::term(Exact { name, ..sum }, seen).map(|term| vec![term])
            }
            _ => None,
        }
    }

    /// The averages that `x`, in a view of the floats, holds of them for each of `columns`, `count` elements in each; floats
    /// are a sum of dequantized tensors and products, operand 0, after a Relu or none.
    pub(super) fn averaged(
        &self,
        name: &str,
        x: Matrix,
        columns: usize,
        count: usize,
    ) -> Result<Kind, NodeError> {
        let expected = "floats of one 8-bit tensor, or a sum of such tensors and products";
        let wrong = NodeError::Operand { index: 0, expected };
        let relu = match (self.low, self.high) {
            (f32::NEG_INFINITY, f32::INFINITY) => false,
            (0.0, f32::INFINITY) => true,
            _ => return Err(wrong),
        };
        let (sum, _) = self.sum(name).filter(|_| self.pools.is_empty()).ok_or(wrong)?;
        let name = name.to_owned();
        Ok(Kind::SumAverage(Rc::new(SumAverage { name, sum, relu, x, columns, count })))
    }

    /// The codes in `tensor`, which grow with the floats, after the MaxPool, as they are seen.
    pub(super) fn pooled(
        &self,
        builder: &mut Builder,
        name: &str,
        tensor: TensorId,
    ) -> Result<View, NodeError> {
        let pooled = |tensor, pool: &Rc<(View, Pool)>| {
            Ok::<_, NodeError>(pool.1.max(builder, name, &pool.0.on(tensor))?.tensor)
        };
        Ok(self.view.on(self.pools.iter().try_fold(tensor, pooled)?))
    }

    /// Whether the floats grow with the accumulators they are of.
    pub(super) fn check_upward(&self) -> Result<(), NodeError> {
        let falls = match &self.kind {
            Kind::Product(product) => product.falls(&self.after)?,
            Kind::Each(each) => after::falls(&self.after, each.columns())?,
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
            return each.affine(builder, &self.after);
        }
        let Kind::Product(product) = &self.kind else { return Ok(None) };
        if !self.is_unbounded() {
            return Ok(None);
        }
        let Some((mut scales, mut offsets)) = product.affine(&self.after) else { return Ok(None) };
        let tensor = builder.matmul(&product.matmul, Epilogue::Accumulator)?;
        let mut view = self.view.on(tensor);
        let in_order = view.features().is_some() && builder.is_row_major(&view);
        if scales.len() > 1 && !in_order {
            // In another order each element is a feature, with the numbers of its column.
            let columns = Matrix::laid_out(&view, |_| true).features();
            let Some(columns) = columns.filter(|all| all.len() <= MOST_FACTORS) else {
                return Ok(None);
            };
            let name = rowwise::part(&product.matmul.name, "floats");
            view = builder.laid_out(&name, &view, |_| true)?;
            [&mut scales, &mut offsets].into_iter().for_each(|numbers| {
                *numbers = columns.iter().map(|&column| of_column(numbers, column)).collect();
            });
        }
        Ok(Some((view, OutputTransform::Affine { scales, offsets })))
    }
}
