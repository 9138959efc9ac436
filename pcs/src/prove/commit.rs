//! `commit`: words to rows, rows to an interleaved codeword, its columns to a Merkle tree.

use binfer_field::F128;
use binfer_hash::{Digest, MerkleTree};

use super::ntt::encode_rows;
use crate::{Params, Shape};

/// Elements in memory or in a mapped file.
pub(super) struct Held<T>(Box<dyn AsRef<[T]> + Send + Sync>);

impl<T> Held<T> {
    pub(super) fn new(elements: impl AsRef<[T]> + Send + Sync + 'static) -> Self {
        Self(Box::new(elements))
    }
}

impl<T> AsRef<[T]> for Held<T> {
    fn as_ref(&self) -> &[T] {
        (*self.0).as_ref()
    }
}

/// What the prover keeps of a commitment.
pub struct Oracle {
    shape: Shape,
    words: Held<F128>,
    codeword: Held<F128>,
    tree: Option<MerkleTree<Held<Digest>>>,
}

impl Oracle {
    /// An oracle with rows, of these parts.
    pub(super) fn from_parts(
        shape: Shape,
        words: Held<F128>,
        codeword: Held<F128>,
        tree: MerkleTree<Held<Digest>>,
    ) -> Self {
        Self { shape, words, codeword, tree: Some(tree) }
    }

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
        self.words.as_ref()
    }

    /// The words of one row.
    pub(super) fn row(&self, row: usize) -> &[F128] {
        &self.words()[row << self.shape.log_row..][..1 << self.shape.log_row]
    }

    /// The symbols of all rows at `position`.
    pub(super) fn leaf(&self, position: usize) -> &[F128] {
        let n_rows = self.shape.n_rows;
        &self.codeword.as_ref()[position * n_rows..][..n_rows]
    }

    /// The tree over the leaves, where there are rows.
    pub(super) fn tree(&self) -> Option<&MerkleTree<Held<Digest>>> {
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
    let tree = (shape.n_rows > 0).then(|| tree_over(params, shape.n_rows, &codeword));
    Oracle { shape, words: Held::new(words), codeword: Held::new(codeword), tree }
}

/// The tree whose leaves are `n_rows` symbols each.
fn tree_over(params: &Params, n_rows: usize, codeword: &[F128]) -> MerkleTree<Held<Digest>> {
    let tree = MerkleTree::new(params.hash, bytemuck::cast_slice(codeword), 16 * n_rows);
    tree.map_levels(Held::new)
}

#[cfg(test)]
impl Oracle {
    /// Other words behind the same root.
    pub(super) fn with_words(mut self, words: Vec<F128>) -> Self {
        self.words = Held::new(words);
        self
    }

    /// The commitment to a codeword whose first row has this noise added.
    pub(super) fn with_noise(mut self, params: &Params, noise: &[F128]) -> Self {
        let n_rows = self.shape.n_rows;
        let mut codeword = self.codeword.as_ref().to_vec();
        for (symbol, &noise) in codeword.iter_mut().step_by(n_rows).zip(noise) {
            *symbol += noise;
        }
        self.tree = Some(tree_over(params, n_rows, &codeword));
        self.codeword = Held::new(codeword);
        self
    }
}
