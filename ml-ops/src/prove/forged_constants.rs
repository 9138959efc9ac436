//! Provers that cheat on constants, on products of matrices that are read through maps, and on one-hot inputs, message
//! for message honest otherwise: all are rejected.

use binfer_iop::channel::VerifyError;

use super::forged::{self, codes, dim, edges, integers, key, rejected};
use crate::argument::Plan;
use crate::array::{Array, ArrayData};
use crate::graph::{
    CodeMatrix, CodeType, Epilogue, Function, Gather, GatherDim, Graph, InputPort, InputTransform,
    IntegerType, Model, Node, Op, OutputPort, OutputTransform, TensorKind, TensorShape, Term,
    Values, WeightMatrix,
};
use crate::{ProverKey, Rejection, interpret, verify};

const ROWS: usize = 5;
const HEADS: usize = 2;
const DEPTH: usize = 4;
const WIDTH: usize = HEADS * DEPTH;
const VOCABULARY: usize = 11;
const BATCH: usize = 2;
const IDS: [i64; BATCH * ROWS] = [3, 0, 10, 3, 7, 10, 10, 1, 2, 9];

/// The tensors: tokens, their embeddings, a constant, both rotated, a mixture of those, and its gated sum.
const EMBEDDED: usize = 1;
const ANGLES: usize = 2;
const ROTATED: usize = 3;
const MIXED: usize = 4;
const OUTPUT: usize = 5;

/// The elements of each head from its middle on, the first half outside.
fn second_halves() -> Gather {
    Gather {
        source_cols: vec![HEADS, DEPTH],
        source_rows: vec![ROWS],
        offsets: vec![0, DEPTH as i64 / 2, 0],
        rows: vec![dim(ROWS, 2, 1)],
        cols: vec![dim(HEADS, 0, 1), dim(DEPTH, 1, 1)],
        pad: None,
    }
}

/// The constant's rows, for every head again.
fn each_head(pad: Option<u8>) -> Gather {
    Gather {
        source_cols: vec![DEPTH],
        source_rows: vec![ROWS],
        offsets: vec![0, 0],
        rows: vec![dim(ROWS, 1, 1)],
        cols: vec![GatherDim { size: HEADS, axis: None, step: 0 }, dim(DEPTH, 0, 1)],
        pad,
    }
}

/// `DEPTH` rows of the constant for each of two heads, of which the last reads one row beyond the source.
fn mixing() -> Gather {
    Gather {
        source_cols: vec![DEPTH],
        source_rows: vec![ROWS],
        offsets: vec![0, 1],
        rows: vec![dim(DEPTH, 1, 1)],
        cols: vec![dim(HEADS, 1, 1), dim(DEPTH, 0, 1)],
        pad: Some(77),
    }
}

fn model() -> Model {
    let tensor = |features, kind| TensorShape { rows_per_sample: ROWS, features, kind };
    let product = |(x, gather), (with, with_gather), zeros, factor| Term {
        x,
        gather,
        taps: 1,
        function: Function::Product { with, with_gather, zeros, factor },
    };
    let weights: Vec<u8> = (0..VOCABULARY * WIDTH).map(|i| (i * i * 37 + i * 11) as u8).collect();
    let (shape, matrix) = WeightMatrix::from_codes(VOCABULARY, WIDTH, &weights, &[-128], &[]);
    let angles = (0..ROWS * DEPTH).map(|i| (i * 53 + 8) as u8).collect();
    let ops = vec![
        Op::MatMul {
            x: 0,
            gather: None,
            zero_code: 0,
            weights: 0,
            groups: 1,
            y: EMBEDDED,
            epilogue: edges(1),
        },
        Op::Constant { codes: angles, y: ANGLES },
        Op::Combine {
            terms: vec![
                product((EMBEDDED, None), (ANGLES, Some(each_head(None))), [123, 128], 1),
                product(
                    (EMBEDDED, Some(second_halves())),
                    (ANGLES, Some(each_head(None))),
                    [123, 90],
                    -2,
                ),
            ],
            y: ROTATED,
            epilogue: edges(200),
        },
        Op::BatchMatMul {
            a: CodeMatrix { x: ROTATED, gather: None, zero_code: 120 },
            b: CodeMatrix { x: ANGLES, gather: Some(mixing()), zero_code: 100 },
            heads: HEADS,
            row_factors: None,
            y: MIXED,
            epilogue: edges(400),
        },
        Op::Combine {
            terms: vec![product((MIXED, Some(second_halves())), (ROTATED, None), [11, 200], 3)],
            y: OUTPUT,
            epilogue: Epilogue::Accumulator,
        },
    ];
    let code = TensorKind::Code;
    let tensors = vec![
        tensor(VOCABULARY, code),
        tensor(WIDTH, code),
        tensor(DEPTH, code),
        tensor(WIDTH, code),
        tensor(WIDTH, code),
        tensor(WIDTH, TensorKind::Integer { bits: 32 }),
    ];
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "forged".into(),
        weights: vec![shape],
        nodes: ops.into_iter().map(|op| Node { name: "node".into(), op }).collect(),
        input: InputPort {
            tensor: 0,
            shape: vec![ROWS],
            transform: InputTransform::OneHot { vocabulary: VOCABULARY },
        },
        output: OutputPort {
            tensor: OUTPUT,
            shape: vec![ROWS, WIDTH],
            transform: OutputTransform::Integer { dtype: IntegerType::I64 },
        },
        tensors,
    };
    graph.validate().unwrap();
    Model { graph, weights: vec![matrix] }
}

