//! Resize: the nearest elements, a view where these are each of a tensor's several times, or in equal steps; or linear interpolation.

use crate::array::ArrayData;
use crate::graph::MAX_ELEMENTS;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Interpolation, Kind, Weighted};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::rowwise;
use crate::onnx::runs;
use crate::onnx::shapes;
use crate::onnx::value::{Codes, Scaling, Value};
use crate::onnx::view::View;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Resize",
    inputs: 4,
    attributes: &[&[
        "antialias",
        "axes",
        "coordinate_transformation_mode",
        "cubic_coeff_a",
        "exclude_outside",
        "extrapolation_value",
        "keep_aspect_ratio_policy",
        "mode",
        "nearest_mode",
    ]],
    import: Import::One(import),
};

/// The longest dimension that is made.
const LONGEST: f64 = (1 << 16) as f64;

/// Most weights of a dimension.
const MOST_WEIGHTS: usize = 1 << 24;

/// How a dimension is read.
enum Along {
    /// Each element so many times.
    Repeated(usize),
    /// Elements in equal steps.
    Steps { start: usize, step: i64, count: usize },
}

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let linear = match node.text("mode")?.unwrap_or("nearest") {
        "nearest" => false,
        "linear" => true,
        other => {
            return Err(NodeError::AttributeText { attribute: "mode", value: other.to_owned() });
        }
    };
    node.int_among("antialias", &[0])?;
    node.int_among("exclude_outside", &[0])?;
    if node.attribute("axes").is_some() {
        return Err(NodeError::UnknownAttribute { attribute: "axes".to_owned() });
    }
    // The default, which PyTorch's exporter writes out.
    let attribute = "keep_aspect_ratio_policy";
    if let Some(other) = node.text(attribute)?.filter(|policy| *policy != "stretch") {
        return Err(NodeError::AttributeText { attribute, value: other.to_owned() });
    }
    // Before operator set 11 scales were the second input, and indices rounded down.
    let old = node.inputs() == 2;
    let transformation = match old {
        true => "asymmetric",
        false => node.text("coordinate_transformation_mode")?.unwrap_or("half_pixel"),
    };
    let nearest = match old {
        true => "floor",
        false => node.text("nearest_mode")?.unwrap_or("round_prefer_floor"),
    };
    let sizes = sizes(node, &shape, if old { 1 } else { 2 })?;
    // Between one element and itself is that element, whatever the floats.
    let several = shape.iter().zip(&sizes).any(|(&from, &(_, scale))| from > 1 && scale != 1.0);
    if linear && several {
        return between(builder, node, &sizes, transformation);
    }
    let mut all = Vec::with_capacity(shape.len());
    for (&from, &(to, scale)) in shape.iter().zip(&sizes) {
        let at = |index: usize| place(index, (from, to), scale, transformation, nearest);
        all.push((0..to).map(at).collect::<Result<Vec<_>, _>>()?);
    }
    let along = all.iter().zip(&shape).map(|(indices, &from)| steps(indices, from));
    if let Some(along) = along.collect::<Option<Vec<_>>>() {
        return shapes::seen(builder, node, |view| read(view, &along));
    }
    shapes::copied_as(node, |view| {
        all.iter().enumerate().try_fold(view.clone(), |view, (dim, indices)| {
            let name = rowwise::part(node.name, &format!("along{dim}"));
            runs::gathered(builder, &name, &view, dim, indices)
        })
    })
}

/// The size of each dimension of a sample, and the factor to it.
fn sizes(
    node: &NodeView<'_>,
    shape: &[usize],
    scales: usize,
) -> Result<Vec<(usize, f32)>, NodeError> {
    let rank = shape.len() + 1;
    let given = node.optional_constant(scales)?.filter(|array| !array.data().is_empty());
    let (index, values): (usize, Vec<(f64, f32)>) = if let Some(array) = given {
        let ArrayData::F32(scales_of) = array.data() else {
            return Err(NodeError::OperandType { index: scales });
        };
        let sizes = scales_of.iter().zip([&[1], shape].concat());
        (
            scales,
            sizes.map(|(&scale, size)| ((size as f32 * scale).floor().into(), scale)).collect(),
        )
    } else {
        let index = scales + 1;
        let sizes = node.integers("sizes", index)?.ok_or(NodeError::MissingInput { index })?;
        let from = [&[1], shape].concat();
        let pairs = sizes.iter().zip(from);
        (index, pairs.map(|(&to, from)| (to as f64, to as f32 / from as f32)).collect())
    };
    let got = values.len();
    let Some((&(_, batch), values)) = values.split_first().filter(|_| got == rank) else {
        return Err(NodeError::OperandShape { index, expected: rank, got });
    };
    if batch != 1.0 {
        return Err(NodeError::NotOnGrid { index, value: batch });
    }
    let size = |&(size, scale): &(f64, f32)| {
        let fits = (1.0..=LONGEST).contains(&size);
        if fits {
            Ok((size as usize, scale))
        } else {
            Err(NodeError::NotOnGrid { index, value: scale })
        }
    };
    let sizes = values.iter().map(size).collect::<Result<Vec<_>, _>>()?;
    let elements = sizes.iter().fold(1usize, |product, (size, _)| product.saturating_mul(*size));
    match elements <= MAX_ELEMENTS {
        true => Ok(sizes),
        false => Err(NodeError::OperandShape { index, expected: MAX_ELEMENTS, got: elements }),
    }
}

