//! Deep matmuls as sums: the same outputs, one check in the exponent for each part, proofs that verify.

use super::*;
use crate::argument::{Plan, Requantized};
use crate::array::{Array, ArrayData};
use crate::{Params, ProverKey, estimate_of, run, verify};

const FEATURES: usize = 13_000;

fn gather_dim(size: usize, axis: usize) -> GatherDim {
    GatherDim { size, axis: Some(axis), step: 1 }
}

/// Half of the features over windows of two rows, the second of which is outside once.
fn windows() -> Gather {
    Gather {
        source_cols: vec![FEATURES],
        source_rows: vec![2],
        offsets: vec![0, 0],
        rows: vec![gather_dim(2, 1)],
        cols: vec![gather_dim(1, 0), gather_dim(FEATURES / 2, 0), gather_dim(2, 1)],
        pad: Some(250),
    }
}

/// A matmul of two rows by three columns with biases, whatever becomes of the accumulators.
fn deep(gather: Option<Gather>, epilogue: Epilogue) -> Model {
    let codes: Vec<u8> = (0..3 * FEATURES).map(|i| (i * i * 31 + i * 5) as u8).collect();
    let (shape, matrix) =
        WeightMatrix::from_codes(FEATURES, 3, &codes, &[-128, -120, -90], &[900, -7, 0]);
    let kind = match epilogue {
        Epilogue::Accumulator => TensorKind::Integer { bits: 32 },
        _ => TensorKind::Code,
    };
    let tensor = |features, kind| TensorShape { rows_per_sample: 2, features, kind };
    let transform = match epilogue {
        Epilogue::Accumulator => OutputTransform::Integer { dtype: IntegerType::I32 },
        _ => OutputTransform::Codes { dtype: CodeType::I8 },
    };
    let (x, y) = (0, 1);
    let op = Op::MatMul { x, gather, zero_code: 128, weights: 0, groups: 1, y, epilogue };
    let graph = Graph {
        tensors: vec![tensor(FEATURES, TensorKind::Code), tensor(3, kind)],
        weights: vec![shape],
        nodes: vec![Node { name: "deep".into(), op }],
        input: InputPort {
            tensor: 0,
            shape: vec![2, FEATURES],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort { tensor: 1, shape: vec![2, 3], transform },
        ..graph()
    };
    let model = Model { graph, weights: vec![matrix] };
    model.validate().unwrap();
    model
}

fn steps() -> Epilogue {
    let step = Step { zero_point: 3, qmin: -128, ..step(1e-4) };
    Epilogue::Requantize(Requantize { steps: vec![step; 3] })
}

/// Repetitions of the checks of a graph's matmuls.
fn repetitions(graph: &Graph) -> Vec<usize> {
    let plan = Plan::declared(graph, 1, Requantized::new(graph).largest());
    plan.matmuls.iter().map(|matmul| matmul.output.repetitions).collect()
}

#[test]
fn deep_matmuls_are_sums_of_shallow_ones() {
    let x = (0..2 * FEATURES).map(|i| (i * i * 7 + i / 3) as u8).collect();
    let x = Array::new(vec![1, 2, FEATURES], ArrayData::U8(x)).unwrap();
    for gather in [None, Some(windows())] {
        for epilogue in [Epilogue::Accumulator, steps()] {
            let whole = deep(gather.clone(), epilogue);
            let parts = whole.clone().with_shallow_matmuls();
            parts.validate().unwrap();
            assert_eq!(repetitions(&whole.graph), [2]);
            let of_parts = repetitions(&parts.graph);
            assert!(of_parts.len() > 1 && of_parts.iter().all(|&n| n == 1), "{of_parts:?}");
            assert_eq!(parts.graph.macs_per_sample(), whole.graph.macs_per_sample());
            let y = run(&whole, &x).unwrap();
            assert_eq!(run(&parts, &x).unwrap(), y);

            let key = ProverKey::new(parts, Params::default(), &[3; 32]);
            let proof = key.prove(&x, &y, &mut |_| ()).unwrap();
            verify(key.commitment(), &x, &y, &proof.to_bytes()).unwrap();
            assert!(estimate_of(&proof).unwrap().soundness_bits >= 100.0);
        }
    }
}

#[test]
fn other_matmuls_stay() {
    let graph = graph();
    let matrix = |shape: &WeightShape| WeightMatrix {
        index: vec![0; shape.columns() * shape.k],
        bias: vec![0; if shape.bias_bits == 0 { 0 } else { shape.n }],
    };
    let weights = graph.weights.iter().map(matrix).collect();
    let model = Model { graph, weights };
    assert_eq!(model.clone().with_shallow_matmuls(), model);
    // Integers have no maps.
    let mut wide = deep(None, Epilogue::Accumulator);
    wide.graph.tensors[0].kind = TensorKind::Integer { bits: 20 };
    wide.graph.tensors[1].kind = TensorKind::Integer { bits: 45 };
    assert_eq!(wide.clone().with_shallow_matmuls(), wide);
    // Sums of so many rows would cost more than the matmul.
    let mut long = deep(None, Epilogue::Accumulator);
    long.graph.tensors.iter_mut().for_each(|tensor| tensor.rows_per_sample = 1 << 14);
    long.graph.weights[0].n = 1 << 14;
    long.graph.tensors[1].features = 1 << 14;
    assert_eq!(long.clone().with_shallow_matmuls(), long);
}
