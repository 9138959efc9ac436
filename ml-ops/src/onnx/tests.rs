//! Each way in which a file is refused, as a change to a file that is not.

use super::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, attribute_type, data_type,
};
use super::{ImportError, NodeError, TensorError};
use crate::graph::{GraphError, Model};
use proptest::prelude::*;
use prost::Message;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/", $name, ".onnx")).as_slice()
    };
}

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
    graph
        .node
        .iter_mut()
        .find(|node| node.op_type.as_deref() == Some(operator))
        .expect("a node")
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

#[test]
fn bytes_that_are_no_message() {
    let error = Model::from_onnx(&[0xff; 9]).expect_err("no message");
    assert!(matches!(error, ImportError::Protobuf(_)));
}

#[test]
fn files_without_a_graph() {
    assert_eq!(Model::from_onnx(&[]), Err(ImportError::NoGraph));
}

#[test]
fn operator_sets_that_are_unknown() {
    let opset = |domain: &str, version, first, last| ImportError::Opset {
        domain: domain.to_owned(),
        version,
        first,
        last,
    };
    let old = error(SHAPES, |m| m.opset_import[0].version = Some(9));
    assert_eq!(old, opset("", Some(9), 10, 25));
    let missing = error(QGEMM, |m| {
        m.opset_import.truncate(1);
        m.opset_import.push(OperatorSetIdProto {
            domain: Some("other".to_owned()),
            version: Some(1),
        });
    });
    assert_eq!(missing, opset("com.microsoft", None, 1, 1));
}

#[test]
fn sparse_initializers() {
    let found = graph_error(QGEMM, |g| g.sparse_initializer.push(vec![]));
    assert_eq!(found, ImportError::SparseInitializers { count: 1 });
}

#[test]
fn initializers_that_are_malformed() {
    let initializer = |change: fn(&mut TensorProto)| {
        let found = graph_error(QGEMM, |g| change(constant(g, "QGemm", 3)));
        match found {
            ImportError::Initializer { error, .. } => error,
            other => panic!("not an initializer's error: {other}"),
        }
    };
    assert_eq!(
        initializer(|t| t.data_type = Some(10)),
        TensorError::ElementType { got: 10 }
    );
    assert_eq!(
        initializer(|t| t.dims[1] = -1),
        TensorError::Dimension { axis: 1, value: -1 }
    );
    assert_eq!(
        initializer(|t| t.dims = vec![i64::MAX, 4]),
        TensorError::Dimension { axis: 1, value: 4 }
    );
    assert_eq!(
        initializer(|t| t.dims = vec![5, 5]),
        TensorError::Length {
            expected: 25,
            got: 168
        }
    );
    assert_eq!(
        initializer(|t| {
            t.data_type = Some(data_type::INT64);
            t.raw_data = Some(vec![0; 9]);
        }),
        TensorError::Length {
            expected: 168,
            got: 2
        }
    );
    assert_eq!(
        initializer(|t| set_integers(t, data_type::INT8, &[2], &[0, 128])),
        TensorError::Value {
            index: 1,
            value: 128
        }
    );
    assert_eq!(
        initializer(|t| t.data_location = Some(1)),
        TensorError::External
    );
}

#[test]
fn several_inputs_or_outputs() {
    let two = graph_error(QGEMM, |g| {
        let mut second = g.input[0].clone();
        second.name = Some("second".to_owned());
        g.input.push(second);
    });
    let ports = |inputs, outputs| ImportError::Ports { inputs, outputs };
    assert_eq!(two, ports(2, 1));
    assert_eq!(graph_error(QGEMM, |g| g.output.clear()), ports(1, 0));
}

#[test]
fn input_types_and_shapes() {
    let input = |change: fn(&mut TensorShapeProto)| {
        graph_error(QGEMM, |g| {
            let input = g.input[0].r#type.as_mut().expect("a type");
            let tensor = input.tensor_type.as_mut().expect("a tensor");
            change(tensor.shape.as_mut().expect("a shape"));
        })
    };
    let shape = |axis, value| ImportError::InputShape { axis, value };
    assert_eq!(input(|s| s.dim[0].dim_value = Some(8)), shape(0, Some(8)));
    assert_eq!(input(|s| s.dim[1].dim_value = None), shape(1, None));
    assert_eq!(input(|s| s.dim[1].dim_value = Some(0)), shape(1, Some(0)));
    let many = 1 << 29;
    assert_eq!(
        input(|s| s.dim[1].dim_value = Some(1 << 29)),
        shape(1, Some(many))
    );
    assert_eq!(input(|s| s.dim.clear()), shape(0, None));
    let wide = graph_error(QGEMM, |g| {
        let input = g.input[0].r#type.as_mut().expect("a type");
        input.tensor_type.as_mut().expect("a tensor").elem_type = Some(11);
    });
    assert_eq!(wide, ImportError::InputType { got: 11 });
}

