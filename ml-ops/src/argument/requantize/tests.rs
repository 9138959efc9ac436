//! Distances say exactly what steps do: every accumulator has one for its code, and no bits are one for another code.

use std::collections::BTreeSet;
use std::sync::Arc;

use binfer_field::{F128, kernels};
use rand::{SeedableRng, rngs::StdRng};

use super::split::Classified;
use super::steps::{Column, Steps, reach};
use super::{Code, Kind, Thresholds};
use crate::argument::tables::{Bases, Table};
use crate::graph::{Edges, Epilogue, Requantize, RoundingProfile, Step};

fn step(scale: f32, qmin: i32, qmax: i32) -> Step {
    let profile = RoundingProfile::OrtF32Rne;
    Step { scale, zero_point: 3, qmin, qmax, type_min: -128, profile }
}

fn linear(scales: &[f32], qmin: i32, qmax: i32) -> Epilogue {
    let steps = scales.iter().map(|&scale| step(scale, qmin, qmax)).collect();
    Epilogue::Requantize(Requantize { steps })
}

fn edges(all: &[&[i64]]) -> Epilogue {
    Epilogue::Edges(all.iter().map(|edges| Edges { first: 7, edges: (*edges).into() }).collect())
}

/// Steps of all kinds, each with a bound on accumulators.
fn all_steps() -> Vec<(Epilogue, i64)> {
    // Ranges that are wide at the ends and narrow in the middle.
    let sigmoid: Vec<i64> = (-9..=9i64).map(|i| i * i.abs()).collect();
    vec![
        (linear(&[0.31], -128, 127), 400),
        (linear(&[0.31], 3, 127), 150),
        (linear(&[0.25], -128, 20), 120),
        (linear(&[1.0], -128, 127), 60),
        (linear(&[3.7], -128, 127), 60),
        (linear(&[0.02], -128, 127), 60),
        (linear(&[0.3, 0.11, 0.05, 0.9, 0.001], -128, 60), 260),
        (edges(&[&sigmoid]), 100),
        (edges(&[&sigmoid, &[-3, -3, 5, 9, 9, 9], &[0], &[]]), 100),
        (edges(&[&[0]]), 40),
        (edges(&[&[]]), 40),
        (edges(&[&[500]]), 40),
        (edges(&[&[-20, 20]]), 40),
        (edges(&[&[-1, 0]]), 40),
        (edges(&[&[-39, 39], &[-2, 30]]), 40),
    ]
}

/// The thresholds of steps with every reach that may be declared.
fn declared(epilogue: &Epilogue, bound: i64) -> impl Iterator<Item = Thresholds> {
    let steps = Arc::new(Steps::new(epilogue, bound.into()));
    (0..=steps.most_reach()).flat_map(move |reach| {
        let thresholds = Thresholds::new(steps.clone(), reach);
        // One group, two, one a bit.
        [8, reach.div_ceil(2).clamp(1, 8), 1].map(|width| thresholds.in_indices(width))
    })
}

/// What each bit of a distance adds to the exponents of `h` and `k`, but for the gates.
fn weights(thresholds: &Thresholds, column: &Column) -> Vec<(i128, i128)> {
    let Steps { common_bits, spare_bits, .. } = *thresholds.steps;
    let power = |i: u32| 1i128 << i;
    let far = (0..thresholds.reach)
        .map(|i| (if i < column.most_reach { i128::from(column.unit) << i } else { 0 }, 0));
    let common = (0..common_bits).map(|i| (i128::from(column.weight(i)), 0));
    let spare = (0..spare_bits).map(|i| (power(i), power(i)));
    let rest = (0..thresholds.rest_bits()).map(|i| (0, power(i)));
    far.chain(common).chain(spare).chain(rest).collect()
}

/// What a distance adds to the exponents, by the weights of its bits.
fn added(thresholds: &Thresholds, weights: &[(i128, i128)], distance: u128) -> (i128, i128) {
    let mut sum = (0, 0);
    for (_, weight) in weights.iter().enumerate().filter(|(i, _)| distance >> i & 1 == 1) {
        sum = (sum.0 + weight.0, sum.1 + weight.1);
    }
    let n = thresholds.distance_bits();
    for first in (0..n).step_by(thresholds.width() as usize) {
        let gated = thresholds.gated(first, thresholds.width());
        if distance >> first & ((1 << gated) - 1) != 0 {
            sum.1 += 1 << thresholds.steps.spare_bits;
        }
    }
    sum
}

