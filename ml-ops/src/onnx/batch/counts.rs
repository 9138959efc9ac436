//! Constants that are computed of the number of samples, as exporters do for the targets of reshapes.

use super::super::builder::Builder;
use super::super::error::NodeError;
use super::super::folded;
use super::super::node::{Import, Operator};
use super::super::value::Value;
use super::samples::{Node, Operand};
use crate::array::ArrayData;
use std::collections::HashMap;

/// Numbers of samples at which such constants are computed; no size that a file is likely to have.
const AT: [i64; 2] = [100_003, 300_007];

/// A list of integers that depends on the number of samples, at each of [`AT`]; nothing if it cannot be computed.
#[derive(Debug, Clone)]
pub(super) struct Counts(Option<[Value; 2]>);

/// An integer that is `each * samples + fixed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) each: i64,
    pub(super) fixed: i64,
}

impl Count {
    /// An integer that is the same for any number of samples.
    pub(super) fn fixed(fixed: i64) -> Self {
        Self { each: 0, fixed }
    }
}

impl Counts {
    /// The shape `shape`, of which dimension `at` is `size` times as many as there are samples.
    pub(super) fn of_shape(shape: &[i64], at: usize, size: usize) -> Self {
        let of = |samples: i64| {
            let mut shape = shape.to_vec();
            *shape.get_mut(at)? = i64::try_from(size).ok()?.checked_mul(samples)?;
            folded::integers(vec![shape.len()], shape).ok()
        };
        Self(of(AT[0]).zip(of(AT[1])).map(|(first, second)| [first, second]))
    }

    /// What `node` makes of constants, some of which are counts: a list of which each integer is what `made` has for the importer's
    /// number of samples, and grows with that in equal steps; else one that cannot be computed.
    pub(super) fn made(
        builder: &mut Builder,
        node: &Node<'_>,
        operator: &Operator,
        made: Option<&Value>,
    ) -> Self {
        let unknown = Self(None);
        let Some(counts) = is_linear(node).then(|| Self::at_each(builder, node, operator)) else {
            return unknown;
        };
        let list = made.and_then(|made| counts.list(made, node.samples));
        if list.is_some() { counts } else { unknown }
    }

    fn at_each(builder: &mut Builder, node: &Node<'_>, operator: &Operator) -> Self {
        let Import::One(import) = operator.import else { return Self(None) };
        let mut made = Vec::with_capacity(AT.len());
        for at in 0..AT.len() {
            let operand = |of: &Operand<'_>| {
                let name = node.view.input_name(of.index)?.clone();
                Some((name, of.counts?.0.as_ref()?.get(at)?.clone()))
            };
            let operands: HashMap<_, _> = node.operands.iter().filter_map(operand).collect();
            match import(builder, &node.view.with(&operands)) {
                Ok(value @ Value::Constant(_)) => made.push(value),
                _ => return Self(None),
            }
        }
        Self(made.try_into().ok())
    }

    /// The integers, of which `list` are those that the importer has for `samples` samples; `None` where one is no such function of
    /// the samples' number.
    pub(super) fn list(&self, list: &Value, samples: i64) -> Option<Vec<Count>> {
        let integers = |value: &Value| match value {
            Value::Constant(array) => match array.data() {
                ArrayData::I64(values) => Some(values.clone()),
                _ => None,
            },
            _ => None,
        };
        let [first, second] = self.0.as_ref()?;
        let [first, second, list] = [integers(first)?, integers(second)?, integers(list)?];
        if first.len() != list.len() || second.len() != list.len() {
            return None;
        }
        let count = |((&first, &second), &of): ((&i64, &i64), &i64)| {
            let (rise, run) = (second.checked_sub(first)?, AT[1] - AT[0]);
            let each = rise.checked_div(run).filter(|_| rise % run == 0)?;
            let fixed = first.checked_sub(each.checked_mul(AT[0])?)?;
            let here = each.checked_mul(samples)?.checked_add(fixed)?;
            (here == of).then_some(Count { each, fixed })
        };
        first.iter().zip(&second).zip(&list).map(count).collect()
    }

    /// Whether the integers are the same for any number of samples after all, `list` being the importer's.
    pub(super) fn are_fixed(&self, list: &Value, samples: i64) -> bool {
        self.list(list, samples).is_some_and(|list| list.iter().all(|count| count.each == 0))
    }
}

/// The integers of operand `index`, which may be counts.
pub(super) fn of_operand(node: &Node<'_>, index: usize) -> Result<Vec<Count>, NodeError> {
    let Some(counts) = node.operand(index)?.counts else {
        let list = node.view.integers("", index)?.ok_or(NodeError::MissingInput { index })?;
        return Ok(list.into_iter().map(Count::fixed).collect());
    };
    let list = counts.list(node.view.value(index)?, node.samples);
    list.ok_or(NodeError::SamplesCounted { index })
}

/// Whether what a node makes of counts that are linear functions of the samples' number is a polynomial of it, of degree two at most,
/// which three numbers tell from a linear one.
fn is_linear(node: &Node<'_>) -> bool {
    let counted =
        |index: usize| node.operands.iter().any(|of| of.index == index && of.counts.is_some());
    let known = node.operands.iter().filter_map(|of| of.counts).all(|counts| counts.0.is_some());
    known
        && match node.operator {
            "Add" | "Cast" | "Concat" | "Identity" | "Mul" | "Sub" => true,
            "Equal" => are_never_equal(node).unwrap_or(false),
            "Gather" | "Reshape" | "Slice" | "Squeeze" | "Unsqueeze" => {
                node.operands.iter().all(|of| of.index == 0 || of.counts.is_none())
            }
            "Where" => !counted(0),
            _ => false,
        }
}

/// Whether no number of samples makes integers of both operands equal that are not for all.
fn are_never_equal(node: &Node<'_>) -> Option<bool> {
    let [a, b] = [of_operand(node, 0).ok()?, of_operand(node, 1).ok()?];
    let never = |(a, b): (&Count, &Count)| {
        let (rise, at_none) = (a.each.checked_sub(b.each)?, a.fixed.checked_sub(b.fixed)?);
        // Zero at `-at_none / rise` samples.
        let samples = at_none.checked_neg()?.checked_div(rise).filter(|_| at_none % rise == 0);
        Some(samples.is_none_or(|samples| samples < 1))
    };
    let n = a.len().max(b.len());
    let of = |list: &[Count], at: usize| list.get(if list.len() == 1 { 0 } else { at }).copied();
    let pairs = (0..n).map(|at| never((&of(&a, at)?, &of(&b, at)?)));
    pairs.collect::<Option<Vec<_>>>().map(|never| never.into_iter().all(|never| never))
}
