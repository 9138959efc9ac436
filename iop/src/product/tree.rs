//! The prover's product tree: every level of a box but its factors, where they can be made again.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::columns::Columns;
use super::halves::Halves;
use super::instance::{BoxProduct, Factors};
use super::leaves::{Leaves, Made};
use super::pairs::{PairProduct, State};
use super::shape::{FOUR, LONG};
use super::sparse::{self, SparseColumns};
use super::{BoxShape, LeafClaim};
use crate::buffer::Buffer;

/// Elements a parallel task should have at least.
pub(crate) const TASK: usize = 1 << 12;

/// Rows of blocks that are multiplied at a time.
const RUN: usize = 1 << 8;

/// Elements that stay in the second cache while a task builds levels over them.
const CACHED: usize = 1 << 15;

/// All levels of one tree.
pub struct Tree<'a> {
    shape: BoxShape,
    /// The factors of the leaves of the box that is argued, where there is more than one.
    factors: Option<Factors<'a>>,
    levels: Levels,
}

/// The levels of the box that is argued.
enum Levels {
    /// Of few rows: both sides padded with ones to powers of two, each level one vector, the leaves'
    /// first. A column's lowest bit is the highest of its place, so that pairs are halves.
    Short(Vec<Vec<F128>>),
    /// Of many rows.
    Long(Long),
    /// Of columns most of which are ones: the levels from the leaves', and the root.
    Sparse { nodes: Vec<sparse::Level>, root: Buffer },
}

/// Levels of blocks `[column][row]`, made even by a column of ones but for the root.
struct Long {
    /// The lowest, where it was there before.
    leaves: Option<Buffer>,
    /// The others, one behind the other, in one buffer: as long as what factors that are made are bound to once it is gone.
    nodes: Buffer,
    /// Where each of them begins, the lowest first, and where the root ends.
    starts: Vec<usize>,
}

impl Long {
    fn level(&mut self, level: usize) -> &mut [F128] {
        let above = match (level, &mut self.leaves) {
            (0, Some(leaves)) => return leaves,
            (_, leaves) => level - usize::from(leaves.is_some()),
        };
        &mut self.nodes[self.starts[above]..self.starts[above + 1]]
    }

    fn root(&self) -> &[F128] {
        match (&self.starts[..], &self.leaves) {
            ([.., start, end], _) => &self.nodes[*start..*end],
            (_, Some(leaves)) => leaves,
            _ => &[],
        }
    }
}

impl<'a> Tree<'a> {
    /// Builds the tree over `factors`, laid out `[column][factor][row]`.
    ///
    /// # Panics
    /// Where `factors` has not `rows * cols * fan_in` elements.
    pub fn new(shape: BoxShape, factors: impl Into<Buffer>) -> Self {
        let mut factors = factors.into();
        assert_eq!(factors.len(), shape.rows * shape.cols * shape.fan_in);
        let argued = shape.argued();
        if argued.fan_in == 1 {
            return Self { shape, factors: None, levels: levels(argued, factors) };
        }
        let len = argued.rows * argued.cols * argued.fan_in;
        if factors.len() < len {
            let mut all = Buffer::unspecified(len);
            let (inside, outside) = all.split_at_mut(factors.len());
            inside.copy_from_slice(&factors);
            outside.fill(F128::ONE);
            factors = all;
        }
        let leaves = multiply_blocks(&factors, argued.rows, argued.fan_in);
        let factors = Factors::Stored(factors, (0..argued.cols).collect());
        Self { shape, factors: Some(factors), levels: levels(argued, leaves) }
    }

    /// Builds the tree over factors, blocks `[column][factor]`, that are not kept where there are many.
    pub fn over(shape: BoxShape, factors: Box<dyn Leaves + 'a>) -> Self {
        let BoxShape { rows, cols, fan_in } = shape;
        let argued = shape.argued();
        if argued.fan_in == 1 || argued.cols == 1 {
            let mut all = Buffer::unspecified(rows * cols * fan_in);
            all.par_chunks_mut(rows).enumerate().for_each(|(g, out)| factors.fill(g, 0, out));
            return Self::new(shape, all);
        }
        let made = Made::new(factors, cols * fan_in);
        let leaf =
            |c: usize, out: &mut [F128]| made.multiply(c * argued.fan_in, argued.fan_in, out);
        let levels = if rows < LONG {
            let mut leaves = Buffer::unspecified(rows * argued.cols);
            leaves.par_chunks_mut(rows).enumerate().for_each(|(c, column)| leaf(c, column));
            short(argued, &leaves)
        } else {
            long(argued, None, leaf)
        };
        Self { shape, factors: Some(Factors::Made(made)), levels }
    }

