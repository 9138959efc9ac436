//! Tables of powers with listed exponents: `T[q] = h^(a[q]) k^(b[q])` for every value `q` of a byte.

use binfer_field::{F128, kernels};

use super::remembered::{Exponents, FEW, Powers};
use super::tables::Bases;

/// The exponents of a column's entries, or of all columns'.
pub(super) struct Listed {
    /// `a`.
    pub(super) of_h: [i128; 256],
    /// `b`.
    pub(super) of_k: [i128; 256],
}

/// Exponents digit by digit, those of few values, which are far from the others, by themselves.
struct Digits {
    /// Digits of `-8 ..= 7`, lowest first, each plus eight.
    places: Vec<[u8; 256]>,
    /// Values with what their exponents have left above the places.
    far: Vec<(usize, i128)>,
}

/// Those of `h` and those of `k`.
pub(super) struct BothDigits([Digits; 2]);

/// How far the exponent of `h` of each value is from that of the value before, and the exponents of `k`.
pub(super) struct Steps {
    of_h: Exponents,
    of_k: Exponents,
}

/// Values whose exponents repeat those of sixteen values in a row, by digits `q = 16 r + s`:
/// `a[q] = shifts[r] + line[s] + more` with few `(more, b[q])`.
///
/// Those of steps of a rounded line do: a line's multiples are rounded up or down.
pub(super) struct Pattern {
    line: [i128; 16],
    shifts: [i128; 16],
    /// Each `(more, b)` with the values that have it: for each `r` a bit for each `s`.
    classes: Vec<((i128, i128), [u16; 16])>,
    /// Exponents that values in a row have in common, with the values.
    runs: Vec<((i128, i128), core::ops::Range<usize>)>,
}

/// Columns from which on their entries are best made row by row.
const WIDE: usize = 8;

/// Entries of a line of the cache.
#[cfg(feature = "prover")]
const LINE: usize = 64 / size_of::<F128>();

/// Most classes of a pattern, a product each for every sixteen entries, and most runs.
const CLASSES: usize = 10;
const RUNS: usize = 4;

/// Most values whose exponents are taken by themselves.
const FAR: usize = 4;

impl Listed {
    /// Whether entries of `n` columns are best made row by row.
    pub(super) fn best_by_rows(&self, n: usize) -> bool {
        n >= WIDE || self.steps_are_few()
    }

