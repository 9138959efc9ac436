//! QuantizeLinear: of the graph's input, of dequantized floats (a table), or of a matmul's result.

use crate::graph::{CodeType, InputTransform};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::proto::data_type;
use crate::onnx::value::{Codes, Scaling, Value};

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "QuantizeLinear",
    inputs: 3,
    attributes: &[&["axis", "block_size", "output_dtype", "precision", "saturate"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("block_size", &[0])?;
    node.int_among("precision", &[0, i64::from(data_type::FLOAT)])?;
    let (dtype, zero_point) = output_type(node)?;
    let to = Scaling { scale: node.scale(1)?, zero_point };
    match node.value(0)? {
        Value::FloatInput(view) => {
            let Scaling { scale, zero_point } = to;
            let transform = InputTransform::Quantize { scale, zero_point, dtype };
            Ok(Value::Codes(builder.quantized_input(transform, view.clone())?))
        }
        Value::Floats(floats) => {
            let same = floats.scaling == to && floats.codes.dtype == dtype;
            if floats.direct && floats.codes.quantized && !same {
                return Err(NodeError::DoubleQuantization);
            }
            let table = floats.quantized(to, dtype);
            let codes = floats.codes.mapped(builder, node.name, &table);
            Ok(Value::Codes(Codes { dtype, quantized: true, ..codes }))
        }
        Value::Deferred(deferred) => {
            Ok(Value::Codes(deferred.quantize(builder, node.name, to, dtype)?))
        }
        Value::Constant(_)
        | Value::Dequantized(_)
        | Value::Codes(_)
        | Value::Negated(..)
        | Value::Masked(_)
        | Value::Comparison(_)
        | Value::Integers(..) => Err(NodeError::Operand {
            index: 0,
            expected: "the graph's float input, a dequantized tensor or a matmul's result",
        }),
    }
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
