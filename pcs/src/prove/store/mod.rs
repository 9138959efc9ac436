//! Oracles in files: committed once, then mapped for every opening.
//!
//! # Layout
//! Integers are little-endian. A page of 4096 bytes holds `binfer-o`, the version (4 bytes), the
//! [`Params`] (5), the logarithm of the row length (4), the number of rows (8), the caller's label (32),
//! the root (32) and zeros. Then follow the words row by row, the codeword leaf by leaf, and the digests of
//! the Merkle tree level by level from the leaves, the root last.
//!
//! # Checks
//! [`open`] compares the page, but for the label, and the length with what the caller expects, and the last digest with the
//! root; it reads nothing else, so opening takes no time and no memory. Damage elsewhere gives proofs that
//! are rejected: a caller who does not trust the file verifies its own proof.

mod create;
mod map;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use binfer_hash::{Digest, MerkleTree};
use thiserror::Error;

use self::map::{Map, Section};
use super::commit::{Held, Oracle};
use crate::{Params, Shape};

pub use create::create;

const MAGIC: [u8; 8] = *b"binfer-o";
const VERSION: u32 = 1;
/// Where the label begins.
const LABEL_START: usize = 29;
/// Bytes before the words.
const PAGE: usize = 4096;
const WORD: usize = 16;
const DIGEST: usize = 32;

/// Why a file is not the oracle that is wanted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be read or mapped.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The first bytes are not those of an oracle.
    #[error("the first 8 bytes are not an oracle's")]
    Magic,
    /// The version is another one.
    #[error("version {got} of the oracle, expected {VERSION}")]
    Version {
        /// The version found.
        got: u32,
    },
    /// The parameters, the shape or the root are others.
    #[error("the oracle of another commitment")]
    OtherOracle,
    /// The file has another length than such an oracle.
    #[error("{got} bytes, the oracle has {expected}")]
    Length {
        /// Bytes of the oracle.
        expected: u64,
        /// Bytes of the file.
        got: u64,
    },
    /// The tree ends in another root.
    #[error("the Merkle tree has another root")]
    Root,
    /// This machine cannot address such an oracle.
    #[error("the oracle is too large to be mapped")]
    TooLarge,
}

/// What names an oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OracleId {
    /// The parameters it was committed with.
    pub params: Params,
    /// The number and length of rows.
    pub shape: Shape,
    /// The commitment.
    pub root: Digest,
}

/// Anything that whoever makes an oracle wants to find again.
pub type Label = [u8; 32];

impl OracleId {
    /// The file's first page.
    fn page(&self, label: &Label) -> Vec<u8> {
        let mut page = MAGIC.to_vec();
        page.extend(VERSION.to_le_bytes());
        page.extend(self.params.to_bytes());
        page.extend(self.shape.log_row.to_le_bytes());
        page.extend((self.shape.n_rows as u64).to_le_bytes());
        debug_assert_eq!(page.len(), LABEL_START);
        page.extend(label);
        page.extend(self.root);
        page.resize(PAGE, 0);
        page
    }
}

/// Where the parts of an oracle lie in its file.
#[derive(Clone, Debug, PartialEq)]
struct Sections {
    words: Range<usize>,
    codeword: Range<usize>,
    digests: Range<usize>,
}

impl Sections {
    /// Those of an oracle with rows, if its file can be addressed.
    fn new(params: &Params, shape: Shape) -> Option<Self> {
        let log_length = shape.log_row.checked_add(params.log_inv_rate)?;
        let n_leaves = 1usize.checked_shl(log_length)?;
        let leaf = shape.n_rows.checked_mul(WORD)?;
        let words = PAGE.checked_add(leaf.checked_mul(1usize.checked_shl(shape.log_row)?)?)?;
        let codeword = words.checked_add(leaf.checked_mul(n_leaves)?)?;
        let n_digests = n_leaves.checked_mul(2)?.checked_sub(1)?;
        let digests = codeword.checked_add(n_digests.checked_mul(DIGEST)?)?;
        i64::try_from(digests).ok()?;
        Some(Self { words: PAGE..words, codeword: words..codeword, digests: codeword..digests })
    }
}

/// Maps the oracle that [`create`] left in `file`, which must not change while the result lives, and gives its label.
///
/// # Errors
/// [`StoreError`] where the file is not that of this oracle.
pub fn open(id: &OracleId, file: &File) -> Result<(Oracle, Label), StoreError> {
    let sections = Sections::new(&id.params, id.shape).ok_or(StoreError::TooLarge)?;
    let (expected, got) = (sections.digests.end as u64, file.metadata()?.len());
    if got < PAGE as u64 {
        return Err(StoreError::Length { expected, got });
    }
    let map = Arc::new(Map::new(file)?);
    let page = map.bytes().get(..PAGE).unwrap_or_default();
    let label = page.get(LABEL_START..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    let wanted = id.page(&label);
    if page.get(..8) != wanted.get(..8) {
        return Err(StoreError::Magic);
    }
    if let Some(&[a, b, c, d]) = page.get(8..12)
        && u32::from_le_bytes([a, b, c, d]) != VERSION
    {
        return Err(StoreError::Version { got: u32::from_le_bytes([a, b, c, d]) });
    }
    if page != wanted {
        return Err(StoreError::OtherOracle);
    }
    if got != expected || map.bytes().len() as u64 != expected {
        return Err(StoreError::Length { expected, got });
    }
    map.expect_scattered(sections.codeword.start..sections.digests.end);
    let digests: Section<Digest> = Section::new(&map, sections.digests);
    let tree = MerkleTree::from_levels(Held::new(digests)).ok_or(StoreError::Root)?;
    let words = Held::new(Section::new(&map, sections.words));
    let codeword = Held::new(Section::new(&map, sections.codeword));
    let oracle = Oracle::from_parts(id.shape, words, codeword, tree);
    if oracle.root() != id.root {
        return Err(StoreError::Root);
    }
    Ok((oracle, label))
}
