//! Random indices of maxima with many ties: by the definition, proved, verified, and spoiled.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod statements;

use binfer_ml_ops::array::ArrayData;
use binfer_ml_ops::graph::{
    CodeType, Epilogue, Function, Gather, GatherDim, Graph, InputPort, InputTransform, IntegerType,
    Model, Node, Op, OutputPort, OutputTransform, TensorKind, TensorShape, Term, signed_bits,
};
use binfer_ml_ops::run;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

fn dim(size: usize, axis: usize, step: i64) -> GatherDim {
    GatherDim { size, axis: Some(axis), step }
}

/// An image of `size` as features, rows, columns.
fn gather(size: [usize; 3], rows: Vec<GatherDim>, cols: Vec<GatherDim>) -> Gather {
    let [features, height, width] = size;
    Gather {
        source_cols: vec![features],
        source_rows: vec![height, width],
        offsets: vec![0, 0, 0],
        rows,
        cols,
        pad: None,
    }
}

/// What is chosen from, with its features, rows and columns, and the index: of codes or of integers, rectified or not,
/// along features, rows, both, or in reverse; in the output, or in one that is made of it.
struct Case {
    model: Model,
    /// The function of each input code that is compared.
    image: Box<[i64; 256]>,
    size: [usize; 3],
    gather: Gather,
    taps: usize,
    last: bool,
    /// What an index is multiplied by.
    factor: i64,
}

fn case(seed: u64) -> Case {
    let rng = &mut StdRng::seed_from_u64(seed);
    let size @ [c, h, w] = [rng.random_range(1..7), rng.random_range(1..5), rng.random_range(1..6)];
    let (gather, taps, outputs) = match rng.random_range(0..4) {
        0 => (gather(size, vec![dim(h, 1, 1), dim(w, 2, 1)], vec![dim(c, 0, 1)]), c, [h * w, 1]),
        1 => (gather(size, vec![dim(w, 2, 1)], vec![dim(c, 0, 1), dim(h, 1, 1)]), h, [w, c]),
        2 => {
            let cols = vec![dim(h, 1, 1), dim(c, 0, 1), dim(w, 2, 1)];
            (gather(size, vec![], cols), c * w, [1, h])
        }
        _ => {
            let mut gather = gather(size, vec![dim(h, 1, 1)], vec![dim(c, 0, -1), dim(w, 2, -1)]);
            gather.offsets = vec![c as i64 - 1, 0, w as i64 - 1];
            (gather, c * w, [h, 1])
        }
    };
    let (last, levels) = (rng.random(), rng.random_range(1..5));
    let codes = rng.random_range(0..4) == 0;
    let unit = if codes { 63 } else { 1i64 << rng.random_range(0..30) };
    let low = if codes { 0 } else { -rng.random_range(0..levels) };
    let image = Box::new(std::array::from_fn(|_| (low + rng.random_range(0..levels)) * unit));
    let kind = if codes { TensorKind::Code } else { TensorKind::Integer { bits: 34 } };
    let tensor = |[rows_per_sample, features]: [usize; 2], kind| TensorShape {
        rows_per_sample,
        features,
        kind,
    };
    let term = |x, function| Term { x, gather: None, taps: 1, function };
    let combine = |x, function, y| Op::Combine {
        terms: vec![term(x, function)],
        y,
        epilogue: Epilogue::Accumulator,
    };
    let mut tensors = vec![tensor([h * w, c], TensorKind::Code), tensor([h * w, c], kind)];
    let mut ops = vec![combine(0, Function::Table(image.clone()), 1)];
    let rectified = !codes && rng.random();
    if rectified {
        tensors.push(tensor([h * w, c], kind));
        ops.push(Op::Relu { x: 1, y: 2 });
    }
    let x = tensors.len() - 1;
    // Wider than need be now and then.
    let bits = signed_bits(taps as i64 - 1) + rng.random_range(0..3) / 2;
    tensors.push(tensor(outputs, TensorKind::Integer { bits }));
    ops.push(Op::ArgMax { x, gather: gather.clone(), taps, last, y: x + 1 });
    let factor = if rng.random() { 1 } else { -3 };
    if factor != 1 {
        tensors.push(tensor(outputs, TensorKind::Integer { bits: 20 }));
        ops.push(combine(x + 1, Function::Times(factor), x + 2));
    }
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "random".into(),
        weights: vec![],
        nodes: ops.into_iter().map(|op| Node { name: "node".into(), op }).collect(),
        input: InputPort {
            tensor: 0,
            shape: vec![c * h * w],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort {
            tensor: tensors.len() - 1,
            shape: vec![outputs[0] * outputs[1]],
            transform: OutputTransform::Integer { dtype: IntegerType::I64 },
        },
        tensors,
    };
    graph.validate().unwrap();
    let image = if rectified { Box::new(image.map(|x| x.max(0))) } else { image };
    Case { model: Model { graph, weights: vec![] }, image, size, gather, taps, last, factor }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn indices_follow_the_definition(seed: u64, batch in 1usize..4) {
        let Case { model, image, size: [c, h, w], gather, taps, last, factor } = case(seed);
        let x = statements::input(&model, batch, seed);
        let ArrayData::U8(codes) = x.data() else { panic!("codes") };
        let y = run(&model, &x).unwrap();
        let ArrayData::I64(y) = y.data() else { panic!("integers") };
        let (rows, cols) = (gather.n_rows(), gather.n_cols() / taps);
        for (at, &y) in y.iter().enumerate() {
            let (sample, row, col) = (at / (rows * cols), at / cols % rows, at % cols);
            let element = |tap: usize| {
                let (row, feature) = gather.source(row, col * taps + tap).unwrap();
                image[usize::from(codes[sample * c * h * w + row * c + feature])]
            };
            let largest = (0..taps).map(element).max();
            let mut are = (0..taps).filter(|&tap| Some(element(tap)) == largest);
            let expected = if last { are.next_back() } else { are.next() };
            prop_assert_eq!(y, factor * expected.unwrap() as i64);
        }
    }

    #[test]
    fn indices_are_proved(seed: u64, batch in 1usize..4, log_group in 0u32..14, at: prop::sample::Index) {
        statements::check(case(seed).model, batch, seed, log_group, at)?;
    }
}
