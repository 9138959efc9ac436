//! QuantizeLinear: of the graph's input, of dequantized floats (a table), or of a matmul's result.

use crate::graph::{CodeType, Epilogue, quantize};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{NodeView, Operator};
use crate::onnx::operands::requantize;
use crate::onnx::proto::data_type;
use crate::onnx::value::{Codes, Scaling, Value};

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "QuantizeLinear",
    inputs: 3,
    attributes: &["axis", "block_size", "output_dtype", "precision", "saturate"],
    import,
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("block_size", &[0])?;
    node.int_among("precision", &[0, i64::from(data_type::FLOAT)])?;
    let (dtype, zero_point) = output_type(node)?;
    let to = Scaling { scale: node.scale(1)?, zero_point };
    let (tensor, shape) = match node.value(0)? {
        Value::FloatInput { shape } => {
            let codes = builder.quantized_input(to, dtype, shape)?;
            return Ok(Value::Codes(codes));
        }
        Value::Floats(floats) => {
            let same = floats.scaling == to && floats.codes.dtype == dtype;
            if floats.direct && floats.codes.quantized && !same {
                return Err(NodeError::DoubleQuantization);
            }
            let table = floats.images.map(|x| quantize(x, to.scale, to.zero_point, dtype));
            let tensor = builder.map(node.name, floats.codes.tensor, Box::new(table));
            (tensor, &floats.codes.shape)
        }
        Value::Product(product) => {
            let bounds = (product.low, product.high);
            let requantize = requantize(&product.scales, bounds, to, dtype)?;
            let tensor = builder.matmul(&product.matmul, Epilogue::Requantize(requantize))?;
            (tensor, &product.shape)
        }
        Value::Constant(_) | Value::Dequantized(_) | Value::Codes(_) | Value::Integers { .. } => {
            return Err(NodeError::Operand {
                index: 0,
                expected: "the graph's float input, a dequantized tensor or a matmul's result",
            });
        }
    };
    Ok(Value::Codes(Codes { tensor, dtype, shape: shape.clone(), quantized: true }))
}

/// The output's type and zero point, by the zero point operand or else by the attribute.
fn output_type(node: &NodeView<'_>) -> Result<(CodeType, i32), NodeError> {
    const UINT8: i64 = data_type::UINT8 as i64;
    const INT8: i64 = data_type::INT8 as i64;
    let named = match node.int_among("output_dtype", &[0, UINT8, INT8])? {
        UINT8 => Some(CodeType::U8),
        INT8 => Some(CodeType::I8),
        _ => None,
    };
    match (node.optional_code(2)?, named) {
        (Some((dtype, _)), Some(named)) if dtype != named => {
            Err(NodeError::OperandType { index: 2 })
        }
        (Some(found), _) => Ok(found),
        (None, named) => Ok((named.unwrap_or(CodeType::U8), 0)),
    }
}
