//! Address space that is mapped once, of which buffers are parts.

use core::ops::Range;

use binfer_field::F128;
use memmap2::{MmapMut, MmapRaw};

/// Elements of the pages that parts are made of, of 4 KiB.
const PAGE: usize = 4096 / size_of::<F128>();

/// Elements of a huge page of x86-64, of 2 MiB: what is given back is whole ones.
const HUGE_PAGE: usize = (2 << 20) / size_of::<F128>();

/// Elements of a region, if the system maps so many: what is not written takes no memory.
const REGION: usize = (1 << 30) / size_of::<F128>();

/// An anonymous mapping, of which some parts are in use: raw, for a slice of all of it would be one of theirs.
pub(super) struct Region {
    map: MmapRaw,
    /// What is in no part, in order, no two beside each other.
    free: Vec<Range<usize>>,
    /// Of each huge page, whether it may have memory.
    resident: Vec<bool>,
    /// From where on nothing was ever in use: zeros.
    untouched: usize,
}

/// Elements of a region, which are those of this value alone.
pub(super) struct Part {
    start: *mut F128,
    len: usize,
    /// Where they begin in the region.
    offset: usize,
}

// SAFETY: a part is the only way to its elements, as a box is to its own.
unsafe impl Send for Part {}
// SAFETY: a shared part lends shared elements only.
unsafe impl Sync for Part {}

