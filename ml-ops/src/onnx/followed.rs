//! Operations with constants on floats that a QuantizeLinear will make codes of.

use super::arithmetic::{Operation, by_index, number, uniform};
use super::constants;
use super::deferred::{After, Applied, Deferred, Kind};
use super::error::NodeError;
use super::node::NodeView;
use super::value::Value;
use crate::array::{Array, ArrayData};

/// `x`, a matmul's or a normalization's result, after `operation` with the constant that is operand `index`.
pub(super) fn followed(
    node: &NodeView<'_>,
    x: &Deferred,
    constant: &Array,
    index: usize,
    operation: Operation,
    first: bool,
) -> Result<Deferred, NodeError> {
    if let Some(dim) = x.put_together().filter(|_| node.goes_on()) {
        let parts = x.each_part(node.name, |part, places| {
            let constant = constants::along(constant, x.view.rank(), dim, places, index)?;
            match part {
                Value::Floats(floats) => match number(&constant, index) {
                    Ok(number) if first => {
                        Ok(Value::Floats(floats.map(|x| operation.of(number, x))))
                    }
                    Ok(number) => Ok(Value::Floats(floats.map(|x| operation.of(x, number)))),
                    Err(_) => {
                        let each = by_index(node, &floats, &constant, operation, first, index)?;
                        let (expected, got) = (floats.codes.view.elements(), constant.data().len());
                        each.ok_or(NodeError::OperandShape { index, expected, got })
                    }
                },
                Value::Deferred(x) => {
                    followed(node, &x, &constant, index, operation, first).map(Value::Deferred)
                }
                part => Ok(part),
            }
        })?;
        if let Some(parts) = parts {
            return Ok(parts);
        }
    }
    let clamped = x.low > f32::NEG_INFINITY || x.high < f32::INFINITY;
    let constant = match &x.kind {
        Kind::Product(_) if !clamped => by_column(x, constant, index)?,
        Kind::Product(_) | Kind::Applied(_)
            if node.goes_on() && x.pools.is_empty() && number(constant, index).is_ok() =>
        {
            let number = number(constant, index)?;
            let of = move |x| if first { operation.of(number, x) } else { operation.of(x, number) };
            let expected = "a function that is the same for all columns";
            let wrong = NodeError::Operand { index: 1 - index, expected };
            return Applied::map(x, of).ok_or(wrong);
        }
        Kind::Applied(applied) if applied.has_columns() && !clamped && x.pools.is_empty() => {
            by_column(x, constant, index)?
        }
        Kind::Product(_) if node.goes_on() && x.pools.is_empty() => {
            let constant = by_column(x, constant, index)?;
            let expected = "a matmul's, convolution's or normalization's result";
            let wrong = NodeError::Operand { index: 1 - index, expected };
            let mut bounded = Applied::map(x, |x| x).ok_or(wrong)?;
            bounded.after.push(After { operation, constant, first });
            return Ok(bounded);
        }
        Kind::Tensors(_) | Kind::WordTensors(_) if !clamped => vec![number(constant, index)?],
        Kind::Each(each) if !clamped && x.pools.is_empty() => {
            let output = each.output();
            let of_output = Deferred { view: output.clone(), ..x.clone() };
            if x.view != output {
                let expected = "a tensor in the shape in which it was dequantized";
                return Err(NodeError::Operand { index: 1 - index, expected });
            }
            by_column(&of_output, constant, index)?
        }
        Kind::Normalization(_) | Kind::GroupNormalization(_) | Kind::WordNormalization(_)
            if !clamped && x.pools.is_empty() =>
        {
            let constant = by_column(x, constant, index)?;
            if !x.kind.can_be_followed(&constant) {
                let (expected, got) = (1, constant.len());
                return Err(NodeError::OperandShape { index, expected, got });
            }
            constant
        }
        Kind::NormalizationPart(_) => return Err(NodeError::QuantizedParts),
        _ => {
            let expected = "a matmul's, convolution's or normalization's result";
            let wrong = NodeError::Operand { index: 1 - index, expected };
            let number =
                number(constant, index).ok().filter(|_| node.goes_on()).ok_or(wrong.clone())?;
            let of = move |x| if first { operation.of(number, x) } else { operation.of(x, number) };
            return Applied::map(x, of).ok_or(wrong);
        }
    };
    let mut followed = x.clone();
    followed.after.push(After { operation, constant, first });
    // What is beyond a MaxPool must not turn its order around; thresholds see to columns that do.
    Ok(followed)
}

/// The floats of a constant, operand `index`, that is broadcast to `x`: one, or one for each column of its product.
pub(super) fn by_column(
    x: &Deferred,
    constant: &Array,
    index: usize,
) -> Result<Vec<f32>, NodeError> {
    match constant.data() {
        ArrayData::F32(values) => values_by_column(x, (values, constant.shape()), index),
        _ => Err(NodeError::OperandType { index }),
    }
}

/// The same of values of any type, and their shape.
pub(super) fn values_by_column<T: Copy + PartialEq>(
    x: &Deferred,
    (values, shape): (&[T], &[usize]),
    index: usize,
) -> Result<Vec<T>, NodeError> {
    if let Ok(value) = uniform(values, index) {
        return Ok(vec![value]);
    }
    let view = &x.view;
    let missing = (view.rank() + 1).checked_sub(shape.len());
    let size = |dim: usize| {
        let at = (dim + 1).checked_sub(missing?)?;
        shape.get(at).copied()
    };
    let columns = (0..view.rank()).filter(|&dim| size(dim).is_some_and(|size| size != 1));
    // What a transposed convolution makes has several columns for each channel.
    let spread = columns.clone().next().filter(|&dim| {
        matches!(x.kind, Kind::Product(_)) && !view.is_open() && view.size(dim) == values.len()
    });
    if let Some(dim) = spread
        && columns.clone().count() == 1
        && let Some(indices) = view.indices_of_features(dim)
    {
        return Ok(indices.into_iter().map(|index| values[index]).collect());
    }
    let fits = columns.clone().count() == 1
        && columns.clone().all(|dim| view.is_feature(dim) && view.size(dim) == values.len());
    if fits && view.features() == Some(values.len()) {
        Ok(values.to_vec())
    } else {
        Err(NodeError::OperandShape { index, expected: 1, got: values.len() })
    }
}
