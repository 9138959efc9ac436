//! The neutral int8 tasks: signed full range, exact accumulators or codes as the public output.

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{
    CodeType, Epilogue, Graph, InputPort, InputTransform, IntegerType, Model, Node, Op, OutputPort,
    OutputTransform, Requantize, RoundingProfile, Step, TensorKind, TensorShape, WeightMatrix,
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
        assert!((1..=1 << 17).contains(&k));
        Self::perceptron(rows, &[k, n])
    }

    /// The same matmul, its accumulators requantized to int8: a scale at which few of them saturate.
    ///
    /// Precondition: as for [`Self::matmul`].
    pub fn requantized(rows: usize, k: usize, n: usize) -> Self {
        let mut task = Self::matmul(rows, k, n);
        let graph = &mut task.model.graph;
        // A product of two uniform int8 numbers deviates by some 74^2 from its mean.
        let deviation = 74.0 * 74.0 * (k as f32).sqrt();
        let step = Step {
            scale: 40.0 / deviation,
            zero_point: 0,
            qmin: -128,
            qmax: 127,
            type_min: -128,
            profile: RoundingProfile::OrtF32Rne,
        };
        if let Op::MatMul { epilogue, .. } = &mut graph.nodes[0].op {
            *epilogue = Epilogue::Requantize(Requantize { steps: vec![step] });
        }
        graph.tensors[1].kind = TensorKind::Code;
        graph.output.transform = OutputTransform::Codes { dtype: CodeType::I8 };
        task
    }

    /// Layers of these widths with Relu between them, on exact integers.
    ///
    /// Precondition: at least one row and two widths, each at least 1, and accumulators that fit in
    /// 63 bits.
    pub fn perceptron(rows: usize, widths: &[usize]) -> Self {
        assert!(rows > 0 && widths.len() >= 2 && !widths.contains(&0));
        let tensor = |features, kind| TensorShape { rows_per_sample: 1, features, kind };
        let mut graph = Graph {
            more_inputs: Vec::new(),
            input_names: Vec::new(),
            more_outputs: Vec::new(),
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
            // |x| <= 2^(bits - 1) and |w| <= 2^7; random accumulators stay far below that bound.
            bits = 63.min(bits + 7 + usize::BITS - k.leading_zeros());
            let codes = bytes(k * n, 1 + layer as u64);
            let (shape, matrix) = WeightMatrix::from_codes(k, n, &codes, &[-128], &[]);
            graph.weights.push(shape);
            matrices.push(matrix);
            let op = Op::MatMul {
                x,
                gather: None,
                zero_code: if layer == 0 { 128 } else { 0 },
                weights: layer,
                groups: 1,
                y: x + 1,
                epilogue: Epilogue::Accumulator,
            };
            x = push(&mut graph, op, n, bits);
        }
        graph.output.tensor = x;
        let macs = (rows * widths.windows(2).map(|w| w[0] * w[1]).sum::<usize>()) as u64;
        let data = bytes(rows * widths[0], 9).into_iter().map(|b| b as i8).collect();
        let input = Array::new(vec![rows, widths[0]], ArrayData::I8(data));
        let input = input.expect("as many elements as the shape says");
        Self { model: Model { graph, weights: matrices }, input, macs }
    }
}
