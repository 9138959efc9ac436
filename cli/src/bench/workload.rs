//! The networks and inputs of the benchmarks, drawn from a fixed seed.

use std::str::FromStr;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{
    CodeType, Epilogue, Graph, GraphError, InputPort, InputTransform, IntegerType, MAX_ELEMENTS,
    Model, Node, Op, OutputPort, OutputTransform, TensorKind, TensorShape, WeightMatrix,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use thiserror::Error;

/// What is proved.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Task {
    /// [1 x 256] by [256 x 256] in int8; accumulators are the output, here and in all tasks
    #[command(name = "t1-0")]
    T1Zero,
    /// [1 x 768] by [768 x 768] in int8
    #[command(name = "t1-a")]
    T1A,
    /// [4 x 768] by [768 x 768] in int8
    #[command(name = "t1-b")]
    T1B,
    /// [16 x 768] by [768 x 768] in int8
    #[command(name = "t1-c")]
    T1C,
    /// [64 x 768] by [768 x 768] in int8
    #[command(name = "t1-d")]
    T1D,
    /// 200 -> 256 -> 128 -> 64 -> 1 with Relu between, exact integers
    T2,
    /// T2, a batch of 8
    T3,
    /// One matmul of a shape and a width of weights
    Matmul {
        /// Rows of the input, its columns, columns of the output
        #[arg(long, value_name = "MxKxN")]
        shape: Shape,
        /// Bits of a weight
        #[arg(long, default_value = "8", value_parser = ["8", "4", "2", "1"])]
        weight_bits: String,
    },
}

/// `M x K x N`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    m: usize,
    k: usize,
    n: usize,
}

/// A string is no shape.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error(
    "three positive numbers are expected, as in 64x768x768, any two with a product of at most 2^28"
)]
pub(crate) struct ShapeError;

impl FromStr for Shape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let numbers: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[m, k, n]) => {
                let sizes =
                    [m, k, n, m.saturating_mul(k), k.saturating_mul(n), m.saturating_mul(n)];
                let valid = sizes.iter().all(|d| (1..=MAX_ELEMENTS).contains(d));
                valid.then_some(Self { m, k, n }).ok_or(ShapeError)
            }
            _ => Err(ShapeError),
        }
    }
}

/// A model and an input.
pub(crate) struct Workload {
    /// The task's name.
    pub(crate) name: String,
    /// The model.
    pub(crate) model: Model,
    /// A batch of inputs.
    pub(crate) input: Array,
    /// Its size.
    pub(crate) batch: usize,
}

impl Task {
    /// The workload: signed full-range weights and inputs, the same on every call.
    pub(crate) fn workload(&self) -> Result<Workload, GraphError> {
        const MLP: [usize; 5] = [200, 256, 128, 64, 1];
        match self {
            Self::T1Zero => workload("t1-0", 1, &[256, 256], 8),
            Self::T1A => workload("t1-a", 1, &[768, 768], 8),
            Self::T1B => workload("t1-b", 4, &[768, 768], 8),
            Self::T1C => workload("t1-c", 16, &[768, 768], 8),
            Self::T1D => workload("t1-d", 64, &[768, 768], 8),
            Self::T2 => workload("t2", 1, &MLP, 8),
            Self::T3 => workload("t3", 8, &MLP, 8),
            Self::Matmul { shape, weight_bits } => {
                let Shape { m, k, n } = *shape;
                // The parser of arguments lets only four widths through.
                let bits = weight_bits.parse().unwrap_or(8);
                let name = format!("matmul {m}x{k}x{n} w{bits}");
                workload(&name, m, &[k, n], bits)
            }
        }
    }
}

fn workload(
    name: &str,
    batch: usize,
    widths: &[usize],
    weight_bits: u32,
) -> Result<Workload, GraphError> {
    let mut rng = StdRng::seed_from_u64(1);
    let model = perceptron(&mut rng, name, widths, weight_bits)?;
    let features = widths[0];
    let mut input = vec![0i8; batch * features];
    rng.fill(&mut input[..]);
    let input = Array::new(vec![batch, features], ArrayData::I8(input));
    Ok(Workload {
        name: name.into(),
        model,
        // The length is the product.
        input: input.unwrap_or_else(|e| unreachable!("{e}")),
        batch,
    })
}

