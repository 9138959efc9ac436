//! Softmax and normalizations that are refused, and the nodes that they become.

use super::*;
use crate::graph::{MAX_NAME_BYTES, Op};

macro_rules! transformer {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/transformer/", $name, ".onnx")).as_slice()
    };
}

pub(super) const SOFTMAX: &[u8] = transformer!("softmax");
const NORMALIZATION: &[u8] = transformer!("layer_normalization");
pub(super) const MIXED: &[u8] = transformer!("layer_normalization_mixed");

fn set_axis(graph: &mut GraphProto, operator: &str, value: i64) {
    let attributes = &mut node(graph, operator).attribute;
    attributes.retain(|attribute| attribute.name.as_deref() != Some("axis"));
    attributes.push(int_attribute("axis", value));
}

#[test]
fn other_axes_than_the_last() {
    let wrong = |value| NodeError::AttributeValue { attribute: "axis", value };
    for (file, operator) in [(SOFTMAX, "Softmax"), (NORMALIZATION, "LayerNormalization")] {
        for (axis, value) in [(0, 0.0), (1, 1.0), (-2, -2.0), (3, 3.0), (-4, -4.0)] {
            let mut model = parse(file);
            set_axis(graph(&mut model), operator, axis);
            if matches!(axis, 1 | -2) && file == SOFTMAX {
                // Old operator sets mean all axes after it as well.
                assert!(Model::from_onnx(&model.encode_to_vec()).is_ok());
                model
                    .opset_import
                    .iter_mut()
                    .for_each(|set| set.version = set.version.min(Some(12)));
                let old = Model::from_onnx(&model.encode_to_vec());
                let Err(ImportError::Node { error, .. }) = old else { panic!("{old:?}") };
                assert_eq!(error, wrong(value));
                continue;
            }
            assert_eq!(node_error(file, |g| set_axis(g, operator, axis)), wrong(value));
        }
        let mut model = parse(file);
        set_axis(graph(&mut model), operator, 2);
        assert!(Model::from_onnx(&model.encode_to_vec()).is_ok());
    }
    // Old operator sets have another axis than new ones.
    let missing = node_error(SOFTMAX, |g| node(g, "Softmax").attribute.clear());
    assert_eq!(missing, NodeError::MissingAttribute { attribute: "axis" });
}

#[test]
fn epsilons_and_types() {
    let epsilon = |value: f32| {
        node_error(NORMALIZATION, |g| {
            let attributes = &mut node(g, "LayerNormalization").attribute;
            let found = attributes.iter_mut().find(|a| a.name.as_deref() == Some("epsilon"));
            found.expect("an epsilon").f = Some(value);
        })
    };
    let wrong = |value| NodeError::AttributeValue { attribute: "epsilon", value };
    assert_eq!(epsilon(-0.5), wrong(-0.5));
    assert_eq!(epsilon(f32::INFINITY), wrong(f64::INFINITY));
    let stash = node_error(NORMALIZATION, |g| {
        node(g, "LayerNormalization").attribute.push(int_attribute("stash_type", 10));
    });
    assert_eq!(stash, NodeError::AttributeValue { attribute: "stash_type", value: 10.0 });
    let unknown = node_error(NORMALIZATION, |g| {
        node(g, "LayerNormalization").attribute.push(int_attribute("other", 1));
    });
    assert_eq!(unknown, NodeError::UnknownAttribute { attribute: "other".to_owned() });
}

#[test]
fn factors_that_do_not_fit() {
    let factors = |values: &[f32]| {
        node_error(NORMALIZATION, |g| set_floats(constant(g, "LayerNormalization", 1), values))
    };
    let shape = |got| NodeError::OperandShape { index: 1, expected: 32, got };
    assert_eq!(factors(&[1.0]), shape(1));
    assert_eq!(factors(&[1.0; 33]), shape(33));
    let mut values = [1.0; 32];
    values[7] = f32::INFINITY;
    assert_eq!(factors(&values), NodeError::NotOnGrid { index: 1, value: f32::INFINITY });
    let integers = node_error(NORMALIZATION, |g| {
        set_integers(constant(g, "LayerNormalization", 2), data_type::INT32, &[32], &[1; 32]);
    });
    assert_eq!(integers, NodeError::OperandType { index: 2 });
    let activation = node_error(NORMALIZATION, |g| {
        let normalization = node(g, "LayerNormalization");
        normalization.input[1] = normalization.input[0].clone();
    });
    assert_eq!(activation, NodeError::Operand { index: 1, expected: "a constant" });
}

#[test]
fn each_node_is_named_after_the_one_in_the_file() {
    let names = |file: &[u8], name: &str| -> Vec<String> {
        let mut model = parse(file);
        let operator = if file == SOFTMAX { "Softmax" } else { "LayerNormalization" };
        node(graph(&mut model), operator).name = Some(name.to_owned());
        let model = Model::from_onnx(&model.encode_to_vec()).expect("a model");
        model.graph.nodes.iter().map(|node| node.name.clone()).collect()
    };
    assert_eq!(names(SOFTMAX, "s"), ["s/max", "s/below", "s/sum", "s/softmax"]);
    let of_rows = ["sum", "mean", "mean1", "mean2", "squares"];
    let expected = |last: &[&str]| -> Vec<String> {
        let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let reciprocals = (0..4).map(|part| format!("reciprocal{part}"));
        let of_rows = of(&of_rows).into_iter().chain(reciprocals).chain(of(&["shift"]));
        of_rows.chain(of(last)).map(|part| format!("n/{part}")).collect()
    };
    assert_eq!(names(NORMALIZATION, "n"), expected(&["normalized"]));
    assert_eq!(names(MIXED, "n"), expected(&["rising", "falling", "normalized"]));
    let long = names(SOFTMAX, &"é".repeat(600));
    assert!(long.iter().all(|name| (MAX_NAME_BYTES - 9..=MAX_NAME_BYTES).contains(&name.len())));
}

#[test]
fn maxima_are_taken_of_rows() {
    let model = Model::from_onnx(SOFTMAX).expect("a model");
    let Op::Max { taps, .. } = &model.graph.nodes[0].op else { panic!("a maximum") };
    assert_eq!(*taps, 10);
}
