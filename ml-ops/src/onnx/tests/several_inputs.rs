//! Networks with several inputs, changed so that they are refused, or not seen to be what they were.

use super::*;
use crate::graph::{InputTransform, Op};

macro_rules! network {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/several_inputs/", $name, ".onnx"))
            .as_slice()
    };
}

const SPELLED: &[u8] = network!("bert_spelled");
const ADDED: &[u8] = network!("mask_added");
const AND: &[u8] = network!("mask_and");
const TWICE: &[u8] = network!("mask_added_twice");
const FLAGS: &[u8] = network!("mask_of_flags");
const IMAGE: &[u8] = network!("image_and_features");

fn imported(file: &[u8], change: impl FnOnce(&mut GraphProto)) -> Model {
    let mut model = parse(file);
    change(graph(&mut model));
    Model::from_onnx(&model.encode_to_vec()).expect("a model")
}

#[test]
fn what_nothing_reads_is_no_input() {
    let model = imported(IMAGE, |g| {
        let mut more = g.input[0].clone();
        more.name = Some("more".to_owned());
        g.input.insert(1, more);
    });
    assert_eq!(model, Model::from_onnx(IMAGE).expect("a model"));
    assert_eq!(model.graph.input_names, ["image", "features"]);
}

#[test]
fn each_input_has_a_type_and_the_batch() {
    let error = graph_error(IMAGE, |g| {
        let of = g.input[1].r#type.as_mut().and_then(|t| t.tensor_type.as_mut());
        of.expect("a tensor").elem_type = Some(11);
    });
    assert_eq!(error, ImportError::InputType { input: 1, got: 11 });
    let size = |axis: usize, value: Option<i64>| {
        graph_error(IMAGE, |g| {
            let of = g.input[1].r#type.as_mut().and_then(|t| t.tensor_type.as_mut());
            let shape = of.and_then(|t| t.shape.as_mut()).expect("a shape");
            shape.dim[axis].dim_value = value;
        })
    };
    let wrong = |axis, value| ImportError::InputShape { input: 1, axis, value };
    let name = String::new();
    assert_eq!(size(1, None), ImportError::OpenDimension { input: 1, axis: 1, name });
    // The batch of one is 1, that of the others is open.
    assert_eq!(size(0, Some(1)), wrong(0, Some(1)));
    assert_eq!(size(0, Some(2)), wrong(0, Some(2)));
}

#[test]
fn ids_are_whole_inputs_of_one_table_size() {
    // The types' table is that of the tokens: the same input cannot be numbers below 2 and below 50.
    let error = node_error(SPELLED, |g| {
        let gathers: Vec<usize> = (0..g.node.len())
            .filter(|&at| g.node[at].input.get(1).is_some_and(|name| name == "token_type_ids"))
            .collect();
        g.node[gathers[0]].input[1] = "input_ids".to_owned();
    });
    assert_eq!(error, NodeError::InputQuantizedTwice);
    // Nor can ids be a mask.
    let error = node_error(SPELLED, |g| {
        let unsqueeze = g.node.iter_mut().find(|node| node.input[0] == "attention_mask");
        unsqueeze.expect("a mask").input[0] = "input_ids".to_owned();
    });
    assert_eq!(error, NodeError::InputQuantizedTwice);
}

#[test]
fn a_mean_that_is_taken_off_is_of_a_normalization_whose_parts_are_floats() {
    // Another function of the variance: the parts are not put together.
    let error = node_error(SPELLED, |g| node(g, "Sqrt").op_type = Some("Exp".to_owned()));
    assert_eq!(error, NodeError::QuantizedParts);
}

#[test]
fn masks_leave_out_what_is_small_enough() {
    // Nothing beside -1 can be as small as nothing: two tensors are added, of which there is no Softmax.
    let error = node_error(ADDED, |g| set_floats(constant(g, "Mul", 1), &[-1.0]));
    let expected = "the DequantizeLinear of an 8-bit tensor that the graph computes";
    assert_eq!(error, NodeError::Operand { index: 0, expected });
    let error = node_error(FLAGS, |g| set_floats(constant(g, "Where", 1), &[-1.0]));
    let expected = "a dequantized tensor, or a number that is nothing beside its elements";
    assert_eq!(error, NodeError::Operand { index: 1, expected });
    // A mask that is not of the scores' shape.
    let error = node_error(ADDED, |g| {
        let axes = constant(g, "Unsqueeze", 1);
        (axes.dims, axes.raw_data) = (vec![1], Some(1i64.to_le_bytes().to_vec()));
    });
    assert_eq!(error, NodeError::OperandShape { index: 1, expected: 3, got: 2 });
}

