//! Long slices whose memory outlives them: in huge pages where the system has them, and kept for the next.
//!
//! A page fault a 4 KiB page costs more than the arithmetic on it, and so does zeroing a huge page.

use core::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use binfer_field::F128;
use memmap2::MmapMut;

/// Bytes of a huge page of x86-64.
const HUGE_PAGE: usize = 1 << 21;

/// Elements from which a mapping of its own pays.
const MAPPED: usize = 4 * HUGE_PAGE / size_of::<F128>();

/// Elements of the shortest memory that is kept.
const KEPT: usize = 1 << 12;

/// Elements that are kept beyond those that were in use at once before.
const MOST_KEPT: usize = 1 << 22;

/// Bytes that dropped buffers take at most, in the whole process, beyond those that were in use at once.
pub const MOST_KEPT_BYTES: usize = MOST_KEPT * size_of::<F128>();

/// A buffer takes memory of at most this many times its own length.
const WASTE: usize = 4;

/// The memory of all buffers of the process.
static POOL: Mutex<Pool> = Mutex::new(Pool::new());

/// Gives all memory back that was kept since buffers in use took more, but for [`MOST_KEPT_BYTES`].
pub fn release() {
    let freed = pool().release();
    drop(freed);
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that dropped buffers left, and what buffers in use take.
///
/// What both take together is at most [`MOST_KEPT`] more than what was asked for, at once, by the buffers of
/// some moment since the last release. Smaller buffers than [`KEPT`] do not count.
struct Pool {
    /// The oldest first.
    spares: Vec<Storage>,
    spare: usize,
    /// Elements that buffers in use asked for, and those they have.
    asked: usize,
    held: usize,
    /// The most that was asked for.
    most_asked: usize,
}

impl Pool {
    const fn new() -> Self {
        Self { spares: Vec::new(), spare: 0, asked: 0, held: 0, most_asked: 0 }
    }

    /// The shortest memory that was kept and has room for `n` elements, as memory in use.
    fn take(&mut self, n: usize) -> Option<Storage> {
        let wasted = self.held - self.asked;
        let lens = self.spares.iter().map(Storage::len).enumerate();
        let fits = |len: usize| len >= n && len / WASTE <= n && wasted + len - n <= MOST_KEPT;
        let (at, len) = lens.filter(|&(_, len)| fits(len)).min_by_key(|&(_, len)| len)?;
        self.spare -= len;
        self.count(n, len);
        Some(self.spares.remove(at))
    }

    /// Counts memory for `n` elements that has room for `len`.
    fn count(&mut self, n: usize, len: usize) {
        self.asked += n;
        self.held += len;
        self.most_asked = self.most_asked.max(self.asked);
    }

    /// Takes memory back that was given for `n` elements; returns what is not kept.
    fn put(&mut self, n: usize, storage: Storage) -> Vec<Storage> {
        let len = storage.len();
        self.asked -= n;
        self.held -= len;
        self.spare += len;
        self.spares.push(storage);
        self.trim()
    }

    /// Takes out what is too much, the oldest first.
    fn trim(&mut self) -> Vec<Storage> {
        let most = self.most_asked.max(self.asked + MOST_KEPT);
        let too_many = self.spares.iter().take_while(|spare| {
            let over = self.held + self.spare > most;
            self.spare -= if over { spare.len() } else { 0 };
            over
        });
        let too_many = too_many.count();
        self.spares.drain(..too_many).collect()
    }

    fn release(&mut self) -> Vec<Storage> {
        self.most_asked = self.asked;
        self.trim()
    }
}

/// Elements on the heap or in an anonymous mapping.
#[derive(Default)]
pub struct Buffer {
    storage: Storage,
    len: usize,
    /// The length that the pool counts.
    counted: usize,
}

enum Storage {
    Heap(Vec<F128>),
    Mapped(MmapMut),
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
            Self::Mapped(map) => bytemuck::cast_slice(map),
        }
    }

    fn elements_mut(&mut self) -> &mut [F128] {
        match self {
            Self::Heap(elements) => elements,
            Self::Mapped(map) => bytemuck::cast_slice_mut(map),
        }
    }

    fn len(&self) -> usize {
        self.elements().len()
    }
}

impl Buffer {
    /// `n` zeros.
    pub fn zeroed(n: usize) -> Self {
        if let Some(mut spare) = Self::spare(n) {
            spare.fill(F128::ZERO);
            return spare;
        }
        Self::allocated(n)
    }

    /// `n` elements of whatever values, to be written before they are read.
    pub fn unspecified(n: usize) -> Self {
        Self::spare(n).unwrap_or_else(|| Self::allocated(n))
    }

