//! Normalized groups, rotated features, equations and positions that are refused.

use super::*;

macro_rules! transformer {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/transformer/", $name, ".onnx")).as_slice()
    };
}

const GROUPS: &[u8] = transformer!("group_normalization");
const INSTANCES: &[u8] = transformer!("instance_normalization");
const CONTRIBUTED: &[u8] = transformer!("group_norm");
const SPELLED: &[u8] = transformer!("group_normalization_spelled");
const ROTARY: &[u8] = transformer!("rotary");
const JOINED: &[u8] = transformer!("rotary_interleaved");
const EINSUM: &[u8] =
    include_bytes!("../../../tests/fixtures/networks/einsum_heads_last.onnx").as_slice();
const ROBERTA: &[u8] =
    include_bytes!("../../../tests/fixtures/several_inputs/roberta.onnx").as_slice();

fn set(graph: &mut GraphProto, operator: &str, name: &str, value: i64) {
    let attributes = &mut node(graph, operator).attribute;
    attributes.retain(|attribute| attribute.name.as_deref() != Some(name));
    attributes.push(int_attribute(name, value));
}

#[test]
fn groups_that_channels_are_not_made_of() {
    let groups = |count| node_error(GROUPS, |g| set(g, "GroupNormalization", "num_groups", count));
    assert_eq!(groups(5), NodeError::OperandShape { index: 0, expected: 5, got: 12 });
    for value in [0, -3] {
        let wrong = NodeError::AttributeValue { attribute: "num_groups", value: value as f64 };
        assert_eq!(groups(value), wrong);
    }
    let few = node_error(INSTANCES, |g| {
        let name = node(g, "InstanceNormalization").input[1].clone();
        let of = g.initializer.iter_mut().find(|tensor| tensor.name.as_ref() == Some(&name));
        set_floats(of.expect("factors"), &[1.0; 5]);
    });
    assert_eq!(few, NodeError::OperandShape { index: 1, expected: 6, got: 5 });
    let other = node_error(CONTRIBUTED, |g| set(g, "GroupNorm", "activation", 2));
    assert_eq!(other, NodeError::AttributeValue { attribute: "activation", value: 2.0 });
    // A constant for each element of a group is none for each channel.
    let wide = node_error(SPELLED, |g| {
        let name = node(g, "Mul").input[1].clone();
        let of = g.initializer.iter_mut().find(|tensor| tensor.name.as_ref() == Some(&name));
        let of = of.expect("factors");
        let values: Vec<f32> = (0..7).map(|value| value as f32).collect();
        set_floats(of, &values);
    });
    assert_eq!(wide, NodeError::OperandShape { index: 1, expected: 1, got: 7 });
}

#[test]
fn rotations_that_are_not_of_constants() {
    let name = |index: usize| move |g: &GraphProto| g.node[1].input[index].clone();
    let with = |file: &[u8], index: usize, change: fn(&mut TensorProto)| {
        node_error(file, |g| {
            let name = name(index)(g);
            let of = g.initializer.iter_mut().find(|tensor| tensor.name.as_ref() == Some(&name));
            change(of.expect("a constant"));
        })
    };
    let far = |tensor: &mut TensorProto| {
        *tensor = TensorProto {
            dims: vec![1],
            data_type: Some(data_type::INT64),
            int64_data: vec![15],
            name: tensor.name.clone(),
            ..Default::default()
        };
    };
    // Positions 15 to 20 of a table of 20 rows of 4.
    let found = with(ROTARY, 1, far);
    assert_eq!(found, NodeError::OperandShape { index: 2, expected: 24, got: 80 });
    let narrow = with(ROTARY, 2, |tensor| set_floats(tensor, &[1.0; 3]));
    assert_eq!(narrow, NodeError::OperandShape { index: 2, expected: 4, got: 3 });
    let heads = node_error(JOINED, |g| set(g, "RotaryEmbedding", "num_heads", 3));
    assert_eq!(heads, NodeError::AttributeValue { attribute: "num_heads", value: 3.0 });
    let part = node_error(ROTARY, |g| set(g, "RotaryEmbedding", "rotary_embedding_dim", 4));
    let wrong = NodeError::AttributeValue { attribute: "rotary_embedding_dim", value: 4.0 };
    assert_eq!(part, wrong);
}

