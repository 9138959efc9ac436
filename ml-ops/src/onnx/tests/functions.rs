//! Functions of a file: what is written where they are called, and what is refused.

use super::*;
use crate::onnx::FunctionError;
use crate::onnx::proto::FunctionProto;

/// `Block`, called twice, calls `Codes`, as the graph does.
pub(super) const FUNCTIONS: &[u8] = fixture!("networks/functions_of_the_file");

fn function<'a>(model: &'a mut ModelProto, name: &str) -> &'a mut FunctionProto {
    let mut functions = model.functions.iter_mut();
    functions.find(|function| function.name.as_deref() == Some(name)).expect("a function")
}

/// The error of function `name` after `change`.
fn function_error(name: &str, change: impl FnOnce(&mut ModelProto)) -> FunctionError {
    match error(FUNCTIONS, change) {
        ImportError::Function { name: found, error } if found == name => error,
        other => panic!("not an error of {name}: {other}"),
    }
}

fn imported(change: impl FnOnce(&mut ModelProto)) -> Model {
    let mut model = parse(FUNCTIONS);
    change(&mut model);
    Model::from_onnx(&model.encode_to_vec()).expect("a model")
}

#[test]
fn calls_are_the_nodes_of_their_functions() {
    let model = imported(|_| {});
    // Names of a graph that are those of values within calls.
    let renamed = imported(|m| {
        let rename = |name: &mut String| {
            if name == "v2" {
                *name = "/1/y".to_owned();
            }
        };
        for node in &mut graph(m).node {
            node.input.iter_mut().chain(&mut node.output).for_each(rename);
        }
    });
    assert!(renamed == model);
    // An output that is another, one that is an input, and one that is not asked for.
    let passed = imported(|m| {
        let block = function(m, "Block");
        block.node[3].output = vec!["y_out".to_owned()];
        block.output = ["y_out", "y_out", "x"].map(str::to_owned).to_vec();
        for node in &mut graph(m).node {
            if node.op_type.as_deref() == Some("Block") {
                let own = node.output[0].clone();
                node.output = vec![String::new(), own];
            }
        }
    });
    assert!(passed == model);
    // The version that a function has is the file's if that has none.
    let sets = imported(|m| m.opset_import.retain(|set| set.domain.as_deref() == Some("own")));
    assert!(sets == model);
}

#[test]
fn attributes_are_those_of_the_call() {
    let model = imported(|_| {});
    let slope = |m: &mut ModelProto| function(m, "Block").attribute_proto[0].f = Some(0.5);
    assert!(imported(slope) != model);
    let refused = error(FUNCTIONS, |m| {
        // Without a value, LeakyRelu's own is meant; pads are then none, which the sum's shapes do not fit.
        graph(m).node.iter_mut().for_each(|node| {
            node.attribute.retain(|given| given.name.as_deref() != Some("its_pads"));
        });
    });
    assert!(matches!(refused, ImportError::Node { .. }), "{refused}");
}

#[test]
fn functions_that_are_refused() {
    let twice = function_error("Codes", |m| {
        let again = function(m, "Codes").clone();
        m.functions.push(again);
    });
    assert_eq!(twice, FunctionError::Twice);

    let operator = function_error("Relu", |m| {
        let own = function(m, "Codes");
        (own.domain, own.name) = (None, Some("Relu".to_owned()));
        let call = function(m, "Block").node.last_mut().expect("a call");
        (call.domain, call.op_type) = (Some("ai.onnx".to_owned()), Some("Relu".to_owned()));
    });
    assert_eq!(operator, FunctionError::Operator);

    let ports = function_error("Block", |m| function(m, "Block").input.truncate(4));
    assert_eq!(ports, FunctionError::Ports { inputs: 6, outputs: 1 });

    let opset = function_error("Codes", |m| {
        function(m, "Codes").opset_import[0].version = Some(13);
    });
    assert_eq!(opset, FunctionError::Opset { domain: String::new(), own: 13, of_file: 17 });
}

#[test]
fn calls_without_end() {
    // A function that calls itself, once and twice.
    for times in [1, 2] {
        let own = function_error("Codes", |m| {
            let codes = function(m, "Codes");
            let call = NodeProto {
                input: codes.input.clone(),
                output: vec![],
                op_type: codes.name.clone(),
                domain: codes.domain.clone(),
                ..NodeProto::default()
            };
            codes.node.extend(vec![call; times]);
        });
        assert_eq!(own, FunctionError::Deep);
    }
    // Forty functions, each of which calls the next twice: nothing is deep, and all is long.
    let long = error(FUNCTIONS, |m| {
        let name = |index: usize| Some(format!("f{index}"));
        let call = |index: usize| NodeProto {
            op_type: name(index),
            domain: Some("own".to_owned()),
            ..NodeProto::default()
        };
        m.functions.extend((0..40).map(|index| FunctionProto {
            name: name(index),
            domain: Some("own".to_owned()),
            node: vec![call(index + 1); 2],
            ..FunctionProto::default()
        }));
        graph(m).node.push(call(0));
    });
    assert!(matches!(long, ImportError::Function { error: FunctionError::Long, .. }), "{long}");
}