    /// Builds the tree over leaves of one factor that are ones but for these columns, `rows` leaves each.
    ///
    /// # Panics
    /// Where the columns' numbers are not in order and below `cols`, or columns have not `rows` elements.
    pub fn sparse(rows: usize, cols: usize, columns: Vec<(usize, Buffer)>) -> Self {
        assert!(columns.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(columns.iter().all(|(number, column)| *number < cols && column.len() == rows));
        let shape = BoxShape { rows, cols, fan_in: 1 };
        if rows < LONG {
            let mut all = vec![F128::ONE; rows * cols];
            for (number, column) in &columns {
                all[number * rows..][..rows].copy_from_slice(column);
            }
            return Self::new(shape, all);
        }
        let argued = shape.argued();
        let depth = argued.col_vars();
        if !shape.is_in_fours() {
            let (nodes, root) = sparse::levels(rows, depth, columns);
            return Self { shape, factors: None, levels: Levels::Sparse { nodes, root } };
        }
        let (factors, kept) = sparse::groups(rows, FOUR, &columns);
        let products = multiply_blocks(&factors, rows, FOUR);
        let leaves = kept.iter().copied().zip(products.chunks(rows));
        let leaves = leaves.map(|(number, column)| (number, column.to_vec().into()));
        let (nodes, root) = sparse::levels(rows, depth, leaves.collect());
        let factors = Some(Factors::Stored(factors, kept));
        Self { shape, factors, levels: Levels::Sparse { nodes, root } }
    }

    /// Most bytes that a tree of this shape holds until it is argued, tables that its factors are `made` from
    /// left out.
    pub fn bytes(shape: BoxShape, made: bool) -> u128 {
        let shape = shape.argued();
        let [rows, cols, fan_in] = [shape.rows, shape.cols, shape.fan_in].map(|n| n as u128);
        let col_vars = shape.col_vars();
        let leaves = rows * cols;
        let levels = if rows < LONG as u128 || cols <= 4 {
            leaves + (2u128 << (shape.row_vars() + col_vars))
        } else {
            // A column more a level, to make it even.
            2 * leaves + 2 * rows * (col_vars as u128 + 2)
        };
        // Factors, and once the levels are gone what they are bound to, and one column that is padded.
        let (factors, bound) = match (fan_in, made) {
            (..=1, _) => (0, 0),
            (_, false) => (fan_in * leaves, 0),
            (_, true) => (0, fan_in * rows * cols.div_ceil(2)),
        };
        let bound = bound + 2 * fan_in * rows;
        size_of::<F128>() as u128 * (factors + levels.max(bound))
    }

    /// The products, one a row.
    pub fn outputs(&self) -> &[F128] {
        let root = match &self.levels {
            Levels::Short(levels) => levels.last().map_or(&[][..], Vec::as_slice),
            Levels::Long(levels) => levels.root(),
            Levels::Sparse { root, .. } => root,
        };
        &root[..self.shape.rows]
    }

    /// The box.
    pub fn shape(&self) -> BoxShape {
        self.shape
    }

    /// The sumcheck that takes leaves apart into their factors, of which there is more than one. The last of all.
    /// The leaves are `known` at both values of their first variable, if they have columns.
    pub(super) fn split(
        &mut self,
        claim: &LeafClaim<F128>,
        known: Option<[F128; 2]>,
    ) -> Option<BoxProduct<'a>> {
        Some(BoxProduct::over(self.shape.argued(), self.factors.take()?, claim, known))
    }

