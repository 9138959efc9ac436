//! Float operators behind the last integers: what is left out, and what is not.

use super::*;
use crate::graph::OutputTransform;
use crate::onnx::Tail;

/// Ends in a QuantizeLinear.
const NETWORK: &[u8] = fixture!("qdq_gemm");

fn appended(graph: &mut GraphProto, operator: &str, inputs: &[&str], output: &str) {
    graph.node.push(NodeProto {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(format!("the {operator}")),
        op_type: Some(operator.to_owned()),
        ..Default::default()
    });
}

/// The network with a DequantizeLinear behind it, whose output is `floats`, and what `more` adds.
fn with(more: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = parse(NETWORK);
    let graph = graph(&mut model);
    let last = graph.node.last().expect("a node").clone();
    let inputs = [&last.output[0], &last.input[1], &last.input[2]].map(String::as_str);
    appended(graph, "DequantizeLinear", &inputs, "floats");
    more(graph);
    model.encode_to_vec()
}

fn named(graph: &mut GraphProto, outputs: &[&str]) {
    let first = graph.output[0].clone();
    let port = |name: &&str| {
        let mut port = first.clone();
        port.name = Some((*name).to_owned());
        port
    };
    graph.output = outputs.iter().map(port).collect();
}

fn imported(bytes: &[u8]) -> Result<(Model, Option<Tail>), ImportError> {
    Model::from_onnx_without_tail(bytes, &mut |_| None)
}

#[test]
fn what_follows_on_the_last_floats_is_left_out_and_named() {
    let bytes = with(|graph| {
        appended(graph, "LogSoftmax", &["floats"], "a");
        appended(graph, "Exp", &["a"], "b");
        named(graph, &["b"]);
    });
    let strict = Model::from_onnx(&bytes).expect_err("a tail");
    assert!(
        matches!(&strict, ImportError::Node { node, .. } if node == "the LogSoftmax"),
        "{strict}"
    );
    let (model, tail) = imported(&bytes).expect("a network");
    let tail = tail.expect("a tail");
    assert_eq!((tail.outputs, tail.from), (vec!["b".to_owned()], vec!["floats".to_owned()]));
    let names: Vec<_> = tail.nodes.iter().map(|(_, operator)| operator.as_str()).collect();
    assert_eq!(names, ["LogSoftmax", "Exp"]);
    assert!(matches!(model.graph.output.transform, OutputTransform::Dequantize { .. }));
}

#[test]
fn other_outputs_stay_and_values_are_outputs_once() {
    let bytes = with(|graph| {
        appended(graph, "Softmax", &["floats"], "a");
        appended(graph, "Tanh", &["floats"], "b");
        named(graph, &["floats", "a", "b"]);
    });
    let (model, tail) = imported(&bytes).expect("a network");
    assert_eq!(tail.expect("a tail").outputs, ["a", "b"]);
    assert!(model.graph.more_outputs.is_empty());
    let whole = with(|graph| named(graph, &["floats"]));
    assert_eq!(imported(&whole).expect("a network").1, None);
}

#[test]
fn weights_and_integers_behind_are_not_left_out() {
    for (operator, more) in [("MatMul", "w"), ("Conv", "w"), ("Gemm", "w")] {
        let bytes = with(|graph| {
            let mut weights = TensorProto { name: Some(more.to_owned()), ..Default::default() };
            set_floats(&mut weights, &[0.3; 4]);
            graph.initializer.push(weights);
            appended(graph, "LogSoftmax", &["floats"], "a");
            appended(graph, operator, &["a", more], "b");
            named(graph, &["b"]);
        });
        let found = imported(&bytes).expect_err("weights");
        assert!(
            matches!(&found, ImportError::Node { node, .. } if node == "the LogSoftmax"),
            "{found}"
        );
    }
    let bytes = with(|graph| {
        let last = graph.node[graph.node.len() - 2].clone();
        appended(graph, "LogSoftmax", &["floats"], "a");
        appended(graph, "QuantizeLinear", &["a", &last.input[1], &last.input[2]], "b");
        named(graph, &["b"]);
    });
    assert!(imported(&bytes).is_err());
    // Nothing is left.
    let bytes = with(|graph| {
        let first = graph.input[0].name.clone().expect("a name");
        appended(graph, "LogSoftmax", &[&first], "a");
        named(graph, &["a"]);
    });
    assert!(imported(&bytes).is_err());
}
