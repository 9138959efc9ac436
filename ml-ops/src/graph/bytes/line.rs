//! Rounded lines: lists of integers of which each is the floor of a point of one line.

/// The line with value `start + start_fraction / 2^8 + i (step + step_fraction / 2^16)` at `i`. Integers wrap around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: i64,
    pub(super) start_fraction: u8,
    pub(super) step: i64,
    pub(super) step_fraction: u16,
}

/// What values may be away from the line through their ends, so that products are exact in floats.
const MOST: i128 = 1 << 32;

/// Fewest values that a line is fitted to, and most.
const SHORTEST: usize = 4;
const LONGEST: usize = 256;

/// Points that are looked at together: no more than there always are.
const LANES: usize = 4;
const _: () = assert!(LANES <= SHORTEST);

/// The indices of points.
static INDICES: [f64; LONGEST] = {
    let mut indices = [0.0; LONGEST];
    let mut i = 0;
    while i < LONGEST {
        indices[i] = i as f64;
        i += 1;
    }
    indices
};

impl Line {
    /// The floor of its value at `i`, for `i` below 256.
    pub(super) fn at(&self, i: usize) -> i64 {
        let fraction = u64::from(self.start_fraction) << 8;
        let fraction = fraction.wrapping_add(u64::from(self.step_fraction).wrapping_mul(i as u64));
        let whole = self.start.wrapping_add(self.step.wrapping_mul(i as i64));
        whole.wrapping_add((fraction >> 16) as i64)
    }

    /// The line in the middle of the narrowest strip between parallels that holds all values, half a unit above it; `None`
    /// for a few values and such as are far from a line.
    pub(super) fn fit(values: &[i64]) -> Option<Self> {
        let (&first, &last) = values.first().zip(values.last())?;
        if !(SHORTEST..=LONGEST).contains(&values.len()) {
            return None;
        }
        let (first, last) = (i128::from(first), i128::from(last));
        let slope = (last - first).div_euclid(values.len() as i128 - 1);
        // What is left of the values, integers all along.
        let mut rest = [0.0; LONGEST];
        let rest = &mut rest[..values.len()];
        let (mut line, mut is_near) = (first, true);
        for (rest, &value) in rest.iter_mut().zip(values) {
            let above = i128::from(value) - line;
            is_near &= (1 - MOST..MOST).contains(&above);
            *rest = above as i64 as f64;
            line += slope;
        }
        if !is_near {
            return None;
        }
        let (rise, run) = narrowest(rest);
        // In units of `2^-16`, to the nearest.
        let more = ((rise << 17) + run).div_euclid(2 * run);
        let [(low, high)] = extremes(rest, (1 << 16) as f64, [more as f64]);
        let start = (low + (high - low) / 2 + (1 << 15) + (1 << 7)) >> 8;
        Some(Self {
            start: i64::try_from(first + i128::from(start >> 8)).ok()?,
            start_fraction: (start & 0xff) as u8,
            step: i64::try_from(slope + i128::from(more >> 16)).ok()?,
            step_fraction: (more & 0xffff) as u16,
        })
    }
}

/// The least slope, as a fraction, of a narrowest strip between parallels that holds the points `(i, values[i])`.
///
/// The width of the strip of a slope is convex in it, and linear as long as the same points touch: as many units more for a unit of
/// slope as the lower one lies to the right of the upper one. Of two such lines, one that falls and one that does not, below
/// both of which it never is, it is looked at where they meet, and one of them is replaced, until it turns there: at most once for each
/// side of the points' hull.
fn narrowest(values: &[f64]) -> (i64, i64) {
    let last = values.len() - 1;
    // What a line is without a slope, and by how much it falls or rises: of very low slopes, and of very high ones.
    let between =
        |upper: usize, lower: usize| (values[upper] - values[lower], upper.abs_diff(lower));
    let (mut falling, mut rising) = (between(last, 0), between(0, last));
    loop {
        let (rise, run) = (falling.0 - rising.0, falling.1 + rising.1);
        // Of points that touch at the same time, those count that do for slopes a little less, or more: their indices are
        // what is lost below, and added above, as the lowest bits.
        let bits = LONGEST as f64;
        let rises = [rise * bits - 1.0, rise * bits + 1.0];
        let [less, more] = extremes(values, run as f64 * bits, rises);
        let index = |sum: i64| sum.rem_euclid(LONGEST as i64) as usize;
        let (lower, upper) = (index(-more.0), index(-more.1));
        if lower < upper {
            falling = between(upper, lower);
            continue;
        }
        let (lower, upper) = (index(less.0), index(less.1));
        if lower < upper {
            return (rise as i64, run as i64);
        }
        rising = between(upper, lower);
    }
}

