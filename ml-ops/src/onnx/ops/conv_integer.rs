//! ConvInteger: a convolution of 8-bit operands less their zero points, the accumulators are the output.

use crate::graph::{Epilogue, IntegerType};
use crate::onnx::builder::Builder;
use crate::onnx::convolved::{self, Geometry};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, weights};
use crate::onnx::value::Value;
use crate::onnx::windows;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "ConvInteger",
    inputs: 4,
    attributes: &[&convolved::ATTRIBUTES, &windows::ATTRIBUTES],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    let kernels = node.constant(1)?;
    let geometry = Geometry::of(node, &x.view, kernels.shape(), 1)?;
    let zero_points = node.optional_constant(3)?.map(|array| &**array);
    let weights = weights(kernels, zero_points, Layout::Kernels, 1, 3)?;
    let zero_code = x.zero_code(node.zero_point(2, x.dtype)?);
    let (operands, output) =
        geometry.operands(builder, node, &x.view, zero_code, (weights, Vec::new()))?;
    let tensor = builder.matmul(&operands, Epilogue::Accumulator)?;
    Ok(Value::Integers(output.on(tensor), IntegerType::I32))
}
