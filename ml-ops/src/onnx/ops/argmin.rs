//! ArgMin: the number of the smallest element along an axis.

use super::argmax;
use crate::onnx::node::{Import, Operator};

pub(super) const OPERATOR: Operator = Operator {
    name: "ArgMin",
    import: Import::One(|builder, node| argmax::import(builder, node, true)),
    ..argmax::OPERATOR
};
