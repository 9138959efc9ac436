//! Counts of field operations and hash compressions, kept where the feature `count-operations` is on.
//!
//! Each thread counts for itself, so that counting takes no turns; [`snapshot`] adds all threads up. Without the
//! feature every function here is empty and [`ENABLED`] is false.
//!
//! # What counts
//!
//! *Scalar* operators of [`F128`](crate::F128) count one each: a product, a squaring, an addition; a power counts a
//! squaring for each bit of its exponent and a product for each that is set. *Kernels* count by slices, whatever the
//! backend, and what happens inside them counts nothing else:
//!
//! | kernel | for each element | products | squarings | additions |
//! |---|---|---:|---:|---:|
//! | `add_assign`, `sum`, `histogram`, `block_histograms` | of the argument | | | 1 |
//! | `nibble_products` | of an index, and 256 of both | | | 16 |
//! | `mul`, `mul_assign`, `mul_adjacent`, `scale`, `scale_into` | of the result | 1 | | |
//! | `add_products`, `add_scaled`, `inner_product` | of the argument | 1 | | 1 |
//! | `square` | | | 1 | |
//! | `frobenius`, `t` times | | | `t mod 8` | 16 for each one among the bits of `t div 8` |
//! | `fold`, `fold_into`, `fold_adjacent` | of the result | 1 | | 2 |
//! | `fold_four` | of the result | 3 | | 6 |
//! | `product_round` | of the weights | 4 | | 4 |
//! | `table_round` | of a half | 2 | | 5 |
//! | `product_grid` | of the weights | 11, 12 with a corner | | 17, 18 with a corner |
//! | `table_grid` | of a quarter | 8 | | 21 |
//! | `lines_round` of 2, 3, 4, 5, 6, 7, 8 factors | of the weights | 5, 10, 14, 23, 28, 36, 41 | | 7, 12, 20, 38, 50, 66, 87 |
//! | `quartic_round` | of a factor | 13 | | 15 |
//! | `gather_quartic` | of the weights | 12 | | 14 |
//! | `quartic_round` without weights | of a factor | 11 | | 15 |
//! | `eq_table` | of the result but one | 1 | | 1 |
//! | `butterfly` and layers of them | pair | 1 | | 2 |
//! | `LinearMap` on a slice, `bit_sums` | | | | 16 |
//! | `WordMap` on slices, of `n` words | | | | `2 n` |
//! | `gather_two` | of the result | | | 1 |
//! | `NibbleSums` of `2 p` slices | of the result | | | `p - 1` |
//! | `gather_products` | of the result | 1 | | |
//! | `gather_four_products` | of the result | 3 | | |
//! | `gather`, `pack_plane`, `transpose` | | | | |
//!
//! Products include those whose reduction is put off to the end of a sum. The kernel of [`coset`](crate::coset) counts
//! products of bytes, for each block and point `|S| - 1 + 16` of each set `S` of planes that is summed there, and one
//! addition. Twiddles and powers that a kernel derives count nothing: they are a small part of what they serve.

/// Whether operations are counted.
pub const ENABLED: bool = cfg!(feature = "count-operations");

/// Numbers of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Products of two elements of GF(2^128).
    pub products: u64,
    /// Squares of elements of GF(2^128).
    pub squarings: u64,
    /// Sums of two elements of GF(2^128).
    pub additions: u64,
    /// Products of two elements of GF(2^8).
    pub byte_products: u64,
    /// Applications of a hash's compression function to a block.
    pub compressions: u64,
}

impl Counts {
    /// Every kind with its name.
    pub fn kinds(&self) -> [(&'static str, u64); 5] {
        [
            ("products", self.products),
            ("squarings", self.squarings),
            ("additions", self.additions),
            ("byte products", self.byte_products),
            ("compressions", self.compressions),
        ]
    }

    /// What was counted from `earlier` to `self`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            products: self.products - earlier.products,
            squarings: self.squarings - earlier.squarings,
            additions: self.additions - earlier.additions,
            byte_products: self.byte_products - earlier.byte_products,
            compressions: self.compressions - earlier.compressions,
        }
    }
}

impl core::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.products += other.products;
        self.squarings += other.squarings;
        self.additions += other.additions;
        self.byte_products += other.byte_products;
        self.compressions += other.compressions;
    }
}

/// Begins to count from zero, on all threads.
///
/// What other threads do meanwhile may be counted or not.
pub fn reset() {
    #[cfg(feature = "count-operations")]
    on::reset();
}

/// What all threads have counted since [`reset`].
pub fn snapshot() -> Counts {
    #[cfg(feature = "count-operations")]
    return on::snapshot();
    #[cfg(not(feature = "count-operations"))]
    Counts::default()
}

/// Counts compressions: for the crate of hashes.
#[inline(always)]
pub fn compressions(n: usize) {
    add(Counts { compressions: n as u64, ..Counts::default() });
}

