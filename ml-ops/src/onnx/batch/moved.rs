//! Rules of operators that move elements: the samples' number goes with them, whole.

use super::super::error::NodeError;
use super::super::transposed;
use super::axes::{from_front, mixed};
use super::counts::{self, Count};
use super::place::Place;
use super::rules::only;
use super::samples::{Made, Node};
use crate::array::ArrayData;

/// Dimensions in another order.
pub(super) fn transpose(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let order = transposed::order(node.view, node.operand(0)?.shape.len())?;
    let dim = order.iter().position(|&from| usize::try_from(from) == Ok(place.dim));
    Ok(Made::At(place.at(dim.ok_or(NodeError::SamplesLost)?)))
}

/// Dimensions of size 1 more.
pub(super) fn unsqueeze(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let axes = node.view.integers("axes", 1)?.unwrap_or_default();
    let rank = node.operand(0)?.shape.len() + axes.len();
    let new = axes.iter().map(|&axis| from_front(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    let dim = (0..rank).filter(|dim| !new.contains(dim)).nth(place.dim);
    Ok(Made::At(place.at(dim.ok_or(NodeError::SamplesLost)?)))
}

/// Dimensions of size 1 less.
pub(super) fn squeeze(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let shape = &node.operand(0)?.shape;
    let gone: Vec<usize> = match node.view.integers("axes", 1)? {
        Some(axes) => {
            let dims = axes.iter().map(|&axis| from_front(axis, shape.len()));
            dims.collect::<Result<_, _>>()?
        }
        // The importer leaves the batch where it is, if it is the first.
        None if node.view.is_whole() && place.size() == 1 => return Err(mixed(0, place)),
        None => (0..shape.len()).filter(|&dim| shape[dim] == 1 && dim != place.dim).collect(),
    };
    if gone.contains(&place.dim) {
        // Of more samples the runtime says that the size is not 1.
        return Ok(Made::One);
    }
    let before = gone.iter().filter(|&&dim| dim < place.dim).count();
    Ok(Made::At(place.at(place.dim - before)))
}

/// All dimensions before an axis as one, and all from it on.
pub(super) fn flatten(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let shape = &node.operand(0)?.shape;
    let axis = node.view.int("axis", 1)?;
    let split = match axis {
        axis if axis == shape.len() as i64 => shape.len(),
        axis => from_front(axis, shape.len())?,
    };
    let product = |sizes: &[usize]| sizes.iter().product::<usize>();
    let to = [product(&shape[..split]), product(&shape[split..])];
    let made = place.reshaped(shape, &to, usize::from(place.dim >= split));
    made.map(Made::At).ok_or(mixed(0, place))
}

/// Elements in another shape, of which one dimension grows with the samples.
pub(super) fn reshape(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let (shape, target) = (&node.operand(0)?.shape, counts::of_operand(node, 1)?);
    let zero_copies = node.view.int("allowzero", 0)? == 0;
    let wrong = |axis: usize, count: Count| NodeError::Reshape { axis, value: count.fixed };
    let (mut wild, mut growing) = (None, None);
    let mut sizes = Vec::with_capacity(target.len());
    for (axis, &count) in target.iter().enumerate() {
        let (size, grows) = match count {
            Count { each: 0, fixed: 0 } if zero_copies => {
                let size = shape.get(axis).copied();
                (size.ok_or(wrong(axis, count))?, axis == place.dim)
            }
            Count { each: 0, fixed: -1 } if wild.is_none() => {
                wild = Some(axis);
                (1, false)
            }
            Count { each: 0, fixed } => {
                (usize::try_from(fixed).map_err(|_| wrong(axis, count))?, false)
            }
            Count { each, fixed: 0 } => {
                (usize::try_from(each).map_err(|_| wrong(axis, count))?, true)
            }
            _ => return Err(NodeError::SamplesCounted { index: 1 }),
        };
        if grows && growing.replace(axis).is_some() {
            return Err(NodeError::SamplesCounted { index: 1 });
        }
        sizes.push(size);
    }
    let known: usize = sizes.iter().product();
    if let Some(axis) = wild {
        sizes[axis] = shape.iter().product::<usize>().checked_div(known).unwrap_or(0);
    }
    // The elements of more samples do not fit a target without such a dimension.
    let Some(axis) = growing.or(wild) else { return Ok(Made::One) };
    let made = place.reshaped(shape, &sizes, axis);
    made.map(Made::At).ok_or(wrong(axis, target[axis]))
}

/// Dimensions of size 1 repeated, which the samples' is not.
pub(super) fn expand(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let (shape, target) = (&node.operand(0)?.shape, counts::of_operand(node, 1)?);
    let rank = shape.len().max(target.len());
    let (dim, first) = (place.dim + rank - shape.len(), rank - target.len());
    let samples = i64::try_from(place.size()).map_err(|_| NodeError::SamplesLost)?;
    for (at, &count) in target.iter().enumerate() {
        let is_kept = match first + at == dim {
            true => count == Count::fixed(1) || count == Count { each: samples, fixed: 0 },
            false => count.each == 0,
        };
        if !is_kept {
            return Err(NodeError::SamplesMeet { index: 1 });
        }
    }
    Ok(Made::At(place.at(dim)))
}

/// A tensor again and again along dimensions.
pub(super) fn tile(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let repeats = node.view.integers("repeats", 1)?.unwrap_or_default();
    match repeats.get(place.dim) {
        Some(1) => Ok(Made::At(place)),
        _ => Err(mixed(0, place)),
    }
}

/// Images of another size, as many as there were.
pub(super) fn resize(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    if place.dim != 0 {
        return Err(NodeError::NoBatch { index: 0 });
    }
    let scales = if node.view.inputs() == 2 { 1 } else { 2 };
    let given = node.view.optional_constant(scales)?.filter(|array| !array.data().is_empty());
    let keeps = match given.map(|array| array.data()) {
        Some(ArrayData::F32(scales)) => scales.first() == Some(&1.0),
        Some(_) => false,
        None => {
            let sizes = counts::of_operand(node, scales + 1)?;
            let samples = Count { each: place.size() as i64, fixed: 0 };
            sizes.first() == Some(&samples)
        }
    };
    if keeps { Ok(Made::At(place)) } else { Err(mixed(0, place)) }
}

/// Features turned by constants, the same for each sample where operand `positions` says the first position of all alone.
pub(super) fn rotary(node: &Node<'_>, positions: usize) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    if place != Place::alone(0) {
        return Err(NodeError::NoBatch { index: 0 });
    }
    let positions = node.operands.iter().find(|operand| operand.index == positions);
    match positions.map(|operand| &operand.shape[..]) {
        Some([1]) => Ok(Made::At(place)),
        // Positions, or angles, of one sample.
        _ => Ok(Made::One),
    }
}
