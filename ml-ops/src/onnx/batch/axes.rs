//! Rules of operators that work along axes, of which none may be the samples'.

use super::super::error::NodeError;
use super::place::Place;
use super::rules::only;
use super::samples::{Made, Node, Operand};

/// The end of a slice that is a whole dimension's, however many samples there are.
const WHOLE: i64 = i32::MAX as i64;

/// Axis `axis` of `rank` dimensions, which may be counted from the end.
pub(super) fn from_front(axis: i64, rank: usize) -> Result<usize, NodeError> {
    let from_front = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let dim = usize::try_from(from_front).ok().filter(|&dim| dim < rank);
    dim.ok_or(NodeError::AttributeValue { attribute: "axis", value: axis as f64 })
}

/// The error of a node that works along the samples of operand `index`.
pub(super) fn mixed(index: usize, place: Place) -> NodeError {
    NodeError::SamplesMixed { index, dim: place.dim }
}

/// Attribute `axis` as a dimension of operand 0, whose samples are at another.
fn beside(node: &Node<'_>, default: i64) -> Result<(usize, Place), NodeError> {
    let place = only(node, 0)?;
    let dim = from_front(node.view.int("axis", default)?, node.operand(0)?.shape.len())?;
    if dim == place.dim { Err(mixed(0, place)) } else { Ok((dim, place)) }
}

/// The place behind dimensions that go.
fn without(place: Place, mut gone: impl Iterator<Item = usize>) -> Place {
    let mut before = 0;
    gone.by_ref().filter(|&dim| dim < place.dim).for_each(|_| before += 1);
    place.at(place.dim - before)
}

/// Something along axis `axis`, which stays.
pub(super) fn along(node: &Node<'_>, default: i64) -> Result<Made, NodeError> {
    Ok(Made::At(beside(node, default)?.1))
}

/// Something of all dimensions from axis `axis` on, the last if `default` does not say another.
pub(super) fn rows(node: &Node<'_>, first: bool) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let default = if first { 1 } else { -1 };
    let dim = from_front(node.view.int("axis", default)?, node.operand(0)?.shape.len())?;
    if place.dim >= dim { Err(mixed(0, place)) } else { Ok(Made::At(place)) }
}

/// Softmax: of one axis or, in operator sets before 13, of all from that on.
pub(super) fn softmax(node: &Node<'_>) -> Result<Made, NodeError> {
    let opset = match node.operator {
        "Softmax" => node.view.opset(),
        _ => node.view.int("opset", 13)?,
    };
    if opset < 13 { rows(node, true) } else { along(node, -1) }
}

/// The number of the largest along an axis, which goes or stays.
pub(super) fn choice(node: &Node<'_>) -> Result<Made, NodeError> {
    let (dim, place) = beside(node, 0)?;
    let goes = node.view.int("keepdims", 1)? == 0;
    Ok(Made::At(without(place, goes.then_some(dim).into_iter())))
}