fn ids(ids: &[i64]) -> Array {
    Array::new(vec![ids.len() / ROWS, ROWS], ArrayData::I64(ids.to_vec())).unwrap()
}

/// [`forged::forge`] with other tensors alone.
fn forge_input(
    key: &ProverKey,
    source: &Model,
    statement: (&Array, &Array),
    cheat: impl FnOnce(&mut Vec<Values>),
) -> Result<(), Rejection> {
    forged::forge(key, source, statement, cheat, |_, _| ())
}

fn forge(
    key: &ProverKey,
    source: &Model,
    cheat: impl FnOnce(&mut Vec<Values>),
) -> Result<(), Rejection> {
    let x = ids(&IDS);
    forge_input(key, source, (&x, &x), cheat)
}

#[test]
fn the_honest_prover_is_accepted() {
    let model = model();
    assert_eq!(forge(&key(&model), &model, |_| ()), Ok(()));
    let one = ids(&IDS[..ROWS]);
    assert_eq!(forge_input(&key(&model), &model, (&one, &one), |_| ()), Ok(()));
}

#[test]
fn a_constant_costs_no_commitment() {
    let plan = Plan::new(&model().graph, BATCH);
    assert_eq!(plan.matrices[ANGLES].origin, crate::argument::Origin::Public);
}

/// All nodes are run on a constant of which one code is another, in one sample or in both.
#[test]
fn another_constant_is_rejected() {
    let model = model();
    let key = key(&model);
    for at in [0, ROWS - 1, ROWS, BATCH * ROWS * DEPTH - 1] {
        for both in [false, true] {
            rejected(forge(&key, &model, |tensors| {
                let constant = codes(&mut tensors[ANGLES]);
                constant[at] ^= 128;
                if both {
                    let other = if at % (BATCH * ROWS) < ROWS { at + ROWS } else { at - ROWS };
                    constant[other] ^= 128;
                }
                interpret::run_from(&model, 2, tensors, BATCH);
            }));
        }
    }
}

/// A prover whose graph has another constant, and who computes with it.
#[test]
fn the_constant_of_another_graph_is_rejected() {
    let honest = key(&model());
    let mut other = model();
    match &mut other.graph.nodes[1].op {
        Op::Constant { codes, .. } => codes[DEPTH] = codes[DEPTH].wrapping_add(100),
        _ => panic!("a constant"),
    }
    let mut cheat = key(&other);
    cheat.commitment = honest.commitment().clone();
    rejected(forge(&cheat, &other, |_| ()));
}

/// One operand of a node is another tensor than the one committed or public: the node alone is false.
#[test]
fn an_operand_changed_for_one_node_is_rejected() {
    let model = model();
    let key = key(&model);
    let operands =
        [(0, 0), (2, EMBEDDED), (2, ANGLES), (3, ROTATED), (3, ANGLES), (4, MIXED), (4, ROTATED)];
    for (node, operand) in operands {
        let n = BATCH * model.graph.tensors[operand].per_sample();
        let mut changed = 0;
        for at in 0..n {
            let mut is_other = false;
            let result = forge(&key, &model, |tensors| {
                let (y, mut other) = (node + 1, tensors.clone());
                codes(&mut other[operand])[at] ^= if operand == 0 { 1 } else { 128 };
                interpret::run_from(&model, node, &mut other, BATCH);
                is_other = tensors[y] != other[y];
                tensors[y] = other[y].clone();
                interpret::run_from(&model, y, tensors, BATCH);
            });
            if is_other {
                rejected(result);
                changed += 1;
            }
            if changed == 4 {
                break;
            }
        }
        assert!(changed > 0, "{node} {operand}");
    }
}