    /// The sumcheck that reduces a claim on the level above `level` to claims on the even and the odd
    /// columns of `level`. Spoils the level; the levels are taken from the root down.
    pub(super) fn level(
        &mut self,
        level: usize,
        claim: &LeafClaim<F128>,
        known: Option<[F128; 2]>,
    ) -> PairProduct<'_> {
        let BoxShape { rows, cols, .. } = self.shape.argued();
        let cols = cols.div_ceil(1 << level);
        let col_point = &claim.col_point[..];
        let z: Vec<F128> = col_point.iter().chain(claim.row_point.iter().rev()).copied().collect();
        let state = match &mut self.levels {
            Levels::Short(levels) => {
                levels.truncate(level + 1);
                State::Halves(Halves::new(levels.pop().unwrap_or_default(), &z))
            }
            Levels::Sparse { nodes, .. } => {
                nodes.truncate(level + 1);
                match nodes.pop() {
                    Some(nodes) if cols > 4 => {
                        State::Sparse(SparseColumns::new(nodes, rows, claim))
                    }
                    Some(nodes) => State::Halves(nodes.halves(rows, &z)),
                    None => unreachable!("{ONE_COLUMN}"),
                }
            }
            Levels::Long(levels) => {
                let nodes = levels.level(level);
                if cols > 4 {
                    State::Columns(Columns::new(nodes, rows, claim))
                } else {
                    State::Halves(Halves::from_pairs(nodes.chunks(2 * rows), rows, &z))
                }
            }
        };
        PairProduct::new(z, claim.values[0], known, state)
    }
}

const ONE_COLUMN: &str = "a tree of one column has no level to argue";

/// Multiplies runs of `fan_in` blocks of `rows` elements.
fn multiply_blocks(data: &[F128], rows: usize, fan_in: usize) -> Buffer {
    let mut out = Buffer::unspecified(data.len() / fan_in);
    let columns = TASK.div_ceil(rows * fan_in);
    out.par_chunks_mut(columns * rows).zip(data.par_chunks(columns * rows * fan_in)).for_each(
        |(out, data)| {
            for (product, block) in out.chunks_mut(rows).zip(data.chunks(rows * fan_in)) {
                let (first, rest) = block.split_at(rows);
                if rows < 4 {
                    for (r, (p, &f)) in product.iter_mut().zip(first).enumerate() {
                        *p = rest.iter().skip(r).step_by(rows).fold(f, |p, &x| p * x);
                    }
                    continue;
                }
                // Run by run, so that the product stays in the first cache.
                let (second, rest) = rest.split_at(rows);
                let runs = first.chunks(RUN).zip(second.chunks(RUN)).enumerate();
                for ((run, (first, second)), product) in runs.zip(product.chunks_mut(RUN)) {
                    kernels::mul(product, first, second);
                    for factor in rest.chunks(rows) {
                        kernels::mul_assign(product, &factor[run * RUN..][..first.len()]);
                    }
                }
            }
        },
    );
    out
}

/// Leaves with a column of ones more where theirs are odd and more than one.
fn even(shape: BoxShape, leaves: Buffer) -> Buffer {
    if shape.cols.is_multiple_of(2) || shape.cols == 1 {
        return leaves;
    }
    let mut all = Buffer::unspecified(leaves.len() + shape.rows);
    let (most, last) = all.split_at_mut(leaves.len());
    most.copy_from_slice(&leaves);
    last.fill(F128::ONE);
    all
}

/// The levels over leaves that are stored.
fn levels(shape: BoxShape, leaves: Buffer) -> Levels {
    if shape.rows < LONG {
        short(shape, &leaves)
    } else {
        long(shape, Some(even(shape, leaves)), |_, _| ())
    }
}

