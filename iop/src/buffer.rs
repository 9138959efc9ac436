//! Long slices of zeros, in huge pages where the system has them.
//!
//! A page fault a 4 KiB page costs more than the arithmetic on it.

use core::ops::{Deref, DerefMut};

use binfer_field::F128;
use memmap2::MmapMut;

/// Bytes of a huge page of x86-64.
const HUGE_PAGE: usize = 1 << 21;

/// Elements from which a mapping of its own pays.
const MAPPED: usize = 4 * HUGE_PAGE / size_of::<F128>();

/// Elements on the heap or in an anonymous mapping.
pub enum Buffer {
    /// Short ones.
    Heap(Vec<F128>),
    /// Long ones, and how many elements of the mapping they are.
    Mapped(MmapMut, usize),
}

impl Buffer {
    /// `n` zeros.
    pub fn zeroed(n: usize) -> Self {
        let mapped = if n < MAPPED { None } else { map(n) };
        match mapped {
            Some(map) => Self::Mapped(map, n),
            None => Self::Heap(F128::zeros(n)),
        }
    }
}

/// Anonymous memory for `n` elements or more, so that a huge page is not cut where it would be
/// filled by half; where there is none, the allocator may still have some.
fn map(n: usize) -> Option<MmapMut> {
    let bytes = n.checked_mul(size_of::<F128>())?;
    let whole = bytes.checked_next_multiple_of(HUGE_PAGE)?;
    let bytes = if whole - bytes <= HUGE_PAGE / 2 { whole } else { bytes };
    let map = MmapMut::map_anon(bytes).ok()?;
    // Refused advice costs time only.
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(map)
}

impl From<Vec<F128>> for Buffer {
    fn from(elements: Vec<F128>) -> Self {
        Self::Heap(elements)
    }
}

impl Deref for Buffer {
    type Target = [F128];

    fn deref(&self) -> &[F128] {
        match self {
            Self::Heap(elements) => elements,
            Self::Mapped(map, n) => &bytemuck::cast_slice(map)[..*n],
        }
    }
}

impl AsRef<[F128]> for Buffer {
    fn as_ref(&self) -> &[F128] {
        self
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [F128] {
        match self {
            Self::Heap(elements) => elements,
            Self::Mapped(map, n) => &mut bytemuck::cast_slice_mut(map)[..*n],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_zeroed_and_writable() {
        for n in [0, 5, MAPPED, MAPPED + 3, 2 * MAPPED - 3] {
            let mut buffer = Buffer::zeroed(n);
            assert_eq!(buffer.len(), n);
            assert!(buffer.iter().all(|x| x.is_zero()));
            buffer.fill(F128::ONE);
            assert!(buffer.iter().all(|&x| x == F128::ONE));
        }
    }
}
