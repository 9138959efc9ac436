//! Einsum of two dequantized tensors that is a matmul: dimensions that both have and the result has, or only it has not.

use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, Tensors};
use crate::onnx::error::NodeError;
use crate::onnx::heads::Heads;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;
use crate::onnx::view::View;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Einsum",
    inputs: 2,
    attributes: &[&["equation"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let attribute = "equation";
    let text = node.text(attribute)?.ok_or(NodeError::MissingAttribute { attribute })?;
    let wrong = || NodeError::AttributeText { attribute, value: text.to_owned() };
    let terms = Terms::of(text, !node.is_whole()).ok_or_else(wrong)?;
    let (a, b) = (node.dequantized_codes(0)?, node.dequantized_codes(1)?);
    for (index, (view, labels)) in
        [(&a.codes.view, &terms.a), (&b.codes.view, &terms.b)].into_iter().enumerate()
    {
        if view.rank() != labels.len() {
            let (expected, got) = (labels.len(), view.rank());
            return Err(NodeError::OperandShape { index, expected, got });
        }
    }
    // What both have and the result has numbers the products.
    let heads = among(&terms.to, |label| terms.a.contains(label) && terms.b.contains(label));
    let rows = among(&terms.a, |label| terms.to.contains(label) && !heads.contains(label));
    let columns = among(&terms.b, |label| terms.to.contains(label) && !heads.contains(label));
    let inner = among(&terms.a, |label| !terms.to.contains(label));
    let all = [heads.len() + rows.len(), inner.len() + columns.len()];
    let is_matmul = terms.to.len() + inner.len() == all[0] + all[1]
        && inner.iter().all(|label| terms.b.contains(label))
        && terms.b.len() == heads.len() + inner.len() + columns.len();
    if !is_matmul {
        return Err(wrong());
    }
    let no_view = |index| NodeError::NoView { index };
    let (x, y) = (&a.codes.view, &b.codes.view);
    let first = matrices(x, &terms.a, [&heads, &rows, &inner]).ok_or(no_view(0))?;
    let second = matrices(y, &terms.b, [&heads, &inner, &columns]).ok_or(no_view(1))?;
    let zeros = [a.zero_code(), b.zero_code()];
    let (product, output) = Heads::new(node, [&first, &second], zeros, 1)?;
    // The result's dimensions, in the order of the products and in its own.
    let size = |label: &u8| {
        let at = |labels: &[u8]| labels.iter().position(|other| other == label);
        let of_b = || at(&terms.b).map_or(1, |dim| y.size(dim));
        at(&terms.a).map_or_else(of_b, |dim| x.size(dim))
    };
    let made: Vec<u8> = [heads, rows, columns].concat();
    let shape: Vec<usize> = made.iter().map(size).collect();
    let order = terms.to.iter().map(|label| made.iter().position(|other| other == label));
    let order: Vec<usize> = order.collect::<Option<_>>().ok_or_else(wrong)?;
    let output = output.reshaped(&shape).ok_or(no_view(0))?.transposed(&order);
    let product = Tensors { heads: product, scale: a.scaling.scale * b.scaling.scale };
    Ok(Value::Deferred(Deferred::new(Kind::Tensors(Rc::new(product)), output)))
}

/// The labels of the operands' dimensions, and of the result's.
struct Terms {
    a: Vec<u8>,
    b: Vec<u8>,
    to: Vec<u8>,
}

impl Terms {
    /// Those of an equation of two operands, without the batch if it has one; `None` if a label is there twice, or missing.
    fn of(text: &str, has_batch: bool) -> Option<Self> {
        let text: String = text.chars().filter(|of| !of.is_whitespace()).collect();
        let (operands, to) = text.split_once("->")?;
        let (a, b) = operands.split_once(',')?;
        let labels = |text: &str| {
            let bytes = text.as_bytes();
            let once = |(at, label): (usize, &u8)| {
                label.is_ascii_alphabetic() && !bytes[..at].contains(label)
            };
            bytes.iter().enumerate().all(once).then(|| bytes.to_vec())
        };
        let mut all = [labels(a)?, labels(b)?, labels(to)?];
        if has_batch {
            let batch = *all[0].first()?;
            for labels in &mut all {
                let (first, rest) = labels.split_first()?;
                *labels = (*first == batch).then(|| rest.to_vec())?;
            }
        }
        let [a, b, to] = all;
        Some(Self { a, b, to })
    }
}

/// Those of `labels` of which `holds` is true.
fn among(labels: &[u8], holds: impl Fn(&u8) -> bool) -> Vec<u8> {
    labels.iter().copied().filter(holds).collect()
}

/// `view`, whose dimensions have `labels`, in dimensions of its own for each of the first of `parts`, and one for each of the
/// others.
fn matrices(view: &View, labels: &[u8], parts: [&[u8]; 3]) -> Option<View> {
    let place = |label: &u8| labels.iter().position(|other| other == label);
    let order: Vec<usize> = parts.concat().iter().map(place).collect::<Option<_>>()?;
    let sizes = |part: &[u8]| -> Option<Vec<usize>> {
        part.iter().map(|label| Some(view.size(place(label)?))).collect()
    };
    let [heads, rows, columns] = parts;
    let mut shape = sizes(heads)?;
    shape.extend([sizes(rows)?.iter().product(), sizes(columns)?.iter().product::<usize>()]);
    view.transposed(&order).reshaped(&shape)
}
