//! Clip: on 8-bit integers as they are, on dequantized floats, and after a matmul.

use crate::array::ArrayData;
use crate::onnx::arithmetic;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::{Codes, Value};

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Clip", inputs: 3, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Codes(codes) => {
            let low = code_bound(node, 1, codes, codes.dtype.min())?;
            let high = code_bound(node, 2, codes, codes.dtype.max())?;
            check_bounds(low as f32, high as f32)?;
            Ok(clamp_codes(builder, node.name, codes, low, high))
        }
        value => {
            let expected = "an 8-bit tensor, a dequantized one, or a matmul's result";
            let clamped = value.clamped(|| float_bounds(node))?;
            clamped.ok_or(NodeError::Operand { index: 0, expected })
        }
    }
}

/// Floats, one operand, within the bounds that each of the others, constant numbers, says.
pub(super) fn against(
    node: &NodeView<'_>,
    bounds: impl Fn(f32) -> (f32, f32),
) -> Result<Value, NodeError> {
    let is_constant = |&index: &usize| {
        matches!(node.value(index), Ok(Value::Constant(_) | Value::Dequantized(_)))
    };
    let (numbers, tensors): (Vec<usize>, Vec<usize>) = (0..node.inputs()).partition(is_constant);
    let [of] = tensors[..] else {
        let index = tensors.get(1).copied().unwrap_or(0);
        return Err(NodeError::Operand { index, expected: "a constant number beside one tensor" });
    };
    numbers.into_iter().try_fold(node.value(of)?.clone(), |value, index| {
        let (low, high) = bounds(arithmetic::number_of(node, index)?);
        check_bounds(low, high)?;
        let expected = "a dequantized tensor or a matmul's result";
        let clamped = value.clamped(|| Ok((low, high)))?;
        clamped.ok_or(NodeError::Operand { index: of, expected })
    })
}

/// The 8-bit tensor clamped to `[low, high]`.
pub(super) fn clamp_codes(
    builder: &mut Builder,
    name: &str,
    codes: &Codes,
    low: i32,
    high: i32,
) -> Value {
    let min = codes.dtype.min();
    let table = std::array::from_fn(|code| ((code as i32 + min).clamp(low, high) - min) as u8);
    Value::Codes(codes.mapped(builder, name, &table))
}

/// Operand `index`, one value of the type of `codes`, or `default`.
fn code_bound(
    node: &NodeView<'_>,
    index: usize,
    codes: &Codes,
    default: i32,
) -> Result<i32, NodeError> {
    match node.optional_code(index)? {
        None => Ok(default),
        Some((dtype, bound)) if dtype == codes.dtype => Ok(bound),
        Some(_) => Err(NodeError::OperandType { index }),
    }
}

fn float_bounds(node: &NodeView<'_>) -> Result<(f32, f32), NodeError> {
    let bound = |index: usize, default: f32| match node.optional_constant(index)? {
        None => Ok(default),
        Some(array) => match array.data() {
            ArrayData::F32(v) if v.len() == 1 => Ok(v[0]),
            ArrayData::F32(v) => Err(NodeError::OperandShape { index, expected: 1, got: v.len() }),
            _ => Err(NodeError::OperandType { index }),
        },
    };
    let (low, high) = (bound(1, f32::NEG_INFINITY)?, bound(2, f32::INFINITY)?);
    check_bounds(low, high)?;
    Ok((low, high))
}

fn check_bounds(low: f32, high: f32) -> Result<(), NodeError> {
    if low <= high { Ok(()) } else { Err(NodeError::ClipBounds { low, high }) }
}
