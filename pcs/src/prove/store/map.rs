//! `Map`: a file in memory, read-only, and typed sections of it.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;

/// The bytes of a file.
pub(super) struct Map(Mmap);

impl Map {
    /// Maps the whole of `file`: pages are read when they are first used.
    ///
    /// # Errors
    /// Where the system does not map the file.
    #[expect(unsafe_code, reason = "docs/decisions/0008-prover-data-is-mapped.md")]
    pub(super) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the map is shared with the file, so its bytes must not change and the file must not
        // shrink while it lives. This crate writes into files that their caller has just made and never
        // into one that it maps, and the command line renames a finished file into place instead of
        // writing over an old one, so the file behind a map keeps its bytes. A process of the same
        // owner that breaks the rule on purpose is outside of what the type can enforce; the bytes are
        // only ever read as integers, of which every pattern is valid.
        unsafe { Mmap::map(file) }.map(Self)
    }

    /// Says that these bytes will be read here and there, so that the system reads no more than that.
    pub(super) fn expect_scattered(&self, range: Range<usize>) {
        // Refused advice costs time only.
        #[cfg(unix)]
        let _ = self.0.advise_range(memmap2::Advice::Random, range.start, range.len());
        #[cfg(not(unix))]
        let _ = range;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Some bytes of a map as elements; the map lives as long as any section of it.
pub(super) struct Section<T> {
    map: Arc<Map>,
    range: Range<usize>,
    elements: PhantomData<T>,
}

impl<T> Section<T> {
    /// Precondition: the map has these bytes, a whole number of elements, and they begin at a multiple
    /// of an element's alignment.
    pub(super) fn new(map: &Arc<Map>, range: Range<usize>) -> Self {
        Self { map: Arc::clone(map), range, elements: PhantomData }
    }
}

impl<T: Pod> AsRef<[T]> for Section<T> {
    fn as_ref(&self) -> &[T] {
        bytemuck::cast_slice(&self.map.bytes()[self.range.clone()])
    }
}
