//! Products of tensors, of elements and of matrices: each of their invariants broken, and their encoding.

use super::super::*;

fn dim(size: usize, axis: usize, step: i64) -> GatherDim {
    GatherDim { size, axis: Some(axis), step }
}

/// Rows of two heads of three features times themselves, and a product of elements.
fn graph() -> Graph {
    let shape = |rows_per_sample, features, kind| TensorShape { rows_per_sample, features, kind };
    let node = |name: &str, op| Node { name: name.to_owned(), op };
    let transposed = Gather {
        source_cols: vec![6],
        source_rows: vec![4],
        offsets: vec![0, 0],
        rows: vec![dim(3, 0, 1)],
        cols: vec![dim(2, 0, 3), dim(4, 1, 1)],
        pad: Some(9),
    };
    let integers = TensorKind::Integer { bits: 20 };
    let function = Function::Product { with: 0, with_gather: None, zeros: [3, 250], factor: -2 };
    Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "activations".to_owned(),
        tensors: vec![
            shape(4, 6, TensorKind::Code),
            shape(4, 8, TensorKind::Code),
            shape(4, 6, integers),
        ],
        weights: vec![],
        nodes: vec![
            node(
                "scores",
                Op::BatchMatMul {
                    a: CodeMatrix { x: 0, gather: None, zero_code: 100 },
                    b: CodeMatrix { x: 0, gather: Some(transposed), zero_code: 200 },
                    heads: 2,
                    row_factors: None,
                    y: 1,
                    epilogue: Epilogue::Edges(vec![Edges { first: 3, edges: [0, 9].into() }]),
                },
            ),
            node(
                "square",
                Op::Combine {
                    terms: vec![Term { x: 0, gather: None, taps: 1, function }],
                    y: 2,
                    epilogue: Epilogue::Accumulator,
                },
            ),
        ],
        input: InputPort {
            tensor: 0,
            shape: vec![4, 6],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort {
            tensor: 2,
            shape: vec![4, 6],
            transform: OutputTransform::Integer { dtype: IntegerType::I32 },
        },
    }
}

fn error(change: impl FnOnce(&mut CodeMatrix, &mut CodeMatrix, &mut usize)) -> GraphError {
    let mut graph = graph();
    match &mut graph.nodes[0].op {
        Op::BatchMatMul { a, b, heads, .. } => change(a, b, heads),
        _ => unreachable!("the node is a matmul"),
    }
    graph.validate().expect_err("an invalid graph")
}

fn map(matrix: &mut CodeMatrix) -> &mut Gather {
    matrix.gather.as_mut().expect("a gather")
}

#[test]
fn columns_of_the_right_operand_part_into_heads() {
    let mut graph = graph();
    graph.tensors[1].features = 12;
    let mut with = |cols| {
        match &mut graph.nodes[0].op {
            Op::BatchMatMul { b, .. } => map(b).cols = cols,
            _ => unreachable!("the node is a matmul"),
        }
        graph.validate()
    };
    assert_eq!(with(vec![dim(2, 0, 3), dim(6, 1, 1)]), Ok(()));
    assert_eq!(with(vec![dim(4, 0, 1), dim(3, 1, 1)]), Ok(()));
    let heads = GraphError::Heads { node: 0, heads: 2, left: 6, right: 12 };
    assert_eq!(with(vec![dim(3, 0, 1), dim(4, 1, 1)]), Err(heads));
}

fn product_error(change: impl FnOnce(&mut Term)) -> GraphError {
    let mut graph = graph();
    match &mut graph.nodes[1].op {
        Op::Combine { terms, .. } => change(&mut terms[0]),
        _ => unreachable!("the node is a sum"),
    }
    graph.validate().expect_err("an invalid graph")
}

#[test]
fn the_graph_is_valid_and_round_trips() {
    let graph = graph();
    assert_eq!(graph.validate(), Ok(()));
    assert_eq!(graph.macs_per_sample(), 4 * 8 * 3);
    assert_eq!(graph.accumulator_bound(0), 3 * 155 * 200);
    assert_eq!(graph.accumulator_bound(1), 2 * 252 * 250);
    let bytes = graph.to_bytes();
    assert_eq!(Graph::from_bytes(&bytes), Ok(graph));
}

