//! Provers that cheat on convolutions, sums and maxima, message for message honest otherwise: all are rejected.

use super::forged::{self, bytes, codes, dim, edges, integers, key, rejected};
use crate::argument::{Axis, Entries, Plan, Source};
use crate::graph::{
    Alphabet, Epilogue, Function, Gather, Model, Op, TensorKind, TensorShape, Term, Values,
    WeightMatrix, WeightShape,
};
use crate::{ProverKey, Rejection, interpret};

const CHANNELS: usize = 3;
const SIDE: usize = 5;
const PIXELS: usize = SIDE * SIDE;
const HIDDEN: usize = 4;
const BATCH: usize = 2;

/// The tensors: input, convolved, convolved in groups, their sum, its maxima, their averages with the integers
/// of the last matmul.
const CONVOLVED: usize = 1;
const GROUPED: usize = 2;
const ADDED: usize = 3;
const LARGEST: usize = 4;
const AVERAGE: usize = 5;
const OUTPUT: usize = 6;

/// Windows of 3 x 3 over `side * side` pixels of `channels` channels, padded by one.
fn windows(channels: usize, side: usize, stride: i64, pad: u8) -> Gather {
    let outputs = side.div_ceil(stride as usize);
    Gather {
        source_cols: vec![channels],
        source_rows: vec![side, side],
        offsets: vec![0, -1, -1],
        rows: vec![dim(outputs, 1, stride), dim(outputs, 2, stride)],
        cols: vec![dim(channels, 0, 1), dim(3, 1, 1), dim(3, 2, 1)],
        pad: Some(pad),
    }
}

/// Bytes whatever their values.
fn weights(k: usize, n: usize) -> (WeightShape, WeightMatrix) {
    let index = (0..k * n).map(|i| (i * i * 37 + i * 11) as u8).collect();
    let bias: Vec<i64> = (0..n as i64).map(|j| j * 31 - 100).collect();
    let alphabet = Alphabet::Byte { offsets: vec![-128] };
    (WeightShape { k, n, alphabet, bias_bits: 8 }, WeightMatrix { index, bias })
}

fn scaled(factor: i64, zero: i64) -> Function {
    Function::Table(Box::new(core::array::from_fn(|v| factor * (v as i64 - zero))))
}

fn model() -> Model {
    let tensor = |rows_per_sample, features| {
        let kind = TensorKind::Code;
        TensorShape { rows_per_sample, features, kind }
    };
    let (zero_code, pad) = (128, 128);
    let term = |x, gather, taps, function| Term { x, gather, taps, function };
    let ops = vec![
        Op::MatMul {
            x: 0,
            gather: Some(windows(CHANNELS, SIDE, 1, pad)),
            zero_code,
            weights: 0,
            groups: 1,
            y: CONVOLVED,
            epilogue: edges(700),
        },
        Op::MatMul {
            x: CONVOLVED,
            gather: Some(windows(HIDDEN, SIDE, 1, pad)),
            zero_code,
            weights: 1,
            groups: HIDDEN,
            y: GROUPED,
            epilogue: edges(300),
        },
        Op::Combine {
            terms: vec![
                term(CONVOLVED, None, 1, scaled(5, 100)),
                term(GROUPED, None, 1, scaled(7, 90)),
            ],
            y: ADDED,
            epilogue: edges(9),
        },
        Op::Max { x: ADDED, gather: windows(HIDDEN, SIDE, 2, 0), taps: 9, y: LARGEST },
        Op::Combine {
            terms: vec![term(
                LARGEST,
                Some(Gather {
                    source_cols: vec![HIDDEN],
                    source_rows: vec![9],
                    offsets: vec![0, 0],
                    rows: Vec::new(),
                    cols: vec![dim(HIDDEN, 0, 1), dim(9, 1, 1)],
                    pad: None,
                }),
                9,
                scaled(1, 0),
            )],
            y: AVERAGE,
            epilogue: edges(10),
        },
        Op::MatMul {
            x: AVERAGE,
            gather: None,
            zero_code,
            weights: 2,
            groups: 1,
            y: OUTPUT,
            epilogue: Epilogue::Accumulator,
        },
    ];
    let mut tensors = vec![
        tensor(PIXELS, CHANNELS),
        tensor(PIXELS, HIDDEN),
        tensor(PIXELS, HIDDEN),
        tensor(PIXELS, HIDDEN),
        tensor(9, HIDDEN),
        tensor(1, HIDDEN),
        tensor(1, 2),
    ];
    tensors[OUTPUT].kind = TensorKind::Integer { bits: 32 };
    let weights = vec![weights(CHANNELS * 9, HIDDEN), weights(9, HIDDEN), weights(HIDDEN, 2)];
    forged::model(ops, tensors, weights, vec![CHANNELS * PIXELS], (OUTPUT, vec![2]))
}

