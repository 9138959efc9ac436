//! The prover's key file: the salt of a commitment, and the digest that names the commitment.

use std::io::Write;
use std::path::Path;

use binfer_ml_ops::{ModelCommitment, Salt};
use thiserror::Error;

use crate::failure::Failure;
use crate::files;

const MAGIC: [u8; 8] = *b"binfer-k";
const VERSION: u32 = 1;
const SALT_BYTES: usize = size_of::<Salt>();
/// Bytes of a key file.
const BYTES: usize = 8 + 4 + SALT_BYTES + 32;

/// The name of the key file within the prover's folder.
pub(crate) const KEY_FILE: &str = "model.key";
/// The name of the commitment within that folder.
pub(crate) const COMMITMENT_FILE: &str = "model.commitment";

/// What the prover keeps beside the model.
#[derive(Debug, PartialEq)]
pub(crate) struct Key {
    /// The salt: whoever knows it can tell whether guessed weights are the committed ones.
    pub(crate) salt: Salt,
    /// The digest of the commitment.
    pub(crate) digest: [u8; 32],
}

/// Bytes are not a key.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub(crate) enum KeyError {
    /// They are of another length.
    #[error("{got} bytes, a key has {BYTES}")]
    Length {
        /// Their number.
        got: usize,
    },
    /// The first bytes are not a key's.
    #[error("the first 8 bytes are not a key's")]
    Magic,
    /// The version is another one.
    #[error("version {got} of the key, expected {VERSION}")]
    Version {
        /// The version found.
        got: u32,
    },
}

impl Key {
    /// The key of a commitment made with `salt`.
    pub(crate) fn new(commitment: &ModelCommitment, salt: Salt) -> Self {
        Self { salt, digest: commitment.digest() }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.salt);
        bytes.extend(self.digest);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let got = bytes.len();
        let bytes: &[u8; BYTES] = bytes.try_into().map_err(|_| KeyError::Length { got })?;
        let (magic, rest) = bytes.split_at(8);
        let (version, rest) = rest.split_at(4);
        let (salt, digest) = rest.split_at(SALT_BYTES);
        if magic != MAGIC {
            return Err(KeyError::Magic);
        }
        let got = version.iter().rev().fold(0, |n, &b| n << 8 | u32::from(b));
        if got != VERSION {
            return Err(KeyError::Version { got });
        }
        let mut key = Self { salt: [0; SALT_BYTES], digest: [0; 32] };
        key.salt.copy_from_slice(salt);
        key.digest.copy_from_slice(digest);
        Ok(key)
    }

    /// The key in the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Self::from_bytes(&files::read(path)?).map_err(|e| Failure::malformed(path, e))
    }

    /// Writes the key to `path`, readable by its owner alone where the system has owners.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let written = files::create_private(path).and_then(|mut f| f.write_all(&self.to_bytes()));
        written.map_err(|source| Failure::Io { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_are_keys() {
        let key = Key { salt: [7; SALT_BYTES], digest: [9; 32] };
        let bytes = key.to_bytes();
        assert_eq!(Key::from_bytes(&bytes), Ok(key));
        let length = KeyError::Length { got: 3 };
        assert_eq!(Key::from_bytes(&bytes[..3]), Err(length));
        let mut other = bytes.clone();
        other[0] ^= 1;
        assert_eq!(Key::from_bytes(&other), Err(KeyError::Magic));
        let mut other = bytes;
        other[8] = 2;
        let version = KeyError::Version { got: 2 };
        assert_eq!(Key::from_bytes(&other), Err(version));
    }
}
