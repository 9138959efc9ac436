//! Nodes on images and on several tensors that are refused.

use super::*;

const CONV: &[u8] = fixture!("qlinear_conv");
const GROUPS: &[u8] = fixture!("qlinear_conv_groups");
const POOL: &[u8] = fixture!("max_pool");
const AVERAGE: &[u8] = fixture!("average_pool_padded");
const SUM: &[u8] = fixture!("qlinear_add");
const FLOAT_SUM: &[u8] = fixture!("qdq_add");
const MOVED: &[u8] = fixture!("moved");
const THRESHOLDS: &[u8] = fixture!("thresholds");
const MEAN: &[u8] = fixture!("qdq_reduce_mean");
const GELU: &[u8] = fixture!("qdq_gelu");
const COMPUTED: &[u8] = fixture!("computed_shape");
const BLOCKS: &[u8] = fixture!("four_bits");
const BLOCKED: &[u8] = fixture!("blocked_weights");
const SIXTEEN_BITS: &[u8] = fixture!("weights_int16");

fn attribute<'a>(graph: &'a mut GraphProto, operator: &str, name: &str) -> &'a mut AttributeProto {
    let found = node(graph, operator).attribute.iter_mut();
    found.into_iter().find(|a| a.name.as_deref() == Some(name)).expect("an attribute")
}

fn text_attribute(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        s: Some(value.as_bytes().to_vec()),
        r#type: Some(attribute_type::STRING),
        ..Default::default()
    }
}

fn ints(graph: &mut GraphProto, operator: &str, index: usize, values: &[i64]) {
    let tensor = constant(graph, operator, index);
    *tensor = TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(data_type::INT64),
        int64_data: values.to_vec(),
        name: tensor.name.clone(),
        ..Default::default()
    };
}

#[test]
fn windows_that_do_not_fit() {
    let value = |attribute, value| NodeError::AttributeValue { attribute, value };
    let found = node_error(CONV, |g| attribute(g, "QLinearConv", "strides").ints = vec![0, 1]);
    assert_eq!(found, value("strides", 0.0));
    let found = node_error(CONV, |g| attribute(g, "QLinearConv", "pads").ints = vec![1; 3]);
    assert_eq!(found, value("pads", 3.0));
    let found = node_error(CONV, |g| attribute(g, "QLinearConv", "pads").ints = vec![-1; 4]);
    assert_eq!(found, value("pads", -1.0));
    let shape = |index, expected, got| NodeError::OperandShape { index, expected, got };
    let found = node_error(CONV, |g| attribute(g, "QLinearConv", "dilations").ints = vec![5, 1]);
    assert_eq!(found, shape(0, 11, 10));
    let found = node_error(POOL, |g| attribute(g, "MaxPool", "pads").ints = vec![1 << 28; 4]);
    assert!(matches!(found, NodeError::OperandShape { index: 0, .. }));
    let found = node_error(POOL, |g| attribute(g, "MaxPool", "kernel_shape").ints = vec![1; 3]);
    assert_eq!(found, value("kernel_shape", 3.0));
    let found = node_error(POOL, |g| node(g, "MaxPool").attribute.clear());
    assert_eq!(found, NodeError::MissingAttribute { attribute: "kernel_shape" });
}

#[test]
fn attributes_of_text() {
    let found = node_error(GROUPS, |g| {
        attribute(g, "QLinearConv", "auto_pad").s = Some(b"SAME".to_vec());
    });
    let text =
        |attribute, value: &str| NodeError::AttributeText { attribute, value: value.to_owned() };
    assert_eq!(found, text("auto_pad", "SAME"));
    let found = node_error(GROUPS, |g| {
        attribute(g, "QLinearConv", "auto_pad").s = Some(vec![0xff]);
    });
    assert!(matches!(found, NodeError::AttributeText { attribute: "auto_pad", .. }));
    let found = node_error(GELU, |g| {
        node(g, "Gelu").attribute.push(text_attribute("approximate", "other"));
    });
    assert_eq!(found, text("approximate", "other"));
    let found = node_error(MOVED, |g| {
        node(g, "Pad").attribute.push(text_attribute("mode", "wrap"));
    });
    assert_eq!(found, text("mode", "wrap"));
}

