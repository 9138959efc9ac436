//! Provers that cheat on sums of wide integers, on factors of rows and on steps of both, message for message honest
//! otherwise: all are rejected.

use super::forged::{self, bytes, dim, integers, key, rejected};
use crate::argument::{Entries, Plan, Source};
use crate::graph::{
    CodeMatrix, Edges, Epilogue, Function, Gather, GatherDim, Model, Op, TensorId, TensorKind,
    TensorShape, Term, Values,
};
use crate::{ProverKey, Rejection, interpret};

const TOKENS: usize = 4;
/// Tokens of a head of the squares.
const TOGETHER: usize = 2;
const CHANNELS: usize = 3;
const BATCH: usize = 2;
const FACTORS: [i64; CHANNELS] = [5000, -1, 4099];

/// The tensors: input, integers of its codes, their products with each other in heads of two tokens, codes of each
/// token's square, integers of these, and the normalized integers.
const WIDE: usize = 1;
const SQUARES: usize = 2;
const SIZES: usize = 3;
const RECIPROCALS: usize = 4;
const NORMALIZED: usize = 5;

fn read(x: TensorId, gather: Option<Gather>) -> CodeMatrix {
    CodeMatrix { x, gather, zero_code: 0 }
}

/// The integers, tokens in rows, read so.
fn wide(rows: Vec<GatherDim>, cols: Vec<GatherDim>) -> Gather {
    let (source_cols, source_rows) = (vec![CHANNELS], vec![TOKENS / TOGETHER, TOGETHER]);
    Gather { source_cols, source_rows, offsets: vec![0, 0, 0], rows, cols, pad: None }
}

/// The square of the token that is number `place` of each head.
fn squares(place: i64) -> Term {
    let gather = Gather {
        source_cols: vec![1, TOKENS / TOGETHER, TOGETHER],
        source_rows: vec![TOGETHER],
        offsets: vec![-place, 0, place, place],
        rows: vec![],
        cols: vec![dim(TOKENS / TOGETHER, 1, 1), dim(TOGETHER, 0, 1)],
        pad: None,
    };
    Term { x: SQUARES, gather: Some(gather), taps: 1, function: Function::Times(-1) }
}

/// Steps between codes that are `width` wide, a quarter more or less.
fn uneven(width: i64) -> Epilogue {
    let edge = |e: i64| e * width + (e & 1) * width / 4;
    Epilogue::Edges(vec![Edges { first: 3, edges: (-120..120).map(edge).collect() }])
}

/// Integers divided by the root of their squares, more or less: `kind` of them.
fn model(kind: TensorKind) -> Model {
    let heads = dim(TOKENS / TOGETHER, 1, 1);
    let (together, channels) = (dim(TOGETHER, 2, 1), dim(CHANNELS, 0, 1));
    let normalized = match kind {
        TensorKind::Code => uneven(1 << 46),
        TensorKind::Integer { .. } => Epilogue::Accumulator,
    };
    let term = |x, function| Term { x, gather: None, taps: 1, function };
    let ops = vec![
        Op::Combine {
            terms: vec![term(0, Function::table(|code| (code - 90) * 190_001 + code * code))],
            y: WIDE,
            epilogue: Epilogue::Accumulator,
        },
        Op::BatchMatMul {
            a: read(WIDE, Some(wide(vec![together], vec![heads, channels]))),
            b: read(WIDE, Some(wide(vec![channels], vec![heads, together]))),
            heads: TOKENS / TOGETHER,
            row_factors: None,
            y: SQUARES,
            epilogue: Epilogue::Accumulator,
        },
        Op::Combine { terms: (0..2).map(squares).collect(), y: SIZES, epilogue: uneven(1 << 43) },
        Op::Combine {
            terms: vec![term(SIZES, Function::table(|code| 70_000 + code * 999))],
            y: RECIPROCALS,
            epilogue: Epilogue::Accumulator,
        },
        Op::BatchMatMul {
            a: read(WIDE, Some(wide(vec![channels], vec![heads, together]))),
            b: read(RECIPROCALS, None),
            heads: TOKENS,
            row_factors: Some(FACTORS.to_vec()),
            y: NORMALIZED,
            epilogue: normalized,
        },
    ];
    let tensor = |rows_per_sample, features, kind| TensorShape { rows_per_sample, features, kind };
    let integers = |bits| TensorKind::Integer { bits };
    let tensors = vec![
        tensor(TOKENS, CHANNELS, TensorKind::Code),
        tensor(TOKENS, CHANNELS, integers(26)),
        tensor(TOGETHER, TOKENS, integers(53)),
        tensor(1, TOKENS, TensorKind::Code),
        tensor(1, TOKENS, integers(20)),
        tensor(CHANNELS, TOKENS, kind),
    ];
    let shape = vec![TOKENS, CHANNELS];
    forged::model(ops, tensors, Vec::new(), shape.clone(), (NORMALIZED, shape))
}

fn codes() -> Model {
    model(TensorKind::Code)
}

fn accumulators() -> Model {
    model(TensorKind::Integer { bits: 60 })
}

