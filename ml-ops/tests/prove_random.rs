//! Random small networks are proved and verified; false outputs and changed proofs are not.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod statements;

use binfer_ml_ops::graph::{
    CodeType, Epilogue, Graph, InputPort, InputTransform, IntegerType, Model, Node, Op, OutputPort,
    OutputTransform, Requantize, RoundingProfile, Step, TensorKind, TensorShape, WeightMatrix,
};
use binfer_ml_ops::{GroupSize, ProofError, ProverKey, Rejection, run, verify};
use binfer_pcs::Params;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};
use statements::input;

/// What follows the first matmul.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tail {
    /// Its accumulators are the output.
    Nothing,
    /// Codes, and a second matmul to codes.
    Codes,
    /// Codes, a map, codes.
    Map,
    /// Relu on the accumulators, and a second matmul to 64-bit accumulators.
    Relu,
    /// Relu on the accumulators, which is the output.
    LastRelu,
}

#[derive(Clone, Debug)]
struct Spec {
    widths: [usize; 3],
    values: usize,
    bias: bool,
    per_column: bool,
    tail: Tail,
    seed: u64,
}

fn matrix(
    rng: &mut StdRng,
    k: usize,
    n: usize,
    values: usize,
    bias: bool,
) -> (binfer_ml_ops::graph::WeightShape, WeightMatrix) {
    let codes: Vec<u8> = (0..k * n).map(|_| rng.random_range(0..values.max(1)) as u8).collect();
    let bias: Vec<i64> =
        if bias { (0..n).map(|_| rng.random_range(-5000..5000)).collect() } else { Vec::new() };
    WeightMatrix::from_codes(k, n, &codes, &[-(values as i32 / 2)], &bias)
}

fn requantize(rng: &mut StdRng, n: usize, per_column: bool) -> Epilogue {
    let count = if per_column { n } else { 1 };
    let step = |_| Step {
        scale: 2f32.powf(rng.random_range(-14.0..1.0)),
        zero_point: rng.random_range(-128..128),
        qmin: -128 + rng.random_range(0..100),
        qmax: 127 - rng.random_range(0..20),
        type_min: -128,
        profile: RoundingProfile::OrtF32Rne,
    };
    Epilogue::Requantize(Requantize { steps: (0..count).map(step).collect() })
}

fn model(spec: &Spec) -> Model {
    let mut rng = StdRng::seed_from_u64(spec.seed);
    let [a, b, c] = spec.widths;
    let tensor = |features, kind| TensorShape { rows_per_sample: 1, features, kind };
    let code = TensorKind::Code;
    let wide = |bits| TensorKind::Integer { bits };
    let (first, first_matrix) = matrix(&mut rng, a, b, spec.values, spec.bias);
    let (mut weights, mut matrices) = (vec![first], vec![first_matrix]);
    let mut tensors = vec![tensor(a, code)];
    let zero_code: u8 = if rng.random() { rng.random() } else { 0 };
    let mut nodes = Vec::new();
    let mut push = |op| nodes.push(Node { name: "node".into(), op });
    let matmul = |x, zero_code, weights, y, epilogue| Op::MatMul {
        x,
        gather: None,
        zero_code,
        weights,
        groups: 1,
        y,
        epilogue,
    };
    let integers = OutputTransform::Integer { dtype: IntegerType::I64 };
    let codes = OutputTransform::Codes { dtype: CodeType::I8 };
    let transform = match spec.tail {
        Tail::Nothing => {
            tensors.push(tensor(b, wide(32)));
            push(matmul(0, zero_code, 0, 1, Epilogue::Accumulator));
            integers
        }
        Tail::Codes => {
            tensors.extend([tensor(b, code), tensor(c, code)]);
            let (shape, data) = matrix(&mut rng, b, c, spec.values, spec.bias);
            weights.push(shape);
            matrices.push(data);
            push(matmul(0, zero_code, 0, 1, requantize(&mut rng, b, spec.per_column)));
            push(matmul(1, 128, 1, 2, requantize(&mut rng, c, spec.per_column)));
            codes
        }
        Tail::Map => {
            tensors.extend([tensor(b, code), tensor(b, code)]);
            push(matmul(0, zero_code, 0, 1, requantize(&mut rng, b, spec.per_column)));
            let mut table = [0; 256];
            rng.fill(&mut table[..]);
            push(Op::map(1, 2, |code| table[usize::from(code)]));
            codes
        }
        Tail::Relu => {
            tensors.extend([tensor(b, wide(30)), tensor(b, wide(30)), tensor(c, wide(50))]);
            let (shape, data) = matrix(&mut rng, b, c, spec.values, spec.bias);
            weights.push(shape);
            matrices.push(data);
            push(matmul(0, zero_code, 0, 1, Epilogue::Accumulator));
            push(Op::Relu { x: 1, y: 2 });
            push(matmul(2, 0, 1, 3, Epilogue::Accumulator));
            integers
        }
        Tail::LastRelu => {
            tensors.extend([tensor(b, wide(30)), tensor(b, wide(30))]);
            push(matmul(0, zero_code, 0, 1, Epilogue::Accumulator));
            push(Op::Relu { x: 1, y: 2 });
            integers
        }
    };
    let output = tensors.len() - 1;
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "random".into(),
        weights,
        nodes,
        input: InputPort {
            tensor: 0,
            shape: vec![a],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort { tensor: output, shape: vec![tensors[output].features], transform },
        tensors,
    };
    graph.validate().unwrap();
    Model { graph, weights: matrices }
}

