//! RotaryEmbedding of a dequantized tensor by constants.

use crate::onnx::node::{Import, Operator};
use crate::onnx::rotary::{self, Operands};

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "RotaryEmbedding",
    inputs: 4,
    attributes: &[&["interleaved", "num_heads", "rotary_embedding_dim"]],
    import: Import::One(|builder, node| {
        rotary::import(builder, node, &Operands { cos: 1, sin: 2, positions: 3 })
    }),
};
