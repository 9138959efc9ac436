//! Provers that cheat on what they prove, message for message honest otherwise: all are rejected.

use binfer_iop::channel::VerifyError;
use binfer_pcs::Params;

use super::forged::{self, codes, integers, key, rejected};
use crate::argument::{Axis, GroupSize, Plan};
use crate::array::{Array, ArrayData};
use crate::graph::{
    CodeType, Epilogue, InputTransform, Model, Node, Op, OutputTransform, Requantize,
    RoundingProfile, Step, TensorKind, TensorShape, Values, WeightMatrix, WeightShape,
};
use crate::{ProverKey, Rejection, interpret, verify};

const K: usize = 12;
const HIDDEN: usize = 10;
/// Few rows and many: the check of a hidden input has bases for rows, or for columns.
const BATCHES: [usize; 2] = [3, 40];
const BATCH: usize = BATCHES[0];

fn weights(k: usize, n: usize) -> (WeightShape, WeightMatrix) {
    let codes: Vec<u8> = (0..k * n).map(|i| (i * i * 37 + i * 11) as u8).collect();
    let bias: Vec<i64> = (0..n as i64).map(|j| j * 31 - 100).collect();
    WeightMatrix::from_codes(k, n, &codes, &[-128], &bias)
}

fn matmul(x: usize, zero_code: u8, weights: usize, y: usize, epilogue: Epilogue) -> Op {
    Op::MatMul { x, gather: None, zero_code, weights, groups: 1, y, epilogue }
}

fn tensor(features: usize, kind: TensorKind) -> TensorShape {
    TensorShape { rows_per_sample: 1, features, kind }
}

/// The model of these operations, whose last tensor is the output; codes of inputs and outputs have signs.
fn model(tensors: Vec<TensorShape>, ops: Vec<Op>) -> Model {
    let matrix = |op: &Op| match op {
        Op::MatMul { x, y, .. } => Some(weights(tensors[*x].features, tensors[*y].features)),
        _ => None,
    };
    let matrices = ops.iter().filter_map(matrix).collect();
    let output = tensors.len() - 1;
    let shape = vec![tensors[output].features];
    let mut model = forged::model(ops, tensors, matrices, vec![K], (output, shape));
    model.graph.input.transform = InputTransform::Codes { dtype: CodeType::I8 };
    if let OutputTransform::Codes { dtype } = &mut model.graph.output.transform {
        *dtype = CodeType::I8;
    }
    model.graph.validate().unwrap();
    model
}

/// Two matmuls to codes, whose steps have this scale.
fn coded(scale: f32) -> Model {
    coded_by(&[K, HIDDEN, 24], scale)
}

/// Matmuls to codes from each of these numbers of features to the next.
fn coded_by(features: &[usize], scale: f32) -> Model {
    let requantize = || {
        let step = Step {
            scale,
            zero_point: 5,
            qmin: -100,
            qmax: 120,
            type_min: -128,
            profile: RoundingProfile::OrtF32Rne,
        };
        Epilogue::Requantize(Requantize { steps: vec![step] })
    };
    let zero_code = |layer| if layer == 0 { 128 } else { 133 };
    let layer = |layer| matmul(layer, zero_code(layer), layer, layer + 1, requantize());
    model(
        features.iter().map(|&features| tensor(features, TensorKind::Code)).collect(),
        (0..features.len() - 1).map(layer).collect(),
    )
}

/// A matmul whose accumulators are the output, in this many bits.
fn accumulated(bits: u32) -> Model {
    model(
        vec![tensor(K, TensorKind::Code), tensor(HIDDEN, TensorKind::Integer { bits })],
        vec![matmul(0, 128, 0, 1, Epilogue::Accumulator)],
    )
}

/// The same with three weights, several a byte, for which the check has bases of columns.
fn ternary() -> Model {
    let mut model = accumulated(40);
    let codes: Vec<u8> = (0..K * HIDDEN).map(|i| (i * i % 3) as u8).collect();
    let (shape, matrix) = WeightMatrix::from_codes(K, HIDDEN, &codes, &[-1], &[]);
    model.graph.weights[0] = shape;
    model.weights[0] = matrix;
    model.graph.validate().unwrap();
    model
}

/// A matmul, Relu, a matmul.
fn rectified() -> Model {
    let wide = TensorKind::Integer { bits: 24 };
    model(
        vec![
            tensor(K, TensorKind::Code),
            tensor(HIDDEN, wide),
            tensor(HIDDEN, wide),
            tensor(4, TensorKind::Integer { bits: 40 }),
        ],
        vec![
            matmul(0, 128, 0, 1, Epilogue::Accumulator),
            Op::Relu { x: 1, y: 2 },
            matmul(2, 0, 1, 3, Epilogue::Accumulator),
        ],
    )
}

/// The same, and a Relu whose output is the network's.
fn rectified_twice() -> Model {
    let mut model = rectified();
    let graph = &mut model.graph;
    graph.tensors.push(tensor(4, TensorKind::Integer { bits: 40 }));
    graph.nodes.push(Node { name: "last relu".into(), op: Op::Relu { x: 3, y: 4 } });
    graph.output.tensor = 4;
    graph.validate().unwrap();
    model
}

