//! LRN of a dequantized image, in integers.

use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, LocalNormalization};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "LRN",
    inputs: 1,
    attributes: &[&["alpha", "beta", "bias", "size"]],
    import: Import::One(import),
};

/// Most elements of a sum, such that sums of squares have 31 bits.
const MOST: i64 = 1 << 14;

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.dequantized_codes(0)?;
    let rank = x.codes.view.rank();
    if rank < 2 {
        return Err(NodeError::OperandShape { index: 0, expected: 3, got: rank + 1 });
    }
    let value = node.int("size", 0)?;
    let wrong = NodeError::AttributeValue { attribute: "size", value: value as f64 };
    let size = Some(value).filter(|size| (1..=MOST).contains(size)).ok_or(wrong)? as usize;
    let positive = |attribute, default: f32| {
        let value = f64::from(node.float(attribute, default)?);
        let fits = (1e-12..=1e12).contains(&value);
        fits.then_some(value).ok_or(NodeError::AttributeValue { attribute, value })
    };
    let (alpha, beta) = (positive("alpha", 1e-4)?, positive("beta", 0.75)?);
    let bias = positive("bias", 1.0)?;
    let (name, from, zero_code) = (node.name.to_owned(), x.scaling, x.zero_code());
    let x = x.codes.view.clone();
    let of = LocalNormalization { name, x, from, zero_code, size, alpha, beta, bias };
    let output = of.output();
    Ok(Value::Deferred(Deferred::new(Kind::LocalNormalization(Rc::new(of)), output)))
}