/// The exponents that an entry of the code's table has.
fn of_code(thresholds: &Thresholds, column: &Column, code: u8) -> (i128, i128) {
    let Code { low, kind } = column.code(code);
    let span = i128::from(column.unit) << thresholds.reach.min(column.most_reach);
    let full = ((i128::from(thresholds.groups()) + 1) << thresholds.steps.spare_bits) - 1;
    match kind {
        Kind::First => (i128::from(low) - span, -full),
        Kind::Inner(target) => (low.into(), -i128::from(target)),
        Kind::Last => (low.into(), -full),
        Kind::Never => (low.into(), 1),
    }
}

/// The accumulator that a code and a distance say, if they say one.
fn said(thresholds: &Thresholds, column: &Column, code: u8, distance: u128) -> Option<i128> {
    let (of_h, of_k) = of_code(thresholds, column, code);
    let sum = added(thresholds, &weights(thresholds, column), distance);
    (sum.1 + of_k == 0).then_some(sum.0 + of_h)
}

/// The distances with which a code says `acc` of a column in the exponents of `h`, whatever those of `k`.
pub(crate) fn saying(thresholds: &Thresholds, acc: i64, code: u8, column: usize) -> Vec<u128> {
    let column = thresholds.steps.column(column);
    let (low, _) = of_code(thresholds, column, code);
    let weights = weights(thresholds, column);
    let is_it = |&distance: &u128| low + added(thresholds, &weights, distance).0 == i128::from(acc);
    (0..1 << thresholds.distance_bits()).filter(is_it).collect()
}

#[test]
fn every_accumulator_within_reach_has_a_distance_for_its_code_alone() {
    for (epilogue, bound) in all_steps() {
        for thresholds in declared(&epilogue, bound) {
            for (c, column) in thresholds.steps.columns.iter().enumerate() {
                let mut reached = 0;
                for acc in -bound..=bound {
                    let code = epilogue.code(c, acc).unwrap();
                    let found =
                        said(&thresholds, column, code, thresholds.distances(c).of(acc, code));
                    let needed = thresholds.steps.reach_of(&[acc], 1);
                    if thresholds.steps.columns.len() == 1 {
                        let is_found = found == Some(acc.into());
                        assert_eq!(is_found, needed <= thresholds.reach, "{acc} {code}");
                    }
                    if thresholds.reach == thresholds.steps.most_reach() {
                        assert_eq!(found, Some(acc.into()), "{c} {acc} {code}");
                    }
                    reached += usize::from(found == Some(acc.into()));
                    let others = [code.wrapping_sub(1), code.wrapping_add(1), 0, 7, 255];
                    for other in others.into_iter().filter(|&other| other != code) {
                        let distance = thresholds.distances(c).of(acc, other);
                        let found = said(&thresholds, column, other, distance);
                        assert_ne!(found, Some(acc.into()), "{c} {acc} {other}");
                    }
                }
                assert!(reached > 0);
            }
        }
    }
}

#[test]
fn distances_of_many_outputs_are_those_of_each() {
    let far = (linear(&[3e-9, 2e-7], -128, 127), 1 << 44);
    let spread = |bound: i64| (-200..=200).map(move |i: i64| i * (bound / 200) + i % 7);
    for (epilogue, bound) in all_steps().into_iter().chain([far]) {
        for thresholds in declared(&epilogue, bound) {
            for c in 0..thresholds.steps.columns.len() {
                let distances = thresholds.distances(c);
                let alike = |accumulators: &[i64], codes: &[u8]| {
                    let mut many = vec![0u64; codes.len()];
                    distances.fill(accumulators, codes, &mut many);
                    let outputs = accumulators.iter().zip(codes);
                    let each: Vec<u64> =
                        outputs.map(|(&acc, &code)| distances.of(acc, code)).collect();
                    assert_eq!(many, each, "{accumulators:?} {codes:?}");
                };
                let accumulators: Vec<i64> =
                    spread(bound).map(|acc| acc.clamp(-bound, bound)).collect();
                let code = |&acc: &i64| epilogue.code(c, acc).unwrap();
                let mut codes: Vec<u8> = accumulators.iter().map(code).collect();
                alike(&accumulators, &codes);
                // Wrong ones, by themselves and among others, and what no run has.
                for (acc, code) in accumulators.iter().zip(&codes).step_by(5) {
                    for code in [code.wrapping_sub(1), code.wrapping_add(1), 0, 6, 7, 255] {
                        alike(&[*acc], &[code]);
                        alike(&[i64::MIN, i64::MAX, 1 << 55], &[code; 3]);
                    }
                }
                codes[7] = codes[7].wrapping_add(100);
                alike(&accumulators, &codes);
            }
        }
    }
}

