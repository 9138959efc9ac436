//! A position in a file's bytes.

use super::error::GgufError;

/// Reads numbers and strings, and errs where the bytes end.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Cursor<'a> {
    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.offset)
    }

    /// The next `n` bytes.
    pub(super) fn take(&mut self, n: u64) -> Result<&'a [u8], GgufError> {
        let taken = usize::try_from(n)
            .ok()
            .and_then(|n| self.offset.checked_add(n))
            .and_then(|end| Some((end, self.bytes.get(self.offset..end)?)));
        let Some((end, bytes)) = taken else {
            return Err(GgufError::Truncated { offset: self.offset, needed: n, left: self.left() });
        };
        self.offset = end;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        let bytes = self.take(N as u64)?;
        Ok(std::array::from_fn(|i| bytes[i]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, GgufError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, GgufError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A string: its length in bytes, and UTF-8.
    pub(super) fn string(&mut self) -> Result<&'a str, GgufError> {
        let n = self.u64()?;
        let offset = self.offset;
        std::str::from_utf8(self.take(n)?).map_err(|_| GgufError::Utf8 { offset })
    }

    /// A count of things of at least `least` bytes each, which are there.
    pub(super) fn count(&mut self, least: u64) -> Result<usize, GgufError> {
        let (offset, n) = (self.offset, self.u64()?);
        let needed = n.saturating_mul(least);
        match usize::try_from(n) {
            Ok(count) if needed <= self.left() as u64 => Ok(count),
            _ => Err(GgufError::Truncated { offset, needed, left: self.left() }),
        }
    }
}
