//! Long slices whose memory outlives them: in huge pages where the system has them, and kept for the next.
//!
//! A page fault a 4 KiB page costs more than the arithmetic on it, and so does zeroing a huge page. What is kept and what is in
//! use are together hardly more than was in use at once, so that keeping memory takes none.

use core::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use binfer_field::F128;
use memmap2::MmapMut;

/// Bytes of a huge page of x86-64.
const HUGE_PAGE: usize = 1 << 21;

/// Elements from which memory is a mapping of its own: kept in the allocator's arenas, of which each thread has one, it
/// would keep what lies around it from being given back.
const MAPPED: usize = 1 << 14;

/// Elements of the shortest memory that is kept.
const KEPT: usize = 1 << 12;

/// Elements that may be kept beyond what was in use at once: all that small proofs have.
const SLACK: usize = 1 << 20;

/// Elements that are kept at most.
const MOST_KEPT: usize = 1 << 25;

/// Most bytes that the process keeps for the next buffers while `used` of them are in use, if there were `most_used` at once.
pub fn most_kept(most_used: u128, used: u128) -> u128 {
    bytes(MOST_KEPT).min(most_used.saturating_sub(used) + bytes(SLACK))
}

fn bytes(elements: usize) -> u128 {
    (elements * size_of::<F128>()) as u128
}

/// A buffer takes memory of at most this many times its own length.
const WASTE: usize = 4;

static POOL: Mutex<Pool> = Mutex::new(Pool { spares: Vec::new(), kept: 0, used: 0, most_used: 0 });

/// The memory of all buffers, but for those that are too short to be kept.
struct Pool {
    /// What dropped buffers left, the oldest first.
    spares: Vec<Storage>,
    /// Elements of spares.
    kept: usize,
    /// Elements in use.
    used: usize,
    /// Most elements that were in use at once.
    most_used: usize,
}

impl Pool {
    fn lock() -> MutexGuard<'static, Self> {
        POOL.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts elements as in use.
    fn count(&mut self, n: usize) {
        self.used += n;
        self.most_used = self.most_used.max(self.used);
    }

    /// Takes the oldest spares away until what is left may be kept.
    fn settle(&mut self) -> Vec<Storage> {
        let most = most_kept(bytes(self.most_used), bytes(self.used));
        let too_many = self.spares.iter().take_while(|spare| {
            let over = bytes(self.kept) > most;
            self.kept -= if over { spare.len() } else { 0 };
            over
        });
        let too_many = too_many.count();
        self.spares.drain(..too_many).collect()
    }
}

/// Elements on the heap or in an anonymous mapping.
#[derive(Default)]
pub struct Buffer {
    storage: Storage,
    len: usize,
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

    /// The shortest memory that was kept and has room for `n` elements.
    fn spare(n: usize) -> Option<Self> {
        if n < KEPT {
            return None;
        }
        let mut pool = Pool::lock();
        let lens = pool.spares.iter().map(Storage::len).enumerate();
        let fitting = lens.filter(|&(_, len)| len >= n && len / WASTE <= n);
        let (at, len) = fitting.min_by_key(|&(_, len)| len)?;
        let storage = pool.spares.remove(at);
        pool.kept -= len;
        pool.count(len);
        Some(Self { storage, len: n })
    }

    fn allocated(n: usize) -> Self {
        let mapped = if n < MAPPED { None } else { map(n) };
        let storage = mapped.map_or_else(|| Storage::Heap(F128::zeros(n)), Storage::Mapped);
        Self::counted(storage, n)
    }

    /// A buffer in memory that is new.
    fn counted(storage: Storage, len: usize) -> Self {
        let n = storage.len();
        if n >= KEPT {
            let mut pool = Pool::lock();
            pool.count(n);
            let given_back = pool.settle();
            drop(pool);
            drop(given_back);
        }
        Self { storage, len }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let storage = core::mem::take(&mut self.storage);
        let n = storage.len();
        if n < KEPT {
            return;
        }
        let mut pool = Pool::lock();
        pool.used -= n;
        if n <= MOST_KEPT {
            pool.kept += n;
            pool.spares.push(storage);
        }
        let given_back = pool.settle();
        drop(pool);
        drop(given_back);
    }
}

/// Anonymous memory for `n` elements or more, so that a huge page is not cut where it would be
/// filled by half; where there is none, the allocator may still have some.
fn map(n: usize) -> Option<MmapMut> {
    let bytes = n.checked_mul(size_of::<F128>())?;
    let whole = bytes.checked_next_multiple_of(HUGE_PAGE)?;
    let is_huge = bytes >= HUGE_PAGE;
    let bytes = if is_huge && whole - bytes <= HUGE_PAGE / 2 { whole } else { bytes };
    let map = MmapMut::map_anon(bytes).ok()?;
    // Refused advice costs time only.
    #[cfg(target_os = "linux")]
    if is_huge {
        let _ = map.advise(memmap2::Advice::HugePage);
    }
    Some(map)
}

impl From<Vec<F128>> for Buffer {
    fn from(elements: Vec<F128>) -> Self {
        let len = elements.len();
        Self::counted(Storage::Heap(elements), len)
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

    #[test]
    fn no_more_is_kept_than_was_in_use() {
        let check = || {
            let pool = Pool::lock();
            assert_eq!(pool.kept, pool.spares.iter().map(Storage::len).sum::<usize>());
            assert!(pool.kept <= MOST_KEPT && pool.kept + pool.used <= pool.most_used + SLACK);
        };
        let mut buffers: Vec<Buffer> = (1..9).map(|i| Buffer::zeroed(i * SLACK / 3)).collect();
        check();
        while buffers.pop().is_some() {
            check();
            // Of a length that none that was dropped has.
            drop(Buffer::from(vec![F128::ONE; SLACK / 4 + buffers.len()]));
            check();
        }
    }
}
