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

/// The trees of indices. Accumulators are public and have none.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// The operand whose products are the `G_k`, unless it is the public input: then bases are those of rows.
    pub(super) inner: Option<Tree>,
    pub(super) outer: Tree,
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

    pub(super) fn shape(&self) -> Shape {
        let (m, k, n) = (self.rows, self.k, self.n);
        // A public input costs nothing where its products are the `G_k`.
        let weights = |columns: usize, lookups: usize| columns * index_cost(8, 1, lookups);
        let along_columns = k * cheapest(8, m).1 + weights(n, k);
        let along_rows = self.weight_bits == 8 && weights(k, n) < along_columns;
        let (x, w) = ((m, k), (k, self.columns()));
        let weights = |rows, cols| Tree {
            rows,
            cols,
            factors: vec![Factor { first: 0, width: 8 }],
            matrix: w,
        };
        if along_rows {
            Shape { inner: None, outer: weights(n, k) }
        } else {
            let outer = Tree { rows: m, cols: k, factors: factors(8, m), matrix: x };
            Shape { inner: Some(weights(k, self.columns())), outer }
        }
    }
}

/// The width of index in which to split bits, and what each column then costs.
fn cheapest(bits: u32, lookups: usize) -> (u32, usize) {
    let cost = |width: u32| index_cost(width, bits.div_ceil(width) as usize, lookups);
    let width = (1..=bits.min(8)).min_by_key(|&w| cost(w)).unwrap_or(1);
    (bits.div_ceil(bits.div_ceil(width)), cost(width))
}

/// What a column costs whose entries are `chunks` indices of `width` bits.
fn index_cost(width: u32, chunks: usize, lookups: usize) -> usize {
    chunks * (3 * lookups + (1 << width)) + chunks * chunks * lookups / 4
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
