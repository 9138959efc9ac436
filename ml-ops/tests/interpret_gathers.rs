//! The interpreter against the definitions, over random gathers, groups, taps and steps by edges.

#![cfg(feature = "prover")]

use binfer_ml_ops::graph::{
    CodeMatrix, CodeType, Edges, Epilogue, Function, Gather, GatherDim, Graph, InputPort,
    InputTransform, IntegerType, Model, Node, Op, OutputPort, OutputTransform, TensorKind,
    TensorShape, Term, Values, WeightMatrix,
};
use binfer_ml_ops::interpret::run;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A gather from some source to `rows x cols taps`, each split in up to two dimensions; random steps and offsets,
/// mostly near the source.
fn gather(rng: &mut StdRng, rows: usize, [cols, taps]: [usize; 2], pad: Option<u8>) -> Gather {
    let axes = |rng: &mut StdRng| -> Vec<usize> {
        (0..rng.random_range(0..3)).map(|_| rng.random_range(1..7)).collect()
    };
    let (source_cols, source_rows) = (axes(rng), axes(rng));
    let n_axes = source_cols.len() + source_rows.len();
    let dims = |rng: &mut StdRng, n: usize| -> Vec<GatherDim> {
        let divisors: Vec<usize> = (1..=n).filter(|&d| n.is_multiple_of(d)).collect();
        let first = divisors[rng.random_range(0..divisors.len())];
        let dim = |rng: &mut StdRng, size| GatherDim {
            size,
            axis: (n_axes > 0 && rng.random_ratio(5, 6)).then(|| rng.random_range(0..n_axes)),
            step: rng.random_range(-2..3),
        };
        vec![dim(rng, first), dim(rng, n / first)]
    };
    Gather {
        offsets: (0..n_axes).map(|_| rng.random_range(-2..6)).collect(),
        rows: dims(rng, rows),
        cols: [dims(rng, cols), dims(rng, taps)].concat(),
        source_cols,
        source_rows,
        pad,
    }
}

fn edges(rng: &mut StdRng, bound: i64) -> Edges {
    let first = rng.random_range(0..=255);
    let count = rng.random_range(0..=255 - usize::from(first)).min(40);
    let mut edges: Vec<i64> = (0..count).map(|_| rng.random_range(-bound..=bound)).collect();
    edges.sort_unstable();
    Edges { first, edges: edges.into() }
}

fn codes(rng: &mut StdRng, n: usize) -> Vec<u8> {
    let mut codes = vec![0; n];
    rng.fill(&mut codes[..]);
    codes
}

/// A model whose input is the tensor that `gather` reads, or `rows x cols`, with no nodes yet.
fn base(gather: Option<&Gather>, rows: usize, cols: usize) -> Model {
    let (rows, cols) = gather.map_or((rows, cols), |g| (g.n_source_rows(), g.n_source_cols()));
    let dtype = CodeType::U8;
    let shape = TensorShape { rows_per_sample: rows, features: cols, kind: TensorKind::Code };
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: String::new(),
        tensors: vec![shape],
        weights: Vec::new(),
        nodes: Vec::new(),
        input: InputPort {
            tensor: 0,
            shape: vec![rows, cols],
            transform: InputTransform::Codes { dtype },
        },
        output: OutputPort {
            tensor: 0,
            shape: vec![],
            transform: OutputTransform::Codes { dtype },
        },
    };
    Model { graph, weights: Vec::new() }
}

/// Adds a node that writes a new tensor, which becomes the output.
fn push(model: &mut Model, rows: usize, cols: usize, kind: TensorKind, op: Op) {
    let graph = &mut model.graph;
    graph.output.tensor = graph.tensors.len();
    graph.output.shape = vec![rows, cols];
    graph.output.transform = match kind {
        TensorKind::Code => OutputTransform::Codes { dtype: CodeType::U8 },
        TensorKind::Integer { .. } => OutputTransform::Integer { dtype: IntegerType::I64 },
    };
    graph.tensors.push(TensorShape { rows_per_sample: rows, features: cols, kind });
    graph.nodes.push(Node { name: String::new(), op });
}

