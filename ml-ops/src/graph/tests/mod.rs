//! Tests of graphs: each invariant, each decoding error, ports, steps and alphabets.

mod activations;
mod argmax;
mod bytes;
mod image;
mod port;
mod shallow;
mod step;
mod validate;
mod weights;

use super::*;

/// A valid graph with a node of each kind and both alphabets.
///
/// Codes (3) - matmul, requantized - codes (4) - table - codes (4) - matmul - integers (2) - Relu.
fn graph() -> Graph {
    let shape = |features, kind| TensorShape { rows_per_sample: 2, features, kind };
    let integers = TensorKind::Integer { bits: 20 };
    let node = |name: &str, op| Node { name: name.to_owned(), op };
    Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "graph".to_owned(),
        tensors: vec![
            shape(3, TensorKind::Code),
            shape(4, TensorKind::Code),
            shape(4, TensorKind::Code),
            shape(2, integers),
            shape(2, integers),
        ],
        weights: vec![
            WeightShape {
                k: 3,
                n: 4,
                alphabet: Alphabet::Byte { offsets: vec![-128, -100, 0, -255] },
                bias_bits: 12,
            },
            WeightShape {
                k: 4,
                n: 2,
                alphabet: Alphabet::Digits { values: vec![-1, 0, 1], per_byte: 5 },
                bias_bits: 0,
            },
        ],
        nodes: vec![
            node(
                "first",
                Op::MatMul {
                    x: 0,
                    gather: None,
                    zero_code: 128,
                    weights: 0,
                    groups: 1,
                    y: 1,
                    epilogue: Epilogue::Requantize(Requantize {
                        steps: vec![step(0.01), step(0.02), step(0.5), step(1.0)],
                    }),
                },
            ),
            node("table", Op::map(1, 2, |code| 255 - code)),
            node(
                "second",
                Op::MatMul {
                    x: 2,
                    gather: None,
                    zero_code: 3,
                    weights: 1,
                    groups: 1,
                    y: 3,
                    epilogue: Epilogue::Accumulator,
                },
            ),
            node("relu", Op::Relu { x: 3, y: 4 }),
        ],
        input: InputPort {
            tensor: 0,
            shape: vec![2, 3],
            transform: InputTransform::Quantize {
                scale: 0.25,
                zero_point: 100,
                dtype: CodeType::U8,
            },
        },
        output: OutputPort {
            tensor: 4,
            shape: vec![4],
            transform: OutputTransform::Integer { dtype: IntegerType::I32 },
        },
    }
}

fn step(scale: f32) -> Step {
    Step {
        scale,
        zero_point: -20,
        qmin: -20,
        qmax: 127,
        type_min: -128,
        profile: RoundingProfile::OrtF32Rne,
    }
}
