//! The prover's product tree: every level of a box, one allocation a level.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::BoxShape;

/// Elements a parallel task should have at least.
pub(crate) const TASK: usize = 1 << 12;

/// All levels of one tree, each in blocks `[column][factor][row]`.
pub struct Tree {
    pub(super) shape: BoxShape,
    /// The leaves' factors; empty where `fan_in` is 1, `levels` then starting with the leaves.
    pub(super) factors: Vec<F128>,
    /// `levels[i]` has `ceil(cols / 2^i)` columns, made even by a column of ones but for the last.
    pub(super) levels: Vec<Vec<F128>>,
    /// Memory that the levels' sumchecks fold into, one after the other.
    pub(super) room: Vec<F128>,
}

impl Tree {
    /// Builds the tree over `factors`, laid out `[column][factor][row]`.
    ///
    /// # Panics
    /// Where `factors` has not `rows * cols * fan_in` elements.
    pub fn new(shape: BoxShape, factors: Vec<F128>) -> Self {
        let BoxShape { rows, cols, fan_in } = shape;
        assert_eq!(factors.len(), rows * cols * fan_in);
        let (factors, mut leaves) = if fan_in == 1 {
            (Vec::new(), factors)
        } else {
            let leaves = multiply_blocks(&factors, rows, fan_in);
            (factors, leaves)
        };
        let mut levels = Vec::new();
        while leaves.len() > rows {
            if leaves.len() / rows % 2 == 1 {
                leaves.resize(leaves.len() + rows, F128::ONE);
            }
            let next = multiply_blocks(&leaves, rows, 2);
            levels.push(leaves);
            leaves = next;
        }
        levels.push(leaves);
        Self { shape, factors, levels, room: Vec::new() }
    }

    /// The products, one a row.
    pub fn outputs(&self) -> &[F128] {
        self.levels.last().map_or(&[], Vec::as_slice)
    }

    /// The box.
    pub fn shape(&self) -> BoxShape {
        self.shape
    }
}

/// Multiplies runs of `fan_in` blocks of `rows` elements.
fn multiply_blocks(data: &[F128], rows: usize, fan_in: usize) -> Vec<F128> {
    let mut out = vec![F128::ZERO; data.len() / fan_in];
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