/// Sums and the like along axes, which go or stay.
pub(super) fn reduction(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let rank = node.operand(0)?.shape.len();
    let axes = node.view.integers("axes", 1)?.unwrap_or_default();
    if axes.is_empty() {
        let changes_nothing = node.view.int("noop_with_empty_axes", 0)? == 1;
        return if changes_nothing { Ok(Made::At(place)) } else { Err(mixed(0, place)) };
    }
    let dims = axes.iter().map(|&axis| from_front(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    if dims.contains(&place.dim) {
        return Err(mixed(0, place));
    }
    let go = node.view.int("keepdims", 1)? == 0;
    Ok(Made::At(without(place, dims.into_iter().filter(|_| go))))
}

/// Sums up to each element along an axis.
pub(super) fn running(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let axis = node.view.integers("", 1)?.and_then(|axis| axis.first().copied());
    let axis = axis.ok_or(NodeError::MissingInput { index: 1 })?;
    let dim = from_front(axis, node.operand(0)?.shape.len())?;
    if dim == place.dim { Err(mixed(0, place)) } else { Ok(Made::At(place)) }
}

/// A function for each channel, the second dimension.
pub(super) fn channels(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    if place.dim == 1 { Err(mixed(0, place)) } else { Ok(Made::At(place)) }
}

/// One scale, or one for each index of an axis.
pub(super) fn scales(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let of = &node.operand(1)?.shape;
    if of.iter().product::<usize>() <= 1 {
        return Ok(Made::At(place));
    }
    if node.view.int("block_size", 0)? != 0 {
        // Scales have the dimensions of the tensor.
        let fits = of.get(place.dim) == Some(&place.size());
        return if fits { Ok(Made::One) } else { Err(mixed(0, place)) };
    }
    along(node, 1)
}

/// Tensors one after the other along an axis.
pub(super) fn concatenation(node: &Node<'_>) -> Result<Made, NodeError> {
    let of_tensor = |of: &&Operand<'_>| node.operator == "Concat" || of.index % 3 == 2;
    let numbered = node.operands.iter().find(|operand| operand.place.is_some());
    let numbered = numbered.ok_or(NodeError::SamplesLost)?;
    let place = numbered.place.ok_or(NodeError::SamplesLost)?;
    if from_front(node.view.int("axis", 0)?, numbered.shape.len())? == place.dim {
        return Err(mixed(numbered.index, place));
    }
    let mut one = false;
    for operand in node.operands.iter().filter(of_tensor) {
        let index = operand.index;
        match operand.place {
            Some(other) if other == place => {}
            Some(_) => return Err(NodeError::SamplesMeet { index }),
            // The runtime takes no other number of samples then.
            None if operand.shape.get(place.dim) == Some(&place.size()) => one = true,
            None => return Err(NodeError::SamplesMeet { index }),
        }
    }
    Ok(if one { Made::One } else { Made::At(place) })
}

/// What a tensor has at indices of an axis.
pub(super) fn gather(node: &Node<'_>) -> Result<Made, NodeError> {
    let (of, indices) = (node.operand(0)?, node.operand(1)?);
    let dim = from_front(node.view.int("axis", 0)?, of.shape.len())?;
    match (of.place, indices.place) {
        (Some(place), None) if place.dim == dim => Err(mixed(0, place)),
        (Some(place), None) if place.dim < dim => Ok(Made::At(place)),
        (Some(place), None) => Ok(Made::At(place.at(place.dim + indices.shape.len() - 1))),
        (None, Some(place)) => Ok(Made::At(place.at(place.dim + dim))),
        _ => Err(NodeError::SamplesMeet { index: 1 }),
    }
}

/// Positions around a tensor.
pub(super) fn pads(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let rank = node.operand(0)?.shape.len();
    let amounts = node.view.integers("pads", 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let axes = node.view.integers("axes", 3)?.unwrap_or((0..rank as i64).collect());
    for (at, &axis) in axes.iter().enumerate() {
        let is_padded = [at, axes.len() + at].iter().any(|&at| amounts.get(at) != Some(&0));
        if from_front(axis, rank)? == place.dim && is_padded {
            return Err(mixed(0, place));
        }
    }
    Ok(Made::At(place))
}

/// Ranges of some axes.
pub(super) fn slice(node: &Node<'_>) -> Result<Made, NodeError> {
    let place = only(node, 0)?;
    let rank = node.operand(0)?.shape.len();
    let missing = |index| NodeError::MissingInput { index };
    let starts = node.view.integers("starts", 1)?.ok_or(missing(1))?;
    let ends = node.view.integers("ends", 2)?.ok_or(missing(2))?;
    let axes = node.view.integers("axes", 3)?.unwrap_or((0..starts.len() as i64).collect());
    let steps = node.view.integers("steps", 4)?.unwrap_or(vec![1; starts.len()]);
    for (at, &axis) in axes.iter().enumerate() {
        let is_whole = starts.get(at) == Some(&0)
            && steps.get(at) == Some(&1)
            && ends.get(at).is_some_and(|&end| end >= WHOLE);
        if from_front(axis, rank)? == place.dim && !is_whole {
            return Err(mixed(0, place));
        }
    }
    Ok(Made::At(place))
}
