//! Each supported pattern of operators, and the shipped models, against ONNX Runtime.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{Epilogue, Graph, Model, Op, Term};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// What a graph's nodes are: M(at)mul with requantization, or with E(dges), or A(ccumulator), R(elu), T(able),
/// C(opy), S(um with edges), (ma)X, I(ndex of a maximum), K (a constant).
fn nodes(model: &Model) -> String {
    let letter = |op: &Op| match op {
        Op::MatMul { epilogue: Epilogue::Requantize(_), .. } => 'M',
        Op::MatMul { epilogue: Epilogue::Edges(_), .. } => 'E',
        Op::MatMul { epilogue: Epilogue::Accumulator, .. } => 'A',
        Op::Relu { .. } => 'R',
        Op::Max { .. } => 'X',
        Op::ArgMax { .. } => 'I',
        Op::Constant { .. } => 'K',
        Op::BatchMatMul { .. } => 'B',
        Op::Combine { terms, epilogue: Epilogue::Accumulator, .. } => match terms.as_slice() {
            [Term { gather: None, .. }] => 'T',
            _ => 'C',
        },
        Op::Combine { .. } => 'S',
    };
    model.graph.nodes.iter().map(|n| letter(&n.op)).collect()
}

#[test]
fn patterns_are_equal_to_onnx_runtime() {
    let expected = [
        ("argmax", "I"),
        ("argmax_integers", "AI"),
        ("argmax_last", "I"),
        ("argmin", "TI"),
        ("attention", "MMMBTBMS"),
        ("average_pool", "SC"),
        ("average_pool_padded", "SC"),
        ("blocked_weights", "M"),
        ("cast_floats", "T"),
        ("cast_integers", "T"),
        ("clip_int8", "T"),
        ("clip_uint8", "T"),
        ("computed_shape", "MM"),
        ("conv_integer", "AC"),
        ("dequantized_axis", "KC"),
        ("dq_clip_q", "T"),
        ("dq_q", "T"),
        ("dq_relu_q", "T"),
        ("four_bits", "M"),
        ("global_average_pool", "S"),
        ("global_average_pool_last", "S"),
        ("global_max_pool", "XT"),
        ("matmul_integer", "A"),
        ("matmul_integer_relu", "AR"),
        ("matmul_integer_tensors", "BC"),
        ("max_pool", "XC"),
        ("max_pool_ceil", "XC"),
        ("mixed", "MTM"),
        ("moved", "CCMCC"),
        ("qdq_add", "SC"),
        ("qdq_add_constant", "T"),
        ("qdq_add_floats", "SC"),
        ("qdq_add_relu", "SC"),
        ("qdq_add_tensor", "KS"),
        ("qdq_argmax", "MI"),
        ("qdq_argmax_floats", "AI"),
        ("qdq_argmax_softmax", "MI"),
        ("qdq_average_pool", "SC"),
        ("qdq_concat", "CC"),
        ("qdq_conv", "MC"),
        ("qdq_conv_pool", "MXC"),
        ("qdq_conv_relu", "MC"),
        ("qdq_erf", "T"),
        ("qdq_gelu", "T"),
        ("qdq_gemm", "M"),
        ("qdq_gemm_clip", "M"),
        ("qdq_gemm_relu", "M"),
        ("qdq_gemm_relu_inside", "M"),
        ("qdq_gemm_transposed", "M"),
        ("qdq_global_average_pool", "S"),
        ("qdq_hardsigmoid", "T"),
        ("qdq_hardswish", "T"),
        ("qdq_leakyrelu", "T"),
        ("qdq_matmul", "M"),
        ("qdq_matmul_tensors", "BC"),
        ("qdq_mul", "SC"),
        ("qdq_mul_constant", "T"),
        ("qdq_mul_floats", "KS"),
        ("qdq_mul_relu", "SC"),
        ("qdq_mul_tensor", "KS"),
        ("qdq_mul_tensor_int8", "KS"),
        ("qdq_reduce_mean", "S"),
        ("qdq_reduce_mean_rows", "SC"),
        ("qdq_scaled", "T"),
        ("qdq_scaled_scores", "BC"),
        ("qdq_sigmoid", "T"),
        ("qdq_silu", "T"),
        ("qdq_sub", "SC"),
        ("qdq_sub_floats", "KS"),
        ("qdq_swish", "T"),
        ("qdq_tanh", "T"),
        ("qgemm", "M"),
        ("qgemm_int8", "M"),
        ("qlinear_add", "SC"),
        ("qlinear_add_constant", "T"),
        ("qlinear_add_int8", "SC"),
        ("qlinear_add_tensor", "KS"),
        ("qlinear_concat", "CCCCC"),
        ("qlinear_conv", "MC"),
        ("qlinear_conv_1d", "MC"),
        ("qlinear_conv_depthwise", "MC"),
        ("qlinear_conv_groups", "MC"),
        ("qlinear_conv_pointwise", "MC"),
        ("qlinear_conv_valid", "MC"),
        ("qlinear_leaky_relu", "T"),
        ("qlinear_matmul", "M"),
        ("qlinear_matmul_heads", "MC"),
        ("qlinear_matmul_int8", "M"),
        ("qlinear_matmul_tensors", "BC"),
        ("qlinear_matmul_tensors_int8", "B"),
        ("qlinear_mul", "SC"),
        ("qlinear_mul_constant", "T"),
        ("qlinear_mul_int8", "SSC"),
        ("qlinear_mul_tensor", "KS"),
        ("qlinear_sigmoid", "T"),
        ("reduce_max", "X"),
        ("relu_int8", "T"),
        ("requantized_axis", "S"),
        ("residual", "MMMSSM"),
        ("shapes", "M"),
        ("thresholds", "CEXEEA"),
        ("topk", "I"),
        ("topk_value", "X"),
        ("weights_int16", "M"),
    ];
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    assert_eq!(found, expected.map(|(name, _)| name));
    for (name, expected_nodes) in expected {
        let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
        let model = Model::from_onnx(&bytes).unwrap();
        let archive = folder().join(format!("{name}.npz"));
        let input = array(&archive, "input");
        assert_eq!(output(&model, &input), array(&archive, "output"), "{name}");
        assert_eq!(nodes(&model), expected_nodes, "{name}");
        let bytes = model.graph.to_bytes();
        assert_eq!(Graph::from_bytes(&bytes).unwrap(), model.graph, "{name}");
    }
}

