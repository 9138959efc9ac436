//! What average pools share: windows over an image, sums of what they hold.

use super::builder::Builder;
use super::deferred::{Average, Deferred, Formula, Kind};
use super::error::NodeError;
use super::node::NodeView;
use super::value::{Scaling, Value};
use super::view::View;
use super::windows::Pool;
use std::rc::Rc;

type Windows = fn(&NodeView<'_>, &[usize]) -> Result<Pool, NodeError>;

/// The windows of a node that averages over them. Pads must count, as averages over fewer elements at the
/// edges are a step function of their own.
pub(super) fn windows(node: &NodeView<'_>, sizes: &[usize]) -> Result<Pool, NodeError> {
    let counts = node.int_among("count_include_pad", &[0, 1])? == 1;
    let pool = Pool::of(node, sizes, None)?;
    if pool.beyond && (!counts || pool.beyond_pads) {
        let attribute = if counts { "ceil_mode" } else { "count_include_pad" };
        let value = f64::from(u8::from(counts));
        return Err(NodeError::AttributeValue { attribute, value });
    }
    Ok(pool)
}

/// Averages of operand 0, dequantized, over the windows that `windows` says.
pub(super) fn deferred(
    builder: &mut Builder,
    node: &NodeView<'_>,
    formula: Formula,
    windows: Windows,
) -> Result<Value, NodeError> {
    let x = node.dequantized_codes(0)?;
    let of = (&x.codes.view, x.scaling, x.zero_code());
    let average = averages(builder, node, of, formula, windows)?;
    Ok(Value::Deferred(average))
}

/// Averages of operand 0, codes of the scale in operand 1 and zero point in 2, requantized to those in 3 and 4.
pub(super) fn requantized(
    builder: &mut Builder,
    node: &NodeView<'_>,
    channels_last: bool,
    formula: Formula,
    windows: Windows,
) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    let scaling = Scaling { scale: node.scale(1)?, zero_point: node.zero_point(2, x.dtype)? };
    let to = Scaling { scale: node.scale(3)?, zero_point: node.zero_point(4, x.dtype)? };
    let rank = x.view.rank();
    if rank < 2 {
        return Err(NodeError::OperandShape { index: 0, expected: 3, got: rank + 1 });
    }
    let mut order: Vec<usize> = (0..rank).collect();
    if channels_last {
        order.rotate_right(1);
    }
    let of = (&x.view.transposed(&order), scaling, x.zero_code(scaling.zero_point));
    let mut average = averages(builder, node, of, formula, windows)?;
    if channels_last {
        let mut back: Vec<usize> = (0..rank).collect();
        back.rotate_left(1);
        average.view = average.view.transposed(&back);
    }
    let mut codes = average.quantize(builder, node.name, to, x.dtype)?;
    codes.quantized = false;
    Ok(Value::Codes(codes))
}

fn averages(
    builder: &mut Builder,
    node: &NodeView<'_>,
    (view, from, zero_code): (&View, Scaling, u8),
    formula: Formula,
    windows: Windows,
) -> Result<Deferred, NodeError> {
    let shape = view.shape();
    let (&channels, sizes) = shape
        .split_first()
        .filter(|(_, sizes)| !sizes.is_empty())
        .ok_or(NodeError::OperandShape { index: 0, expected: 3, got: shape.len() + 1 })?;
    let pool = windows(node, sizes)?;
    let x = pool.see(builder, node.name, view)?.matrix(None);
    let name = node.name.to_owned();
    let count = pool.taps();
    let average = Average { name, x, columns: channels, from, zero_code, count, formula };
    Ok(Deferred::new(Kind::Average(Rc::new(average)), pool.output(channels)))
}
