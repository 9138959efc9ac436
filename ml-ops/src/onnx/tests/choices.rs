//! Indices of maxima and casts that are refused, and what indices are of.

use super::*;
use crate::graph::Op;

const CODES: &[u8] = fixture!("argmax");
const LEAST: &[u8] = fixture!("argmin");
const OF_FLOATS: &[u8] = fixture!("qdq_argmax_floats");
const OF_SOFTMAX: &[u8] = fixture!("qdq_argmax_softmax");
const CAST: &[u8] = fixture!("cast_integers");
const TOP: &[u8] = fixture!("topk");
const REDUCED: &[u8] = fixture!("reduce_max");

fn set_int(graph: &mut GraphProto, operator: &str, name: &str, value: i64) {
    let attributes = &mut node(graph, operator).attribute;
    attributes.retain(|attribute| attribute.name.as_deref() != Some(name));
    attributes.push(int_attribute(name, value));
}

#[test]
fn axes_of_an_index_are_a_samples() {
    for axis in [0, -2, 2, 9] {
        let found = node_error(CODES, |g| set_int(g, "ArgMax", "axis", axis));
        assert_eq!(found, NodeError::AttributeValue { attribute: "axis", value: axis as f64 });
    }
    // The batch, by default.
    let found = node_error(CODES, |g| node(g, "ArgMax").attribute.clear());
    assert_eq!(found, NodeError::AttributeValue { attribute: "axis", value: 0.0 });
    for name in ["keepdims", "select_last_index"] {
        let found = node_error(CODES, |g| set_int(g, "ArgMax", name, 2));
        assert!(matches!(found, NodeError::AttributeValue { value: 2.0, .. }), "{found}");
    }
}

#[test]
fn what_is_compared_is_in_one_order() {
    let is_operand = |found: NodeError| {
        assert!(matches!(found, NodeError::Operand { index: 0, .. }), "{found}");
    };
    // Another scale for a class, and the smallest of accumulators.
    is_operand(node_error(OF_FLOATS, |g| {
        let weights = g.node.iter().find(|node| node.op_type.as_deref() == Some("Gemm"));
        let name = weights.expect("a Gemm").input[1].clone();
        let weights = g.node.iter().find(|node| node.output == [name.clone()]);
        let scale = Some(weights.expect("weights").input[1].clone());
        let scale = g.initializer.iter_mut().find(|t| t.name == scale).expect("a scale");
        let mut scales = [0.5; 10];
        scales[3] = 0.25;
        set_floats(scale, &scales);
        node(g, "Gemm").input.truncate(2);
    }));
    is_operand(node_error(OF_FLOATS, |g| node(g, "ArgMax").op_type = Some("ArgMin".to_owned())));
    let constant = node_error(CODES, |g| {
        let weights = TensorProto {
            dims: vec![1],
            data_type: Some(data_type::INT8),
            int32_data: vec![1],
            name: Some("w".to_owned()),
            ..Default::default()
        };
        g.initializer.push(weights);
        node(g, "ArgMax").input = vec!["w".to_owned()];
    });
    is_operand(constant);
}

#[test]
fn floats_that_are_no_numbers_have_no_largest() {
    let found = node_error(LEAST, |g| {
        node(g, "LeakyRelu").attribute[0].f = Some(f32::NAN);
    });
    assert_eq!(found, NodeError::NotANumber { index: 0 });
}

#[test]
fn floats_in_the_order_of_codes_take_no_table() {
    let model = Model::from_onnx(OF_SOFTMAX).expect("a model");
    // No exponential is computed.
    let ops: Vec<_> = model.graph.nodes.iter().map(|node| &node.op).collect();
    assert!(matches!(ops[..], [Op::MatMul { .. }, Op::ArgMax { x: 1, taps: 10, .. }]), "{ops:?}");
}

#[test]
fn one_element_is_chosen() {
    let found = node_error(TOP, |g| {
        let k = constant(g, "TopK", 1);
        *k = TensorProto {
            dims: vec![1],
            data_type: Some(data_type::INT64),
            int64_data: vec![2],
            name: k.name.clone(),
            ..Default::default()
        };
    });
    assert!(matches!(found, NodeError::Operand { index: 1, .. }), "{found}");
    let found = node_error(TOP, |g| set_int(g, "TopK", "largest", 2));
    assert_eq!(found, NodeError::AttributeValue { attribute: "largest", value: 2.0 });
    // The smallest, and its number alone.
    let mut model = parse(TOP);
    set_int(graph(&mut model), "TopK", "largest", 0);
    assert!(Model::from_onnx(&model.encode_to_vec()).is_ok());
    node(graph(&mut model), "TopK").output[0].clear();
    assert!(Model::from_onnx(&model.encode_to_vec()).is_ok());
    let axes = node_error(REDUCED, |g| node(g, "ReduceMax").attribute.clear());
    assert_eq!(axes, NodeError::MissingAttribute { attribute: "axes" });
    let found = node_error(REDUCED, |g| node(g, "ReduceMax").attribute[0].ints = vec![0]);
    assert_eq!(found, NodeError::AttributeValue { attribute: "axes", value: 0.0 });
}

#[test]
fn casts_to_other_types() {
    for to in [data_type::FLOAT16, data_type::UINT8, data_type::BOOL] {
        let found = node_error(CAST, |g| set_int(g, "Cast", "to", to.into()));
        let expected = NodeError::AttributeValue { attribute: "to", value: to.into() };
        assert_eq!(found, expected);
    }
    let found = node_error(CAST, |g| node(g, "Cast").attribute.clear());
    assert_eq!(found, NodeError::MissingAttribute { attribute: "to" });
    let mut model = parse(CAST);
    set_int(graph(&mut model), "Cast", "to", data_type::INT8.into());
    assert!(Model::from_onnx(&model.encode_to_vec()).is_ok());
}