/// The least and the greatest `values[i] run - i rise`, for each `rise`; all integers below `2^53`.
#[inline(always)]
fn extremes<const N: usize>(values: &[f64], run: f64, rises: [f64; N]) -> [(i64, i64); N] {
    let (mut low, mut high) = ([[f64::MAX; LANES]; N], [[f64::MIN; LANES]; N]);
    let mut add = |indices: &[f64; LANES], values: &[f64; LANES]| {
        for lane in 0..LANES {
            let above = values[lane] * run;
            for ((low, high), rise) in low.iter_mut().zip(&mut high).zip(rises) {
                let above = above - indices[lane] * rise;
                // In this form an instruction each.
                low[lane] = if above < low[lane] { above } else { low[lane] };
                high[lane] = if above > high[lane] { above } else { high[lane] };
            }
        }
    };
    let indices = &INDICES[..values.len()];
    let all = indices.as_chunks().0.iter().zip(values.as_chunks().0);
    all.for_each(|(indices, values)| add(indices, values));
    // The last ones may come twice.
    if let (Some(indices), Some(values)) = (indices.last_chunk(), values.last_chunk()) {
        add(indices, values);
    }
    core::array::from_fn(|k| {
        let low = low[k].into_iter().fold(f64::MAX, f64::min);
        (low as i64, high[k].into_iter().fold(f64::MIN, f64::max) as i64)
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_steps_are_lines() {
        for step in [-7, 0, 1, 1000] {
            let values: Vec<i64> = (0..256).map(|i| 5 + step * i).collect();
            let line = Line::fit(&values).expect("a line");
            assert_eq!((line.step, line.step_fraction), (step, 0));
            assert!(values.iter().enumerate().all(|(i, &value)| line.at(i) == value));
        }
        assert_eq!(Line::fit(&[1, 2, 3]), None);
        assert_eq!(Line::fit(&[0, 0, 1 << 33, 0]), None);
    }

    proptest! {
        /// Lines that round to the same integers as one with margins that the fractions resolve.
        #[test]
        fn rounded_lines_are_found(start in -1e9f64..1e9, step in -1e6f64..1e6, n in 4usize..256) {
            let values: Vec<i64> = (0..n).map(|i| (start + i as f64 * step).floor() as i64).collect();
            let line = Line::fit(&values).expect("a line");
            let off = |(i, &value): (usize, &i64)| line.at(i) != value;
            let exceptions = values.iter().enumerate().filter(|&x| off(x)).count();
            prop_assert!(exceptions <= n / 32, "{exceptions} of {n}");
        }

        #[test]
        fn no_strip_is_narrower_and_none_as_narrow_less_steep(
            values in prop_oneof![vec(-1000i64..1000, 4..40), vec(-2i64..2, 4..40)],
        ) {
            let floats: Vec<f64> = values.iter().map(|&value| value as f64).collect();
            let found = narrowest(&floats);
            // In units of `1 / run`.
            let width = |(rise, run): (i64, i64)| {
                let above = || (0..).zip(&values).map(|(i, value)| value * run - i * rise);
                above().max().expect("values") - above().min().expect("values")
            };
            for (j, b) in values.iter().enumerate() {
                for (i, a) in values[..j].iter().enumerate() {
                    let other = (b - a, (j - i) as i64);
                    let wider = width(other) * found.1 - width(found) * other.1;
                    let steeper = other.0 * found.1 - found.0 * other.1;
                    prop_assert!(wider > 0 || wider == 0 && steeper >= 0, "{other:?}, {found:?}");
                }
            }
        }
    }
}
