//! Constant: a tensor, or numbers, in an attribute.

use crate::array::{Array, ArrayData};
use crate::onnx::builder::Builder;
use crate::onnx::constant;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator, expect_type};
use crate::onnx::proto::attribute_type;
use crate::onnx::value::Value;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Constant",
    inputs: 0,
    attributes: &[&["value", "value_float", "value_floats", "value_int", "value_ints"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let [attribute] = node.attributes() else {
        return Err(NodeError::AttributeValue {
            attribute: "value",
            value: node.attributes().len() as f64,
        });
    };
    let name = attribute.name.as_deref().unwrap_or("");
    let (expected, shape, data) = match name {
        "value_float" => {
            (attribute_type::FLOAT, vec![], ArrayData::F32(vec![attribute.f.unwrap_or(0.0)]))
        }
        "value_floats" => (
            attribute_type::FLOATS,
            vec![attribute.floats.len()],
            ArrayData::F32(attribute.floats.clone()),
        ),
        "value_int" => {
            (attribute_type::INT, vec![], ArrayData::I64(vec![attribute.i.unwrap_or(0)]))
        }
        "value_ints" => (
            attribute_type::INTS,
            vec![attribute.ints.len()],
            ArrayData::I64(attribute.ints.clone()),
        ),
        _ => {
            expect_type(attribute, attribute_type::TENSOR)?;
            let tensor = attribute.t.as_ref();
            let array = constant::array(tensor.unwrap_or(&Default::default()))?;
            return Ok(Value::Constant(Rc::new(array)));
        }
    };
    expect_type(attribute, expected)?;
    let got = data.len();
    let array = Array::new(shape, data)
        .map_err(|_| crate::onnx::error::TensorError::Length { expected: got, got })?;
    Ok(Value::Constant(Rc::new(array)))
}
