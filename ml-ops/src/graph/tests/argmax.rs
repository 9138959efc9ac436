//! Indices of maxima: each of their invariants broken, and their encoding.

use super::super::*;
use proptest::prelude::*;

/// The index of the largest of two channels and of four columns, at each of three rows.
fn index() -> Graph {
    let dim = |size, axis| GatherDim { size, axis: Some(axis), step: 1 };
    let gather = Gather {
        source_cols: vec![2],
        source_rows: vec![3, 4],
        offsets: vec![0, 0, 0],
        rows: vec![dim(3, 1)],
        cols: vec![dim(2, 0), dim(4, 2)],
        pad: None,
    };
    let shape = |rows_per_sample, features, kind| TensorShape { rows_per_sample, features, kind };
    Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "index".to_owned(),
        tensors: vec![shape(12, 2, TensorKind::Code), shape(3, 1, TensorKind::Integer { bits: 4 })],
        weights: vec![],
        nodes: vec![Node {
            name: "argmax".to_owned(),
            op: Op::ArgMax { x: 0, gather, taps: 8, last: true, y: 1 },
        }],
        input: InputPort {
            tensor: 0,
            shape: vec![2, 3, 4],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort {
            tensor: 1,
            shape: vec![3],
            transform: OutputTransform::Integer { dtype: IntegerType::I64 },
        },
    }
}

/// The error of the graph after `change`.
fn error(change: impl FnOnce(&mut Graph)) -> GraphError {
    let mut graph = index();
    change(&mut graph);
    graph.validate().expect_err("an invalid graph")
}

/// The error of the graph after `change` of its gather and taps.
fn gather_error(change: impl FnOnce(&mut Gather, &mut usize)) -> GraphError {
    error(|graph| match &mut graph.nodes[0].op {
        Op::ArgMax { gather, taps, .. } => change(gather, taps),
        _ => unreachable!("the node is an index"),
    })
}

#[test]
fn the_graph_is_valid_and_round_trips() {
    let graph = index();
    assert_eq!(graph.validate(), Ok(()));
    assert_eq!((graph.accumulator_bound(0), graph.macs_per_sample()), (0, 0));
    let bytes = graph.to_bytes();
    assert_eq!(Graph::from_bytes(&bytes), Ok(graph));
    for len in 0..bytes.len() {
        let error = Graph::from_bytes(&bytes[..len]).expect_err("a prefix");
        assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
    }
}

#[test]
fn indices_hold_the_numbers_of_all_taps_within_a_width() {
    let width = |bits| error(|graph| graph.tensors[1].kind = TensorKind::Integer { bits });
    let wrong = |of, bits| GraphError::ArgWidth { node: 0, taps: 8, of, bits };
    assert_eq!(width(3), wrong(8, 3));
    assert_eq!(width(MAX_ARG_BITS - 7), wrong(8, MAX_ARG_BITS - 7));
    let code = error(|graph| graph.tensors[1].kind = TensorKind::Code);
    assert_eq!(code, GraphError::NodeShape { node: 0 });
    let mut wide = index();
    wide.tensors[1].kind = TensorKind::Integer { bits: MAX_ARG_BITS - 8 };
    assert_eq!(wide.validate(), Ok(()));
}

#[test]
fn every_position_reads_an_element() {
    let outside = |row, column| GraphError::Outside { node: 0, row, column };
    assert_eq!(gather_error(|gather, _| gather.offsets[2] = -1), outside(0, 0));
    assert_eq!(gather_error(|gather, _| gather.offsets[1] = 1), outside(2, 0));
    assert_eq!(gather_error(|gather, _| gather.cols[0].step = 2), outside(0, 4));
    let pad = gather_error(|gather, _| gather.pad = Some(0));
    assert_eq!(pad, GraphError::Pad { node: 0, pad: Some(0) });
}

#[test]
fn taps_are_dimensions_and_few() {
    let none = gather_error(|_, taps| *taps = 0);
    assert_eq!(none, GraphError::Taps { node: 0, taps: 0 });
    let no_cut = gather_error(|gather, taps| {
        gather.cols = vec![GatherDim { size: 4, axis: Some(2), step: 1 }];
        *taps = 8;
    });
    assert_eq!(no_cut, GraphError::GatherSize { node: 0, rows: 3, columns: 8 });
    let found = gather_error(|_, taps| *taps = 4);
    assert_eq!(found, GraphError::GatherSize { node: 0, rows: 3, columns: 4 });
    let many = MAX_POSITIONS / 3 + 1;
    let found = error(|graph| {
        graph.tensors[1].kind = TensorKind::Integer { bits: 40 };
        if let Op::ArgMax { gather, taps, .. } = &mut graph.nodes[0].op {
            gather.cols = vec![GatherDim { size: many, axis: None, step: 0 }];
            *taps = many;
        }
    });
    assert_eq!(found, GraphError::Positions { node: 0 });
}

proptest! {
    #[test]
    fn what_decodes_is_canonical(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = index().to_bytes();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(graph) = Graph::from_bytes(&bytes) {
            prop_assert_eq!(graph.to_bytes(), bytes);
        }
    }
}
