//! Provers that cheat on products of tensors, of elements and of matrices, message for message honest otherwise:
//! all are rejected.

use super::forged::{self, bytes, codes, dim, edges, integers, key, rejected};
use crate::graph::{
    CodeMatrix, Epilogue, Function, Gather, Model, Op, TensorKind, TensorShape, Term, Values,
};
use crate::{ProverKey, Rejection, interpret};

const ROWS: usize = 5;
const HEADS: usize = 2;
const DEPTH: usize = 3;
const WIDTH: usize = HEADS * DEPTH;
const BATCH: usize = 2;

/// The tensors: input, a function of it, scores, values of the scores, gated, their square with the input.
const KEYS: usize = 1;
const SCORES: usize = 2;
const MIXED: usize = 3;
const GATED: usize = 4;
const OUTPUT: usize = 5;

fn read(x: usize, gather: Option<Gather>, zero_code: u8) -> CodeMatrix {
    CodeMatrix { x, gather, zero_code }
}

/// The rows of a head as columns: `DEPTH` rows, a head's columns the tensor's rows.
fn transposed() -> Gather {
    Gather {
        source_cols: vec![HEADS, DEPTH],
        source_rows: vec![ROWS],
        offsets: vec![0, 0, 0],
        rows: vec![dim(DEPTH, 1, 1)],
        cols: vec![dim(HEADS, 0, 1), dim(ROWS, 2, 1)],
        pad: None,
    }
}

/// Attention without its softmax, gated.
fn model() -> Model {
    let tensor = |features, kind| TensorShape { rows_per_sample: ROWS, features, kind };
    let product = |x, with, zeros, factor| Term {
        x,
        gather: None,
        taps: 1,
        function: Function::Product { with, with_gather: None, zeros, factor },
    };
    let ops = vec![
        Op::map(0, KEYS, |code| code.wrapping_mul(91).wrapping_add(13)),
        Op::BatchMatMul {
            a: read(0, None, 120),
            b: read(KEYS, Some(transposed()), 131),
            heads: HEADS,
            row_factors: None,
            y: SCORES,
            epilogue: edges(150),
        },
        Op::BatchMatMul {
            a: read(SCORES, None, 7),
            b: read(KEYS, None, 0),
            heads: HEADS,
            row_factors: None,
            y: MIXED,
            epilogue: edges(900),
        },
        Op::Combine {
            terms: vec![product(MIXED, KEYS, [128, 99], 1), product(KEYS, 0, [0, 3], -2)],
            y: GATED,
            epilogue: edges(500),
        },
        Op::Combine {
            terms: vec![product(GATED, GATED, [11, 200], 3)],
            y: OUTPUT,
            epilogue: Epilogue::Accumulator,
        },
    ];
    let code = TensorKind::Code;
    let tensors = vec![
        tensor(WIDTH, code),
        tensor(WIDTH, code),
        tensor(HEADS * ROWS, code),
        tensor(WIDTH, code),
        tensor(WIDTH, code),
        tensor(WIDTH, TensorKind::Integer { bits: 32 }),
    ];
    let shape = vec![ROWS, WIDTH];
    forged::model(ops, tensors, Vec::new(), shape.clone(), (OUTPUT, shape))
}

/// [`forged::forge`] of a batch of bytes, with other tensors alone.
fn forge(
    key: &ProverKey,
    source: &Model,
    cheat: impl FnOnce(&mut Vec<Values>),
) -> Result<(), Rejection> {
    let x = bytes(vec![BATCH, ROWS, WIDTH]);
    forged::forge(key, source, (&x, &x), cheat, |_, _| ())
}

#[test]
fn the_honest_prover_is_accepted() {
    let model = model();
    assert_eq!(forge(&key(&model), &model, |_| ()), Ok(()));
}

/// One false code at a time, in every head, sample and direction: `t` is the output of a node and an operand of the
/// next, which is run on what is false.
#[test]
fn a_false_element_is_rejected_wherever_it_is() {
    let model = model();
    let key = key(&model);
    for t in [KEYS, SCORES, MIXED, GATED] {
        let n = BATCH * model.graph.tensors[t].per_sample();
        for at in [0, ROWS - 1, ROWS, n / 2 - 1, n / 2, n - ROWS - 1, n - 1] {
            for up in [true, false] {
                rejected(forge(&key, &model, |tensors| {
                    let code = &mut codes(&mut tensors[t])[at];
                    let old = *code;
                    *code =
                        if up { code.saturating_add(1).min(254) } else { code.saturating_sub(1) };
                    if *code == old {
                        *code ^= 2;
                    }
                    interpret::run_from(&model, t, tensors, BATCH);
                }));
            }
        }
    }
}

