//! The prover's product tree: every level of a box but, where they can be made again, the lowest ones.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::columns::Columns;
use super::halves::Halves;
use super::instance::{BoxProduct, Factors};
use super::leaves::{Leaves, Made, ROWS};
use super::pairs::{PairProduct, State};
use super::sparse::{self, SparseColumns};
use super::{BoxShape, LeafClaim};
use crate::buffer::Buffer;

/// Elements a parallel task should have at least.
pub(crate) const TASK: usize = 1 << 12;

/// Rows from which columns are worth a call each.
const LONG: usize = 16;

/// Elements that stay in the second cache while a task builds levels over them.
const CACHED: usize = 1 << 15;

/// All levels of one tree.
pub struct Tree<'a> {
    shape: BoxShape,
    /// The leaves' factors, where `fan_in` is more than 1.
    factors: Option<Factors<'a>>,
    levels: Levels<'a>,
}

enum Levels<'a> {
    /// Of few rows: both sides padded with ones to powers of two, each level one vector, the leaves'
    /// first. A column's lowest bit is the highest of its place, so that pairs are halves.
    Short(Vec<Vec<F128>>),
    /// Of many rows: the levels from the lowest that is stored, the leaves left out, each given up once it is
    /// argued; blocks `[column][row]`, made even by a column of ones but for the root.
    Long { base: Base<'a>, nodes: Vec<Buffer> },
    /// Of columns most of which are ones: the levels from the leaves', and the root.
    Sparse { nodes: Vec<sparse::Level>, root: Buffer },
}

/// The leaves of a long tree.
enum Base<'a> {
    Stored(Buffer),
    Made(Box<dyn Leaves + 'a>),
}

impl Base<'_> {
    /// The lowest level above the leaves that is stored. To multiply two leaves again takes less than to write
    /// their product and read it twice.
    fn lowest_stored(&self, cols: usize) -> usize {
        match self {
            Self::Made(_) if cols.div_ceil(2) > 4 => 2,
            _ => 1,
        }
    }
}

impl<'a> Tree<'a> {
    /// Builds the tree over `factors`, laid out `[column][factor][row]`.
    ///
    /// # Panics
    /// Where `factors` has not `rows * cols * fan_in` elements.
    pub fn new(shape: BoxShape, factors: impl Into<Buffer>) -> Self {
        let BoxShape { rows, cols, fan_in } = shape;
        let factors = factors.into();
        assert_eq!(factors.len(), rows * cols * fan_in);
        if fan_in == 1 {
            return Self { shape, factors: None, levels: levels(shape, factors) };
        }
        let leaves = multiply_blocks(&factors, rows, fan_in);
        Self { shape, factors: Some(Factors::Stored(factors)), levels: levels(shape, leaves) }
    }

    /// Builds the tree over leaves whose factors, more than one and blocks `[column][factor]`, are not kept where there are
    /// many.
    pub fn of_factors(shape: BoxShape, factors: Box<dyn Leaves + 'a>) -> Self {
        let BoxShape { rows, cols, fan_in } = shape;
        assert!(fan_in > 1);
        if cols == 1 {
            let mut all = Buffer::unspecified(rows * fan_in);
            all.par_chunks_mut(rows).enumerate().for_each(|(g, out)| factors.fill(g, 0, out));
            return Self::new(shape, all);
        }
        let mut leaves = Buffer::unspecified(rows * cols);
        let room = || vec![F128::ZERO; rows.min(ROWS)];
        leaves.par_chunks_mut(rows).enumerate().for_each_init(room, |room, (c, column)| {
            for (run, out) in column.chunks_mut(ROWS).enumerate() {
                let factor = &mut room[..out.len()];
                factors.fill(c * fan_in, run * ROWS, out);
                for g in 1..fan_in {
                    factors.fill(c * fan_in + g, run * ROWS, factor);
                    kernels::mul_assign(out, factor);
                }
            }
        });
        Self { shape, factors: Some(Factors::Made(factors)), levels: levels(shape, leaves) }
    }

    /// Builds the tree over leaves of one factor that are not kept where there are many.
    pub fn over(rows: usize, cols: usize, leaves: Box<dyn Leaves + 'a>) -> Self {
        let shape = BoxShape { rows, cols, fan_in: 1 };
        if rows < LONG || cols <= 4 {
            let mut all = Buffer::unspecified(rows * cols);
            all.par_chunks_mut(rows).enumerate().for_each(|(c, column)| leaves.fill(c, 0, column));
            return Self::new(shape, all);
        }
        Self { shape, factors: None, levels: long(shape, Base::Made(leaves)) }
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
        let (nodes, root) = sparse::levels(rows, shape.col_vars(), columns);
        Self { shape, factors: None, levels: Levels::Sparse { nodes, root } }
    }

    /// Most bytes that a tree of this shape holds until it is argued, tables that its leaves, or their factors, are `made` from
    /// left out.
    pub fn bytes(shape: BoxShape, made: bool) -> u128 {
        let [rows, cols, fan_in] = [shape.rows, shape.cols, shape.fan_in].map(|n| n as u128);
        let leaves = rows * cols;
        // Factors apart from leaves, and room to fold them into.
        let (factors, half) = (fan_in * leaves, (fan_in * leaves).div_ceil(2));
        let factors = match (fan_in, made) {
            (..=1, _) => 0,
            (_, false) => factors + half,
            (_, true) => half + half.div_ceil(2) + rows * fan_in,
        };
        let made = made && fan_in == 1;
        let short = shape.rows < LONG || shape.cols <= 4;
        let levels = if short {
            leaves + (2u128 << (shape.row_vars() + shape.col_vars()))
        } else {
            // A column more a level, to make it even.
            let nodes = if made && cols > 8 { leaves.div_ceil(2) } else { leaves };
            let above = nodes + 2 * rows * (shape.col_vars() as u128 + 1);
            above + if made { 0 } else { leaves + rows }
        };
        size_of::<F128>() as u128 * (factors + levels)
    }