/// [`forged::forge`] of a batch of bytes.
fn forge(
    key: &ProverKey,
    source: &Model,
    cheat: impl FnOnce(&mut Vec<Values>),
    change: impl FnOnce(&Plan, &mut Vec<Entries<'_>>),
) -> Result<(), Rejection> {
    let x = bytes(vec![BATCH, TOKENS, CHANNELS]);
    forged::forge(key, source, (&x, &x), cheat, change)
}

#[test]
fn the_honest_prover_is_accepted() {
    for model in [codes(), accumulators()] {
        assert_eq!(forge(&key(&model), &model, |_| (), |_, _| ()), Ok(()));
    }
    // Bounds of 2^52 and more take two repetitions.
    let plan = Plan::new(&codes().graph, BATCH);
    let repetitions: Vec<_> = plan.matmuls.iter().map(|m| m.output.repetitions).collect();
    assert_eq!(repetitions, [2; 2 * BATCH]);
    // Distances of steps as wide do not fit 64 bits.
    let distances = plan.matrices.iter().filter(|m| matches!(m.source, Source::Distances(_)));
    assert_eq!(distances.filter(|matrix| matrix.bits > 64).count(), 2);
}

/// One false output of each kind of sum, by little and by much; what follows is run on what is false.
#[test]
fn a_false_sum_is_rejected_wherever_it_is() {
    for (model, t) in [(codes(), SQUARES), (codes(), RECIPROCALS), (accumulators(), NORMALIZED)] {
        let key = key(&model);
        let n = BATCH * model.graph.tensors[t].per_sample();
        for at in [0, 1, n / 2 - 1, n / 2, n - 1] {
            // The order of the group has the second as a divisor.
            for by in [1, (1 << 16) + 1, 1 << 17] {
                rejected(forge(
                    &key,
                    &model,
                    |tensors| {
                        let sum = &mut integers(&mut tensors[t])[at];
                        *sum += if *sum > 0 { -by } else { by };
                        interpret::run_from(&model, t, tensors, BATCH);
                    },
                    |_, _| (),
                ));
            }
        }
    }
}

/// One operand of a node is another tensor than the one committed: the node alone is false.
#[test]
fn an_operand_changed_for_one_node_is_rejected() {
    let model = accumulators();
    let key = key(&model);
    for (node, operand) in [(1, WIDE), (4, WIDE), (4, RECIPROCALS)] {
        let n = BATCH * model.graph.tensors[operand].per_sample();
        for at in [0, n / 2, n - 1] {
            for bit in [0, 9, 18] {
                rejected(forge(
                    &key,
                    &model,
                    |tensors| {
                        let (y, mut other) = (node + 1, tensors.clone());
                        integers(&mut other[operand])[at] ^= 1 << bit;
                        interpret::run_from(&model, node, &mut other, BATCH);
                        assert_ne!(tensors[y], other[y], "{node} {operand} {at}");
                        tensors[y] = other[y].clone();
                        interpret::run_from(&model, y, tensors, BATCH);
                    },
                    |_, _| (),
                ));
            }
        }
    }
}

#[test]
fn a_code_of_a_wide_sum_off_by_one_is_rejected() {
    let model = codes();
    let key = key(&model);
    for t in [SIZES, NORMALIZED] {
        let n = BATCH * model.graph.tensors[t].per_sample();
        for at in [0, n / 2, n - 1] {
            for up in [true, false] {
                rejected(forge(
                    &key,
                    &model,
                    |tensors| {
                        let codes = forged::codes(&mut tensors[t]);
                        codes[at] = if up { codes[at] + 1 } else { codes[at] - 1 };
                        interpret::run_from(&model, t, tensors, BATCH);
                    },
                    |_, _| (),
                ));
            }
        }
    }
}

/// One bit of a distance, wherever it lies.
#[test]
fn another_distance_of_a_wide_sum_is_rejected() {
    let model = codes();
    let key = key(&model);
    let bits: [fn(u32) -> u32; 6] = [|_| 0, |n| n / 3, |n| n / 2, |_| 63, |_| 64, |n| n - 1];
    for (node, bit, last) in [2, 4].into_iter().flat_map(|node| {
        bits.into_iter().flat_map(move |bit| [false, true].map(|last| (node, bit, last)))
    }) {
        let flip = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
            let is_node = |source| source == Source::Distances(node);
            let matrix = plan.matrices.iter().position(|m| is_node(m.source)).unwrap();
            let Entries::Widest(words) = &mut entries[matrix] else { panic!("wide words") };
            let at = if last { words.len() - 1 } else { 0 };
            words[at] ^= 1 << bit(plan.matrices[matrix].bits);
        };
        rejected(forge(&key, &model, |_| (), flip));
    }
}

/// A cheat that runs another graph than the one that is committed to, with the same tensors.
#[test]
fn another_factor_or_map_is_rejected() {
    type Change = (usize, fn(&mut Op));
    let model = accumulators();
    let honest = key(&model);
    let changes: [Change; 6] = [
        (4, |op| *factors(op) = Some(vec![1; CHANNELS])),
        (4, |op| *factors(op) = Some(vec![5001, -1, 4099])),
        (4, |op| *factors(op) = Some(vec![5000, 1, 4099])),
        (4, |op| *factors(op) = Some(vec![5000, -1, 0])),
        (4, |op| operands(op)[0].gather.as_mut().unwrap().cols[0].step = 0),
        (1, |op| operands(op)[1].gather.as_mut().unwrap().cols[0].step = 0),
    ];
    for (node, change) in changes {
        let mut other = model.clone();
        change(&mut other.graph.nodes[node].op);
        other.graph.validate().unwrap();
        let mut cheat = key(&other);
        cheat.commitment = honest.commitment().clone();
        rejected(forge(&cheat, &other, |_| (), |_, _| ()));
    }
}

fn factors(op: &mut Op) -> &mut Option<Vec<i64>> {
    match op {
        Op::BatchMatMul { row_factors, .. } => row_factors,
        _ => panic!("a matmul"),
    }
}

fn operands(op: &mut Op) -> [&mut CodeMatrix; 2] {
    match op {
        Op::BatchMatMul { a, b, .. } => [a, b],
        _ => panic!("a matmul"),
    }
}
