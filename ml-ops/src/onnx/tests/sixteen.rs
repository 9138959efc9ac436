//! Networks of 16-bit tensors, and of steps of products, that are refused.

use super::*;

const CONV: &[u8] = fixture!("sixteen/conv_uint16");
const POOLS: &[u8] = fixture!("sixteen/pools_uint16");
const FUNCTIONS: &[u8] = fixture!("sixteen/functions_uint16");
const ENCODER: &[u8] = fixture!("sixteen/encoder_int16");
const ROWS: &[u8] = fixture!("sixteen/rows_int16");
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
    let of = |operator: &str| {
        node_error(FUNCTIONS, |g| node(g, "HardSwish").op_type = Some(operator.to_owned()))
    };
    assert_eq!(of("Reciprocal"), NodeError::NoTables);
    assert_eq!(of("Log"), NodeError::NotANumber { index: 0 });
}

/// Gives the QuantizeLinear behind the first node of operator `operator` another scale.
fn set_scale(g: &mut GraphProto, operator: &str, scale: f32) {
    let made = node(g, operator).output[0].clone();
    let quantize = g.node.iter().find(|node| node.input[0] == made).expect("a QuantizeLinear");
    let name = quantize.input[1].clone();
    let constant = g.initializer.iter_mut().find(|tensor| tensor.name.as_ref() == Some(&name));
    constant.expect("a scale").raw_data = Some(scale.to_le_bytes().to_vec());
}

#[test]
fn outputs_that_are_finer_than_their_integers() {
    let coarse = NodeError::TooCoarse { column: 0 };
    assert_eq!(node_error(ROWS, |g| set_scale(g, "Softmax", 1e-8)), coarse);
    assert_eq!(node_error(ENCODER, |g| set_scale(g, "LayerNormalization", 1e-7)), coarse);
}

#[test]
fn scores_of_16_bits_are_masked_by_what_leaves_them_out() {
    let mask = |g: &mut GraphProto, value: f32| {
        // Of 8 x 8 elements, the mask's constant is the only one.
        let of = g.initializer.iter_mut().find(|tensor| tensor.dims == [1, 1, 8, 8]);
        let values = [0.0, value].repeat(32).into_iter().flat_map(f32::to_le_bytes);
        of.expect("a mask").raw_data = Some(values.collect());
    };
    // A number that is something beside the scores is no mask, and a sum of floats has no Softmax.
    let found = node_error(ENCODER, |g| mask(g, -3.0));
    assert!(matches!(found, NodeError::Operand { index: 0, .. }), "{found}");
}

#[test]
fn matmuls_of_16_bits_are_of_one_depth() {
    let found = node_error(ROWS, |g| {
        node(g, "Transpose").attribute = vec![ints_attribute("perm", vec![0, 1, 2])];
    });
    assert!(matches!(found, NodeError::OperandShape { index: 1, .. }), "{found}");
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