/// What position `(row, col)` of sample `sample` reads of a tensor of `batch` samples.
fn read(
    gather: &Gather,
    x: &[u8],
    batch: usize,
    sample: usize,
    row: usize,
    col: usize,
) -> Option<u8> {
    let per_sample = gather.n_source_rows();
    let at = |(row, feature): (usize, usize)| (feature * batch + sample) * per_sample + row;
    gather.source(row, col).map(|source| x[at(source)]).or(gather.pad)
}

/// `(sample, row, col, position in the output)` of every output.
fn positions(
    batch: usize,
    rows: usize,
    cols: usize,
) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..cols * batch * rows).map(move |at| {
        let (col, rest) = (at / (batch * rows), at % (batch * rows));
        (rest / rows, rest % rows, col, at)
    })
}

/// An image large enough for kernels by blocks and runs of all kinds.
fn image(rng: &mut StdRng, (n, k): (usize, usize)) -> Gather {
    let (h, w) = (rng.random_range(5..9), rng.random_range(5..9));
    let stride = rng.random_range(1..3);
    let dim = |size, axis, step| GatherDim { size, axis: Some(axis), step };
    let outputs = |side: usize| (side - 1) / stride + 1;
    Gather {
        source_cols: vec![n],
        source_rows: vec![h, w],
        offsets: vec![0, -(k as i64) / 2, -(k as i64) / 2],
        rows: vec![dim(outputs(h), 1, stride as i64), dim(outputs(w), 2, stride as i64)],
        cols: vec![dim(n, 0, 1), dim(k, 1, 1), dim(k, 2, 1)],
        pad: rng.random_bool(0.5).then(|| rng.random()),
    }
}

