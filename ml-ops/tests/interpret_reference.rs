//! The interpreter against the defining sums, over random shapes, alphabets and epilogues.

#![cfg(feature = "prover")]

use binfer_ml_ops::graph::{
    CodeType, Epilogue, Graph, InputPort, InputTransform, IntegerType, Model, Node, Op, OutputPort,
    OutputTransform, Requantize, RoundingProfile, Step, TensorKind, TensorShape, Values,
    WeightMatrix,
};
use binfer_ml_ops::interpret::{RunError, run};
use proptest::prelude::*;

/// One matmul on codes, with its weights as numbers.
#[derive(Debug, Clone)]
struct Layer {
    k: usize,
    n: usize,
    zero_code: u8,
    codes: Vec<u8>,
    bias: Vec<i64>,
}

impl Layer {
    fn accumulator(&self, x: impl Fn(usize) -> i64, zero: i64, column: usize) -> i64 {
        let products = (0..self.k)
            .map(|row| (x(row) - zero) * (i64::from(self.codes[row * self.n + column]) - 128));
        products.sum::<i64>() + self.bias[column]
    }
}

fn layer(k: usize, n: usize) -> impl Strategy<Value = Layer> {
    let distinct = prop_oneof![Just(2u8), Just(3), Just(7), Just(255)];
    (
        any::<u8>(),
        distinct,
        prop::collection::vec(any::<u8>(), k * n),
        prop::collection::vec(-5000i64..5000, n),
    )
        .prop_map(move |(zero_code, distinct, codes, bias)| Layer {
            k,
            n,
            zero_code,
            codes: codes.iter().map(|c| 128 - 3 + c % distinct.min(131)).collect(),
            bias,
        })
}

/// Two layers: requantized, then integers behind a Relu; and an input of `batch` samples.
fn network() -> impl Strategy<Value = (Layer, Layer, usize, usize, Vec<u8>)> {
    (1usize..20, 1usize..12, 1usize..7, 1usize..4, 1usize..12).prop_flat_map(
        |(k, n, m, rows, batch)| {
            let input = prop::collection::vec(any::<u8>(), k * rows * batch);
            (layer(k, n), layer(n, m), Just(rows), Just(batch), input)
        },
    )
}

fn model(first: &Layer, second: &Layer, rows: usize, steps: Vec<Step>, bits: u32) -> Model {
    let tensor = |features, kind| TensorShape { rows_per_sample: rows, features, kind };
    let integers = TensorKind::Integer { bits };
    let spell = |l: &Layer| WeightMatrix::from_codes(l.k, l.n, &l.codes, &[-128], &l.bias);
    let ((shape0, matrix0), (shape1, matrix1)) = (spell(first), spell(second));
    let node = |op| Node { name: String::new(), op };
    Model {
        graph: Graph {
            more_inputs: Vec::new(),
            input_names: Vec::new(),
            more_outputs: Vec::new(),
            name: String::new(),
            tensors: vec![
                tensor(first.k, TensorKind::Code),
                tensor(first.n, TensorKind::Code),
                tensor(second.n, integers),
                tensor(second.n, integers),
            ],
            weights: vec![shape0, shape1],
            nodes: vec![
                node(Op::MatMul {
                    x: 0,
                    gather: None,
                    zero_code: first.zero_code,
                    weights: 0,
                    groups: 1,
                    y: 1,
                    epilogue: Epilogue::Requantize(Requantize { steps }),
                }),
                node(Op::MatMul {
                    x: 1,
                    gather: None,
                    zero_code: second.zero_code,
                    weights: 1,
                    groups: 1,
                    y: 2,
                    epilogue: Epilogue::Accumulator,
                }),
                node(Op::Relu { x: 2, y: 3 }),
            ],
            input: InputPort {
                tensor: 0,
                shape: vec![rows, first.k],
                transform: InputTransform::Codes { dtype: CodeType::U8 },
            },
            output: OutputPort {
                tensor: 3,
                shape: vec![rows, second.n],
                transform: OutputTransform::Integer { dtype: IntegerType::I64 },
            },
        },
        weights: vec![matrix0, matrix1],
    }
}

