//! Networks of 16-bit activations, beside ONNX Runtime's float operators and the exact sums, and proofs of them.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{Graph, Model};
use binfer_ml_ops::onnx::ImportError;
use binfer_ml_ops::{ProverKey, verify};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

fn archive(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sixteen");
    folder.join(format!("{name}.npz"))
}

fn model(name: &str) -> Model {
    let bytes = std::fs::read(archive(name).with_extension("onnx")).unwrap();
    Model::from_onnx(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn values(array: &Array) -> Vec<i32> {
    match array.data() {
        ArrayData::U16(values) => values.iter().map(|&value| value.into()).collect(),
        ArrayData::I16(values) => values.iter().map(|&value| value.into()).collect(),
        ArrayData::I8(values) => values.iter().map(|&value| value.into()).collect(),
        _ => panic!("no integers of 8 or 16 bits"),
    }
}

/// How many elements differ, and the largest difference.
fn differences(a: &Array, b: &Array) -> (usize, i32) {
    let (a, b) = (values(a), values(b));
    assert_eq!(a.len(), b.len());
    let sizes = || a.iter().zip(&b).map(|(a, b)| (a - b).abs());
    (sizes().filter(|size| *size > 0).count(), sizes().max().unwrap())
}

/// One value changed.
fn changed(array: &Array) -> Array {
    let data = match array.data().clone() {
        ArrayData::U16(mut values) => {
            values[7] ^= 1;
            ArrayData::U16(values)
        }
        ArrayData::I16(mut values) => {
            values[7] ^= 256;
            ArrayData::I16(values)
        }
        ArrayData::I8(mut values) => {
            values[7] ^= 1;
            ArrayData::I8(values)
        }
        _ => panic!("no integers of 8 or 16 bits"),
    };
    Array::new(array.shape().to_vec(), data).unwrap()
}

#[test]
fn values_are_near_those_of_floats_and_proved() {
    // Of a thousand values this many differ at most, none by more than 1.
    for (name, most) in [
        ("functions_uint16", 150),
        ("conv_int16", 3),
        ("conv_uint16", 3),
        ("depthwise_uint16", 10),
        ("joined_int16", 10),
        ("mixed_bits", 3),
        ("pools_uint16", 10),
        ("row_contributed", 20),
        ("rows_int16", 20),
        ("smoothed_int16", 50),
        ("transposed_uint16", 10),
    ] {
        let model = model(name);
        let bytes = model.graph.to_bytes();
        assert_eq!(Graph::from_bytes(&bytes).unwrap(), model.graph, "{name}");
        let (input, theirs) = (array(&archive(name), "input"), array(&archive(name), "output"));
        let ours = output(&model, &input);
        let (count, size) = differences(&ours, &theirs);
        assert!(size <= 1 && count * 1000 <= most * ours.data().len(), "{name}: {count}, {size}");
        let key = ProverKey::new(model, Default::default(), &Default::default());
        let proof = key.prove(&input, &ours, &mut |_| ()).unwrap().to_bytes();
        assert_eq!(verify(key.commitment(), &input, &ours, &proof), Ok(()), "{name}");
        assert!(verify(key.commitment(), &input, &changed(&ours), &proof).is_err(), "{name}");
    }
}

#[test]
fn what_a_network_multiplies_is_near_that_of_floats_and_proved() {
    for (name, mean, most) in
        [("encoder_int16", 1.25, 6), ("encoder_uint16", 1.25, 6), ("rms_parts_uint16", 0.05, 2)]
    {
        let model = model(name);
        let bytes = model.graph.to_bytes();
        assert_eq!(Graph::from_bytes(&bytes).unwrap(), model.graph, "{name}");
        let (input, theirs) = (array(&archive(name), "input"), array(&archive(name), "output"));
        let ours = output(&model, &input);
        let sizes = values(&ours).iter().zip(values(&theirs)).map(|(a, b)| (a - b).abs()).collect();
        let sizes: Vec<i32> = sizes;
        let found = f64::from(sizes.iter().sum::<i32>()) / sizes.len() as f64;
        let largest = *sizes.iter().max().unwrap();
        assert!(found <= mean && largest <= most, "{name}: {found}, {largest}");
        let key = ProverKey::new(model, Default::default(), &Default::default());
        let proof = key.prove(&input, &ours, &mut |_| ()).unwrap().to_bytes();
        assert_eq!(verify(key.commitment(), &input, &ours, &proof), Ok(()), "{name}");
        assert!(verify(key.commitment(), &input, &changed(&ours), &proof).is_err(), "{name}");
    }
}

#[test]
fn values_are_those_of_the_exact_sums() {
    for name in ["conv_int16", "conv_uint16"] {
        let ours = output(&model(name), &array(&archive(name), "input"));
        let (count, size) = differences(&ours, &array(&archive(name), "exact"));
        // Multiples of steps are integers, which moves sums by a 256th of a code at most.
        assert!(size <= 1 && count * 250 <= ours.data().len(), "{name}: {count}, {size}");
    }
}

/// A model of which a part of the bytes is others of the same length.
fn with(name: &str, from: &[u8], to: &[u8]) -> Result<Model, ImportError> {
    let mut bytes = std::fs::read(archive(name).with_extension("onnx")).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    Model::from_onnx(&bytes)
}

#[test]
fn scales_of_channels_that_are_far_apart_are_refused() {
    let bytes = std::fs::read(archive("scales_apart").with_extension("onnx")).unwrap();
    let error = Model::from_onnx(&bytes).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("QuantizeLinear") && error.contains("too far from the others"),
        "{error}"
    );
}

#[test]
fn other_bounds_than_those_of_high_digits_are_refused() {
    let error = with("depthwise_uint16", &40f32.to_le_bytes(), &20f32.to_le_bytes());
    let error = error.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("the bounds 0 and 20 are not supported"), "{error}");
}