proptest! {
    #[test]
    fn matmuls_follow_the_definition(
        seed: u64,
        (groups, k, columns, rows, batch) in (1usize..4, 1usize..6, 1usize..6, 1usize..12, 1usize..4),
        gathered: bool,
        windows: bool,
        few: bool,
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let pad = rng.random_bool(0.5).then(|| rng.random());
        let (gather, k) = match (gathered, windows) {
            (false, _) => (None, k),
            (true, false) => (Some(gather(rng, rows, [groups * k, 1], pad)), k),
            (true, true) => (Some(image(rng, (groups * 2, 3))), 18),
        };
        let rows = gather.as_ref().map_or(rows, Gather::n_rows);
        let n = groups * columns;
        // Groups ask for weights of a byte each.
        let mut weights = codes(rng, k * n.max(17));
        if few {
            weights.iter_mut().for_each(|w| *w = 126 + *w % 3);
        }
        let bias: Vec<i64> = (0..n).map(|_| rng.random_range(-5000..5000)).collect();
        let (mut shape, mut matrix) =
            WeightMatrix::from_codes(k, n, &weights[..k * n], &[-128], &bias);
        if groups > 1 {
            shape.alphabet = binfer_ml_ops::graph::Alphabet::Byte { offsets: vec![-128] };
            matrix.index = (0..n * k).map(|at| weights[at % k * n + at / k]).collect();
        }
        let zero_code = rng.random();
        let steps: Vec<Edges> = (0..n).map(|_| edges(rng, 40_000)).collect();
        let mut model = base(gather.as_ref(), rows, groups * k);
        model.graph.weights = vec![shape.clone(), shape];
        model.weights = vec![matrix.clone(), matrix];
        let matmul = |weights, epilogue| Op::MatMul {
            x: 0, gather: gather.clone(), zero_code, weights, groups, y: weights + 1, epilogue,
        };
        push(&mut model, rows, n, TensorKind::Code, matmul(0, Epilogue::Edges(steps.clone())));
        let integers = TensorKind::Integer { bits: 40 };
        push(&mut model, rows, n, integers, matmul(1, Epilogue::Accumulator));
        prop_assert_eq!(model.validate(), Ok(()));

        let x = codes(rng, batch * model.graph.tensors[0].per_sample());
        let trace = run(&model, &Values::Codes(x.clone()), batch).expect("a run");
        for (sample, row, col, at) in positions(batch, rows, n) {
            let group = col / columns;
            let mut acc = bias[col];
            for i in 0..k {
                let from = group * k + i;
                let code = match &gather {
                    None => Some(x[(from * batch + sample) * rows + row]),
                    Some(gather) => read(gather, &x, batch, sample, row, from),
                };
                let Some(code) = code else { continue };
                let weight = i64::from(weights[i * n + col]) - 128;
                acc += (i64::from(code) - i64::from(zero_code)) * weight;
            }
            prop_assert_eq!(trace.tensors[2].as_integers().expect("integers")[at], acc);
            prop_assert_eq!(trace.accumulators[0][at], acc);
            prop_assert_eq!(trace.tensors[1].as_codes().expect("codes")[at], steps[col].code(acc));
        }
        prop_assert!(trace.accumulators[1].is_empty());
    }

    #[test]
    fn sums_follow_the_definition(
        seed: u64,
        (cols, rows, batch, n_terms) in (1usize..6, 1usize..12, 1usize..4, 1usize..4),
        shared: bool,
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        // Codes of each term's shape come from a copy of the input, read at random.
        let taps: Vec<usize> = (0..n_terms).map(|_| rng.random_range(1..4)).collect();
        let pads: Vec<Option<u8>> =
            (0..n_terms).map(|_| rng.random_bool(0.5).then(|| rng.random())).collect();
        let first = gather(rng, rows, [cols, taps[0]], pads[0]);
        let mut model = base(Some(&first), 0, 0);
        let image = model.graph.tensors[0];
        let mut gathers = vec![Some(first)];
        let identity = (image.rows_per_sample, image.features) == (rows, cols);
        for (&taps, &pad) in taps.iter().zip(&pads).skip(1) {
            let mut other = gather(rng, rows, [cols, taps], pad);
            other.source_cols = gathers[0].as_ref().map_or(vec![], |g| g.source_cols.clone());
            other.source_rows = gathers[0].as_ref().map_or(vec![], |g| g.source_rows.clone());
            let axes = other.source_cols.len() + other.source_rows.len();
            other.offsets = vec![rng.random_range(-1..3); axes];
            for dim in other.rows.iter_mut().chain(&mut other.cols) {
                dim.axis = dim.axis.filter(|&axis| axis < axes);
            }
            gathers.push((taps > 1 || !identity).then_some(other));
        }
        let tables: Vec<Box<[i64; 256]>> = (0..n_terms)
            .map(|_| Box::new(std::array::from_fn(|_| rng.random_range(-(1i64 << 20)..1 << 20))))
            .collect();
        let term = |t: usize| Term {
            x: 0,
            gather: gathers[t].clone(),
            taps: taps[t],
            function: Function::Table(tables[t].clone()),
        };
        let terms: Vec<Term> = (0..n_terms).map(term).collect();
        let steps: Vec<Edges> =
            (0..if shared { 1 } else { cols }).map(|_| edges(rng, 1 << 21)).collect();
        let sum = |y, epilogue| Op::Combine { terms: terms.clone(), y, epilogue };
        push(&mut model, rows, cols, TensorKind::Code, sum(1, Epilogue::Edges(steps.clone())));
        let integers = TensorKind::Integer { bits: 30 };
        push(&mut model, rows, cols, integers, sum(2, Epilogue::Accumulator));
        // Three times each, reversed within a sample.
        let back = Gather {
            source_cols: vec![cols],
            source_rows: vec![rows],
            offsets: vec![0, rows as i64 - 1],
            rows: vec![GatherDim { size: rows, axis: Some(1), step: -1 }],
            cols: vec![
                GatherDim { size: cols, axis: Some(0), step: 1 },
                GatherDim { size: 3, axis: None, step: 0 },
            ],
            pad: None,
        };
        let times = |factor, gather, taps| Term { x: 2, gather, taps, function: Function::Times(factor) };
        let terms = vec![times(-5, None, 1), times(7, Some(back), 3)];
        let wide = TensorKind::Integer { bits: 50 };
        let last = Op::Combine { terms, y: 3, epilogue: Epilogue::Accumulator };
        push(&mut model, rows, cols, wide, last);
        prop_assert_eq!(model.validate(), Ok(()));

        let x = codes(rng, batch * image.per_sample());
        let trace = run(&model, &Values::Codes(x.clone()), batch).expect("a run");
        let integers = |t: usize| trace.tensors[t].as_integers().expect("integers");
        for (sample, row, col, at) in positions(batch, rows, cols) {
            let mut acc = 0;
            for t in 0..n_terms {
                for tap in 0..taps[t] {
                    let code = match &gathers[t] {
                        None => Some(x[at]),
                        Some(gather) => read(gather, &x, batch, sample, row, col * taps[t] + tap),
                    };
                    acc += code.map_or(0, |code| tables[t][usize::from(code)]);
                }
            }
            prop_assert_eq!(integers(2)[at], acc);
            prop_assert_eq!(trace.accumulators[0][at], acc);
            let step = &steps[if shared { 0 } else { col }];
            prop_assert_eq!(trace.tensors[1].as_codes().expect("codes")[at], step.code(acc));
            let mirrored = integers(2)[at - row + rows - 1 - row];
            prop_assert_eq!(integers(3)[at], -5 * acc + 21 * mirrored);
        }
    }

    #[test]
    fn products_follow_the_definition(
        seed: u64,
        (cols, rows, batch) in (1usize..6, 1usize..8, 1usize..4),
        beside: bool,
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut model = base(None, rows, cols);
        push(&mut model, rows, cols, TensorKind::Code, Op::map(0, 1, |code| code.wrapping_mul(77)));
        let (zeros, factor): ([u8; 2], i64) = ([rng.random(), rng.random()], rng.random_range(-99..99));
        let function = Function::Product { with: 1, with_gather: None, zeros, factor };
        let mut terms = vec![Term { x: 0, gather: None, taps: 1, function }];
        if beside {
            let function = Function::Table(Box::new(std::array::from_fn(|code| 1000 - code as i64)));
            terms.push(Term { x: 1, gather: None, taps: 1, function });
        }
        let integers = TensorKind::Integer { bits: 40 };
        let op = Op::Combine { terms, y: 2, epilogue: Epilogue::Accumulator };
        push(&mut model, rows, cols, integers, op);
        prop_assert_eq!(model.validate(), Ok(()));
        let x = codes(rng, batch * rows * cols);
        let trace = run(&model, &Values::Codes(x.clone()), batch).expect("a run");
        let less = |code: u8, zero: u8| i64::from(code) - i64::from(zero);
        for (at, &a) in x.iter().enumerate() {
            let b = a.wrapping_mul(77);
            let product = factor * less(a, zeros[0]) * less(b, zeros[1]);
            let sum = product + if beside { 1000 - i64::from(b) } else { 0 };
            prop_assert_eq!(trace.tensors[2].as_integers().expect("integers")[at], sum);
        }
    }

    #[test]
    fn products_with_constants_through_maps_follow_the_definition(
        seed: u64,
        (cols, rows, taps, batch) in (1usize..5, 1usize..6, 1usize..4, 1usize..4),
        straight: bool,
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut pad = || rng.random_bool(0.5).then(|| rng.random());
        let pads = [pad(), pad()];
        let of_x = gather(rng, rows, [cols, taps], pads[0]);
        let of_k = (taps > 1 || !straight).then(|| gather(rng, rows, [cols, taps], pads[1]));
        let mut model = base(Some(&of_x), 0, 0);
        let (k_rows, k_cols) =
            of_k.as_ref().map_or((rows, cols), |map| (map.n_source_rows(), map.n_source_cols()));
        let constant = codes(rng, k_rows * k_cols);
        let op = Op::Constant { codes: constant.clone(), y: 1 };
        push(&mut model, k_rows, k_cols, TensorKind::Code, op);
        let (zeros, factor): ([u8; 2], i64) = ([rng.random(), rng.random()], rng.random_range(-99..99));
        let function = Function::Product { with: 1, with_gather: of_k.clone(), zeros, factor };
        let terms = vec![Term { x: 0, gather: Some(of_x.clone()), taps, function }];
        let integers = TensorKind::Integer { bits: 40 };
        let op = Op::Combine { terms, y: 2, epilogue: Epilogue::Accumulator };
        push(&mut model, rows, cols, integers, op);
        prop_assert_eq!(model.validate(), Ok(()));
        let x = codes(rng, batch * of_x.n_source_rows() * of_x.n_source_cols());
        let trace = run(&model, &Values::Codes(x.clone()), batch).expect("a run");
        // A constant is the same in every sample.
        for (sample, row, col, at) in positions(batch, k_rows, k_cols) {
            prop_assert!(sample < batch);
            prop_assert_eq!(trace.tensors[1].as_codes().expect("codes")[at], constant[col * k_rows + row]);
        }
        let value = |code: Option<u8>, zero: u8| code.map_or(0, |code| i64::from(code) - i64::from(zero));
        for (sample, row, col, at) in positions(batch, rows, cols) {
            let product = |tap| {
                let col = col * taps + tap;
                let a = read(&of_x, &x, batch, sample, row, col);
                let b = match &of_k {
                    Some(map) => read(map, &constant, 1, 0, row, col),
                    None => Some(constant[col * rows + row]),
                };
                value(a, zeros[0]) * value(b, zeros[1])
            };
            let sum = factor * (0..taps).map(product).sum::<i64>();
            prop_assert_eq!(trace.tensors[2].as_integers().expect("integers")[at], sum);
        }
    }

    #[test]
    fn matmuls_of_two_tensors_follow_the_definition(
        seed: u64,
        (heads, k, n, rows, batch) in (1usize..4, 1usize..5, 1usize..4, 1usize..6, 1usize..4),
        straight in 0..3,
        wide: [bool; 2],
        with_factors: bool,
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut pad = || rng.random_bool(0.5).then(|| rng.random());
        let pads = [pad(), pad()];
        // Both operands are the input, or integers of its codes.
        let mut of_a = (straight != 0).then(|| gather(rng, rows, [heads, k], pads[0]));
        let mut of_b = (straight != 1).then(|| gather(rng, k, [heads, n], pads[1]));
        let mut model = match (&of_a, &of_b) {
            (None, _) => base(None, rows, heads * k),
            (_, None) => base(None, k, heads * n),
            (Some(of_a), _) => base(Some(of_a), 0, 0),
        };
        let image = model.graph.tensors[0];
        for map in [&mut of_a, &mut of_b].into_iter().flatten() {
            (map.source_cols, map.source_rows) = (vec![image.features], vec![image.rows_per_sample]);
            map.offsets = vec![rng.random_range(-1..3), rng.random_range(-1..3)];
            for dim in map.rows.iter_mut().chain(&mut map.cols) {
                dim.axis = dim.axis.map(|axis| axis % 2);
            }
        }
        let mut zeros: [u8; 2] = [rng.random(), rng.random()];
        for ((zero, map), wide) in zeros.iter_mut().zip([&mut of_a, &mut of_b]).zip(wide) {
            if wide {
                *zero = 0;
                map.iter_mut().for_each(|map| map.pad = None);
            }
        }
        let factors: Option<Vec<i64>> =
            with_factors.then(|| (0..rows).map(|_| rng.random_range(-9..9)).collect());
        let images: [i64; 256] = std::array::from_fn(|_| rng.random_range(-(1 << 27)..1 << 27));
        let function = Function::Table(Box::new(images));
        let terms = vec![Term { x: 0, gather: None, taps: 1, function }];
        let op = Op::Combine { terms, y: 1, epilogue: Epilogue::Accumulator };
        let (height, width) = (image.rows_per_sample, image.features);
        push(&mut model, height, width, TensorKind::Integer { bits: 28 }, op);
        let log_bound = 17 + 14 * wide.iter().filter(|&&wide| wide).count();
        let steps = edges(rng, 1 << log_bound);
        let matrix = |i: usize, gather: &Option<Gather>| CodeMatrix {
            x: usize::from(wide[i]),
            gather: gather.clone(),
            zero_code: zeros[i],
        };
        let matmul = |y, epilogue| Op::BatchMatMul {
            a: matrix(0, &of_a),
            b: matrix(1, &of_b),
            heads,
            row_factors: factors.clone(),
            y,
            epilogue,
        };
        let epilogue = Epilogue::Edges(vec![steps.clone()]);
        push(&mut model, rows, heads * n, TensorKind::Code, matmul(2, epilogue));
        let integers = TensorKind::Integer { bits: 63 };
        push(&mut model, rows, heads * n, integers, matmul(3, Epilogue::Accumulator));
        prop_assert_eq!(model.validate(), Ok(()));
        prop_assert_eq!(model.graph.macs_per_sample() as usize, 2 * rows * heads * n * k);

        let x = codes(rng, batch * image.per_sample());
        let trace = run(&model, &Values::Codes(x.clone()), batch).expect("a run");
        let element = |i: usize, map: &Option<Gather>, sample: usize, row: usize, col: usize| {
            let code = match map {
                None => Some(x[(col * batch + sample) * image.rows_per_sample + row]),
                Some(map) => read(map, &x, batch, sample, row, col),
            };
            let zero = i64::from(zeros[i]);
            let value = |code| if wide[i] { images[usize::from(code)] } else { i64::from(code) - zero };
            code.map_or(0, value)
        };
        for (sample, row, col, at) in positions(batch, rows, heads * n) {
            let head = col / n;
            let term = |i: usize| {
                element(0, &of_a, sample, row, head * k + i)
                    * element(1, &of_b, sample, i, col)
            };
            let factor = factors.as_ref().map_or(1, |factors| factors[row]);
            let acc = factor * (0..k).map(term).sum::<i64>();
            prop_assert_eq!(trace.tensors[3].as_integers().expect("integers")[at], acc);
            prop_assert_eq!(trace.tensors[2].as_codes().expect("codes")[at], steps.code(acc));
            prop_assert_eq!(trace.accumulators[1][at], acc);
        }
    }

    #[test]
    fn maxima_follow_the_definition(seed: u64, batch in 1usize..4, channels in 1usize..4) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut gather = image(rng, (channels, 3));
        gather.pad = Some(0);
        let (rows, cols, taps) = (gather.n_rows(), channels, 9);
        let mut model = base(Some(&gather), 0, 0);
        let op = Op::Max { x: 0, gather: gather.clone(), taps, y: 1 };
        push(&mut model, rows, cols, TensorKind::Code, op);
        prop_assert_eq!(model.validate(), Ok(()));
        let x = codes(rng, batch * model.graph.tensors[0].per_sample());
        let trace = run(&model, &Values::Codes(x.clone()), batch).expect("a run");
        for (sample, row, col, at) in positions(batch, rows, cols) {
            let window = (0..taps).map(|tap| read(&gather, &x, batch, sample, row, col * taps + tap));
            let largest = window.flatten().max();
            prop_assert_eq!(Some(trace.tensors[1].as_codes().expect("codes")[at]), largest);
        }
    }
}

#[test]
fn parts_are_joined_by_holes() {
    let gather = |offset| Gather {
        source_cols: vec![2],
        source_rows: vec![3],
        offsets: vec![offset, 0],
        rows: vec![GatherDim { size: 3, axis: Some(1), step: 1 }],
        cols: vec![GatherDim { size: 4, axis: Some(0), step: 1 }],
        pad: None,
    };
    let part = |offset| Term {
        x: 0,
        gather: Some(gather(offset)),
        taps: 1,
        function: Function::Table(Box::new(std::array::from_fn(|code| code as i64))),
    };
    let mut model = base(None, 3, 2);
    let terms = vec![part(0), part(-2)];
    let op = Op::Combine { terms, y: 1, epilogue: Epilogue::Accumulator };
    push(&mut model, 3, 4, TensorKind::Code, op);
    assert_eq!(model.validate(), Ok(()));
    let x: Vec<u8> = (0..12).map(|i| 255 - i).collect();
    let trace = run(&model, &Values::Codes(x.clone()), 2).expect("a run");
    assert_eq!(trace.tensors[1], Values::Codes([&x[..], &x].concat()));
    assert_eq!(trace.accumulators, [Vec::new()]);
}
