//! Quantizers of QONNX that are refused, and what becomes of their bits.

use super::*;
use crate::array::{Array, ArrayData};
use crate::onnx::proto::{StringStringEntryProto, TensorAnnotation};

const FEW_BITS: &[u8] = fixture!("qonnx/few_bits");
const TRUNCATED: &[u8] = fixture!("qonnx/truncated_v1");
const BIPOLAR: &[u8] = fixture!("qonnx/bipolar");

/// The quantizers of the input and of the first weights, `(8, 3, 3, 3)`.
const OF_INPUT: &str = "Quant";
const OF_WEIGHTS: &str = "IntQuant";

/// A constant of its own in the place of operand `index` of a quantizer.
fn operand(of: &str, index: usize, dims: &[i64], values: &[f32]) -> NodeError {
    node_error(FEW_BITS, |g| {
        node(g, of).input[index] = "other".to_owned();
        g.initializer.push(TensorProto {
            name: Some("other".to_owned()),
            dims: dims.to_vec(),
            data_type: Some(data_type::FLOAT),
            float_data: values.to_vec(),
            ..TensorProto::default()
        });
    })
}

#[test]
fn scales_zero_points_and_bits_are_constants() {
    let found = operand(OF_INPUT, 1, &[], &[-0.5]);
    assert_eq!(found, NodeError::Scale { index: 1, value: -0.5 });
    let found = operand(OF_INPUT, 1, &[2, 2], &[0.5; 4]);
    assert!(matches!(found, NodeError::Operand { index: 1, .. }), "{found}");
    for zero in [0.5, 128.0, f32::NAN] {
        let found = operand(OF_INPUT, 2, &[], &[zero]);
        assert!(matches!(found, NodeError::NotOnGrid { index: 2, .. }), "{found}");
    }
    for bits in [0.0, 2.5, 33.0, -1.0, f32::INFINITY] {
        assert_eq!(operand(OF_INPUT, 3, &[], &[bits]), NodeError::Bits { value: bits });
    }
    // Floats that the network computes have at most 16.
    assert_eq!(operand(OF_INPUT, 3, &[], &[17.0]), NodeError::Bits { value: 17.0 });
    let found = node_error(FEW_BITS, |g| node(g, OF_INPUT).input[1] = "x".to_owned());
    assert_eq!(found, NodeError::Operand { index: 1, expected: "a constant" });
    let found = node_error(FEW_BITS, |g| node(g, OF_INPUT).input.truncate(3));
    assert_eq!(found, NodeError::MissingInput { index: 3 });
}

#[test]
fn weights_have_as_many_scales_as_an_axis() {
    let found = operand(OF_WEIGHTS, 1, &[7, 1, 1, 1], &[0.5; 7]);
    assert_eq!(found, NodeError::OperandShape { index: 1, expected: 8, got: 7 });
    let found = operand(OF_WEIGHTS, 0, &[8, 3, 3, 3], &[f32::INFINITY; 216]);
    assert_eq!(found, NodeError::NotOnGrid { index: 0, value: f32::INFINITY });
}

#[test]
fn rounding_is_to_nearest_of_activations() {
    let round = |text: &str| {
        let text = text.as_bytes().to_vec();
        move |node: &mut NodeProto| {
            let of = |attribute: &&mut AttributeProto| {
                attribute.name.as_deref() == Some("rounding_mode")
            };
            node.attribute.iter_mut().find(of).expect("a mode").s = Some(text);
        }
    };
    let refused = |value: &str| NodeError::AttributeText {
        attribute: "rounding_mode",
        value: value.to_owned(),
    };
    let found = node_error(FEW_BITS, |g| round("floor")(node(g, OF_INPUT)));
    assert_eq!(found, refused("FLOOR"));
    let found = node_error(FEW_BITS, |g| round("HALF_UP")(node(g, OF_WEIGHTS)));
    assert_eq!(found, refused("HALF_UP"));
    let mut lower = parse(FEW_BITS);
    round("round")(node(graph(&mut lower), OF_INPUT));
    let model = Model::from_onnx(FEW_BITS).expect("a fixture");
    assert_eq!(Model::from_onnx(&lower.encode_to_vec()), Ok(model));
}

#[test]
fn steps_beyond_integers_are_refused() {
    let found = node_error(TRUNCATED, |g| {
        let scale = constant(g, "Trunc", 1);
        set_floats(scale, &[1e30]);
    });
    assert_eq!(found, NodeError::NoTables);
}

