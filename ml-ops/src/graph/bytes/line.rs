//! Rounded lines: lists of integers of which each is the floor of a point of one line.

/// The line with value `start + start_fraction / 2^8 + i (step + step_fraction / 2^16)` at `i`. Integers wrap around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: i64,
    pub(super) start_fraction: u8,
    pub(super) step: i64,
    pub(super) step_fraction: u16,
}

/// What values may be away from the line through their ends, so that products fit 64 bits.
const MOST: i128 = 1 << 32;

/// Fewest values that a line is fitted to, and most.
const SHORTEST: usize = 4;
const LONGEST: usize = 256;

/// A point: an index and a value.
type Point = (i64, i64);

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
        let (first, rise) = (i128::from(first), i128::from(last) - i128::from(first));
        let slope = rise.div_euclid(values.len() as i128 - 1);
        let mut points: Vec<Point> = Vec::with_capacity(values.len());
        for (i, &value) in (0i64..).zip(values) {
            let above = i128::from(value) - first - slope * i128::from(i);
            if above.abs() >= MOST {
                return None;
            }
            points.push((i, above as i64));
        }
        let (rise, run) = narrowest(&points)?;
        // In units of `2^-16`, to the nearest.
        let more = ((rise << 17) + run).div_euclid(2 * run);
        let above = points.iter().map(|&(i, y)| (y << 16) - i * more);
        let (low, high) =
            above.fold((i64::MAX, i64::MIN), |(low, high), y| (low.min(y), high.max(y)));
        let start = (low + (high - low) / 2 + (1 << 15) + (1 << 7)) >> 8;
        Some(Self {
            start: i64::try_from(first + i128::from(start >> 8)).ok()?,
            start_fraction: (start & 0xff) as u8,
            step: i64::try_from(slope + i128::from(more >> 16)).ok()?,
            step_fraction: (more & 0xffff) as u16,
        })
    }
}

/// The slope, as a fraction, of the narrowest strip between parallels that holds some points: that of an edge of their
/// hull where the points that touch the upper side and those that touch the lower one pass each other. `None` for fewer
/// than two points.
fn narrowest(points: &[Point]) -> Option<Point> {
    let upper = hull(points, |turn| turn >= 0);
    let lower = hull(points, |turn| turn <= 0);
    // As the slope grows, the upper side is touched further left, the lower one further right.
    let mut left =
        upper.iter().rev().zip(upper.iter().rev().skip(1)).map(|(b, a)| (*a, *b)).peekable();
    let mut right = lower.iter().zip(lower.iter().skip(1)).map(|(a, b)| (*a, *b)).peekable();
    let (mut above, mut below) = (upper.last()?.0, lower.first()?.0);
    let mut slope = None;
    while above > below {
        let of = |&(a, b): &(Point, Point)| (b.1 - a.1, b.0 - a.0);
        let (up, down) = (left.peek().map(of), right.peek().map(of));
        let upper_is_next = match (up, down) {
            (Some((rise, run)), Some((other_rise, other_run))) => {
                rise * other_run <= other_rise * run
            }
            (up, _) => up.is_some(),
        };
        if upper_is_next {
            let (a, _) = left.next()?;
            (above, slope) = (a.0, up);
        } else {
            let (_, b) = right.next()?;
            (below, slope) = (b.0, down);
        }
    }
    slope
}

/// The points of a hull from left to right, without those at which the turn is one to leave out.
fn hull(points: &[Point], is_inside: impl Fn(i64) -> bool) -> Vec<Point> {
    let mut hull: Vec<Point> = Vec::new();
    for &point in points {
        while let [.., a, b] = hull[..]
            && is_inside((b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0))
        {
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        fn no_strip_is_narrower(values in prop::collection::vec(-1000i64..1000, 4..40)) {
            let points: Vec<Point> = (0..).zip(values).collect();
            let (rise, run) = narrowest(&points).expect("a slope");
            let width = |slope: f64| {
                let above = points.iter().map(|&(i, y)| y as f64 - i as f64 * slope);
                let ends = above.fold((f64::MAX, f64::MIN), |(l, h), y| (l.min(y), h.max(y)));
                ends.1 - ends.0
            };
            let found = width(rise as f64 / run as f64);
            for a in &points {
                for b in points.iter().filter(|b| b.0 > a.0) {
                    let other = width((b.1 - a.1) as f64 / (b.0 - a.0) as f64);
                    prop_assert!(found <= other + 1e-6);
                }
            }
        }
    }
}
