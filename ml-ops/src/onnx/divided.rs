//! Floats divided by scales for each index of an axis, and rounded, as a QuantizeLinear has it.

use super::arithmetic::{self, Operation};
use super::deferred::{After, Applied, Deferred};
use super::error::NodeError;
use super::followed;
use super::node::NodeView;
use super::value::Value;
use crate::array::Array;

/// Operand 0 divided by `scales`, operand 1, rounded, and added to `zeros`, as many or one: an integer for each element.
pub(super) fn divided(
    node: &NodeView<'_>,
    scales: &Array,
    zeros: Vec<f32>,
) -> Result<Deferred, NodeError> {
    let expected = "a dequantized tensor or a matmul's or convolution's result";
    let wrong = NodeError::Operand { index: 0, expected };
    let mut divided = match node.value(0)? {
        Value::Floats(floats) => {
            match arithmetic::by_index(node, floats, scales, Operation::Div, false, 1)? {
                Some(Value::Deferred(divided)) => divided,
                _ => return Err(wrong),
            }
        }
        Value::Deferred(x) => {
            let mut x = Applied::map(x, |x| x).ok_or(wrong)?;
            let constant = followed::by_column(&x, scales, 1)?;
            x.after.push(After { operation: Operation::Div, constant, first: false });
            x
        }
        _ => return Err(wrong),
    };
    divided.after.push(After { operation: Operation::Round, constant: zeros, first: false });
    Ok(divided)
}