    /// The first `n` elements, if it has more.
    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n);
    }

    fn spare(n: usize) -> Option<Self> {
        if n < KEPT {
            return None;
        }
        let storage = pool().take(n)?;
        Some(Self { storage, len: n, counted: n })
    }

    fn allocated(n: usize) -> Self {
        let mapped = if n < MAPPED { None } else { mapped_len(n) };
        let len = mapped.unwrap_or(n);
        let counted = Self::counted(n, len);
        let mapped = mapped.and_then(map);
        let storage = mapped.map_or_else(|| Storage::Heap(F128::zeros(len)), Storage::Mapped);
        Self { storage, len: n, counted }
    }

    /// Makes room in the pool for `n` elements in memory for `len`, before it is taken; returns what is counted.
    fn counted(n: usize, len: usize) -> usize {
        if n < KEPT {
            return 0;
        }
        let mut pool = pool();
        pool.count(n, len);
        let freed = pool.trim();
        drop((pool, freed));
        n
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.counted > 0 {
            let freed = pool().put(self.counted, core::mem::take(&mut self.storage));
            drop(freed);
        }
    }
}

/// The elements of a mapping for `n`: a huge page is not cut where it would be filled by half.
fn mapped_len(n: usize) -> Option<usize> {
    let bytes = n.checked_mul(size_of::<F128>())?;
    let whole = bytes.checked_next_multiple_of(HUGE_PAGE)?;
    let bytes = if whole - bytes <= HUGE_PAGE / 2 { whole } else { bytes };
    Some(bytes / size_of::<F128>())
}

/// Anonymous memory for `len` elements; where there is none, the allocator may still have some.
fn map(len: usize) -> Option<MmapMut> {
    let map = MmapMut::map_anon(len * size_of::<F128>()).ok()?;
    // Refused advice costs time only.
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(map)
}

impl From<Vec<F128>> for Buffer {
    fn from(elements: Vec<F128>) -> Self {
        let len = elements.len();
        let counted = Self::counted(len, len);
        Self { storage: Storage::Heap(elements), len, counted }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_zeroed_and_writable() {
        for n in [0, 5, KEPT, 3 * KEPT, MAPPED, MAPPED + 3, 2 * MAPPED - 3, 2 * KEPT, MAPPED] {
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

    fn storage(len: usize) -> Storage {
        Storage::Heap(F128::zeros(len))
    }

    fn given(pool: &mut Pool, n: usize) -> Storage {
        if let Some(storage) = pool.take(n) {
            return storage;
        }
        pool.count(n, n);
        pool.trim();
        storage(n)
    }

    #[test]
    fn memory_is_given_again_up_to_what_was_in_use_at_once() {
        let mut pool = Pool::new();
        // A group of buffers, more than is kept beyond use, and the same again.
        let sizes = [MOST_KEPT, MOST_KEPT / 2, MOST_KEPT / 8, MOST_KEPT];
        let most: usize = sizes.iter().sum();
        for _ in 0..2 {
            let group = sizes.map(|n| given(&mut pool, n));
            assert_eq!((pool.asked, pool.held, pool.spare), (most, most, 0));
            for (n, storage) in sizes.into_iter().zip(group) {
                assert!(pool.put(n, storage).is_empty(), "all is kept");
            }
        }
        // What is of no use to others makes room for them.
        let larger = given(&mut pool, 2 * MOST_KEPT);
        assert!(pool.held + pool.spare <= most.max(3 * MOST_KEPT));
        pool.put(2 * MOST_KEPT, larger);
        // Larger memory is given as long as little is wasted in all.
        assert_eq!(pool.spare, 2 * MOST_KEPT);
        assert!(pool.take(MOST_KEPT - 1).is_none());
        assert_eq!(pool.take(MOST_KEPT).map(|storage| storage.len()), Some(2 * MOST_KEPT));
        assert!(pool.take(1).is_none() && pool.held - pool.asked == MOST_KEPT);
        pool.release();
        assert!(pool.held + pool.spare <= pool.asked + MOST_KEPT);
    }

    #[test]
    fn little_is_kept_of_many() {
        let mut pool = Pool::new();
        for i in 1..20 {
            let one = given(&mut pool, i * MOST_KEPT / 8);
            pool.put(i * MOST_KEPT / 8, one);
            assert!(pool.spare <= MOST_KEPT.max(pool.most_asked));
        }
        let freed: usize = pool.release().iter().map(Storage::len).sum();
        assert!(freed > 0 && pool.spare <= MOST_KEPT);
    }
}
