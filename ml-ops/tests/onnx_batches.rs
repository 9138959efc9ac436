//! Files that leave the batch open, or fix it to 3: samples stay by themselves, as ONNX Runtime has several of them, or the node that mixes them is named.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::graph::Model;
use binfer_ml_ops::onnx::{ImportError, NodeError};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/batches")
}

/// The names of the files, of which those that are refused say so.
fn names(refused: bool) -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let models = entries.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    let names = models.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("refused") == refused).collect()
}

fn import(name: &str) -> Result<Model, ImportError> {
    Model::from_onnx(&std::fs::read(folder().join(format!("{name}.onnx"))).unwrap())
}

#[test]
fn samples_that_stay_by_themselves_are_equal_to_onnx_runtime() {
    let names = names(false);
    assert_eq!(names.len(), 20);
    for name in names {
        let model = import(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let archive = folder().join(format!("{name}.npz"));
        assert_eq!(output(&model, &array(&archive, "input")), array(&archive, "output"), "{name}");
    }
}

/// The operator of the node and what is wrong, of each file that would mix samples.
fn refused() -> Vec<(&'static str, &'static str, NodeError)> {
    use NodeError::{
        AttributeValue, OperandShape, Reshape, SamplesCounted, SamplesMeet, SamplesMixed,
    };
    vec![
        ("attention_over_samples", "MatMul", SamplesMeet { index: 1 }),
        ("concat", "Concat", SamplesMixed { index: 0, dim: 0 }),
        ("concat_moved", "Concat", SamplesMixed { index: 0, dim: 1 }),
        ("expand", "Expand", Reshape { axis: 0, value: 3 }),
        ("features_of_two", "Reshape", Reshape { axis: 0, value: 2 }),
        ("fixed_constant", "Add", OperandShape { index: 1, expected: 2, got: 2 }),
        ("fixed_softmax", "Softmax", AttributeValue { attribute: "axis", value: 0.0 }),
        ("fixed_square", "Add", SamplesMeet { index: 1 }),
        ("gather", "Gather", SamplesMixed { index: 0, dim: 0 }),
        ("gather_one", "Gather", SamplesMixed { index: 0, dim: 0 }),
        ("largest", "ReduceMax", SamplesMixed { index: 0, dim: 1 }),
        ("largest_of_rows", "ReduceMax", SamplesMixed { index: 0, dim: 0 }),
        ("mean", "ReduceMean", AttributeValue { attribute: "axes", value: 0.0 }),
        ("mean_moved", "ReduceMean", SamplesMixed { index: 0, dim: 1 }),
        ("normalization", "LayerNormalization", SamplesMixed { index: 0, dim: 1 }),
        ("number_of_samples", "Mul", SamplesCounted { index: 1 }),
        ("number_of_the_largest", "ArgMax", SamplesMixed { index: 0, dim: 1 }),
        ("pad", "Pad", SamplesMixed { index: 0, dim: 1 }),
        ("places_as_samples", "Reshape", Reshape { axis: 0, value: -1 }),
        ("product_of_inputs", "MatMul", SamplesMeet { index: 1 }),
        ("product_of_samples", "MatMul", SamplesMixed { index: 0, dim: 1 }),
        ("rows_of_two_samples", "Reshape", Reshape { axis: 1, value: 4 }),
        ("scores_of_samples", "MatMul", SamplesMeet { index: 1 }),
        ("slice", "Slice", SamplesMixed { index: 0, dim: 0 }),
        ("softmax", "Softmax", AttributeValue { attribute: "axis", value: 0.0 }),
        ("softmax_moved", "Softmax", SamplesMixed { index: 0, dim: 1 }),
        ("square_of_the_number", "Reshape", SamplesCounted { index: 1 }),
        ("sum_of_pairs", "Add", SamplesMeet { index: 1 }),
        ("sum_with_as_many", "Add", SamplesMeet { index: 1 }),
        ("sum_with_shorter", "Add", OperandShape { index: 1, expected: 3, got: 2 }),
        ("sum_with_turned", "Add", SamplesMeet { index: 1 }),
        ("tile", "Tile", SamplesMixed { index: 0, dim: 1 }),
        ("weights_of_a_sample", "MatMul", SamplesMixed { index: 0, dim: 1 }),
    ]
}

#[test]
fn what_mixes_samples_is_refused() {
    let refused = refused();
    assert_eq!(names(true).len(), refused.len() + 3);
    for (name, at, expected) in refused {
        match import(&format!("refused_{name}")) {
            Err(ImportError::Node { operator, error, .. }) => {
                assert_eq!((operator.as_str(), &error), (at, &expected), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Samples that are no first dimension of an output have no place in arrays of a model.
#[test]
fn outputs_begin_with_the_batch() {
    for name in ["output_turned", "output_of_places", "fixed_features"] {
        let found = import(&format!("refused_{name}"));
        assert!(matches!(found, Err(ImportError::OutputBatch { .. })), "{name}");
    }
}
