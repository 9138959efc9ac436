//! One stage on one tile: `sum_x eq(z, x) sum_t lambda^t prod_d D_d(index(x))`, digits looked up.
//!
//! A term's two digits read disjoint bits of the index byte, so with
//! `F(byte) = sum_t lambda^t A_t(byte) B_t(byte)` every cross product `sum_t lambda^t A_t(a) B_t(b)` is
//! `F` of the byte that takes the first digits' bits from `a` and the second digits' from `b`. The first
//! rounds therefore need additions of table entries only, however many terms there are.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::{Digit, split};
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Variables of the weights that a chunk shares.
const CHUNK_VARS: usize = 9;

/// A function of the whole index byte. Only the first `2^w` entries are ever computed or read, `w` the
/// bits of an index.
type ByteTable = [F128; 256];

/// `table`, its first `entries` scaled.
fn scaled(table: &ByteTable, entries: usize, by: F128) -> ByteTable {
    let mut table = *table;
    kernels::scale(&mut table[..entries], by);
    table
}

/// `prod_{s in digit} (1 + sigma_s + bit_s(byte))` for every byte.
fn digit_table(sigma: &[F128], (start, width): Digit) -> ByteTable {
    let mut table = [F128::ONE; 256];
    for s in start..start + width {
        let factors = [F128::ONE + sigma[s], sigma[s]];
        for (byte, entry) in table.iter_mut().take(1 << sigma.len()).enumerate() {
            *entry *= factors[byte >> s & 1];
        }
    }
    table
}

/// One or two digits whose polynomials are multiplied.
struct Term {
    digits: Vec<Digit>,
    /// One for each digit, the first scaled by the term's power of `lambda`.
    tables: Vec<ByteTable>,
}

/// What the first rounds look up.
struct Lookup {
    /// The sum of all terms with two digits.
    pairs: ByteTable,
    /// The sum of all terms with one.
    singles: ByteTable,
    /// `2^w`, `w` the bits of an index.
    entries: usize,
    /// The bits that first digits read.
    first: u8,
    /// The eq weight of each setting of the bound variables, the last bound lowest.
    bound: Vec<F128>,
    /// Variables to bind before factors are held as field elements.
    rounds: usize,
}

/// The instance; variables are bound highest first.
pub(super) struct DigitProduct<'a> {
    bytes: &'a [u8],
    n_vars: usize,
    left: usize,
    terms: Vec<Term>,
    /// The inverses of the powers of `lambda`.
    unscale: Vec<F128>,
    lookup: Option<Lookup>,
    /// The digits' values at the positions left, once they are held as field elements: a run of
    /// `stride` a digit, of which the first `2^left` count.
    dense: Vec<F128>,
    stride: usize,
    z: Vec<F128>,
    factored: EqFactored,
}

impl<'a> DigitProduct<'a> {
    /// The stage to digits of `target` bits. `digits` are the current claims, `z` their point, and
    /// `room` is memory to work in, as [`Self::finish`] gives it back.
    pub(super) fn new(
        bytes: &'a [u8],
        z: Vec<F128>,
        sigma: &[F128],
        digits: &[(Digit, F128)],
        target: usize,
        lambda: F128,
        room: Vec<F128>,
    ) -> Self {
        let n_vars = z.len();
        assert_eq!(bytes.len(), 1 << n_vars);
        let claim = digits.iter().rev().fold(F128::ZERO, |acc, &(_, v)| acc * lambda + v);
        let inverse = lambda.invert();
        let (mut power, mut unscaled) = (F128::ONE, F128::ONE);
        let mut unscale = Vec::with_capacity(digits.len());
        let entries = 1 << sigma.len();
        let (mut pairs, mut singles) = ([F128::ZERO; 256], [F128::ZERO; 256]);
        let mut first = 0;
        let mut terms = Vec::with_capacity(digits.len());
        for &(digit, _) in digits {
            let digits = split(digit, target);
            let mut tables: Vec<ByteTable> =
                digits.iter().map(|&d| digit_table(sigma, d)).collect();
            kernels::scale(&mut tables[0][..entries], power);
            match &tables[..] {
                [a, b] => {
                    kernels::add_products(&mut pairs[..entries], &a[..entries], &b[..entries]);
                    let (start, width) = digits[0];
                    first |= (((1u16 << width) - 1) << start) as u8;
                }
                _ => kernels::add_assign(&mut singles[..entries], &tables[0][..entries]),
            }
            terms.push(Term { digits, tables });
            unscale.push(unscaled);
            power *= lambda;
            unscaled *= inverse;
        }
        let rounds = if target == 4 { 1 } else { 2 };
        let lookup = Lookup { pairs, singles, entries, first, bound: vec![F128::ONE], rounds };
        Self {
            bytes,
            n_vars,
            left: n_vars,
            terms,
            unscale,
            lookup: Some(lookup),
            dense: room,
            stride: 0,
            z,
            factored: EqFactored::new(claim),
        }
    }

