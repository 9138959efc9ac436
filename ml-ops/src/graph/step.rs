//! Requantization: monotone step functions from accumulators to 8-bit codes, and their thresholds.

use super::Edges;

/// Which runtime's arithmetic turns an accumulator into a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoundingProfile {
    /// ONNX Runtime and LiteRT's default kernels: accumulator to float32, float32 product with the
    /// scale, clamp, round half to even, add the zero point.
    OrtF32Rne,
}

/// A monotone non-decreasing function from accumulators to codes:
/// `zero_point + RNE(clamp(f32(acc) * scale, qmin - zero_point, qmax - zero_point)) - type_min`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Factor, finite and positive: input scale times weight scale over output scale, in float32.
    pub scale: f32,
    /// The output's zero point, in the output type's own values.
    pub zero_point: i32,
    /// Smallest output value: the type's, or more where a Relu or Clip is folded in.
    pub qmin: i32,
    /// Largest output value: the type's, or less where a Clip is folded in.
    pub qmax: i32,
    /// The output type's smallest value (0 or -128), which has code 0.
    pub type_min: i32,
    /// The arithmetic.
    pub profile: RoundingProfile,
}

/// Floats from 2^23 on are integers, and sums round to the nearest, ties to even.
const INTEGERS: f32 = (3 << 22) as f32;

impl Step {
    /// The code of an accumulator. Precondition: the step belongs to a valid graph.
    #[inline]
    pub fn code(&self, acc: i64) -> u8 {
        match self.profile {
            RoundingProfile::OrtF32Rne => {
                let value = self.rounded(acc as f32) as i32;
                (value + self.zero_point - self.type_min) as u8
            }
        }
    }

    /// The codes of accumulators, given whether each has 32 bits.
    #[cfg(feature = "prover")]
    pub(crate) fn codes(&self, accumulators: &[i64], are_short: bool, codes: &mut [u8]) {
        let outputs = codes.iter_mut().zip(accumulators);
        if !are_short {
            outputs.for_each(|(code, &acc)| *code = self.code(acc));
            return;
        }
        // The bits of a float from 2^23 to 2^24 count integers.
        let offset = self.zero_point - self.type_min - INTEGERS.to_bits() as i32;
        outputs.for_each(|(code, &acc)| {
            let float = self.clamped(acc as i32 as f32) + INTEGERS;
            *code = (float.to_bits() as i32).wrapping_add(offset) as u8;
        });
    }

    /// The integer that an accumulator, already a float, is scaled, clamped and rounded to.
    #[inline]
    fn rounded(&self, acc: f32) -> f32 {
        self.clamped(acc) + INTEGERS - INTEGERS
    }

    /// The float that an accumulator, already a float, is scaled and clamped to.
    #[inline]
    fn clamped(&self, acc: f32) -> f32 {
        let low = (self.qmin - self.zero_point) as f32;
        let high = (self.qmax - self.zero_point) as f32;
        let scaled = acc * self.scale;
        let above = if scaled > low { scaled } else { low };
        if above < high { above } else { high }
    }

    /// The accumulators in `[-bound, bound]` that each code stands for. Precondition: `bound` is at least 0 and below `2^62`.
    pub fn thresholds(&self, bound: i64) -> CodeRanges {
        let (first, last) = (self.code(-bound), self.code(bound));
        let mut least = [-bound; 256];
        let narrow = i32::try_from(bound).ok();
        if let Some(edges) = narrow.and_then(|bound| self.regular_edges(first, last, bound)) {
            let codes = usize::from(first)..usize::from(last);
            for (least, edge) in
                least[1..].iter_mut().zip(edges).skip(codes.start).take(codes.len())
            {
                *least = i64::from(edge) + 1;
            }
        } else {
            let mut code = first;
            let mut lo = -bound;
            while code < last {
                let (hi, next) = self.last_with(code, lo, bound);
                lo = hi + 1;
                least[usize::from(code) + 1..=usize::from(next)].fill(lo);
                code = next;
            }
        }
        CodeRanges { first, last, least: Least::new(&least), bound }
    }