fn steps(n: usize) -> Vec<Step> {
    (0..n)
        .map(|column| Step {
            scale: 0.003 * (column + 1) as f32,
            zero_point: 100,
            qmin: 3,
            qmax: 250,
            type_min: 0,
            profile: RoundingProfile::OrtF32Rne,
        })
        .collect()
}

proptest! {
    #[test]
    fn runs_follow_the_definition((first, second, rows, batch, input) in network()) {
        let steps = steps(first.n);
        let model = model(&first, &second, rows, steps.clone(), 40);
        prop_assert_eq!(model.validate(), Ok(()));
        let trace = run(&model, &Values::Codes(input.clone()), batch).expect("a run");
        let rows = rows * batch;
        for row in 0..rows {
            let hidden: Vec<u8> = (0..first.n)
                .map(|column| {
                    let x = |k: usize| i64::from(input[k * rows + row]);
                    steps[column].code(first.accumulator(x, i64::from(first.zero_code), column))
                })
                .collect();
            for column in 0..first.n {
                let codes = trace.tensors[1].as_codes().expect("codes");
                prop_assert_eq!(codes[column * rows + row], hidden[column]);
            }
            for column in 0..second.n {
                let x = |k: usize| i64::from(hidden[k]);
                let acc = second.accumulator(x, i64::from(second.zero_code), column);
                let at = column * rows + row;
                let integers = |t: usize| trace.tensors[t].as_integers().expect("integers")[at];
                prop_assert_eq!(integers(2), acc);
                prop_assert_eq!(integers(3), acc.max(0));
            }
        }
    }
}

/// A layer of one weight, -3, and one bias.
fn small(bias: i64) -> Layer {
    Layer { k: 1, n: 1, zero_code: 0, codes: vec![125], bias: vec![bias] }
}

#[test]
fn accumulators_that_exceed_their_width_are_an_error() {
    let bits = 8;
    let model = model(&small(0), &small(0), 1, steps(1), bits);
    let input = Values::Codes(vec![0]);
    // The hidden code is its zero point, 100.
    let value = -300;
    let error = RunError::Overflow { node: 1, value, bits };
    assert_eq!(run(&model, &input, 1), Err(error));
}

#[test]
fn inputs_of_another_size_or_kind_are_an_error() {
    let model = model(&small(1), &small(1), 2, steps(1), 20);
    let error = |expected, got| RunError::Input { input: 0, expected, got };
    let short = run(&model, &Values::Codes(vec![0; 5]), 3);
    assert_eq!(short, Err(error(6, 5)));
    let integers = run(&model, &Values::Integers(vec![0; 6]), 3);
    assert_eq!(integers, Err(error(6, 6)));
    let none = run(&model, &Values::Codes(vec![]), 0);
    assert_eq!(none, Err(error(2, 0)));
}

#[test]
fn accumulators_beyond_32_bits_are_exact() {
    let tensor =
        |bits| TensorShape { rows_per_sample: 1, features: 1, kind: TensorKind::Integer { bits } };
    let mut model = model(&small(0), &small(5), 1, steps(1), 20);
    model.graph.tensors = vec![model.graph.tensors[0], tensor(40), tensor(62), tensor(62)];
    let Op::MatMul { epilogue, .. } = &mut model.graph.nodes[0].op else {
        unreachable!("the first node is a matmul");
    };
    *epilogue = Epilogue::Accumulator;
    model.graph.weights[0].bias_bits = 40;
    model.weights[0].bias = vec![-(1 << 39) + 765];
    assert_eq!(model.validate(), Ok(()));
    let trace = run(&model, &Values::Codes(vec![255]), 1).expect("a run");
    assert_eq!(trace.tensors[1], Values::Integers(vec![-(1 << 39)]));
    assert_eq!(trace.tensors[2], Values::Integers(vec![3 * (1 << 39) + 5]));
}
