//! Provers that cheat on products that are powers with hidden exponents, message for message honest otherwise: all are
//! rejected.

use super::forged::{self, bytes, codes, dim, edges, integers, key, rejected};
use crate::argument::{Axis, Plan};
use crate::graph::{
    Epilogue, Function, Gather, GatherDim, Model, Op, TensorKind, TensorShape, Term, Values,
};
use crate::{ProverKey, Rejection, interpret};

const ROWS: usize = 5;
const COLS: usize = 6;

/// The tensors: input, two with one code a row or a column, codes of a sum of products with both, and its products by one of them, to
/// which a function of the other is added.
const FIRST: usize = 1;
const SECOND: usize = 2;
const GATED: usize = 3;
const OUTPUT: usize = 4;

fn gather(source: [usize; 2], rows: Vec<GatherDim>, cols: Vec<GatherDim>) -> Gather {
    let [n_rows, n_cols] = source;
    let (source_cols, source_rows) = (vec![n_cols], vec![n_rows]);
    Gather { source_cols, source_rows, offsets: vec![0, 0], rows, cols, pad: None }
}

/// How a tensor of one code for each row, or each column, is read for each element.
fn broadcast(axis: Axis) -> Gather {
    let still = |size| GatherDim { size, axis: None, step: 0 };
    match axis {
        Axis::Columns => gather([ROWS, 1], vec![dim(ROWS, 1, 1)], vec![still(COLS)]),
        Axis::Rows => gather([1, COLS], vec![still(ROWS)], vec![dim(COLS, 0, 1)]),
    }
}

/// Gates of rows, or of columns, in two digits.
fn model(axis: Axis) -> Model {
    let one = match axis {
        Axis::Columns => gather([ROWS, COLS], vec![dim(ROWS, 1, 1)], vec![dim(1, 0, 1)]),
        Axis::Rows => gather([ROWS, COLS], vec![dim(1, 1, 1)], vec![dim(COLS, 0, 1)]),
    };
    let term = |x, gather, function| Term { x, gather, taps: 1, function };
    let product = |x, with, zeros, factor| {
        let with_gather = Some(broadcast(axis));
        term(x, None, Function::Product { with, with_gather, zeros, factor })
    };
    let gates = |y, seed: i64| Op::Combine {
        terms: vec![term(0, Some(one.clone()), Function::table(|x| (x * seed + 77) & 255))],
        y,
        epilogue: Epilogue::Accumulator,
    };
    let ops = vec![
        gates(FIRST, 91),
        gates(SECOND, 37),
        Op::Combine {
            terms: vec![
                product(0, FIRST, [120, 9], -16),
                product(0, SECOND, [120, 0], -1),
                term(0, None, Function::table(|x| x * x)),
            ],
            y: GATED,
            epilogue: edges(4000),
        },
        Op::Combine {
            terms: vec![
                product(GATED, SECOND, [3, 130], 5),
                product(0, SECOND, [1, 130], 2),
                term(FIRST, Some(broadcast(axis)), Function::table(|x| x * x * x)),
            ],
            y: OUTPUT,
            epilogue: Epilogue::Accumulator,
        },
    ];
    let tensor = |rows_per_sample, features, kind| TensorShape { rows_per_sample, features, kind };
    let (rows, cols) = match axis {
        Axis::Columns => (ROWS, 1),
        Axis::Rows => (1, COLS),
    };
    let code = TensorKind::Code;
    let tensors = vec![
        tensor(ROWS, COLS, code),
        tensor(rows, cols, code),
        tensor(rows, cols, code),
        tensor(ROWS, COLS, code),
        tensor(ROWS, COLS, TensorKind::Integer { bits: 32 }),
    ];
    let shape = vec![ROWS, COLS];
    forged::model(ops, tensors, Vec::new(), shape.clone(), (OUTPUT, shape))
}

fn forge(
    key: &ProverKey,
    source: &Model,
    batch: usize,
    cheat: impl FnOnce(&mut Vec<Values>),
) -> Result<(), Rejection> {
    let x = bytes(vec![batch, ROWS, COLS]);
    forged::forge(key, source, (&x, &x), cheat, |_, _| ())
}

/// Rows have samples of their own, columns do not: with more samples than one a gate of a column is no function of it.
#[test]
fn gates_are_powers_along_their_axis() {
    for axis in [Axis::Columns, Axis::Rows] {
        let model = model(axis);
        for batch in [1, 3] {
            let plan = Plan::new(&model.graph, batch);
            let powers: Vec<usize> = plan.sums[2..]
                .iter()
                .map(|sum| {
                    let codes = sum.powers.iter().map(|power| power.exponent.operands.len());
                    codes.sum()
                })
                .collect();
            let is_power = axis == Axis::Columns || batch == 1;
            assert_eq!(powers, if is_power { [2, 1] } else { [0, 0] }, "{axis:?} {batch}");
            if is_power {
                assert!(plan.sums[2..].iter().all(|sum| sum.output.axis == axis));
                let blocks = plan.sums[2..]
                    .iter()
                    .map(|sum| sum.trees.iter().map(|tree| tree.block).collect::<Vec<_>>());
                let bases = if axis == Axis::Columns { COLS } else { ROWS };
                assert_eq!(blocks.collect::<Vec<_>>(), [vec![1], vec![bases]]);
            }
        }
    }
}