#[test]
fn equations_that_are_no_matmul() {
    let equation = |text: &str| {
        node_error(EINSUM, |g| {
            node(g, "Einsum").attribute[0].s = Some(text.as_bytes().to_vec());
        })
    };
    // A sum of one operand alone, a diagonal, an ellipsis, a batch that is not first, elements of both, no result.
    for text in [
        "bqhd,bkhe->bhqk",
        "bqhq,bkhd->bhqk",
        "b...d,bkhd->bhk",
        "bqhd,bkhd->hbqk",
        "bqhd,bkhd->bhqkx",
        "bqhd,bkhd",
    ] {
        let wrong = NodeError::AttributeText { attribute: "equation", value: text.to_owned() };
        assert_eq!(equation(text), wrong, "{text}");
    }
    let few = equation("bqd,bkhd->bhqk");
    assert_eq!(few, NodeError::OperandShape { index: 0, expected: 2, got: 3 });
}

#[test]
fn positions_that_a_table_has_no_rows_for() {
    // 16 tokens and 1; and 20 more are beyond its 24 rows.
    let add = |value: i64| {
        node_error(ROBERTA, |g| {
            let at = g.node.iter().position(|node| node.op_type.as_deref() == Some("CumSum"));
            let add =
                g.node[at.expect("a sum")..].iter().filter(|n| n.op_type.as_deref() == Some("Add"));
            let name = add.clone().nth(1).expect("the id of padding").input[1].clone();
            let of = g.initializer.iter_mut().find(|tensor| tensor.name.as_ref() == Some(&name));
            let of = of.expect("a constant");
            of.raw_data = Some(value.to_le_bytes().to_vec());
        })
    };
    let expected = "positions up to the last row of the table";
    for value in [8, 20, -1, i64::MAX] {
        assert_eq!(add(value), NodeError::Operand { index: 1, expected }, "{value}");
    }
    let reversed = node_error(ROBERTA, |g| set(g, "CumSum", "reverse", 1));
    assert_eq!(reversed, NodeError::AttributeValue { attribute: "reverse", value: 1.0 });
    // Of ids that there is no id of padding among.
    let other = node_error(ROBERTA, |g| {
        let name = node(g, "Equal").input[1].clone();
        let of = g.initializer.iter_mut().find(|tensor| tensor.name.as_ref() == Some(&name));
        of.expect("a constant").raw_data = Some(50i64.to_le_bytes().to_vec());
    });
    assert_eq!(other, NodeError::IndexRange { index: 1, value: 50, size: 50 });
}

#[test]
fn positions_may_come_before_the_ids_table() {
    let mut model = parse(ROBERTA);
    let nodes = &mut graph(&mut model).node;
    let of_ids = |node: &NodeProto| {
        node.op_type.as_deref() == Some("Gather") && node.input.get(1) == Some(&"input_ids".into())
    };
    // What is made of ids alone comes last of all that comes before it is read.
    let ids = nodes.iter().position(of_ids).expect("a table");
    let gather = nodes.remove(ids);
    let rows = gather.output[0].clone();
    let reader = nodes.iter().position(|node| node.input.contains(&rows)).expect("a reader");
    let quantize = nodes.remove(reader);
    let codes = quantize.output[0].clone();
    let last = nodes.iter().position(|node| node.input.contains(&codes)).expect("a reader");
    let dequantize = nodes.remove(last);
    let floats = dequantize.output[0].clone();
    let sum = nodes.iter().position(|node| node.input.contains(&floats)).expect("a sum");
    nodes.splice(sum..sum, [gather, quantize, dequantize]);
    let of_positions =
        |node: &NodeProto| node.op_type.as_deref() == Some("Gather") && !of_ids(node);
    assert!(nodes.iter().position(of_positions) < nodes.iter().position(of_ids));
    let moved = Model::from_onnx(&model.encode_to_vec()).expect("a model").graph;
    let as_it_was = Model::from_onnx(ROBERTA).expect("a model").graph;
    assert_eq!(moved.nodes.len(), as_it_was.nodes.len());
    assert_eq!(moved.input, as_it_was.input);
}
