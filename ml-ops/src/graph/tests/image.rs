//! A graph with gathers, groups, sums and maxima: each of their invariants broken, and their encoding.

use super::super::*;
use super::step;
use proptest::prelude::*;

fn dim(size: usize, axis: usize, step: i64) -> GatherDim {
    GatherDim { size, axis: Some(axis), step }
}

/// Windows of `side x side` over `channels` of 4 x 4 elements, padded by one, every `stride`-th; columns by channel.
fn windows(channels: usize, side: usize, stride: i64, pad: Option<u8>) -> Gather {
    let outputs = 4 / stride as usize;
    Gather {
        source_cols: vec![channels],
        source_rows: vec![4, 4],
        offsets: vec![0, -1, -1],
        rows: vec![dim(outputs, 1, stride), dim(outputs, 2, stride)],
        cols: vec![dim(channels, 0, 1), dim(side, 1, 1), dim(side, 2, 1)],
        pad,
    }
}

/// Four channels of which the first is channel `-first` of the source.
fn part(first: i64) -> Gather {
    Gather {
        source_cols: vec![2],
        source_rows: vec![2, 2],
        offsets: vec![first, 0, 0],
        rows: vec![dim(2, 1, 1), dim(2, 2, 1)],
        cols: vec![dim(4, 0, 1)],
        pad: None,
    }
}

fn table(x: TensorId, gather: Option<Gather>, taps: usize, factor: i64) -> Term {
    let table = Box::new(std::array::from_fn(|code| code as i64 * factor));
    Term { x, gather, taps, function: Function::Table(table) }
}

/// An image of 2 x 4 x 4 - convolution - depthwise convolution - maxima - twice the same as 4 channels - added up in
/// each channel - the same added to three times itself.
pub(super) fn image() -> Graph {
    let shape = |rows_per_sample, features, kind| TensorShape { rows_per_sample, features, kind };
    let node = |name: &str, op| Node { name: name.to_owned(), op };
    let offsets = vec![-128];
    let weights = |k| WeightShape {
        k,
        n: 2,
        alphabet: Alphabet::Byte { offsets: offsets.clone() },
        bias_bits: 10,
    };
    let integers = TensorKind::Integer { bits: 20 };
    let all = Gather {
        source_cols: vec![4],
        source_rows: vec![4],
        offsets: vec![0, 0],
        rows: vec![],
        cols: vec![dim(4, 0, 1), dim(4, 1, 1)],
        pad: None,
    };
    let matmul = |x, gather, weights, groups, epilogue| Op::MatMul {
        x,
        gather: Some(gather),
        zero_code: 3,
        weights,
        groups,
        y: x + 1,
        epilogue,
    };
    let requantize = Epilogue::Requantize(Requantize { steps: vec![step(0.01)] });
    let edges = Epilogue::Edges(vec![
        Edges { first: 1, edges: [-5, 0, 0, 1 << 20].into() },
        Edges { first: 255, edges: [].into() },
    ]);
    let times = |x, factor| Term { x, gather: None, taps: 1, function: Function::Times(factor) };
    Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "image".to_owned(),
        tensors: vec![
            shape(16, 2, TensorKind::Code),
            shape(16, 2, TensorKind::Code),
            shape(4, 2, TensorKind::Code),
            shape(4, 2, TensorKind::Code),
            shape(4, 4, TensorKind::Code),
            shape(1, 4, integers),
            shape(1, 4, TensorKind::Code),
            shape(1, 4, integers),
        ],
        weights: vec![weights(18), weights(9)],
        nodes: vec![
            node("convolution", matmul(0, windows(2, 3, 1, Some(7)), 0, 1, requantize.clone())),
            node("depthwise", matmul(1, windows(2, 3, 2, None), 1, 2, edges)),
            node(
                "max",
                Op::Max {
                    x: 2,
                    gather: Gather {
                        source_cols: vec![2],
                        source_rows: vec![2, 2],
                        offsets: vec![0, 0, 0],
                        rows: vec![dim(2, 1, 1), dim(2, 2, 1)],
                        cols: vec![dim(2, 0, 1), dim(2, 1, 1), dim(2, 2, 1)],
                        pad: Some(0),
                    },
                    taps: 4,
                    y: 3,
                },
            ),
            node(
                "join",
                Op::Combine {
                    terms: vec![table(3, Some(part(0)), 1, 1), table(3, Some(part(-2)), 1, 1)],
                    y: 4,
                    epilogue: Epilogue::Accumulator,
                },
            ),
            node(
                "total",
                Op::Combine {
                    terms: vec![table(4, Some(all), 4, 100)],
                    y: 5,
                    epilogue: Epilogue::Accumulator,
                },
            ),
            node("codes", Op::Combine { terms: vec![times(5, -3)], y: 6, epilogue: requantize }),
            node(
                "sum",
                Op::Combine {
                    terms: vec![table(6, None, 1, 300), table(6, None, 1, -100)],
                    y: 7,
                    epilogue: Epilogue::Accumulator,
                },
            ),
        ],
        input: InputPort {
            tensor: 0,
            shape: vec![2, 4, 4],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort {
            tensor: 7,
            shape: vec![4],
            transform: OutputTransform::Integer { dtype: IntegerType::I32 },
        },
    }
}