fn short(shape: BoxShape, leaves: &[F128]) -> Levels {
    let (rows, n_cols) = (shape.rows, shape.col_vars());
    let padded = 1 << shape.row_vars();
    let mut level = vec![F128::ONE; padded << n_cols];
    for (c, column) in leaves.chunks(rows).enumerate() {
        let place = (c << 1).reverse_bits() >> (usize::BITS as usize - 1 - n_cols);
        level[place * padded..][..rows].copy_from_slice(column);
    }
    let mut levels = Vec::with_capacity(n_cols + 1);
    for _ in 0..n_cols {
        let (even, odd) = level.split_at(level.len() / 2);
        let mut next = F128::zeros(even.len());
        let chunks = even.par_chunks(TASK).zip(odd.par_chunks(TASK));
        next.par_chunks_mut(TASK).zip(chunks).for_each(|(next, (a, b))| kernels::mul(next, a, b));
        levels.push(core::mem::replace(&mut level, next));
    }
    levels.push(level);
    Levels::Short(levels)
}

/// The levels above `leaves`, which are even, or if there are none above what `leaf` makes the columns of.
fn long(
    shape: BoxShape,
    leaves: Option<Buffer>,
    leaf: impl Fn(usize, &mut [F128]) + Sync,
) -> Levels {
    let BoxShape { rows, cols, fan_in } = shape;
    let depth = shape.col_vars();
    let width = |level: usize| cols.div_ceil(1 << level);
    let size = |level: usize| match width(level) {
        1 => rows,
        n => n.next_multiple_of(2) * rows,
    };
    let lowest = usize::from(leaves.is_some());
    let mut starts = vec![0];
    starts.extend((lowest..=depth).scan(0, |end, level| {
        *end += size(level);
        Some(*end)
    }));
    let folded = if lowest == 0 { cols.div_ceil(2) * fan_in * rows } else { 0 };
    let mut nodes = Buffer::unspecified(starts[starts.len() - 1].max(folded));
    // Levels that a task builds at a time.
    let at_a_time = (CACHED / rows).checked_ilog2().unwrap_or(0).max(1) as usize;
    let (mut below, mut above) = (leaves.as_deref(), &mut nodes[..]);
    let mut next = lowest;
    while next <= depth {
        let end = (depth + 1).min(next + at_a_time);
        let mut levels: Vec<&mut [F128]> = Vec::with_capacity(end - next);
        for level in next..end {
            let (nodes, rest) = above.split_at_mut(size(level));
            nodes[width(level) * rows..].fill(F128::ONE);
            levels.push(nodes);
            above = rest;
        }
        let columns = levels.iter_mut().map(|nodes| &mut **nodes).collect();
        match below {
            None => build(columns, rows, width(next), &leaf),
            Some(below) => build(columns, rows, width(next), |c, out| {
                let (a, b) = below[2 * c * rows..][..2 * rows].split_at(rows);
                kernels::mul(out, a, b);
            }),
        }
        (below, next) = (levels.pop().map(|nodes| &*nodes), end);
    }
    Levels::Long(Long { leaves, nodes, starts })
}

/// Fills levels of a tree, the lowest first, whose lowest has `n` columns that `first` makes.
///
/// Each task makes one column of the highest level, and columns as soon as those that they are
/// products of are there, so that these are still in cache.
fn build(
    levels: Vec<&mut [F128]>,
    rows: usize,
    n: usize,
    first: impl Fn(usize, &mut [F128]) + Sync,
) {
    let width = 1usize << (levels.len() - 1);
    let mut tasks: Vec<Vec<&mut [F128]>> = (0..n.div_ceil(width)).map(|_| Vec::new()).collect();
    for (i, level) in levels.into_iter().enumerate() {
        for (task, chunk) in tasks.iter_mut().zip(level.chunks_mut((width >> i) * rows)) {
            task.push(chunk);
        }
    }
    let tasks = tasks.into_par_iter().enumerate();
    tasks.for_each(|(task, mut levels)| {
        let start = task * width;
        let n = width.min(n - start);
        for c in 0..n {
            first(start + c, &mut levels[0][c * rows..][..rows]);
            // The products that this column completes.
            let (mut x, mut i) = (c, 0);
            while i + 1 < levels.len() && (x % 2 == 1 || x + 1 == n.div_ceil(1 << i)) {
                x /= 2;
                let (below, above) = levels.split_at_mut(i + 1);
                let (a, b) = below[i][2 * x * rows..][..2 * rows].split_at(rows);
                kernels::mul(&mut above[0][x * rows..][..rows], a, b);
                i += 1;
            }
        }
    });
}