/// [`forged::forge`] of a batch of bytes.
fn forge(
    key: &ProverKey,
    source: &Model,
    cheat: impl FnOnce(&mut Vec<Values>),
    change: impl FnOnce(&Plan, &mut Vec<Entries<'_>>),
) -> Result<(), Rejection> {
    let x = bytes(vec![BATCH, CHANNELS * PIXELS]);
    forged::forge(key, source, (&x, &x), cheat, change)
}

/// [`forge`] with other tensors alone.
fn forge_tensors(
    key: &ProverKey,
    source: &Model,
    cheat: impl FnOnce(&mut Vec<Values>),
) -> Result<(), Rejection> {
    forge(key, source, cheat, |_, _| ())
}

#[test]
fn the_honest_prover_is_accepted() {
    let model = model();
    assert_eq!(forge_tensors(&key(&model), &model, |_| ()), Ok(()));
}

#[test]
fn both_axes_are_tried() {
    let plan = Plan::new(&model().graph, BATCH);
    let of_matmuls = plan.matmuls.iter().map(|matmul| matmul.output.axis);
    let axes: Vec<Axis> = of_matmuls.chain(plan.sums.iter().map(|sum| sum.output.axis)).collect();
    assert!(axes.contains(&Axis::Rows) && axes.contains(&Axis::Columns), "{axes:?}");
}

#[test]
fn a_code_off_by_one_is_rejected_wherever_it_is() {
    let model = model();
    let key = key(&model);
    for (node, t) in [CONVOLVED, GROUPED, ADDED, LARGEST, AVERAGE].into_iter().enumerate() {
        let n = BATCH * model.graph.tensors[t].per_sample();
        // In the first sample and the last, in either direction.
        for (at, up) in [(0, true), (n - 1, true), (n / 2, false), (n - 1, false)] {
            rejected(forge_tensors(&key, &model, |tensors| {
                let code = &mut codes(&mut tensors[t])[at];
                *code = if up { code.saturating_add(1).min(254) } else { code.wrapping_sub(1) };
                // Run on from there, so that one node alone is false.
                interpret::run_from(&model, node + 1, tensors, BATCH);
            }));
        }
    }
}

#[test]
fn an_output_off_by_one_is_rejected() {
    let model = model();
    for at in 0..2 * BATCH {
        rejected(forge_tensors(&key(&model), &model, |tensors| {
            integers(&mut tensors[OUTPUT])[at] += 1
        }));
    }
}

/// The key of a cheat that runs `other` under the honest oracle and commitment.
fn disguised(honest: &ProverKey, other: &Model) -> ProverKey {
    let mut cheat = key(other);
    cheat.oracle = binfer_pcs::commit(
        honest.commitment().params(),
        honest.oracle.shape().log_row,
        honest.oracle.words().to_vec(),
    );
    cheat.commitment = honest.commitment().clone();
    cheat
}

#[test]
fn another_weight_is_rejected() {
    let model = model();
    let honest = key(&model);
    for (matrix, at) in [(0, 0), (0, 107), (1, 0), (1, 35), (2, 3)] {
        let mut other = model.clone();
        other.weights[matrix].index[at] ^= 64;
        rejected(forge_tensors(&disguised(&honest, &other), &other, |_| ()));
    }
}

/// A change of a map.
type Change = fn(&mut Gather);

/// Each map of the graph, by the number of its node.
fn gather(model: &mut Model, node: usize) -> &mut Gather {
    match &mut model.graph.nodes[node].op {
        Op::MatMul { gather: Some(gather), .. } | Op::Max { gather, .. } => gather,
        Op::Combine { terms, .. } => terms[0].gather.as_mut().unwrap(),
        _ => panic!("a gather"),
    }
}

#[test]
fn a_matrix_read_from_elsewhere_is_rejected() {
    let model = model();
    let honest = key(&model);
    // All else is as it should be: the products, the tables, the bits. What pads add is part of the sum of all claims.
    let changes: [(usize, &str, Change); 6] = [
        (0, "wired values", |gather| gather.offsets[1] = 0),
        (0, "wired values", |gather| gather.cols.swap(1, 2)),
        (0, "nibble values", |gather| gather.pad = Some(127)),
        (1, "wired values", |gather| gather.offsets[2] = -2),
        (3, "wired values", |gather| gather.offsets[1] = 0),
        (4, "wired values", |gather| gather.cols[1].step = 0),
    ];
    for (node, expected, change) in changes {
        let mut other = model.clone();
        change(gather(&mut other, node));
        other.graph.validate().unwrap();
        let label = rejected(forge_tensors(&disguised(&honest, &other), &other, |_| ()));
        assert_eq!(label, expected, "{node}");
    }
}

#[test]
fn another_selector_or_difference_is_rejected() {
    let model = model();
    let key = key(&model);
    let n = BATCH * model.graph.tensors[LARGEST].per_sample();
    for tap in [0, 4, 8] {
        for at in [0, n - 1] {
            for bit in [0, 7, 8] {
                let flip = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
                    let matrix = plan.matrices.iter().position(
                        |m| matches!(m.source, Source::Differences { tap: t, .. } if t == tap),
                    );
                    match &mut entries[matrix.unwrap()] {
                        Entries::Wide(words) => words[at] ^= 1 << bit,
                        Entries::Widest(words) => words[at] ^= 1 << bit,
                        Entries::Bytes(_) | Entries::Short(_) => panic!("wide words"),
                    }
                };
                let label = rejected(forge(&key, &model, |_| (), flip));
                // A constraint that does not hold leaves a false claim to the opening.
                assert_eq!(label == "ring switching", bit == 8, "{label} {tap} {at} {bit}");
            }
        }
    }
}
