//! Edges of monotone step functions that are given as functions.

use crate::graph::{Edges, last_where};

/// The edges of a step function of accumulators in `[-bound, bound]`; `None` if it is not monotone where
/// that is noticed, or `bound` exceeds 31 bits.
pub(super) fn edges(bound: i64, code: impl Fn(i64) -> u8) -> Option<Edges> {
    if bound > i64::from(i32::MAX) {
        return None;
    }
    let (first, last) = (code(-bound), code(bound));
    let mut edges = Vec::with_capacity(usize::from(last.checked_sub(first)?));
    let (mut below, mut at) = (-bound, first);
    let mut width = None;
    while at < last {
        // Steps of floats are about as wide as the one before.
        let mut above = last;
        let hi = 1 + last_where(below, bound, width.map(|width| below + width), |acc| {
            let code = code(acc);
            if code > at {
                above = code;
            }
            code <= at
        });
        edges.extend(std::iter::repeat_n(hi, usize::from(above - at)));
        width = Some(hi - below);
        (below, at) = (hi, above);
    }
    (edges.len() == usize::from(last - first)).then(|| Edges { first, edges: edges.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn edges_of_steps() {
        let step = |x: i64| (x.div_euclid(3) + 100).clamp(40, 200) as u8;
        let found = edges(1000, step).expect("monotone");
        for x in -1000..=1000 {
            assert_eq!(found.code(x), step(x), "{x}");
        }
        // Steps that grow wider and narrower, some empty.
        let cube = |x: i64| ((x * x * x) >> 18).clamp(-100, 150).wrapping_add(100) as u8;
        let found = edges(1000, cube).expect("monotone");
        for x in -1000..=1000 {
            assert_eq!(found.code(x), cube(x), "{x}");
        }
        let skips = |x: i64| if x < 5 { 1 } else { 9 };
        let found = edges(10, skips).expect("monotone");
        assert_eq!(found, Edges { first: 1, edges: [5; 8].into() });
        assert_eq!(edges(10, |x| if x < 5 { 9 } else { 1 }), None);
        assert_eq!(edges(10, |_| 7), Some(Edges { first: 7, edges: [].into() }));
        assert_eq!(edges(1 << 31, skips), None);
    }

    #[test]
    fn edges_of_floats_take_few_codes() {
        let codes = Cell::new(0);
        let step = |x: i64| {
            codes.set(codes.get() + 1);
            (x as f32 * 0.000_123).round_ties_even().clamp(-128.0, 127.0) as i8 as u8 ^ 128
        };
        let found = edges(i64::from(i32::MAX), step).expect("monotone");
        assert_eq!((found.first, found.edges.len()), (0, 255));
        assert!(codes.get() < 255 * 4 + 100, "{} codes", codes.get());
        for (below, &edge) in found.edges.iter().enumerate() {
            assert_eq!((usize::from(step(edge - 1)), usize::from(step(edge))), (below, below + 1));
        }
    }
}