#[test]
fn operands_have_the_shapes_that_heads_ask_for() {
    for heads in [0, 3, 4, usize::MAX] {
        let found = error(|_, _, h| *h = heads);
        assert_eq!(found, GraphError::Heads { node: 0, heads, left: 6, right: 8 });
    }
    let size = |rows, columns| GraphError::GatherSize { node: 0, rows, columns };
    assert_eq!(error(|_, b, _| map(b).cols[0].size = 3), size(3, 8));
    assert_eq!(error(|_, b, _| map(b).rows[0].size = 4), size(3, 8));
    // Four rows of eight columns, of which four are a head's, for three rows of the right operand.
    assert_eq!(error(|a, b, _| a.gather.clone_from(&b.gather)), size(4, 8));
    assert_eq!(error(|_, b, _| b.gather = None), GraphError::NodeShape { node: 0 });
    assert_eq!(error(|_, b, _| b.x = 2), GraphError::ReadBeforeWrite { tensor: 2 });
    assert_eq!(error(|a, _, _| a.x = 7), GraphError::NoSuchTensor { tensor: 7 });
}

#[test]
fn kinds_and_ranges_agree() {
    let mut other = graph();
    other.tensors[1].kind = TensorKind::Integer { bits: 20 };
    assert_eq!(other.validate(), Err(GraphError::NodeShape { node: 0 }));
    // A column of 2^16 elements times a row of them.
    let mut wide = graph();
    let long = |rows, cols| Gather {
        source_cols: vec![6],
        source_rows: vec![4],
        offsets: vec![0, 0],
        rows: vec![dim(rows, 1, 1)],
        cols: vec![GatherDim { size: 2, axis: None, step: 0 }, dim(cols, 0, 1)],
        pad: None,
    };
    match &mut wide.nodes[0].op {
        Op::BatchMatMul { a, b, .. } => {
            a.gather = Some(long(4, 1 << 17));
            b.gather = Some(long(1 << 17, 4));
        }
        _ => unreachable!("the node is a matmul"),
    }
    assert_eq!(wide.validate(), Ok(()));
    match &mut wide.nodes[0].op {
        Op::BatchMatMul { row_factors, .. } => *row_factors = Some(vec![1, -2, -(1 << 31), 0]),
        _ => unreachable!("the node is a matmul"),
    }
    let bound: i128 = ((1 << 17) * 155 * 200) << 31;
    let log_bound = bound.ilog2();
    assert_eq!(wide.validate(), Err(GraphError::AccumulatorRange { node: 0, log_bound }));
}

/// What is wrong once a matmul of two tensors, the first of integers of `bits` bits, has these factors.
fn wide(
    bits: u32,
    factors: Option<Vec<i64>>,
    change: impl FnOnce(&mut Op),
) -> Result<(), GraphError> {
    let mut graph = graph();
    graph.tensors.push(TensorShape { kind: TensorKind::Integer { bits }, ..graph.tensors[0] });
    let integers = graph.tensors.len() - 1;
    let times = Function::Table(Box::new(std::array::from_fn(|code| code as i64)));
    let term = Term { x: 0, gather: None, taps: 1, function: times };
    let op = Op::Combine { terms: vec![term], y: integers, epilogue: Epilogue::Accumulator };
    graph.nodes.insert(0, Node { name: "wide".into(), op });
    match &mut graph.nodes[1].op {
        op @ Op::BatchMatMul { .. } => {
            if let Op::BatchMatMul { a, b, row_factors, .. } = op {
                map(b).pad = None;
                (a.x, a.zero_code, *row_factors) = (integers, 0, factors);
            }
            change(op);
        }
        _ => unreachable!("the node is a matmul"),
    }
    graph.validate()?;
    assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
    Ok(())
}