#[test]
fn kernels_that_do_not_fit() {
    let shape = |index, expected, got| NodeError::OperandShape { index, expected, got };
    let group = |value| NodeError::AttributeValue { attribute: "group", value };
    let with_group =
        |value| node_error(GROUPS, |g| attribute(g, "QLinearConv", "group").i = Some(value));
    assert_eq!(with_group(0), group(0.0));
    assert_eq!(with_group(3), group(3.0));
    assert_eq!(with_group(1), shape(3, 4, 2));
    let rank = node_error(CONV, |g| constant(g, "QLinearConv", 3).dims = vec![5, 3, 6]);
    assert_eq!(rank, shape(3, 4, 3));
    let kernel = node_error(CONV, |g| {
        node(g, "QLinearConv").attribute.push(ints_attribute("kernel_shape", vec![2, 3]));
    });
    assert_eq!(kernel, shape(1, 6, 6));
}

#[test]
fn averages_over_fewer_elements_at_the_edges() {
    // Numbers of elements from 9 to 25, of whose common multiple each is a part of more than a byte.
    let found = node_error(AVERAGE, |g| {
        attribute(g, "QLinearAveragePool", "count_include_pad").i = Some(0);
        attribute(g, "QLinearAveragePool", "kernel_shape").ints = vec![5, 5];
        attribute(g, "QLinearAveragePool", "pads").ints = vec![2; 4];
    });
    let expected = NodeError::AttributeValue { attribute: "count_include_pad", value: 0.0 };
    assert_eq!(found, expected);
}

#[test]
fn axes_that_are_the_batch_or_none() {
    let axes = |value| NodeError::AttributeValue { attribute: "axes", value };
    let with =
        |values: Vec<i64>| node_error(MEAN, |g| attribute(g, "ReduceMean", "axes").ints = values);
    assert_eq!(with(vec![0]), axes(0.0));
    assert_eq!(with(vec![4]), axes(4.0));
    assert_eq!(with(vec![-4]), axes(-4.0));
    let perm =
        |order: Vec<i64>| node_error(MOVED, |g| attribute(g, "Transpose", "perm").ints = order);
    let value = |value| NodeError::AttributeValue { attribute: "perm", value };
    // Read as one of batch 1, in which the axes are others then.
    let moved = perm(vec![1, 0, 2, 3]);
    assert_eq!(moved, NodeError::IndexRange { index: 1, value: 2, size: 1 });
    assert_eq!(perm(vec![0, 1, 2]), value(2.0));
    assert_eq!(perm(vec![0, 1, 1, 3]), value(1.0));
}

#[test]
fn indices_and_ranges_beyond_a_tensor() {
    let found = node_error(MOVED, |g| ints(g, "Gather", 1, &[0, 3]));
    assert_eq!(found, NodeError::IndexRange { index: 1, value: 3, size: 3 });
    let found = node_error(MOVED, |g| ints(g, "Slice", 4, &[-1, 0]));
    assert_eq!(found, NodeError::AttributeValue { attribute: "steps", value: 0.0 });
    let found = node_error(MOVED, |g| ints(g, "Slice", 2, &[9, 5]));
    assert_eq!(found, NodeError::OperandShape { index: 0, expected: 1, got: 0 });
    let found = node_error(MOVED, |g| ints(g, "Expand", 1, &[1, 2, 41]));
    assert_eq!(found, NodeError::Reshape { axis: 2, value: 41 });
    let split = node_error(SUM, |g| ints(g, "Split", 1, &[2, 3]));
    assert_eq!(split, NodeError::OperandShape { index: 1, expected: 4, got: 5 });
}

#[test]
fn lists_of_integers_that_do_not_fit() {
    let shape = |g: &mut GraphProto| node(g, "Shape").output[0].clone();
    let found = node_error(COMPUTED, |g| ints(g, "Gather", 1, &[4]));
    assert_eq!(found, NodeError::IndexRange { index: 1, value: 4, size: 4 });
    // A list in two dimensions is put together with none of one.
    let found = node_error(COMPUTED, |g| node(g, "Unsqueeze").input[0] = shape(g));
    assert_eq!(found, NodeError::OperandType { index: 0 });
    let found = node_error(COMPUTED, |g| {
        let squeeze = shape(g);
        let unsqueeze = node(g, "Unsqueeze");
        unsqueeze.op_type = Some("Squeeze".to_owned());
        unsqueeze.input = vec![squeeze];
    });
    assert_eq!(found, NodeError::OperandShape { index: 0, expected: 1, got: 4 });
}

