//! Softmax and normalizations in integers of our own: near ONNX Runtime's floats, proved and verified.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{Model, Op, OutputTransform};
use binfer_ml_ops::{Params, ProverKey, verify};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transformer")
}

fn model(name: &str) -> Model {
    Model::from_onnx(&std::fs::read(folder().join(format!("{name}.onnx"))).unwrap()).unwrap()
}

fn codes(array: &Array) -> Vec<i32> {
    match array.data() {
        ArrayData::U8(codes) => codes.iter().map(|&code| code.into()).collect(),
        ArrayData::I8(codes) => codes.iter().map(|&code| code.into()).collect(),
        ArrayData::U16(words) => words.iter().map(|&word| word.into()).collect(),
        _ => panic!("codes"),
    }
}

/// The largest and the mean difference between our codes and the runtime's.
fn differences(name: &str) -> (i32, f64) {
    let archive = folder().join(format!("{name}.npz"));
    let ours = codes(&output(&model(name), &array(&archive, "input")));
    let theirs = codes(&array(&archive, "output"));
    assert_eq!(ours.len(), theirs.len());
    assert!(theirs.iter().any(|code| *code != theirs[0]));
    let sizes = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
    let (most, sum) = sizes.fold((0, 0), |(most, sum), size| (most.max(size), sum + size));
    (most, f64::from(sum) / ours.len() as f64)
}

#[test]
fn codes_are_near_those_of_floats() {
    // None differs by more than 1, and of a hundred codes this many do at most.
    for (name, mean) in [
        ("softmax", 10),
        ("softmax_int8", 5),
        ("softmax_fine", 10),
        ("softmax_wide", 15),
        ("qlinear_softmax", 12),
        ("softmax_channels", 12),
        ("qlinear_softmax_channels", 12),
        ("qlinear_softmax_254ths", 12),
        ("softmax_masked", 12),
        ("softmax_where", 12),
        ("softmax_padded", 12),
        ("layer_normalization", 5),
        ("layer_normalization_mixed", 3),
        ("layer_normalization_falling", 5),
        ("layer_normalization_wide", 5),
        ("rms_normalization", 3),
        ("simplified_normalization", 7),
        ("layer_normalization_int16", 0),
        ("layer_normalization_uint16", 0),
        ("rms_normalization_int16", 0),
        ("half_int16", 0),
        ("half_int16_zero", 0),
        ("difference_uint16", 0),
        ("instance_normalization", 2),
        ("instance_normalization_row", 2),
        ("instance_normalization_wide", 2),
        ("group_normalization", 2),
        ("group_normalization_by_group", 2),
        ("group_normalization_spelled", 2),
        ("group_norm", 2),
        ("normalized_twice", 1),
        ("average_normalized", 1),
        ("normalized_average", 2),
        ("rotary", 1),
        ("rotary_interleaved", 1),
        ("rotary_embedding", 1),
    ] {
        let found = differences(name);
        assert!(found.0 <= 1 && found.1 * 100.0 <= f64::from(mean), "{name}: {found:?}");
    }
}

fn floats(array: &Array) -> Vec<f32> {
    match array.data() {
        ArrayData::F32(values) => values.clone(),
        _ => panic!("floats"),
    }
}

/// Two layers of width 32 with four heads over 16 tokens, quantized by the runtime's own tool.
#[test]
fn an_encoder_is_near_the_runtime_and_proved() {
    let model = model("encoder");
    let archive = folder().join("encoder.npz");
    let x = array(&archive, "input");
    let y = output(&model, &x);
    let [ours, theirs, unquantized] =
        [&y, &array(&archive, "output"), &array(&archive, "floats")].map(floats);
    let OutputTransform::Dequantize { scale, .. } = model.graph.output.transform else {
        panic!("dequantized");
    };
    let differences = |a: &[f32], b: &[f32]| -> (f32, f32) {
        let codes = a.iter().zip(b).map(|(a, b)| (a - b).abs() / scale);
        let (most, sum) = codes.fold((0.0f32, 0.0), |(most, sum), d| (most.max(d), sum + d));
        (most, sum / a.len() as f32)
    };
    let to_theirs = differences(&ours, &theirs);
    // Those are float operators' codes; the default session's Softmax has a kernel, as ours.
    assert!(to_theirs.0 < 7.5 && to_theirs.1 < 1.1, "{to_theirs:?}");
    // As far from the network before it was quantized as the runtime's floats are, on average.
    let [ours, theirs] = [ours, theirs].map(|codes| differences(&codes, &unquantized).1);
    assert!(ours < 1.25 && ours < 1.01 * theirs, "{ours} {theirs}");
    assert_eq!(model.graph.nodes.iter().filter(|n| matches!(n.op, Op::Max { .. })).count(), 2);
    let key = ProverKey::new(model, Params::default(), &[5; 32]);
    let proof = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
    assert_eq!(verify(key.commitment(), &x, &y, &proof), Ok(()));
    let (shape, data) = y.into_parts();
    let ArrayData::F32(mut values) = data else { panic!("floats") };
    values[7] += if values[7] > 0.0 { -scale } else { scale };
    let other = Array::new(shape, ArrayData::F32(values)).unwrap();
    assert!(verify(key.commitment(), &x, &other, &proof).is_err());
}

#[test]
fn they_are_proved() {
    for name in [
        "softmax",
        "softmax_int8",
        "softmax_fine",
        "qlinear_softmax",
        "softmax_masked",
        "softmax_padded",
        "layer_normalization",
        "layer_normalization_mixed",
        "layer_normalization_falling",
        "rms_normalization",
        "layer_normalization_int16",
        "layer_normalization_uint16",
        "rms_normalization_int16",
        "half_int16",
        "half_int16_zero",
        "difference_uint16",
        "instance_normalization",
        "instance_normalization_row",
        "instance_normalization_wide",
        "group_normalization",
        "group_normalization_by_group",
        "group_normalization_spelled",
        "group_norm",
        "normalized_twice",
        "average_normalized",
        "normalized_average",
        "rotary",
        "rotary_interleaved",
        "rotary_embedding",
    ] {
        let model = model(name);
        let x = array(&folder().join(format!("{name}.npz")), "input");
        let y = output(&model, &x);
        let key = ProverKey::new(model, Params::default(), &[5; 32]);
        let proof = key.prove(&x, &y, &mut |_| ()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let proof = proof.to_bytes();
        assert_eq!(verify(key.commitment(), &x, &y, &proof), Ok(()), "{name}");
        let (shape, mut data) = x.clone().into_parts();
        match &mut data {
            ArrayData::U8(codes) => codes[0] ^= 1,
            ArrayData::I8(codes) => codes[0] ^= 1,
            ArrayData::U16(words) => words[0] ^= 1,
            ArrayData::I16(words) => words[0] ^= 1,
            _ => panic!("integers"),
        }
        let other = Array::new(shape, data).unwrap();
        assert!(verify(key.commitment(), &other, &y, &proof).is_err(), "{name}");
        let (shape, mut data) = y.into_parts();
        match &mut data {
            ArrayData::U8(codes) => codes[0] ^= 1,
            ArrayData::I8(codes) => codes[0] ^= 1,
            ArrayData::U16(words) => words[0] ^= 256,
            _ => panic!("codes"),
        }
        let other = Array::new(shape, data).unwrap();
        assert!(verify(key.commitment(), &x, &other, &proof).is_err(), "{name}");
    }
}
