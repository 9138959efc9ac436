//! Edges of monotone step functions that are given as functions.

use crate::graph::Edges;

/// The edges of a step function of accumulators in `[-bound, bound]`; `None` if it is not monotone where
/// that is noticed, or `bound` exceeds 31 bits.
pub(super) fn edges(bound: i64, code: impl Fn(i64) -> u8) -> Option<Edges> {
    if bound > i64::from(i32::MAX) {
        return None;
    }
    let (first, last) = (code(-bound), code(bound));
    let mut edges = Vec::with_capacity(usize::from(last.checked_sub(first)?));
    let mut below = -bound;
    while code(below) < last {
        // `below` has a smaller code than `above`; the least accumulator of a larger code lies between.
        let at = code(below);
        let (mut lo, mut hi) = (below, bound);
        while hi - lo > 1 {
            let middle = lo + (hi - lo) / 2;
            if code(middle) > at { hi = middle } else { lo = middle }
        }
        let skipped = code(hi).checked_sub(at)?;
        edges.extend(std::iter::repeat_n(hi, usize::from(skipped)));
        below = hi;
    }
    (edges.len() == usize::from(last - first)).then_some(Edges { first, edges })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_steps() {
        let step = |x: i64| (x.div_euclid(3) + 100).clamp(40, 200) as u8;
        let found = edges(1000, step).expect("monotone");
        for x in -1000..=1000 {
            assert_eq!(found.code(x), step(x), "{x}");
        }
        let skips = |x: i64| if x < 5 { 1 } else { 9 };
        let found = edges(10, skips).expect("monotone");
        assert_eq!(found, Edges { first: 1, edges: vec![5; 8] });
        assert_eq!(edges(10, |x| if x < 5 { 9 } else { 1 }), None);
        assert_eq!(edges(10, |_| 7), Some(Edges { first: 7, edges: vec![] }));
        assert_eq!(edges(1 << 31, skips), None);
    }
}
