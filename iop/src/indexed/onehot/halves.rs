//! Stage 1 on one tile: `sum_x eq(z, x) prod_h H_h(nibble h of index(x))`, one nibble or two.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::NIBBLE;
use crate::buffer::Buffer;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Variables of the weights that a chunk shares.
const CHUNK_VARS: usize = 8;

/// Variables that are bound before nibbles' values are held as field elements.
const LOOKUP_ROUNDS: usize = 2;

/// A function of one nibble.
type NibbleTable = [F128; 1 << NIBBLE];

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

/// The instance; variables are bound highest first.
pub(super) struct NibbleProduct<'a> {
    bytes: &'a [u8],
    n_vars: usize,
    left: usize,
    tables: Vec<NibbleTable>,
    /// The eq weight of each setting of the bound variables, the last bound lowest.
    bound: Vec<F128>,
    /// Each nibble's values at the positions left, once they are held as field elements.
    dense: Vec<Buffer>,
    z: Vec<F128>,
    factored: EqFactored,
}

impl<'a> NibbleProduct<'a> {
    /// The instance for the claim `sum`; `z` has a coordinate for each variable of a position.
    pub(super) fn new(bytes: &'a [u8], z: Vec<F128>, sigma: &[F128], sum: F128) -> Self {
        assert_eq!(bytes.len(), 1 << z.len());
        Self {
            bytes,
            n_vars: z.len(),
            left: z.len(),
            tables: sigma.chunks(NIBBLE).map(nibble_table).collect(),
            bound: vec![F128::ONE],
            dense: Vec::new(),
            z,
            factored: EqFactored::new(sum),
        }
    }

    /// The nibbles' values at the bound point.
    pub(super) fn values(&self) -> Vec<F128> {
        debug_assert_eq!(self.left, 0);
        self.dense.iter().map(|values| values[0]).collect()
    }

    /// The values of nibble `h` at `out.len()` positions from `start` of a run of `2^vars`, the bound
    /// variables and the run's number above them: `sum_p bound[p] H(index)`.
    fn look_up(
        &self,
        tables: &[[ByteTable; 2]],
        (vars, run, runs): (usize, usize, usize),
        start: usize,
        h: usize,
        out: &mut [F128],
    ) {
        let n = out.len();
        let block = |p: usize| &self.bytes[((p * runs + run) << vars) + start..][..n];
        let mut pairs = [0; 1 << CHUNK_VARS];
        let pairs = &mut pairs[..n];
        for (i, table) in tables.iter().enumerate() {
            join_nibbles(pairs, block(2 * i), block(2 * i + 1), h);
            let values = pairs.iter().map(|&pair| table[h][usize::from(pair)]);
            if i == 0 {
                out.iter_mut().zip(values).for_each(|(out, value)| *out = value);
            } else {
                out.iter_mut().zip(values).for_each(|(out, value)| *out += value);
            }
        }
    }

    /// For each two settings of the bound variables, which differ in the last, and each nibble: the sum of its
    /// weighted values at two positions, by the byte that joins them.
    fn pair_tables(&self) -> Vec<[ByteTable; 2]> {
        let pair = |weights: &[F128]| {
            let mut tables = [[F128::ZERO; 256]; 2];
            for (pairs, table) in tables.iter_mut().zip(&self.tables) {
                let (mut low, mut high) = (*table, *table);
                kernels::scale(&mut low, weights[0]);
                kernels::scale(&mut high, weights[1]);
                *pairs = core::array::from_fn(|v| low[v & 0xf] + high[v >> NIBBLE]);
            }
            tables
        };
        self.bound.chunks_exact(2).map(pair).collect()
    }

    /// eq's tables for the variables of a chunk and for those of its number, all but the highest that is left.
    fn weights(&self) -> (Vec<F128>, Vec<F128>) {
        let rest = self.left - 1;
        let (inner, outer) = self.z[..rest].split_at(rest.min(CHUNK_VARS));
        (kernels::eq_table(inner), kernels::eq_table(outer))
    }