fn spec() -> impl Strategy<Value = Spec> {
    let tails = [Tail::Nothing, Tail::Codes, Tail::Map, Tail::Relu, Tail::LastRelu];
    (
        prop::array::uniform3(1usize..40),
        prop::sample::select(vec![2usize, 3, 4, 5, 7, 16, 17, 256]),
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(tails.to_vec()),
        any::<u64>(),
    )
        .prop_map(|(widths, values, bias, per_column, tail, seed)| Spec {
            widths,
            values,
            bias,
            per_column,
            tail,
            seed,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn random_networks_are_proved(spec in spec(), batch in 1usize..12, log_group in 0u32..12, at: prop::sample::Index) {
        statements::check(model(&spec), batch, spec.seed, log_group, at)?;
    }
}

/// A small network with biases, requantized at its end.
fn small(seed: u64) -> Model {
    let (widths, tail) = ([9, 8, 3], Tail::Codes);
    model(&Spec { widths, values: 256, bias: true, per_column: false, tail, seed })
}

#[test]
fn another_group_size_is_another_statement() {
    let model = small(6);
    let x = input(&model, 2, 1);
    let y = run(&model, &x).unwrap();
    let mut key = ProverKey::new(model, Params::default(), &[1; 32]);
    let reference = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
    let mut sizes = Vec::new();
    for log_leaves in [0, 24, 25] {
        key.set_group_size(GroupSize::new(log_leaves).unwrap());
        let mut proof = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
        assert_eq!(verify(key.commitment(), &x, &y, &proof), Ok(()));
        sizes.push(proof.len());
        // 2^24 and 2^25 make the same single group; the header still binds.
        let header = 16..20;
        proof[header.clone()].copy_from_slice(&(26 - log_leaves).to_le_bytes());
        assert!(matches!(verify(key.commitment(), &x, &y, &proof), Err(Rejection::Argument(_))));
        proof[header].copy_from_slice(&64u32.to_le_bytes());
        let error = ProofError::GroupSize { got: 64 };
        assert_eq!(verify(key.commitment(), &x, &y, &proof), Err(Rejection::Proof(error)));
    }
    assert_eq!(sizes[1], reference.len());
    assert!(sizes[0] > sizes[1] + 1000);
}

#[test]
fn another_models_commitment_is_rejected() {
    let model = small(5);
    let x = input(&model, 2, 1);
    let y = run(&model, &x).unwrap();
    let key = ProverKey::new(model.clone(), Params::default(), &[1; 32]);
    let other = ProverKey::new(model, Params::default(), &[2; 32]);
    assert_ne!(key.commitment().root(), other.commitment().root());
    let proof = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
    assert_eq!(verify(other.commitment(), &x, &y, &proof), Err(Rejection::OtherModel));
}