#[test]
fn what_is_cut_off_has_16_bits() {
    for (bits, value) in [(16.0, 17.0), (3.0, -1.0), (5.5, 1.5)] {
        let found = node_error(TRUNCATED, |g| set_floats(constant(g, "Trunc", 3), &[bits]));
        assert_eq!(found, NodeError::Bits { value });
    }
    // Four bits at a scale that is `2^13` times as large.
    let found = node_error(fixture!("qonnx/truncated_v2"), |g| {
        set_floats(constant(g, "Trunc", 4), &[256.0]);
    });
    assert_eq!(found, NodeError::Bits { value: 17.0 });
}

#[test]
fn other_attributes_are_refused() {
    let found = node_error(BIPOLAR, |g| {
        node(g, "BipolarQuant").attribute.push(int_attribute("signed", 1));
    });
    assert_eq!(found, NodeError::UnknownAttribute { attribute: "signed".to_owned() });
}

#[test]
fn one_scale_chooses_of_two_numbers() {
    let found = node_error(BIPOLAR, |g| {
        let mut scales = constant(g, "BipolarQuant", 1).clone();
        scales.name = Some("scales".to_owned());
        scales.dims = vec![2];
        set_floats(&mut scales, &[1.0, 2.0]);
        g.initializer.push(scales);
        node(g, "BipolarQuant").input[1] = "scales".to_owned();
    });
    assert_eq!(found, NodeError::OperandShape { index: 1, expected: 1, got: 2 });
}

#[test]
fn an_annotation_quantizes_the_input() {
    let mut model = parse(FEW_BITS);
    let of = |name: &str, dtype: &str| TensorAnnotation {
        tensor_name: Some(name.to_owned()),
        quant_parameter_tensor_names: vec![StringStringEntryProto {
            key: Some("finn_datatype".to_owned()),
            value: Some(dtype.to_owned()),
        }],
    };
    let given = Model::from_onnx(FEW_BITS).expect("a fixture");
    // One that says nothing of integers changes nothing.
    graph(&mut model).quantization_annotation = vec![of("x", "FLOAT32"), of("c0", "INT4")];
    assert_eq!(Model::from_onnx(&model.encode_to_vec()), Ok(given));
    graph(&mut model).quantization_annotation = vec![of("x", "UINT40")];
    let error = Model::from_onnx(&model.encode_to_vec()).expect_err("too many bits");
    let bits = NodeError::Bits { value: 40.0 };
    assert!(matches!(error, ImportError::Node { node, error, .. } if node == "x" && error == bits));
}

/// The codes of the input that is compared with `to`.
fn compared(operator: &str, to: f32, floats: &[f32]) -> Vec<u8> {
    let mut model = parse(BIPOLAR);
    let graph = graph(&mut model);
    let float = |name: &str, value: f32| TensorProto {
        name: Some(name.to_owned()),
        data_type: Some(data_type::FLOAT),
        float_data: vec![value],
        ..TensorProto::default()
    };
    graph.initializer.extend([float("to", to), float("yes", 1.0), float("no", -1.0)]);
    // The pixels themselves are compared, in the place of the first quantizer.
    let at = graph.node.iter().position(|n| n.op_type.as_deref() == Some("BipolarQuant"));
    let quantizer = graph.node.remove(at.expect("a quantizer"));
    let made = |operator: &str, input: &[&str], output: &str| NodeProto {
        input: input.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: Some(operator.to_owned()),
        ..NodeProto::default()
    };
    let chosen = made("Where", &["flags", "yes", "no"], &quantizer.output[0]);
    let nodes = [made(operator, &["x", "to"], "flags"), chosen];
    graph.node.splice(..0, nodes);
    let model = Model::from_onnx(&model.encode_to_vec()).unwrap_or_else(|error| panic!("{error}"));
    let sample = floats.iter().copied().chain(std::iter::repeat(0.0)).take(36).collect();
    let array = Array::new(vec![1, 1, 6, 6], ArrayData::F32(sample)).expect("a sample");
    let port = &model.graph.input;
    let (values, _) = port.encode(&model.graph.tensors[port.tensor], &array).expect("codes");
    let codes = values.as_codes().expect("codes");
    codes[..floats.len()].to_vec()
}

#[test]
fn the_input_is_compared_exactly() {
    for to in [0.5f32, 0.0, -0.0, -3e-41, 1e30, -7.25] {
        let near = [to.next_down(), to, to.next_up(), -to, f32::MIN, f32::MAX, f32::INFINITY];
        let at_least: Vec<u8> = near.iter().map(|&x| (x >= to).into()).collect();
        let above: Vec<u8> = near.iter().map(|&x| (x > to).into()).collect();
        for (operator, expected) in [("GreaterOrEqual", &at_least), ("Less", &at_least)] {
            assert_eq!(&compared(operator, to, &near), expected, "{operator} {to}");
        }
        for (operator, expected) in [("Greater", &above), ("LessOrEqual", &above)] {
            assert_eq!(&compared(operator, to, &near), expected, "{operator} {to}");
        }
    }
}
