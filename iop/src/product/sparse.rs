//! Levels of a tree most of whose columns are ones: only the others are kept, multiplied and bound.

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};
use rayon::prelude::*;

use super::LeafClaim;
use super::columns::sum_fours;
use super::halves::Halves;
use super::quad::{self, Grid, Quad};
use crate::buffer::Buffer;

/// A column of a level, by its number.
pub(super) type Column = (usize, Buffer);

/// A pair of columns of a level, `a` and then `b`, by its number.
struct Pair {
    number: usize,
    columns: Buffer,
}

/// The pairs of a level that are not ones, in the order of their numbers.
pub(super) struct Level(Vec<Pair>);

impl Level {
    /// Precondition: columns of `rows` elements in the order of their numbers.
    fn new(rows: usize, columns: &[Column]) -> Self {
        let pairs = columns.chunk_by(|(a, _), (b, _)| a / 2 == b / 2).map(|pair| {
            let mut columns = Buffer::unspecified(2 * rows);
            fill_group(rows, pair, &mut columns);
            Pair { number: pair[0].0 / 2, columns }
        });
        Self(pairs.collect())
    }

    /// The columns of the next level.
    fn products(&self, rows: usize) -> Vec<Column> {
        let product = |pair: &Pair| {
            let (a, b) = pair.columns.split_at(rows);
            let mut product = Buffer::unspecified(rows);
            kernels::mul(&mut product, a, b);
            (pair.number, product)
        };
        self.0.par_iter().map(product).collect()
    }

    /// All pairs, as a hypercube; `z` is eq's point in the order in which variables are bound.
    pub(super) fn halves(&self, rows: usize, z: &[F128]) -> Halves {
        let ones = vec![F128::ONE; 2 * rows];
        let n_pairs = self.0.last().map_or(0, |pair| pair.number + 1);
        let mut all = vec![&ones[..]; n_pairs];
        self.0.iter().for_each(|pair| all[pair.number] = &pair.columns);
        Halves::from_pairs(all.into_iter(), rows, z)
    }
}

/// Columns of one group of as many as `out` holds, ones where there is none.
fn fill_group(rows: usize, columns: &[Column], out: &mut [F128]) {
    let size = out.len() / rows;
    out.fill(F128::ONE);
    for (number, column) in columns {
        out[number % size * rows..][..rows].copy_from_slice(column);
    }
}

/// The groups of `size` columns that are not all ones, and their numbers.
pub(super) fn groups(rows: usize, size: usize, columns: &[Column]) -> (Buffer, Vec<usize>) {
    let groups: Vec<&[Column]> = columns.chunk_by(|(a, _), (b, _)| a / size == b / size).collect();
    let mut blocks = Buffer::unspecified(groups.len() * size * rows);
    for (group, out) in groups.iter().zip(blocks.chunks_mut(size * rows)) {
        fill_group(rows, group, out);
    }
    (blocks, groups.iter().map(|group| group[0].0 / size).collect())
}

/// The `depth` levels below the root over these columns of leaves, the leaves' first, and the root.
pub(super) fn levels(rows: usize, depth: usize, mut columns: Vec<Column>) -> (Vec<Level>, Buffer) {
    let mut levels = Vec::with_capacity(depth);
    for _ in 0..depth {
        let level = Level::new(rows, &columns);
        columns = level.products(rows);
        levels.push(level);
    }
    let root = columns.pop().map(|(_, root)| root);
    (levels, root.unwrap_or_else(|| vec![F128::ONE; rows].into()))
}

/// A level in the middle of its sumcheck, as [`Columns`](super::columns::Columns) has them: column variables are bound two
/// at a time. Quads of pairs that are ones add nothing to it.
pub(super) struct SparseColumns {
    rows: usize,
    level: Level,
    /// Variables that index the pairs.
    pub(super) n_vars: usize,
    ones: Vec<F128>,
    eq_rows: Vec<F128>,
    /// For each quad of pairs.
    eq_quads: Vec<F128>,
}

impl SparseColumns {
    /// Precondition: a level of more than four columns.
    pub(super) fn new(level: Level, rows: usize, claim: &LeafClaim<F128>) -> Self {
        let mut eq_rows = kernels::eq_table(&claim.row_point);
        eq_rows.truncate(rows);
        let n_vars = claim.col_point.len();
        let eq_quads = kernels::eq_table(&claim.col_point[2..]);
        Self { rows, level, n_vars, ones: vec![F128::ONE; rows], eq_rows, eq_quads }
    }

    /// The quads of pairs, each without those pairs that are ones.
    fn quads(&self) -> Vec<&[Pair]> {
        self.level.0.chunk_by(|a, b| a.number / 4 == b.number / 4).collect()
    }

    /// Both factors of a quad's four pairs.
    fn factors<'a>(&'a self, quad: &'a [Pair]) -> [[&'a [F128]; 4]; 2] {
        let mut factors = [[&self.ones[..]; 4]; 2];
        for pair in quad {
            for (factor, column) in factors.iter_mut().zip(pair.columns.chunks(self.rows)) {
                factor[pair.number % 4] = column;
            }
        }
        factors
    }

    /// The sum of the weights of all quads that are not ones.
    pub(super) fn weight(&self) -> F128 {
        let quads = self.quads().into_iter().map(|quad| self.eq_quads[quad[0].number / 4]);
        kernels::sum(&self.eq_rows) * quads.sum::<F128>()
    }

    /// The grid of the next two variables.
    pub(super) fn grid(&self, corner: Corner) -> Grid {
        let of_quad = |quad: &[Pair]| {
            let [a, b] = self.factors(quad);
            let sums = Quad { a, b }.grid(&self.eq_rows, corner);
            let mut total = Grid::default();
            kernels::add_scaled(&mut total, &sums, self.eq_quads[quad[0].number / 4]);
            total
        };
        self.quads().into_par_iter().map(of_quad).reduce(Grid::default, quad::add)
    }

    /// Binds two variables.
    pub(super) fn fold(&mut self, weights: [F128; 3]) {
        let of_quad = |quad: &[Pair]| {
            let mut columns = Buffer::unspecified(2 * self.rows);
            for (out, [first, rest @ ..]) in columns.chunks_mut(self.rows).zip(self.factors(quad)) {
                out.copy_from_slice(first);
                quad::fold(out, rest, weights);
            }
            Pair { number: quad[0].number / 4, columns }
        };
        self.level = Level(self.quads().into_par_iter().map(of_quad).collect());
        self.n_vars -= 2;
        self.eq_quads = sum_fours(&self.eq_quads);
    }

    /// Binds two variables, of which two or three are left, and leaves a hypercube; `z` is eq's point
    /// for the variables beyond, in the order in which they are bound.
    pub(super) fn fold_into_halves(&mut self, weights: [F128; 3], z: &[F128]) -> Halves {
        self.fold(weights);
        self.level.halves(self.rows, z)
    }
}
