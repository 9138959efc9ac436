//! Steps against the formula in exact arithmetic, and thresholds against exhaustion.

use super::super::*;
use proptest::prelude::*;

fn step() -> impl Strategy<Value = Step> {
    (1e-6f32..8.0, 0i32..256, 0i32..256, 0i32..256, any::<bool>()).prop_map(
        |(scale, zero, a, b, signed)| {
            let type_min = if signed { -128 } else { 0 };
            Step {
                scale,
                zero_point: zero + type_min,
                qmin: a.min(b) + type_min,
                qmax: a.max(b) + type_min,
                type_min,
                profile: RoundingProfile::OrtF32Rne,
            }
        },
    )
}

#[test]
fn ties_go_to_even_and_large_accumulators_round_first() {
    let step = Step {
        scale: 0.5,
        zero_point: 0,
        qmin: -128,
        qmax: 127,
        type_min: -128,
        profile: RoundingProfile::OrtF32Rne,
    };
    let values: Vec<i32> =
        [-5, -3, -1, 1, 3, 5, 7].map(|acc| i32::from(step.code(acc)) - 128).to_vec();
    assert_eq!(values, [-2, -2, 0, 0, 2, 2, 4]);
    // 2^24 + 1 is no float; it rounds to 2^24 before the product.
    let fine = Step { scale: 1.0 / (1 << 24) as f32, ..step };
    assert_eq!(fine.code((1 << 24) + 1), fine.code(1 << 24));
    assert_eq!(step.code(i64::from(i32::MAX)), 255);
    assert_eq!(step.code(i64::from(i32::MIN)), 0);
}

proptest! {
    #[test]
    fn thresholds_partition_the_range(step in step(), bound in 0i64..3000) {
        let ranges = step.thresholds(bound);
        let mut next = -bound;
        for code in 0..=255 {
            if let Some((lo, hi)) = ranges.range(code) {
                prop_assert_eq!(lo, next);
                prop_assert!(lo <= hi);
                for acc in lo..=hi {
                    prop_assert_eq!(step.code(acc), code);
                }
                next = hi + 1;
            }
        }
        prop_assert_eq!(next, bound + 1);
    }

    #[test]
    fn steps_are_monotone_and_stay_in_range(step in step(), a in -(1i64 << 31)..1 << 31, b in -(1i64 << 31)..1 << 31) {
        let value = |acc| i32::from(step.code(acc)) + step.type_min;
        prop_assert!(value(a.min(b)) <= value(a.max(b)));
        prop_assert!((step.qmin..=step.qmax).contains(&value(a)));
    }

    #[test]
    fn codes_follow_the_formula(step in step(), acc in -(1i64 << 31)..1 << 31) {
        let product = acc as i32 as f32 * step.scale;
        let clamped = f64::from(product)
            .clamp(f64::from(step.qmin - step.zero_point), f64::from(step.qmax - step.zero_point));
        let expected = clamped.round_ties_even() as i32 + step.zero_point;
        prop_assert_eq!(i32::from(step.code(acc)) + step.type_min, expected);
    }

    #[test]
    fn wide_bounds_have_thresholds(step in step(), log_bound in 31u32..63, shrink in 0i32..40, less in 1i64..3) {
        let bound = (1i64 << log_bound) - less;
        // As fine as the bound is wide, or coarser.
        let step = Step { scale: step.scale * (-shrink as f32).exp2(), ..step };
        let ranges = step.thresholds(bound);
        let mut next = -bound;
        for code in 0..=255 {
            if let Some((lo, hi)) = ranges.range(code) {
                prop_assert_eq!(lo, next);
                prop_assert_eq!((step.code(lo), step.code(hi)), (code, code));
                next = hi + 1;
            }
        }
        prop_assert_eq!(next, bound + 1);
    }

    #[test]
    fn fine_scales_have_thresholds(scale in 1e-5f32..1e-2, zero in -128i32..128, power: bool) {
        // Common networks, whose edges lie where exact arithmetic puts them; ties too.
        let scale = if power { scale.log2().floor().exp2() } else { scale };
        let step = Step {
            scale,
            zero_point: zero,
            qmin: -128,
            qmax: 127,
            type_min: -128,
            profile: RoundingProfile::OrtF32Rne,
        };
        let ranges = step.thresholds(1 << 25);
        let mut next = -(1 << 25);
        for code in ranges.first()..=ranges.last() {
            let (lo, hi) = ranges.range(code).unwrap();
            prop_assert_eq!(lo, next);
            prop_assert_eq!((step.code(lo), step.code(hi)), (code, code));
            next = hi + 1;
        }
        prop_assert_eq!(next, (1 << 25) + 1);
    }
}