/// Flags of another tensor than an input leave nothing out: that is refused, not forgotten.
#[test]
fn masks_are_of_inputs() {
    let error = node_error(FLAGS, |g| {
        let x = node(g, "DequantizeLinear").output[0].clone();
        let least = node(g, "Where").input[1].clone();
        let turned = node(g, "Unsqueeze");
        turned.op_type = Some("Transpose".to_owned());
        turned.input = vec![x];
        turned.attribute = vec![ints_attribute("perm", vec![0, 1, 3, 2])];
        let flags = node(g, "Not");
        flags.op_type = Some("Greater".to_owned());
        flags.input.push(least);
    });
    let expected = "flags that an input's numbers or a constant make";
    assert_eq!(error, NodeError::Operand { index: 0, expected });
}

#[test]
fn masks_that_meet_are_of_one_shape() {
    // A constant of as many rows, and of other columns.
    let error = node_error(AND, |g| {
        let flags = constant(g, "And", 0);
        flags.dims = vec![1, 1, 12, 3];
    });
    assert_eq!(error, NodeError::OperandShape { index: 0, expected: 6, got: 3 });
    let error = node_error(AND, |g| set_floats(constant(g, "And", 0), &[1.0]));
    assert_eq!(error, NodeError::OperandType { index: 0 });
    // What is added to masked scores is a mask.
    let error = node_error(TWICE, |g| set_floats(constant(g, "Mul", 1), &[-1.0]));
    let expected = "a dequantized tensor, the other a mask";
    assert_eq!(error, NodeError::Operand { index: 1, expected });
}

#[test]
fn operators_that_stand_for_several_name_the_way_out() {
    let error = node_error(ADDED, |g| node(g, "Softmax").op_type = Some("Attention".to_owned()));
    assert_eq!(error, NodeError::SeveralOperators);
}

/// How many normalizations there are, by the nodes that make them.
fn normalizations(model: &Model) -> usize {
    let is = |name: &str| name.ends_with("/normalized");
    model.graph.nodes.iter().filter(|node| is(&node.name)).count()
}

#[test]
fn normalizations_are_seen_in_their_parts() {
    let model = Model::from_onnx(SPELLED).expect("a model");
    assert_eq!(normalizations(&model), 5);
    let of = |node: &crate::graph::Node| matches!(node.op, Op::Max { .. });
    assert_eq!(model.graph.nodes.iter().filter(|node| of(node)).count(), 2);
    let transform = &model.graph.more_inputs[0].transform;
    assert_eq!(*transform, InputTransform::Numbers { count: 2 });
    // A square as a product, and operands the other way around.
    let same = imported(SPELLED, |g| {
        let at = g.node.iter().position(|node| node.op_type.as_deref() == Some("Pow"));
        let pow = &mut g.node[at.expect("a square")];
        pow.op_type = Some("Mul".to_owned());
        pow.input[1] = pow.input[0].clone();
        let at = g.node.iter().position(|node| node.op_type.as_deref() == Some("Sqrt"));
        let summed = g.node[at.expect("a root")].input[0].clone();
        let sum = g.node.iter_mut().find(|node| node.output[0] == summed);
        sum.expect("a sum").input.reverse();
    });
    assert_eq!(same, model);
}

#[test]
fn other_parts_are_no_normalization() {
    let refused = |change: fn(&mut GraphProto)| {
        graph_error(SPELLED, change);
    };
    refused(|g| node(g, "ReduceMean").attribute[0].ints = vec![1]);
    refused(|g| set_floats(constant(g, "Pow", 1), &[3.0]));
    refused(|g| node(g, "Div").input.reverse());
    refused(|g| node(g, "Sqrt").op_type = Some("Abs".to_owned()));
    // Something else reads what is between.
    refused(|g| {
        let name = node(g, "Sqrt").output[0].clone();
        let mut output = g.output[0].clone();
        output.name = Some(name);
        g.output.push(output);
    });
}
