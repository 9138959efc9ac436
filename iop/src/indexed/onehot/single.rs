//! Stage 1 on a tile of indices of one nibble: a sum of products of eq and one multilinear.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::nibbles::{CHUNK_VARS, Nibbles};
use crate::buffer::Buffer;
use crate::multilinear::eq_tables;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Variables that are bound before there are values of positions.
const FIRST_VARS: usize = 4;

/// Variables of the weights that a chunk shares whose nibbles are sorted into bins.
const HISTOGRAM_VARS: usize = 13;

/// Positions cut into as many runs as the first variables have settings: these are bound in the runs' sums.
pub(super) struct SingleNibble<'a> {
    nibbles: Nibbles<'a>,
    z: Vec<F128>,
    factored: EqFactored,
    /// The runs' sums, or values, with the last variables bound.
    values: Buffer,
    /// Challenges, the last first.
    bound: Vec<F128>,
}

impl<'a> SingleNibble<'a> {
    pub(super) fn new(nibbles: Nibbles<'a>, z: Vec<F128>) -> Self {
        let (rest, first) = z.split_at(z.len() - FIRST_VARS);
        let [inner, outer] = eq_tables(rest, HISTOGRAM_VARS);
        let len = inner.len();
        let table = &nibbles.tables[0];
        let runs = nibbles.bytes.par_chunks(len * outer.len());
        let sum = |run: &[u8]| -> F128 {
            let chunks = run.par_chunks(len).zip(&outer).map(|(chunk, &weight)| {
                let mut bins = [F128::ZERO; 256];
                kernels::histogram(&mut bins, chunk, &inner);
                weight * kernels::inner_product(&bins[..table.len()], table)
            });
            chunks.reduce(|| F128::ZERO, |a, b| a + b)
        };
        let values: Vec<F128> = runs.map(sum).collect();
        let claim = kernels::inner_product(&values, &kernels::eq_table(first));
        let factored = EqFactored::new(claim, z.iter().rev());
        Self { nibbles, z, factored, values: values.into(), bound: vec![] }
    }

    /// The claim on what is left.
    pub(super) fn claim(&self) -> F128 {
        self.factored.claim()
    }

    /// The value at the bound point.
    pub(super) fn value(&self) -> F128 {
        self.values[0]
    }

    /// eq's coordinate for the round's variable.
    fn coordinate(&self) -> F128 {
        self.z[self.z.len() - self.bound.len() - 1]
    }
}

impl Instance for SingleNibble<'_> {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.z.len(), degree: 2 }
    }

    fn round(&mut self) -> Vec<F128> {
        let half = self.values.len() / 2;
        let left = self.z.len() - self.bound.len() - 1;
        let z = &self.z[..left][left - half.ilog2() as usize..];
        let [inner, outer] = eq_tables(z, CHUNK_VARS);
        let sum = |values: &[F128]| {
            let chunks = values.par_chunks(inner.len()).zip(&outer);
            let sums = chunks.map(|(x, &weight)| weight * kernels::inner_product(&inner, x));
            sums.reduce(|| F128::ZERO, |a, b| a + b)
        };
        let (lo, hi) = self.values.split_at(half);
        let z = self.coordinate();
        let at_zero = (z == F128::ONE).then(|| sum(lo));
        self.factored.round(z, (sum(hi), &[]), at_zero)
    }

    fn bind(&mut self, r: F128) {
        self.factored.bind(Some(self.coordinate()), r);
        let half = self.values.len() / 2;
        let (lo, hi) = self.values.split_at_mut(half);
        kernels::fold(lo, hi, r);
        self.values.truncate(half);
        self.bound.insert(0, r);
        if self.bound.len() == FIRST_VARS {
            self.nibbles.left = self.z.len() - FIRST_VARS;
            self.nibbles.bound = kernels::eq_table(&self.bound);
            self.values = Buffer::unspecified(1 << self.nibbles.left);
            self.nibbles.values(0, &mut self.values);
        }
    }
}