/// The error of the graph after `change` of node `node`.
fn error(node: usize, change: impl FnOnce(&mut Op)) -> GraphError {
    let mut graph = image();
    change(&mut graph.nodes[node].op);
    graph.validate().expect_err("an invalid graph")
}

/// The error of the graph after `change` of the gather of node `node`.
fn gather_error(node: usize, change: impl FnOnce(&mut Gather)) -> GraphError {
    error(node, |op| match op {
        Op::MatMul { gather: Some(gather), .. } | Op::Max { gather, .. } => change(gather),
        Op::Combine { terms, .. } => change(terms[0].gather.as_mut().expect("a gather")),
        _ => unreachable!("the node gathers"),
    })
}

fn terms(op: &mut Op) -> &mut Vec<Term> {
    match op {
        Op::Combine { terms, .. } => terms,
        _ => unreachable!("the node is a sum"),
    }
}

#[test]
fn the_graph_is_valid() {
    let graph = image();
    assert_eq!(graph.validate(), Ok(()));
    assert_eq!(graph.macs_per_sample(), 16 * 18 * 2 + 4 * 9 * 2);
}

#[test]
fn bounds_cover_the_extremes() {
    let graph = image();
    // Inputs -3 to 252, weights -128 to 127, biases of 10 bits.
    assert_eq!(graph.accumulator_bound(0), 18 * 252 * 128 + 512);
    assert_eq!(graph.accumulator_bound(1), 9 * 252 * 128 + 512);
    assert_eq!(graph.accumulator_bound(2), 0);
    assert_eq!(graph.accumulator_bound(3), 510);
    assert_eq!(graph.accumulator_bound(4), 4 * 25_500);
    assert_eq!(graph.accumulator_bound(5), 3 << 19);
    assert_eq!(graph.accumulator_bound(6), 300 * 255);
}

#[test]
fn groups_divide_columns_of_a_byte_each() {
    for groups in [0, 3] {
        let found = error(1, |op| match op {
            Op::MatMul { groups: g, .. } => *g = groups,
            _ => unreachable!("the node is a matmul"),
        });
        assert_eq!(found, GraphError::Groups { node: 1, groups, columns: 2 });
    }
    let mut graph = image();
    graph.weights[1].alphabet = Alphabet::Digits { values: vec![-1, 1], per_byte: 8 };
    let expected = GraphError::Groups { node: 1, groups: 2, columns: 2 };
    assert_eq!(graph.validate(), Err(expected));
}