/// Matmuls with Relu between them, on exact integers: every tensor is as wide as the bound on its
/// accumulators asks for, up to 63 bits.
fn perceptron(
    rng: &mut StdRng,
    name: &str,
    widths: &[usize],
    weight_bits: u32,
) -> Result<Model, GraphError> {
    let tensor = |features, kind| TensorShape { rows_per_sample: 1, features, kind };
    let widest = TensorKind::Integer { bits: 63 };
    let mut graph = Graph {
        name: name.into(),
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
            shape: Vec::new(),
            transform: OutputTransform::Integer { dtype: IntegerType::I64 },
        },
    };
    let mut matrices = Vec::new();
    for (layer, pair) in widths.windows(2).enumerate() {
        let (k, n) = (pair[0], pair[1]);
        let last = layer + 2 == widths.len();
        let (shape, matrix) = weights(rng, k, n, weight_bits);
        graph.weights.push(shape);
        matrices.push(matrix);
        let (x, y) = (graph.tensors.len() - 1, graph.tensors.len());
        graph.tensors.push(tensor(n, widest));
        graph.nodes.push(Node {
            name: format!("matmul {layer}"),
            op: Op::MatMul {
                x,
                // Code 128 is the signed 0.
                zero_code: if layer == 0 { 128 } else { 0 },
                weights: layer,
                y,
                epilogue: Epilogue::Accumulator,
            },
        });
        graph.output.tensor = y;
        graph.output.shape = vec![n];
        graph.validate()?;
        let bound = graph.accumulator_bound(graph.nodes.len() - 1);
        let bits = (129 - bound.leading_zeros()).min(63);
        graph.tensors[y].kind = TensorKind::Integer { bits };
        if last {
            let dtype = if bits <= 32 { IntegerType::I32 } else { IntegerType::I64 };
            graph.output.transform = OutputTransform::Integer { dtype };
        } else {
            graph.tensors.push(graph.tensors[y]);
            graph
                .nodes
                .push(Node { name: format!("relu {layer}"), op: Op::Relu { x: y, y: y + 1 } });
        }
    }
    let model = Model { graph, weights: matrices };
    model.validate()?;
    Ok(model)
}

/// Weights drawn from `2^bits` values around 0; of one bit, from -1 and 1.
fn weights(
    rng: &mut StdRng,
    k: usize,
    n: usize,
    bits: u32,
) -> (binfer_ml_ops::graph::WeightShape, WeightMatrix) {
    let mask = (1u16 << bits) - 1;
    let mut codes = vec![0u8; k * n];
    rng.fill(&mut codes[..]);
    let (factor, offset) = match bits {
        1 => (2, -1),
        bits => (1, -(1i32 << (bits - 1))),
    };
    for code in &mut codes {
        *code = (*code & mask as u8) * factor;
    }
    WeightMatrix::from_codes(k, n, &codes, &[offset], &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_parsed() {
        let shape = Shape { m: 1, k: 20, n: 3 };
        assert_eq!("1x20x3".parse(), Ok(shape));
        for wrong in ["", "1x2", "1x2x3x4", "0x1x1", "ax1x1", "1x1x99999999999", "1x16385x16385"] {
            assert_eq!(wrong.parse::<Shape>(), Err(ShapeError), "{wrong}");
        }
    }

    #[test]
    fn weights_have_their_width() {
        for (bits, per_byte) in [(8, 1), (4, 2), (2, 4), (1, 8)] {
            let mut rng = StdRng::seed_from_u64(1);
            let (shape, _) = weights(&mut rng, 32, 32, bits);
            assert_eq!(shape.alphabet.per_byte(), per_byte);
        }
    }
}
