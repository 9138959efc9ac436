//! Stage 1 on one tile: `sum_x eq(z, x) prod_h H_h(nibble h of index(x))`, one nibble or two.

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};
use rayon::prelude::*;

use super::NIBBLE;
use super::nibbles::{Nibbles, nibble_table};
use super::single::SingleNibble;
use crate::buffer::Buffer;
use crate::product::{Factors, Folded, Grid, PairProduct, add_grids, line, quarters};
use crate::sumcheck::{Instance, Shape};

/// Variables of the weights that a chunk of a grid shares, so that its eight slices stay in the first cache.
const GRID_VARS: usize = 7;

/// The same of a chunk whose bytes are sorted into bins.
pub(super) const HISTOGRAM_VARS: usize = 13;

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
        let [at_zero, at_one, zero, one, ..] = bytes.sums;
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

/// Both nibbles, nothing bound. A product of two nibbles' values is one of the byte that they make.
struct Bytes<'a> {
    nibbles: Nibbles<'a>,
    /// eq's point for the variables beyond the first two, lowest first.
    z: Vec<F128>,
    /// The sums of that value over the bytes that [`kernels::grid_histograms`] sorts.
    sums: [F128; 9],
}

impl<'a> Bytes<'a> {
    fn new(nibbles: Nibbles<'a>, z: Vec<F128>) -> Self {
        let (inner, outer) = z.split_at(z.len().min(HISTOGRAM_VARS));
        let (inner, outer) = (kernels::eq_table(inner), kernels::eq_table(outer));
        let len = inner.len();
        let [low, high] = [0, 1].map(|h| &nibbles.tables[h]);
        let table: [F128; 256] = core::array::from_fn(|v| low[v & 0xf] * high[v >> NIBBLE]);
        let positions = quarters(nibbles.bytes);
        let sums = outer.par_iter().enumerate().map(|(chunk, &weight)| {
            let mut bins = [[F128::ZERO; 256]; 9];
            let bytes = positions.map(|quarter| &quarter[chunk * len..][..len]);
            kernels::grid_histograms(&mut bins, bytes, &inner);
            bins.each_ref().map(|bins| weight * kernels::inner_product(bins, &table))
        });
        let sums = sums.reduce(
            || [F128::ZERO; 9],
            |mut x, y| {
                kernels::add_assign(&mut x, &y);
                x
            },
        );
        Self { nibbles, z, sums }
    }
}

impl<'a> Factors<'a> for Bytes<'a> {
    fn grid(&self, corner: Corner) -> Grid {
        let [at_zero, at_one, zero, one, mixed @ ..] = self.sums;
        let [of_zero, of_one, at_zeros, at_ones, _] = mixed;
        let value = match corner {
            Corner::Neither => F128::ZERO,
            Corner::Zero => at_zero,
            Corner::One => at_one,
        };
        [
            value,
            at_zero + at_one + of_zero,
            zero,
            one,
            zero + one + of_one,
            at_zero + zero + at_zeros,
            at_one + one + at_ones,
            self.sums.iter().copied().sum(),
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
    use crate::multilinear::eq;
    use crate::sumcheck::univariate;

    /// Those that eq's point and challenges may be, besides.
    fn coordinate() -> impl Strategy<Value = F128> {
        prop_oneof![2 => any::<u128>().prop_map(F128::new), 1 => Just(F128::ONE), 1 => Just(F128::ZERO)]
    }

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
            let mut claim: F128 = terms.sum();
            let mut product = NibbleProduct::new(&bytes, z.clone(), &sigma);
            prop_assert_eq!(product.sum(), claim);
            for &r in &challenges {
                let round = product.round();
                prop_assert_eq!(univariate(&round, F128::ZERO) + univariate(&round, F128::ONE), claim);
                claim = univariate(&round, r);
                product.bind(r);
            }
            let point: Vec<F128> = challenges.into_iter().rev().collect();
            prop_assert_eq!(eq(&z, &point) * product.values().into_iter().product::<F128>(), claim);
        }
    }
}
