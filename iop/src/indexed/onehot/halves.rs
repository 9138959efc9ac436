//! Stage 1 on one tile: `sum_x eq(z, x) prod_h H_h(nibble h of index(x))`, one nibble or two.

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};
use rayon::prelude::*;

use super::NIBBLE;
use super::nibbles::{Nibbles, nibble_table};
use super::single::SingleNibble;
use crate::buffer::Buffer;
use crate::multilinear::eq_tables;
use crate::product::{Factors, Folded, Grid, PairProduct, add_grids, line, quarters};
use crate::sumcheck::{Instance, Shape};

/// Variables of the weights that a chunk of a grid shares, so that its eight slices stay in the first cache.
const GRID_VARS: usize = 7;

/// The most of a chunk whose values are added to rows by nibbles: what the weights' multiples of them take fits into the second cache.
const MOST_ROW_VARS: usize = 9;

/// Variables of such a chunk where a quarter of the positions has `vars`: sixteen products for each of a chunk's positions, and 256 for each
/// chunk, are fewest where it has four times the root of them.
fn row_vars(vars: usize) -> usize {
    vars.min(2 + vars / 2).min(MOST_ROW_VARS)
}

/// Chunks of a task, at least.
const CHUNKS: usize = 8;

/// The instance; variables are bound highest first.
pub(super) enum NibbleProduct<'a> {
    One(Box<SingleNibble<'a>>),
    Two(Box<PairProduct<'a>>),
}

impl<'a> NibbleProduct<'a> {
    /// The instance for the tile's sum; `z` has a coordinate for each variable of a position, at least four.
    pub(super) fn new(bytes: &'a [u8], z: Vec<F128>, sigma: &[F128]) -> Self {
        assert_eq!(bytes.len(), 1 << z.len());
        let tables = sigma.chunks(NIBBLE).map(nibble_table).collect();
        let nibbles = Nibbles { bytes, left: z.len(), tables, bound: vec![F128::ONE] };
        if sigma.len() <= NIBBLE {
            return Self::One(Box::new(SingleNibble::new(nibbles, z)));
        }
        let (rest, top) = z.split_at(z.len() - 2);
        let bytes = Bytes::new(nibbles, rest.to_vec());
        let [at_zero, at_one, zero, one] = [0, 1, 2, 3].map(|d| bytes.sums[d][d]);
        let known = [line([at_zero, zero], top[0]), line([at_one, one], top[0])];
        let z = z.into_iter().rev().collect();
        Self::Two(Box::new(PairProduct::of_factors(z, known, Box::new(bytes))))
    }

    /// The claim, until a variable is bound.
    pub(super) fn sum(&self) -> F128 {
        match self {
            Self::One(nibble) => nibble.claim(),
            Self::Two(product) => product.claim(),
        }
    }

    /// The nibbles' values at the bound point.
    pub(super) fn values(&self) -> Vec<F128> {
        match self {
            Self::One(nibble) => vec![nibble.value()],
            Self::Two(product) => product.values().to_vec(),
        }
    }
}

impl Instance for NibbleProduct<'_> {
    fn shape(&self) -> Shape {
        match self {
            Self::One(nibble) => nibble.shape(),
            Self::Two(product) => product.shape(),
        }
    }

    fn round(&mut self) -> Vec<F128> {
        match self {
            Self::One(nibble) => nibble.round(),
            Self::Two(product) => product.round(),
        }
    }

    fn bind(&mut self, r: F128) {
        match self {
            Self::One(nibble) => nibble.bind(r),
            Self::Two(product) => product.bind(r),
        }
    }
}

/// Both nibbles, nothing bound.
struct Bytes<'a> {
    nibbles: Nibbles<'a>,
    /// eq's point for the variables beyond the first two, lowest first.
    z: Vec<F128>,
    /// The weighted sums of the products of the low nibble's value at one of four positions with the high one's at another, in the
    /// order of [`quarters`].
    sums: [[F128; 4]; 4],
}

