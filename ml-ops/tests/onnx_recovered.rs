//! Models whose weights were integers beside float activations, as `models/quantize.py` makes them provable.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{Model, OutputTransform};
use binfer_ml_ops::{Params, ProverKey, Rejection, run_all, verify};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recovered")
}

/// A fixture's model, and its arrays `names`.
fn fixture(name: &str, names: &[&str]) -> (Model, Vec<Array>) {
    let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
    let model = Model::from_onnx(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let archive = folder().join(format!("{name}.npz"));
    (model, names.iter().map(|name| array(&archive, name)).collect())
}

/// What a code of the model's output stands for.
fn scale(model: &Model) -> f32 {
    let OutputTransform::Dequantize { scale, .. } = model.graph.output.transform else {
        panic!("dequantized")
    };
    scale
}

/// Mean difference of the model's output in codes.
fn difference(model: &Model, a: &Array, b: &Array) -> f32 {
    let scale = scale(model);
    let (ArrayData::F32(a), ArrayData::F32(b)) = (a.data(), b.data()) else { panic!("floats") };
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / scale).sum::<f32>() / a.len() as f32
}

#[test]
fn convolutions_and_blocks_are_those_of_the_runtime_and_proved() {
    for name in ["dynamic_conv", "blocks"] {
        let (model, arrays) = fixture(name, &["input", "output"]);
        let inputs = &arrays[..1];
        let outputs = run_all(&model, inputs).unwrap();
        assert_eq!(outputs, arrays[1..], "{name}");
        let scale = scale(&model);
        let key = ProverKey::new(model, Params::default(), &[5; 32]);
        let proof = key.prove(inputs, &outputs, &mut |_| ()).unwrap().to_bytes();
        assert_eq!(verify(key.commitment(), inputs, &outputs, &proof), Ok(()));
        let (shape, mut data) = outputs[0].clone().into_parts();
        let ArrayData::F32(values) = &mut data else { panic!("floats") };
        values[3] += if values[3] > 0.0 { -scale } else { scale };
        let other = [Array::new(shape, data).unwrap()];
        let found = verify(key.commitment(), inputs, &other, &proof);
        assert!(matches!(found, Err(Rejection::Argument(_))), "{name}: {found:?}");
    }
}

/// Two layers whose normalizations and Gelus are written in their parts.
#[test]
fn a_bert_is_near_the_runtime_and_what_it_was() {
    let (model, arrays) =
        fixture("dynamic_bert", &["input", "input1", "input2", "output", "before"]);
    let (inputs, theirs, before) = (&arrays[..3], &arrays[3], &arrays[4]);
    let ours = &output(&model, inputs);
    let mean = difference(&model, ours, theirs);
    let (of_ours, of_theirs) =
        (difference(&model, ours, before), difference(&model, theirs, before));
    assert!(mean < 2.5, "{mean}");
    assert!(of_ours < of_theirs * 1.2 + 0.2, "{of_ours} {of_theirs}");
}
