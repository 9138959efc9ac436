//! Cast: of integers to integers of 32 and 64 bits, of 8-bit tensors and comparisons to floats, of an input's zeros and ones to
//! floats or flags, of constants, and of anything to its own type.

use crate::array::{Array, ArrayData};
use crate::graph::{CodeType, IntegerType, dequantize_table};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::numbers;
use crate::onnx::operands::integers;
use crate::onnx::proto::data_type;
use crate::onnx::thresholds;
use crate::onnx::value::{Floats, Scaling, Value};
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Cast",
    inputs: 1,
    attributes: &[&["to", "saturate", "round_mode"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if node.attribute("to").is_none() {
        return Err(NodeError::MissingAttribute { attribute: "to" });
    }
    let to = node.int("to", 0)?;
    let is = |of: i32| i64::from(of) == to;
    let integers = match to {
        _ if is(data_type::INT32) => Some(IntegerType::I32),
        _ if is(data_type::INT64) => Some(IntegerType::I64),
        _ => None,
    };
    let value = node.value(0)?;
    let flag = |x: f32| f32::from(u8::from(x != 0.0));
    match (value, integers) {
        (Value::Constant(array), _) if let Some(array) = converted(array, to) => {
            Ok(Value::Constant(Rc::new(array)))
        }
        (Value::NumberInput(_) | Value::Counted(_), Some(_)) => Ok(value.clone()),
        (Value::NumberInput(view), None) if is(data_type::FLOAT) => {
            Ok(Value::Floats(numbers::floats(builder, view)?))
        }
        (Value::NumberInput(view), None) if is(data_type::BOOL) => {
            Ok(Value::Flags(numbers::floats(builder, view)?))
        }
        (Value::Floats(floats), None)
            if is(data_type::BOOL) && builder.is_of_numbers(floats.codes.view.tensor) =>
        {
            Ok(Value::Flags(floats.map(flag)))
        }
        (Value::Flags(_) | Value::Comparison(_), None) if is(data_type::BOOL) => Ok(value.clone()),
        (Value::Comparison(comparison), None) if is(data_type::FLOAT) => {
            thresholds::chosen(builder, node.name, comparison, (1.0, 0.0))
        }
        (Value::Flags(floats), of) if of.is_some() || is(data_type::FLOAT) => {
            Ok(Value::Floats(floats.clone()))
        }
        (Value::Integers(view, _), Some(dtype)) => Ok(Value::Integers(view.clone(), dtype)),
        (Value::Codes(codes), Some(dtype)) => {
            let view = builder.valued(node.name, codes)?;
            Ok(Value::Integers(view, dtype))
        }
        (Value::Codes(codes), None)
            if i32::try_from(to).ok().and_then(CodeType::of_onnx) == Some(codes.dtype) =>
        {
            Ok(value.clone())
        }
        (Value::Codes(codes), None) if is(data_type::FLOAT) => {
            let scaling = Scaling { scale: 1.0, zero_point: 0 };
            let images = Box::new(dequantize_table(1.0, 0, codes.dtype));
            let codes = codes.clone();
            // The runtime's kernels take no Cast for a DequantizeLinear.
            let (pure, direct, fused) = (false, false, None);
            Ok(Value::Floats(Floats { codes, scaling, images, pure, direct, fused }))
        }
        (
            Value::FloatInput(_) | Value::Floats(_) | Value::Deferred(_) | Value::Dequantized(_),
            None,
        ) if is(data_type::FLOAT) => Ok(value.clone()),
        _ => Err(NodeError::AttributeValue { attribute: "to", value: to as f64 }),
    }
}

/// A constant as floats, or as integers of 8, 32 or 64 bits, if these have all its values.
fn converted(array: &Array, to: i64) -> Option<Array> {
    let values: Vec<i64> = match array.data() {
        ArrayData::F32(values) if to == i64::from(data_type::FLOAT) => {
            return Array::new(array.shape().to_vec(), ArrayData::F32(values.clone())).ok();
        }
        ArrayData::F32(_) => return None,
        ArrayData::I64(values) => values.clone(),
        _ => integers(array)?.into_iter().map(i64::from).collect(),
    };
    fn all<T: TryFrom<i64>>(values: &[i64]) -> Option<Vec<T>> {
        values.iter().map(|&value| T::try_from(value).ok()).collect()
    }
    let data = match i32::try_from(to).ok()? {
        data_type::FLOAT => ArrayData::F32(values.iter().map(|&value| value as f32).collect()),
        data_type::INT64 => ArrayData::I64(values),
        data_type::INT32 => ArrayData::I32(all(&values)?),
        data_type::UINT8 => ArrayData::U8(all(&values)?),
        data_type::INT8 => ArrayData::I8(all(&values)?),
        _ => return None,
    };
    Array::new(array.shape().to_vec(), data).ok()
}