fn input(batch: usize) -> Array {
    let data = (0..batch * K).map(|i| (i * 89 + 7) as i8).collect();
    Array::new(vec![batch, K], ArrayData::I8(data)).unwrap()
}

/// Proves the tensors that `cheat` makes of `source`'s run under `key`, and verifies the proof.
fn forge(
    key: &ProverKey,
    source: &Model,
    cheat: impl FnOnce(&mut Vec<Values>),
) -> Result<(), Rejection> {
    forge_batch(key, source, BATCH, cheat)
}

fn forge_batch(
    key: &ProverKey,
    source: &Model,
    batch: usize,
    cheat: impl FnOnce(&mut Vec<Values>),
) -> Result<(), Rejection> {
    let graph = &key.commitment().graph;
    let x = input(batch);
    let (values, batch) = graph.input.encode(&graph.tensors[0], &x).unwrap();
    let mut tensors = interpret::run(source, &values, batch.size).unwrap().tensors;
    cheat(&mut tensors);
    let last = graph.output.tensor;
    let y = graph.output.decode(&graph.tensors[last], &tensors[last], batch).unwrap();
    let trace = interpret::trace_of(key.model(), tensors, batch.size);
    let plan = Plan::new(graph, batch.size);
    let (size, statement) = (GroupSize::default(), (x.as_ref(), y.as_ref(), batch.size));
    let proof = key.prove_plan(&plan, size, statement, trace, &mut |_| ()).unwrap();
    verify(key.commitment(), &x, &y, &proof.to_bytes())
}

/// Rejected by this check and no other.
fn rejected_at(check: &'static str, result: Result<(), Rejection>) {
    assert_eq!(result, Err(VerifyError::CheckFailed { label: check }.into()));
}

#[test]
fn honest_provers_are_accepted() {
    for model in [coded(0.002), accumulated(40), ternary(), rectified(), rectified_twice()] {
        for batch in BATCHES {
            assert_eq!(forge_batch(&key(&model), &model, batch, |_| ()), Ok(()));
        }
    }
}

#[test]
fn both_axes_are_tried() {
    let graph = coded(0.002).graph;
    let axes = BATCHES.map(|batch| Plan::new(&graph, batch).matmuls[1].output.axis);
    assert_eq!(axes, [Axis::Rows, Axis::Columns]);
}

#[test]
fn an_interpreter_that_rounds_differently_is_rejected() {
    // The run of a network whose scale is one unit in the last place larger, or visibly so.
    let honest = coded(0.002);
    for scale in [0.0021, 0.0020001] {
        let patched = coded(scale);
        let mut differs = false;
        let key = key(&honest);
        let result = forge(&key, &patched, |tensors| {
            let x = tensors[0].clone();
            differs = interpret::run(&honest, &x, BATCH).unwrap().tensors != *tensors;
        });
        if differs {
            rejected(result);
        }
    }
}

#[test]
fn a_code_off_by_one_is_rejected_wherever_it_is() {
    let model = coded(0.002);
    let key = key(&model);
    for (t, batch) in [(1, BATCHES[0]), (2, BATCHES[0]), (1, BATCHES[1]), (2, BATCHES[1])] {
        for at in 0..12 {
            rejected(forge_batch(&key, &model, batch, |tensors| {
                let code = &mut codes(&mut tensors[t])[at];
                *code = code.checked_add(1).unwrap_or(254);
            }));
        }
    }
}

#[test]
fn accumulators_off_by_a_divisor_of_the_group_order_are_rejected() {
    // 2^128 - 1 is divisible by 2^32 - 1, 2^16 - 1 and 65537: h^d = 1 for many h then.
    let model = accumulated(60);
    let key = key(&model);
    for d in [1, 3, 65_535, 65_537, (1i64 << 32) - 1, (1 << 32) + 1, -((1 << 32) - 1)] {
        for batch in BATCHES {
            for at in [0, batch * HIDDEN - 1] {
                let off = |tensors: &mut Vec<Values>| integers(&mut tensors[1])[at] += d;
                rejected_at("matmul rows", forge_batch(&key, &model, batch, off));
            }
            let all_off = |tensors: &mut Vec<Values>| {
                integers(&mut tensors[1]).iter_mut().for_each(|acc| *acc += d);
            };
            rejected_at("matmul rows", forge_batch(&key, &model, batch, all_off));
        }
    }
}

#[test]
fn the_run_of_another_input_is_rejected() {
    // Proves the outputs of another input under this one.
    let forge = |model: &Model, change: &dyn Fn(&mut [u8])| {
        forge(&key(model), model, |tensors| {
            change(codes(&mut tensors[0]));
            *integers(&mut tensors[1]) = interpret::accumulators(model, 0, tensors, BATCH);
        })
    };
    let off_by_one = |codes: &mut [u8]| codes[5] ^= 1;
    let swapped = |codes: &mut [u8]| codes[..2 * BATCH].rotate_left(BATCH);
    // Along rows the verifier computes the products of the input itself, and that of all of them.
    let rows = accumulated(40);
    rejected_at("matmul rows", forge(&rows, &off_by_one));
    // Two features in each other's place: that product is as it was, and what is left are the tables.
    rejected_at("tables", forge(&rows, &swapped));
    // Along columns the input's bits are indices, which the verifier takes out of the sum of all planes.
    let columns = ternary();
    rejected_at("ring switching", forge(&columns, &off_by_one));
    rejected_at("ring switching", forge(&columns, &swapped));
}

