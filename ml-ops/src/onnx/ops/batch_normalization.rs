//! BatchNormalization: a factor and a summand for each channel of floats.

use crate::array::{Array, ArrayData};
use crate::onnx::arithmetic::{self, Operation};
use crate::onnx::builder::Builder;
use crate::onnx::constants;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "BatchNormalization",
    inputs: 5,
    attributes: &[&["epsilon", "momentum", "spatial", "training_mode"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("training_mode", &[0])?;
    node.int_among("spatial", &[1])?;
    let epsilon = node.float("epsilon", 1e-5)?;
    let (scale, bias) = (constants::floats_of(node, 1)?, constants::floats_of(node, 2)?);
    let (mean, variance) = (constants::floats_of(node, 3)?, constants::floats_of(node, 4)?);
    let channels = scale.len();
    for (index, values) in [(2, &bias), (3, &mean), (4, &variance)] {
        if values.len() != channels {
            let (expected, got) = (channels, values.len());
            return Err(NodeError::OperandShape { index, expected, got });
        }
    }
    let rank = shapes::of(node.value(0)?)?.len();
    let factors: Vec<f32> =
        scale.iter().zip(&variance).map(|(scale, v)| 1.0 / (v + epsilon).sqrt() * scale).collect();
    let shifted = bias.iter().zip(&mean).zip(&factors);
    let summands = shifted.map(|((bias, mean), factor)| bias - mean * factor).collect();
    // Along the first dimension of a sample.
    let column = |values: Vec<f32>| {
        let shape = [&[channels][..], &vec![1; rank.saturating_sub(1)]].concat();
        let wrong = NodeError::OperandShape { index: 1, expected: channels, got: values.len() };
        Array::new(shape, ArrayData::F32(values)).map_err(|_| wrong)
    };
    let scaled =
        arithmetic::by_constant(node, node.value(0)?, &column(factors)?, Operation::Mul, 1)?;
    arithmetic::by_constant(node, &scaled, &column(summands)?, Operation::Add, 2)
}
