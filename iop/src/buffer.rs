//! Long slices whose memory outlives them: in huge pages where the system has them, and kept for the next.
//!
//! A page fault a 4 KiB page costs more than the arithmetic on it, and so does zeroing a huge page. So buffers are parts of few large
//! mappings, beside each other as they were asked for: what one leaves is room for others of any length. What is kept and what is in
//! use are together hardly more than was in use at once, so that keeping memory takes none.

use core::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use binfer_field::F128;

use self::region::{Part, Region};

#[expect(unsafe_code, reason = "docs/decisions/0018-buffers-are-parts-of-regions.md")]
mod region;

/// Elements of the shortest buffer that is a part of a region.
const SHORTEST: usize = 1 << 12;

/// Elements that may be kept beyond what was in use at once: all that small proofs have.
const SLACK: usize = 1 << 20;

/// Elements that are kept at most.
const MOST_KEPT: usize = 1 << 25;

/// Most bytes that the process keeps for the next buffers while `used` of them are in use, if there were `most_used` at once.
pub fn most_kept(most_used: u128, used: u128) -> u128 {
    bytes(MOST_KEPT).min(most_used.saturating_sub(used) + bytes(SLACK))
}

/// Elements between long slices in one buffer: a page and a line.
const GAP: usize = (4096 + 64) / size_of::<F128>();

/// Elements from the beginning of one of several slices of `len` to the next. At powers of two the same places of all of them would
/// share few places of the caches, so those for which that is little are farther apart.
pub(crate) fn pitch(len: usize) -> usize {
    if len < 16 * GAP { len } else { len + GAP }
}

fn bytes(elements: usize) -> u128 {
    (elements * size_of::<F128>()) as u128
}

static POOL: Mutex<Pool> =
    Mutex::new(Pool { regions: Vec::new(), parts: 0, others: 0, most_used: 0 });

/// The memory of all buffers, but for those that are too short.
struct Pool {
    regions: Vec<Region>,
    /// Elements of parts that are in use.
    parts: usize,
    /// Those of other buffers.
    others: usize,
    /// Most elements that were in use at once.
    most_used: usize,
}

impl Pool {
    fn lock() -> MutexGuard<'static, Self> {
        POOL.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> usize {
        self.parts + self.others
    }

    /// Elements that have memory and are not in use.
    fn kept(&self) -> usize {
        let resident: usize = self.regions.iter().map(Region::resident).sum();
        resident.saturating_sub(self.parts)
    }

    /// A part of `n` elements at least, and whether they are zeros.
    fn take(&mut self, n: usize) -> Option<(Part, bool)> {
        let taken = self.regions.iter_mut().find_map(|region| region.take(n));
        let (part, is_zero) = match taken {
            Some(taken) => taken,
            None => {
                let mut region = Region::new(n)?;
                let taken = region.take(n)?;
                self.regions.push(region);
                taken
            }
        };
        self.parts += part.elements().len();
        self.settle();
        Some((part, is_zero))
    }

    fn put(&mut self, part: Part) {
        self.parts -= part.elements().len();
        if let Some(region) = self.regions.iter_mut().find(|region| region.has(&part)) {
            region.put(part);
        }
        self.settle();
    }

    /// Gives back what is more than may be kept.
    fn settle(&mut self) {
        self.most_used = self.most_used.max(self.used());
        let most = most_kept(bytes(self.most_used), bytes(self.used()));
        let most = (most / size_of::<F128>() as u128) as usize;
        let mut over = self.kept().saturating_sub(most);
        for region in self.regions.iter_mut().rev() {
            over = over.saturating_sub(region.give_back(over));
        }
    }
}

/// Elements on the heap or in a region.
#[derive(Default)]
pub struct Buffer {
    storage: Storage,
    len: usize,
}

enum Storage {
    Heap(Vec<F128>),
    Part(Part),
}

impl Default for Storage {
    fn default() -> Self {
        Self::Heap(Vec::new())
    }
}

impl Storage {
    fn elements(&self) -> &[F128] {
        match self {
            Self::Heap(elements) => elements,
            Self::Part(part) => part.elements(),
        }
    }

    fn elements_mut(&mut self) -> &mut [F128] {
        match self {
            Self::Heap(elements) => elements,
            Self::Part(part) => part.elements_mut(),
        }
    }
}

impl Buffer {
    /// `n` zeros.
    pub fn zeroed(n: usize) -> Self {
        let (mut buffer, is_zero) = Self::take(n);
        if !is_zero {
            buffer.fill(F128::ZERO);
        }
        buffer
    }

    /// `n` elements of whatever values, to be written before they are read.
    pub fn unspecified(n: usize) -> Self {
        Self::take(n).0
    }