#[test]
fn tables_that_other_threads_check_are_checked() {
    // Layers enough that there is something to share.
    let features: Vec<usize> = [K].into_iter().chain([HIDDEN; 40]).collect();
    let model = coded_by(&features, 0.002);
    let key = key(&model);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let forge = |cheat: &(dyn Fn(&mut Vec<Values>) + Sync)| {
        threads.install(|| forge(&key, &model, |tensors| cheat(tensors)))
    };
    assert_eq!(forge(&|_| ()), Ok(()));
    // The input's first layer is along rows: see above.
    let swapped = |tensors: &mut Vec<Values>| {
        codes(&mut tensors[0])[..2 * BATCH].rotate_left(BATCH);
        interpret::run_from(&model, 0, tensors, BATCH);
    };
    rejected_at("tables", forge(&swapped));
}

#[test]
fn public_sides_are_proved_by_nobody() {
    for (model, axis) in [(accumulated(40), Axis::Rows), (ternary(), Axis::Columns)] {
        let plan = Plan::new(&model.graph, BATCH);
        let matmul = &plan.matmuls[0];
        assert_eq!(matmul.output.axis, axis);
        assert_eq!(matmul.output.public, Some(1));
        assert!(matmul.output.factors.is_empty() && plan.matrices[1].first_plane.is_none());
        assert_eq!(matmul.public_inner, (axis == Axis::Rows).then_some(0));
        assert_eq!(matmul.inner.is_empty(), axis == Axis::Rows);
        assert_eq!(plan.matrices[0].first_plane.is_none(), axis == Axis::Rows);
    }
    // Hidden tensors and requantized outputs still are.
    let of_rectified = Plan::new(&rectified().graph, BATCH).matmuls;
    let sides: Vec<_> = of_rectified.iter().map(|m| (m.public_inner, m.output.public)).collect();
    assert_eq!(sides, [(Some(0), None), (None, Some(3))]);
    let of_coded = Plan::new(&coded(0.002).graph, BATCH).matmuls;
    let sides: Vec<_> = of_coded.iter().map(|m| (m.public_inner, m.output.public)).collect();
    assert_eq!(sides, [(Some(0), None), (None, None)]);
}

#[test]
fn a_false_relu_is_rejected() {
    let model = rectified();
    let key = key(&model);
    for (at, to) in [(0, 1i64), (1, 0), (7, 5)] {
        rejected(forge(&key, &model, |tensors| {
            let honest = integers(&mut tensors[2])[at];
            integers(&mut tensors[2])[at] = if honest == to { to + 1 } else { to };
            // Run on from there, so that only the Relu is false.
            let acc = interpret::accumulators(&model, 2, tensors, BATCH);
            *integers(&mut tensors[3]) = acc;
        }));
    }
}

#[test]
fn a_false_relu_among_two_leaves_a_false_claim() {
    let model = rectified_twice();
    let key = key(&model);
    let honest = forge(&key, &model, |_| ());
    assert_eq!(honest, Ok(()));
    for at in [0, 7] {
        // The first one's planes are all committed, the last one's output is public.
        let first = forge(&key, &model, |tensors| {
            integers(&mut tensors[2])[at] += 1;
            let acc = interpret::accumulators(&model, 2, tensors, BATCH);
            *integers(&mut tensors[4]) = acc.iter().map(|&x| x.max(0)).collect();
            *integers(&mut tensors[3]) = acc;
        });
        rejected_at("ring switching", first);
        let last = forge(&key, &model, |tensors| integers(&mut tensors[4])[at] += 1);
        rejected_at("ring switching", last);
    }
}

#[test]
fn another_weight_or_bias_is_rejected() {
    let model = coded(0.002);
    for batch in BATCHES {
        let mut weight = model.clone();
        weight.weights[1].index[3] ^= 1;
        run_of_another(&model, &weight, batch);
        let mut bias = model.clone();
        bias.weights[0].bias[1] += 64;
        run_of_another(&model, &bias, batch);
    }
}

fn run_of_another(model: &Model, other: &Model, batch: usize) {
    let honest = key(model);
    let mut cheat = key(other);
    // It runs the other weights, but its oracle and commitment are the honest ones.
    cheat.oracle = binfer_pcs::commit(
        honest.commitment().params(),
        honest.oracle.shape().log_row,
        honest.oracle.words().to_vec(),
    );
    cheat.commitment = honest.commitment().clone();
    rejected(forge_batch(&cheat, other, batch, |_| ()));
}

#[test]
fn another_salt_gives_another_root() {
    let model = coded(0.002);
    let other = ProverKey::new(model.clone(), Params::default(), &[8; 32]);
    assert_ne!(key(&model).commitment().root(), other.commitment().root());
}