#[test]
fn matrices_of_rows_keep_their_rows() {
    let bytes = std::fs::read(folder().join("qlinear_matmul.onnx")).unwrap();
    let graph = Model::from_onnx(&bytes).unwrap().graph;
    let shapes: Vec<_> = graph.tensors.iter().map(|t| (t.rows_per_sample, t.features)).collect();
    assert_eq!(shapes, [(3, 16), (3, 5)]);
    assert_eq!(graph.macs_per_sample(), 3 * 16 * 5);
}

#[test]
fn shipped_digits_are_equal_to_onnx_runtime_and_accurate() {
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/digits");
    let read = |name: &str| npyz::NpyFile::new(std::fs::File::open(digits.join(name)).unwrap());
    let images: Vec<f32> = read("images.npy").unwrap().into_vec().unwrap();
    let labels: Vec<u8> = read("labels.npy").unwrap().into_vec().unwrap();
    for (name, correct, per_byte) in [("digits", 492, 1), ("digits_ternary", 491, 5)] {
        let bytes = std::fs::read(digits.join(format!("{name}.onnx"))).unwrap();
        let model = Model::from_onnx(&bytes).unwrap();
        assert_eq!(model.graph.weights[0].alphabet.per_byte(), per_byte);
        let input = Array::new(vec![500, 64], ArrayData::F32(images.clone())).unwrap();
        let (shape, ArrayData::F32(logits)) = output(&model, &input).into_parts() else {
            panic!("floats");
        };
        assert_eq!(shape, [500, 10]);
        let ArrayData::F32(golden) =
            array(&folder().join("shipped_digits.npz"), name).into_parts().1
        else {
            panic!("floats");
        };
        assert_eq!(logits[..golden.len()], golden);
        let predicted = logits
            .chunks_exact(10)
            .map(|row| (0..10).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap());
        let hits =
            predicted.zip(&labels).filter(|(class, label)| *class == usize::from(**label)).count();
        assert_eq!(hits, correct, "{name}");
    }
}
