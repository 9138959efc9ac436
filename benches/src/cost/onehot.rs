//! One-hot stages (`iop::indexed::onehot`), for claims on views of these tiles and widths.

use binfer_field::coset::{BLOCKS, SIZE};
use binfer_field::count::Counts;

use super::ops::{
    chunks, draw, eq_table, factored, factored_round, invert, join, message_bytes, ops, sum, times,
    weighted,
};
use super::product::{lines_round, quarters, quartic_round};

/// Variables of the univariate round.
const LOG_SIZE: usize = SIZE.ilog2() as usize;

/// Blocks whose values are summed at a time in the univariate round.
const TASK: usize = 2 * BLOCKS;

/// A claim's share of a tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) vars: usize,
    pub(super) width: usize,
}

impl Job {
    fn nibbles(&self) -> impl Iterator<Item = usize> {
        let width = self.width;
        (0..width).step_by(4).map(move |first| 4.min(width - first))
    }

    fn n_nibbles(&self) -> usize {
        self.width.div_ceil(4)
    }

    /// Bytes to nibbles.
    fn stage_one(&self) -> Counts {
        if self.n_nibbles() == 1 { self.one_nibble() } else { self.two_nibbles() }
    }

    /// For each nibble, what a byte says of two positions under two settings of the variables bound, for `pairs`
    /// such two.
    fn pair_tables(&self, pairs: usize) -> Counts {
        times(pairs * self.n_nibbles(), ops(32, 0, 256))
    }

    /// The weights of bytes that are sorted into bins, and what `sums` sums over bins of `len` take in each chunk.
    fn histograms(left: usize, sums: usize, len: usize) -> Counts {
        chunks(left, 13, sums * (len + 1))
    }

    fn one_nibble(&self) -> Counts {
        // Sums of sixteen runs, in which four variables are bound.
        let mut total = sum([Self::histograms(self.vars - 4, 16, 16), ops(0, 0, 1 << self.vars)]);
        total += factored(self.vars);
        total += sum([eq_table(4), ops(16, 0, 16)]);
        // Values of the positions that are left are sums of eight look-ups.
        let left = self.vars - 4;
        total += sum([eq_table(4), self.pair_tables(8), ops(0, 0, 7 << left)]);
        for left in (1..=left).rev().chain((1..=4).rev()) {
            let half = 1 << (left - 1);
            total += sum([chunks(left - 1, 8, 1), ops(2 * half, 0, 3 * half)]);
            total += factored_round(1, false);
        }
        total
    }

    fn two_nibbles(&self) -> Counts {
        // Multiples of a chunk's weights by a nibble's values; four additions of four elements for four positions, and
        // their sums by the other nibble's values.
        let left = self.vars - 2;
        let inner = left.min(2 + left / 2).min(9);
        let mut total = sum([chunks(left, inner, 16), ops(16 << inner, 0, 16 << left)]);
        total += sum([times(1 << (left - inner), ops(256, 0, 256)), factored(self.vars)]);
        total += sum([ops(3, 0, 6), ops(0, 0, 30), ops(5, 0, 12)]);
        total += sum([factored_round(2, true), factored_round(2, false), ops(4, 0, 3)]);
        // The third and the fourth round in one pass, of sums of two look-ups; their binding, of eight.
        let mut left = self.vars - 2;
        let quarter = 1 << (left - 2);
        total += sum([self.pair_tables(2), chunks(left - 2, 7, 8)]);
        total += ops(12 * quarter, 0, (18 + 8) * quarter);
        total += sum([self.pair_tables(8), ops(16, 0, 3), ops(0, 0, 2 * 7 * quarter)]);
        total += two_rounds();
        left -= 2;
        while left >= 2 {
            total += sum([quarters(left - 2, (12, 18)), two_rounds()]);
            left -= 2;
        }
        if left == 1 {
            total += sum([ops(3, 0, 6), factored_round(2, true), ops(2, 0, 4)]);
        }
        total
    }

    /// The univariate round, but for what is once for all blocks whose claims are for one index point.
    fn univariate(&self) -> Counts {
        let vars = self.vars - LOG_SIZE;
        let (blocks, inner) = (1usize << vars, vars.min(TASK.ilog2() as usize));
        let outer = vars - inner;
        let mut total = sum([eq_table(inner), eq_table(outer), ops((1 << outer) + blocks, 0, 0)]);
        for planes in self.nibbles() {
            total += times(blocks, coset_products(planes));
        }
        total
    }

