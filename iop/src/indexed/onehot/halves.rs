//! Stage 1 on one tile: `sum_x eq(z, x) prod_h H_h(nibble h of index(x))`, one nibble or two.

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};
use rayon::prelude::*;

use super::NIBBLE;
use crate::buffer::Buffer;
use crate::product::{Factors, Grid, PairProduct, add_grids};
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Variables of the weights that a chunk shares.
const CHUNK_VARS: usize = 8;

/// The same of a grid, whose eight slices stay in the first cache.
const GRID_VARS: usize = 7;

/// Positions whose values are added at a time.
const PART: usize = 64;

/// Variables that are bound one at a time, by looking up indices.
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

/// The nibbles of a tile's indices, the highest variables of positions bound.
#[derive(Clone)]
struct Nibbles<'a> {
    bytes: &'a [u8],
    /// Variables left.
    left: usize,
    tables: Vec<NibbleTable>,
    /// The eq weight of each setting of the bound variables, the last bound lowest.
    bound: Vec<F128>,
}

impl Nibbles<'_> {
    /// The values of nibble `h` at `out.len()` positions from `start` of a run of `2^vars`, the bound
    /// variables and the run's number above them: `sum_p bound[p] H(index)`, by the nibble's [`Self::pair_tables`].
    fn look_up(
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
        match tables {
            [only] => {
                let mut pairs = [0; 1 << CHUNK_VARS];
                join(&mut pairs[..n], 0);
                kernels::gather(out, only, &pairs[..n]);
            }
            [first, second] => {
                let mut pairs = [[0; 1 << CHUNK_VARS]; 2];
                let [a, b] = pairs.each_mut().map(|pairs| &mut pairs[..n]);
                join(a, 0);
                join(b, 1);
                kernels::gather_two(out, [first, second], [a, b]);
            }
            _ => {
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
        }
    }

    /// For each two settings of the bound variables, which differ in the last: the sum of the weighted values of
    /// nibble `h` at two positions, by the byte that joins them.
    fn pair_tables(&self, h: usize) -> Vec<ByteTable> {
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

    /// Binds the highest variable.
    fn bind(&mut self, r: F128) {
        self.left -= 1;
        self.bound = self.bound.iter().flat_map(|&x| [x * (F128::ONE + r), x * r]).collect();
    }

    /// The values of nibble `h` as field elements.
    fn values(&self, h: usize, out: &mut [F128]) {
        let tables = self.pair_tables(h);
        let len = 1 << self.left.min(CHUNK_VARS);
        out.par_chunks_mut(len).enumerate().for_each(|(chunk, out)| {
            self.look_up(&tables, (self.left, 0, 1), chunk * len, h, out);
        });
    }
}

/// Both nibbles, of which two more variables are bound at once.
struct Looked<'a> {
    nibbles: Nibbles<'a>,
    /// eq's point for the variables beyond these two, lowest first.
    z: Vec<F128>,
}

impl Factors for Looked<'_> {
    fn grid(&self, corner: Corner) -> Grid {
        let vars = self.z.len();
        let (inner, outer) = self.z.split_at(vars.min(GRID_VARS));
        let (inner, outer) = (kernels::eq_table(inner), kernels::eq_table(outer));
        let len = inner.len();
        let tables = [0, 1].map(|h| self.nibbles.pair_tables(h));
        let scratch = || vec![F128::ZERO; 8 * len];
        let grids = outer.par_iter().enumerate().map_init(scratch, |scratch, (chunk, &weight)| {
            for (at, out) in scratch.chunks_exact_mut(len).enumerate() {
                let h = at / 4;
                self.nibbles.look_up(&tables[h], (vars, at % 4, 4), chunk * len, h, out);
            }
            // The first variable is the highest bit of the run's number.
            let side = |h: usize| [0, 2, 1, 3].map(|run| &scratch[(4 * h + run) * len..][..len]);
            let mut grid = kernels::product_grid(&inner, side(0), side(1), corner);
            kernels::scale(&mut grid, weight);
            grid
        });
        grids.reduce(Grid::default, add_grids)
    }

    fn fold(&self, weights: [F128; 3]) -> Buffer {
        let first = F128::ONE + weights.iter().copied().sum();
        let four = |&x: &F128| [first, weights[1], weights[0], weights[2]].map(|w| x * w);
        let bound = self.nibbles.bound.iter().flat_map(four).collect();
        let nibbles = Nibbles { left: self.z.len(), bound, ..self.nibbles.clone() };
        let mut both = Buffer::unspecified(2 << nibbles.left);
        let halves = both.chunks_exact_mut(1 << nibbles.left);
        halves.enumerate().for_each(|(h, out)| nibbles.values(h, out));
        both
    }
}

