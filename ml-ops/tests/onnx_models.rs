//! Whole models against ONNX Runtime's outputs, bit for bit.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::graph::{Alphabet, Graph, Model};
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
    for name in ["mnist8_qop", "mnist8_qdq", "kws_dscnn_int8", "fm_resnet20_qop"] {
        let start = std::time::Instant::now();
        let model = check(&folder, name);
        eprintln!("{name}: {:?} {} nodes", start.elapsed(), model.graph.nodes.len());
    }
}
