//! `FoldedCodeword`: a committed codeword on its way through FRI.

use binfer_field::{F128, kernels};
use binfer_hash::{HashKind, MerkleTree};
use binfer_iop::buffer::Buffer;
use rayon::prelude::*;

use super::sumcheck::split_neighbours;

/// Pairs of symbols of one task.
const TASK: usize = 1 << 11;

/// A codeword whose leaves are cosets of `2^step` neighbours.
pub(super) struct FoldedCodeword {
    symbols: Buffer,
    step: u32,
    tree: MerkleTree,
}

impl FoldedCodeword {
    /// Commits to `symbols`.
    pub(super) fn new(hash: HashKind, symbols: Buffer, step: u32) -> Self {
        let tree = MerkleTree::new(hash, bytemuck::cast_slice::<F128, u8>(&symbols), 16 << step);
        Self { symbols, step, tree }
    }

    /// Variables that the codeword binds before the next one.
    pub(super) fn step(&self) -> u32 {
        self.step
    }

    /// The tree over the cosets.
    pub(super) fn tree(&self) -> &MerkleTree {
        &self.tree
    }

    /// The symbols of these cosets, one after another.
    pub(super) fn cosets(&self, cosets: &[usize]) -> Vec<F128> {
        let length = 1 << self.step;
        cosets.iter().flat_map(|coset| &self.symbols[coset * length..][..length]).copied().collect()
    }

    /// The symbols folded at these challenges.
    pub(super) fn fold(&self, twiddles: &[F128], challenges: &[F128]) -> Vec<F128> {
        let (first, rest) = challenges.split_first().expect("a step binds a variable");
        let once = fold(&self.symbols, twiddles, *first);
        rest.iter().fold(once, |symbols, &r| fold(&symbols, twiddles, r))
    }
}

/// Inverts the last layer's butterflies and interpolates at `r`: half as many symbols.
fn fold(symbols: &[F128], twiddles: &[F128], r: F128) -> Vec<F128> {
    let mut folded = vec![F128::ZERO; symbols.len() / 2];
    folded
        .par_chunks_mut(TASK)
        .zip(symbols.par_chunks(2 * TASK))
        .zip(twiddles.par_chunks(TASK))
        .for_each(|((folded, symbols), twiddles)| {
            let (lo, hi) = split_neighbours(symbols);
            folded.copy_from_slice(&lo);
            kernels::add_products(folded, &hi, &twiddles[..hi.len()]);
            kernels::fold(folded, &hi, r);
        });
    folded
}
