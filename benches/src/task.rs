//! The neutral int8 matmul task: signed full range, exact 32-bit accumulators as the public output.

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{
    CodeType, Epilogue, Graph, InputPort, InputTransform, IntegerType, Model, Node, Op, OutputPort,
    OutputTransform, TensorKind, TensorShape, WeightMatrix,
};

use crate::bytes;

/// `[rows x k] * [k x n]` with random operands.
pub struct Task {
    /// The one-node model.
    pub model: Model,
    /// A batch of `rows` inputs.
    pub input: Array,
    /// Multiply-accumulates.
    pub macs: u64,
}

impl Task {
    /// The task of this shape; operands are the same each time.
    ///
    /// Precondition: all sides are at least 1 and `k` is at most `2^17`, so that accumulators fit in
    /// 32 bits.
    pub fn matmul(rows: usize, k: usize, n: usize) -> Self {
        assert!(rows > 0 && n > 0 && (1..=1 << 17).contains(&k));
        let (weights, matrix) = WeightMatrix::from_codes(k, n, &bytes(k * n, 1), &[-128], &[]);
        let magnitude = k << 14;
        let bits = usize::BITS - magnitude.leading_zeros() + 1;
        let tensor = |features, kind| TensorShape {
            rows_per_sample: 1,
            features,
            kind,
        };
        let op = Op::MatMul {
            x: 0,
            zero_code: 128,
            weights: 0,
            y: 1,
            epilogue: Epilogue::Accumulator,
        };
        let graph = Graph {
            name: format!("matmul {rows}x{k}x{n}"),
            tensors: vec![
                tensor(k, TensorKind::Code),
                tensor(n, TensorKind::Integer { bits }),
            ],
            weights: vec![weights],
            nodes: vec![Node {
                name: "matmul".into(),
                op,
            }],
            input: InputPort {
                tensor: 0,
                shape: vec![k],
                transform: InputTransform::Codes {
                    dtype: CodeType::I8,
                },
            },
            output: OutputPort {
                tensor: 1,
                shape: vec![n],
                transform: OutputTransform::Integer {
                    dtype: IntegerType::I32,
                },
            },
        };
        let data = bytes(rows * k, 2).into_iter().map(|b| b as i8).collect();
        let input = Array::new(vec![rows, k], ArrayData::I8(data));
        Self {
            model: Model {
                graph,
                weights: vec![matrix],
            },
            input: input.expect("rows times k elements"),
            macs: (rows * k * n) as u64,
        }
    }
}
