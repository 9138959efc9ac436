//! Threshold networks: products compared with numbers, and two floats chosen by the comparisons.

use super::builder::Builder;
use super::deferred::{Deferred, Kind};
use super::error::NodeError;
use super::operands::of_column;
use super::stepped::{self, Steps};
use super::value::{Scaling, Value};

/// A comparison of products with numbers.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub(super) of: Deferred,
    /// One relation, or one for each column.
    pub(super) relations: Vec<Relation>,
    /// One number, or one for each column.
    pub(super) to: Vec<f32>,
}

impl Comparison {
    /// The other way around where `flags`, one or one for each column, are set.
    pub(super) fn negated(&self, flags: &[bool]) -> Self {
        let relation = |column: usize| {
            let relation = of_column(&self.relations, column);
            if of_column(flags, column) { relation.negated() } else { relation }
        };
        let relations = (0..flags.len().max(self.relations.len())).map(relation).collect();
        Self { of: self.of.clone(), relations, to: self.to.clone() }
    }
}

/// How a float compares with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    /// Whether it holds of `x` and `y`.
    pub(super) fn holds(self, x: f32, y: f32) -> bool {
        match self {
            Self::Less => x < y,
            Self::LessOrEqual => x <= y,
            Self::Greater => x > y,
            Self::GreaterOrEqual => x >= y,
        }
    }

    /// The relation of `y` and `x`.
    pub(super) fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    /// The relation that holds where this one does not, of numbers.
    fn negated(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// Whether it comes to hold as `x` grows.
    pub(super) fn is_upward(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }
}

/// The floats `images`, increasing, chosen by `level` of a product in a column: an index that grows with the float where
/// it is `upward`, or else falls.
pub(super) fn levels(
    builder: &mut Builder,
    name: &str,
    of: &Deferred,
    images: &[f32],
    upward: impl Fn(usize) -> bool,
    level: impl Fn(usize, f32) -> usize,
) -> Result<Value, NodeError> {
    let Kind::Product(product) = &of.kind else {
        return Err(NodeError::Operand {
            index: 0,
            expected: "a matmul's or convolution's result",
        });
    };
    let (low, high) = (of.low, of.high);
    let falls = product.falls(&of.after)?.into_iter().enumerate();
    let falls: Vec<bool> = falls.map(|(column, falls)| falls ^ !upward(column)).collect();
    let steps = falls
        .iter()
        .enumerate()
        .map(|(column, &falls)| {
            let code = |x: f32| level(column, x.max(low).min(high)) as u8;
            let edges = product.edges(&of.after, column, falls, code)?;
            let level = |code: u8| if falls { 255 - code } else { code };
            Ok(Steps::of_edges(&edges, level).map(|level| images[usize::from(level)]))
        })
        .collect::<Result<Vec<_>, NodeError>>()?;
    stepped::floats(builder, name, of, images, &steps, falls)
}

/// Either of two floats, by a comparison.
pub(super) fn chosen(
    builder: &mut Builder,
    name: &str,
    comparison: &Comparison,
    (yes, no): (f32, f32),
) -> Result<Value, NodeError> {
    let Comparison { of, relations, to } = comparison;
    let images = [yes.min(no), yes.max(no)];
    let larger = usize::from(yes > no);
    let relation = |column| of_column(relations, column);
    let upward = |column| relation(column).is_upward() == (yes > no);
    levels(builder, name, of, &images, upward, |column, x| {
        if relation(column).holds(x, of_column(to, column)) { larger } else { 1 - larger }
    })
}

/// Scale and zero point of unsigned codes, and the codes, that stand for `images`, increasing: multiples of one.
pub(super) fn grid(images: &[f32]) -> Result<(Scaling, Vec<u8>), NodeError> {
    let sizes = images.iter().map(|x| x.abs()).filter(|&x| x > 0.0);
    let scale = sizes.reduce(f32::min).unwrap_or(1.0);
    let first = images.first().copied().unwrap_or(0.0).min(0.0);
    let zero_point = (-first / scale).round_ties_even().min(255.0) as i32;
    let codes = images.iter().map(|&x| {
        let code = (x / scale).round_ties_even().clamp(-1e6, 1e6) as i64 + i64::from(zero_point);
        let found = u8::try_from(code).ok();
        let found = found.filter(|&code| (i32::from(code) - zero_point) as f32 * scale == x);
        found.ok_or(NodeError::NotOnGrid { index: 1, value: x })
    });
    Ok((Scaling { scale, zero_point }, codes.collect::<Result<_, _>>()?))
}
