//! What networks of the usual exporters have, changed so that it is refused.

use super::*;
use crate::onnx::ExternalData;
use crate::onnx::proto::StringStringEntryProto;

macro_rules! network {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/networks/", $name, ".onnx")).as_slice()
    };
}

const TRANSPOSED: &[u8] = network!("transposed_odd");
const RESIZED: &[u8] = network!("resize_scales");
const NORMALIZED: &[u8] = network!("batch_normalization");
const ROOTS: &[u8] = network!("roots");
const BOUNDED: &[u8] = network!("least_and_most");
const WEIGHTS: &[u8] = network!("weights_and_bias_in_floats");
const PLACES: &[u8] = network!("places_in_front");
const LOCAL: &[u8] = network!("local_normalization");
const REFLECTED: &[u8] = network!("pad_reflect");
const FLOATS: &[u8] = network!("float_weights_matmul");

fn attribute<'a>(graph: &'a mut GraphProto, operator: &str, name: &str) -> &'a mut AttributeProto {
    let node = node(graph, operator);
    let found = node.attribute.iter_mut().find(|attribute| attribute.name.as_deref() == Some(name));
    found.expect("an attribute")
}

#[test]
fn transposed_convolutions_of_other_strides_and_sizes() {
    let with = |name: &str, values: Vec<i64>| {
        node_error(TRANSPOSED, |g| attribute(g, "ConvTranspose", name).ints = values)
    };
    let value = |attribute, value| NodeError::AttributeValue { attribute, value };
    assert_eq!(with("strides", vec![0, 2]), value("strides", 0.0));
    assert_eq!(with("strides", vec![1 << 28, 2]), value("strides", f64::from(1 << 28)));
    assert_eq!(with("pads", vec![9, 1, 9, 1]), value("pads", 9.0));
    assert_eq!(with("kernel_shape", vec![3, 2]), value("kernel_shape", 2.0));
    let found = node_error(TRANSPOSED, |g| {
        node(g, "ConvTranspose").attribute.push(ints_attribute("dilations", vec![1, 1 << 28]));
    });
    assert_eq!(found, value("strides", 2.0));
    let found = node_error(TRANSPOSED, |g| attribute(g, "ConvTranspose", "group").i = Some(3));
    assert_eq!(found, value("group", 3.0));
}

#[test]
fn sizes_that_are_none() {
    let scales =
        |values: &[f32]| node_error(RESIZED, |g| set_floats(constant(g, "Resize", 2), values));
    assert_eq!(scales(&[2.0, 1.0, 2.0, 1.0]), NodeError::NotOnGrid { index: 2, value: 2.0 });
    assert_eq!(scales(&[1.0, 1.0, 1e9, 1.0]), NodeError::NotOnGrid { index: 2, value: 1e9 });
    let shape = NodeError::OperandShape { index: 2, expected: 4, got: 3 };
    assert_eq!(scales(&[1.0, 2.0, 1.0]), shape);
    let cubic = node_error(RESIZED, |g| {
        attribute(g, "Resize", "mode").s = Some(b"cubic".to_vec());
    });
    assert_eq!(cubic, NodeError::AttributeText { attribute: "mode", value: "cubic".to_owned() });
}

#[test]
fn samples_are_asked_for_where_the_batch_is_elsewhere() {
    // The largest of each window of an image, of places without a batch.
    let found = node_error(PLACES, |g| {
        let relu = node(g, "Relu");
        relu.op_type = Some("MaxPool".to_owned());
        relu.attribute.push(ints_attribute("kernel_shape", vec![1]));
    });
    assert_eq!(found, NodeError::NoBatch { index: 0 });
}

#[test]
fn neighbours_that_are_none() {
    for (name, value) in [("size", 0.0), ("size", -3.0)] {
        let found = node_error(LOCAL, |g| attribute(g, "LRN", name).i = Some(value as i64));
        assert_eq!(found, NodeError::AttributeValue { attribute: "size", value });
    }
    let found = node_error(LOCAL, |g| attribute(g, "LRN", "beta").f = Some(-1.0));
    assert_eq!(found, NodeError::AttributeValue { attribute: "beta", value: -1.0 });
    // As many as the dimension has elements beside the last.
    let found = node_error(REFLECTED, |g| {
        constant(g, "Pad", 1).raw_data =
            Some([0i64, 0, 6, 0, 0, 0, 0, 0].map(i64::to_le_bytes).concat());
    });
    assert_eq!(found, NodeError::AttributeValue { attribute: "pads", value: 6.0 });
}

