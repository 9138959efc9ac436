//! One column's table of codes as products of two look-ups.

use core::ops::Range;

use binfer_field::{F128, kernels};

use super::Thresholds;
use super::steps::Column;
use crate::argument::tables::Bases;

/// The entries `T[q] = low[places[0][q]] high[places[1][q]]` of one column.
///
/// The thresholds of a rounded line are, for `q = 16 r + s`, `line[s] + shifts[r] + e` with few `e`, and its codes have few targets. So
/// `low` has a power for each `s`, and `high` one for each `r` in each class of codes, which have one `e` and one target. Codes without a class,
/// as the ends and those that never occur, have powers of their own in `high`, which are multiplied by one.
pub(super) struct Split {
    low: [F128; 256],
    high: [F128; 256],
    places: [[u8; 256]; 2],
}

/// Values of a digit.
const DIGIT: usize = 16;

/// Place of the one in `low`.
const ONE: u8 = 16;

/// Columns whose entries are made at a time where they are not kept.
const COLUMNS: usize = 8;

/// Exponents of `h` and of `k`.
type Pair = (i128, i128);

/// The exponents of a column's codes, as [`Split`] takes them apart.
struct Classified {
    /// What is added to all that follow.
    least: i64,
    line: [i32; DIGIT],
    shifts: [i32; DIGIT],
    /// Those `r` that have codes between the ends.
    used: Range<usize>,
    /// The class of each code.
    classes: [u8; 256],
}

/// What classes come before: those of `e` and exponents of `k` from `-2` to `1`.
const NO_CLASS: u8 = 16;

/// The exponents of a class.
fn of_class(class: u8) -> [i32; 2] {
    [class / 4, class % 4].map(|x| i32::from(x) - 2)
}

/// Most by which thresholds may differ, so that differences of differences fit.
const MOST: u32 = 1 << 28;

impl Classified {
    fn new(column: &Column) -> Option<Self> {
        let (least, rises) = column.ranges.rises(MOST)?;
        let common = i32::try_from(column.common).ok().filter(|&common| common <= MOST as i32)?;
        let [first, last] = [column.ranges.first(), column.ranges.last()].map(usize::from);
        let blocks = rises.as_chunks::<DIGIT>().0;
        let middle = &blocks[(first + last) / (2 * DIGIT)];
        let line = middle.map(|rise| rise - middle[0]);
        let inner = first + 1..last;
        let mut sizes = [0; 256];
        let neighbours = rises.iter().zip(&rises[1..]);
        sizes.iter_mut().zip(neighbours).for_each(|(size, (rise, next))| *size = next - rise);
        let (mut classes, mut shifts) = ([NO_CLASS; 256], [0; DIGIT]);
        for (r, (classes, shift)) in classes.chunks_mut(DIGIT).zip(&mut shifts).enumerate() {
            let at = |q: usize| q.saturating_sub(DIGIT * r).min(DIGIT);
            let [start, end] = [inner.start, inner.end].map(at);
            if start >= end {
                continue;
            }
            *shift = blocks[r][start] - line[start];
            let of_codes = blocks[r].iter().zip(&line).zip(&sizes[DIGIT * r..]);
            for (class, ((rise, line), &size)) in classes.iter_mut().zip(of_codes) {
                // What does not occur has the exponent 1.
                let of_k = if size == 0 { 1 } else { common + 1 - size };
                let [e, of_k] = [rise - line - *shift + 2, of_k + 2];
                *class = if (e | of_k) as u32 <= 3 { (4 * e + of_k) as u8 } else { NO_CLASS };
            }
            classes[..start].fill(NO_CLASS);
            classes[end..].fill(NO_CLASS);
        }
        let used = inner.start / DIGIT..inner.end.div_ceil(DIGIT);
        Some(Self { least, line, shifts, used, classes })
    }
}

/// A base's powers with small exponents.
struct Near<'a> {
    bases: Bases<'a>,
    powers: [F128; 32],
}

/// The least of these exponents.
const LEAST: i64 = -8;

impl<'a> Near<'a> {
    fn new(bases: Bases<'a>) -> Self {
        let mut powers = [bases.inverse[0].frobenius(LEAST.unsigned_abs().ilog2()); 32];
        geometric(&mut powers, bases.h[0]);
        Self { bases, powers }
    }

    fn pow(&self, exponent: i64) -> F128 {
        let near = usize::try_from(exponent - LEAST).ok().and_then(|at| self.powers.get(at));
        near.copied().unwrap_or_else(|| self.bases.pow(0, exponent.into()))
    }
}

/// Multiplies `values[i]` by `base^i`; the values are alike and a power of two in number.
fn geometric(values: &mut [F128], mut base: F128) {
    let mut size = 1;
    while size < values.len() {
        kernels::scale(&mut values[size..2 * size], base);
        let (done, next) = values.split_at_mut(2 * size);
        if let Some(next) = next.get_mut(..2 * size) {
            next.copy_from_slice(done);
        }
        base = base.square();
        size *= 2;
    }
}

