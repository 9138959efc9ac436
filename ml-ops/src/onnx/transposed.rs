//! Constants whose dimensions are put in another order, dequantized or not: weights as exporters of linear layers leave them.

use super::error::NodeError;
use super::folded;
use super::node::NodeView;
use super::value::{Dequantized, Value};
use crate::array::{Array, ArrayData};
use std::rc::Rc;

/// The order of a Transpose of `rank` dimensions, as the file numbers them: without the attribute they are turned around.
pub(super) fn order(node: &NodeView<'_>, rank: usize) -> Result<Vec<i64>, NodeError> {
    let turned = || (0..rank as i64).rev().collect();
    Ok(node.ints("perm")?.map_or_else(turned, <[i64]>::to_vec))
}

/// Operand 0, a constant, with its dimensions in the order that the node says; `None` of other values.
pub(super) fn constant(node: &NodeView<'_>) -> Result<Option<Value>, NodeError> {
    let value = node.value(0)?;
    let Some(shape) = folded::shape(value) else { return Ok(None) };
    let rank = shape.len();
    let wrong = |value: f64| NodeError::AttributeValue { attribute: "perm", value };
    let mut dims = Vec::with_capacity(rank);
    for axis in order(node, rank)? {
        let dim = folded::from_front("perm", axis, rank)?;
        if dims.contains(&dim) {
            return Err(wrong(axis as f64));
        }
        dims.push(dim);
    }
    if dims.len() != rank {
        return Err(wrong(dims.len() as f64));
    }
    Ok(match value {
        Value::Constant(array) => Some(Value::Constant(Rc::new(moved(array, &dims)?))),
        Value::Dequantized(constant) => {
            let values = Rc::new(moved(&constant.values, &dims)?);
            // Of one scale the axis says nothing.
            let axis = dims.iter().position(|&from| from == constant.axis);
            let axis = axis.unwrap_or(constant.axis);
            Some(Value::Dequantized(Rc::new(Dequantized { values, axis, ..(**constant).clone() })))
        }
        _ => None,
    })
}

/// The elements of `array` with its dimensions in the order `dims`.
fn moved(array: &Array, dims: &[usize]) -> Result<Array, NodeError> {
    let of = array.shape();
    let shape: Vec<usize> = dims.iter().map(|&dim| of[dim]).collect();
    let step = |dim: usize| of[dim + 1..].iter().product::<usize>();
    let steps: Vec<usize> = dims.iter().map(|&dim| step(dim)).collect();
    let places = |at: usize| {
        let mut rest = at;
        let digits = shape.iter().zip(&steps).rev();
        let place = digits.fold(0, |place, (&size, &step)| {
            let digit = rest % size;
            rest /= size;
            place + digit * step
        });
        debug_assert_eq!(rest, 0);
        place
    };
    fn pick<T: Copy>(values: &[T], places: impl Fn(usize) -> usize) -> Vec<T> {
        (0..values.len()).map(|at| values[places(at)]).collect()
    }
    let data = match array.data() {
        ArrayData::F32(values) => ArrayData::F32(pick(values, places)),
        ArrayData::U8(values) => ArrayData::U8(pick(values, places)),
        ArrayData::I8(values) => ArrayData::I8(pick(values, places)),
        ArrayData::I16(values) => ArrayData::I16(pick(values, places)),
        ArrayData::U16(values) => ArrayData::U16(pick(values, places)),
        ArrayData::I32(values) => ArrayData::I32(pick(values, places)),
        ArrayData::I64(values) => ArrayData::I64(pick(values, places)),
    };
    let (expected, got) = (shape.iter().product(), data.len());
    let wrong = |_| NodeError::OperandShape { index: 0, expected, got };
    Array::new(shape, data).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_where_their_indices_are() {
        let shape = vec![2, 3, 4];
        let array = Array::new(shape, ArrayData::I32((0..24).collect())).expect("elements");
        let turned = moved(&array, &[2, 0, 1]).expect("an order");
        assert_eq!(turned.shape(), [4, 2, 3]);
        let ArrayData::I32(values) = turned.data() else { panic!("integers") };
        for (at, value) in values.iter().enumerate() {
            let (i, j, k) = (at / 6, at / 3 % 2, at % 3);
            assert_eq!(*value as usize, 12 * j + 4 * k + i);
        }
        let empty = Array::new(vec![0, 3], ArrayData::U8(vec![])).expect("no elements");
        assert_eq!(moved(&empty, &[1, 0]).expect("an order").shape(), [3, 0]);
    }
}
