//! The nibbles of a tile's indices, looked up under all settings of the variables bound.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::NIBBLE;

/// Variables of a chunk of positions.
pub(super) const CHUNK_VARS: usize = 8;

/// Positions whose values are added at a time.
const PART: usize = 64;

/// A function of one nibble.
pub(super) type NibbleTable = [F128; 1 << NIBBLE];

/// A function of two nibbles, which a byte joins.
type ByteTable = [F128; 256];

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
    /// The values of nibble `h` at `out.len()` positions from `start` of a run of `2^vars`, the bound variables, two or
    /// more, and the run's number above them: `sum_p bound[p] H(index)`, by the nibble's [`Self::pair_tables`].
    pub(super) fn look_up(
        &self,
        tables: &[ByteTable],
        (vars, run, runs): (usize, usize, usize),
        start: usize,
        h: usize,
        out: &mut [F128],
    ) {
        let n = out.len();
        let block = |p: usize| &self.bytes[((p * runs + run) << vars) + start..][..n];
        let join =
            |pairs: &mut [u8], i: usize| join_nibbles(pairs, block(2 * i), block(2 * i + 1), h);
        if let [first, second] = tables {
            let mut pairs = [[0; 1 << CHUNK_VARS]; 2];
            let [a, b] = pairs.each_mut().map(|pairs| &mut pairs[..n]);
            join(a, 0);
            join(b, 1);
            return kernels::gather_two(out, [first, second], [a, b], &[]);
        }
        let mut pairs = [[0; 1 << CHUNK_VARS]; 4];
        let mut more = [F128::ZERO; PART];
        for (k, four) in tables.as_chunks::<4>().0.iter().enumerate() {
            for (i, pairs) in pairs.iter_mut().enumerate() {
                join(&mut pairs[..n], 4 * k + i);
            }
            let index = pairs.each_ref().map(|pairs| &pairs[..n]);
            let four = four.each_ref();
            if k == 0 {
                kernels::gather_four(out, four, index);
                continue;
            }
            for (part, out) in out.chunks_mut(PART).enumerate() {
                let more = &mut more[..out.len()];
                let index = index.map(|index| &index[part * PART..][..out.len()]);
                kernels::gather_four(more, four, index);
                kernels::add_assign(out, more);
            }
        }
    }

    /// For each two settings of the bound variables, which differ in the last: the sum of the weighted values of
    /// nibble `h` at two positions, by the byte that joins them.
    pub(super) fn pair_tables(&self, h: usize) -> Vec<ByteTable> {
        let mut tables = vec![[F128::ZERO; 256]; self.bound.len() / 2];
        for (table, weights) in tables.iter_mut().zip(self.bound.as_chunks::<2>().0) {
            let [low, high] = weights.map(|weight| {
                let mut table = self.tables[h];
                kernels::scale(&mut table, weight);
                table
            });
            for (row, &high) in table.as_chunks_mut::<{ 1 << NIBBLE }>().0.iter_mut().zip(&high) {
                *row = low.map(|low| low + high);
            }
        }
        tables
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
        let tables = self.pair_tables(h);
        let len = 1 << self.left.min(CHUNK_VARS);
        out.par_chunks_mut(len).enumerate().for_each(|(chunk, out)| {
            self.look_up(&tables, (self.left, 0, 1), chunk * len, h, out);
        });
    }
}

/// Nibble `h` of both bytes, the second's above the first's.
#[inline]
fn join_nibbles(out: &mut [u8], first: &[u8], second: &[u8], h: usize) {
    let pairs = out.iter_mut().zip(first.iter().zip(second));
    if h == 0 {
        pairs.for_each(|(out, (&a, &b))| *out = a & 0xf | b << NIBBLE);
    } else {
        pairs.for_each(|(out, (&a, &b))| *out = a >> NIBBLE | b & 0xf0);
    }
}