    /// The last accumulator of every code from `first` to below `top`, if each is where exact arithmetic
    /// rounds up, or one before, and the next code follows it.
    fn regular_edges(&self, first: u8, top: u8, bound: i32) -> Option<[i32; 256]> {
        let most = f64::from(bound) - 1.0;
        let offset = self.type_min - self.zero_point;
        let per_code = 1.0 / f64::from(self.scale);
        // Floats from 2^52 on are integers.
        const INTEGERS: f64 = (3u64 << 51) as f64;
        // The nearest to the edge is the last accumulator of the code, or the first of the next.
        let (mut near, mut last, mut irregular) = ([0f64; 256], [0; 256], [false; 256]);
        for (code, near) in near.iter_mut().enumerate() {
            let edge = (f64::from(code as i32 + offset) + 0.5) * per_code;
            *near = edge.max(-most).min(most) + INTEGERS - INTEGERS;
        }
        for code in 0..256 {
            let value = (code as i32 + offset) as f32;
            let at = near[code] as i32;
            let [before, here, after] = [at - 1, at, at + 1].map(|acc| self.rounded(acc as f32));
            last[code] = at - i32::from(here > value);
            let is_last = (here == value) & (after == value + 1.0);
            irregular[code] = !((before == value) & (here == value + 1.0) | is_last);
        }
        let codes = usize::from(first)..usize::from(top);
        (!irregular[codes].contains(&true)).then_some(last)
    }

    /// The last accumulator from `lo` on whose code is `code`, which is that of `lo`, and the code after
    /// it. Precondition: `bound` has a larger one.
    fn last_with(&self, code: u8, lo: i64, bound: i64) -> (i64, u8) {
        // Where exact arithmetic rounds up to the next code, give or take a few accumulators.
        let value = i32::from(code) + self.type_min - self.zero_point;
        let edge = (f64::from(value) + 0.5) / f64::from(self.scale);
        let inside = last_where(lo, bound, Some(edge as i64), |acc| self.code(acc) == code);
        (inside, self.code(inside + 1))
    }
}

/// The last integer where something holds that holds from `inside` on up to it, and not from there to `outside`. It is sought from a guess, farther and
/// farther until it is passed, then by halves; by halves at once without a guess.
pub(crate) fn last_where(
    mut inside: i64,
    mut outside: i64,
    guess: Option<i64>,
    mut holds: impl FnMut(i64) -> bool,
) -> i64 {
    let middle = inside.midpoint(outside);
    let (guess, mut stride) = guess.map_or((middle, i64::MAX), |guess| (guess, 1));
    let mut probe = guess.max(inside.saturating_add(1)).min(outside.saturating_sub(1));
    while inside.saturating_add(1) < outside {
        if holds(probe) {
            inside = probe;
            probe = probe.saturating_add(stride);
        } else {
            outside = probe;
            probe = probe.saturating_sub(stride);
        }
        stride = stride.saturating_mul(2);
        if probe <= inside || probe >= outside {
            probe = inside.midpoint(outside);
        }
    }
    inside
}

/// Which accumulators in `[-bound, bound]` each code of a step function stands for.
#[derive(Debug, Clone)]
pub struct CodeRanges {
    first: u8,
    last: u8,
    /// Of the codes after the first up to the last, the least accumulator; where a code never occurs, that of the next code
    /// that does.
    least: Least,
    bound: i64,
}

/// An integer for each code.
#[derive(Debug, Clone)]
enum Least {
    /// All fit 32 bits: there may be some for each of many columns.
    Narrow(Box<[i32; 256]>),
    /// Those of a step function that is given by them, which it shares.
    Edges(Edges),
}