    /// The digits' values at the bound point, and the memory.
    pub(super) fn finish(self) -> (Vec<(Digit, F128)>, Vec<F128>) {
        debug_assert!(self.left == 0 && self.lookup.is_none());
        let mut values = Vec::new();
        let mut dense = self.dense.iter().step_by(self.stride.max(1));
        for (term, &unscale) in self.terms.iter().zip(&self.unscale) {
            let scales = [unscale, F128::ONE];
            for (&digit, scale) in term.digits.iter().zip(scales) {
                let value = dense.next().copied().unwrap_or_default();
                values.push((digit, value * scale));
            }
        }
        (values, self.dense)
    }

    /// `t(1)` (or `t(0)` where `flip`) and the coefficient of `X^2` of the cofactor of eq.
    fn sums(&self, flip: bool) -> (F128, Vec<F128>) {
        let rest = self.left - 1;
        let chunk_vars = rest.min(CHUNK_VARS);
        let inner = kernels::eq_table(&self.z[..chunk_vars]);
        let outer = kernels::eq_table(&self.z[chunk_vars..rest]);
        let len = 1 << chunk_vars;
        let tables = self.lookup.as_ref().map(|l| l.scaled(flip));
        let sums = outer.par_iter().enumerate().map_init(
            || vec![F128::ZERO; 2 * len],
            |buffer, (chunk, &weight)| {
                let (at, leading) = buffer.split_at_mut(len);
                let start = chunk * len;
                match (&self.lookup, &tables) {
                    (Some(lookup), Some(tables)) => {
                        tables.sums(lookup, self.bytes, rest, start, at, leading);
                    }
                    _ => self.dense_sums(rest, start, flip, at, leading),
                }
                (
                    weight * kernels::inner_product(&inner, at),
                    weight * kernels::inner_product(&inner, leading),
                )
            },
        );
        let (at, leading) = sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1));
        (at, vec![leading])
    }

    /// Both cofactor values at the positions of a chunk, from field elements.
    fn dense_sums(
        &self,
        rest: usize,
        start: usize,
        flip: bool,
        at: &mut [F128],
        leading: &mut [F128],
    ) {
        let len = at.len();
        let range = (rest, start, len, flip);
        at.fill(F128::ZERO);
        leading.fill(F128::ZERO);
        let mut dense = self.dense.chunks(self.stride).map(|values| halves(values, range));
        for term in &self.terms {
            match (dense.next(), term.digits.len()) {
                (Some(a), 2) => {
                    if let Some(b) = dense.next() {
                        kernels::add_round_products(at, leading, a, b);
                    }
                }
                (Some((_, hi)), _) => kernels::add_assign(at, hi),
                (None, _) => unreachable!("a run for each digit"),
            }
        }
    }
}

/// The two halves of `values` over the positions of a chunk, exchanged where `flip`.
fn halves(
    values: &[F128],
    (rest, start, len, flip): (usize, usize, usize, bool),
) -> (&[F128], &[F128]) {
    let (lo, hi) = values.split_at(1 << rest);
    let hi = &hi[..1 << rest];
    let (lo, hi) = if flip { (hi, lo) } else { (lo, hi) };
    (&lo[start..start + len], &hi[start..start + len])
}

/// The tables of one lookup round, scaled by the weights of the bound variables.
struct ScaledTables {
    /// `bound[p] bound[q] pairs`, for `p <= q` at `q (q + 1) / 2 + p`.
    pairs: Vec<ByteTable>,
    /// `bound[p] singles`, or none.
    singles: Vec<ByteTable>,
    flip: bool,
}

impl Lookup {
    fn scaled(&self, flip: bool) -> ScaledTables {
        let scaled = |table, by| scaled(table, self.entries, by);
        let mut pairs = Vec::new();
        for (q, &y) in self.bound.iter().enumerate() {
            pairs.extend(self.bound[..=q].iter().map(|&x| scaled(&self.pairs, x * y)));
        }
        let singles = if self.singles[..self.entries].iter().all(|x| x.is_zero()) {
            Vec::new()
        } else {
            self.bound.iter().map(|&x| scaled(&self.singles, x)).collect()
        };
        ScaledTables { pairs, singles, flip }
    }
}

