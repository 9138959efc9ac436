//! Clip: on 8-bit integers as they are, on dequantized floats, after a matmul, and of constants.

use crate::array::{Array, ArrayData};
use crate::graph::CodeType;
use crate::onnx::arithmetic;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Compared, Deferred, Kind, Largest};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::{Codes, Value};
use std::rc::Rc;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Clip", inputs: 3, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Codes(codes) => {
            let (low, high) = code_bounds(node, codes.dtype)?;
            Ok(clamp_codes(builder, node.name, codes, low, high))
        }
        Value::Constant(array) => constant(node, array),
        value => {
            let expected = "an 8-bit tensor, a dequantized one, or a matmul's result";
            let clamped = value.clamped(|| float_bounds(node))?;
            clamped.ok_or(NodeError::Operand { index: 0, expected })
        }
    }
}

/// The constant in operand 0 within the bounds, as quantizers that keep weights within a narrow range write it.
fn constant(node: &NodeView<'_>, array: &Array) -> Result<Value, NodeError> {
    let narrow = node.is_narrow(0);
    let data = match array.data() {
        ArrayData::I8(v) if !narrow => {
            let (low, high) = code_bounds(node, CodeType::I8)?;
            ArrayData::I8(v.iter().map(|&x| i32::from(x).clamp(low, high) as i8).collect())
        }
        ArrayData::U8(v) if !narrow => {
            let (low, high) = code_bounds(node, CodeType::U8)?;
            ArrayData::U8(v.iter().map(|&x| i32::from(x).clamp(low, high) as u8).collect())
        }
        ArrayData::I32(v) => {
            let (low, high) = (int_bound(node, 1, i32::MIN)?, int_bound(node, 2, i32::MAX)?);
            check_bounds(low as f32, high as f32)?;
            ArrayData::I32(v.iter().map(|&x| x.max(low).min(high)).collect())
        }
        ArrayData::F32(v) => {
            let (low, high) = float_bounds(node)?;
            ArrayData::F32(v.iter().map(|&x| x.clamp(low, high)).collect())
        }
        _ => return Err(NodeError::OperandType { index: 0 }),
    };
    let (expected, got) = (array.data().len(), data.len());
    let clamped = Array::new(array.shape().to_vec(), data);
    let clamped = clamped.map_err(|_| NodeError::OperandShape { index: 0, expected, got })?;
    Ok(Value::Constant(Rc::new(clamped)))
}

/// Operand `index`, one integer of 32 bits, or `default`.
fn int_bound(node: &NodeView<'_>, index: usize, default: i32) -> Result<i32, NodeError> {
    match node.optional_constant(index)?.map(|array| array.data()) {
        None => Ok(default),
        Some(ArrayData::I32(v)) if v.len() == 1 => Ok(v[0]),
        Some(ArrayData::I32(v)) => {
            Err(NodeError::OperandShape { index, expected: 1, got: v.len() })
        }
        Some(_) => Err(NodeError::OperandType { index }),
    }
}

/// Floats within the bounds that each of the operands that are constant numbers says; of several tensors the smallest, if
/// `least`, or else the largest.
pub(super) fn against(
    node: &NodeView<'_>,
    least: bool,
    bounds: impl Fn(f32) -> (f32, f32),
) -> Result<Value, NodeError> {
    let is_constant = |&index: &usize| {
        matches!(node.value(index), Ok(Value::Constant(_) | Value::Dequantized(_)))
    };
    let (numbers, tensors): (Vec<usize>, Vec<usize>) = (0..node.inputs()).partition(is_constant);
    let (of, value) = match tensors[..] {
        [] => return Err(shapes::NOT_COMPUTED),
        [of] => (of, node.value(of)?.clone()),
        _ => (tensors[0], of_several(node, &tensors, least)?),
    };
    numbers.into_iter().try_fold(value, |value, index| {
        let (low, high) = bounds(arithmetic::number_of(node, index)?);
        check_bounds(low, high)?;
        let expected = "a dequantized tensor or a matmul's result";
        let clamped = value.clamped(|| Ok((low, high)))?;
        clamped.ok_or(NodeError::Operand { index: of, expected })
    })
}

/// The largest, or smallest, of the operands `tensors`, broadcast to one shape.
fn of_several(node: &NodeView<'_>, tensors: &[usize], least: bool) -> Result<Value, NodeError> {
    let mut of = Vec::with_capacity(tensors.len());
    let mut shape: Vec<usize> = Vec::new();
    for &index in tensors {
        let compared = match node.value(index)? {
            Value::Floats(floats) => Compared::Floats(floats.clone()),
            Value::Deferred(deferred) => Compared::Deferred(deferred.clone()),
            _ => {
                let expected = "a constant number, a dequantized tensor or a matmul's result";
                return Err(NodeError::Operand { index, expected });
            }
        };
        let of_this = compared.view().shape();
        if shape.is_empty() {
            shape.clone_from(&of_this);
        }
        if of_this.len() != shape.len() {
            let (expected, got) = (shape.len() + 1, of_this.len() + 1);
            return Err(NodeError::OperandShape { index, expected, got });
        }
        for (expected, got) in shape.iter_mut().zip(of_this) {
            match (*expected, got) {
                (m, n) if m == n || n == 1 => {}
                (1, n) => *expected = n,
                (expected, got) => return Err(NodeError::OperandShape { index, expected, got }),
            }
        }
        of.push(compared);
    }
    let features = (0..shape.len()).map(|dim| of.iter().any(|of| of.view().is_feature(dim)));
    let features = features.collect();
    let largest = Largest { name: node.name.to_owned(), of, least, shape, features };
    let output = largest.output();
    Ok(Value::Deferred(Deferred::new(Kind::Largest(Rc::new(largest)), output)))
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

/// Operands 1 and 2, each one value of the type `dtype`, or the type's ends.
fn code_bounds(node: &NodeView<'_>, dtype: CodeType) -> Result<(i32, i32), NodeError> {
    let bound = |index: usize, default: i32| match node.optional_code(index)? {
        None => Ok(default),
        Some((of, bound)) if of == dtype => Ok(bound),
        Some(_) => Err(NodeError::OperandType { index }),
    };
    let (low, high) = (bound(1, dtype.min())?, bound(2, dtype.max())?);
    check_bounds(low as f32, high as f32)?;
    Ok((low, high))
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
