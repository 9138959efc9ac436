//! Stage 2 on one tile: `sum_y eq(w, y) sum_t mu^t prod_{s in t} (1 + sigma_s + b_s(z, y))`.

use binfer_field::{F128, WordMap, kernels};
use rayon::prelude::*;

use super::domain::{self, SIZE};
use super::{DEGREE, NIBBLE};
use crate::buffer::{self, Buffer};
use crate::multilinear::eq_tables;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Variables of the weights that a chunk shares.
const CHUNK_VARS: usize = 7;

/// Parallel tasks of a pass.
const TASKS: usize = 4;

/// Blocks of which a map that binds the highest variable as well takes less than to bind it afterwards.
const WORTH_A_MAP: usize = 1 << 7;

/// Takes a block's bits to the value at `z` of the polynomial that has them on the domain.
pub(super) struct Extension {
    basis: Vec<F128>,
    map: WordMap<1>,
}

impl Extension {
    pub(super) fn to(z: F128) -> Self {
        let basis = domain::lagrange(SIZE, z);
        Self { map: WordMap::new(&basis), basis }
    }

    /// That of two blocks' bits, of which the second weigh `r` and the first `1 + r`.
    fn bound(&self, r: F128) -> WordMap<2> {
        let weights = [F128::ONE + r, r].into_iter();
        let images = weights.flat_map(|w| self.basis.iter().map(move |&l| w * l));
        WordMap::new(&images.collect::<Vec<_>>())
    }
}

/// What factors are made of: of each plane the sixteen bits of each block, and `1 + sigma_s`.
pub(super) struct BlockBits<'a> {
    pub(super) planes: Vec<&'a [u16]>,
    pub(super) constants: Vec<F128>,
    pub(super) extension: &'a Extension,
}

impl BlockBits<'_> {
    /// Factors of plane `s` from block `first` on.
    fn fill(&self, s: usize, first: usize, out: &mut [F128]) {
        self.extension.map.apply_slice(out, [self.words(s, first, out.len())], self.constants[s]);
    }

    /// The same with the highest of `n_vars` variables of blocks bound to `r`: what fills them.
    fn fill_bound(&self, n_vars: usize, r: F128) -> impl Fn(usize, usize, &mut [F128]) + Sync + '_ {
        let half = 1 << (n_vars - 1);
        let map = (half >= WORTH_A_MAP).then(|| self.extension.bound(r));
        move |s, first, out| {
            if let Some(map) = &map {
                let both = [first, half + first].map(|at| self.words(s, at, out.len()));
                return map.apply_slice(out, both, self.constants[s]);
            }
            let mut hi = [F128::ZERO; WORTH_A_MAP];
            let hi = &mut hi[..out.len()];
            self.fill(s, first, out);
            self.fill(s, half + first, hi);
            kernels::fold(out, hi, r);
        }
    }

    /// The bits of `n` blocks of plane `s`.
    fn words(&self, s: usize, first: usize, n: usize) -> &[[u8; SIZE / 8]] {
        bytemuck::cast_slice(&self.planes[s][first..][..n])
    }
}

/// The instance; variables are bound highest first.
pub(super) struct BitProduct<'a> {
    left: usize,
    n_vars: usize,
    /// What factors are made of until the first variable is bound.
    bits: Option<BlockBits<'a>>,
    /// `1 + sigma_s + b_s(z, y)` for each bit, nibble by nibble: of half as many elements as blocks each, [`Self::stride`] apart, bound at
    /// their beginnings.
    factors: Buffer,
    mu: F128,
    w: Vec<F128>,
    factored: EqFactored,
    /// Those of the next round.
    sums: Sums,
}

/// Of the cofactor of eq in a round: its value at zero where it is asked for, then what [`kernels::quartic_round`] gives.
type Sums = [F128; DEGREE];

impl<'a> BitProduct<'a> {
    /// The instance over blocks, of which there are as many as `w` has vertices, two at least.
    pub(super) fn new(bits: BlockBits<'a>, mu: F128, w: Vec<F128>) -> Self {
        let n_vars = w.len();
        let sums = first_sums(&bits, &w, mu);
        let [at_zero, at_one, ..] = sums;
        let claim = at_zero + w[n_vars - 1] * (at_zero + at_one);
        let factored = EqFactored::new(claim, w.iter().rev());
        let (left, factors) = (n_vars, Buffer::default());
        Self { left, n_vars, bits: Some(bits), factors, mu, w, factored, sums }
    }

    /// Elements from one factor to the next.
    fn stride(&self) -> usize {
        buffer::pitch(1 << (self.n_vars - 1))
    }

