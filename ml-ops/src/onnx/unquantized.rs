//! Floats of functions, sums and averages that a matmul reads before any QuantizeLinear: exact integers, or integers of few bits.

use super::builder::Builder;
use super::deferred::Hidden;
use super::error::NodeError;
use super::factors::{self, Activation};
use super::node::NodeView;
use super::operands::{self, Layout};
use super::rowwise::part;
use super::value::{MatMulOperands, Value};

/// The product of operand 0, floats of a sum or an average whose dimension `dim` the weights' rows number, and operand 1, plus operand
/// 2; `None` of other floats.
pub(super) fn product(
    builder: &mut Builder,
    node: &NodeView<'_>,
    dim: usize,
    layout: Layout,
) -> Result<Option<Value>, NodeError> {
    let hidden = match node.value(0)? {
        Value::Deferred(floats) => floats.hidden(builder, node.name)?,
        Value::Floats(floats) if !floats.is_scaled() => Hidden::of(builder, node.name, floats)?,
        _ => None,
    };
    let Some(Hidden { view, scale }) = hidden else { return Ok(None) };
    // Rows along the last dimension are read as they lie.
    let order: Vec<usize> = (0..view.rank()).filter(|&at| at != dim).chain([dim]).collect();
    let last = order.len() - 1;
    let name = part(node.name, "rows");
    let view = builder.straight(&name, &view.transposed(&order), |dim| dim == last)?;
    let x = Activation::of_integers(view, scale);
    let constants = factors::constants(node, &x, layout)?;
    let (matrix, output, groups) = operands::product(&x.view, &constants.weights, 0)?;
    let wrong = "a matrix of weights for all of what is not quantized";
    if groups != 1 {
        return Err(NodeError::Operand { index: 1, expected: wrong });
    }
    let (low, high) = builder.tensors[x.view.tensor].kind().range();
    let (name, reach) = (node.name.to_owned(), Some(high.max(low.saturating_neg())));
    let (weights, bias) = (constants.weights, constants.bias);
    let matmul = MatMulOperands { name, x: matrix, zero_code: 0, reach, weights, bias, groups };
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, &dim)| back[dim] = at);
    let output = output.transposed(&back);
    let scales = (constants.scales, constants.after);
    factors::deferred(x, matmul, scales, constants.fine.as_ref(), output).map(Some)
}
