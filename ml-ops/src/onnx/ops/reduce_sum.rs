//! ReduceSum of a dequantized tensor over some of its axes.

use crate::onnx::node::{Import, Operator};
use crate::onnx::ops::reduce_mean;

pub(super) const OPERATOR: Operator = Operator {
    name: "ReduceSum",
    import: Import::One(|builder, node| reduce_mean::reduced(builder, node, false)),
    ..reduce_mean::OPERATOR
};
