//! Rules of matrix products: samples are rows, columns or whole products, and never what is added up.

use super::super::error::NodeError;
use super::axes::mixed;
use super::place::Place;
use super::rules::aligned;
use super::samples::{Made, Node};

/// The product of operand 0 by operand `right`.
pub(super) fn matmul(node: &Node<'_>, right: usize) -> Result<Made, NodeError> {
    let (a, b) = (node.operand(0)?, node.operand(right)?);
    let others = node.operands.iter().filter(|of| of.index != 0 && of.index != right);
    if let Some(other) = others.into_iter().find(|of| of.place.is_some()) {
        return Err(NodeError::SamplesMeet { index: other.index });
    }
    let [of_a, of_b] = [a.shape.len(), b.shape.len()];
    if of_a < 2 || of_b == 0 {
        return Err(NodeError::SamplesLost);
    }
    // The dimension that is added up, and a vector's only one.
    let inner = of_b.saturating_sub(2);
    if let Some(place) = a.place.filter(|place| place.dim + 1 == of_a) {
        return Err(mixed(0, place));
    }
    if let Some(place) = b.place.filter(|place| place.dim == inner) {
        return Err(mixed(right, place));
    }
    if of_b == 1 {
        return Ok(Made::At(a.place.ok_or(NodeError::SamplesLost)?));
    }
    let rank = of_a.max(of_b);
    let is_row = |place: &Place| place.dim + 2 == of_a;
    let is_column = |place: &Place| place.dim + 1 == of_b;
    match (a.place, b.place) {
        (Some(place), None) if is_row(&place) => Ok(Made::At(place.at(rank - 2))),
        (None, Some(place)) if is_column(&place) => Ok(Made::At(place.at(rank - 1))),
        (Some(place), _) if is_row(&place) => Err(NodeError::SamplesMeet { index: right }),
        (_, Some(place)) if is_column(&place) => Err(NodeError::SamplesMeet { index: right }),
        _ => {
            let heads = |shape: &[usize]| shape.len() - 2;
            let (left, of) = (&a.shape[..heads(&a.shape)], &b.shape[..heads(&b.shape)]);
            aligned(&[(0, a.place, left), (right, b.place, of)])
        }
    }
}

/// The product of two matrices, transposed or not, and a third that is added.
pub(super) fn gemm(node: &Node<'_>, right: usize) -> Result<Made, NodeError> {
    let (a, b) = (node.operand(0)?, node.operand(right)?);
    let row = usize::from(node.view.int("transA", 0)? != 0);
    let column = usize::from(node.view.int("transB", 0)? == 0);
    let place = match (a.place, b.place) {
        (Some(place), None) if place.dim == row => place.at(0),
        (None, Some(place)) if place.dim == column => place.at(1),
        (Some(place), None) => return Err(mixed(0, place)),
        (None, Some(place)) => return Err(mixed(right, place)),
        _ => return Err(NodeError::SamplesMeet { index: right }),
    };
    // A bias, and scales.
    for added in node.operands.iter().filter(|of| of.index != 0 && of.index != right) {
        let product = (0, Some(place), &[1, 1][..]);
        if let Made::One = aligned(&[product, (added.index, added.place, &added.shape)])? {
            return Ok(Made::One);
        }
    }
    Ok(Made::At(place))
}

/// A product whose equation has a letter for the samples, in each tensor that has them and in the result.
pub(super) fn einsum(node: &Node<'_>) -> Result<Made, NodeError> {
    let attribute = "equation";
    let text = node.view.text(attribute)?.ok_or(NodeError::MissingAttribute { attribute })?;
    let text: String = text.chars().filter(|of| !of.is_whitespace()).collect();
    let (operands, to) = text.split_once("->").ok_or(NodeError::SamplesLost)?;
    let terms: Vec<&[u8]> = operands.split(',').map(str::as_bytes).collect();
    if terms.len() != node.operands.len() {
        return Err(NodeError::SamplesLost);
    }
    let numbered = node.operands.iter().find_map(|of| Some((of.index, of.place?)));
    let (index, place) = numbered.ok_or(NodeError::SamplesLost)?;
    let label = terms.get(index).and_then(|term| term.get(place.dim));
    let label = *label.ok_or(NodeError::SamplesLost)?;
    for (operand, term) in node.operands.iter().zip(&terms) {
        // Once in what has samples, there, and nowhere else.
        let places = (0..term.len()).filter(|&dim| term[dim] == label);
        if !places.map(|dim| place.at(dim)).eq(operand.place) {
            return Err(NodeError::SamplesMeet { index: operand.index });
        }
    }
    let mut places = to.bytes().enumerate().filter(|(_, of)| *of == label).map(|(dim, _)| dim);
    match (places.next(), places.next()) {
        (Some(dim), None) => Ok(Made::At(place.at(dim))),
        _ => Err(mixed(index, place)),
    }
}
