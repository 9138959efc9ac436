//! ReduceMean of a dequantized tensor over some of its axes.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Average, Deferred, Formula, Kind, NormalizationPart, Summands};
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::numbers;
use crate::onnx::shapes;
use crate::onnx::value::Value;
use crate::onnx::view::View;
use crate::onnx::wordwise::Means;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "ReduceMean",
    inputs: 2,
    attributes: &[&["axes", "keepdims", "noop_with_empty_axes"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    reduced(builder, node, true)
}

/// The sums of operand 0, or its means, over some of its axes.
pub(super) fn reduced(
    builder: &mut Builder,
    node: &NodeView<'_>,
    mean: bool,
) -> Result<Value, NodeError> {
    let keep = node.int_among("keepdims", &[1, 0])? == 1;
    // What is made of an input's zeros and ones is a function of these.
    let value = &match node.value(0)? {
        Value::Floats(x) => Value::Floats(numbers::of_input(builder, x)),
        Value::Deferred(x) => x.rounded(builder, node.name)?,
        value => value.clone(),
    };
    let (view, is_pure) = match value {
        Value::Floats(x) => (&x.codes.view, true),
        Value::Deferred(x) => (&x.view, x.is_unbounded()),
        Value::WordFloats(x) => (x.words.view(), x.is_pure()),
        _ => return Err(NodeError::Operand { index: 0, expected: "floats of one 8-bit tensor" }),
    };
    let axes = match (node.ints("axes")?, node.optional_constant(1)?) {
        (Some(axes), _) if !axes.is_empty() => axes.to_vec(),
        (None, Some(array)) => match array.data() {
            ArrayData::I64(axes) if !axes.is_empty() => axes.clone(),
            ArrayData::I64(_) => return Err(NodeError::MissingAttribute { attribute: "axes" }),
            _ => return Err(NodeError::OperandType { index: 1 }),
        },
        _ => return Err(NodeError::MissingAttribute { attribute: "axes" }),
    };
    let reduced: Vec<usize> = axes
        .iter()
        .map(|&axis| shapes::axis(node, "axes", axis, view.rank()))
        .collect::<Result<_, _>>()?;
    if let Value::Deferred(squares) = value
        && mean
        && keep
        && reduced == [view.rank() - 1]
        && let Some(variance) = NormalizationPart::averaged(node.name, squares)
    {
        return Ok(Value::Deferred(variance));
    }
    let kept: Vec<usize> = (0..view.rank()).filter(|dim| !reduced.contains(dim)).collect();
    // Of what is kept, features stay features; without any, everything is.
    let any = kept.iter().any(|&dim| view.is_feature(dim));
    let is_feature = |dim: usize| !any || view.is_feature(dim);
    let laid_out = |of: &View| {
        let of_side = |side: bool| {
            let dims = kept.iter().filter(move |&&dim| is_feature(dim) == side);
            dims.flat_map(|&dim| of.digits(dim)).collect::<Vec<_>>()
        };
        let taps = reduced.iter().flat_map(|&dim| of.digits(dim));
        let cols = of_side(true).into_iter().chain(taps).collect();
        Matrix { rows: of_side(false), cols, view: of.clone(), pad: None }
    };
    let columns = kept.iter().filter(|&&dim| is_feature(dim)).map(|&dim| view.size(dim)).product();
    let shape: Vec<usize> = kept.iter().map(|&dim| view.size(dim)).collect();
    let mut output = View::new(0, &shape, |at| is_feature(kept[at]));
    if keep {
        for dim in (0..view.rank()).filter(|dim| reduced.contains(dim)) {
            output = output.unsqueezed(dim);
        }
    }
    let taps: usize = reduced.iter().map(|&dim| view.size(dim)).product();
    let count = if mean { taps } else { 1 };
    if let Value::WordFloats(x) = value {
        let read = |view: &View, _| Some(laid_out(view));
        return Means { columns, taps, count }.of(builder, node.name, x, read, output);
    }
    let average = match value {
        Value::Deferred(Deferred { kind: Kind::Elementwise(product), view: seen, .. })
            if *seen == product.layout && is_pure =>
        {
            let operands = product.operands.each_ref().map(|operand| laid_out(&operand.view));
            Kind::Average(Rc::new(product.summed(node.name, operands, columns, count)))
        }
        Value::Deferred(x) => x.averaged(node.name, laid_out(view), columns, count)?,
        Value::Floats(x) => Kind::Average(Rc::new(Average {
            name: node.name.to_owned(),
            x: laid_out(view),
            columns,
            summands: Summands::of(x, taps),
            dtype: x.codes.dtype,
            count,
            weights: None,
            formula: Formula::Mean,
        })),
        _ => return Err(NodeError::Operand { index: 0, expected: "floats of one 8-bit tensor" }),
    };
    Ok(Value::Deferred(Deferred::new(average, output)))
}