    /// The entries of all columns into `out`, one column after the other.
    #[cfg(feature = "prover")]
    pub(super) fn fill(&self, bases: [Bases<'_>; 2], out: &mut [F128]) {
        let columns = bases[0].h.len();
        if !self.best_by_rows(columns) {
            let digits = self.digits();
            for (c, out) in out.chunks_mut(256).enumerate() {
                digits.fill(bases, c, out);
            }
            return;
        }
        // Columns lie a power of two apart, so that one line of each is all that the cache holds: it is written at once.
        let mut lines = vec![F128::ZERO; LINE * columns];
        self.steps().rows(bases, |q, values| {
            for (line, &value) in lines.chunks_mut(LINE).zip(values) {
                line[q % LINE] = value;
            }
            if q % LINE == LINE - 1 {
                for (out, line) in out.chunks_mut(256).zip(lines.chunks(LINE)) {
                    out[q + 1 - LINE..=q].copy_from_slice(line);
                }
            }
        });
    }

    /// `sum_q weights[q] T_c[q]` for all columns.
    pub(super) fn sums(&self, bases: [Bases<'_>; 2], weights: &[F128]) -> Vec<F128> {
        let digits = self.digits();
        let mut entries = [F128::ONE; 256];
        let of_column = |c| {
            digits.fill(bases, c, &mut entries);
            kernels::inner_product(&entries, weights)
        };
        (0..bases[0].h.len()).map(of_column).collect()
    }

    /// Whether neighbours differ by few distinct amounts, so that entries are best made from their neighbours'.
    fn steps_are_few(&self) -> bool {
        let steps = self.of_h.windows(2).map(|pair| pair[1] - pair[0]);
        are_few(steps) && are_few(self.of_k.iter().copied())
    }

    /// How far entries are from their neighbours.
    pub(super) fn steps(&self) -> Steps {
        let exponents_of_k = self.of_k.iter().copied();
        Steps { of_h: Exponents::new(steps(&self.of_h)), of_k: Exponents::new(exponents_of_k) }
    }

    /// The exponents digit by digit, which makes whole columns.
    pub(super) fn digits(&self) -> BothDigits {
        BothDigits([Digits::new(self.of_h), Digits::new(self.of_k)])
    }

    /// How exponents repeat, if they do.
    pub(super) fn pattern(&self) -> Option<Pattern> {
        let both = |q: usize| (self.of_h[q], self.of_k[q]);
        let mut runs = Vec::new();
        let mut in_runs = [0u16; 16];
        let mut q = 0;
        while q < 256 {
            let end = (q + 1..256).find(|&next| both(next) != both(q)).unwrap_or(256);
            if end - q > 2 {
                runs.push((both(q), q..end));
                (q..end).for_each(|q| in_runs[q / 16] |= 1 << (q % 16));
            }
            q = end;
        }
        if runs.len() > RUNS {
            return None;
        }
        // The digit whose values span least: an end of steps lies far away.
        let whole = (0..16).filter(|&r| in_runs[r] == 0);
        let span = |r: &usize| self.of_h[16 * r + 15] - self.of_h[16 * r];
        let first = whole.min_by_key(span).map_or(0, |r| 16 * r);
        let line: [i128; 16] = core::array::from_fn(|s| self.of_h[first + s] - self.of_h[first]);
        let mut shifts = [0; 16];
        let mut classes: Vec<((i128, i128), [u16; 16])> = Vec::new();
        for r in 0..16 {
            let rest = (0..16).filter(|s| in_runs[r] >> s & 1 == 0);
            let rest: Vec<_> = rest.map(|s| (s, self.of_h[16 * r + s] - line[s])).collect();
            let mut sorted: Vec<_> = rest.iter().map(|&(_, shift)| shift).collect();
            sorted.sort_unstable();
            shifts[r] = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
            for (s, shift) in rest {
                let class = (shift - shifts[r], self.of_k[16 * r + s]);
                let at = classes.iter().position(|(known, _)| *known == class);
                let at = at.unwrap_or_else(|| {
                    classes.push((class, [0; 16]));
                    classes.len() - 1
                });
                if at >= CLASSES {
                    return None;
                }
                classes[at].1[r] |= 1 << s;
            }
        }
        Some(Pattern { line, shifts, classes, runs })
    }
}

impl Steps {
    /// Entry by entry, each from the last: calls `each(q, values)` with one value a column.
    #[cfg(feature = "prover")]
    pub(super) fn rows(&self, [h, k]: [Bases<'_>; 2], mut each: impl FnMut(usize, &[F128])) {
        let (of_h, of_k) = (Powers::new(h, &self.of_h), Powers::new(k, &self.of_k));
        let mut power = vec![F128::ONE; h.h.len()];
        let mut row = power.clone();
        for q in 0..256 {
            kernels::mul_assign(&mut power, of_h.get(q));
            if self.of_k.get(q) == 0 {
                each(q, &power);
            } else {
                kernels::mul(&mut row, &power, of_k.get(q));
                each(q, &row);
            }
        }
    }

    /// `sum_q weights[q] T_c[q]` for all columns, by Horner's rule.
    pub(super) fn sums(&self, [h, k]: [Bases<'_>; 2], weights: &[F128]) -> Vec<F128> {
        let (of_h, of_k) = (Powers::new(h, &self.of_h), Powers::new(k, &self.of_k));
        let mut sums = vec![F128::ZERO; h.h.len()];
        for (q, &weight) in weights.iter().enumerate().rev() {
            kernels::add_scaled(&mut sums, of_k.get(q), weight);
            kernels::mul_assign(&mut sums, of_h.get(q));
        }
        sums
    }
}

impl Pattern {
    /// `sum_q weights[q] T_c[q]` for all columns, `weights` the products of those of the low and of the high digit of `q`.
    pub(super) fn sums(
        &self,
        [h, k]: [Bases<'_>; 2],
        [of_low, of_high]: [&[F128]; 2],
    ) -> Vec<F128> {
        let Self { line, shifts, classes, runs } = self;
        let n = h.h.len();
        // Powers of both lines of exponents, each from the last.
        let exponents = Exponents::new(steps(line).chain(steps(shifts)));
        let powers = Powers::new(h, &exponents);
        let along = |first: usize, weights: &[F128]| -> Vec<F128> {
            let mut power = vec![F128::ONE; n];
            let mut weighted = Vec::with_capacity(n * weights.len());
            for (i, &weight) in weights.iter().enumerate() {
                kernels::mul_assign(&mut power, powers.get(first + i));
                let start = weighted.len();
                weighted.extend_from_slice(&power);
                kernels::scale(&mut weighted[start..], weight);
            }
            weighted
        };
        let (lows, highs) = (along(0, of_low), along(line.len(), of_high));
        let mut sums = vec![F128::ZERO; n];
        let all = classes.iter().map(|((_, b), _)| b).chain(runs.iter().map(|((_, b), _)| b));
        let exponents = Exponents::new(all.copied());
        let of_k = Powers::new(k, &exponents);
        let (mut of_class, mut of_digit) = (sums.clone(), sums.clone());
        for (i, ((more, _), values)) in classes.iter().enumerate() {
            of_class.fill(F128::ZERO);
            for (&values, high) in values.iter().zip(highs.chunks(n)).filter(|(v, _)| **v != 0) {
                of_digit.fill(F128::ZERO);
                let is_in = |s: &(usize, &[F128])| values >> s.0 & 1 == 1;
                let of_values = lows.chunks(n).enumerate().filter(is_in);
                of_values.for_each(|(_, low)| kernels::add_assign(&mut of_digit, low));
                kernels::add_products(&mut of_class, &of_digit, high);
            }
            kernels::mul_assign(&mut of_class, &h.pow_all(*more));
            kernels::add_products(&mut sums, &of_class, of_k.get(i));
        }
        for (i, ((a, _), values)) in runs.iter().enumerate() {
            let weight = values.clone().map(|q| of_low[q % 16] * of_high[q / 16]).sum();
            let mut power = h.pow_all(*a);
            kernels::mul_assign(&mut power, of_k.get(classes.len() + i));
            kernels::add_scaled(&mut sums, &power, weight);
        }
        sums
    }
}

impl BothDigits {
    /// The entries of column `c`.
    pub(super) fn fill(&self, bases: [Bases<'_>; 2], c: usize, out: &mut [F128]) {
        out.fill(F128::ONE);
        self.0.iter().zip(bases).for_each(|(digits, bases)| digits.mul_powers(bases, c, out));
    }
}

impl Digits {
    fn new(mut rest: [i128; 256]) -> Self {
        let mut places = Vec::new();
        loop {
            let mut left = (0..256).filter(|&q| rest[q] != 0);
            let far: Vec<_> = left.by_ref().take(FAR).map(|q| (q, rest[q])).collect();
            if left.next().is_none() {
                return Self { places, far };
            }
            places.push(core::array::from_fn(|q| {
                let digit = (rest[q] + 8) & 15;
                rest[q] = (rest[q] + 8) >> 4;
                digit as u8
            }));
        }
    }

    /// Multiplies every `out[q]` by column `c`'s base to the power of its exponent: a product a digit.
    fn mul_powers(&self, bases: Bases<'_>, c: usize, out: &mut [F128]) {
        let mut base = [bases.h[c], bases.inverse[c]];
        let mut factors = [F128::ONE; 256];
        for place in &self.places {
            let mut table = [F128::ONE; 16];
            for d in 0..8 {
                table[7 - d] = table[8 - d] * base[1];
                if d < 7 {
                    table[9 + d] = table[8 + d] * base[0];
                }
            }
            base = base.map(|base| base.frobenius(4));
            kernels::gather(&mut factors, &table, place);
            kernels::mul_assign(out, &factors);
        }
        for &(q, exponent) in &self.far {
            out[q] *= base[usize::from(exponent < 0)].pow(exponent.unsigned_abs());
        }
    }
}

/// The first exponent, then how far each lies from the last.
pub(super) fn steps(exponents: &[i128]) -> impl Iterator<Item = i128> {
    let first = exponents.iter().take(1).copied();
    first.chain(exponents.windows(2).map(|pair| pair[1] - pair[0]))
}

/// Whether the power of each is best made by itself.
fn are_few(exponents: impl Iterator<Item = i128>) -> bool {
    let mut known = Vec::with_capacity(FEW);
    for exponent in exponents {
        if !known.contains(&exponent) {
            if known.len() == FEW {
                return false;
            }
            known.push(exponent);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    fn listed(exponents: impl Fn(i128) -> (i128, i128)) -> Listed {
        let both = |q: usize| exponents(q as i128);
        Listed {
            of_h: core::array::from_fn(|q| both(q).0),
            of_k: core::array::from_fn(|q| both(q).1),
        }
    }

    #[test]
    fn columns_and_sums_are_those_of_the_powers() {
        let mut rng = StdRng::seed_from_u64(9);
        let far = -(1i128 << 65);
        let line = |q: i128| ((q - 100) * 3_141).div_euclid(100);
        let wild: [i128; 256] = core::array::from_fn(|_| rng.random::<i64>().into());
        let wave = listed(|q| (q * (q - 200) * (q - 31), -(q * q)));
        // Each with whether it repeats, and whether steps are few.
        let all = [
            (listed(|q| (line(q), -(q % 2))), true, true),
            (listed(|q| if q == 0 { (far, -7) } else { (line(q), -(q % 2)) }), true, true),
            (listed(|q| if q < 130 { (line(130), 1) } else { (line(q), 0) }), true, true),
            (listed(|q| ((q / 16) * (q / 16) * 10_000_019 - (q % 16), -3)), true, true),
            (listed(|q| (q / 5, 0)), false, true),
            (listed(|_| (0, 0)), true, true),
            (listed(|q| (q / 3 % 2, 0)), false, true),
            (wave, false, false),
            (Listed { of_h: wild, of_k: wild.map(|a| a >> 40) }, false, false),
        ];
        let mut random = |n| (0..n).map(|_| F128::random(&mut rng)).collect::<Vec<_>>();
        let [h, k] = [random(5), random(5)];
        let invert = |bases: &[F128]| bases.iter().map(|base| base.invert()).collect::<Vec<_>>();
        let (of_h, of_k) = (invert(&h), invert(&k));
        let bases = [Bases { h: &h, inverse: &of_h }, Bases { h: &k, inverse: &of_k }];
        let [low, high] = [random(16), random(16)];
        for (i, (list, repeats, are_few)) in all.into_iter().enumerate() {
            let sums = list.pattern().map(|pattern| pattern.sums(bases, [&low, &high]));
            assert_eq!((sums.is_some(), list.steps_are_few()), (repeats, are_few), "{i}");
            let weights = (0..256).map(|q| low[q % 16] * high[q / 16]).collect::<Vec<_>>();
            let by_steps = list.steps().sums(bases, &weights);
            let mut rows = Vec::new();
            list.steps().rows(bases, |q, row| {
                assert_eq!(rows.len(), q * row.len());
                rows.extend_from_slice(row);
            });
            for c in 0..h.len() {
                let mut column = [F128::ZERO; 256];
                list.digits().fill(bases, c, &mut column);
                for (q, &entry) in column.iter().enumerate() {
                    let of_h = bases[0].pow(c, list.of_h[q]);
                    assert_eq!(entry, of_h * bases[1].pow(c, list.of_k[q]), "{i} {q}");
                    assert_eq!(entry, rows[q * h.len() + c], "{i} {q}");
                }
                let sum = kernels::inner_product(&column, &weights);
                assert_eq!(by_steps[c], sum, "{i}");
                assert!(sums.as_ref().is_none_or(|sums| sums[c] == sum), "{i}");
            }
        }
    }
}
