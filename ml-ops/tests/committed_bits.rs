//! The table of committed bits in the documentation, against what plans commit.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use binfer_ml_ops::graph::{
    CodeType, Epilogue, Function, Gather, GatherDim, Graph, InputPort, InputTransform, IntegerType,
    Node, Op, OutputPort, OutputTransform, Requantize, RoundingProfile, Step, TensorKind,
    TensorShape, Term, WeightMatrix, signed_bits,
};
use binfer_ml_ops::{CommittedBits, Operand, committed_bits};

const PAGE: &str = include_str!("../../docs/protocols/committed-bits.md");
const WIDTH: usize = 768;

/// Square layers with these operators between codes; weights have `values` values.
fn graph(values: usize, bias: i64, scales: &[f32], middle: &[fn(usize) -> Op]) -> Graph {
    let tensor = |kind| TensorShape { rows_per_sample: 1, features: WIDTH, kind };
    let codes: Vec<u8> = (0..WIDTH * WIDTH).map(|i| (i * 31 % values) as u8).collect();
    let step = |&scale: &f32| Step {
        scale,
        zero_point: 0,
        qmin: -128,
        qmax: 127,
        type_min: -128,
        profile: RoundingProfile::OrtF32Rne,
    };
    let steps: Vec<Step> = scales.iter().map(step).collect();
    let bias = vec![bias; if bias == 0 { 0 } else { WIDTH }];
    let low = -(values as i32 / 2);
    let (shape, _) = WeightMatrix::from_codes(WIDTH, WIDTH, &codes, &[low], &bias);
    let mut tensors = vec![tensor(TensorKind::Code)];
    let mut nodes = Vec::new();
    let mut weights = Vec::new();
    let mut push = |op: Op, kind| {
        nodes.push(Node { name: String::new(), op });
        tensors.push(tensor(kind));
    };
    let wide = steps.is_empty();
    let mut matmul = |x: usize, epilogue: Epilogue| {
        weights.push(shape.clone());
        let weights = weights.len() - 1;
        let zero_code = if wide && x > 0 { 0 } else { 128 };
        Op::MatMul { x, gather: None, zero_code, weights, groups: 1, y: x + 1, epilogue }
    };
    match steps.is_empty() {
        true => push(matmul(0, Epilogue::Accumulator), TensorKind::Integer { bits: 26 }),
        false => push(matmul(0, Epilogue::Requantize(Requantize { steps })), TensorKind::Code),
    }
    for (i, op) in middle.iter().enumerate() {
        let op = op(i + 1);
        let kind = match op {
            Op::Relu { .. } => TensorKind::Integer { bits: 26 },
            _ => TensorKind::Code,
        };
        push(op, kind);
    }
    // The model's output is public; a last layer keeps the others hidden.
    let last = middle.len() + 1;
    push(matmul(last, Epilogue::Accumulator), TensorKind::Integer { bits: 50 });
    let dtype = IntegerType::I64;
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: String::new(),
        weights,
        input: InputPort {
            tensor: 0,
            shape: vec![WIDTH],
            transform: InputTransform::Codes { dtype: CodeType::I8 },
        },
        output: OutputPort {
            tensor: tensors.len() - 1,
            shape: vec![WIDTH],
            transform: OutputTransform::Integer { dtype },
        },
        tensors,
        nodes,
    };
    graph.validate().unwrap();
    graph
}

/// The larger of each feature and the next.
fn max(x: usize) -> Op {
    let dim = |size| GatherDim { size, axis: Some(0), step: 1 };
    let gather = Gather {
        source_cols: vec![WIDTH],
        source_rows: Vec::new(),
        offsets: vec![0],
        rows: Vec::new(),
        cols: vec![dim(WIDTH), dim(2)],
        pad: Some(0),
    };
    Op::Max { x, gather, taps: 2, y: x + 1 }
}

