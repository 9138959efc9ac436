//! Each way in which a file is refused, as a change to a file that is not.

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name, ".onnx")).as_slice()
    };
}

mod biases;
mod cases;
mod choices;
mod constants;
mod files;
mod functions;
mod groups;
mod images;
mod networks;
mod nodes;
mod overflows;
mod products;
mod quantizers;
mod rows;
mod several_inputs;
mod sixteen;
mod tails;
mod unquantized;

use super::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, attribute_type, data_type,
};
use super::{ImportError, NodeError, TensorError};
use crate::graph::Model;
use prost::Message;

const QGEMM: &[u8] = fixture!("qgemm");
const QLINEAR: &[u8] = fixture!("qlinear_matmul");
const QDQ: &[u8] = fixture!("qdq_gemm_clip");
const SHAPES: &[u8] = fixture!("shapes");
const CLIP: &[u8] = fixture!("clip_int8");
const REQUANTIZED: &[u8] = fixture!("dq_q");

fn parse(file: &[u8]) -> ModelProto {
    ModelProto::decode(file).expect("a fixture")
}

/// The error of `file` after `change`.
fn error(file: &[u8], change: impl FnOnce(&mut ModelProto)) -> ImportError {
    let mut model = parse(file);
    change(&mut model);
    Model::from_onnx(&model.encode_to_vec()).expect_err("a file that is refused")
}

fn graph_error(file: &[u8], change: impl FnOnce(&mut GraphProto)) -> ImportError {
    error(file, |model| change(graph(model)))
}

/// The error of the node that `file` is refused for after `change`.
fn node_error(file: &[u8], change: impl FnOnce(&mut GraphProto)) -> NodeError {
    match graph_error(file, change) {
        ImportError::Node { error, .. } => error,
        other => panic!("not a node's error: {other}"),
    }
}

fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.as_mut().expect("a graph")
}

/// The constant that is input `index` of the first node of operator `operator`.
fn constant<'a>(graph: &'a mut GraphProto, operator: &str, index: usize) -> &'a mut TensorProto {
    let name = node(graph, operator).input[index].clone();
    graph
        .initializer
        .iter_mut()
        .find(|tensor| tensor.name.as_ref() == Some(&name))
        .expect("an initializer")
}

fn node<'a>(graph: &'a mut GraphProto, operator: &str) -> &'a mut NodeProto {
    graph.node.iter_mut().find(|node| node.op_type.as_deref() == Some(operator)).expect("a node")
}

/// Replaces a constant by floats.
fn set_floats(tensor: &mut TensorProto, values: &[f32]) {
    *tensor = TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(data_type::FLOAT),
        float_data: values.to_vec(),
        name: tensor.name.clone(),
        ..Default::default()
    };
}

/// Replaces a constant by integers of type `of`.
fn set_integers(tensor: &mut TensorProto, of: i32, dims: &[i64], values: &[i32]) {
    *tensor = TensorProto {
        dims: dims.to_vec(),
        data_type: Some(of),
        int32_data: values.to_vec(),
        name: tensor.name.clone(),
        ..Default::default()
    };
}

fn ints_attribute(name: &str, values: Vec<i64>) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        ints: values,
        r#type: Some(attribute_type::INTS),
        ..Default::default()
    }
}

fn float_attribute(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        f: Some(value),
        r#type: Some(attribute_type::FLOAT),
        ..Default::default()
    }
}

fn int_attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(attribute_type::INT),
        ..Default::default()
    }
}

/// Sets the target shape of the first Reshape of the `shapes` fixture.
fn target(graph: &mut GraphProto, shape: &[i64]) {
    let value = graph.node[0].attribute[0].t.as_mut().expect("a tensor");
    *value = TensorProto {
        dims: vec![shape.len() as i64],
        data_type: Some(data_type::INT64),
        int64_data: shape.to_vec(),
        ..Default::default()
    };
}
