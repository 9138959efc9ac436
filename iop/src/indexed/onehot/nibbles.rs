//! The nibbles of a tile's indices, looked up under all settings of the variables bound.

use binfer_field::{F128, NibbleSums, kernels};
use rayon::prelude::*;

use super::NIBBLE;

/// Variables of a chunk of positions.
pub(super) const CHUNK_VARS: usize = 8;

/// Settings of as many variables as are bound before there are values of positions.
const MOST_BOUND: usize = 16;

/// A function of one nibble.
pub(super) type NibbleTable = [F128; 1 << NIBBLE];

/// `prod_s (1 + sigma_s + bit_s(v))` over the bits of a nibble.
pub(super) fn nibble_table(sigma: &[F128]) -> NibbleTable {
    let mut table = [F128::ONE; 1 << NIBBLE];
    for (s, &sigma) in sigma.iter().enumerate() {
        for (v, entry) in table.iter_mut().enumerate() {
            *entry *= if v >> s & 1 == 1 { sigma } else { F128::ONE + sigma };
        }
    }
    table
}

/// The nibbles of a tile's indices, the highest variables of positions bound.
#[derive(Clone)]
pub(super) struct Nibbles<'a> {
    pub(super) bytes: &'a [u8],
    /// Variables left.
    pub(super) left: usize,
    pub(super) tables: Vec<NibbleTable>,
    /// The eq weight of each setting of the bound variables, the last bound lowest.
    pub(super) bound: Vec<F128>,
}

impl Nibbles<'_> {
    /// The values of nibble `h` at `out.len()` positions from `start` of a run of `2^vars`, with the bound variables, two or
    /// four, and the run's number above them: `sum_p bound[p] H(index)`, by the nibble's [`Self::sums`].
    pub(super) fn look_up(
        &self,
        sums: &NibbleSums,
        (vars, run, runs): (usize, usize, usize),
        start: usize,
        h: usize,
        out: &mut [F128],
    ) {
        let mut index = [self.bytes; MOST_BOUND];
        let index = &mut index[..self.bound.len()];
        for (p, slice) in index.iter_mut().enumerate() {
            *slice = &self.bytes[((p * runs + run) << vars) + start..][..out.len()];
        }
        sums.apply(out, index, h == 1);
    }

    /// The weighted values of nibble `h` for each setting of the bound variables.
    pub(super) fn sums(&self, h: usize) -> NibbleSums {
        let weighted = |&weight: &F128| {
            let mut table = self.tables[h];
            kernels::scale(&mut table, weight);
            table
        };
        let weighted: Vec<_> = self.bound.iter().map(weighted).collect();
        NibbleSums::new(&weighted, 1 << self.left)
    }

    /// Binds the two highest variables, `weights` those of `(1, 0)`, `(0, 1)` and `(1, 1)`.
    pub(super) fn bind_two(&self, weights: [F128; 3]) -> Self {
        let first = F128::ONE + weights.iter().copied().sum();
        let four = |&x: &F128| [first, weights[1], weights[0], weights[2]].map(|w| x * w);
        let bound = self.bound.iter().flat_map(four).collect();
        Self { left: self.left - 2, bound, ..self.clone() }
    }

    /// The values of nibble `h` as field elements.
    pub(super) fn values(&self, h: usize, out: &mut [F128]) {
        let sums = self.sums(h);
        let len = 1 << self.left.min(CHUNK_VARS);
        out.par_chunks_mut(len).enumerate().for_each(|(chunk, out)| {
            self.look_up(&sums, (self.left, 0, 1), chunk * len, h, out);
        });
    }
}
