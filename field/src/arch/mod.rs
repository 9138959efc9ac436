//! Instruction-set backends: each algorithm once over a lane trait, thin shells per processor.
//!
//! `generic` holds the algorithms, `portable`, `x86_64` and `aarch64` the lanes and the shells that
//! enable their instructions, and `dispatch` is the only place that chooses between them.

#[macro_use]
mod shells;

pub(crate) mod dispatch;

mod generic;
pub(crate) mod integers;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tower_tests;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub(crate) use generic::{Form, TowerMap, matrix as byte_matrix};

use crate::F128;

/// Elements from those in hand to those that [`prefetch`] is called on: what they take is about what memory takes.
const AHEAD: usize = 64;

/// Elements of a cache line.
const LINE: usize = 64 / size_of::<F128>();

/// Has the line at `from` fetched, where the processor takes such a hint: the hardware's own guesses end with each page, and with
/// each of many short runs. Any address will do.
#[inline(always)]
fn prefetch(from: *const F128) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction, which faults at no address.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(from.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}

/// [`prefetch`] of the line that holds what would be element `start` of each slice that reaches so far, where a line begins: for loops over
/// `start` that compute on something else.
#[inline(always)]
fn prefetch_lines(slices: &[&[u8]], start: usize) {
    if start.is_multiple_of(LINE) {
        let at = start * size_of::<F128>();
        for slice in slices {
            if at < slice.len() {
                prefetch(slice.as_ptr().wrapping_add(at).cast());
            }
        }
    }
}

/// [`prefetch`] of `n` bytes that lie behind a slice as those from `start` on do in it: for slices whose successors are read next.
#[inline(always)]
fn prefetch_behind(slice: &[u8], start: usize, n: usize) {
    for line in (0..n).step_by(LINE * size_of::<F128>()) {
        prefetch(slice.as_ptr().wrapping_add(slice.len() + start + line).cast());
    }
}

/// [`prefetch`] of what lies as far behind a run of elements, all its lines.
#[inline(always)]
fn prefetch_ahead(run: &[F128]) {
    for line in run.chunks(LINE) {
        prefetch(line.as_ptr().wrapping_add(AHEAD));
    }
}
