//! What numbers of tokens cost as rows of codes: an embedding of a whole vocabulary, proved.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::print_stdout, reason = "figures are what the long test is for")]

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{
    Epilogue, Graph, InputPort, InputTransform, IntegerType, Model, Node, Op, OutputPort,
    OutputTransform, TensorKind, TensorShape, WeightMatrix,
};
use binfer_ml_ops::{ProverKey, run, verify};
use binfer_pcs::Params;
use std::time::Instant;

const TOKENS: usize = 32;

/// An embedding of bytes.
fn embedding(vocabulary: usize, width: usize) -> (Model, Vec<u8>) {
    let codes: Vec<u8> = (0..vocabulary * width).map(|i| (i * i * 37 + i * 11) as u8).collect();
    let (shape, matrix) = WeightMatrix::from_codes(vocabulary, width, &codes, &[-128], &[]);
    let tensor = |features, kind| TensorShape { rows_per_sample: TOKENS, features, kind };
    let op = Op::MatMul {
        x: 0,
        gather: None,
        zero_code: 0,
        weights: 0,
        groups: 1,
        y: 1,
        epilogue: Epilogue::Accumulator,
    };
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "embedding".into(),
        tensors: vec![
            tensor(vocabulary, TensorKind::Code),
            tensor(width, TensorKind::Integer { bits: 8 }),
        ],
        weights: vec![shape],
        nodes: vec![Node { name: "embedding".into(), op }],
        input: InputPort {
            tensor: 0,
            shape: vec![TOKENS],
            transform: InputTransform::OneHot { vocabulary },
        },
        output: OutputPort {
            tensor: 1,
            shape: vec![TOKENS, width],
            transform: OutputTransform::Integer { dtype: IntegerType::I32 },
        },
    };
    graph.validate().unwrap();
    (Model { graph, weights: vec![matrix] }, codes)
}

fn prove(vocabulary: usize, width: usize) {
    let (model, codes) = embedding(vocabulary, width);
    let ids: Vec<i64> = (0..TOKENS).map(|i| (i * 7919 % vocabulary) as i64).collect();
    let x = Array::new(vec![1, TOKENS], ArrayData::I64(ids.clone())).unwrap();
    let start = Instant::now();
    let y = run(&model, &x).unwrap();
    println!("run {:?}", start.elapsed());
    let row = |&id: &i64| {
        let row = &codes[id as usize * width..][..width];
        row.iter().map(|&code| i32::from(code) - 128).collect::<Vec<_>>()
    };
    let expected: Vec<i32> = ids.iter().flat_map(row).collect();
    assert_eq!(y.data(), &ArrayData::I32(expected));
    let key = ProverKey::new(model, Params::default(), &[7; 32]);
    let start = Instant::now();
    let proof = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
    println!("prove {:?}, {} bytes", start.elapsed(), proof.len());
    let start = Instant::now();
    assert_eq!(verify(key.commitment(), &x, &y, &proof), Ok(()));
    println!("verify {:?}", start.elapsed());
    let mut other = ids;
    other[5] += 1;
    let other = Array::new(vec![1, TOKENS], ArrayData::I64(other)).unwrap();
    assert!(verify(key.commitment(), &other, &y, &proof).is_err());
}

#[test]
fn an_embedding_is_proved() {
    prove(900, 24);
}

/// That of SmolLM2-135M: 28 million weights.
#[test]
#[ignore = "takes minutes and gigabytes; prints what it takes"]
fn an_embedding_of_a_language_model_is_proved() {
    prove(49_152, 576);
}