#[test]
fn outputs_that_are_floats_or_missing() {
    let output = |name: &str| ImportError::Output {
        name: name.to_owned(),
    };
    // The result of the Gemm, the graph's float input, and no value at all.
    let gemm = graph_error(QDQ, |g| {
        g.output[0].name = node(g, "Gemm").output.first().cloned();
    });
    assert!(matches!(gemm, ImportError::Output { .. }));
    let input = graph_error(SHAPES, |g| g.output[0].name = Some("x".to_owned()));
    assert_eq!(input, output("x"));
    let none = graph_error(QDQ, |g| g.output[0].name = Some("none".to_owned()));
    assert_eq!(none, output("none"));
    // Floats that a Clip moves off the grid of codes.
    let clipped = graph_error(fixture!("dq_clip_q"), |g| {
        g.output[0].name = node(g, "Clip").output.first().cloned();
    });
    assert!(matches!(clipped, ImportError::Output { .. }));
}

#[test]
fn graphs_that_are_invalid() {
    let found = graph_error(SHAPES, |g| {
        let last = g.node.len() - 2;
        let name = g.node[last].input[1].clone();
        let tensor = g
            .initializer
            .iter_mut()
            .find(|t| t.name == Some(name.clone()));
        set_floats(tensor.expect("the output's scale"), &[f32::MAX]);
    });
    assert_eq!(
        found,
        ImportError::Graph(GraphError::PortScale { tensor: 1 })
    );
}

#[test]
fn unknown_operators_name_their_node() {
    let found = graph_error(QGEMM, |g| {
        g.node[0].op_type = Some("QGemv".to_owned());
        g.node[0].name = None;
    });
    let expected = ImportError::Node {
        node: "QGemv_0".to_owned(),
        operator: "com.microsoft.QGemv".to_owned(),
        error: NodeError::UnknownOperator,
    };
    assert_eq!(found, expected);
    let other_domain = node_error(QGEMM, |g| g.node[0].domain = None);
    assert_eq!(other_domain, NodeError::UnknownOperator);
}

#[test]
fn attributes_that_are_unknown_or_unsupported() {
    let unknown = node_error(CLIP, |g| g.node[0].attribute.push(int_attribute("min", 0)));
    let expected = NodeError::UnknownAttribute {
        attribute: "min".to_owned(),
    };
    assert_eq!(unknown, expected);
    let value = node_error(QDQ, |g| {
        let attribute = int_attribute("transA", 1);
        node(g, "Gemm").attribute.push(attribute);
    });
    let expected = NodeError::AttributeValue {
        attribute: "transA",
        value: 1.0,
    };
    assert_eq!(value, expected);
    let beta = node_error(QDQ, |g| {
        node(g, "Gemm").attribute.push(AttributeProto {
            name: Some("beta".to_owned()),
            f: Some(0.5),
            r#type: Some(attribute_type::FLOAT),
            ..Default::default()
        });
    });
    let expected = NodeError::AttributeValue {
        attribute: "beta",
        value: 0.5,
    };
    assert_eq!(beta, expected);
    let of_another_type = node_error(QDQ, |g| {
        let attribute = int_attribute("alpha", 1);
        node(g, "Gemm").attribute.push(attribute);
    });
    let expected = NodeError::AttributeType {
        attribute: "alpha".to_owned(),
        got: attribute_type::INT,
    };
    assert_eq!(of_another_type, expected);
    let flattened = node_error(SHAPES, |g| {
        node(g, "Flatten").attribute[0] = int_attribute("axis", 2);
    });
    let expected = NodeError::AttributeValue {
        attribute: "axis",
        value: 2.0,
    };
    assert_eq!(flattened, expected);
}

#[test]
fn constants_in_attributes_that_are_malformed() {
    let found = node_error(SHAPES, |g| {
        let tensor = g.node[0].attribute[0].t.as_mut().expect("a tensor");
        tensor.data_type = Some(16);
    });
    assert_eq!(
        found,
        NodeError::Constant(TensorError::ElementType { got: 16 })
    );
}