    /// The first `n` elements, if it has more.
    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n);
    }

    /// `n` elements, and whether they are zeros. Where the system has no region for them, the allocator may still have memory.
    fn take(n: usize) -> (Self, bool) {
        let part = if n < SHORTEST { None } else { Pool::lock().take(n) };
        part.map_or_else(
            || (F128::zeros(n).into(), true),
            |(part, is_zero)| (Self { storage: Storage::Part(part), len: n }, is_zero),
        )
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match core::mem::take(&mut self.storage) {
            Storage::Part(part) => Pool::lock().put(part),
            Storage::Heap(elements) if elements.len() >= SHORTEST => {
                Pool::lock().others -= elements.len();
            }
            Storage::Heap(_) => {}
        }
    }
}

impl From<Vec<F128>> for Buffer {
    fn from(elements: Vec<F128>) -> Self {
        let len = elements.len();
        if len >= SHORTEST {
            let mut pool = Pool::lock();
            pool.others += len;
            pool.settle();
        }
        Self { storage: Storage::Heap(elements), len }
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut clone = Self::unspecified(self.len);
        clone.copy_from_slice(self);
        clone
    }
}

impl Deref for Buffer {
    type Target = [F128];

    fn deref(&self) -> &[F128] {
        &self.storage.elements()[..self.len]
    }
}

impl AsRef<[F128]> for Buffer {
    fn as_ref(&self) -> &[F128] {
        self
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [F128] {
        &mut self.storage.elements_mut()[..self.len]
    }
}

/// Elements that are only read: somebody else's, or those of a buffer that may have several readers.
#[derive(Clone)]
pub enum Shared<'a> {
    /// Somebody else's.
    Borrowed(&'a [F128]),
    /// A buffer's, which goes with its last reader.
    Owned(Arc<Buffer>),
}

impl<'a> From<&'a [F128]> for Shared<'a> {
    fn from(elements: &'a [F128]) -> Self {
        Self::Borrowed(elements)
    }
}

impl From<Buffer> for Shared<'_> {
    fn from(elements: Buffer) -> Self {
        Self::Owned(Arc::new(elements))
    }
}

impl Deref for Shared<'_> {
    type Target = [F128];

    fn deref(&self) -> &[F128] {
        match self {
            Self::Borrowed(elements) => elements,
            Self::Owned(elements) => elements,
        }
    }
}

/// Bytes in a buffer.
#[derive(Default)]
pub struct Bytes {
    elements: Buffer,
    len: usize,
}

impl Bytes {
    /// `n` bytes of whatever values, to be written before they are read.
    pub fn unspecified(n: usize) -> Self {
        Self { elements: Buffer::unspecified(n.div_ceil(size_of::<F128>())), len: n }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.elements)[..self.len]
    }
}

impl DerefMut for Bytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.elements)[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_as_many_as_asked_for() {
        for n in [0, 1, 16, 17, 16 * SHORTEST - 1, 16 * SHORTEST + 5] {
            let mut bytes = Bytes::unspecified(n);
            assert_eq!(bytes.len(), n);
            bytes.fill(3);
            assert!(bytes.iter().all(|&byte| byte == 3));
        }
    }

    #[test]
    fn buffers_are_zeroed_and_writable() {
        for n in [0, 5, SHORTEST, 3 * SHORTEST, 1 << 14, (1 << 15) - 3, 2 * SHORTEST, 1 << 14] {
            let mut buffer = Buffer::zeroed(n);
            assert_eq!(buffer.len(), n);
            assert!(buffer.iter().all(|x| x.is_zero()));
            buffer.fill(F128::ONE);
            assert!(buffer.iter().all(|&x| x == F128::ONE));
            buffer.truncate(n / 2);
            assert_eq!(buffer.len(), n / 2);
            assert_eq!(Buffer::unspecified(n).len(), n);
        }
    }

    #[test]
    fn no_more_is_kept_than_was_in_use() {
        let check = || {
            let pool = Pool::lock();
            assert!(pool.kept() <= MOST_KEPT);
            // But for pages that a part has begun.
            assert!(pool.kept() + pool.used() <= pool.most_used + SLACK + (1 << 19));
        };
        let mut buffers: Vec<Buffer> = (1..9).map(|i| Buffer::unspecified(i * SLACK / 3)).collect();
        check();
        while buffers.pop().is_some() {
            check();
            // Of a length that none that was dropped has.
            drop(Buffer::from(vec![F128::ONE; SLACK / 4 + buffers.len()]));
            drop(Buffer::unspecified(SLACK / 5 + buffers.len()));
            check();
        }
    }
}