    /// The sumcheck over blocks.
    fn stage_two(&self) -> Counts {
        let n = self.vars - LOG_SIZE;
        let mut total = sum([ops(1, 0, self.width + 2), factored(n)]);
        // Bits are mapped twice: for the first round, and with its variable bound.
        let half = 1 << (n - 1);
        total += ops(0, 0, self.width * 2 * 2 * half);
        total += if half >= 1 << 7 {
            sum([ops(2 * SIZE, 0, 1), byte_tables(4), ops(0, 0, self.width * 4 * half)])
        } else {
            ops(self.width * half, 0, self.width * (2 * 2 + 2) * half)
        };
        for left in (1..=n).rev() {
            let rest = left - 1;
            let half = 1 << rest;
            total += sum([eq_table(rest.min(7)), eq_table(rest - rest.min(7))]);
            let chunks = 1 << rest.saturating_sub(7);
            total += times(chunks, ops(5 + 5 * self.n_nibbles(), 0, 5 + 5 * self.n_nibbles()));
            for planes in self.nibbles() {
                total += match planes {
                    4 if left < n => quartic_round(half),
                    _ => lines_round(planes.max(2), half),
                };
                if left < n {
                    total += ops(planes * half, 0, 2 * planes * half);
                }
            }
            total += factored_round(4, left == n);
        }
        total
    }
}

/// The univariate round's part that is once for these jobs, all of one index point: values on the domain, and what the
/// sums of products of bits count.
fn of_point(jobs: &[Job]) -> Counts {
    let Some(first) = jobs.first() else { return Counts::default() };
    let blocks: usize = jobs.iter().map(|job| 1 << (job.vars - LOG_SIZE)).sum();
    let nibbles = first.n_nibbles();
    let (tasks, left) = (blocks / TASK, blocks % TASK);
    let values = |blocks: usize| {
        if blocks < 256 { SIZE * blocks * nibbles } else { SIZE * blocks }
    };
    let mut total = ops(0, 0, tasks * values(TASK) + values(left));
    if blocks >= 256 {
        // Sums by bytes, added to those by nibbles.
        total += ops(0, 0, SIZE * 256 * nibbles);
    }
    // Coefficients, tables, values on the domain; the cosets' 272 sums, two of a pair of elements.
    let (pairs, values) = (136, 64 * SIZE);
    let of_pairs = ops(2 * pairs, 0, 4 * pairs);
    total += times(nibbles, ops(15 + values + 2 * pairs, 0, values + 4 * SIZE + 2 * pairs + 105));
    total += times(nibbles, of_pairs);
    total += ops(0, 0, nibbles * 512);
    total
}

/// The scalars of two rounds of a product of two factors, whose values are not known.
fn two_rounds() -> Counts {
    sum([ops(2, 0, 5), ops(4, 0, 9), ops(1, 0, 2), times(2, factored_round(2, false))])
}

/// A block of sixteen positions: products of extended bits at eight pairs of points of each coset.
fn coset_products(planes: usize) -> Counts {
    // Sets of two, three and four planes, summed on one, two and three cosets.
    let sets: [[usize; 3]; 5] = [[0; 3], [0; 3], [1, 0, 0], [3, 1, 0], [6, 4, 1]];
    let mut total = Counts::default();
    for (size, (n_sets, cosets)) in (2..).zip(sets[planes].into_iter().zip(1..)) {
        let sums = SIZE / 2 * cosets * n_sets;
        total.byte_products += (sums * (size - 1 + 16)) as u64;
        total.additions += sums as u64;
    }
    total
}

/// The image of a byte: a linear map.
fn embed() -> Counts {
    ops(0, 0, 16)
}

/// The Lagrange basis of the domain: the product of all but zero, its inverse, numerators from both sides.
fn lagrange() -> Counts {
    sum([times(4 * SIZE, embed()), ops(SIZE - 1, 0, 0), invert(), ops(3 * SIZE, 0, 2 * SIZE)])
}

/// The tables of a map of words of so many bytes.
fn byte_tables(bytes: usize) -> Counts {
    ops(0, 0, bytes * 255)
}

/// Both stages, of jobs by the index point that their claims are for.
pub(super) fn stages(points: &[Vec<Job>]) -> Counts {
    let jobs = points.concat();
    let mut total = sum(jobs
        .iter()
        .flat_map(|job| [ops(1, 0, 0), job.stage_one(), job.univariate(), job.stage_two()]));
    total += sum(points.iter().map(|jobs| of_point(jobs)));
    let first: Vec<_> = jobs.iter().map(|job| (job.vars, job.n_nibbles() + 2)).collect();
    let second: Vec<_> = jobs.iter().map(|job| (job.vars - LOG_SIZE, 6)).collect();
    total += sum([weighted(0, &first), join(jobs.len(), 2), draw(message_bytes([2, 1]))]);
    total += draw(message_bytes([4 * SIZE]));
    total += sum([weighted(0, &second), join(jobs.len(), 4), draw(message_bytes([4, 4]))]);
    // Q on the cosets that some products do not reach, with the images of all bytes.
    let reached = SIZE * SIZE * (3 + 2 * 2 + 3);
    total += sum([ops(reached, 0, reached), times(256, embed())]);
    // The Lagrange basis at z for the bits, with its subsets' tables, and once more for the words' weights.
    total += sum([times(2, lagrange()), byte_tables(2), eq_table(3), ops(128, 0, 0)]);
    total
}
