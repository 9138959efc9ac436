//! What a matmul's proof consists of: the axis, index widths and tiles that its shape gives by public rules.

/// A matmul of unsigned bytes by weights of some bits, its accumulators the public output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatMul {
    /// Rows of the input.
    pub rows: usize,
    /// Columns of the input.
    pub k: usize,
    /// Columns of the weights.
    pub n: usize,
    /// Bits of a weight: 1, 2, 4 or 8.
    pub weight_bits: u32,
}

/// A factor of leaves: a table of `2^width` entries in each column of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factor {
    /// The first bit of an entry that it takes.
    pub(super) first: u32,
    pub(super) width: u32,
}

/// A tree, with the matrix that its indices come from.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) factors: Vec<Factor>,
    /// Sides of the matrix, which a tree may read across.
    pub(super) matrix: (usize, usize),
}

/// The three trees of indices.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) along_rows: bool,
    pub(super) inner: Tree,
    pub(super) outer: Tree,
    pub(super) output: Tree,
}

impl MatMul {
    /// Weights that a byte spells.
    pub(super) fn per_byte(&self) -> usize {
        if self.weight_bits == 8 { 1 } else { 8 / self.weight_bits as usize }
    }

    /// Columns of bytes of the weights.
    pub(super) fn columns(&self) -> usize {
        self.n.div_ceil(self.per_byte())
    }

    /// The width that the output declares; see [`Task::matmul`](crate::Task::matmul).
    pub(super) fn output_bits(&self) -> u32 {
        15 + usize::BITS - self.k.leading_zeros()
    }

    pub(super) fn shape(&self) -> Shape {
        let (m, k, n) = (self.rows, self.k, self.n);
        let y_bits = self.output_bits();
        let side = |columns: usize, lookups: usize, bits: u32| cheapest(bits, lookups).1 * columns;
        let cost = |bases: usize, products: usize| {
            side(bases, k, 8) + side(k, products, 8) + side(bases, products, y_bits)
        };
        let along_rows = self.weight_bits == 8 && cost(m, n) < cost(n, m);
        let tree =
            |rows, cols, bits, matrix| Tree { rows, cols, factors: factors(bits, rows), matrix };
        let whole = |tree: Tree| Tree { factors: vec![Factor { first: 0, width: 8 }], ..tree };
        let (x, w, y) = ((m, k), (k, self.columns()), (m, n));
        if along_rows {
            Shape {
                along_rows,
                inner: tree(k, m, 8, x),
                outer: whole(tree(n, k, 8, w)),
                output: tree(n, m, y_bits, y),
            }
        } else {
            Shape {
                along_rows,
                inner: whole(tree(k, self.columns(), 8, w)),
                outer: tree(m, k, 8, x),
                output: tree(m, n, y_bits, y),
            }
        }
    }
}

/// The width of index in which to split bits, and what each column then costs.
fn cheapest(bits: u32, lookups: usize) -> (u32, usize) {
    let cost = |width: u32| {
        let chunks = bits.div_ceil(width) as usize;
        chunks * (3 * lookups + (1 << width)) + chunks * chunks * lookups / 4
    };
    let width = (1..=bits.min(8)).min_by_key(|&w| cost(w)).unwrap_or(1);
    (bits.div_ceil(bits.div_ceil(width)), cost(width))
}

fn factors(bits: u32, lookups: usize) -> Vec<Factor> {
    let width = cheapest(bits, lookups).0;
    let starts = (0..bits).step_by(width as usize);
    starts.map(|first| Factor { first, width: width.min(bits - first) }).collect()
}

/// Variables of each tile of a matrix.
pub(super) fn tile_vars((rows, cols): (usize, usize)) -> Vec<usize> {
    let digits = |n: usize| (0..usize::BITS as usize).rev().filter(move |&i| n >> i & 1 == 1);
    digits(cols).flat_map(|c| digits(rows).map(move |r| (r + c).max(7))).collect()
}
