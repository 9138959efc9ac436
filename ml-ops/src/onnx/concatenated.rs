//! Tensors put together: one after the other along a dimension, or with a constant around.

use super::builder::Builder;
use super::deferred::{Concatenation, Deferred, Kind};
use super::error::NodeError;
use super::matrix::Matrix;
use super::value::{Codes, Floats, Value};
use super::view::View;
use crate::graph::{Epilogue, Function, TensorKind};
use std::rc::Rc;

/// A tensor to be put together with others.
pub(super) enum Part {
    Codes(Codes),
    Floats(Floats),
}

impl Part {
    /// An 8-bit tensor, or floats that are a function of one.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Codes(codes) => Some(Self::Codes(codes.clone())),
            Value::Floats(floats) => Some(Self::Floats(floats.clone())),
            _ => None,
        }
    }

    fn codes(&self) -> &Codes {
        match self {
            Self::Codes(codes) => codes,
            Self::Floats(floats) => &floats.codes,
        }
    }

    fn floats(&self) -> Option<&Floats> {
        match self {
            Self::Codes(_) => None,
            Self::Floats(floats) => Some(floats),
        }
    }
}

/// The parts, all of codes of one type or all of floats, along dimension `dim`.
pub(super) fn value(
    builder: &mut Builder,
    name: &str,
    parts: Vec<Part>,
    dim: usize,
) -> Result<Value, NodeError> {
    let first = parts.first().ok_or(NodeError::MissingInput { index: 0 })?;
    let codes = first.codes().clone();
    // Floats are what they are, whatever the types of their codes.
    let of_one_kind = |part: &Part| match (part.floats(), first.floats()) {
        (None, None) => part.codes().dtype == codes.dtype,
        (of, other) => of.is_some() == other.is_some(),
    };
    let floats: Vec<&Floats> = parts.iter().filter_map(Part::floats).collect();
    let alike = floats.windows(2).all(|pair| pair[0].images == pair[1].images);
    if floats.is_empty() || alike {
        if let Some(index) = parts.iter().position(|part| !of_one_kind(part)) {
            return Err(NodeError::OperandType { index });
        }
        let identity: [u8; 256] = std::array::from_fn(|code| code as u8);
        let views: Vec<_> =
            parts.iter().map(|part| (part.codes().view.clone(), identity)).collect();
        let view = view(builder, name, &views, dim)?;
        let codes = Codes { view, quantized: false, origin: None, ..codes };
        return Ok(match floats.first() {
            None => Value::Codes(codes),
            Some(&floats) => {
                Value::Floats(Floats { codes, direct: false, fused: None, ..floats.clone() })
            }
        });
    }
    if floats.len() != parts.len() {
        return Err(NodeError::OperandType { index: 0 });
    }
    let views: Vec<&View> = floats.iter().map(|floats| &floats.codes.view).collect();
    let output = output(&views, dim)?;
    let parts = floats.iter().map(|part| (part.codes.view.clone(), part.images.clone())).collect();
    let concatenation = Concatenation { name: name.to_owned(), parts, dim };
    Ok(Value::Deferred(Deferred::new(Kind::Concatenation(Rc::new(concatenation)), output)))
}

/// How the parts along dimension `dim` are seen.
fn output(parts: &[&View], dim: usize) -> Result<View, NodeError> {
    let first = parts.first().ok_or(NodeError::MissingInput { index: 0 })?;
    let mut shape = first.shape();
    for (index, part) in parts.iter().enumerate().skip(1) {
        let other = part.shape();
        let fits = other.len() == shape.len()
            && (0..shape.len()).all(|at| at == dim || shape[at] == other[at]);
        if !fits {
            let (expected, got) = (first.elements(), part.elements());
            return Err(NodeError::OperandShape { index, expected, got });
        }
        shape[dim] = shape[dim].saturating_add(other[dim]);
    }
    Ok(View::new(0, &shape, |dim| first.is_feature(dim)))
}

/// The codes that tables make of the parts, along dimension `dim`.
pub(super) fn view(
    builder: &mut Builder,
    name: &str,
    parts: &[(View, [u8; 256])],
    dim: usize,
) -> Result<View, NodeError> {
    let views: Vec<&View> = parts.iter().map(|(view, _)| view).collect();
    let output = output(&views, dim)?;
    let (size, first) = (output.size(dim), views[0].clone());
    let mut start = 0;
    let mut terms = Vec::with_capacity(parts.len());
    for (index, (view, table)) in parts.iter().enumerate() {
        let placed = match view.clone().placed(dim, start, size) {
            Some(placed) => Some(placed),
            None => builder.copied(name, view)?.placed(dim, start, size),
        };
        let placed = placed.ok_or(NodeError::NoView { index })?;
        let matrix = Matrix::laid_out(&placed, |dim| first.is_feature(dim));
        terms.push((matrix, Function::Table(Box::new(table.map(i64::from)))));
        start += view.size(dim);
    }
    let columns = terms[0].0.size().1;
    let tensor = builder.combine(name, columns, terms, TensorKind::Code, Epilogue::Accumulator)?;
    Ok(output.on(tensor))
}

/// A tensor with `pads` positions before and after each dimension, of code `code`.
pub(super) fn padded(
    builder: &mut Builder,
    name: &str,
    view: &View,
    pads: &[(usize, usize)],
    code: u8,
) -> Result<View, NodeError> {
    let place = |view: View| {
        let padded = pads.iter().enumerate().filter(|(_, pads)| **pads != (0, 0));
        padded.into_iter().try_fold(view, |view, (dim, &(before, after))| {
            let size = before + view.size(dim) + after;
            view.placed(dim, before, size)
        })
    };
    let placed = match place(view.clone()) {
        Some(placed) => Some(placed),
        None => place(builder.copied(name, view)?),
    };
    let placed = placed.ok_or(NodeError::NoView { index: 0 })?;
    let mut matrix = Matrix::laid_out(&placed, |dim| view.is_feature(dim));
    matrix.pad = Some(code);
    let columns = matrix.size().1;
    let identity = Function::table(|code| code);
    let terms = vec![(matrix, identity)];
    let tensor = builder.combine(name, columns, terms, TensorKind::Code, Epilogue::Accumulator)?;
    Ok(View::new(tensor, &placed.shape(), |dim| view.is_feature(dim)))
}
