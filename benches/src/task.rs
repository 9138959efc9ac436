//! The neutral int8 tasks: signed full range, exact accumulators as the public output.

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{
    CodeType, Epilogue, Graph, InputPort, InputTransform, IntegerType, Model, Node, Op, OutputPort,
    OutputTransform, TensorKind, TensorShape, WeightMatrix,
};

use crate::bytes;

/// A network of random weights with an input.
pub struct Task {
    /// The network.
    pub model: Model,
    /// A batch of inputs.
    pub input: Array,
    /// Multiply-accumulates.
    pub macs: u64,
}

impl Task {
    /// One matmul; operands are the same each time.
    ///
    /// Precondition: all sides are at least 1 and `k` is at most `2^17`, so that accumulators fit in
    /// 32 bits.
    pub fn matmul(rows: usize, k: usize, n: usize) -> Self {
        assert!(rows > 0 && n > 0 && (1..=1 << 17).contains(&k));
        let mut task = Self::perceptron(&[k, n]);
        let data = bytes(rows * k, 2).into_iter().map(|b| b as i8).collect();
        task.input = Array::new(vec![rows, k], ArrayData::I8(data)).expect("rows times k elements");
        task.macs *= rows as u64;
        task
    }

    /// Layers of these widths with Relu between them, on exact integers; one row.
    ///
    /// Precondition: at least two widths, each at least 1, and accumulators of less than 63 bits.
    pub fn perceptron(widths: &[usize]) -> Self {
        let tensor = |features, kind| TensorShape { rows_per_sample: 1, features, kind };
        let mut graph = Graph {
            name: format!("perceptron {widths:?}"),
            tensors: vec![tensor(widths[0], TensorKind::Code)],
            weights: Vec::new(),
            nodes: Vec::new(),
            input: InputPort {
                tensor: 0,
                shape: vec![widths[0]],
                transform: InputTransform::Codes { dtype: CodeType::I8 },
            },
            output: OutputPort {
                tensor: 0,
                shape: vec![widths[widths.len() - 1]],
                transform: OutputTransform::Integer { dtype: IntegerType::I64 },
            },
        };
        let mut matrices = Vec::new();
        let push = |graph: &mut Graph, op: Op, features, bits| {
            let name = format!("node {}", graph.nodes.len());
            graph.nodes.push(Node { name, op });
            graph.tensors.push(tensor(features, TensorKind::Integer { bits }));
            graph.tensors.len() - 1
        };
        let mut x = 0;
        let mut bits = 8;
        for (layer, sides) in widths.windows(2).enumerate() {
            let (k, n) = (sides[0], sides[1]);
            if layer > 0 {
                let y = x + 1;
                x = push(&mut graph, Op::Relu { x, y }, k, bits);
            }
            // |x| <= 2^(bits - 1) and |w| <= 2^7.
            bits += 7 + usize::BITS - k.leading_zeros();
            let codes = bytes(k * n, 1 + layer as u64);
            let (shape, matrix) = WeightMatrix::from_codes(k, n, &codes, &[-128], &[]);
            graph.weights.push(shape);
            matrices.push(matrix);
            let op = Op::MatMul {
                x,
                zero_code: if layer == 0 { 128 } else { 0 },
                weights: layer,
                y: x + 1,
                epilogue: Epilogue::Accumulator,
            };
            x = push(&mut graph, op, n, bits);
        }
        graph.output.tensor = x;
        let macs = widths.windows(2).map(|w| w[0] * w[1]).sum::<usize>() as u64;
        let data = bytes(widths[0], 9).into_iter().map(|b| b as i8).collect();
        let input = Array::new(vec![1, widths[0]], ArrayData::I8(data)).expect("one row");
        Self { model: Model { graph, weights: matrices }, input, macs }
    }
}
