//! Monotone step functions given by their edges, for what no scale and rounding says.

use std::sync::Arc;

use super::CodeRanges;

/// A monotone step function: the code of an accumulator is `first` plus the number of edges at or below it.
///
/// Equal edges skip codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edges {
    /// The least code.
    pub first: u8,
    /// Non-decreasing, at most `255 - first` of them; clones share them.
    pub edges: Arc<[i64]>,
}

impl Edges {
    /// The step with code `k` from `least(k)` on, for `first < k <= last`, and `first` below. Precondition: `least` does
    /// not decrease.
    pub fn rising(first: u8, last: u8, least: impl Fn(u8) -> f64) -> Self {
        // The conversion saturates.
        let edge = |below: u8| least(below + 1).ceil() as i64;
        Self { first, edges: (first..last).map(edge).collect() }
    }

    /// The step to the code that a small integer is, of others to the nearest.
    pub fn clamped() -> Self {
        Self::rising(0, u8::MAX, f64::from)
    }

    /// The code of an accumulator.
    pub fn code(&self, acc: i64) -> u8 {
        let above = self.edges.partition_point(|&edge| edge <= acc);
        self.first.saturating_add(above.min(255) as u8)
    }

    /// The accumulators in `[-bound, bound]` that each code stands for. Precondition: `bound` is at least 0 and below `2^62`.
    pub fn thresholds(&self, bound: i64) -> CodeRanges {
        // Most steps have all their codes within the bound; a look at the ends is less than a search.
        let first = match self.edges.first() {
            Some(&edge) if edge <= -bound => self.code(-bound),
            _ => self.first,
        };
        let last = match self.edges.last() {
            Some(&edge) if edge > bound => self.code(bound),
            _ => self.first.saturating_add(self.edges.len().min(255) as u8),
        };
        CodeRanges::of_edges(self.clone(), [first, last], bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_codes() {
        for (first, edges, bound) in [
            (0, vec![3, 3], 10),
            (5, vec![-4, -4, 0, 7, 7, 9], 10),
            (5, vec![-40, 0, 30], 10),
            (0, vec![], 4),
            (250, vec![0, 1, 2, 3, 4], 3),
        ] {
            let step = Edges { first, edges: edges.into() };
            let ranges = step.thresholds(bound);
            for code in 0..=255 {
                let inside: Vec<i64> =
                    (-bound..=bound).filter(|&acc| step.code(acc) == code).collect();
                let expected = inside.first().map(|&lo| (lo, inside[inside.len() - 1]));
                assert_eq!(ranges.range(code), expected, "{step:?} {code}");
            }
        }
    }

    #[test]
    fn ranges_may_be_wide() {
        for edge in [1i64 << 20, 1 << 31, 1 << 60] {
            let step = Edges { first: 3, edges: [-edge, edge - 1, edge - 1].into() };
            let ranges = step.thresholds(edge);
            let of_codes = [3, 4, 5, 6, 7].map(|code| ranges.range(code));
            let inner = Some((-edge, edge - 2));
            assert_eq!(of_codes, [None, inner, None, Some((edge - 1, edge)), None]);
        }
    }
}