#[test]
fn inputs_and_outputs_of_nodes() {
    let many = node_error(CLIP, |g| g.node[0].input.push("x".to_owned()));
    assert_eq!(many, NodeError::TooManyInputs { most: 3, got: 4 });
    let missing = node_error(QGEMM, |g| g.node[0].input[3].clear());
    assert_eq!(missing, NodeError::MissingInput { index: 3 });
    let missing = node_error(QGEMM, |g| g.node[0].input.truncate(7));
    assert_eq!(missing, NodeError::MissingInput { index: 8 });
    let undefined = node_error(QGEMM, |g| g.node[0].input[3] = "none".to_owned());
    assert_eq!(undefined, NodeError::UndefinedInput { index: 3 });
    let outputs = node_error(QGEMM, |g| g.node[0].output.push("more".to_owned()));
    assert_eq!(outputs, NodeError::OutputCount { got: 2 });
    let redefined = node_error(QGEMM, |g| g.node[0].output[0] = "x".to_owned());
    assert_eq!(redefined, NodeError::Redefined);
}

#[test]
fn activations_where_weights_are_expected() {
    let found = node_error(QLINEAR, |g| g.node[0].input[3] = "x".to_owned());
    let expected = NodeError::Operand {
        index: 3,
        expected: "a constant",
    };
    assert_eq!(found, expected);
    let floats = node_error(QDQ, |g| {
        let x = node(g, "Gemm").input[0].clone();
        node(g, "Gemm").input[1] = x;
    });
    let expected = NodeError::Operand {
        index: 1,
        expected: "the DequantizeLinear of a constant",
    };
    assert_eq!(floats, expected);
}

#[test]
fn operand_types_and_shapes() {
    let weights = node_error(QLINEAR, |g| {
        set_integers(
            constant(g, "QLinearMatMul", 3),
            data_type::INT32,
            &[1],
            &[0],
        );
    });
    assert_eq!(weights, NodeError::OperandType { index: 3 });
    let zero = node_error(QLINEAR, |g| {
        set_integers(constant(g, "QLinearMatMul", 2), data_type::INT8, &[], &[0]);
    });
    assert_eq!(zero, NodeError::OperandType { index: 2 });
    let rank = node_error(QLINEAR, |g| constant(g, "QLinearMatMul", 3).dims = vec![80]);
    let shape = |index, expected, got| NodeError::OperandShape {
        index,
        expected,
        got,
    };
    assert_eq!(rank, shape(3, 2, 1));
    let depth = node_error(QLINEAR, |g| {
        constant(g, "QLinearMatMul", 3).dims = vec![8, 10];
        set_floats(constant(g, "QLinearMatMul", 4), &[1.0]);
        set_integers(
            constant(g, "QLinearMatMul", 5),
            data_type::UINT8,
            &[10],
            &[0; 10],
        );
    });
    assert_eq!(depth, shape(0, 8, 16));
    let scales = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 4), &[1.0; 3]);
    });
    assert_eq!(scales, shape(4, 5, 3));
    let two = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 1), &[1.0; 2]);
    });
    assert_eq!(two, shape(1, 1, 2));
}

#[test]
fn scales_that_are_no_positive_numbers() {
    for value in [0.0, -1.0, f32::INFINITY] {
        let found = node_error(QLINEAR, |g| {
            set_floats(constant(g, "QLinearMatMul", 6), &[value]);
        });
        assert_eq!(found, NodeError::Scale { index: 6, value });
    }
    let found = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 6), &[f32::NAN]);
    });
    assert!(matches!(found, NodeError::Scale { index: 6, .. }));
    let vanishing = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 4), &[1e-30]);
        set_floats(constant(g, "QLinearMatMul", 6), &[1e30]);
    });
    let expected = NodeError::AccumulatorScale {
        column: 0,
        value: 0.0,
    };
    assert_eq!(vanishing, expected);
}

#[test]
fn accumulators_beyond_32_bits() {
    let found = node_error(QGEMM, |g| {
        let biases = [i32::MAX; 7];
        set_integers(constant(g, "QGemm", 6), data_type::INT32, &[7], &biases);
    });
    assert!(matches!(found, NodeError::AccumulatorRange { bound } if bound >= 1 << 31));
}

#[test]
fn biases_in_another_unit() {
    // The third DequantizeLinear is the bias's.
    let bias = |g: &mut GraphProto, input: usize| {
        let name = g.node[2].input[input].clone();
        g.initializer
            .iter()
            .position(|t| t.name.as_ref() == Some(&name))
            .expect("an initializer")
    };
    let scale = node_error(QDQ, |g| {
        let at = bias(g, 1);
        set_floats(&mut g.initializer[at], &[0.5; 6]);
    });
    assert!(matches!(
        scale,
        NodeError::BiasScale {
            column: 0,
            got: 0.5,
            ..
        }
    ));
    let zero_point = node_error(QDQ, |g| {
        let at = bias(g, 2);
        let values = [0, 0, 5, 0, 0, 0];
        set_integers(&mut g.initializer[at], data_type::INT32, &[6], &values);
    });
    let expected = NodeError::BiasZeroPoint {
        column: 2,
        value: 5,
    };
    assert_eq!(zero_point, expected);
}