/// The element of `from` that is number `index` of `to`.
fn place(
    index: usize,
    (from, to): (usize, usize),
    scale: f32,
    transformation: &str,
    nearest: &str,
) -> Result<usize, NodeError> {
    if scale == 1.0 {
        return Ok(index.min(from - 1));
    }
    let x = coordinate(index, (from, to), scale, transformation)?;
    let x = match nearest {
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round_prefer_floor" if x == x.floor() + 0.5 => x.floor(),
        "round_prefer_floor" | "round_prefer_ceil" => x.round(),
        other => {
            let attribute = "nearest_mode";
            return Err(NodeError::AttributeText { attribute, value: other.to_owned() });
        }
    };
    Ok((x.max(0.0) as usize).min(from - 1))
}

/// Where element `index` of `to` lies among `from`.
fn coordinate(
    index: usize,
    (from, to): (usize, usize),
    scale: f32,
    transformation: &str,
) -> Result<f32, NodeError> {
    let i = index as f32;
    Ok(match transformation {
        "half_pixel" => (i + 0.5) / scale - 0.5,
        "pytorch_half_pixel" if to > 1 => (i + 0.5) / scale - 0.5,
        "pytorch_half_pixel" => 0.0,
        "asymmetric" => i / scale,
        "align_corners" if to > 1 => i * (from - 1) as f32 / (to - 1) as f32,
        "align_corners" => 0.0,
        other => {
            let attribute = "coordinate_transformation_mode";
            return Err(NodeError::AttributeText { attribute, value: other.to_owned() });
        }
    })
}

/// Operand 0, codes or their floats, interpolated to `sizes`.
fn between(
    builder: &mut Builder,
    node: &NodeView<'_>,
    sizes: &[(usize, f32)],
    transformation: &str,
) -> Result<Value, NodeError> {
    let (codes, from) = match node.value(0)? {
        Value::Codes(codes) => (codes, None),
        Value::Floats(floats) if floats.pure => (&floats.codes, Some(floats.scaling)),
        _ => {
            let expected = "an 8-bit tensor, or the DequantizeLinear of one";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    let mut along = Vec::new();
    for (dim, &(to, scale)) in sizes.iter().enumerate() {
        let from = codes.view.size(dim);
        if scale != 1.0 {
            let at = |index: usize| coordinate(index, (from, to), scale, transformation);
            let places = (0..to).map(at).collect::<Result<Vec<_>, _>>()?;
            let (weights, unit) = weights(&places, from).ok_or(NodeError::NoView { index: 0 })?;
            along.push(Weighted { dim, count: to, weights, unit });
        }
    }
    if along.is_empty() {
        return Ok(node.value(0)?.clone());
    }
    // The last first, as its elements follow on each other.
    along.reverse();
    let (name, x, dtype) = (node.name.to_owned(), codes.view.clone(), codes.dtype);
    let between = Interpolation { name, x, from, dtype, along };
    let output = between.output();
    let deferred = Deferred::new(Kind::Interpolation(Rc::new(between)), output);
    if from.is_some() {
        return Ok(Value::Deferred(deferred));
    }
    let made =
        deferred.quantize(builder, node.name, Scaling { scale: 1.0, zero_point: 0 }, dtype)?;
    Ok(Value::Codes(Codes { quantized: false, ..made }))
}

/// The weights of `from` elements at each of `places`, as parts of a number of at most 255; `None` if there is none.
fn weights(places: &[f32], from: usize) -> Option<(Vec<u8>, i64)> {
    let last = from - 1;
    let split = |place: &f32| {
        let place = f64::from(*place).clamp(0.0, last as f64);
        (place.floor() as usize, place - place.floor())
    };
    let split: Vec<(usize, f64)> = places.iter().map(split).collect();
    let is_part = |unit: &f64| {
        split.iter().all(|(_, part)| (part * unit - (part * unit).round()).abs() < 1e-4)
    };
    let unit = (1..=255u8).map(f64::from).find(is_part)?;
    let size = from.checked_mul(places.len()).filter(|&size| size <= MOST_WEIGHTS)?;
    let mut weights = vec![0; size];
    for (made, &(at, part)) in split.iter().enumerate() {
        let after = (part * unit).round();
        weights[at * places.len() + made] += (unit - after) as u8;
        weights[(at + 1).min(last) * places.len() + made] += after as u8;
    }
    Some((weights, unit as i64))
}

fn steps(indices: &[usize], from: usize) -> Option<Along> {
    let count = indices.len();
    let times = count / from;
    if times > 1 && count.is_multiple_of(from) {
        let repeated = indices.iter().enumerate().all(|(at, &index)| index == at / times);
        return repeated.then_some(Along::Repeated(times));
    }
    let (&start, last) = (indices.first()?, *indices.last()?);
    let step = (last as i64 - start as i64) / (count.max(2) as i64 - 1);
    let equal = |(at, &index): (usize, &usize)| index as i64 == start as i64 + step * at as i64;
    let is_forward = step > 0 || count == 1;
    (is_forward && indices.iter().enumerate().all(equal)).then_some(Along::Steps {
        start,
        step,
        count,
    })
}

fn read(view: &View, along: &[Along]) -> Option<View> {
    let mut view = view.clone();
    for (dim, along) in along.iter().enumerate() {
        match *along {
            Along::Repeated(times) => {
                let mut shape = view.shape();
                shape[dim] *= times;
                view = view.unsqueezed(dim + 1).repeated(dim + 1, times).reshaped(&shape)?;
            }
            Along::Steps { start, step, count } => view = view.sliced(dim, start, step, count)?,
        }
    }
    Some(view)
}
