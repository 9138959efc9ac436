//! What both operators RotaryEmbedding share: the angles of a fixed number of positions.

use super::builder::Builder;
use super::deferred::{Deferred, Kind, Rotated};
use super::error::NodeError;
use super::node::NodeView;
use super::value::Value;
use super::view::View;
use crate::array::ArrayData;
use crate::graph::MAX_ELEMENTS;
use std::rc::Rc;

/// Numbers of the operands.
pub(super) struct Operands {
    pub(super) cos: usize,
    pub(super) sin: usize,
    pub(super) positions: usize,
}

/// Operand 0, dequantized, of heads, positions and features, or of positions and all heads' features, turned by constants.
pub(super) fn import(
    builder: &mut Builder,
    node: &NodeView<'_>,
    operands: &Operands,
) -> Result<Value, NodeError> {
    let interleaved = node.int_among("interleaved", &[0, 1])? == 1;
    let x = node.dequantized_codes(0)?;
    let view = &x.codes.view;
    let shape = view.shape();
    let wrong = |index, expected, got| NodeError::OperandShape { index, expected, got };
    let no_view = || NodeError::NoView { index: 0 };
    let heads = node.int("num_heads", 0)?;
    let is_joined = shape.len() == 2;
    let view = match shape[..] {
        [_, _, _] => view.clone(),
        [positions, all] => {
            let value = heads as f64;
            let wrong = NodeError::AttributeValue { attribute: "num_heads", value };
            let heads = usize::try_from(heads).ok();
            let heads = heads.filter(|&n| n > 0 && all.is_multiple_of(n)).ok_or(wrong)?;
            let split = view.reshaped(&[positions, heads, all / heads]).ok_or_else(no_view)?;
            split.transposed(&[1, 0, 2])
        }
        _ => return Err(wrong(0, 4, shape.len() + 1)),
    };
    let [heads, positions, features] = [0, 1, 2].map(|dim| view.size(dim));
    if !features.is_multiple_of(2) {
        return Err(wrong(0, 2, features));
    }
    let half = features / 2;
    // Of all features, or of none named.
    node.int_among("rotary_embedding_dim", &[0, features as i64])?;
    let places = places(node, operands, positions)?;
    let table = |index: usize| -> Result<Vec<f32>, NodeError> {
        let array = node.constant(index)?;
        let ArrayData::F32(values) = array.data() else {
            return Err(NodeError::OperandType { index });
        };
        if array.shape().last() != Some(&half) {
            return Err(wrong(index, half, array.shape().last().copied().unwrap_or(1)));
        }
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(NodeError::NotOnGrid { index, value });
        }
        let row = |place: &usize| values.get(place * half..(place + 1) * half);
        let rows: Option<Vec<&[f32]>> = places.iter().map(row).collect();
        let rows = rows.ok_or(wrong(index, places.len() * half, values.len()))?;
        Ok(rows.concat())
    };
    let (cos, sin) = (table(operands.cos)?, table(operands.sin)?);
    // Of feature `j`: of which pair it is, and whether the first.
    let pair =
        |j: usize| if interleaved { (j / 2, j.is_multiple_of(2)) } else { (j % half, j < half) };
    let each = |of: &dyn Fn(usize, bool) -> f32| -> Vec<f32> {
        let at = |position: usize| {
            (0..features).map(move |j| {
                let (number, first) = pair(j);
                of(position * half + number, first)
            })
        };
        (0..positions).flat_map(at).collect()
    };
    let factors =
        [each(&|at, _| cos[at]), each(&|at, first| if first { -sin[at] } else { sin[at] })];
    let grid = if interleaved { [heads, positions, half, 2] } else { [heads, positions, 2, half] };
    let of_pair = if interleaved { 3 } else { 2 };
    let exchanged = |view: &View| {
        let turned = view.reshaped(&grid)?.sliced(of_pair, 1, -1, 2)?;
        turned.reshaped(&[heads, positions, features])
    };
    let (view, exchanged) = match exchanged(&view) {
        Some(exchanged) => (view, exchanged),
        None => {
            let copy = builder.copied(node.name, &view)?;
            let other = exchanged(&copy).ok_or_else(no_view)?;
            (copy, other)
        }
    };
    let (name, from, zero_code) = (node.name.to_owned(), x.scaling, x.zero_code());
    let rotated = Rotated { name, x: view, exchanged, from, zero_code, factors };
    let mut output = rotated.output();
    if is_joined {
        output = output.transposed(&[1, 0, 2]).reshaped(&shape).ok_or_else(no_view)?;
    }
    Ok(Value::Deferred(Deferred::new(Kind::Rotated(Rc::new(rotated)), output)))
}

/// The rows of the tables that positions have: constants, the first of several or one for each, or in their order.
fn places(
    node: &NodeView<'_>,
    operands: &Operands,
    positions: usize,
) -> Result<Vec<usize>, NodeError> {
    let index = operands.positions;
    if node.optional(index)?.is_none() {
        return Ok((0..positions).collect());
    }
    let given = node.integers("position_ids", index)?.unwrap_or_default();
    let place = |value: i64| {
        let wrong = NodeError::IndexRange { index, value, size: MAX_ELEMENTS };
        usize::try_from(value).ok().filter(|at| *at < MAX_ELEMENTS).ok_or(wrong)
    };
    match given[..] {
        [first] if positions > 1 => {
            let first = place(first)?;
            Ok((first..first + positions).collect())
        }
        _ if given.len() == positions => given.into_iter().map(place).collect(),
        _ => Err(NodeError::OperandShape { index, expected: positions, got: given.len() }),
    }
}
