//! Whole models against ONNX Runtime's outputs, bit for bit.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::graph::{Alphabet, Epilogue, Graph, Model, Op};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

/// The models beside the repository, if they are there.
fn models() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return None;
    }
    Some(folder)
}

fn check(folder: &Path, name: &str) -> Model {
    let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
    let model = Model::from_onnx(&bytes).unwrap();
    let archive = folder.join(format!("{name}.npz"));
    let input = array(&archive, "input");
    assert_eq!(output(&model, &input), array(&archive, "output"), "{name}");
    let graph = model.graph.to_bytes();
    assert_eq!(Graph::from_bytes(&graph).unwrap(), model.graph);
    model
}

#[test]
fn digits_models_are_equal_to_onnx_runtime() {
    let Some(folder) = models() else { return };
    for (name, per_byte) in
        [("digits_int8_mlp", 1), ("digits_ternary_mlp", 5), ("digits_binary_mlp", 8)]
    {
        let model = check(&folder, name);
        assert_eq!(model.graph.macs_per_sample(), 64 * 64 + 64 * 10);
        for shape in &model.graph.weights {
            assert_eq!(shape.alphabet.per_byte(), per_byte, "{name}");
            assert!(shape.bias_bits > 0);
        }
    }
}

#[test]
fn ternary_weights_are_symmetric() {
    let Some(folder) = models() else { return };
    let model = check(&folder, "digits_ternary_mlp");
    for shape in &model.graph.weights {
        let Alphabet::Digits { values, .. } = &shape.alphabet else {
            panic!("digits");
        };
        assert_eq!((values.len(), values[1]), (3, 0));
        assert_eq!(values[0], -values[2]);
    }
}

#[test]
fn anomaly_detection_is_equal_to_onnx_runtime() {
    let Some(folder) = models() else { return };
    let model = check(&folder, "ad01_int8");
    assert_eq!(model.graph.nodes.len(), 10);
    assert_eq!(model.graph.macs_per_sample(), 264_192);
}

#[test]
fn convolutional_networks_are_equal_to_onnx_runtime() {
    let Some(folder) = models() else { return };
    for (name, nodes, macs) in [
        ("mnist8_qop", 5, 786_560),
        ("mnist8_qdq", 5, 786_560),
        ("kws_dscnn_int8", 11, 2_656_768),
        ("fm_resnet20_qop", 32, 40_518_272),
        ("fm_bnn", 9, 6_020_608),
    ] {
        let graph = check(&folder, name).graph;
        assert_eq!((graph.nodes.len(), graph.macs_per_sample()), (nodes, macs), "{name}");
    }
}

#[test]
fn weights_of_one_bit_take_one_bit() {
    let Some(folder) = models() else { return };
    let model = check(&folder, "fm_bnn");
    let per_byte: Vec<usize> =
        model.graph.weights.iter().map(|shape| shape.alphabet.per_byte()).collect();
    // The first layer's input is in halves, its weights +-1 and +-2.
    assert_eq!(per_byte, [4, 8, 8, 8, 8]);
}

#[test]
fn sums_of_tensors_lie_few_bits_from_their_edges() {
    let Some(folder) = models() else { return };
    let model = check(&folder, "fm_resnet20_qop");
    let widest = |epilogue: &Epilogue| match epilogue {
        Epilogue::Edges(edges) => {
            edges.iter().flat_map(|of| of.edges.windows(2)).map(|pair| pair[1] - pair[0]).max()
        }
        _ => None,
    };
    let sums = model.graph.nodes.iter().filter_map(|node| match &node.op {
        Op::Combine { epilogue, .. } => widest(epilogue),
        _ => None,
    });
    let sums: Vec<i64> = sums.collect();
    assert_eq!(sums.len(), 10);
    assert!(sums.iter().all(|&width| width < 1 << 9), "{sums:?}");
}