#[test]
fn the_honest_prover_is_accepted() {
    for axis in [Axis::Columns, Axis::Rows] {
        let model = model(axis);
        for batch in [1, 3] {
            assert_eq!(forge(&key(&model), &model, batch, |_| ()), Ok(()), "{axis:?} {batch}");
        }
    }
}

/// A gate, or a gated code, is another one, and what follows is run on it.
#[test]
fn a_false_code_is_rejected_wherever_it_is() {
    for axis in [Axis::Columns, Axis::Rows] {
        let model = model(axis);
        let key = key(&model);
        for t in [FIRST, SECOND, GATED] {
            for at in 0..model.graph.tensors[t].per_sample() {
                rejected(forge(&key, &model, 1, |tensors| {
                    codes(&mut tensors[t])[at] ^= 1 << (at % 7);
                    interpret::run_from(&model, t, tensors, 1);
                }));
            }
        }
    }
}

/// Each bit of an exponent is another one for a node alone: its output is the power with a false bit.
#[test]
fn a_flipped_bit_of_an_exponent_is_rejected() {
    for axis in [Axis::Columns, Axis::Rows] {
        let model = model(axis);
        let key = key(&model);
        for bit in 0..8 {
            for (node, operand) in [(2, FIRST), (2, SECOND), (3, SECOND), (3, FIRST)] {
                let at = bit % model.graph.tensors[operand].per_sample();
                rejected(forge(&key, &model, 1, |tensors| {
                    let (y, mut other) = (node + 1, tensors.clone());
                    codes(&mut other[operand])[at] ^= 1 << bit;
                    // Every step is as fine as the sums' smallest change.
                    interpret::run_from(&model, node, &mut other, 1);
                    if y == GATED && tensors[y] == other[y] {
                        codes(&mut other[y])[at] ^= 1;
                    }
                    tensors[y] = other[y].clone();
                    interpret::run_from(&model, y, tensors, 1);
                }));
            }
        }
    }
}

#[test]
fn an_output_off_by_one_is_rejected() {
    for axis in [Axis::Columns, Axis::Rows] {
        let model = model(axis);
        let key = key(&model);
        for at in [0, ROWS, ROWS * COLS - 1] {
            let label = rejected(forge(&key, &model, 1, |t| integers(&mut t[OUTPUT])[at] += 1));
            assert_eq!(label, "powers of rows");
        }
    }
}

/// A cheat whose exponents are codes of another tensor, read or weighted in another way, has proofs of its own statement.
#[test]
fn another_exponent_is_rejected() {
    type Change = fn(&mut Function);
    let changes: [Change; 6] = [
        |f| *product(f).0 = SECOND,
        |f| product(f).2[1] += 1,
        |f| product(f).2[0] += 1,
        |f| *product(f).3 = -8,
        |f| *product(f).3 = -4,
        |f| {
            let gather = product(f).1;
            let n = ROWS as i64;
            gather.offsets[1] = if gather.source_rows[0] == 1 { 0 } else { n - 1 };
            gather.rows[0].step *= -1;
            let n = COLS as i64;
            gather.offsets[0] = if gather.source_cols[0] == 1 { 0 } else { n - 1 };
            gather.cols[0].step *= -1;
        },
    ];
    for axis in [Axis::Columns, Axis::Rows] {
        let model = model(axis);
        let honest = key(&model);
        for (number, change) in changes.iter().enumerate() {
            let mut other = model.clone();
            let Op::Combine { terms, .. } = &mut other.graph.nodes[2].op else { panic!("a sum") };
            change(&mut terms[0].function);
            other.graph.validate().unwrap();
            let plan = Plan::new(&other.graph, 1);
            assert!(!plan.sums[2].powers.is_empty(), "{number}");
            let mut cheat = key(&other);
            cheat.commitment = honest.commitment().clone();
            rejected(forge(&cheat, &other, 1, |_| ()));
        }
    }
}

fn product(function: &mut Function) -> (&mut usize, &mut Gather, &mut [u8; 2], &mut i64) {
    match function {
        Function::Product { with, with_gather: Some(gather), zeros, factor } => {
            (with, gather, zeros, factor)
        }
        _ => panic!("a product"),
    }
}
