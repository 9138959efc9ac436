//! Transformers of operators that stand for several, as `models/quantize.py` makes them provable.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{InputTransform, Model, OutputTransform};
use binfer_ml_ops::{Params, ProverKey, Rejection, run_all, verify};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

/// Tokens of a sample.
const TOKENS: usize = 8;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fused")
}

/// A fixture's model, its inputs, and what came out of the runtime for it and the network it was.
fn fixture(name: &str, inputs: usize) -> (Model, Vec<Array>, [Array; 2]) {
    let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
    let model = Model::from_onnx(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let archive = folder().join(format!("{name}.npz"));
    let named = |number| if number == 0 { "input".to_owned() } else { format!("input{number}") };
    let inputs = (0..inputs).map(|number| array(&archive, &named(number))).collect();
    (model, inputs, ["output", "before"].map(|name| array(&archive, name)))
}

fn floats(array: &Array) -> &[f32] {
    let ArrayData::F32(values) = array.data() else { panic!("floats") };
    values
}

/// Mean difference of the model's output in codes.
fn difference(model: &Model, a: &Array, b: &Array) -> f32 {
    let OutputTransform::Dequantize { scale, .. } = model.graph.output.transform else {
        panic!("dequantized")
    };
    let (a, b) = (floats(a), floats(b));
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / scale).sum::<f32>() / a.len() as f32
}

/// The first sample of a batch, with its element `at` changed if there is one.
fn first(array: &Array, at: Option<usize>) -> Array {
    fn taken<T: Copy>(values: &[T], change: Option<usize>, with: impl Fn(T) -> T) -> Vec<T> {
        let mut values = values[..TOKENS].to_vec();
        change.into_iter().for_each(|at| values[at] = with(values[at]));
        values
    }
    let data = match array.data() {
        ArrayData::I32(values) => ArrayData::I32(taken(values, at, |x| x ^ 1)),
        ArrayData::I64(values) => ArrayData::I64(taken(values, at, |x| x ^ 1)),
        _ => panic!("numbers"),
    };
    Array::new(vec![1, TOKENS], data).unwrap()
}

const NETWORKS: [(&str, usize); 3] = [("fused_bert", 3), ("multi_head", 2), ("exported", 3)];

/// Two layers of width 32 with four heads each.
#[test]
fn networks_are_near_the_runtime_and_what_they_were() {
    for (name, inputs) in NETWORKS {
        let (model, inputs, [theirs, before]) = fixture(name, inputs);
        let mask = model.graph.inputs().nth(1).unwrap().transform.clone();
        assert_eq!(mask, InputTransform::Numbers { count: 2 }, "{name}");
        let ours = &output(&model, &inputs);
        let mean = difference(&model, ours, &theirs);
        let [ours, theirs] = [ours, &theirs].map(|of| difference(&model, of, &before));
        assert!(mean < 2.5, "{name}: {mean}");
        assert!(ours < theirs * 1.1 + 0.1, "{name}: {ours} {theirs}");
    }
}

/// A decoder's token is of those up to it that are no padding.
#[test]
fn later_and_padded_tokens_are_left_out() {
    for (name, count) in &NETWORKS[1..] {
        let (model, inputs, _) = fixture(name, *count);
        let mut inputs: Vec<Array> = inputs.iter().map(|x| first(x, None)).collect();
        let mask = |zeros: &[usize]| {
            let seen = |at: usize| i64::from(!zeros.contains(&at));
            let values: Vec<i64> = (0..TOKENS).map(seen).collect();
            let data = match inputs[1].data() {
                ArrayData::I32(_) => ArrayData::I32(values.iter().map(|&x| x as i32).collect()),
                _ => ArrayData::I64(values),
            };
            Array::new(vec![1, TOKENS], data).unwrap()
        };
        let (all, few) = (mask(&[]), mask(&[3]));
        // What comes out at token `at`.
        let row = |inputs: &[Array], at: usize| {
            let y = run_all(&model, inputs).unwrap();
            let width = floats(&y[0]).len() / TOKENS;
            floats(&y[0])[at * width..][..width].to_vec()
        };
        let (last, middle) = (TOKENS - 1, 2);
        inputs[1] = all;
        let with_all = [row(&inputs, middle), row(&inputs, last)];
        inputs[1] = few;
        let with_few = [row(&inputs, middle), row(&inputs, last)];
        assert_eq!(with_all[0], with_few[0], "{name}");
        assert_ne!(with_all[1], with_few[1], "{name}");
        // The third token is read by none but itself.
        inputs[0] = first(&inputs[0], Some(3));
        assert_eq!([row(&inputs, middle), row(&inputs, last)], with_few, "{name}");
    }
}

#[test]
fn networks_are_proved() {
    for (name, count) in NETWORKS {
        let (model, inputs, _) = fixture(name, count);
        let inputs: Vec<Array> = inputs.iter().map(|x| first(x, None)).collect();
        let outputs = run_all(&model, &inputs).unwrap();
        let key = ProverKey::new(model, Params::default(), &[5; 32]);
        let proof = key.prove(&inputs, &outputs, &mut |_| ()).unwrap().to_bytes();
        let verify =
            |inputs: &[Array], outputs: &[Array]| verify(key.commitment(), inputs, outputs, &proof);
        assert_eq!(verify(&inputs, &outputs), Ok(()));
        for input in 0..count {
            let mut other = inputs.clone();
            other[input] = first(&inputs[input], Some(1));
            let found = verify(&other, &outputs);
            assert!(matches!(found, Err(Rejection::Argument(_))), "{name} {input}: {found:?}");
        }
        let (shape, data) = outputs[0].clone().into_parts();
        let ArrayData::F32(mut values) = data else { panic!("floats") };
        // Another code's float.
        values[3] = *values.iter().find(|value| **value != values[3]).unwrap();
        let other = [Array::new(shape, ArrayData::F32(values)).unwrap()];
        let found = verify(&inputs, &other);
        assert!(matches!(found, Err(Rejection::Argument(_))), "{name}: {found:?}");
    }
}
