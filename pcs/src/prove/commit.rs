//! `commit`: words to rows, rows to an interleaved codeword, its columns to a Merkle tree.

use binfer_field::F128;
use binfer_hash::{Digest, MerkleTree};
use binfer_iop::buffer::Buffer;

use super::ntt::encode_rows;
use crate::{Params, Shape};

/// What the prover keeps of a commitment.
pub struct Oracle {
    shape: Shape,
    words: Vec<F128>,
    codeword: Buffer,
    tree: Option<MerkleTree>,
}

impl Oracle {
    /// The number and length of rows.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The commitment: the root of the tree whose leaf `x` is the symbols of all rows at position
    /// `x`. Zero where there are no rows.
    pub fn root(&self) -> Digest {
        self.tree.as_ref().map_or(Digest::default(), MerkleTree::root)
    }

    /// The committed words, row after row, the last one padded with zeros.
    pub fn words(&self) -> &[F128] {
        &self.words
    }

    /// The words of one row.
    pub(super) fn row(&self, row: usize) -> &[F128] {
        &self.words[row << self.shape.log_row..][..1 << self.shape.log_row]
    }

    /// The symbols of all rows at `position`.
    pub(super) fn leaf(&self, position: usize) -> &[F128] {
        let n_rows = self.shape.n_rows;
        &self.codeword[position * n_rows..][..n_rows]
    }

    /// The tree over the leaves, where there are rows.
    pub(super) fn tree(&self) -> Option<&MerkleTree> {
        self.tree.as_ref()
    }
}

/// Commits to `words` in rows of `2^log_row`, the last row padded with zeros.
///
/// Costs one NTT of `2^(log_row + log_inv_rate)` symbols a row, and one hash of the whole codeword.
///
/// # Panics
/// If the parameters are invalid or a codeword would have more than `2^48` symbols.
pub fn commit(params: &Params, log_row: u32, mut words: Vec<F128>) -> Oracle {
    assert!(params.validate().is_ok(), "invalid parameters: {params:?}");
    assert!(
        log_row + params.log_inv_rate <= crate::code::MAX_LOG_LENGTH,
        "rows of 2^{log_row} words are too long"
    );
    let shape = Shape::for_words(log_row, words.len());
    words.resize(shape.n_words(), F128::ZERO);
    let codeword = encode_rows(&words, shape, params.log_inv_rate);
    let tree = (shape.n_rows > 0).then(|| {
        MerkleTree::new(params.hash, bytemuck::cast_slice::<F128, u8>(&codeword), 16 * shape.n_rows)
    });
    Oracle { shape, words, codeword, tree }
}

#[cfg(test)]
impl Oracle {
    /// Other words behind the same root.
    pub(super) fn with_words(mut self, words: Vec<F128>) -> Self {
        self.words = words;
        self
    }

    /// The commitment to a codeword whose first row has this noise added.
    pub(super) fn with_noise(mut self, params: &Params, noise: &[F128]) -> Self {
        let n_rows = self.shape.n_rows;
        for (symbol, &noise) in self.codeword.iter_mut().step_by(n_rows).zip(noise) {
            *symbol += noise;
        }
        let leaves = bytemuck::cast_slice::<F128, u8>(&self.codeword);
        self.tree = Some(MerkleTree::new(params.hash, leaves, 16 * n_rows));
        self
    }
}