#[test]
fn edges_do_not_decrease_and_are_no_more_than_codes() {
    for (first, edges) in [(0, vec![1, 0]), (255, vec![0]), (3, vec![0; 253])] {
        let found = error(1, |op| match op {
            Op::MatMul { epilogue: Epilogue::Edges(steps), .. } => {
                steps[1] = Edges { first, edges: edges.into() };
            }
            _ => unreachable!("the node has edges"),
        });
        assert_eq!(found, GraphError::Edges { node: 1, step: 1 });
    }
    let found = error(1, |op| match op {
        Op::MatMul { epilogue: Epilogue::Edges(steps), .. } => steps.push(steps[0].clone()),
        _ => unreachable!("the node has edges"),
    });
    assert_eq!(found, GraphError::StepCount { node: 1, columns: 2, got: 3 });
}

#[test]
fn gathers_have_an_offset_for_each_of_a_few_axes() {
    let found = gather_error(0, |g| g.offsets.push(0));
    assert_eq!(found, GraphError::GatherAxes { node: 0, axes: 3, offsets: 4 });
    let found = gather_error(3, |g| {
        g.source_rows.extend([1; MAX_AXES]);
        g.offsets.extend([0; MAX_AXES]);
    });
    let axes = 3 + MAX_AXES;
    assert_eq!(found, GraphError::GatherAxes { node: 3, axes, offsets: axes });
}

#[test]
fn gathers_have_few_dimensions() {
    let found = gather_error(2, |g| g.rows.extend([dim(1, 0, 0); MAX_AXES]));
    assert_eq!(found, GraphError::GatherDims { node: 2, rows: 2 + MAX_AXES, cols: 3 });
    let found = gather_error(2, |g| g.cols.extend([dim(1, 0, 0); MAX_AXES]));
    assert_eq!(found, GraphError::GatherDims { node: 2, rows: 2, cols: 3 + MAX_AXES });
}

#[test]
fn gathers_move_along_axes_that_there_are() {
    let found = gather_error(0, |g| g.cols[2].axis = Some(3));
    assert_eq!(found, GraphError::GatherAxis { node: 0, axis: 3, axes: 3 });
}

#[test]
fn steps_of_gathers_are_small() {
    for step in [(1 << 31) + 1, i64::MIN, i64::MAX] {
        let expected = GraphError::GatherStep { node: 0, step };
        assert_eq!(gather_error(0, |g| g.rows[0].step = step), expected);
        assert_eq!(gather_error(0, |g| g.offsets[2] = step), expected);
    }
    // Far outside there is nothing but padding.
    let mut graph = image();
    if let Op::MatMul { gather: Some(gather), .. } = &mut graph.nodes[0].op {
        gather.rows[0].step = -1 << 31;
        gather.cols[0].step = 1 << 31;
    }
    assert_eq!(graph.validate(), Ok(()));
}

#[test]
fn gathers_read_their_source() {
    let expected = GraphError::GatherSource { node: 0, rows_per_sample: 16, features: 2 };
    assert_eq!(gather_error(0, |g| g.source_cols[0] = 3), expected);
    assert_eq!(gather_error(0, |g| g.source_rows = vec![2, 4]), expected);
    assert_eq!(gather_error(0, |g| g.source_rows = vec![usize::MAX, 2]), expected);
    assert_eq!(gather_error(0, |g| g.source_rows = vec![0, 4]), expected);
}

#[test]
fn gathers_give_what_their_node_reads() {
    let expected = GraphError::GatherSize { node: 0, rows: 16, columns: 18 };
    assert_eq!(gather_error(0, |g| g.rows[0].size = 5), expected);
    assert_eq!(gather_error(0, |g| g.cols[0].size = 0), expected);
    assert_eq!(gather_error(0, |g| g.cols[0].size = usize::MAX), expected);
    let expected = GraphError::GatherSize { node: 2, rows: 4, columns: 6 };
    let found = error(2, |op| match op {
        Op::Max { taps, .. } => *taps = 3,
        _ => unreachable!("the node is a maximum"),
    });
    assert_eq!(found, expected);
    // A matrix of 2^29 elements, of dimensions that agree.
    let found = error(4, |op| {
        let term = &mut terms(op)[0];
        term.taps = 1 << 27;
        term.gather.as_mut().expect("a gather").cols[1].size = 1 << 27;
    });
    assert_eq!(found, GraphError::GatherSize { node: 4, rows: 1, columns: 1 << 29 });
}