    /// The first round's sums: products of two nibbles' values at two positions are values of the byte that takes
    /// a nibble from each.
    fn first_sums(&self, flip: bool) -> (F128, Vec<F128>) {
        let rest = self.left - 1;
        let (inner, outer) = self.weights();
        let len = inner.len();
        let table: ByteTable = core::array::from_fn(|v| {
            self.tables.iter().enumerate().map(|(h, t)| t[v >> (NIBBLE * h) & 0xf]).product()
        });
        let (lo, hi) = self.bytes.split_at(1 << rest);
        let (lo, hi) = if flip { (hi, lo) } else { (lo, hi) };
        let chunks = outer.par_iter().zip(lo.par_chunks(len).zip(hi.par_chunks(len)));
        let sums = chunks.map_init(
            || vec![F128::ZERO; 2 * len],
            |buffer, (&weight, (lo, hi))| {
                let (at, leading) = buffer.split_at_mut(len);
                for ((at, leading), (&lo, &hi)) in
                    at.iter_mut().zip(leading.iter_mut()).zip(lo.iter().zip(hi))
                {
                    let look_up = |byte: u8| table[usize::from(byte)];
                    let upper = (lo ^ hi) & 0xf0;
                    *at = look_up(hi);
                    *leading = *at + look_up(lo) + look_up(lo ^ upper) + look_up(hi ^ upper);
                }
                let sum = |values| weight * kernels::inner_product(&inner, values);
                (sum(at), sum(leading))
            },
        );
        self.cofactor(sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1)))
    }

    /// The value at 1 and the coefficients of `X^2` and above: of one nibble there are none.
    fn cofactor(&self, (at, leading): (F128, F128)) -> (F128, Vec<F128>) {
        (at, if self.tables.len() == 1 { Vec::new() } else { vec![leading] })
    }

    /// `t(1)` (or `t(0)` where `flip`) and the coefficient of `X^2` of the cofactor of eq.
    fn sums(&self, flip: bool) -> (F128, Vec<F128>) {
        if self.left == self.n_vars {
            return self.first_sums(flip);
        }
        let rest = self.left - 1;
        let (inner, outer) = self.weights();
        let len = inner.len();
        let tables = if self.dense.is_empty() { self.pair_tables() } else { Vec::new() };
        let sums = outer.par_iter().enumerate().map_init(
            || vec![F128::ZERO; 4 * len],
            |buffer, (chunk, &weight)| {
                let start = chunk * len;
                let mut halves = buffer.chunks_exact_mut(len);
                let mut factors: [[&[F128]; 2]; 2] = [[&[]; 2]; 2];
                for (h, factor) in factors.iter_mut().enumerate().take(self.tables.len()) {
                    for (half, values) in factor.iter_mut().enumerate() {
                        let run = half ^ usize::from(flip);
                        *values = if let Some(dense) = self.dense.get(h) {
                            &dense[(run << rest) + start..][..len]
                        } else if let Some(out) = halves.next() {
                            self.look_up(&tables, (rest, run, 2), start, h, out);
                            out
                        } else {
                            unreachable!("a buffer for each half of each nibble")
                        };
                    }
                }
                let [[a_lo, a_hi], [b_lo, b_hi]] = factors;
                if b_hi.is_empty() {
                    return (weight * kernels::inner_product(&inner, a_hi), F128::ZERO);
                }
                let (at, leading) = kernels::product_round(&inner, a_lo, a_hi, b_lo, b_hi);
                (weight * at, weight * leading)
            },
        );
        self.cofactor(sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1)))
    }

    /// Holds the nibbles' values as field elements from now on.
    fn materialize(&mut self) {
        let (tables, left) = (self.pair_tables(), self.left);
        let len = 1 << left.min(CHUNK_VARS);
        let nibble = |h: usize| {
            let mut values = Buffer::unspecified(1 << left);
            values.par_chunks_mut(len).enumerate().for_each(|(chunk, out)| {
                self.look_up(&tables, (left, 0, 1), chunk * len, h, out);
            });
            values
        };
        self.dense = (0..self.tables.len()).map(nibble).collect();
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

impl Instance for NibbleProduct<'_> {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: 1 + self.tables.len() }
    }

    fn round(&mut self) -> Vec<F128> {
        let z = self.z[self.left - 1];
        let at_zero = (z == F128::ONE).then(|| self.sums(true).0);
        let sums = self.sums(false);
        self.factored.round(z, sums, at_zero)
    }

    fn bind(&mut self, r: F128) {
        self.factored.bind(Some(self.z[self.left - 1]), r);
        self.left -= 1;
        let left = self.left;
        if self.dense.is_empty() {
            self.bound = self.bound.iter().flat_map(|&x| [x * (F128::ONE + r), x * r]).collect();
            if self.n_vars - left == LOOKUP_ROUNDS {
                self.materialize();
            }
            return;
        }
        for values in &mut self.dense {
            let (lo, hi) = values.split_at_mut(1 << left);
            kernels::fold(lo, hi, r);
            values.truncate(1 << left);
        }
    }
}