#[test]
fn clips_without_a_range() {
    let found = node_error(QDQ, |g| set_floats(constant(g, "Clip", 1), &[1e9]));
    assert!(matches!(found, NodeError::ClipBounds { low: 1e9, .. }));
    let found = node_error(QDQ, |g| set_floats(constant(g, "Clip", 1), &[f32::NAN]));
    assert!(matches!(found, NodeError::ClipBounds { .. }));
}

#[test]
fn reshapes_that_mix_the_batch() {
    let wrong = |axis, value| NodeError::Reshape { axis, value };
    for (shape, expected) in [
        (&[1, 24][..], wrong(0, 1)),
        (&[24], wrong(0, 24)),
        (&[], wrong(0, 0)),
        (&[-1, 12], wrong(0, -1)),
        (&[-1, -1], wrong(1, -1)),
        (&[0, 5, -1], wrong(1, 5)),
        (&[0, 2, 3, 4, 0], wrong(4, 0)),
        (&[0, -2], wrong(1, -2)),
        (&[0, i64::MAX, i64::MAX], wrong(1, i64::MAX)),
    ] {
        assert_eq!(node_error(SHAPES, |g| target(g, shape)), expected);
    }
}

#[test]
fn reshapes_that_regroup_rows_between_matmuls() {
    // From (batch, 3, 5) to (batch, 5, 3), and a matmul by a 3 x 5 matrix.
    let found = node_error(QLINEAR, |g| {
        g.initializer.push(TensorProto {
            dims: vec![3],
            data_type: Some(data_type::INT64),
            int64_data: vec![0, 5, 3],
            name: Some("shape".to_owned()),
            ..Default::default()
        });
        let mut weights = constant(g, "QLinearMatMul", 3).clone();
        weights.name = Some("narrow".to_owned());
        weights.dims = vec![3, 5];
        weights.raw_data.as_mut().expect("raw data").truncate(15);
        g.initializer.push(weights);
        let mut second = g.node[0].clone();
        second.input[0] = "reshaped".to_owned();
        second.input[3] = "narrow".to_owned();
        second.output[0] = "last".to_owned();
        let reshape = NodeProto {
            op_type: Some("Reshape".to_owned()),
            input: vec![g.node[0].output[0].clone(), "shape".to_owned()],
            output: vec!["reshaped".to_owned()],
            ..Default::default()
        };
        g.node.extend([reshape, second]);
    });
    let expected = NodeError::Regrouping {
        features: 3,
        rows_hold: 5,
    };
    assert_eq!(found, expected);
}

#[test]
fn quantizations_that_onnx_runtime_would_merge() {
    // The fixture's DequantizeLinear - QuantizeLinear, behind another QuantizeLinear.
    let change = |g: &mut GraphProto| {
        let input = g.input[0].r#type.as_mut().expect("a type");
        input.tensor_type.as_mut().expect("a tensor").elem_type = Some(data_type::FLOAT);
        let mut first = g.node[0].clone();
        first.op_type = Some("QuantizeLinear".to_owned());
        first.output[0] = "codes".to_owned();
        g.node[0].input[0] = "codes".to_owned();
        g.node.insert(0, first);
    };
    assert_eq!(
        node_error(REQUANTIZED, change),
        NodeError::DoubleQuantization
    );
}

#[test]
fn inputs_that_are_quantized_in_two_ways() {
    let found = node_error(SHAPES, |g| {
        let mut again = node(g, "QuantizeLinear").clone();
        again.output[0] = "again".to_owned();
        again.input.pop();
        g.node.push(again);
    });
    assert_eq!(found, NodeError::InputQuantizedTwice);
}

#[test]
fn nodes_that_nothing_reads_are_left_out() {
    let mut model = parse(SHAPES);
    let expected = Model::from_onnx(SHAPES).expect("a fixture");
    let mut again = node(graph(&mut model), "QGemm").clone();
    again.output[0] = "again".to_owned();
    graph(&mut model).node.push(again);
    let found = Model::from_onnx(&model.encode_to_vec());
    assert_eq!(found, Ok(expected));
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Model::from_onnx(&bytes).is_err());
    }

    #[test]
    fn mutated_files_do_not_panic(
        which in 0usize..6,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = [QGEMM, QLINEAR, QDQ, SHAPES, CLIP, REQUANTIZED][which].to_vec();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(model) = Model::from_onnx(&bytes) {
            prop_assert_eq!(model.validate(), Ok(()));
        }
    }
}
