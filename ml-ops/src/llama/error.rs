//! Why no graph was made of a file.

use crate::gguf::GgufError;
use crate::graph::GraphError;
use thiserror::Error;

/// A language model could not be quantized.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LlamaError {
    /// The file is not right, or lacks something.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The network is of another kind.
    #[error("the architecture is {got:?}, supported is \"llama\"")]
    Architecture {
        /// What the file says.
        got: String,
    },
    /// Sizes that do not agree, or that no graph has.
    #[error(
        "width {width}, {heads} heads, {kv_heads} of keys, {rotated} rotated features: heads must divide the width \
         into an even number of features, all of them rotated, and heads of keys the heads"
    )]
    Sizes {
        /// Width of the residual stream.
        width: usize,
        /// Heads of queries.
        heads: usize,
        /// Heads of keys and values.
        kv_heads: usize,
        /// Features of a head that are rotated.
        rotated: usize,
    },
    /// A weight that is no number, or infinite.
    #[error("tensor {name:?} holds {got}")]
    Float {
        /// The tensor.
        name: String,
        /// The weight.
        got: f32,
    },
    /// Weights so large that activations, or products of matrices, are beyond 32-bit floats.
    #[error("weights are so large that activations are not finite")]
    Overflow,
    /// Widths of weights other than 8 and 4.
    #[error("weights of {got} bits, supported are 8 and 4")]
    Bits {
        /// Bits asked for.
        got: u32,
    },
    /// Too few tokens.
    #[error("{got} tokens, at least {least} are needed")]
    Tokens {
        /// Tokens given.
        got: usize,
        /// Least number.
        least: usize,
    },
    /// Too long a prompt.
    #[error("prompts of {got} tokens, at most {most} are supported")]
    Prompt {
        /// Tokens asked for.
        got: usize,
        /// Most there are.
        most: usize,
    },
    /// A token is none of the vocabulary.
    #[error("token {got} is none of the {vocabulary} of the vocabulary")]
    Vocabulary {
        /// The token.
        got: usize,
        /// Tokens there are.
        vocabulary: usize,
    },
    /// The network does not fit the bounds of graphs.
    #[error("graph: {0}")]
    Graph(#[from] GraphError),
}