/// The instance; variables are bound highest first.
pub(super) struct NibbleProduct<'a> {
    nibbles: Nibbles<'a>,
    z: Vec<F128>,
    factored: EqFactored,
    /// What is left once the first variables are bound.
    rest: Rest<'a>,
}

/// A nibble's or two nibbles' values.
enum Rest<'a> {
    LookedUp,
    One(Buffer),
    Two(Box<PairProduct<'a>>),
}

impl<'a> NibbleProduct<'a> {
    /// The instance for the claim `sum`; `z` has a coordinate for each variable of a position, at least four.
    pub(super) fn new(bytes: &'a [u8], z: Vec<F128>, sigma: &[F128], sum: F128) -> Self {
        assert_eq!(bytes.len(), 1 << z.len());
        let tables = sigma.chunks(NIBBLE).map(nibble_table).collect();
        let nibbles = Nibbles { bytes, left: z.len(), tables, bound: vec![F128::ONE] };
        Self { nibbles, z, factored: EqFactored::new(sum), rest: Rest::LookedUp }
    }

    /// The nibbles' values at the bound point.
    pub(super) fn values(&self) -> Vec<F128> {
        match &self.rest {
            Rest::Two(product) => product.values().to_vec(),
            Rest::One(values) => vec![values[0]],
            Rest::LookedUp => unreachable!("more variables than are looked up"),
        }
    }

    /// eq's tables for the variables of a chunk and for those of its number, all but the highest that is left.
    fn weights(&self) -> (Vec<F128>, Vec<F128>) {
        let rest = self.nibbles.left - 1;
        let (inner, outer) = self.z[..rest].split_at(rest.min(CHUNK_VARS));
        (kernels::eq_table(inner), kernels::eq_table(outer))
    }