    /// The bits' factors at the bound point.
    pub(super) fn values(&self) -> impl Iterator<Item = F128> + '_ {
        debug_assert_eq!(self.left, 0);
        self.factors.iter().step_by(self.stride()).copied()
    }
}

/// The sums over the variables `w` of blocks, the value at zero among them, of factors that are not kept.
fn first_sums(bits: &BlockBits<'_>, w: &[F128], mu: F128) -> Sums {
    let rest = w.len() - 1;
    let [inner, outer] = eq_tables(&w[..rest], CHUNK_VARS);
    let len = inner.len();
    let ones = vec![F128::ONE; len];
    let scratch = || vec![F128::ZERO; 2 * len * NIBBLE];
    let sums = outer.par_iter().enumerate().map_init(scratch, |scratch, (chunk, &weight)| {
        let mut total = Sums::default();
        // The factors of a nibble at a time, which stay in the first cache.
        for plane in (0..bits.planes.len()).step_by(NIBBLE).rev() {
            let n_planes = NIBBLE.min(bits.planes.len() - plane);
            let scratch = &mut scratch[..2 * len * n_planes];
            for (number, half) in scratch.chunks_mut(len).enumerate() {
                let first = ((number % 2) << rest) + chunk * len;
                bits.fill(plane + number / 2, first, half);
            }
            let halves = scratch.chunks(2 * len).map(|both| both.split_at(len).into());
            let halves = halves.collect::<Vec<_>>();
            let sums = of_chunk(&inner, &ones, &halves, &[], mu, true);
            total = core::array::from_fn(|i| total[i] * mu + sums[i]);
        }
        total.map(|sum| sum * weight)
    });
    sums.reduce(Sums::default, add)
}

/// The sums over the variables `w`, in one pass that also makes the factors' elements with `fill(s, first, out)`, at most a chunk at a
/// time; zeros if no variable is left. What `fill` reads for factor `s`, if that is elements, is `read[s]`.
fn sums(
    mut factors: Vec<&mut [F128]>,
    w: &[F128],
    mu: F128,
    read: &[&[F128]],
    fill: impl Fn(usize, usize, &mut [F128]) + Sync,
) -> Sums {
    let Some(rest) = w.len().checked_sub(1) else {
        factors.iter_mut().enumerate().for_each(|(s, factor)| fill(s, 0, factor));
        return Sums::default();
    };
    let at_zero = w[rest] == F128::ONE;
    let [inner, outer] = eq_tables(&w[..rest], CHUNK_VARS);
    let len = inner.len();
    let ones = vec![F128::ONE; len];
    let chunks_a_task = outer.len().div_ceil(TASKS);
    let task = len * chunks_a_task;
    // Of each task both halves of each factor.
    let mut tasks: Vec<Vec<[&mut [F128]; 2]>> =
        outer.chunks(chunks_a_task).map(|_| Vec::with_capacity(factors.len())).collect();
    for factor in factors {
        let (lo, hi) = factor.split_at_mut(1 << rest);
        let halves = lo.chunks_mut(task).zip(hi.chunks_mut(task));
        tasks.iter_mut().zip(halves).for_each(|(task, (lo, hi))| task.push([lo, hi]));
    }
    let sums = tasks.into_par_iter().zip(outer.par_chunks(chunks_a_task)).enumerate().map(
        |(t, (mut factors, outer))| {
            let mut total = Sums::default();
            for (chunk, &weight) in outer.iter().enumerate() {
                let at = chunk * len..(chunk + 1) * len;
                for (s, halves) in factors.iter_mut().enumerate() {
                    for (side, half) in halves.iter_mut().enumerate() {
                        fill(s, (side << rest) + t * task + at.start, &mut half[at.clone()]);
                    }
                }
                let mut ahead = Vec::new();
                if chunk + 1 < outer.len() {
                    // Both halves of the next chunk, and what they are made of.
                    for (s, halves) in factors.iter().enumerate() {
                        let [lo, hi] = halves.each_ref().map(|half| &half[at.end..][..len]);
                        let [read_lo, read_hi] = read.get(s).map_or([&[][..]; 2], |of| {
                            [0, 1 << rest].map(|side| &of[side + t * task + at.end..][..len])
                        });
                        ahead.push([lo, hi, read_lo, read_hi].map(bytemuck::cast_slice));
                    }
                }
                let halves = factors.iter().map(|halves| halves.each_ref().map(|h| &h[at.clone()]));
                let halves = halves.collect::<Vec<_>>();
                let sums = of_chunk(&inner, &ones, &halves, &ahead, mu, at_zero);
                total = add(total, sums.map(|sum| sum * weight));
            }
            total
        },
    );
    sums.reduce(Sums::default, add)
}