impl Part {
    pub(super) fn elements(&self) -> &[F128] {
        // SAFETY: a region is readable and mapped for as long as the process lives, for the pool drops none; `start` is aligned and
        // `len` elements from it on lie within; `Region::take` gave them to no other part, and takes them back with this
        // one. All bytes were written or are the system's zeros, and every pattern is an element.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }

    pub(super) fn elements_mut(&mut self) -> &mut [F128] {
        // SAFETY: as above; a region is writable, and the part is borrowed alone.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl Region {
    /// A region with room for `n` elements at least, nothing of it in use; `None` where the system refuses it.
    pub(super) fn new(n: usize) -> Option<Self> {
        let least = n.checked_next_multiple_of(HUGE_PAGE)?;
        let sizes = core::iter::successors(Some(REGION), |size| Some(size / 2));
        let sizes = sizes.take_while(|&size| size > least).chain([least]);
        let mut maps = sizes.filter_map(|size| {
            let bytes = size.checked_mul(size_of::<F128>())?;
            MmapMut::map_anon(bytes).ok().map(|map| (MmapRaw::from(map), size))
        });
        let (map, size) = maps.next()?;
        let resident = vec![false; size / HUGE_PAGE];
        Some(Self { map, free: core::iter::once(0..size).collect(), resident, untouched: 0 })
    }

    /// The first free `n` elements on end, rounded up to pages, and whether they are zeros.
    pub(super) fn take(&mut self, n: usize) -> Option<(Part, bool)> {
        let len = n.checked_next_multiple_of(PAGE)?;
        let at = self.free.iter().position(|free| free.len() >= len)?;
        let offset = self.free[at].start;
        self.free[at].start += len;
        if self.free[at].is_empty() {
            self.free.remove(at);
        }
        let is_zero = offset >= self.untouched;
        self.untouched = self.untouched.max(offset + len);
        let filled = offset.div_ceil(HUGE_PAGE)..(offset + len) / HUGE_PAGE;
        if self.resident.get(filled.clone()).is_some_and(|pages| pages.contains(&false)) {
            ask_for_huge(&self.map, filled);
        }
        self.resident[offset / HUGE_PAGE..(offset + len).div_ceil(HUGE_PAGE)].fill(true);
        let start = self.map.as_mut_ptr().cast::<F128>().wrapping_add(offset);
        Some((Part { start, len, offset }, is_zero))
    }

    /// Whether a part is of this region.
    pub(super) fn has(&self, part: &Part) -> bool {
        let start = self.map.as_ptr().cast::<F128>();
        core::ptr::eq(start.wrapping_add(part.offset), part.start)
    }

    /// Takes a part of it back.
    pub(super) fn put(&mut self, part: Part) {
        let (mut start, mut end) = (part.offset, part.offset + part.len);
        let at = self.free.partition_point(|free| free.start < start);
        let mut replaced = at..at;
        if let Some(after) = self.free.get(at).filter(|after| after.start == end) {
            (end, replaced.end) = (after.end, at + 1);
        }
        if let Some(before) = at.checked_sub(1).map(|before| &self.free[before])
            && before.end == start
        {
            (start, replaced.start) = (before.start, at - 1);
        }
        self.free.splice(replaced, core::iter::once(start..end));
    }

    /// Elements of huge pages that may have memory.
    pub(super) fn resident(&self) -> usize {
        HUGE_PAGE * self.resident.iter().filter(|&&resident| resident).count()
    }

    /// Gives memory that is not in use back to the system, the last first, until that of `n` elements is; how many those are.
    pub(super) fn give_back(&mut self, n: usize) -> usize {
        let mut given = 0;
        for free in self.free.iter().rev() {
            let mut end = free.end / HUGE_PAGE;
            let first = free.start.div_ceil(HUGE_PAGE);
            while given < n && first < end {
                let is_resident = |page: &usize| self.resident[*page];
                let run = (first..end).rev().take_while(is_resident);
                let run = run.take((n - given).div_ceil(HUGE_PAGE)).count();
                let pages = end - run..end;
                if run > 0 && !release(&self.map, pages.clone()) {
                    return given;
                }
                given += HUGE_PAGE * run;
                self.resident[pages].fill(false);
                end -= run.max(1);
            }
        }
        given
    }
}

/// The first byte of these huge pages, and how many bytes they have.
#[cfg(unix)]
fn bytes(pages: &Range<usize>) -> (usize, usize) {
    let bytes = HUGE_PAGE * size_of::<F128>();
    (pages.start * bytes, pages.len() * bytes)
}

/// Says that a part fills these pages, so that each is worth one of its own. Refused advice costs time only.
fn ask_for_huge(map: &MmapRaw, pages: Range<usize>) {
    #[cfg(target_os = "linux")]
    {
        let (offset, len) = bytes(&pages);
        let _ = map.advise_range(memmap2::Advice::HugePage, offset, len);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (map, pages);
}

/// Gives the memory of these huge pages back, if the system takes it.
fn release(map: &MmapRaw, pages: Range<usize>) -> bool {
    #[cfg(unix)]
    {
        let (offset, len) = bytes(&pages);
        // SAFETY: these pages are in no part, so nothing borrows them; what is read there later are zeros or what
        // was written before, and `Region::take` calls neither zeros.
        unsafe {
            map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, len).is_ok()
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (map, pages);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_apart_and_join_again() {
        let mut region = Region::new(1).expect("memory");
        let all = region.free.clone();
        let mut parts = Vec::new();
        for n in [1, PAGE, PAGE + 1, 3 * HUGE_PAGE, 5] {
            let (mut part, is_zero) = region.take(n).expect("room");
            assert!(is_zero && part.elements().len() >= n && region.has(&part));
            assert!(part.elements().iter().all(|x| x.is_zero()));
            part.elements_mut().fill(F128::new(n as u128));
            parts.push((part, n));
        }
        for (part, n) in &parts {
            assert!(part.elements().iter().all(|&x| x == F128::new(*n as u128)));
        }
        // What is free first is taken first, and is not zero.
        let (second, _) = parts.remove(1);
        let offset = second.offset;
        region.put(second);
        let (again, is_zero) = region.take(1).expect("room");
        assert!(again.offset == offset && !is_zero);
        parts.push((again, 1));
        // In no order.
        while !parts.is_empty() {
            region.put(parts.remove(parts.len() / 2).0);
        }
        assert_eq!(region.free, all);
        assert!(region.take(all[0].len() + 1).is_none());
    }

    #[test]
    fn memory_is_given_back_page_by_page() {
        let mut region = Region::new(8 * HUGE_PAGE).expect("memory");
        let mut take = |n: usize| {
            let (mut part, _) = region.take(n).expect("room");
            part.elements_mut().fill(F128::ONE);
            part
        };
        let (first, kept, last) = (take(2 * HUGE_PAGE), take(PAGE), take(3 * HUGE_PAGE));
        assert_eq!(region.resident(), 6 * HUGE_PAGE);
        assert_eq!(region.give_back(HUGE_PAGE), 0);
        region.put(first);
        region.put(last);
        // Of the last part the first page is shared with what is kept.
        assert_eq!(region.give_back(2 * HUGE_PAGE), 2 * HUGE_PAGE);
        assert_eq!(region.resident(), 4 * HUGE_PAGE);
        assert_eq!(region.give_back(9 * HUGE_PAGE), 3 * HUGE_PAGE);
        assert_eq!((region.resident(), region.give_back(1)), (HUGE_PAGE, 0));
        assert!(kept.elements().iter().all(|&x| x == F128::ONE));
    }
}