impl Thresholds {
    /// The entries of columns whose step functions are their own, one column after the other.
    pub(in crate::argument) fn fill(
        &self,
        columns: Range<usize>,
        bases: [Bases<'_>; 2],
        out: &mut [F128],
    ) {
        let mut split = Split::new();
        for (c, out) in columns.zip(out.chunks_mut(256)) {
            if split.become_column(self, bases, c) {
                split.fill(out);
            } else {
                self.exponents(c).digits().fill(bases, c, out);
            }
        }
    }

    /// `sum_q weights[q] T_c[q]` for these columns.
    pub(in crate::argument) fn sums(
        &self,
        columns: Range<usize>,
        bases: [Bases<'_>; 2],
        weights: &[F128],
    ) -> Vec<F128> {
        let mut entries = [F128::ZERO; 256 * COLUMNS];
        let mut sums = Vec::with_capacity(columns.len());
        let end = columns.end;
        for first in columns.step_by(COLUMNS) {
            let columns = first..end.min(first + COLUMNS);
            let entries = &mut entries[..256 * columns.len()];
            self.fill(columns, bases, entries);
            sums.extend(entries.chunks(256).map(|of| kernels::inner_product(of, weights)));
        }
        sums
    }
}

impl Split {
    pub(super) fn new() -> Self {
        let powers = [F128::ONE; 256];
        Self { low: powers, high: powers, places: [[0; 256]; 2] }
    }

    /// Becomes the column `c` of a table of codes, or tells that too many exponents are distinct.
    pub(super) fn become_column(
        &mut self,
        thresholds: &Thresholds,
        [h, k]: [Bases<'_>; 2],
        c: usize,
    ) -> bool {
        let column = thresholds.steps.column(c);
        let Some(classified) = Classified::new(column) else {
            return false;
        };
        let [low, high] = &mut self.places;
        *low = core::array::from_fn(|q| (q % DIGIT) as u8);
        // The classes that occur, and where the powers of each start.
        let seen = classified.classes.iter().fold(0u32, |seen, class| seen | 1 << class);
        let occurring: Vec<u8> = (0..NO_CLASS).filter(|class| seen >> class & 1 == 1).collect();
        let mut starts = [0; NO_CLASS as usize + 1];
        for (&class, start) in occurring.iter().zip((0..).step_by(DIGIT)) {
            starts[usize::from(class)] = start;
        }
        let of_codes = high.chunks_mut(DIGIT).zip(classified.classes.chunks(DIGIT));
        for (r, (places, classes)) in (0..).zip(of_codes) {
            for (place, &class) in places.iter_mut().zip(classes) {
                *place = starts[usize::from(class)] + r;
            }
        }
        let n = DIGIT * occurring.len();
        let mut others: Vec<Pair> = Vec::new();
        for (q, _) in classified.classes.iter().enumerate().filter(|(_, class)| **class == NO_CLASS)
        {
            let pair = thresholds.of_code(column, q as u8);
            let known = others.iter().rposition(|other| *other == pair);
            let at = known.unwrap_or_else(|| {
                others.push(pair);
                others.len() - 1
            });
            let Ok(place) = u8::try_from(n + at) else {
                return false;
            };
            (low[q], high[q]) = (ONE, place);
        }
        let [h, k] = [h, k].map(|bases| bases.of(c..c + 1));
        self.fill_powers(&classified, &occurring, [h, k]);
        for (value, (of_h, of_k)) in self.high[n..].iter_mut().zip(others) {
            *value = h.pow(0, of_h) * k.pow(0, of_k);
        }
        true
    }

    /// The powers of codes that have a class.
    fn fill_powers(&mut self, classified: &Classified, classes: &[u8], [h, k]: [Bases<'_>; 2]) {
        let Classified { least, line, shifts, used, .. } = classified;
        let near = Near::new(h);
        let step = line[DIGIT - 1] / (DIGIT as i32 - 1);
        let of_step = near.pow(step.into());
        let lows = &mut self.low[..DIGIT];
        lows.fill(F128::ONE);
        geometric(lows, of_step);
        let rest = |s: usize| near.pow((line[s] - s as i32 * step).into());
        kernels::mul_assign(lows, &core::array::from_fn::<_, DIGIT, _>(rest));
        self.low[usize::from(ONE)] = F128::ONE;

        let mut blocks = [F128::ONE; DIGIT];
        if let Some(of_used) = shifts.get(used.clone()).filter(|of_used| !of_used.is_empty()) {
            let (first, far) = (of_used[0], of_used.len() as i32 - 1);
            let shift = (of_used[far as usize] - first) / far.max(1);
            let of_shift = near.pow((shift - DIGIT as i32 * step).into());
            blocks.fill(near.pow(least + i64::from(first)));
            geometric(&mut blocks, of_step.frobenius(DIGIT.ilog2()) * of_shift);
            for (i, (block, of)) in blocks.iter_mut().zip(of_used).enumerate() {
                *block *= near.pow((of - first - i as i32 * shift).into());
            }
            blocks.rotate_right(used.start);
        }
        let of_k = [k.inverse[0].square(), k.inverse[0], F128::ONE, k.h[0]];
        for (&class, high) in classes.iter().zip(self.high.chunks_mut(DIGIT)) {
            let [e, b] = of_class(class);
            high.copy_from_slice(&blocks);
            kernels::scale(high, near.pow(e.into()) * of_k[(b + 2) as usize]);
        }
    }

    /// All entries.
    fn fill(&self, out: &mut [F128]) {
        let [low, high] = &self.places;
        kernels::gather_products(out, [&self.low, &self.high], [low, high]);
    }
}