/// The sums of the weighted sum of both nibbles' products, of both halves of each factor, of which that is fetched meanwhile that is `ahead`;
/// `ones` are the second factor of a nibble of one.
fn of_chunk(
    weights: &[F128],
    ones: &[F128],
    factors: &[[&[F128]; 2]],
    ahead: &[[&[u8]; 4]],
    mu: F128,
    at_zero: bool,
) -> Sums {
    let mut total = Sums::default();
    for (t, nibble) in factors.chunks(NIBBLE).enumerate().rev() {
        let half = |side: usize| -> [&[F128]; NIBBLE] {
            core::array::from_fn(|s| nibble.get(s).map_or(ones, |halves| halves[side]))
        };
        let sums = if nibble.len() == NIBBLE && !at_zero {
            let ahead = ahead.chunks(NIBBLE).nth(t).unwrap_or_default().as_flattened();
            let [at_one, second, third, fourth] =
                kernels::quartic_round(Some(weights), half(0), half(1), ahead);
            [F128::ZERO, at_one, second, third, fourth]
        } else {
            let n = nibble.len().max(2);
            let all = kernels::lines_round(weights, &half(0)[..n], &half(1)[..n]);
            let [constant, _, second, third, fourth, ..] = all;
            [constant, kernels::sum(&all), second + constant, third, fourth]
        };
        total = core::array::from_fn(|i| total[i] * mu + sums[i]);
    }
    total
}

fn add(a: Sums, b: Sums) -> Sums {
    core::array::from_fn(|i| a[i] + b[i])
}

impl Instance for BitProduct<'_> {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: DEGREE }
    }

    fn round(&mut self) -> Vec<F128> {
        let [at_zero, sums @ ..] = self.sums;
        let z = self.w[self.left - 1];
        let is_known = self.left == self.n_vars || z == F128::ONE;
        self.factored.round_of_quartic(z, sums, is_known.then_some(at_zero))
    }

    fn bind(&mut self, r: F128) {
        self.factored.bind(Some(self.w[self.left - 1]), r);
        self.left -= 1;
        let (half, w, stride) = (1 << self.left, &self.w[..self.left], self.stride());
        if let Some(bits) = self.bits.take() {
            self.factors = Buffer::unspecified(bits.planes.len() * stride);
            let factors = self.factors.chunks_mut(stride).map(|f| &mut f[..half]).collect();
            let fill = bits.fill_bound(self.n_vars, r);
            self.sums = sums(factors, w, self.mu, &[], fill);
            return;
        }
        let factors = self.factors.chunks_mut(stride);
        let halves = factors.map(|values| {
            let (lower, upper) = values[..2 * half].split_at_mut(half);
            (lower, &*upper)
        });
        let (lower, upper): (Vec<_>, Vec<_>) = halves.unzip();
        self.sums = sums(lower, w, self.mu, &upper, |s, first, out| {
            kernels::fold(out, &upper[s][first..][..out.len()], r);
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::indexed::onehot::rounds::{coordinate, last_claim};
    use crate::multilinear::eq;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn rounds_add_up_to_the_sum(
            (constants, w, challenges) in (1..=8usize, 1..=14usize).prop_flat_map(|(width, n)| {
                (vec(coordinate(), width), vec(coordinate(), n), vec(coordinate(), n))
            }),
            blocks in vec(any::<u16>(), 8 << 14),
            [z, mu] in any::<[u128; 2]>(),
        ) {
            let (n, mu) = (1 << w.len(), F128::new(mu));
            let planes: Vec<&[u16]> = blocks.chunks(1 << 14).map(|p| &p[..n]).take(constants.len()).collect();
            let extension = Extension::to(F128::new(z));
            let bits = || BlockBits { planes: planes.clone(), constants: constants.clone(), extension: &extension };
            let mut values = vec![vec![F128::ZERO; n]; planes.len()];
            values.iter_mut().enumerate().for_each(|(s, out)| bits().fill(s, 0, out));
            let of_nibbles = |factors: &[F128]| -> F128 {
                let nibbles = factors.chunks(NIBBLE).rev().map(|nibble| nibble.iter().copied().product());
                nibbles.fold(F128::ZERO, |total: F128, product: F128| total * mu + product)
            };
            let weights = kernels::eq_table(&w);
            let at = |y: usize| values.iter().map(|v| v[y]).collect::<Vec<_>>();
            let claim: F128 = (0..n).map(|y| weights[y] * of_nibbles(&at(y))).sum();
            let mut product = BitProduct::new(bits(), mu, w.clone());
            let (point, claim) = last_claim(&mut product, claim, challenges)?;
            let values: Vec<F128> = product.values().collect();
            prop_assert_eq!(eq(&w, &point) * of_nibbles(&values), claim);
        }
    }
}
