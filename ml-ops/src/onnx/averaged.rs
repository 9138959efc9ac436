//! What average pools share: windows over an image, sums of what they hold.

use super::builder::Builder;
use super::deferred::{Average, Deferred, Formula, Kind, Summands};
use super::error::NodeError;
use super::matrix::Matrix;
use super::node::NodeView;
use super::rowwise;
use super::shapes;
use super::value::{Scaling, Value};
use super::view::View;
use super::windows::Pool;
use super::wordwise;
use crate::graph::{CodeType, GatherDim, least_common_multiple};
use std::rc::Rc;

type Windows = fn(&NodeView<'_>, &[usize]) -> Result<Pool, NodeError>;

/// The windows of a node that averages over them.
pub(super) fn windows(node: &NodeView<'_>, sizes: &[usize]) -> Result<Pool, NodeError> {
    let pool = Pool::of(node, sizes, None)?;
    if counts_pads(node)? && pool.beyond_pads {
        return Err(NodeError::AttributeValue { attribute: "ceil_mode", value: 1.0 });
    }
    Ok(pool)
}

/// Whether pads count as elements.
fn counts_pads(node: &NodeView<'_>) -> Result<bool, NodeError> {
    if node.attribute("count_include_pad").is_none() {
        return Ok(false);
    }
    Ok(node.int_among("count_include_pad", &[0, 1])? == 1)
}

/// Averages of operand 0, dequantized, over the windows that `windows` says.
pub(super) fn deferred(
    builder: &mut Builder,
    node: &NodeView<'_>,
    formula: Formula,
    windows: Windows,
) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Deferred(x) => {
            let value = x.rounded(builder, node.name)?;
            of_value(builder, node, &value, formula, windows)
        }
        value => of_value(builder, node, value, formula, windows),
    }
}

/// Those of a value.
fn of_value(
    builder: &mut Builder,
    node: &NodeView<'_>,
    value: &Value,
    formula: Formula,
    windows: Windows,
) -> Result<Value, NodeError> {
    let x = match value {
        Value::Floats(x) => x,
        Value::Deferred(x) if x.put_together() == Some(0) => {
            let average = |part: Value, _| of_value(builder, node, &part, formula, windows);
            let expected = "floats of one 8-bit tensor, or a sum of such tensors and products";
            let parts = x.each_part(node.name, average)?;
            return parts.map(Value::Deferred).ok_or(NodeError::Operand { index: 0, expected });
        }
        Value::Deferred(x) => return of_deferred(node, x, windows),
        Value::WordFloats(x) => {
            let (_, pool) = pool(node, x.words.view(), windows)?;
            if pool.beyond && !counts_pads(node)? {
                let attribute = "count_include_pad";
                return Err(NodeError::AttributeValue { attribute, value: 0.0 });
            }
            return wordwise::average(builder, node.name, x, &pool);
        }
        _ => return Err(NodeError::Operand { index: 0, expected: "floats of one 8-bit tensor" }),
    };
    let of = |taps| Summands::of(x, taps);
    // The runtime has a kernel for what stands between a DequantizeLinear and a QuantizeLinear.
    let formula = if x.pure && node.is_between_codes(1) { formula } else { Formula::Mean };
    let average = averages(builder, node, (&x.codes.view, of, x.codes.dtype), formula, windows)?;
    Ok(Value::Deferred(average))
}

/// Averages of operand 0, floats that are a sum.
fn of_deferred(node: &NodeView<'_>, x: &Deferred, windows: Windows) -> Result<Value, NodeError> {
    let (channels, pool) = pool(node, &x.view, windows)?;
    if pool.beyond {
        return Err(NodeError::AttributeValue { attribute: "pads", value: 1.0 });
    }
    let seen = pool.through(x.view.clone()).ok_or(NodeError::NoView { index: 0 })?;
    let average = x.averaged(node.name, seen.matrix(None), channels, pool.taps())?;
    Ok(Value::Deferred(Deferred::new(average, pool.output(channels))))
}

/// The first dimension of `view`, and the windows over the others.
fn pool(node: &NodeView<'_>, view: &View, windows: Windows) -> Result<(usize, Pool), NodeError> {
    let shape = view.shape();
    let (&channels, sizes) = shape
        .split_first()
        .filter(|(_, sizes)| !sizes.is_empty())
        .ok_or(NodeError::OperandShape { index: 0, expected: 3, got: shape.len() + 1 })?;
    Ok((channels, windows(node, sizes)?))
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
    let seen = if channels_last { shapes::channels_first(&x.view) } else { x.view.clone() };
    let summands = |_| Summands::scaled(scaling, x.zero_code(scaling.zero_point));
    let of = (&seen, summands, x.dtype);
    let mut average = averages(builder, node, of, formula, windows)?;
    if channels_last {
        average.view = shapes::channels_last(&average.view);
    }
    let mut codes = average.quantize(builder, node.name, to, x.dtype)?;
    codes.quantized = false;
    Ok(Value::Codes(codes))
}

fn averages(
    builder: &mut Builder,
    node: &NodeView<'_>,
    (view, summands, dtype): (&View, impl FnOnce(usize) -> Summands, CodeType),
    formula: Formula,
    windows: Windows,
) -> Result<Deferred, NodeError> {
    let (channels, pool) = pool(node, view, windows)?;
    let summands = summands(pool.taps());
    let name = node.name.to_owned();
    let (mut count, mut weights, mut pad) = (pool.taps(), None, None);
    if pool.beyond && !counts_pads(node)? {
        let (common, multiples) = multiples(&pool, &view.shape()[1..])
            .filter(|_| summands.zero_code.is_some())
            .ok_or(NodeError::AttributeValue { attribute: "count_include_pad", value: 0.0 })?;
        let outs = &pool.shape(channels)[1..];
        let positions = View::new(0, outs, |_| false);
        let part = rowwise::part(node.name, "weights");
        let positions = builder.constant(&part, &positions, outs, &multiples);
        let columns = GatherDim { size: channels * pool.taps(), axis: None, step: 0 };
        let rows = positions.dims.concat();
        let matrix = Matrix { rows, cols: vec![columns], view: positions, pad: None };
        (count, weights, pad) = (common, Some((matrix, 0)), summands.zero_code);
    }
    let x = pool.see(builder, node.name, view)?.matrix(pad);
    let average = Average { name, x, columns: channels, summands, dtype, count, weights, formula };
    Ok(Deferred::new(Kind::Average(Rc::new(average)), pool.output(channels)))
}

/// The least number that the elements in each window, without pads, divide, and how often; `None` if that is more often
/// than a code says.
fn multiples(pool: &Pool, sizes: &[usize]) -> Option<(usize, Vec<u8>)> {
    let mut counts = vec![1usize];
    for (window, &size) in pool.windows.iter().zip(sizes) {
        let inside = |out: usize| {
            let at =
                |tap: usize| (out * window.stride + tap * window.dilation).checked_sub(window.pad);
            (0..window.kernel).filter(|&tap| at(tap).is_some_and(|at| at < size)).count()
        };
        let along: Vec<usize> = (0..window.out).map(inside).collect();
        counts = counts.iter().flat_map(|count| along.iter().map(move |n| count * n)).collect();
    }
    let common = least_common_multiple(counts.iter().copied())?;
    let multiple = |&count: &usize| u8::try_from(common.checked_div(count)?).ok();
    Some((common, counts.iter().map(multiple).collect::<Option<_>>()?))
}