/// Counts scalar operations, unless a kernel is running.
#[inline(always)]
pub(crate) fn scalar(products: u32, squarings: u32, additions: u32) {
    add(Counts {
        products: products.into(),
        squarings: squarings.into(),
        additions: additions.into(),
        ..Counts::default()
    });
}

/// Counts a kernel's operations, of each kind so many for each of `n` elements, until the end of which nothing else
/// is counted.
#[inline(always)]
#[must_use]
pub(crate) fn kernel(n: usize, products: u32, squarings: u32, additions: u32) -> Running {
    let n = n as u64;
    kernel_of(Counts {
        products: n * u64::from(products),
        squarings: n * u64::from(squarings),
        additions: n * u64::from(additions),
        ..Counts::default()
    })
}

/// [`kernel`] with these counts.
#[inline(always)]
#[must_use]
pub(crate) fn kernel_of(counts: Counts) -> Running {
    add(counts);
    #[cfg(feature = "count-operations")]
    return on::Running::new();
    #[cfg(not(feature = "count-operations"))]
    Running
}

#[inline(always)]
fn add(counts: Counts) {
    #[cfg(feature = "count-operations")]
    on::add(counts);
    #[cfg(not(feature = "count-operations"))]
    let _ = counts;
}

/// A kernel at work, which no feature asks to know of.
#[cfg(not(feature = "count-operations"))]
pub(crate) struct Running;

#[cfg(feature = "count-operations")]
pub(crate) use on::Running;

#[cfg(feature = "count-operations")]
mod on {
    use core::cell::Cell;
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, PoisonError};

    use super::Counts;

    /// One thread's counts, which it alone adds to.
    #[derive(Default)]
    struct OfThread([AtomicU64; 5]);

    static THREADS: Mutex<Vec<&'static OfThread>> = Mutex::new(Vec::new());

    fn threads() -> Vec<&'static OfThread> {
        THREADS.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    thread_local! {
        /// Lives on when the thread ends, so that its counts are not lost.
        static MINE: &'static OfThread = {
            let mine: &'static OfThread = Box::leak(Box::default());
            THREADS.lock().unwrap_or_else(PoisonError::into_inner).push(mine);
            mine
        };
        /// How many kernels are running, one in another.
        static RUNNING: Cell<u32> = const { Cell::new(0) };
    }

    /// A kernel at work: until it is dropped, its thread counts nothing.
    pub(crate) struct Running;

    impl Running {
        pub(super) fn new() -> Self {
            RUNNING.set(RUNNING.get() + 1);
            Self
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            RUNNING.set(RUNNING.get() - 1);
        }
    }

    pub(super) fn add(counts: Counts) {
        if RUNNING.get() > 0 {
            return;
        }
        MINE.with(|mine| {
            for (total, (_, n)) in mine.0.iter().zip(counts.kinds()) {
                if n > 0 {
                    total.store(total.load(Ordering::Relaxed) + n, Ordering::Relaxed);
                }
            }
        });
    }

    pub(super) fn reset() {
        threads().iter().flat_map(|t| &t.0).for_each(|n| n.store(0, Ordering::Relaxed));
    }

    pub(super) fn snapshot() -> Counts {
        let mut sums = [0; 5];
        for thread in threads() {
            for (sum, n) in sums.iter_mut().zip(&thread.0) {
                *sum += n.load(Ordering::Relaxed);
            }
        }
        let [products, squarings, additions, byte_products, compressions] = sums;
        Counts { products, squarings, additions, byte_products, compressions }
    }
}

#[cfg(all(test, feature = "count-operations"))]
mod tests {
    use core::hint::black_box;

    use super::*;
    use crate::{F128, kernels};

    /// One test, since counts are the process's.
    #[test]
    fn scalars_and_kernels_count_on_all_threads() {
        let a: Vec<F128> = (1..=21).map(F128::new).collect();
        let count = |f: &(dyn Fn() + Sync)| {
            let before = snapshot();
            std::thread::scope(|scope| {
                scope.spawn(f);
            });
            snapshot().since(&before)
        };
        let expected = |products, squarings, additions| Counts {
            products,
            squarings,
            additions,
            ..Counts::default()
        };
        assert_eq!(count(&|| _ = black_box(a[0] * a[1] + a[2].square())), expected(1, 1, 1));
        assert_eq!(count(&|| _ = black_box(a[1].pow(0b1011))), expected(3, 4, 0));
        assert_eq!(count(&|| _ = black_box(kernels::inner_product(&a, &a))), expected(21, 0, 21));
        assert_eq!(count(&|| _ = black_box(kernels::eq_table(&a[..3]))), expected(7, 0, 7));
        assert_eq!(count(&|| kernels::frobenius(&mut a.clone(), 27)), expected(0, 63, 21 * 32));
        assert_eq!(count(&|| compressions(3)).compressions, 3);
    }
}
