//! The largest along dimensions, and which it is: what is compared, and how it is read.

use super::builder::Builder;
use super::deferred::{Deferred, Kind};
use super::error::NodeError;
use super::matrix::Matrix;
use super::rowwise::part;
use super::value::{Codes, Floats, Value};
use super::view::View;
use crate::graph::{Epilogue, IntegerType, TensorId};

/// The smallest scale of codes whose Softmax has another float for each distance from the largest that is not 0.
const LEAST_SCALE: f32 = 1.0 / (1 << 20) as f32;

/// A view with the dimensions along which something is chosen as taps.
pub(super) struct Along {
    pub(super) matrix: Matrix,
    /// Outputs that are columns.
    pub(super) columns: usize,
    /// How the outputs are seen.
    output: View,
}

impl Along {
    /// The dimensions `dims` of `view`, which remain with size 1 or go.
    pub(super) fn new(view: &View, dims: &[usize], keep: bool) -> Self {
        let kept: Vec<usize> = (0..view.rank()).filter(|dim| !dims.contains(dim)).collect();
        let of = |side: bool| {
            let dims = kept.iter().filter(|&&dim| view.is_feature(dim) == side);
            dims.flat_map(|&dim| view.digits(dim)).collect::<Vec<_>>()
        };
        let columns = of(true).iter().map(|digit| digit.size).product();
        let taps = dims.iter().flat_map(|&dim| view.digits(dim));
        let cols = of(true).into_iter().chain(taps).collect();
        let matrix = Matrix { rows: of(false), cols, view: view.clone(), pad: None };
        let shape: Vec<usize> = kept.iter().map(|&dim| view.size(dim)).collect();
        let mut output = View::new(0, &shape, |at| view.is_feature(kept[at]));
        if keep {
            for dim in (0..view.rank()).filter(|dim| dims.contains(dim)) {
                output = output.unsqueezed(dim);
            }
        }
        Self { matrix, columns, output }
    }

    /// How tensor `tensor` of the outputs is seen.
    pub(super) fn on(&self, tensor: TensorId) -> View {
        self.output.on(tensor)
    }
}

/// Which of several elements counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    /// The smallest, not the largest.
    pub(super) least: bool,
    /// Of equal ones the last, not the first.
    pub(super) last: bool,
}

/// Which element of operand 0 along dimension `dim` it is, as 64-bit integers.
pub(super) fn index(
    builder: &mut Builder,
    name: &str,
    value: &Value,
    (dim, keep): (usize, bool),
    choice: Choice,
) -> Result<Value, NodeError> {
    let compared = compared(builder, name, value, dim, choice.least)?;
    let along = Along::new(&compared, &[dim], keep);
    let tensor = builder.argmax(name, along.columns, &along.matrix, choice.last)?;
    Ok(Value::Integers(along.on(tensor), IntegerType::I64))
}

/// The largest element of operand 0, or the smallest if `least`, along dimensions `dims`, which are kept or not: of codes,
/// or of floats that grow with them.
pub(super) fn largest(
    builder: &mut Builder,
    name: &str,
    value: &Value,
    (dims, keep): (&[usize], bool),
    least: bool,
) -> Result<Value, NodeError> {
    let reversed: [u8; 256] = std::array::from_fn(|code| 255 - code as u8);
    let mut of = |codes: &Codes| {
        let mut counted = codes.view.clone();
        if least {
            counted.tensor = builder.map(&part(name, "reversed"), counted.tensor, &reversed);
        }
        let along = Along::new(&counted, dims, keep);
        let matrix = Matrix { pad: Some(0), ..along.matrix.clone() };
        let mut made = builder.max(name, along.columns, &matrix)?;
        if least {
            made = builder.map(&part(name, "smallest"), made, &reversed);
        }
        let view = along.on(made);
        Ok::<_, NodeError>(Codes { view, quantized: false, origin: None, ..codes.clone() })
    };
    match value {
        Value::Codes(codes) => Ok(Value::Codes(of(codes)?)),
        Value::Floats(floats) if floats.images.is_sorted() => {
            let codes = of(&floats.codes)?;
            Ok(Value::Floats(Floats { codes, direct: false, fused: None, ..floats.clone() }))
        }
        _ => {
            let expected = "an 8-bit tensor, or floats that grow with its codes";
            Err(NodeError::Operand { index: 0, expected })
        }
    }
}

/// Codes or integers that are in the order of the value's elements, or, `least`, in reverse.
fn compared(
    builder: &mut Builder,
    name: &str,
    value: &Value,
    dim: usize,
    least: bool,
) -> Result<View, NodeError> {
    let expected = "an integer tensor, floats that are a function of one 8-bit tensor, its Softmax, or a matmul's \
                    result with one scale for all that is compared";
    let wrong = NodeError::Operand { index: 0, expected };
    let reversed: [u8; 256] = std::array::from_fn(|code| 255 - code as u8);
    match value {
        Value::Codes(codes) if least => {
            Ok(codes.view.on(builder.map(name, codes.view.tensor, &reversed)))
        }
        Value::Codes(codes) => Ok(codes.view.clone()),
        Value::Floats(floats) => {
            let table = ranks(floats, least).ok_or(NodeError::NotANumber { index: 0 })?;
            Ok(floats.codes.view.on(builder.map(name, floats.codes.view.tensor, &table)))
        }
        Value::Integers(view, _) if !least => Ok(view.clone()),
        Value::Deferred(deferred) if !least && deferred.is_unbounded() => {
            in_order(builder, deferred, dim)?.ok_or(wrong)
        }
        _ => Err(wrong),
    }
}

/// Codes in the order of the floats, equal ones of equal floats: the same codes if they are in order themselves. `None`
/// if there is something that is no number.
fn ranks(floats: &Floats, least: bool) -> Option<[u8; 256]> {
    let images = &*floats.images;
    if images.iter().any(|x| x.is_nan()) {
        return None;
    }
    let code = |x: &f32| {
        let below = |other: &&f32| if least { *other > x } else { *other < x };
        let mut below: Vec<f32> = images.iter().filter(below).copied().collect();
        below.sort_unstable_by(f32::total_cmp);
        below.dedup();
        below.len() as u8
    };
    Some(images.each_ref().map(code))
}

/// The integers or codes in whose order the floats are; `None` if they are in that of none.
fn in_order(
    builder: &mut Builder,
    deferred: &Deferred,
    dim: usize,
) -> Result<Option<View>, NodeError> {
    match &deferred.kind {
        Kind::Product(product) if product.keeps_order(&deferred.after) => {
            let tensor = builder.matmul(&product.matmul, Epilogue::Accumulator)?;
            Ok(Some(deferred.view.on(tensor)))
        }
        Kind::Softmax(softmax) => {
            let rows = &softmax.x;
            let straight = softmax.mask.is_none() && deferred.view == rows.output();
            let along = dim + 1 == deferred.view.rank();
            let apart = softmax.scale >= LEAST_SCALE;
            Ok((straight && along && apart).then(|| rows.view().clone()))
        }
        _ => Ok(None),
    }
}