#[test]
fn float_weights_that_are_no_numbers() {
    let found = node_error(FLOATS, |g| {
        let weights = constant(g, "MatMul", 1);
        let dims = weights.dims.clone();
        let mut values = vec![0.1; dims.iter().product::<i64>() as usize];
        values[3] = f32::INFINITY;
        set_floats(weights, &values);
        weights.dims = dims;
    });
    assert_eq!(found, NodeError::NotOnGrid { index: 1, value: f32::INFINITY });
}

#[test]
fn functions_of_other_operands() {
    let found = node_error(ROOTS, |g| set_floats(constant(g, "Pow", 1), &[2.5]));
    assert_eq!(found, NodeError::NotOnGrid { index: 1, value: 2.5 });
    let found = node_error(BOUNDED, |g| {
        let codes = g.node.last().expect("a node").output[0].clone();
        let mut least = node(g, "Min").clone();
        (least.input[1], least.output[0]) = (codes, "least".to_owned());
        g.node.push(least);
    });
    assert!(matches!(found, NodeError::Operand { index: 1, .. }), "{found}");
    let found =
        node_error(NORMALIZED, |g| set_floats(constant(g, "BatchNormalization", 3), &[0.0]));
    assert_eq!(found, NodeError::OperandShape { index: 3, expected: 5, got: 1 });
    let found = node_error(NORMALIZED, |g| {
        set_floats(constant(g, "BatchNormalization", 4), &[-1.0; 5]);
    });
    assert!(matches!(found, NodeError::NotOnGrid { .. }), "{found}");
}

#[test]
fn weights_that_are_quantized_by_other_axes() {
    let found = node_error(WEIGHTS, |g| attribute(g, "QuantizeLinear", "axis").i = Some(1));
    assert_eq!(found, NodeError::OperandShape { index: 1, expected: 5, got: 6 });
    let found = node_error(WEIGHTS, |g| attribute(g, "QuantizeLinear", "axis").i = Some(4));
    assert_eq!(found, NodeError::AttributeValue { attribute: "axis", value: 4.0 });
}

#[test]
fn constants_that_nothing_reads_may_have_any_type() {
    let mut model = parse(QGEMM);
    let unread =
        TensorProto { data_type: Some(11), name: Some("unread".to_owned()), ..Default::default() };
    graph(&mut model).initializer.push(unread);
    assert_eq!(Model::from_onnx(&model.encode_to_vec()), Model::from_onnx(QGEMM));
}

#[test]
fn constants_in_other_files_are_read_there() {
    let mut model = parse(QGEMM);
    let tensor = constant(graph(&mut model), "QGemm", 3);
    let bytes = tensor.raw_data.take().expect("raw data");
    let entry = |key: &str, value: &str| {
        let (key, value) = (Some(key.to_owned()), Some(value.to_owned()));
        StringStringEntryProto { key, value }.encode_to_vec()
    };
    tensor.external_data = vec![entry("location", "weights"), entry("offset", "4096")];
    tensor.data_location = Some(1);
    let file = model.encode_to_vec();
    let expected = ExternalData { location: "weights".to_owned(), offset: 4096, length: None };
    let mut read = |place: &ExternalData| (*place == expected).then(|| bytes.clone());
    assert_eq!(Model::from_onnx_with(&file, &mut read), Model::from_onnx(QGEMM));
    let refused = Model::from_onnx(&file).expect_err("no reader");
    assert!(matches!(refused, ImportError::Initializer { error: TensorError::External, .. }));
    let short = Model::from_onnx_with(&file, &mut |_| Some(vec![1])).expect_err("too few bytes");
    let wrong = matches!(short, ImportError::Initializer { error: TensorError::Length { .. }, .. });
    assert!(wrong, "{short}");
}