#[test]
fn operands_are_integers_of_any_width_within_the_bound() {
    // Three products with codes less 200.
    assert_eq!(wide(53, None, |_| ()), Ok(()));
    let log_bound = 62;
    assert_eq!(wide(54, None, |_| ()), Err(GraphError::AccumulatorRange { node: 1, log_bound }));
    let zero = |op: &mut Op| match op {
        Op::BatchMatMul { a, .. } => a.zero_code = 3,
        _ => unreachable!("the node is a matmul"),
    };
    assert_eq!(wide(20, None, zero), Err(GraphError::ZeroCode { node: 1, zero_code: 3 }));
    let pad = |op: &mut Op| match op {
        Op::BatchMatMul { a, .. } => {
            let dims = [(0, 4), (1, 6)].map(|(axis, size)| vec![dim(size, 1 - axis, 1)]);
            let [rows, cols] = dims;
            let (source_cols, source_rows) = (vec![6], vec![4]);
            let offsets = vec![0, 0];
            a.gather = Some(Gather { source_cols, source_rows, offsets, rows, cols, pad: Some(1) });
        }
        _ => unreachable!("the node is a matmul"),
    };
    assert_eq!(wide(20, None, pad), Err(GraphError::Pad { node: 1, pad: Some(1) }));
}

#[test]
fn row_factors_are_one_a_row() {
    let error = Err(GraphError::RowFactors { node: 1 });
    let factors = |last: i64| Some(vec![1, -9, 0, last]);
    assert_eq!(wide(20, factors(1 << 31), |_| ()), Ok(()));
    assert_eq!(wide(20, factors((1 << 31) + 1), |_| ()), error);
    assert_eq!(wide(20, Some(vec![1; 3]), |_| ()), error);
    let range = Err(GraphError::AccumulatorRange { node: 1, log_bound: 63 });
    assert_eq!(wide(24, factors(1 << 31), |_| ()), range);
}

#[test]
fn factors_of_elements_have_one_shape_as_they_are_read() {
    let product = GraphError::Product { node: 1, term: 0 };
    let other = |term: &mut Term| {
        term.function = Function::Product { with: 1, with_gather: None, zeros: [0, 0], factor: 1 };
    };
    assert_eq!(product_error(other), product);
    let map = |cols| Gather {
        source_cols: vec![6],
        source_rows: vec![4],
        offsets: vec![0, 0],
        rows: vec![dim(4, 1, 1)],
        cols,
        pad: None,
    };
    // The first operand through a map of two taps, the second straight or through one of one tap.
    let taps = |with_gather: Option<Gather>| {
        let gather = map(vec![dim(6, 0, 1), dim(2, 0, 1)]);
        move |term: &mut Term| {
            let (x, taps, gather) = (0, 2, Some(gather));
            let function = Function::Product { with: 0, with_gather, zeros: [0, 0], factor: 1 };
            *term = Term { x, taps, gather, function };
        }
    };
    assert_eq!(product_error(taps(None)), GraphError::Taps { node: 1, taps: 2 });
    let size = GraphError::GatherSize { node: 1, rows: 4, columns: 12 };
    assert_eq!(product_error(taps(Some(map(vec![dim(6, 0, 1)])))), size);
    let mut integers = graph();
    integers.tensors[0].kind = TensorKind::Integer { bits: 8 };
    assert_eq!(integers.validate(), Err(GraphError::PortShape { tensor: 0 }));
    let mut both = graph();
    match &mut both.nodes[1].op {
        Op::Combine { terms, .. } => taps(Some(map(vec![dim(12, 0, 1)])))(&mut terms[0]),
        _ => unreachable!("the node is a sum"),
    }
    assert_eq!(both.validate(), Ok(()));
    assert_eq!(Graph::from_bytes(&both.to_bytes()), Ok(both));
    assert_eq!(product_error(|term| term.taps = 2), GraphError::Taps { node: 1, taps: 2 });
    let factor = |factor| {
        move |term: &mut Term| {
            term.function = Function::Product { with: 0, with_gather: None, zeros: [0, 0], factor }
        }
    };
    assert_eq!(product_error(factor((1 << 45) + 1)), GraphError::Function { node: 1, term: 0 });
}
