//! And: flags of an input's numbers, and others or constant ones, both of which are set.

use crate::array::{Array, ArrayData};
use crate::onnx::builder::Builder;
use crate::onnx::constants;
use crate::onnx::error::NodeError;
use crate::onnx::joined::{self, Side};
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::numbers;
use crate::onnx::rowwise::part;
use crate::onnx::value::{Floats, Value};

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "And", inputs: 2, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match (flags(builder, node, 0)?, flags(builder, node, 1)?) {
        (Some(a), Some(b)) => of_two(builder, node.name, &a, &b),
        (Some(a), None) => with_constant(builder, node, a, 1),
        (None, Some(b)) => with_constant(builder, node, b, 0),
        (None, None) => {
            let expected = "flags of an input's numbers, the other such or a constant";
            Err(NodeError::Operand { index: 0, expected })
        }
    }
}

/// Operand `index`, if it is an input's flags.
fn flags(
    builder: &mut Builder,
    node: &NodeView<'_>,
    index: usize,
) -> Result<Option<Floats>, NodeError> {
    Ok(match node.value(index)? {
        Value::Flags(flags) => Some(flags.clone()),
        Value::NumberInput(view) => Some(numbers::floats(builder, view)?),
        _ => None,
    })
}

fn of_two(builder: &mut Builder, name: &str, a: &Floats, b: &Floats) -> Result<Value, NodeError> {
    let kept = |flags: &Floats| {
        let (codes, function) = flags.codes.function();
        let kept = function.map(|code| flags.images[usize::from(code)] != 0.0);
        (codes.view, move |code: u8| kept[usize::from(code)])
    };
    let ((a, of_a), (b, of_b)) = (kept(a), kept(b));
    let sides = [Side { view: &a, kept: &of_a }, Side { view: &b, kept: &of_b }];
    Ok(Value::Flags(joined::floats(joined::both(builder, name, sides)?)))
}

/// `flags` and the constant that is operand `index`.
fn with_constant(
    builder: &mut Builder,
    node: &NodeView<'_>,
    flags: Floats,
    index: usize,
) -> Result<Value, NodeError> {
    let constant: &Array = node.constant(index)?;
    let ArrayData::U8(values) = constant.data() else {
        return Err(NodeError::OperandType { index });
    };
    let view = &flags.codes.view;
    let shape = constants::shape(constant, view.rank(), index)?;
    let mut sizes = shape.iter().enumerate().map(|(dim, &got)| (view.size(dim), got));
    if let Some((expected, got)) = sizes.find(|&(of, got)| of != got && of != 1 && got != 1) {
        return Err(NodeError::OperandShape { index, expected, got });
    }
    let fits = |(dim, &size): (usize, &usize)| size == 1 || size == view.size(dim);
    if values.iter().all(|&value| value != 0) && shape.iter().enumerate().all(fits) {
        return Ok(Value::Flags(flags));
    }
    let codes: Vec<u8> = values.iter().map(|&value| u8::from(value != 0)).collect();
    let other = builder.constant(&part(node.name, "constant"), view, &shape, &codes);
    of_two(builder, node.name, &flags, &joined::floats(other))
}