#[test]
fn maxima_pad_with_zero_and_integers_with_nothing() {
    for pad in [None, Some(1)] {
        let found = gather_error(2, |g| g.pad = pad);
        assert_eq!(found, GraphError::Pad { node: 2, pad });
    }
    let found = error(5, |op| {
        terms(op)[0].gather = Some(Gather {
            source_cols: vec![4],
            source_rows: vec![],
            offsets: vec![0],
            rows: vec![],
            cols: vec![dim(4, 0, 1)],
            pad: Some(0),
        });
    });
    assert_eq!(found, GraphError::Pad { node: 5, pad: Some(0) });
}

#[test]
fn there_is_one_tap_at_least_and_one_without_a_gather() {
    for taps in [0, usize::MAX] {
        let found = error(2, |op| match op {
            Op::Max { taps: t, .. } => *t = taps,
            _ => unreachable!("the node is a maximum"),
        });
        assert_eq!(found, GraphError::Taps { node: 2, taps });
    }
    for taps in [0, 2] {
        let found = error(6, |op| terms(op)[1].taps = taps);
        assert_eq!(found, GraphError::Taps { node: 6, taps });
    }
}

#[test]
fn sums_have_terms_and_not_too_many() {
    for many in [0, MAX_TERMS + 1] {
        let found = error(6, |op| {
            let term = terms(op)[0].clone();
            *terms(op) = vec![term; many];
        });
        assert_eq!(found, GraphError::Terms { node: 6, terms: many });
    }
}

#[test]
fn values_of_functions_are_small() {
    for value in [(1 << 61) + 1, i64::MIN] {
        let found = error(6, |op| match &mut terms(op)[1].function {
            Function::Table(table) => table[255] = value,
            _ => unreachable!("the term has a table"),
        });
        assert_eq!(found, GraphError::Function { node: 6, term: 1 });
        let found = error(5, |op| terms(op)[0].function = Function::Times(value));
        assert_eq!(found, GraphError::Function { node: 5, term: 0 });
    }
}

#[test]
fn sums_fit_their_output() {
    // Of integers it is the run that has to respect the width.
    let mut narrow = image();
    terms(&mut narrow.nodes[6].op).push(table(6, None, 1, 10_000));
    assert_eq!(narrow.validate(), Ok(()));
    // Parts that overlap, one that is no code, and two tensors on top of each other.
    let found = gather_error(3, |g| g.offsets[0] = -1);
    assert_eq!(found, GraphError::SumRange { node: 3, low: 0, high: 510 });
    let found = error(3, |op| terms(op)[0] = table(3, Some(part(0)), 1, -1));
    assert_eq!(found, GraphError::SumRange { node: 3, low: -255, high: 0 });
    let found = error(3, |op| {
        *op = Op::Combine {
            terms: vec![table(3, Some(part(0)), 1, 1), table(3, Some(part(0)), 1, 1)],
            y: 4,
            epilogue: Epilogue::Accumulator,
        }
    });
    assert_eq!(found, GraphError::SumRange { node: 3, low: 0, high: 510 });
    let mut wide = image();
    wide.tensors[5].kind = TensorKind::Integer { bits: 32 };
    terms(&mut wide.nodes[5].op)[0].function = Function::Times(1 << 31);
    let found = wide.validate();
    assert_eq!(found, Err(GraphError::AccumulatorRange { node: 5, log_bound: 62 }));
}