    /// The products, one a row.
    pub fn outputs(&self) -> &[F128] {
        let root = match &self.levels {
            Levels::Short(levels) => levels.last().map_or(&[][..], Vec::as_slice),
            Levels::Long { base: Base::Stored(leaves), nodes } if nodes.is_empty() => leaves,
            Levels::Long { nodes, .. } => nodes.last().map_or(&[][..], |root| root),
            Levels::Sparse { root, .. } => root,
        };
        &root[..self.shape.rows]
    }

    /// The box.
    pub fn shape(&self) -> BoxShape {
        self.shape
    }

    /// The sumcheck that takes leaves apart into their factors, of which there is more than one. The last of all.
    pub(super) fn split(&mut self, claim: &LeafClaim<F128>) -> Option<BoxProduct<'a>> {
        Some(BoxProduct::over(self.shape, self.factors.take()?, claim))
    }

    /// The sumcheck that reduces a claim on the level above `level` to claims on the even and the odd
    /// columns of `level`. Spoils the level; the levels are taken from the root down.
    pub(super) fn level(
        &mut self,
        level: usize,
        claim: &LeafClaim<F128>,
        known: Option<[F128; 2]>,
    ) -> PairProduct<'_> {
        let rows = self.shape.rows;
        let cols = self.shape.cols.div_ceil(1 << level);
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
            Levels::Long { base, nodes } => {
                let lowest = base.lowest_stored(self.shape.cols);
                nodes.truncate((level + 1).saturating_sub(lowest).max(1));
                match (base, nodes.last_mut()) {
                    (Base::Made(leaves), Some(room)) if level < lowest => {
                        let made = Made::new(&**leaves, self.shape.cols, level);
                        State::Columns(Columns::made(made, rows, room, claim))
                    }
                    (Base::Stored(leaves), _) if level == 0 => {
                        stored(leaves, (rows, cols), claim, &z)
                    }
                    (_, Some(nodes)) => stored(nodes, (rows, cols), claim, &z),
                    (_, None) => unreachable!("{ONE_COLUMN}"),
                }
            }
        };
        PairProduct::new(z, claim.values[0], known, state)
    }
}

const ONE_COLUMN: &str = "a tree of one column has no level to argue";

/// A level of `cols` columns in the middle of a tree.
fn stored<'a>(
    data: &'a mut [F128],
    (rows, cols): (usize, usize),
    claim: &LeafClaim<F128>,
    z: &[F128],
) -> State<'a> {
    if cols > 4 {
        State::Columns(Columns::stored(data, rows, claim))
    } else {
        State::Halves(Halves::from_pairs(data.chunks(2 * rows), rows, z))
    }
}

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
                let (second, rest) = rest.split_at(rows);
                kernels::mul(product, first, second);
                for factor in rest.chunks(rows) {
                    kernels::mul_assign(product, factor);
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
fn levels(shape: BoxShape, leaves: Buffer) -> Levels<'static> {
    if shape.rows < LONG {
        short(shape, &leaves)
    } else {
        long(shape, Base::Stored(even(shape, leaves)))
    }
}

fn short(shape: BoxShape, leaves: &[F128]) -> Levels<'static> {
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

/// Precondition: stored leaves are even.
fn long(shape: BoxShape, base: Base<'_>) -> Levels<'_> {
    let BoxShape { rows, cols, .. } = shape;
    let depth = shape.col_vars();
    let width = |level: usize| cols.div_ceil(1 << level);
    let level = |level: usize| {
        let n = width(level);
        Buffer::unspecified(if n > 1 { n.next_multiple_of(2) * rows } else { rows })
    };
    let lowest = base.lowest_stored(cols);
    let mut nodes: Vec<Buffer> = (lowest..=depth).map(level).collect();
    // Levels that a task builds at a time.
    let at_a_time = (CACHED / rows).checked_ilog2().unwrap_or(0).max(1) as usize;
    // The level of which the next is made.
    let mut from = lowest - 1;
    while from < depth {
        let to = depth.min(from + at_a_time);
        let (below, above) = nodes.split_at_mut(from + 1 - lowest);
        let mut levels: Vec<&mut [F128]> = Vec::with_capacity(to - from);
        for (level, nodes) in (from + 1..=to).zip(above) {
            nodes[width(level) * rows..].fill(F128::ONE);
            levels.push(nodes);
        }
        let stored = |data: &[F128], c: usize, out: &mut [F128]| {
            let (a, b) = data[2 * c * rows..][..2 * rows].split_at(rows);
            kernels::mul(out, a, b);
        };
        let n = cols.div_ceil(2 << from);
        match (below.last(), &base) {
            (Some(below), _) => build(levels, rows, n, |c, out| stored(below, c, out)),
            (None, Base::Stored(leaves)) => {
                build(levels, rows, n, |c, out| stored(leaves, c, out));
            }
            (None, Base::Made(leaves)) => {
                let made = Made::new(&**leaves, cols, lowest);
                build(levels, rows, n, |c, out| made.fill(c, 0, out));
            }
        }
        from = to;
    }
    Levels::Long { base, nodes }
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
