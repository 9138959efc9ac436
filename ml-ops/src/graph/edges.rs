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

    /// The step of a column, of one for all columns or one for each.
    pub(crate) fn of_column(steps: &[Self], column: usize) -> Option<&Self> {
        if let [only] = steps { Some(only) } else { steps.get(column) }
    }

    /// The code of an accumulator.
    pub fn code(&self, acc: i64) -> u8 {
        self.nth(self.edges.partition_point(|&edge| edge <= acc))
    }

    /// The code of accumulators that have reached so many edges.
    fn nth(&self, edges: usize) -> u8 {
        self.first.saturating_add(edges.min(255) as u8)
    }

    /// The codes of accumulators. The edges about one are looked for where a line through the first and the last edge has them.
    #[cfg(feature = "prover")]
    pub(crate) fn codes(&self, accumulators: &[i64], codes: &mut [u8]) {
        let edges = &self.edges[..];
        let [first, last] =
            [edges.first(), edges.last()].map(|edge| edge.map_or(0.0, |&x| x as f64));
        let per_unit = (edges.len() as f64 - 1.0) / (last - first).max(1.0);
        for (code, &acc) in codes.iter_mut().zip(accumulators) {
            let is_reached = |edge: usize| edges.get(edge).is_some_and(|&edge| edge <= acc);
            // The conversion saturates.
            let near = ((acc as f64 - first) * per_unit + 1.0) as usize;
            let near = near.min(edges.len());
            let is_more = is_reached(near);
            let is_less = near > 0 && !is_reached(near - 1);
            let reached = near + usize::from(is_more) - usize::from(is_less);
            let is_found = !is_reached(reached) && (reached == 0 || is_reached(reached - 1));
            *code = if is_found { self.nth(reached) } else { self.code(acc) };
        }
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
            _ => self.nth(self.edges.len()),
        };
        CodeRanges::of_edges(self.clone(), [first, last], bound)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn codes_are_those_of_each(
            first: u8,
            mut edges in vec(any::<i64>(), 0..256),
            rise in -1000i64..1000,
            mut accumulators in vec(any::<i64>(), 1..100),
            shift in 0u32..64,
        ) {
            edges.truncate(usize::from(u8::MAX - first));
            // From all over to all alike, about a line.
            edges.iter_mut().chain(&mut accumulators).for_each(|x| *x >>= shift);
            edges.iter_mut().zip(0..).for_each(|(edge, i)| *edge = edge.saturating_add(i * rise));
            edges.sort_unstable();
            accumulators.extend_from_slice(&edges);
            let step = Edges { first, edges: edges.into() };
            let mut codes = vec![0; accumulators.len()];
            step.codes(&accumulators, &mut codes);
            for (&code, acc) in codes.iter().zip(accumulators) {
                prop_assert_eq!(code, step.code(acc));
            }
        }
    }

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