impl<'a> Bytes<'a> {
    fn new(nibbles: Nibbles<'a>, z: Vec<F128>) -> Self {
        let [inner, outer] = eq_tables(&z, row_vars(z.len()));
        let len = inner.len();
        let [low, high] = [0, 1].map(|h| &nibbles.tables[h]);
        let mut multiples = vec![*high; len];
        for (multiple, &weight) in multiples.iter_mut().zip(&inner) {
            kernels::scale(multiple, weight);
        }
        let positions = quarters(nibbles.bytes);
        let chunks = outer.par_iter().enumerate().with_min_len(CHUNKS);
        let sums = chunks.map(|(chunk, &weight)| {
            let bytes = positions.map(|quarter| &quarter[chunk * len..][..len]);
            let mut sums = kernels::nibble_products(low, &multiples, bytes);
            kernels::scale(sums.as_flattened_mut(), weight);
            sums
        });
        let sums = sums.reduce(
            || [[F128::ZERO; 4]; 4],
            |mut x, y| {
                kernels::add_assign(x.as_flattened_mut(), y.as_flattened());
                x
            },
        );
        Self { nibbles, z, sums }
    }
}

impl<'a> Factors<'a> for Bytes<'a> {
    fn grid(&self, corner: Corner) -> Grid {
        let [at_zero, at_one, zero, one] = [0, 1, 2, 3].map(|d| self.sums[d][d]);
        // Both factors are sums over the positions at infinity.
        let both = |d: usize, e: usize| self.sums[d][e] + self.sums[e][d];
        let value = match corner {
            Corner::Neither => F128::ZERO,
            Corner::Zero => at_zero,
            Corner::One => at_one,
        };
        [
            value,
            at_zero + at_one + both(0, 1),
            zero,
            one,
            zero + one + both(2, 3),
            at_zero + zero + both(0, 2),
            at_one + one + both(1, 3),
            self.sums.as_flattened().iter().copied().sum(),
        ]
    }

    fn fold(&self, weights: [F128; 3]) -> Folded<'a> {
        let nibbles = self.nibbles.bind_two(weights);
        let z = self.z[..nibbles.left - 2].to_vec();
        Folded::Made(Box::new(Looked { nibbles, z }))
    }
}

/// Both nibbles with two variables bound, of which two more are bound at once.
struct Looked<'a> {
    nibbles: Nibbles<'a>,
    /// eq's point for the variables beyond these two, lowest first.
    z: Vec<F128>,
}

impl<'a> Factors<'a> for Looked<'a> {
    fn grid(&self, corner: Corner) -> Grid {
        let vars = self.z.len();
        let [inner, outer] = eq_tables(&self.z, GRID_VARS);
        let len = inner.len();
        let sums = [0, 1].map(|h| self.nibbles.sums(h));
        let scratch = || vec![F128::ZERO; 8 * len];
        let grids = outer.par_iter().enumerate().map_init(scratch, |scratch, (chunk, &weight)| {
            for (at, out) in scratch.chunks_exact_mut(len).enumerate() {
                let h = at / 4;
                self.nibbles.look_up(&sums[h], (vars, at % 4, 4), chunk * len, h, out);
            }
            // The first variable is the highest bit of the run's number.
            let side = |h: usize| [0, 2, 1, 3].map(|run| &scratch[(4 * h + run) * len..][..len]);
            let mut grid = kernels::product_grid(&inner, side(0), side(1), corner);
            kernels::scale(&mut grid, weight);
            grid
        });
        grids.reduce(Grid::default, add_grids)
    }

    fn fold(&self, weights: [F128; 3]) -> Folded<'a> {
        let nibbles = self.nibbles.bind_two(weights);
        let mut both = Buffer::unspecified(2 << nibbles.left);
        let halves = both.chunks_exact_mut(1 << nibbles.left);
        halves.enumerate().for_each(|(h, out)| nibbles.values(h, out));
        Folded::Elements(both)
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
            (sigma, z, challenges) in (1..=8usize, 7..=10usize).prop_flat_map(|(width, n)| {
                (vec(coordinate(), width), vec(coordinate(), n), vec(coordinate(), n))
            }),
            bytes in vec(any::<u8>(), 1 << 10),
        ) {
            let mask = u8::MAX >> (8 - sigma.len());
            let bytes: Vec<u8> = bytes[..1 << z.len()].iter().map(|byte| byte & mask).collect();
            let values = kernels::eq_table(&sigma);
            let weights = kernels::eq_table(&z);
            let terms = bytes.iter().zip(weights).map(|(&v, weight)| weight * values[usize::from(v)]);
            let claim: F128 = terms.sum();
            let mut product = NibbleProduct::new(&bytes, z.clone(), &sigma);
            prop_assert_eq!(product.sum(), claim);
            let (point, claim) = last_claim(&mut product, claim, challenges)?;
            prop_assert_eq!(eq(&z, &point) * product.values().into_iter().product::<F128>(), claim);
        }
    }
}