impl ScaledTables {
    fn pair(&self, p: usize, q: usize) -> &ByteTable {
        let (p, q) = (p.min(q), p.max(q));
        &self.pairs[q * (q + 1) / 2 + p]
    }

    /// Both cofactor values at `2^rest` positions from `start`, as many as `at` holds.
    fn sums(
        &self,
        lookup: &Lookup,
        bytes: &[u8],
        rest: usize,
        start: usize,
        at: &mut [F128],
        leading: &mut [F128],
    ) {
        let len = at.len();
        let block = |b: usize| &bytes[(b << rest) + start..][..len];
        let value = usize::from(!self.flip);
        let first = lookup.first;
        match lookup.bound.len() {
            1 => {
                self.mixed([(0, block(value))], first, at);
                self.mixed([(0, block(0)), (0, block(1))], first, leading);
            }
            2 => {
                self.mixed([(0, block(value)), (1, block(2 + value))], first, at);
                let all = [(0, block(0)), (0, block(1)), (1, block(2)), (1, block(3))];
                self.mixed(all, first, leading);
            }
            n => unreachable!("{n} settings of bound variables in a lookup round"),
        }
        for (p, table) in self.singles.iter().enumerate() {
            for (out, &byte) in at.iter_mut().zip(block(2 * p + value)) {
                *out += table[usize::from(byte)];
            }
        }
    }

    /// `out[x] = sum over pairs of sources of F(first digits of one, second digits of the other)`.
    fn mixed<const N: usize>(&self, sources: [(usize, &[u8]); N], first: u8, out: &mut [F128]) {
        let tables: [[&ByteTable; N]; N] = core::array::from_fn(|i| {
            core::array::from_fn(|j| self.pair(sources[i].0, sources[j].0))
        });
        for (x, out) in out.iter_mut().enumerate() {
            let bytes: [u8; N] = core::array::from_fn(|i| sources[i].1[x]);
            let mut sum = F128::ZERO;
            for i in 0..N {
                for j in 0..N {
                    let mix = bytes[i] & first | bytes[j] & !first;
                    sum += tables[i][j][usize::from(mix)];
                }
            }
            *out = sum;
        }
    }
}

impl Instance for DigitProduct<'_> {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: 3 }
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
        let n_digits: usize = self.terms.iter().map(|t| t.digits.len()).sum();
        let Some(lookup) = &mut self.lookup else {
            let runs = self.dense.par_chunks_mut(self.stride).take(n_digits);
            runs.for_each(|values| {
                let (lo, hi) = values.split_at_mut(1 << left);
                kernels::fold(lo, &hi[..1 << left], r);
            });
            return;
        };
        lookup.bound = lookup.bound.iter().flat_map(|&x| [x * (F128::ONE + r), x * r]).collect();
        if self.n_vars - left >= lookup.rounds {
            self.stride = 1 << left;
            if self.dense.len() < n_digits << left {
                self.dense = vec![F128::ZERO; n_digits << left];
            }
            let tables: Vec<&ByteTable> = self.terms.iter().flat_map(|t| &t.tables).collect();
            let runs = self.dense.par_chunks_mut(self.stride).zip(tables);
            let (bytes, entries, bound) = (self.bytes, lookup.entries, &lookup.bound);
            runs.for_each(|(values, table)| read(table, entries, bytes, bound, values));
            self.lookup = None;
        }
    }
}

/// A digit's values at the positions left, as many as `values` holds.
fn read(table: &ByteTable, entries: usize, bytes: &[u8], bound: &[F128], values: &mut [F128]) {
    let tables: Vec<ByteTable> = bound.iter().map(|&b| scaled(table, entries, b)).collect();
    let left = values.len();
    let chunk = left.min(1 << CHUNK_VARS);
    values.par_chunks_mut(chunk).enumerate().for_each(|(i, out)| {
        let block = |p: usize| &bytes[p * left + i * chunk..][..chunk];
        match &tables[..] {
            [a, b] => add_looked_up([a, b], [block(0), block(1)], out),
            [a, b, c, d] => {
                let blocks = [block(0), block(1), block(2), block(3)];
                add_looked_up([a, b, c, d], blocks, out);
            }
            _ => unreachable!("{} settings of bound variables", tables.len()),
        }
    });
}

/// `out[x] = sum_p tables[p][blocks[p][x]]`.
fn add_looked_up<const P: usize>(tables: [&ByteTable; P], blocks: [&[u8]; P], out: &mut [F128]) {
    let blocks = blocks.map(|block| &block[..out.len()]);
    for (x, out) in out.iter_mut().enumerate() {
        let entry = |p: usize| tables[p][usize::from(blocks[p][x])];
        *out = (0..P).map(entry).sum();
    }
}
