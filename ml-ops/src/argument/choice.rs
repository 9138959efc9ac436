//! What the prover commits for an index of a maximum: the largest elements, how far others lie behind, selectors.

use rayon::prelude::*;

use super::plan::Plan;
use crate::graph::{Gather, Model, Op, Runs, Values};

/// An index of a maximum in a trace.
pub(super) struct Choice<'a> {
    gather: &'a Gather,
    taps: usize,
    last: bool,
    x: &'a Values,
    /// `[column][row]`.
    indices: &'a [i64],
    rows: usize,
    /// Bits of an index, and of an integer that says how far a tap lies behind.
    bits: [u32; 2],
}

impl<'a> Choice<'a> {
    /// Node `node`, if it is one.
    pub(super) fn new(
        model: &'a Model,
        plan: &Plan,
        tensors: &'a [Values],
        node: usize,
    ) -> Option<Self> {
        let Op::ArgMax { x, gather, taps, last, y } = &model.graph.nodes[node].op else {
            return None;
        };
        let indices = tensors[*y].as_integers()?;
        let (of_x, of_y) = (&plan.matrices[*x], &plan.matrices[*y]);
        let bits = [of_y.bits, of_x.bits + of_y.bits];
        let (x, rows) = (&tensors[*x], of_y.rows);
        Some(Self { gather, taps: *taps, last: *last, x, indices, rows, bits })
    }

    /// The elements of all taps, `[column][row]`.
    fn elements(&self) -> Vec<i64> {
        match self.x {
            Values::Codes(codes) => self.elements_of(codes),
            Values::Integers(integers) => self.elements_of(integers),
        }
    }

    fn elements_of<T: Copy + Into<i64> + Sync>(&self, x: &[T]) -> Vec<i64> {
        let feature_rows = x.len() / self.gather.n_source_cols();
        let samples = feature_rows / self.gather.n_source_rows();
        let runs = Runs::new(self.gather, feature_rows);
        let mut elements = vec![0; self.indices.len() * self.taps];
        elements.par_chunks_mut(self.rows).enumerate().for_each(|(column, out)| {
            runs.apply(column, 0..samples, x, out, |out, x| *out = x.into());
        });
        elements
    }

    /// Where the tap that an output names lies among those of all outputs, `[column][row]`, if there is such a tap.
    fn place(&self, at: usize) -> Option<usize> {
        let (column, row) = (at / self.rows, at % self.rows);
        let tap = usize::try_from(self.indices[at]).ok().filter(|&tap| tap < self.taps)?;
        Some((column * self.taps + tap) * self.rows + row)
    }

    /// The elements that are named, those of taps that there are not being 0.
    fn named(&self, elements: &[i64]) -> Vec<i64> {
        let named = |at| self.place(at).map_or(0, |place| elements[place]);
        (0..self.indices.len()).map(named).collect()
    }

    /// The elements that are named, as unsigned integers.
    pub(super) fn largest(&self, offset: i128) -> Vec<u64> {
        let named = self.named(&self.elements());
        named.into_iter().map(|x| (i128::from(x) + offset) as u64).collect()
    }

    /// How far each tap lies behind the one that is named, `[column][row]`, as far as the bits go.
    pub(super) fn behind(&self) -> Vec<u64> {
        let elements = self.elements();
        let named = self.named(&elements);
        let [index_bits, bits] = self.bits;
        let mask = (1 << bits) - 1;
        let mut behind = vec![0; elements.len()];
        behind.par_chunks_mut(self.rows).enumerate().for_each(|(column, behind)| {
            let tap = (column % self.taps) as i64;
            let first = column / self.taps * self.rows;
            let outputs = named[first..].iter().zip(&self.indices[first..]);
            let elements = &elements[column * self.rows..];
            for ((z, &x), (&named, &index)) in behind.iter_mut().zip(elements).zip(outputs) {
                let ahead = if self.last { index - tap } else { tap - index };
                let difference = named.wrapping_sub(x).wrapping_shl(index_bits);
                *z = difference.wrapping_add(ahead) as u64 & mask;
            }
        });
        behind
    }

    /// 1 for each tap that is named, `[column][row]`.
    pub(super) fn selectors(&self) -> Vec<u8> {
        let mut selectors = vec![0; self.indices.len() * self.taps];
        let places = (0..self.indices.len()).filter_map(|at| self.place(at));
        places.for_each(|place| selectors[place] = 1);
        selectors
    }
}
