//! Tensors put together: one after the other along a dimension, or with a constant around.

use super::builder::Builder;
use super::constants;
use super::deferred::{Concatenation, ConcatenationPart, Deferred, Kind};
use super::error::NodeError;
use super::matrix::Matrix;
use super::rowwise;
use super::runs;
use super::value::{Codes, Floats, Value};
use super::view::View;
use super::words::WordFloats;
use crate::array::{Array, ArrayData};
use crate::graph::{Epilogue, Function, TensorKind};
use std::rc::Rc;

/// A tensor to be put together with others.
pub(super) enum Part {
    Codes(Codes),
    Floats(Floats),
    /// Floats that a QuantizeLinear will make codes of.
    Deferred(Deferred),
    /// Floats of a 16-bit tensor.
    Words(WordFloats),
    /// Floats of the file, and how they are seen.
    Constant(Rc<Array>, View),
}

impl Part {
    /// An 8-bit tensor, or floats.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Codes(codes) => Some(Self::Codes(codes.clone())),
            Value::Floats(floats) => Some(Self::Floats(floats.clone())),
            Value::Deferred(deferred) => Some(Self::Deferred(deferred.clone())),
            Value::WordFloats(floats) => Some(Self::Words(floats.clone())),
            _ => None,
        }
    }

    /// A constant, operand `index`, to be put together with a tensor that is seen as `beside`: the same in every sample. Its
    /// first dimension is the batch, unless the tensor is `whole`.
    pub(super) fn constant(
        builder: &mut Builder,
        name: &str,
        beside: &View,
        value: &Value,
        index: usize,
        whole: bool,
    ) -> Result<Self, NodeError> {
        let (array, dequantized) = match value {
            Value::Constant(array) => (array, None),
            Value::Dequantized(constant) => (&constant.values, Some(constant)),
            _ => {
                let expected = "an 8-bit tensor, a dequantized one, or a constant";
                return Err(NodeError::Operand { index, expected });
            }
        };
        let expected = beside.rank() + usize::from(!whole);
        if array.shape().len() != expected || !whole && array.shape()[0] != 1 {
            return Err(NodeError::OperandShape { index, expected, got: array.shape().len() });
        }
        if let Some(constant) = dequantized {
            return constants::dequantized(builder, name, beside, constant, index)
                .map(Self::Floats);
        }
        match array.data() {
            ArrayData::F32(_) => {
                let shape = &array.shape()[usize::from(!whole)..];
                let view = View::new(0, shape, |dim| beside.is_feature(dim));
                Ok(Self::Constant(array.clone(), view))
            }
            _ => constants::codes(builder, name, beside, array, index).map(Self::Codes),
        }
    }

    fn view(&self) -> &View {
        match self {
            Self::Codes(codes) => &codes.view,
            Self::Floats(floats) => &floats.codes.view,
            Self::Deferred(deferred) => &deferred.view,
            Self::Words(floats) => floats.words.view(),
            Self::Constant(_, view) => view,
        }
    }

    fn codes(&self) -> Option<&Codes> {
        match self {
            Self::Codes(codes) => Some(codes),
            _ => None,
        }
    }

    fn floats(&self) -> Option<&Floats> {
        match self {
            Self::Floats(floats) => Some(floats),
            _ => None,
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
    // Floats are what they are, whatever the types of their codes.
    let dtype = first.codes().map(|codes| codes.dtype);
    let of_one_kind = |part: &Part| part.codes().map(|codes| codes.dtype) == dtype;
    if let Some(index) = parts.iter().position(|part| !of_one_kind(part)) {
        return Err(NodeError::OperandType { index });
    }
    let floats: Vec<&Floats> = parts.iter().filter_map(Part::floats).collect();
    let alike = floats.len() == parts.len()
        && floats.windows(2).all(|pair| pair[0].images == pair[1].images);
    if let Some(codes) = first.codes().or(floats.first().map(|floats| &floats.codes))
        && (dtype.is_some() || alike)
    {
        let identity: [u8; 256] = std::array::from_fn(|code| code as u8);
        let views: Vec<_> = parts.iter().map(|part| (part.view().clone(), identity)).collect();
        let view = view(builder, name, &views, dim)?;
        let codes = Codes { view, quantized: false, origin: None, ..codes.clone() };
        return Ok(match floats.first() {
            None => Value::Codes(codes),
            Some(&floats) => {
                Value::Floats(Floats { codes, direct: false, fused: None, ..floats.clone() })
            }
        });
    }
    let views: Vec<&View> = parts.iter().map(Part::view).collect();
    let output = output(&views, dim)?;
    let part = |part: &Part| match part {
        Part::Codes(_) => None,
        Part::Floats(floats) => Some(ConcatenationPart::Floats(floats.clone())),
        Part::Deferred(deferred) => Some(ConcatenationPart::Deferred(deferred.clone())),
        Part::Words(floats) => Some(ConcatenationPart::Words(floats.clone())),
        Part::Constant(array, view) => {
            Some(ConcatenationPart::Constant(array.clone(), view.clone()))
        }
    };
    let parts = parts.iter().filter_map(part).collect();
    let concatenation = Concatenation { name: name.to_owned(), parts, dim };
    Ok(Value::Deferred(Deferred::new(Kind::Concatenation(Rc::new(concatenation)), output)))
}

/// How the parts along dimension `dim` are seen.
pub(super) fn output(parts: &[&View], dim: usize) -> Result<View, NodeError> {
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

/// The codes that tables make of tensors of one shape, one after the other along a dimension before theirs, of which
/// `features` are features.
pub(super) fn stacked(
    builder: &mut Builder,
    name: &str,
    parts: &[(View, [u8; 256])],
    features: &[bool],
) -> Result<View, NodeError> {
    let is_feature = |dim: usize| dim.checked_sub(1).is_some_and(|dim| features[dim]);
    let shape = parts.first().map(|(view, _)| view.shape()).unwrap_or_default();
    let place = |(at, (view, table)): (usize, &(View, [u8; 256]))| {
        let placed = view.clone().unsqueezed(0).placed(0, at, parts.len());
        let matrix = Matrix::laid_out(&placed.ok_or(NodeError::NoView { index: at })?, is_feature);
        Ok((matrix, Function::Table(Box::new(table.map(i64::from)))))
    };
    let terms = parts.iter().enumerate().map(place).collect::<Result<Vec<_>, NodeError>>()?;
    let columns = terms.first().map_or(0, |(matrix, _)| matrix.size().1);
    let tensor = builder.combine(name, columns, terms, TensorKind::Code, Epilogue::Accumulator)?;
    Ok(View::new(tensor, &[&[parts.len()], &shape[..]].concat(), is_feature))
}

/// What is around a tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Around<T> {
    Constant(T),
    /// The first element and the last.
    Edge,
    /// The elements beside those two, and so on.
    Reflected,
}

impl<T> Around<T> {
    /// The same with what `change` makes of a constant.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Around<U> {
        match self {
            Self::Constant(value) => Around::Constant(change(value)),
            Self::Edge => Around::Edge,
            Self::Reflected => Around::Reflected,
        }
    }

    /// Whether a dimension of `size` elements has enough of them.
    pub(super) fn fits(&self, size: usize, (before, after): (usize, usize)) -> bool {
        !matches!(self, Self::Reflected) || before.max(after) < size
    }
}

/// A tensor with `pads` positions before and after each dimension; they are as many as the dimension has room for.
pub(super) fn around(
    builder: &mut Builder,
    name: &str,
    view: &View,
    pads: &[(usize, usize)],
    around: Around<u8>,
) -> Result<View, NodeError> {
    let along = |size: usize, (before, after): (usize, usize)| -> Vec<usize> {
        let last = size as i64 - 1;
        let place = |at: i64| match around {
            Around::Reflected if at < 0 => -at,
            Around::Reflected if at > last => 2 * last - at,
            _ => at.clamp(0, last),
        };
        (-(before as i64)..(size + after) as i64).map(|at| place(at) as usize).collect()
    };
    match around {
        Around::Constant(code) => padded(builder, name, view, pads, code),
        _ => {
            let dims = pads.iter().enumerate().filter(|(_, pads)| **pads != (0, 0));
            dims.into_iter().try_fold(view.clone(), |view, (dim, &pads)| {
                let indices = along(view.size(dim), pads);
                let name = rowwise::part(name, &format!("along{dim}"));
                runs::gathered(builder, &name, &view, dim, &indices)
            })
        }
    }
}

/// A tensor with `pads` positions before and after each dimension, of code `code`.
fn padded(
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