/// One operand of a node is another tensor than the one committed: the node alone is false.
#[test]
fn an_operand_changed_for_one_node_is_rejected() {
    let model = model();
    let key = key(&model);
    let operands =
        [(1, 0), (1, KEYS), (2, SCORES), (2, KEYS), (3, MIXED), (3, KEYS), (3, 0), (4, GATED)];
    for (node, operand) in operands {
        let n = BATCH * model.graph.tensors[operand].per_sample();
        for at in [0, n / 2, n - 1] {
            rejected(forge(&key, &model, |tensors| {
                let (y, mut other) = (node + 1, tensors.clone());
                codes(&mut other[operand])[at] ^= 128;
                interpret::run_from(&model, node, &mut other, BATCH);
                // No step hides what has changed.
                assert_ne!(tensors[y], other[y], "{node} {operand} {at}");
                tensors[y] = other[y].clone();
                interpret::run_from(&model, y, tensors, BATCH);
            }));
        }
    }
}

#[test]
fn an_output_off_by_one_is_rejected() {
    let model = model();
    let key = key(&model);
    for at in [0, ROWS, BATCH * ROWS * WIDTH - 1] {
        rejected(forge(&key, &model, |tensors| integers(&mut tensors[OUTPUT])[at] += 1));
    }
}

/// The model with a matmul of two tensors as its last node, whose accumulators the verifier holds.
fn public_scores() -> Model {
    let mut model = model();
    let graph = &mut model.graph;
    graph.nodes.truncate(2);
    graph.tensors.truncate(3);
    graph.tensors[SCORES].kind = TensorKind::Integer { bits: 30 };
    match &mut graph.nodes[1].op {
        Op::BatchMatMul { epilogue, .. } => *epilogue = Epilogue::Accumulator,
        _ => panic!("a matmul"),
    }
    graph.output.tensor = SCORES;
    graph.output.shape = vec![ROWS, HEADS * ROWS];
    graph.validate().unwrap();
    model
}

#[test]
fn a_public_accumulator_off_by_one_is_rejected() {
    let model = public_scores();
    let key = key(&model);
    assert_eq!(forge(&key, &model, |_| ()), Ok(()));
    let n = BATCH * ROWS * HEADS * ROWS;
    for at in [0, ROWS - 1, ROWS, n / 2, n - 1] {
        rejected(forge(&key, &model, |tensors| integers(&mut tensors[SCORES])[at] += 1));
    }
}

/// A cheat that runs another graph than the one that is committed to, with the same tensors.
#[test]
fn another_zero_map_or_factor_is_rejected() {
    type Change = (usize, fn(&mut Op));
    let model = model();
    let honest = key(&model);
    let changes: [Change; 8] = [
        (1, |op| left(op).zero_code = 121),
        (1, |op| right(op).zero_code = 130),
        (1, |op| right(op).gather.as_mut().unwrap().cols[0].step = 0),
        (2, |op| right(op).zero_code = 1),
        (3, |op| product(op).1[0] = 127),
        (3, |op| product(op).1[1] = 100),
        (3, |op| *product(op).2 = 2),
        (3, |op| *product(op).0 = 0),
    ];
    for (node, change) in changes {
        let mut other = model.clone();
        change(&mut other.graph.nodes[node].op);
        other.graph.validate().unwrap();
        let mut cheat = key(&other);
        cheat.commitment = honest.commitment().clone();
        rejected(forge(&cheat, &other, |_| ()));
    }
}

fn left(op: &mut Op) -> &mut CodeMatrix {
    match op {
        Op::BatchMatMul { a, .. } => a,
        _ => panic!("a matmul"),
    }
}

fn right(op: &mut Op) -> &mut CodeMatrix {
    match op {
        Op::BatchMatMul { b, .. } => b,
        _ => panic!("a matmul"),
    }
}

fn product(op: &mut Op) -> (&mut usize, &mut [u8; 2], &mut i64) {
    match op {
        Op::Combine { terms, .. } => match &mut terms[0].function {
            Function::Product { with, with_gather: _, zeros, factor } => (with, zeros, factor),
            _ => panic!("a product"),
        },
        _ => panic!("a sum"),
    }
}
