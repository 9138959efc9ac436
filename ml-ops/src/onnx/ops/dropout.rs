//! Dropout, which does nothing to what is inferred. Its mask must not be read.

use crate::onnx::node::{Import, Operator};

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Dropout",
    inputs: 3,
    attributes: &[&["ratio", "seed"]],
    import: Import::Several(|_, node| Ok(vec![node.value(0)?.clone()])),
};
