//! com.microsoft's RotaryEmbedding, whose positions come before the tables.

use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, Operator};
use crate::onnx::rotary::{self, Operands};

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "RotaryEmbedding",
    inputs: 4,
    attributes: &[&[
        "interleaved",
        "is_packed_batching",
        "num_heads",
        "rotary_embedding_dim",
        "scale",
    ]],
    import: Import::One(|builder, node| {
        node.int_among("is_packed_batching", &[0])?;
        let scale = node.float("scale", 1.0)?;
        if scale != 1.0 {
            let value = f64::from(scale);
            return Err(NodeError::AttributeValue { attribute: "scale", value });
        }
        rotary::import(builder, node, &Operands { cos: 2, sin: 3, positions: 1 })
    }),
};