#[test]
fn no_bits_say_another_code() {
    let mut said_at_all = 0;
    for (epilogue, bound) in all_steps() {
        for thresholds in declared(&epilogue, bound).filter(|t| t.distance_bits() <= 13) {
            for (c, column) in thresholds.steps.columns.iter().enumerate() {
                // Of every distance.
                let (n, weights) = (thresholds.distance_bits(), weights(&thresholds, column));
                let sums = (0..1 << n).map(|distance| added(&thresholds, &weights, distance));
                let sums: Vec<_> = sums.collect();
                for code in 0..=255 {
                    let (of_h, of_k) = of_code(&thresholds, column, code);
                    let said = sums.iter().filter(|sum| sum.1 + of_k == 0).map(|sum| sum.0 + of_h);
                    for acc in said.filter(|acc| acc.abs() <= bound.into()) {
                        said_at_all += 1;
                        assert_eq!(epilogue.code(c, acc as i64), Some(code), "{c} {acc}");
                    }
                }
            }
        }
    }
    assert!(said_at_all > 10_000, "{said_at_all}");
}

#[test]
fn tables_have_these_exponents() {
    let mut rng = StdRng::seed_from_u64(5);
    for (epilogue, bound) in all_steps() {
        for thresholds in declared(&epilogue, bound) {
            let n = if thresholds.are_shared() { 3 } else { thresholds.steps.columns.len() };
            let bases: [Vec<F128>; 2] =
                core::array::from_fn(|_| (0..n).map(|_| F128::random(&mut rng)).collect());
            let inverses: [Vec<F128>; 2] =
                bases.each_ref().map(|bases| bases.iter().map(|base| base.invert()).collect());
            let [h, k]: [Bases<'_>; 2] =
                core::array::from_fn(|i| Bases { h: &bases[i], inverse: &inverses[i] });
            let both = |c, (of_h, of_k)| h.pow(c, of_h) * k.pow(c, of_k);
            let entry = |c, q| both(c, of_code(&thresholds, thresholds.steps.column(c), q as u8));
            let mut entries = vec![F128::ZERO; n << 8];
            Table::Codes { h, k, thresholds: &thresholds }.fill(0..n, &mut entries);
            for (at, &value) in entries.iter().enumerate() {
                assert_eq!(value, entry(at >> 8, at & 255), "{at}");
            }
            for c in 0..n {
                let listed = thresholds.exponents(c);
                for (q, both) in listed.of_h.into_iter().zip(listed.of_k).enumerate() {
                    assert_eq!(both, of_code(&thresholds, thresholds.steps.column(c), q as u8));
                }
            }
            let (bits, gate) = (thresholds.bit_bases(h, k.h), thresholds.gate(k.h));
            assert_eq!(bits.len(), thresholds.distance_bits() as usize);
            for c in 0..n {
                let weights = weights(&thresholds, thresholds.steps.column(c));
                for (bases, weight) in bits.iter().zip(weights) {
                    assert_eq!(bases[c], both(c, weight));
                }
                assert_eq!(gate[c], both(c, (0, 1 << thresholds.steps.spare_bits)));
            }
        }
    }
}

#[test]
fn rounded_lines_are_split_and_other_steps_are_not() {
    let mut rng = StdRng::seed_from_u64(6);
    let scales = [0.9, 0.3, 0.012_345, 0.000_3, 0.000_007];
    let cubes: Vec<i64> = (-127..=127i64).map(|i| i * i * i).collect();
    let far = [-(1i64 << 40), 1 << 40];
    // Each with the columns that are not split.
    let all = [
        (linear(&[scales; 3].concat(), -128, 127), 20_000_000, 0..0),
        (linear(&scales, 3, 127), 20_000_000, 0..0),
        (linear(&scales, -128, -110), 3_000, 0..0),
        (edges(&[&[0], &[]]), 40, 0..0),
        (edges(&[&cubes, &cubes]), 3_000_000, 0..2),
        (edges(&[&[0], &cubes, &[-7, 7]]), 3_000_000, 1..2),
        (edges(&[&far, &far]), 1i64 << 41, 0..2),
    ];
    for (i, (epilogue, bound, others)) in all.into_iter().enumerate() {
        let steps = Arc::new(Steps::new(&epilogue, bound.into()));
        let thresholds = Thresholds::new(steps.clone(), steps.most_reach());
        let n = steps.columns.len();
        let bases: Vec<F128> = (0..2 * n).map(|_| F128::random(&mut rng)).collect();
        let inverses: Vec<F128> = bases.iter().map(|base| base.invert()).collect();
        let [h, k] =
            [0..n, n..2 * n].map(|of| Bases { h: &bases[of.clone()], inverse: &inverses[of] });
        for c in 0..n {
            let classified = Classified::new(&thresholds, steps.column(c));
            assert_eq!(classified.is_none(), others.contains(&c), "{i} {c}");
        }
        let weights: Vec<F128> = (0..256).map(|_| F128::random(&mut rng)).collect();
        let mut entries = vec![F128::ZERO; n << 8];
        thresholds.fill(0..n, [h, k], &mut entries);
        let sums = thresholds.sums(0..n, [h, k], &weights);
        for (c, entries) in entries.chunks(256).enumerate() {
            for (q, &entry) in entries.iter().enumerate() {
                let (of_h, of_k) = of_code(&thresholds, steps.column(c), q as u8);
                assert_eq!(entry, h.pow(c, of_h) * k.pow(c, of_k), "{i} {c} {q}");
            }
            assert_eq!(sums[c], kernels::inner_product(entries, &weights), "{i} {c}");
        }
    }
}

#[test]
fn exponents_stay_within_the_bound() {
    for (epilogue, bound) in all_steps() {
        for thresholds in declared(&epilogue, bound) {
            let most = thresholds.exponent_bound(bound.into());
            for column in &thresholds.steps.columns {
                let weights = weights(&thresholds, column);
                let all = added(&thresholds, &weights, u128::MAX);
                for code in 0..=255 {
                    let (of_h, of_k) = of_code(&thresholds, column, code);
                    for acc in [-bound, bound].map(i128::from) {
                        for some in [0, all.0] {
                            assert!((acc - of_h - some).abs() <= most);
                        }
                    }
                    assert!(of_k.abs() <= most && (of_k + all.1).abs() <= most);
                }
            }
        }
    }
}

#[test]
fn weights_of_common_bits_have_all_sums() {
    for common in 0..70 {
        let ranges = Edges { first: 0, edges: [].into() }.thresholds(1);
        let column = Column { ranges, common, unit: common + 1, most_reach: 0 };
        let weights: Vec<u64> = (0..7).map(|i| column.weight(i)).collect();
        let sum = |bits: u64| (0..7).filter(|i| bits >> i & 1 == 1).map(|i| weights[i]).sum();
        let sums: BTreeSet<u64> = (0..128).map(sum).collect();
        assert!(sums.into_iter().eq(0..=common), "{common}");
    }
}

#[test]
fn common_steps_take_few_bits() {
    let bits = |epilogue: &Epilogue, bound, reach| {
        let steps = Steps::new(epilogue, bound);
        assert!(reach <= steps.most_reach());
        Thresholds::new(Arc::new(steps), reach).distance_bits()
    };
    // Ranges of 333 and 334.
    assert_eq!(bits(&linear(&[0.003], -128, 127), 1 << 24, 0), 9 + 2);
    assert_eq!(bits(&linear(&[0.003], -128, 127), 1 << 24, 7), 9 + 2 + 7 + 1);
    assert_eq!(bits(&linear(&[0.003], -128, 127), 1 << 24, 9), 9 + 2 + 9 + 2);
    // Ranges of 255 and 257: ties are to even.
    assert_eq!(bits(&linear(&[1.0 / 256.0], -128, 127), 1 << 20, 4), 8 + 4 + 4 + 1);
    // No range but those of the ends.
    assert_eq!(bits(&edges(&[&[0]]), 1000, 0), 10);
    assert_eq!(bits(&edges(&[&[]]), 1000, 0), 11);
    // One of 900, others of 1: all that differs is spelled twice.
    assert_eq!(bits(&edges(&[&[0, 1, 2, 902, 903]]), 2000, 0), 20);
}

#[test]
fn distances_of_the_largest_accumulators_fit() {
    let bound = (1i64 << 62) - 1;
    let far: [&[i64]; 5] = [
        &[-bound + 1, bound],
        &[-bound + 1, -bound + 2, bound],
        &[-(1 << 61), 0, 1 << 60],
        &[0, 1, 1 << 61],
        &[0],
    ];
    for all in [&far[..1], &far[1..2], &far[2..3], &far[3..4], &far[4..], &far[..]] {
        let epilogue = edges(all);
        let steps = Arc::new(Steps::new(&epilogue, i128::from(bound)));
        let most = steps.most_reach();
        let thresholds = Thresholds::new(steps, most);
        assert!(thresholds.distance_bits() <= 128, "{}", thresholds.distance_bits());
        assert!(thresholds.exponent_bound(bound.into()) < i128::MAX);
        for (c, column) in thresholds.steps.columns.iter().enumerate() {
            let near = all[c].iter().flat_map(|&edge| [edge - 1, edge, edge + 1]);
            for acc in near.chain([-bound, bound, 0]).filter(|acc| acc.abs() <= bound) {
                let code = epilogue.code(c, acc).unwrap();
                let distance = thresholds.distances(c).of(acc, code);
                assert_eq!(said(&thresholds, column, code, distance), Some(acc.into()));
            }
        }
    }
}

#[test]
fn a_reach_is_the_least() {
    assert_eq!([0, 4, 5, 9, 10, 19, 20].map(|x| reach(5, x)), [0, 0, 1, 1, 2, 2, 3]);
    assert_eq!(reach(1, u64::MAX), 64);
}
