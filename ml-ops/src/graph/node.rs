//! The nodes of a graph: matmul with an epilogue, Relu on integers, and elementwise byte tables.

use super::{Requantize, TensorId, WeightId};

/// A named operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The name in the file it came from, or a made one; at most 1024 bytes.
    pub name: String,
    /// What it does.
    pub op: Op,
}

/// An operation on whole tensors.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `acc[r][j] = sum_k (x[r][k] - zero_code) * W[k][j] + bias[j]`, exactly, then the epilogue.
    MatMul {
        /// Input, codes or integers.
        x: TensorId,
        /// The input code that stands for zero; 0 if `x` holds integers.
        zero_code: u8,
        /// The matrix and its bias.
        weights: WeightId,
        /// Output.
        y: TensorId,
        /// What becomes of the accumulators.
        epilogue: Epilogue,
    },
    /// `y = max(x, 0)` on integers of one width.
    Relu {
        /// Input.
        x: TensorId,
        /// Output.
        y: TensorId,
    },
    /// `y = table[x]`, elementwise on codes.
    Map {
        /// Input.
        x: TensorId,
        /// Output.
        y: TensorId,
        /// The output code of each input code.
        table: Box<[u8; 256]>,
    },
}

impl Op {
    /// The tensor that the operation reads.
    pub fn input(&self) -> TensorId {
        match self {
            Self::MatMul { x, .. } | Self::Relu { x, .. } | Self::Map { x, .. } => *x,
        }
    }

    /// The tensor that the operation writes.
    pub fn output(&self) -> TensorId {
        match self {
            Self::MatMul { y, .. } | Self::Relu { y, .. } | Self::Map { y, .. } => *y,
        }
    }
}

/// What becomes of a matmul's accumulators.
#[derive(Debug, Clone, PartialEq)]
pub enum Epilogue {
    /// They are the output, an integer tensor.
    Accumulator,
    /// A step function takes each to an output code.
    Requantize(Requantize),
}