/// Of 64 times `2^61` times integers of 63 bits a multiple of `2^128 - 1` can be left over, which no check in the exponent
/// tells from zero: a code of 1 was proved where all integers are zero. The ends' remainders by `2^128` are those of a code's range.
#[test]
fn sums_of_codes_are_small_enough_for_exponents() {
    let mut graph = image();
    graph.tensors[5].kind = TensorKind::Integer { bits: 63 };
    let often = Gather {
        source_cols: vec![4],
        source_rows: vec![1],
        offsets: vec![0, 0],
        rows: vec![],
        cols: vec![dim(4, 0, 1), GatherDim { size: 64, axis: None, step: 0 }],
        pad: None,
    };
    let first = Gather {
        source_cols: vec![4],
        source_rows: vec![4],
        offsets: vec![0, 0],
        rows: vec![],
        cols: vec![dim(4, 0, 1)],
        pad: None,
    };
    let function = Function::Times(1 << 61);
    let terms =
        vec![Term { x: 5, gather: Some(often), taps: 64, function }, table(4, Some(first), 1, 0)];
    graph.nodes[5].op = Op::Combine { terms, y: 6, epilogue: Epilogue::Accumulator };
    let large = GraphError::AccumulatorRange { node: 5, log_bound: 126 };
    assert_eq!(graph.validate(), Err(large));
}

#[test]
fn maxima_have_codes_to_choose_from() {
    let found = gather_error(2, |g| g.offsets[1] = 1);
    assert_eq!(found, GraphError::EmptyMax { node: 2, row: 2, column: 0 });
    let found = gather_error(2, |g| g.cols[0].step = 2);
    assert_eq!(found, GraphError::EmptyMax { node: 2, row: 0, column: 1 });
}

#[test]
fn positions_looked_at_are_few() {
    // So many that all positions are, and so many that each is a matrix of its own.
    for many in [MAX_POSITIONS / 8 + 1, (1 << 15) + 1] {
        let found = error(2, |op| match op {
            Op::Max { taps, gather, .. } => {
                *taps = many;
                gather.cols = vec![dim(2, 0, 1), dim(*taps, 1, 0)];
            }
            _ => unreachable!("the node is a maximum"),
        });
        assert_eq!(found, GraphError::Positions { node: 2 });
    }
}

#[test]
fn holes_of_joined_parts_are_not_looked_at() {
    let (side, parts) = (64, 100);
    let part = |number: usize| Gather {
        source_cols: vec![2],
        source_rows: vec![side, side],
        offsets: vec![-2 * number as i64, 0, 0],
        rows: vec![dim(side, 1, 1), dim(side, 2, 1)],
        cols: vec![dim(2 * parts, 0, 1)],
        pad: None,
    };
    let joined = (0..parts).map(|number| table(0, Some(part(number)), 1, 1)).collect();
    let join = Op::Combine { terms: joined, y: 1, epilogue: Epilogue::Accumulator };
    let mut graph = image();
    graph.nodes = vec![Node { name: "join".to_owned(), op: join }];
    graph.weights.clear();
    let shape = |features| {
        let (rows_per_sample, kind) = (side * side, TensorKind::Code);
        TensorShape { rows_per_sample, features, kind }
    };
    graph.tensors = vec![shape(2), shape(2 * parts)];
    graph.input.shape = vec![2, side, side];
    let transform = OutputTransform::Codes { dtype: CodeType::U8 };
    graph.output = OutputPort { tensor: 1, shape: vec![2 * parts, side, side], transform };
    assert!(2 * parts * side * side * parts > MAX_POSITIONS);
    assert_eq!(graph.validate(), Ok(()));
    // Terms without holes are looked at everywhere, whatever they add.
    for term in &mut terms(&mut graph.nodes[0].op)[2..] {
        *term = table(0, term.gather.take(), 1, 0);
        term.gather.as_mut().expect("a part").pad = Some(0);
    }
    assert_eq!(graph.validate(), Err(GraphError::Positions { node: 0 }));
}

