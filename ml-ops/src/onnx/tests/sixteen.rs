//! Networks of 16-bit tensors, and of steps of products, that are refused.

use super::*;

const CONV: &[u8] = fixture!("sixteen/conv_uint16");
const POOLS: &[u8] = fixture!("sixteen/pools_uint16");
const FUNCTIONS: &[u8] = fixture!("sixteen/functions_uint16");
const STEPS: &[u8] = fixture!("networks/steps_two_bits");
const TERNARY: &[u8] = fixture!("networks/steps_ternary");

#[test]
fn convolutions_of_16_bits_have_dequantized_weights() {
    let found = node_error(CONV, |g| {
        let weights = TensorProto {
            dims: vec![6, 4, 3, 3],
            data_type: Some(data_type::FLOAT),
            float_data: vec![1.0; 216],
            name: Some("w".to_owned()),
            ..Default::default()
        };
        g.initializer.push(weights);
        node(g, "Conv").input[1] = "w".to_owned();
    });
    assert!(matches!(found, NodeError::Operand { index: 1, .. }), "{found}");
    // Nor are they read behind a Relu that no QuantizeLinear comes after.
    let found = node_error(CONV, |g| {
        let conv = g.node.iter().position(|node| node.op_type.as_deref() == Some("Conv"));
        let conv = conv.expect("a Conv");
        let mut relu = g.node[conv].clone();
        relu.op_type = Some("Relu".to_owned());
        relu.attribute.clear();
        relu.input.truncate(1);
        relu.output[0] = "relu".to_owned();
        g.node[conv].input[0] = "relu".to_owned();
        g.node.insert(conv, relu);
    });
    assert!(matches!(found, NodeError::Operand { index: 0, .. }), "{found}");
}

#[test]
fn averages_of_16_bits_count_pads() {
    let pads = || ints_attribute("pads", vec![1; 4]);
    let found = node_error(POOLS, |g| node(g, "AveragePool").attribute.push(pads()));
    let attribute = "count_include_pad";
    assert_eq!(found, NodeError::AttributeValue { attribute, value: 0.0 });
}

#[test]
fn functions_of_too_many_lines() {
    let found = node_error(FUNCTIONS, |g| node(g, "HardSwish").op_type = Some("Exp".to_owned()));
    assert_eq!(found, NodeError::NoTables);
    let found = node_error(FUNCTIONS, |g| node(g, "HardSwish").op_type = Some("Log".to_owned()));
    assert_eq!(found, NodeError::NotANumber { index: 0 });
}

fn second<'a>(graph: &'a mut GraphProto, operator: &str) -> &'a mut NodeProto {
    let all = graph.node.iter_mut();
    all.filter(|node| node.op_type.as_deref() == Some(operator)).nth(1).expect("a second node")
}

#[test]
fn steps_go_one_way() {
    // Less the highest flag, they go up and down again: no steps, so a sum of tensors, which no convolution reads.
    let found = node_error(STEPS, |g| second(g, "Add").op_type = Some("Sub".to_owned()));
    assert!(matches!(found, NodeError::Operand { index: 0, .. }), "{found}");
    // The lowest where the number is in the middle.
    let found = node_error(TERNARY, |g| node(g, "Where").input.swap(1, 2));
    assert!(matches!(found, NodeError::Operand { index: 1, .. }), "{found}");
}

#[test]
fn steps_are_of_one_product() {
    let found = node_error(STEPS, |g| {
        let mut again = node(g, "Conv").clone();
        let at = g.node.iter().position(|node| *node == again).expect("the Conv");
        again.output[0] = "again".to_owned();
        second(g, "GreaterOrEqual").input[0] = "again".to_owned();
        g.node.insert(at, again);
    });
    assert!(matches!(found, NodeError::Operand { index: 0, .. }), "{found}");
}
