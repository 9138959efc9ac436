//! Networks as other quantizers and ONNX Runtime's own optimizer leave them, against its default session or their own executor, and
//! proofs of them.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{Graph, Model};
use binfer_ml_ops::{ProverKey, verify};
use fixtures::{array, output};
use std::path::Path;

/// The samples of `output` in reverse: elements that outputs have, elsewhere.
fn reversed(output: &Array) -> Array {
    fn turned<T: Copy>(values: &[T], sample: usize) -> Vec<T> {
        values.chunks(sample).rev().flatten().copied().collect()
    }
    let sample = output.data().len() / output.shape()[0];
    let data = match output.data() {
        ArrayData::F32(v) => ArrayData::F32(turned(v, sample)),
        ArrayData::U8(v) => ArrayData::U8(turned(v, sample)),
        ArrayData::I8(v) => ArrayData::I8(turned(v, sample)),
        other => panic!("no outputs of type {:?}", other.element_type()),
    };
    Array::new(output.shape().to_vec(), data).unwrap()
}

/// Runs and proves each network of a folder of fixtures, and refuses its outputs in another order.
fn are_equal_and_proved(folder: &str, names: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    for name in names {
        let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
        let model = Model::from_onnx(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let archive = folder.join(format!("{name}.npz"));
        let (x, y) = (array(&archive, "input"), array(&archive, "output"));
        assert_eq!(output(&model, &x), y, "{name}");
        assert_eq!(Graph::from_bytes(&model.graph.to_bytes()).unwrap(), model.graph, "{name}");
        let key = ProverKey::new(model, Default::default(), &[5; 32]);
        let proof = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
        assert_eq!(verify(key.commitment(), &x, &y, &proof), Ok(()), "{name}");
        assert!(verify(key.commitment(), &x, &reversed(&y), &proof).is_err(), "{name}");
    }
}

#[test]
fn networks_are_equal_to_onnx_runtime_and_proved() {
    let names = [
        "bias_of_a_byte",
        "clipped_weights",
        "computed_zero_points",
        "gathered_places",
        "conv_floats",
        "gemm_floats",
        "gemm_floats_added",
        "matmul_to_floats",
        "matmul_to_floats_of_tensors",
        "normalization_in_parts",
        "normalization_in_parts_int8",
        "qgemm_floats",
        "qgemm_rows",
        "resize_of_one",
        "resize_stretched",
        "size_in_parts",
    ];
    are_equal_and_proved("exported", &names);
}

#[test]
fn networks_of_few_bits_are_equal_to_qonnx_and_proved() {
    let names = ["annotated", "bipolar", "few_bits", "truncated_v1", "truncated_v2"];
    are_equal_and_proved("qonnx", &names);
}