/// Part of [`Least`].
enum After<'a> {
    Narrow(&'a [i32]),
    Wide(&'a [i64]),
}

impl Least {
    fn new(of_codes: &[i64; 256]) -> Self {
        // Those that do not fit are found by what is left of them; all are looked at, many at a time.
        let narrow = of_codes.map(|of_code| of_code as i32);
        let both = narrow.iter().zip(of_codes);
        if both.fold(0, |lost, (&narrow, &wide)| lost | (i64::from(narrow) ^ wide)) == 0 {
            Self::Narrow(Box::new(narrow))
        } else {
            Self::Edges(Edges { first: 0, edges: of_codes[1..].into() })
        }
    }
}

impl CodeRanges {
    /// Those of a step function that is given by its edges, of the codes from `first` to `last`, which are those of `-bound` and
    /// of `bound`.
    pub(super) fn of_edges(edges: Edges, [first, last]: [u8; 2], bound: i64) -> Self {
        Self { first, last, least: Least::Edges(edges), bound }
    }

    /// Bytes that they hold beyond their own size and beyond what they share, at most, for accumulators of size at most `bound`.
    #[cfg(feature = "prover")]
    pub(crate) fn heap_bytes(bound: i128) -> usize {
        if bound <= i128::from(i32::MAX) {
            size_of::<[i32; 256]>()
        } else {
            size_of::<[i64; 256]>()
        }
    }

    /// The least code.
    pub fn first(&self) -> u8 {
        self.first
    }

    /// The largest code.
    pub fn last(&self) -> u8 {
        self.last
    }

    /// What is held of a code from the first to the last: of the first one `-bound`.
    #[inline]
    fn least_of(&self, code: u8) -> i64 {
        match &self.least {
            Least::Narrow(of_codes) => of_codes[usize::from(code)].into(),
            Least::Edges(Edges { first, edges }) => {
                let edge = usize::from(code).wrapping_sub(usize::from(*first) + 1);
                edges.get(edge).map_or(-self.bound, |&edge| edge.max(-self.bound))
            }
        }
    }

    /// The least accumulator of a code, or, where it never occurs, of the next that does, or the
    /// last; of the first code, the one after its last: something between its neighbours'.
    #[inline]
    pub(crate) fn next_least(&self, code: u8) -> i64 {
        let second = self.first.saturating_add(1).min(self.last);
        self.least_of(code.clamp(second, self.last))
    }

    /// [`Self::next_least`] of the first code, and how far that of every code is from it, if none is farther than `most`, which is
    /// below `2^31`.
    pub(crate) fn rises(&self, most: u32) -> Option<(i64, [i32; 256])> {
        let second = self.first.saturating_add(1).min(self.last);
        let [least, highest] = [second, self.last].map(|code| self.least_of(code));
        if highest.abs_diff(least) > most.into() {
            return None;
        }
        let rise = |of_code: i64| of_code.wrapping_sub(least) as i32;
        let mut rises = [0; 256];
        let (inside, beyond) = rises.split_at_mut(usize::from(self.last) + 1);
        beyond.fill(rise(highest));
        let inside = inside[usize::from(second)..].iter_mut();
        match self.after_first() {
            After::Narrow(codes) => inside.zip(codes).for_each(|(x, &of)| *x = rise(of.into())),
            After::Wide(codes) => inside.zip(codes).for_each(|(x, &of)| *x = rise(of)),
        }
        Some((least, rises))
    }

    /// The least and the largest size of the ranges of codes that occur, without the first and the last.
    pub(crate) fn inner_sizes(&self) -> Option<(u64, u64)> {
        match self.after_first() {
            After::Narrow(of_codes) => sizes(of_codes, |a, b| a.abs_diff(b).into()),
            After::Wide(of_codes) => sizes(of_codes, i64::abs_diff),
        }
    }

    /// What is held of the codes after the first up to the last.
    fn after_first(&self) -> After<'_> {
        let [first, last] = [self.first, self.last].map(usize::from);
        match &self.least {
            Least::Narrow(of_codes) => After::Narrow(&of_codes[first + 1..=last]),
            Least::Edges(edges) => {
                let before = usize::from(edges.first);
                After::Wide(edges.edges.get(first - before..last - before).unwrap_or_default())
            }
        }
    }

    /// The least accumulator of the codes after an inner code that occur.
    #[cfg(feature = "prover")]
    #[inline]
    pub(crate) fn least_after(&self, code: u8) -> i64 {
        self.least_of(code.saturating_add(1))
    }

    /// The inclusive range of the accumulators of a code, `None` if it never occurs. Ranges partition
    /// `[-bound, bound]` in increasing order.
    #[inline]
    pub fn range(&self, code: u8) -> Option<(i64, i64)> {
        if code < self.first || code > self.last {
            return None;
        }
        let lo = self.least_of(code);
        let hi = if code == self.last { self.bound } else { self.least_of(code + 1) - 1 };
        (lo <= hi).then_some((lo, hi))
    }
}

/// The least and the largest distance of neighbours that are not equal.
fn sizes<T: Copy>(integers: &[T], distance: impl Fn(T, T) -> u64) -> Option<(u64, u64)> {
    let neighbours = integers.iter().zip(integers.get(1..)?);
    // Of those that are equal the distance less one is the largest integer.
    let (least, most) = neighbours.fold((u64::MAX, 0), |(least, most), (&a, &b)| {
        let size = distance(a, b);
        (least.min(size.wrapping_sub(1)), most.max(size))
    });
    (most > 0).then(|| (least + 1, most))
}

/// The epilogue that turns a matmul's accumulators into codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Requantize {
    /// One step for all output columns, or one for each.
    pub steps: Vec<Step>,
}

impl Requantize {
    /// The step of output column `column`.
    pub fn step(&self, column: usize) -> &Step {
        match self.steps.as_slice() {
            [only] => only,
            steps => &steps[column],
        }
    }
}