    /// The first round's value at 1 (at 0 where `flip`), and what it and the value at 0 leave of the leading coefficient:
    /// of one position's nibble by the other's. Products of two nibbles' values at two positions are values of the byte that
    /// takes a nibble from each.
    fn first_sums(&self, flip: bool) -> (F128, F128) {
        let (inner, outer) = self.weights();
        let len = inner.len();
        let table: ByteTable = core::array::from_fn(|v| {
            let tables = self.nibbles.tables.iter().enumerate();
            tables.map(|(h, t)| t[v >> (NIBBLE * h) & 0xf]).product()
        });
        let (lo, hi) = self.nibbles.bytes.split_at(self.nibbles.bytes.len() / 2);
        let (lo, hi) = if flip { (hi, lo) } else { (lo, hi) };
        let chunks = outer.par_iter().zip(lo.par_chunks(len).zip(hi.par_chunks(len)));
        let sums = chunks.map_init(
            || vec![F128::ZERO; len],
            |values, (&weight, (lo, hi))| {
                kernels::gather(values, &table, hi);
                let at_one = kernels::inner_product(&inner, values);
                let mut mixed = [[0; 1 << CHUNK_VARS]; 2];
                let [low_of_lo, low_of_hi] = mixed.each_mut().map(|bytes| &mut bytes[..len]);
                let bytes = low_of_lo.iter_mut().zip(low_of_hi.iter_mut());
                for ((a, b), (&lo, &hi)) in bytes.zip(lo.iter().zip(hi)) {
                    let upper = (lo ^ hi) & 0xf0;
                    (*a, *b) = (lo ^ upper, hi ^ upper);
                }
                kernels::gather_two(values, [&table; 2], [low_of_lo, low_of_hi]);
                (weight * at_one, weight * kernels::inner_product(&inner, values))
            },
        );
        sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// The second round's sums.
    fn second_sums(&self, flip: bool) -> (F128, F128) {
        let rest = self.nibbles.left - 1;
        let (inner, outer) = self.weights();
        let len = inner.len();
        let n_nibbles = self.nibbles.tables.len();
        let tables: Vec<_> = (0..n_nibbles).map(|h| self.nibbles.pair_tables(h)).collect();
        let sums = outer.par_iter().enumerate().map_init(
            || vec![F128::ZERO; 4 * len],
            |scratch, (chunk, &weight)| {
                for (at, out) in scratch.chunks_exact_mut(len).take(2 * n_nibbles).enumerate() {
                    let (h, run) = (at / 2, (at % 2) ^ usize::from(flip));
                    self.nibbles.look_up(&tables[h], (rest, run, 2), chunk * len, h, out);
                }
                let part = |at: usize| &scratch[at * len..][..len];
                if n_nibbles == 1 {
                    return (weight * kernels::inner_product(&inner, part(1)), F128::ZERO);
                }
                let (at, leading) =
                    kernels::product_round(&inner, part(0), part(1), part(2), part(3));
                (weight * at, weight * leading)
            },
        );
        sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// The value at 1 (at 0 where `flip`) of the cofactor of eq, and the coefficient of `X^2`, which of one nibble is
    /// none; of the first round that of [`Self::first_sums`].
    fn sums(&self, flip: bool) -> (F128, F128) {
        match &self.rest {
            Rest::One(values) => {
                let (lo, hi) = values.split_at(1 << (self.nibbles.left - 1));
                let (inner, outer) = self.weights();
                let chunks = (if flip { lo } else { hi }).par_chunks(inner.len());
                let sums = chunks.zip(&outer);
                let sums = sums.map(|(x, &weight)| weight * kernels::inner_product(&inner, x));
                (sums.reduce(|| F128::ZERO, |a, b| a + b), F128::ZERO)
            }
            _ if self.is_first() => self.first_sums(flip),
            _ => self.second_sums(flip),
        }
    }

    fn is_first(&self) -> bool {
        self.nibbles.left == self.z.len()
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
        Shape { n_vars: self.z.len(), degree: 1 + self.nibbles.tables.len() }
    }

    fn round(&mut self) -> Vec<F128> {
        if let Rest::Two(product) = &mut self.rest {
            return product.round();
        }
        let z = self.z[self.nibbles.left - 1];
        let at_zero = (z == F128::ONE).then(|| self.sums(true).0);
        let (at_one, mut leading) = self.sums(false);
        if self.is_first() {
            leading += at_one + at_zero.unwrap_or_else(|| self.factored.at_zero(z, at_one));
        }
        let high = &[leading][..self.nibbles.tables.len() - 1];
        self.factored.round(z, (at_one, high), at_zero)
    }

    fn bind(&mut self, r: F128) {
        if let Rest::Two(product) = &mut self.rest {
            return product.bind(r);
        }
        self.factored.bind(Some(self.z[self.nibbles.left - 1]), r);
        if let Rest::One(values) = &mut self.rest {
            self.nibbles.left -= 1;
            let half = 1 << self.nibbles.left;
            let (lo, hi) = values.split_at_mut(half);
            kernels::fold(lo, hi, r);
            values.truncate(half);
            return;
        }
        self.nibbles.bind(r);
        let left = self.nibbles.left;
        if self.z.len() - left == LOOKUP_ROUNDS {
            self.rest = if self.nibbles.tables.len() == 1 {
                let mut values = Buffer::unspecified(1 << left);
                self.nibbles.values(0, &mut values);
                Rest::One(values)
            } else {
                let factored = core::mem::replace(&mut self.factored, EqFactored::new(F128::ZERO));
                let z = self.z[..left - 2].to_vec();
                let looked = Looked { nibbles: self.nibbles.clone(), z };
                let z = self.z[..left].iter().rev().copied().collect();
                Rest::Two(Box::new(PairProduct::of_factors(z, factored, Box::new(looked))))
            };
        }
    }
}
