//! One column's table of codes as products of two look-ups.

use core::ops::Range;

use binfer_field::{F128, kernels};

use super::Thresholds;
use super::steps::Column;
use crate::argument::tables::Bases;

/// The entries `T[q] = low[places[0][q]] high[places[1][q]]` of one column, with the places of a [`Classified`].
///
/// The thresholds of a rounded line are, for `q = 16 r + s`, `line[s] + shifts[r] + e` with few `e`, and its codes have few targets. So
/// `low` has a power for each `s`, and `high` one for each `r` in each class of codes, which have one `e` and one target. Codes without a class,
/// as the ends and those that never occur, have powers of their own in `high`, which are multiplied by one.
struct Split {
    low: [F128; 256],
    high: [F128; 256],
}

/// Values of a digit.
const DIGIT: usize = 16;

/// Place of the one in `low`.
const ONE: u8 = 16;

/// Columns whose powers are made at once, and whose entries where they are not kept.
const COLUMNS: usize = 8;

/// Exponents of `h` and of `k`.
type Pair = (i128, i128);

/// The exponents of a column's codes, as [`Split`] takes them apart.
pub(super) struct Classified {
    /// What is added to all that follow.
    least: i64,
    line: [i32; DIGIT],
    shifts: [i32; DIGIT],
    /// Those `r` that have codes between the ends.
    used: Range<usize>,
    /// The classes that occur.
    classes: Vec<u8>,
    /// The distinct exponents of codes without a class.
    others: Vec<Pair>,
    /// Where the factors of each code are in `low` and in `high`.
    places: [[u8; 256]; 2],
}

/// What classes come before: those of `e` and exponents of `k` from `-2` to `1`.
const NO_CLASS: u8 = 16;

/// The digits `s` and `r` of each code.
const LOW: [u8; 256] = digits(1);
const ROWS: [u8; 256] = digits(DIGIT);

/// The digit of each code that has this weight.
const fn digits(weight: usize) -> [u8; 256] {
    let mut digits = [0; 256];
    let mut q = 0;
    while q < 256 {
        digits[q] = (q / weight % DIGIT) as u8;
        q += 1;
    }
    digits
}

/// The exponents of a class.
fn of_class(class: u8) -> [i32; 2] {
    [class / 4, class % 4].map(|x| i32::from(x) - 2)
}

/// Most by which thresholds may differ, so that differences of differences fit.
const MOST: u32 = 1 << 28;

impl Classified {
    /// `None` where too many exponents are distinct.
    pub(super) fn new(thresholds: &Thresholds, column: &Column) -> Option<Self> {
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
        let (mut of_codes, mut shifts) = ([NO_CLASS; 256], [0; DIGIT]);
        let of_blocks = of_codes.as_chunks_mut::<DIGIT>().0.iter_mut().zip(&mut shifts);
        let blocks = blocks.iter().zip(sizes.as_chunks::<DIGIT>().0);
        for (r, ((of_codes, shift), (rises, sizes))) in of_blocks.zip(blocks).enumerate() {
            let at = |q: usize| q.saturating_sub(DIGIT * r).min(DIGIT);
            let [start, end] = [inner.start, inner.end].map(at);
            if start >= end {
                continue;
            }
            *shift = rises[start] - line[start];
            for s in 0..DIGIT {
                // What does not occur has the exponent 1.
                let of_k = if sizes[s] == 0 { 3 } else { common + 3 - sizes[s] };
                let e = rises[s] - line[s] - *shift + 2;
                of_codes[s] = if (e | of_k) as u32 <= 3 { (4 * e + of_k) as u8 } else { NO_CLASS };
            }
            of_codes[..start].fill(NO_CLASS);
            of_codes[end..].fill(NO_CLASS);
        }
        let (mut classes, mut low, mut high) = (Vec::new(), LOW, [0; 256]);
        for class in 0..NO_CLASS {
            if of_codes.iter().fold(false, |seen, &of_code| seen | (of_code == class)) {
                let start = (DIGIT * classes.len()) as u8;
                classes.push(class);
                for ((high, row), of_code) in high.iter_mut().zip(&ROWS).zip(&of_codes) {
                    *high = if *of_code == class { start + row } else { *high };
                }
            }
        }
        let mut others: Vec<Pair> = Vec::new();
        for q in (0..256).filter(|&q| of_codes[q] == NO_CLASS) {
            let pair = thresholds.of_code(column, q as u8);
            let known = others.iter().rposition(|other| *other == pair);
            let at = known.unwrap_or_else(|| {
                others.push(pair);
                others.len() - 1
            });
            (low[q], high[q]) = (ONE, u8::try_from(DIGIT * classes.len() + at).ok()?);
        }
        let used = inner.start / DIGIT..inner.end.div_ceil(DIGIT);
        let places = [low, high];
        Some(Self { least, line, shifts, used, classes, others, places })
    }

