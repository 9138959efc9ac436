//! MaxPool: the largest in each window, of codes or of what grows with codes.

use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, Mapped};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::rowwise;
use crate::onnx::value::{Codes, Value};
use crate::onnx::view::View;
use crate::onnx::windows::{self, Pool};
use crate::onnx::words::WordFloats;
use crate::onnx::wordwise;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "MaxPool",
    inputs: 1,
    attributes: &[&windows::ATTRIBUTES, &["ceil_mode", "storage_order"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("storage_order", &[0])?;
    pooled(builder, node, |sizes| Pool::of(node, sizes, None))
}

/// The largest of operand 0 in each of the windows over dimensions of some sizes.
pub(super) fn pooled(
    builder: &mut Builder,
    node: &NodeView<'_>,
    windows: impl Fn(&[usize]) -> Result<Pool, NodeError>,
) -> Result<Value, NodeError> {
    let of = |view: &View| match view.shape().split_first() {
        Some((_, sizes)) if !sizes.is_empty() => windows(sizes),
        _ => Err(NodeError::OperandShape { index: 0, expected: 3, got: view.rank() + 1 }),
    };
    let mut largest = |codes: &Codes| {
        let view = of(&codes.view)?.max(builder, node.name, &codes.view)?;
        Ok::<_, NodeError>(Codes { view, quantized: false, origin: None, ..codes.clone() })
    };
    // Of floats that a QuantizeLinear will make codes of, which are pooled then.
    let later = |mut floats: Deferred| {
        let pool = of(&floats.view)?;
        let view = pool.output(floats.view.size(0));
        floats.pools.push(Rc::new((std::mem::replace(&mut floats.view, view), pool)));
        Ok(Value::Deferred(floats))
    };
    match node.value(0)? {
        Value::Codes(codes) => Ok(Value::Codes(largest(codes)?)),
        Value::Floats(floats) if floats.images.is_sorted() => {
            let mut floats = floats.clone();
            floats.codes = largest(&floats.codes)?;
            floats.direct = false;
            Ok(Value::Floats(floats))
        }
        Value::Floats(floats) if node.goes_on() => {
            let (name, output) = (rowwise::part(node.name, "codes"), &floats.codes.view);
            let mapped = Kind::Mapped(Rc::new(Mapped { name, floats: floats.clone() }));
            later(Deferred::new(mapped, output.clone()))
        }
        Value::Deferred(deferred) => {
            deferred.check_upward()?;
            later(deferred.clone())
        }
        Value::Words(words) => {
            let pool = of(words.view())?;
            Ok(Value::Words(wordwise::max(builder, node.name, words, &pool)?))
        }
        Value::WordFloats(floats) => {
            let pool = of(floats.words.view())?;
            let words = wordwise::max(builder, node.name, &floats.words, &pool)?;
            Ok(Value::WordFloats(WordFloats { words, ..floats.clone() }))
        }
        _ => Err(NodeError::Operand {
            index: 0,
            expected: "an 8-bit tensor, or floats that grow with codes",
        }),
    }
}