#[test]
fn functions_of_two_tensors() {
    // 0.1 and 0.1 in units of 1: the runtime's roundings of ties follow no sum of small integers.
    let ties = node_error(SUM, |g| {
        for (index, scale) in [(1, 0.1), (4, 0.1), (6, 1.0)] {
            set_floats(constant(g, "QLinearAdd", index), &[scale]);
            set_integers(constant(g, "QLinearAdd", index + 1), data_type::UINT8, &[], &[0]);
        }
    });
    assert_eq!(ties, NodeError::NoTables);
    // A code of the second stands for zero.
    let quotient = node_error(FLOAT_SUM, |g| node(g, "Add").op_type = Some("Div".to_owned()));
    assert!(matches!(quotient, NodeError::NotOnGrid { index: 1, .. }));
    let types = node_error(SUM, |g| node(g, "QLinearAdd").input[3] = "x".to_owned());
    assert_eq!(types, NodeError::OperandShape { index: 3, expected: 2, got: 4 });
}

#[test]
fn floats_off_the_grid() {
    let found = node_error(THRESHOLDS, |g| {
        let tensor = constant(g, "Conv", 1);
        let raw = tensor.raw_data.as_mut().expect("raw data");
        raw[..4].copy_from_slice(&1.7f32.to_le_bytes());
    });
    assert_eq!(found, NodeError::NotOnGrid { index: 1, value: 1.7 });
    // Reversed columns behind a MaxPool ask for floats that are symmetric about zero.
    let found = node_error(THRESHOLDS, |g| set_floats(constant(g, "Where", 2), &[0.0]));
    assert!(matches!(found, NodeError::NotMonotone { .. }));
}

#[test]
fn maxima_of_what_falls() {
    let found = node_error(THRESHOLDS, |g| {
        let mut muls = g.node.iter().enumerate();
        // The second convolution has no MaxPool of its own.
        let (mul, _) =
            muls.rfind(|(at, n)| *at < 12 && n.op_type.as_deref() == Some("Mul")).expect("a Mul");
        let pool = node(g, "MaxPool").clone();
        let mut again = pool;
        again.input[0] = g.node[mul].output[0].clone();
        again.output[0] = "again".to_owned();
        g.node.insert(mul + 1, again);
    });
    assert!(matches!(found, NodeError::NotMonotone { .. }));
}

#[test]
fn blocks_shorter_than_an_axis() {
    let found = node_error(BLOCKS, |g| {
        attribute(g, "DequantizeLinear", "block_size").i = Some(8);
    });
    assert_eq!(found, NodeError::OperandShape { index: 1, expected: 2, got: 1 });
    let found = node_error(BLOCKS, |g| {
        attribute(g, "DequantizeLinear", "block_size").i = Some(-1);
    });
    assert_eq!(found, NodeError::AttributeValue { attribute: "block_size", value: -1.0 });
}

#[test]
fn weights_that_are_no_bytes_at_one_scale() {
    let found = node_error(BLOCKED, |g| {
        let weights = g.node.iter().find(|node| node.attribute.len() == 2).expect("blocks");
        let name = Some(weights.input[1].clone());
        let scales = g.initializer.iter_mut().find(|t| t.name == name).expect("scales");
        let dims = scales.dims.clone();
        let mut values = [0.25; 28];
        values[7 + 5] = 0.1;
        set_floats(scales, &values);
        scales.dims = dims;
    });
    assert_eq!(found, NodeError::BlockScales { column: 5 });
    let found = node_error(SIXTEEN_BITS, |g| {
        let weights = g.initializer.iter_mut().find(|t| t.data_type == Some(data_type::INT16));
        let weights = weights.expect("weights of 16 bits");
        set_integers(weights, data_type::INT16, &[14, 7], &[-900; 98]);
        weights.int32_data[7 * 3 + 2] = -300;
    });
    let NodeError::WeightRange { column: 2, low, high } = found else { panic!("{found}") };
    assert_eq!(high - low, 600);
}

#[test]
fn few_bits_in_bytes() {
    let found = graph_error(BLOCKS, |g| {
        let tensor = g.initializer.iter_mut().find(|t| t.data_type == Some(data_type::INT4));
        tensor.expect("weights of 4 bits").dims = vec![16, 8];
    });
    let ImportError::Initializer { error, .. } = found else { panic!("not an initializer's") };
    assert!(matches!(error, TensorError::Length { expected: 128, .. }), "{error}");
}
