//! What is known of the batch while a file is walked through: where it stands in each value, or that the runtime takes one sample alone.

use super::super::builder::Builder;
use super::super::error::NodeError;
use super::super::folded;
use super::super::node::{NodeView, Operator};
use super::super::value::Value;
use super::super::view::View;
use super::super::whole::Wholes;
use super::counts::Counts;
use super::place::Place;
use super::rules;
use std::collections::HashMap;

/// Where samples are numbered in values of a file that leaves the batch open.
#[derive(Debug)]
pub(in crate::onnx) struct Samples {
    /// The runtime takes more samples than one, as far as is known.
    several: bool,
    /// How many there are, if the file says so.
    pub(super) fixed: Option<usize>,
    places: HashMap<String, Place>,
    /// Constants that depend on how many samples there are.
    counts: HashMap<String, Counts>,
}

/// What becomes of the samples behind a node.
pub(super) enum Made {
    /// They are numbered here, in all outputs.
    At(Place),
    /// The runtime takes one alone.
    One,
}

/// An operand of a node.
pub(super) struct Operand<'a> {
    pub(super) index: usize,
    /// Where its samples are numbered; nothing of what is the same for all.
    pub(super) place: Option<Place>,
    /// All dimensions of the file, for one sample.
    pub(super) shape: Vec<usize>,
    /// Integers that depend on how many samples there are.
    pub(super) counts: Option<&'a Counts>,
}

/// A node, and what is known of its operands.
pub(super) struct Node<'a> {
    pub(super) view: &'a NodeView<'a>,
    pub(super) operator: &'static str,
    /// Those that the node has.
    pub(super) operands: Vec<Operand<'a>>,
    /// How many samples the importer has counted constants for.
    pub(super) samples: i64,
}

impl<'a> Node<'a> {
    /// Operand `index`.
    pub(super) fn operand(&self, index: usize) -> Result<&Operand<'a>, NodeError> {
        let found = self.operands.iter().find(|operand| operand.index == index);
        found.ok_or(NodeError::MissingInput { index })
    }

    /// Operand `index`, in which samples are numbered, and where.
    pub(super) fn numbered(&self, index: usize) -> Result<(&Operand<'a>, Place), NodeError> {
        let operand = self.operand(index)?;
        let place = operand.place.ok_or(NodeError::SamplesLost)?;
        Ok((operand, place))
    }
}

impl Samples {
    /// Of `inputs`, whose first dimension numbers as many samples as the file says, or any number.
    pub(in crate::onnx) fn of<'a>(
        number: Option<usize>,
        inputs: impl Iterator<Item = &'a String>,
    ) -> Self {
        let places = inputs.map(|name| (name.clone(), Place::alone(0))).collect();
        let fixed = number.filter(|&number| number != 1);
        Self { several: number != Some(1), fixed, places, counts: HashMap::new() }
    }

    /// Where samples are numbered in a value, if the runtime takes several and they are.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied().filter(|_| self.several)
    }

    /// Notes where samples are in what a node has `made`.
    ///
    /// # Errors
    /// [`NodeError`] where it mixes them, or nothing is known of that.
    pub(in crate::onnx) fn follow(
        &mut self,
        builder: &mut Builder,
        (view, operator): (&NodeView<'_>, &Operator),
        (values, wholes): (&HashMap<String, Value>, &Wholes),
        made: &[(String, Value)],
    ) -> Result<(), NodeError> {
        if !self.several {
            return Ok(());
        }
        let mut operands = Vec::new();
        for index in 0..view.inputs() {
            let name = view.input_name(index).filter(|name| !name.is_empty());
            let Some((name, value)) = name.and_then(|name| Some((name, values.get(name)?))) else {
                continue;
            };
            let place = self.place(name);
            let (shape, counts) = (shape(wholes, name, value), self.counts.get(name));
            operands.push(Operand { index, place, shape, counts });
        }
        let samples = i64::from(builder.batch_is_one);
        let node = Node { view, operator: operator.name, operands, samples };
        if operator.name == "Shape" {
            let counts = self.counts_of_shape(&node)?;
            self.count(counts, made, samples);
            return Ok(());
        }
        if node.operands.iter().all(|operand| operand.place.is_none()) {
            if node.operands.iter().any(|operand| operand.counts.is_some()) {
                let first = made.first().map(|(_, value)| value);
                let counts = Counts::made(builder, &node, operator, first);
                self.count(Some(counts), made, samples);
            }
            return Ok(());
        }
        match rules::made(&node, operator.domain)? {
            // Positions of several samples, say, which the importer reads as those of one.
            Made::One if self.fixed.is_some() => return Err(NodeError::SamplesLost),
            Made::One => self.several = false,
            Made::At(place) => {
                for (name, value) in made.iter().filter(|(name, _)| !name.is_empty()) {
                    let shape = shape(wholes, name, value);
                    let is_there = shape.get(place.dim) == Some(&place.size());
                    // Where the importer has samples in front they are there.
                    if !is_there || !builder.batch_is_one && place != Place::alone(0) {
                        return Err(NodeError::SamplesLost);
                    }
                    self.places.insert(name.clone(), place);
                }
            }
        }
        Ok(())
    }

    /// Whether the samples of an output follow one on the other, as they do in arrays of the model.
    pub(in crate::onnx) fn are_first(&self, wholes: &Wholes, name: &str, value: &Value) -> bool {
        let place = self.places.get(name);
        let is_first = |place: &Place| place.is_first(&shape(wholes, name, value));
        !self.several || place.is_some_and(is_first)
    }

    fn counts_of_shape(&self, node: &Node<'_>) -> Result<Option<Counts>, NodeError> {
        let Operand { place, shape, .. } = node.operand(0)?;
        let Some(place) = place else { return Ok(None) };
        let rank = shape.len() as i64;
        let at = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank);
        let start = at(node.view.int("start", 0)?) as usize;
        let end = at(node.view.int("end", i64::MAX)?) as usize;
        let listed: Vec<i64> =
            shape.get(start..end.max(start)).unwrap_or(&[]).iter().map(|&n| n as i64).collect();
        let dim = place.dim.checked_sub(start).filter(|&at| at < listed.len());
        Ok(dim.map(|at| Counts::of_shape(&listed, at, place.size())))
    }

    fn count(&mut self, counts: Option<Counts>, made: &[(String, Value)], samples: i64) {
        let Some(counts) = counts else { return };
        for (name, _) in made.iter().filter(|(_, value)| !counts.are_fixed(value, samples)) {
            self.counts.insert(name.clone(), counts.clone());
        }
    }
}

/// All dimensions of the file that a value has, for one sample.
pub(super) fn shape(wholes: &Wholes, name: &str, value: &Value) -> Vec<usize> {
    let of_constant = || folded::shape(value).map(<[usize]>::to_vec).unwrap_or_default();
    let Some(of_sample) = value.view().map(View::shape) else { return of_constant() };
    match wholes.has(name) {
        true => of_sample,
        false => [&[1], &of_sample[..]].concat(),
    }
}