    /// The exponent of the first `r` that is used.
    fn start(&self) -> i64 {
        let of_used = self.shifts.get(self.used.clone()).unwrap_or_default();
        of_used.first().map_or(0, |&first| self.least + i64::from(first))
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
        for (first, out) in columns.clone().step_by(COLUMNS).zip(out.chunks_mut(256 * COLUMNS)) {
            let columns = first..columns.end.min(first + COLUMNS);
            let parts = Parts::new(self, columns.clone(), bases);
            for ((c, out), (classified, powers)) in
                columns.zip(out.chunks_mut(256)).zip(parts.columns())
            {
                if let Some(classified) = classified {
                    split.fill(classified, powers, bases.map(|of| of.of(c..c + 1)), out);
                } else {
                    self.exponents(c).digits().fill(bases, c, out);
                }
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

/// Columns on end, and the powers of theirs that are far from others.
struct Parts {
    classified: Vec<Option<Classified>>,
    /// Of each column the power that its classes start at, then those of codes without a class.
    powers: Vec<F128>,
}

impl Parts {
    fn new(thresholds: &Thresholds, columns: Range<usize>, [h, k]: [Bases<'_>; 2]) -> Self {
        let column = |c| Classified::new(thresholds, thresholds.steps.column(c));
        let classified: Vec<_> = columns.clone().map(column).collect();
        let (mut of_h, mut of_k) = (Vec::new(), Vec::new());
        for (c, classified) in columns.zip(&classified) {
            let Some(classified) = classified else { continue };
            of_h.push((c, classified.start().into()));
            of_k.push((c, 0));
            for &(a, b) in &classified.others {
                of_h.push((c, a));
                of_k.push((c, b));
            }
        }
        let mut powers = h.pow_each(&of_h);
        kernels::mul_assign(&mut powers, &k.pow_each(&of_k));
        Self { classified, powers }
    }

    /// Each column with its powers.
    fn columns(&self) -> impl Iterator<Item = (Option<&Classified>, &[F128])> {
        let mut powers = &self.powers[..];
        self.classified.iter().map(move |column| {
            let (of_column, rest) =
                powers.split_at(column.as_ref().map_or(0, |c| 1 + c.others.len()));
            powers = rest;
            (column.as_ref(), of_column)
        })
    }
}

impl Split {
    fn new() -> Self {
        Self { low: [F128::ONE; 256], high: [F128::ONE; 256] }
    }

    /// The entries of a column, given its bases and the powers that [`Parts`] made.
    fn fill(
        &mut self,
        column: &Classified,
        powers: &[F128],
        bases: [Bases<'_>; 2],
        out: &mut [F128],
    ) {
        let (start, powers) = powers.split_at(1);
        self.fill_powers(column, start[0], bases);
        let of_classes = DIGIT * column.classes.len();
        self.high[of_classes..of_classes + powers.len()].copy_from_slice(powers);
        let [low, high] = &column.places;
        kernels::gather_products(out, [&self.low, &self.high], [low, high]);
    }

    /// The powers of codes that have a class.
    fn fill_powers(&mut self, column: &Classified, start: F128, [h, k]: [Bases<'_>; 2]) {
        let Classified { line, shifts, used, classes, .. } = column;
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
            blocks.fill(start);
            geometric(&mut blocks, of_step.frobenius(DIGIT.ilog2()) * of_shift);
            for (i, (block, of)) in blocks.iter_mut().zip(of_used).enumerate() {
                *block *= near.pow((of - first - i as i32 * shift).into());
            }
            blocks.rotate_right(used.start);
        }
        let of_k = [k.inverse[0].square(), k.inverse[0], F128::ONE, k.h[0]];
        for (&class, high) in classes.iter().zip(self.high.chunks_mut(DIGIT)) {
            let [e, b] = of_class(class);
            kernels::scale_into(high, &blocks, near.pow(e.into()) * of_k[(b + 2) as usize]);
        }
    }
}