#[test]
fn a_false_product_is_rejected_wherever_it_is() {
    let model = model();
    let key = key(&model);
    let n = BATCH * ROWS * WIDTH;
    for at in [0, ROWS, n / 2 - 1, n - 1] {
        rejected(forge(&key, &model, |tensors| {
            let code = &mut codes(&mut tensors[ROTATED])[at];
            *code = if *code < 128 { *code + 1 } else { *code - 1 };
            interpret::run_from(&model, ROTATED, tensors, BATCH);
        }));
        rejected(forge(&key, &model, |tensors| integers(&mut tensors[OUTPUT])[at] += 1));
    }
}

/// A cheat that reads or weighs the operands otherwise, in all of the argument: what it says of either is false of what
/// is committed or public.
#[test]
fn another_map_pad_zero_or_factor_is_rejected() {
    type Change = fn(&mut Term);
    let model = model();
    let honest = key(&model);
    let changes: [Change; 9] = [
        |term| term.gather.as_mut().unwrap().offsets[1] = 1,
        |term| term.gather.as_mut().unwrap().cols[0].step = 0,
        |term| term.gather.as_mut().unwrap().pad = Some(5),
        |term| with(term).0.as_mut().unwrap().cols[1].step = 0,
        |term| with(term).0.as_mut().unwrap().rows[0].step = 0,
        |term| *with(term).0 = Some(Gather { offsets: vec![1, 0], ..each_head(Some(2)) }),
        |term| with(term).1[0] = 124,
        |term| with(term).1[1] = 127,
        |term| *with(term).2 = 2,
    ];
    for change in changes {
        let mut other = model.clone();
        match &mut other.graph.nodes[2].op {
            Op::Combine { terms, .. } => change(&mut terms[1]),
            _ => panic!("a sum"),
        }
        other.graph.validate().unwrap();
        let mut cheat = key(&other);
        cheat.commitment = honest.commitment().clone();
        rejected(forge(&cheat, &other, |_| ()));
    }
}

fn with(term: &mut Term) -> (&mut Option<Gather>, &mut [u8; 2], &mut i64) {
    match &mut term.function {
        Function::Product { with_gather, zeros, factor, .. } => (with_gather, zeros, factor),
        _ => panic!("a product"),
    }
}

#[test]
fn the_run_of_other_tokens_is_rejected() {
    let model = model();
    let key = key(&model);
    let x = ids(&IDS);
    for at in 0..IDS.len() {
        let mut other = IDS;
        other[at] = (other[at] + 1) % VOCABULARY as i64;
        rejected(forge_input(&key, &model, (&x, &ids(&other)), |_| ()));
    }
}

/// A graph whose output is a constant is proved by nobody.
#[test]
fn an_output_that_is_another_constant_is_rejected() {
    let mut constant = model();
    let graph = &mut constant.graph;
    (graph.nodes, graph.weights, constant.weights) =
        (vec![graph.nodes[1].clone()], Vec::new(), Vec::new());
    graph.tensors = vec![graph.tensors[0], graph.tensors[ANGLES]];
    match &mut graph.nodes[0].op {
        Op::Constant { y, .. } => *y = 1,
        _ => panic!("a constant"),
    }
    graph.output = OutputPort {
        tensor: 1,
        shape: vec![ROWS, DEPTH],
        transform: OutputTransform::Codes { dtype: CodeType::U8 },
    };
    graph.validate().unwrap();
    let key = key(&constant);
    assert_eq!(forge(&key, &constant, |_| ()), Ok(()));
    let other = forge(&key, &constant, |tensors| codes(&mut tensors[1])[3] ^= 1);
    assert_eq!(other, Err(Rejection::NotConstant));
}

/// A prover that gives both factors of a claim on two matrices values with the same product is caught by what follows.
#[test]
fn factors_of_another_split_are_rejected() {
    let model = model();
    let key = key(&model);
    let x = ids(&IDS);
    let y = key.run(&x).unwrap();
    let proof = key.prove(&x, &y, &mut |_| ()).unwrap();
    let honest = proof.to_bytes();
    assert_eq!(verify(key.commitment(), &x, &y, &honest), Ok(()));
    // Every element of the messages is held by some check.
    let start = honest.len() - proof.message_bytes();
    let mut checks = std::collections::BTreeSet::new();
    for at in (start..honest.len()).step_by(16 * 7) {
        let mut forged = honest.clone();
        forged[at] ^= 1;
        match verify(key.commitment(), &x, &y, &forged) {
            Err(Rejection::Argument(VerifyError::CheckFailed { label })) => checks.insert(label),
            Err(_) => continue,
            Ok(()) => panic!("an element that no check holds"),
        };
    }
    assert!(checks.contains("product level") && checks.contains("wired values"), "{checks:?}");
}
