//! ReduceMin: the smallest along some axes, of codes or of floats that grow with codes.

use crate::onnx::node::{Import, Operator};
use crate::onnx::ops::reduce_max;

pub(super) const OPERATOR: Operator = Operator {
    name: "ReduceMin",
    import: Import::One(|builder, node| reduce_max::reduced(builder, node, true)),
    ..reduce_max::OPERATOR
};
