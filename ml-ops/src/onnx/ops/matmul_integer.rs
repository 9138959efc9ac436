//! MatMulInteger: 8-bit operands less their zero points, the accumulators are the output.

use crate::graph::{Epilogue, IntegerType};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads::Heads;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, product, weights};
use crate::onnx::value::{MatMulOperands, Value};

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "MatMulInteger",
    inputs: 4,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    if let Value::Codes(y) = node.value(1)? {
        let zeros =
            [x.zero_code(node.zero_point(2, x.dtype)?), y.zero_code(node.zero_point(3, y.dtype)?)];
        let (heads, output) = Heads::new(node, [&x.view, &y.view], zeros, 1)?;
        let tensor = heads.add(builder, Epilogue::Accumulator)?;
        return Ok(Value::Integers(output.on(tensor), IntegerType::I32));
    }
    let zero_points = node.optional_constant(3)?.map(|array| &**array);
    let weights = weights(node.constant(1)?, zero_points, Layout::Columns, 1, 3)?;
    let (matrix, output, groups) = product(&x.view, &weights, 0)?;
    let operands = MatMulOperands {
        name: node.name.to_owned(),
        reach: None,
        zero_code: x.zero_code(node.zero_point(2, x.dtype)?),
        x: matrix,
        weights,
        bias: Vec::new(),
        groups,
    };
    let tensor = builder.matmul(&operands, Epilogue::Accumulator)?;
    Ok(Value::Integers(output.on(tensor), IntegerType::I32))
}