/// The index of the largest of `taps` codes, or integers of so many bits, which are hidden, as it is.
fn index(taps: usize, bits: Option<u32>) -> Graph {
    let tensor = |features, kind| TensorShape { rows_per_sample: 1, features, kind };
    let kind = bits.map_or(TensorKind::Code, |bits| TensorKind::Integer { bits });
    let integer = TensorKind::Integer { bits: signed_bits(taps as i64 - 1) };
    let combine = |x, y, function| Op::Combine {
        terms: vec![Term { x, gather: None, taps: 1, function }],
        y,
        epilogue: Epilogue::Accumulator,
    };
    let gather = Gather {
        source_cols: vec![taps],
        source_rows: Vec::new(),
        offsets: vec![0],
        rows: Vec::new(),
        cols: vec![GatherDim { size: taps, axis: Some(0), step: 1 }],
        pad: None,
    };
    let ops = [
        combine(0, 1, Function::Table(Box::new(std::array::from_fn(|code| 255 - code as i64)))),
        Op::ArgMax { x: 1, gather, taps, last: false, y: 2 },
        combine(2, 3, Function::Times(1)),
    ];
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: String::new(),
        tensors: vec![
            tensor(taps, TensorKind::Code),
            tensor(taps, kind),
            tensor(1, integer),
            tensor(1, integer),
        ],
        weights: Vec::new(),
        nodes: ops.map(|op| Node { name: String::new(), op }).to_vec(),
        input: InputPort {
            tensor: 0,
            shape: vec![taps],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort {
            tensor: 3,
            shape: vec![1],
            transform: OutputTransform::Integer { dtype: IntegerType::I64 },
        },
    };
    graph.validate().unwrap();
    graph
}

/// Bits an element of an operand of a node, the same for a batch of one and of many.
fn bits(graph: &Graph, node: usize, operand: Operand) -> f64 {
    let of_batch = |batch| {
        let committed = committed_bits(graph, batch);
        let is_wanted = |c: &&CommittedBits| c.node == node && c.operand == operand;
        let found: Vec<f64> =
            committed.iter().filter(is_wanted).map(CommittedBits::per_element).collect();
        // More than one only of taps, which are alike.
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
        found.first().copied().unwrap_or(0.0)
    };
    assert_eq!(of_batch(1), of_batch(1000));
    of_batch(1)
}

#[test]
fn the_documented_bits_are_those_committed() {
    let mut rows = Vec::new();
    let mut row = |operator: &str, element: &str, bits: f64| {
        rows.push(format!("| {operator} | {element} | {bits:.2} |"));
    };
    for (values, name) in [
        (256, "17 to 256 values"),
        (16, "7 to 16 values"),
        (6, "5 or 6 values"),
        (4, "4 values"),
        (3, "3 values"),
        (2, "2 values"),
    ] {
        let graph = graph(values, 0, &[0.001], &[]);
        let bits = bits(&graph, 0, Operand::Weights);
        row("MatMul", &format!("weight, {name}"), bits);
    }
    let with_bias = graph(256, 20_000, &[0.001], &[]);
    row("MatMul", "bias, largest 20000", bits(&with_bias, 0, Operand::Bias));
    let accumulators = graph(256, 0, &[], &[|x| Op::Relu { x, y: x + 1 }]);
    row("MatMul", "accumulator, declared 26 bits", bits(&accumulators, 0, Operand::Outputs));
    row("Relu", "output, declared 26 bits", bits(&accumulators, 1, Operand::Outputs));
    let table = |x| Op::map(x, x + 1, |_| 0);
    let codes = graph(256, 0, &[0.0003], &[table]);
    row("Requantize", "code", bits(&codes, 0, Operand::Outputs));
    for scale in [0.1, 0.0003, 0.00003] {
        let graph = graph(256, 0, &[scale], &[table]);
        let distance = bits(&graph, 0, Operand::Distances);
        row("Requantize", &format!("distance, at most, k = 768, scale {scale}"), distance);
    }
    row("Map", "code", bits(&codes, 1, Operand::Outputs));
    row("Map", "distance", bits(&codes, 1, Operand::Distances));
    let largest = graph(256, 0, &[0.0003], &[max]);
    row("Max", "output", bits(&largest, 1, Operand::Outputs));
    row("Max", "difference and selector, each tap", bits(&largest, 1, Operand::Differences));
    for (taps, of, name) in
        [(10, None, "10 codes"), (49_152, Some(25), "49152 integers of 25 bits")]
    {
        let graph = index(taps, of);
        let bits = |operand| bits(&graph, 1, operand);
        row(
            "ArgMax",
            &format!("index and largest, of {name}"),
            bits(Operand::Outputs) + bits(Operand::Largest),
        );
        row(
            "ArgMax",
            &format!("distance and selector, each of {name}"),
            bits(Operand::Behind) + bits(Operand::Selectors),
        );
    }
    let operators =
        ["MatMul", "Requantize", "Relu", "Map", "Max", "ArgMax"].map(|name| format!("| {name} |"));
    let is_row = |line: &&str| operators.iter().any(|operator| line.starts_with(operator));
    let documented: Vec<&str> = PAGE.lines().filter(is_row).collect();
    assert_eq!(documented, rows, "rows of docs/protocols/committed-bits.md");
}
