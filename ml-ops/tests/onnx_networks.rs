//! Patterns of the usual exporters and quantizers, against ONNX Runtime's default session, and proofs of some.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{Graph, Model};
use binfer_ml_ops::{ProverKey, Rejection, run_all, verify};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/networks")
}

fn model(name: &str) -> Model {
    let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
    Model::from_onnx(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn patterns_are_equal_to_onnx_runtime() {
    let names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 168);
    for name in names {
        let model = model(&name);
        let archive = folder().join(format!("{name}.npz"));
        assert_eq!(output(&model, &array(&archive, "input")), array(&archive, "output"), "{name}");
        let bytes = model.graph.to_bytes();
        assert_eq!(Graph::from_bytes(&bytes).unwrap(), model.graph, "{name}");
    }
}

#[test]
fn proofs_are_accepted_of_these_outputs_alone() {
    for name in [
        "batch_normalization",
        "average_without_pads",
        "transposed_odd",
        "softmax_row",
        "softmax_row_of_two",
        "softmax_row_scaled",
        "input_of_squares",
        "row_of_a_number",
        "rows_of_floats",
        "resize_linear",
        "concat_constants",
        "input_channels_last",
        "average_of_sum",
        "average_of_rectified_sum",
        "code_book",
        "code_book_of_pixels",
        "heads_in_front",
        "float_weights_transposed",
        "float_weights_matmul",
        "larger_of_two",
        "pad_input",
        "input_reversed",
        "average_of_normalized",
        "sum_with_convolved",
        "local_normalization",
        "transposed_dilated",
        "prelu_of_either_sign",
        "einsum_heads_last",
        "applied_silu",
        "applied_silu_negated",
        "applied_tanh_falling",
        "depthwise_by_channel",
        "depthwise_by_channel_moved",
        "bias_behind_concat",
        "bias_behind_pad",
        "gemm_alpha",
        "gemm_alpha_beta",
        "residual_by_channel",
        "comparisons",
        "left_silu_of_sum",
        "left_tanh_of_product",
        "left_gelu_behind_bias",
        "left_gate",
        "left_gated",
        "left_sum_of_leaky",
        "left_normalized_parts",
        "left_pools_of_silu",
        "left_transposed_normalized",
        "left_squeeze_relu",
        "left_squeeze_silu",
        "left_relu_between",
        "left_tanh_before",
        "steps_two_bits",
        "steps_pooled",
        "steps_ternary",
        "steps_of_flags",
        "steps_moved",
        "steps_scaled",
    ] {
        let key = ProverKey::new(model(name), Default::default(), &Default::default());
        let archive = folder().join(format!("{name}.npz"));
        let [input, output] = ["input", "output"].map(|part| array(&archive, part));
        let proof = key.prove(&input, &output, &mut |_| ()).unwrap().to_bytes();
        assert!(verify(key.commitment(), &input, &output, &proof).is_ok(), "{name}");
        let other = Array::new(output.shape().to_vec(), changed(output.data()));
        let wrong = verify(key.commitment(), &input, &other.unwrap(), &proof);
        assert!(wrong.is_err(), "{name}");
    }
}

#[test]
fn all_outputs_are_proved() {
    let model = model("several_outputs");
    let archive = folder().join("several_outputs.npz");
    let input = array(&archive, "input");
    let outputs = ["output", "output1", "output2"].map(|part| array(&archive, part));
    assert_eq!(run_all(&model, &input).unwrap(), outputs);
    let key = ProverKey::new(model, Default::default(), &Default::default());
    let proof = key.prove(&input, &outputs, &mut |_| ()).unwrap().to_bytes();
    assert!(verify(key.commitment(), &input, &outputs, &proof).is_ok());
    for at in 0..outputs.len() {
        let mut wrong = outputs.clone();
        wrong[at] = Array::new(wrong[at].shape().to_vec(), changed(wrong[at].data())).unwrap();
        assert!(verify(key.commitment(), &input, &wrong, &proof).is_err(), "{at}");
    }
    let missing = verify(key.commitment(), &input, &outputs[..2], &proof);
    assert_eq!(missing, Err(Rejection::OutputCount { expected: 3, got: 2 }));
}

/// The last code changed, or the last float another one of them.
fn changed(data: &ArrayData) -> ArrayData {
    match data.clone() {
        ArrayData::U8(mut codes) => {
            *codes.last_mut().unwrap() ^= 1;
            ArrayData::U8(codes)
        }
        ArrayData::F32(mut floats) => {
            let last = floats.len() - 1;
            floats[last] = *floats.iter().find(|float| **float != floats[last]).unwrap();
            ArrayData::F32(floats)
        }
        other => panic!("{other:?}"),
    }
}
