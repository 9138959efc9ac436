//! Bytes that import as a model give a valid graph whose encoding decodes to it.
#![no_main]

use binfer_fuzz::{Network, Patch};
use binfer_ml_ops::graph::{Graph, Model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Network, Patch)| {
    let (network, patch) = input;
    let bytes = patch.apply(network.onnx());
    let Ok(model) = Model::from_onnx(&bytes) else {
        return;
    };
    assert_eq!(model.graph.validate(), Ok(()));
    let decoded = Graph::from_bytes(&model.graph.to_bytes());
    assert_eq!(decoded.as_ref(), Ok(&model.graph));
});