#[test]
fn shapes_and_kinds_agree() {
    let shape = |node| GraphError::NodeShape { node };
    // Tables are of codes, factors of integers, maxima of codes.
    assert_eq!(error(5, |op| terms(op)[0] = table(5, None, 1, 1)), shape(5));
    assert_eq!(error(6, |op| terms(op)[0].function = Function::Times(1)), shape(6));
    let mut graph = image();
    graph.tensors[3].kind = TensorKind::Integer { bits: 9 };
    assert_eq!(graph.validate(), Err(shape(2)));
    // A straight term has the output's shape.
    let found = error(6, |op| terms(op)[0].x = 4);
    assert_eq!(found, shape(6));
    // What is requantized becomes codes.
    let mut graph = image();
    graph.tensors[6].kind = TensorKind::Integer { bits: 9 };
    assert_eq!(graph.validate(), Err(shape(5)));
    // Each group has inputs of its own.
    let found = error(0, |op| match op {
        Op::MatMul { gather, .. } => *gather = None,
        _ => unreachable!("the node is a matmul"),
    });
    assert_eq!(found, shape(0));
}

#[test]
fn terms_read_what_is_written() {
    let found = error(6, |op| terms(op)[1].x = 7);
    assert_eq!(found, GraphError::ReadBeforeWrite { tensor: 7 });
    let found = error(6, |op| terms(op)[1].x = 8);
    assert_eq!(found, GraphError::NoSuchTensor { tensor: 8 });
}

#[test]
fn hostile_sizes_cost_nothing() {
    let mut graph = image();
    graph.tensors[0].rows_per_sample = MAX_ELEMENTS / 2;
    graph.input.shape = vec![MAX_ELEMENTS];
    if let Op::MatMul { gather: Some(gather), .. } = &mut graph.nodes[0].op {
        gather.source_rows = vec![MAX_ELEMENTS / 2];
        gather.offsets.pop();
        gather.rows = vec![dim(MAX_ELEMENTS / 2, 1, 1)];
        gather.cols = vec![dim(18, 0, 1)];
    }
    graph.tensors[1].rows_per_sample = MAX_ELEMENTS / 2;
    let expected = GraphError::GatherSize { node: 0, rows: MAX_ELEMENTS / 2, columns: 18 };
    assert_eq!(graph.validate(), Err(expected));
}

#[test]
fn the_graph_round_trips() {
    let bytes = image().to_bytes();
    assert_eq!(Graph::from_bytes(&bytes), Ok(image()));
    for len in 0..bytes.len() {
        let error = Graph::from_bytes(&bytes[..len]).expect_err("a prefix");
        assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn what_decodes_is_canonical(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = image().to_bytes();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(graph) = Graph::from_bytes(&bytes) {
            prop_assert_eq!(graph.to_bytes(), bytes);
            for node in 0..graph.nodes.len() {
                prop_assert!(graph.accumulator_bound(node) >= 0);
            }
        }
    }

    #[test]
    fn valid_changes_round_trip(
        (offsets, steps) in (
            prop::collection::vec(-(1i64 << 31)..=1 << 31, 3),
            prop::collection::vec(-(1i64 << 31)..=1 << 31, 5),
        ),
        pad: Option<u8>,
        first: u8,
        mut edges in prop::collection::vec(any::<i64>(), 0..=255),
        table in prop::collection::vec(-(1i64 << 9)..1 << 9, 256),
        factor in -50i64..50,
    ) {
        let mut graph = image();
        if let Op::MatMul { gather: Some(gather), epilogue, .. } = &mut graph.nodes[0].op {
            gather.offsets = offsets;
            let dims = gather.rows.iter_mut().chain(&mut gather.cols);
            dims.zip(steps).for_each(|(dim, step)| dim.step = step);
            gather.pad = pad;
            edges.truncate(255 - usize::from(first));
            edges.sort_unstable();
            *epilogue = Epilogue::Edges(vec![Edges { first, edges: edges.into() }]);
        }
        let images = Box::new(std::array::from_fn(|code| table[code]));
        terms(&mut graph.nodes[6].op)[0].function = Function::Table(images);
        terms(&mut graph.nodes[5].op)[0].function = Function::Times(factor);
        prop_assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
    }
}
