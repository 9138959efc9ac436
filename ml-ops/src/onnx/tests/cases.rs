//! The integer cases of the ONNX backend node suite, as far as they are networks of one integer or float activation.

use super::*;
use crate::array::{Array, ArrayData};
use crate::interpret;
use crate::onnx::constant;
use std::path::Path;

/// Cases whose outputs must be equal.
const EXACT: [&str; 21] = [
    "convinteger_with_padding",
    "convinteger_without_padding",
    "dequantizelinear",
    "dequantizelinear_axis",
    "dequantizelinear_blocked",
    "dequantizelinear_int16",
    "dequantizelinear_int2",
    "dequantizelinear_int4",
    "dequantizelinear_uint16",
    "dequantizelinear_uint2",
    "dequantizelinear_uint4",
    "matmulinteger",
    "qlinearconv",
    "qlinearmatmul_2D_int8_float16",
    "qlinearmatmul_2D_int8_float32",
    "qlinearmatmul_2D_uint8_float16",
    "qlinearmatmul_2D_uint8_float32",
    "quantizelinear",
    "quantizelinear_axis",
    "quantizelinear_int16",
    "quantizelinear_uint16",
];

/// Cases whose outputs must be equal, of operands with a matrix or scales for each index of their first dimension: the
/// operand that is an input is one sample, a dimension of batches before it.
const ONE_SAMPLE: [&str; 10] = [
    "qlinearmatmul_3D_int8_float16",
    "qlinearmatmul_3D_int8_float32",
    "qlinearmatmul_3D_uint8_float16",
    "qlinearmatmul_3D_uint8_float32",
    "quantizelinear_blocked_asymmetric",
    "quantizelinear_blocked_symmetric",
    "quantizelinear_int2",
    "quantizelinear_int4",
    "quantizelinear_uint2",
    "quantizelinear_uint4",
];

/// Cases that are left out, and why.
const LEFT_OUT: [(&str, &str); 6] = [
    ("dynamicquantizelinear", DYNAMIC),
    ("dynamicquantizelinear_expanded", DYNAMIC),
    ("dynamicquantizelinear_max_adjusted", DYNAMIC),
    ("dynamicquantizelinear_max_adjusted_expanded", DYNAMIC),
    ("dynamicquantizelinear_min_adjusted", DYNAMIC),
    ("dynamicquantizelinear_min_adjusted_expanded", DYNAMIC),
];

const DYNAMIC: &str = "scales that depend on the input are floats, in which runtimes differ";

/// The case's model with all operands but the first as constants, its input, and its output; of one sample perhaps.
fn case(folder: &Path, one_sample: bool) -> (ModelProto, Array, Array) {
    let bytes = std::fs::read(folder.join("model.onnx")).expect("a model");
    let mut model = ModelProto::decode(bytes.as_slice()).expect("a model");
    let data = |name: String| {
        let bytes = std::fs::read(folder.join("test_data_set_0").join(name)).expect("a tensor");
        TensorProto::decode(bytes.as_slice()).expect("a tensor")
    };
    let graph = graph(&mut model);
    for index in 1..graph.input.len() {
        let mut tensor = data(format!("input_{index}.pb"));
        tensor.name = graph.input[index].name.clone();
        graph.initializer.push(tensor);
    }
    // Samples are rows of the first dimension, or there is one.
    let of_input = graph.input[0].r#type.as_mut().and_then(|t| t.tensor_type.as_mut());
    let shape = of_input.and_then(|t| t.shape.as_mut()).expect("a shape");
    if one_sample {
        shape.dim.insert(0, shape.dim[0].clone());
        let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
        let named = |name| move |of: &&mut AttributeProto| of.name.as_deref() == Some(name);
        attributes.filter(named("axis")).for_each(|axis| axis.i = axis.i.map(|axis| axis + 1));
        // Blocks have as many dimensions as what they are of.
        let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
        if attributes.filter(named("block_size")).count() > 0 {
            graph.initializer.iter_mut().for_each(|tensor| tensor.dims.insert(0, 1));
        }
    }
    if let Some(batch) = shape.dim.first_mut() {
        batch.dim_value = None;
    }
    let array = |name: &str| {
        let mut tensor = data(name.to_owned());
        if one_sample {
            tensor.dims.insert(0, 1);
        }
        constant::array(&tensor)
    };
    let (input, output) = (array("input_0.pb"), array("output_0.pb"));
    let other = || Array::new(vec![0], ArrayData::U8(vec![])).expect("an empty array");
    (model, input.unwrap_or_else(|_| other()), output.unwrap_or_else(|_| other()))
}

#[test]
fn cases_of_the_node_suite() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models/onnx_node");
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    }
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .map(|name| name.trim_start_matches("test_").to_owned())
        .collect();
    found.sort();
    let mut listed: Vec<&str> = EXACT
        .iter()
        .chain(&ONE_SAMPLE)
        .chain(LEFT_OUT.iter().map(|(name, _)| name))
        .copied()
        .collect();
    listed.sort_unstable();
    assert_eq!(found, listed);
    for (name, one_sample) in
        EXACT.map(|name| (name, false)).into_iter().chain(ONE_SAMPLE.map(|name| (name, true)))
    {
        let (model, input, expected) = case(&folder.join(format!("test_{name}")), one_sample);
        let model = Model::from_onnx(&model.encode_to_vec()).expect(name);
        let graph = &model.graph;
        let (values, batch) =
            graph.input.encode(graph.input_shape(), &input).expect("the case's input");
        let trace = interpret::run(&model, &values, batch.size).expect("a run");
        let values = &trace.tensors[graph.output.tensor];
        let output = graph.output.decode(graph.output_shape(), values, batch);
        assert_eq!(output.expect("an output"), expected, "{name}");
    }
    for (name, reason) in LEFT_OUT {
        let (model, ..) = case(&folder.join(format!("test_{name}")), false);
        let imported = Model::from_onnx(&model.encode_to_vec());
        assert!(imported.is_err(), "{name}: {reason}");
    }
}
