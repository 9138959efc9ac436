//! The encoding: round trips, each decoding error, and arbitrary and mutated bytes.

use super::super::*;
use super::graph;
use proptest::prelude::*;

#[test]
fn graphs_round_trip() {
    let bytes = graph().to_bytes();
    assert_eq!(Graph::from_bytes(&bytes), Ok(graph()));
    for transform in [
        InputTransform::Codes { dtype: CodeType::U8 },
        InputTransform::Codes { dtype: CodeType::I8 },
        InputTransform::Levels { low: -1.0, high: 1.0 },
        InputTransform::OneHot { vocabulary: 3 },
        InputTransform::Numbers { count: 256 },
        computed(),
    ] {
        let mut graph = graph();
        if matches!(transform, InputTransform::OneHot { .. }) {
            graph.input.shape = vec![2];
        }
        graph.input.transform = transform;
        assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
    }
    for transform in [
        OutputTransform::Codes { dtype: CodeType::I8 },
        OutputTransform::Dequantize { scale: 0.5, zero_point: -3, dtype: CodeType::I8 },
    ] {
        let mut graph = graph();
        graph.output = OutputPort { tensor: 2, shape: vec![2, 4], transform };
        assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
    }
    let mut graph = graph();
    let (scales, offsets) = (vec![0.5], vec![-3.0]);
    graph.output.transform = OutputTransform::Affine { scales, offsets };
    for tensor in &mut graph.tensors[3..] {
        tensor.kind = TensorKind::Integer { bits: 20 };
    }
    assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
}

/// Each operator on floats once.
fn computed() -> InputTransform {
    let operators = [
        FloatOperator::Add,
        FloatOperator::Mul,
        FloatOperator::Div,
        FloatOperator::AtLeast,
        FloatOperator::AtMost,
        FloatOperator::Round,
    ];
    let operation = |operator| FloatOperation { operator, numbers: vec![0.5, -3.0], run: 3 };
    let operations = operators.map(operation).to_vec();
    let then = InputTransform::Quantize { scale: 0.5, zero_point: -3, dtype: CodeType::I8 };
    InputTransform::Computed { operations, then: Box::new(then) }
}

#[test]
fn constants_round_trip() {
    let graph = with_constant(vec![1, 2, 3, 4, 5, 6]);
    assert_eq!(graph.validate(), Ok(()));
    assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
    let wrong = GraphError::Constant { node: 4, expected: 6, got: 5 };
    assert_eq!(with_constant(vec![0; 5]).validate(), Err(wrong));
    let mut integers = with_constant(vec![0; 6]);
    integers.tensors[5].kind = TensorKind::Integer { bits: 8 };
    let wrong = GraphError::Constant { node: 4, expected: 6, got: 6 };
    assert_eq!(integers.validate(), Err(wrong));
}

/// A graph with a constant of two rows of three codes.
fn with_constant(codes: Vec<u8>) -> Graph {
    let mut graph = graph();
    graph.tensors.push(graph.tensors[0]);
    graph.nodes.push(Node { name: "constant".to_owned(), op: Op::Constant { codes, y: 5 } });
    graph
}

#[test]
fn every_proper_prefix_is_truncated() {
    let bytes = graph().to_bytes();
    for len in 0..bytes.len() {
        let error = Graph::from_bytes(&bytes[..len]).expect_err("a prefix");
        assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let mut bytes = graph().to_bytes();
    bytes.extend([0, 0]);
    assert_eq!(Graph::from_bytes(&bytes), Err(DecodeError::Trailing { left: 2 }));
}

#[test]
fn other_files_and_versions_are_refused() {
    let mut bytes = graph().to_bytes();
    bytes[8] = 1;
    assert_eq!(Graph::from_bytes(&bytes), Err(DecodeError::Version { got: 1 }));
    bytes[0] ^= 1;
    assert_eq!(Graph::from_bytes(&bytes), Err(DecodeError::Magic));
}

#[test]
fn unknown_tags_are_refused() {
    let mut bytes = graph().to_bytes();
    // Magic, version, name, tensor count, and the first tensor's two sizes come before its kind.
    let offset = 8 + 4 + (1 + 5) + 1 + 2;
    bytes[offset] = 7;
    let expected = DecodeError::Tag { offset, tag: 7 };
    assert_eq!(Graph::from_bytes(&bytes), Err(expected));
}

#[test]
fn names_are_short_utf8() {
    let mut bytes = graph().to_bytes();
    bytes[13] = 0xff;
    let expected = DecodeError::Name { offset: 13, bytes: 5 };
    assert_eq!(Graph::from_bytes(&bytes), Err(expected));
    bytes[12..14].copy_from_slice(&[0x85, 0x10]);
    let expected = DecodeError::Name { offset: 14, bytes: 5 + (0x10 << 7) };
    assert_eq!(Graph::from_bytes(&bytes), Err(expected));
}

#[test]
fn invalid_graphs_are_refused() {
    let mut graph = graph();
    graph.output.shape = vec![5];
    let expected = DecodeError::Invalid(GraphError::PortShape { tensor: 4 });
    assert_eq!(Graph::from_bytes(&graph.to_bytes()), Err(expected));
}

#[test]
fn lengths_do_not_allocate() {
    let mut bytes = graph().to_bytes();
    bytes[18..23].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    let error = Graph::from_bytes(&bytes).expect_err("a list of 2^32 tensors");
    assert!(matches!(error, DecodeError::Truncated { offset: 23, .. }));
}

#[test]
fn numbers_have_a_range() {
    // Of more than 32 bits, and of more than 64.
    for last in [0x1f, 0xff] {
        let mut bytes = graph().to_bytes();
        bytes[18..29].fill(0xff);
        bytes[22] = last;
        assert_eq!(Graph::from_bytes(&bytes), Err(DecodeError::Number { offset: 18 }));
    }
}

/// A graph with four equal step functions, and where the references to the first of them are in its bytes.
fn with_edges() -> (Graph, Vec<u8>, usize) {
    let mut graph = graph();
    let edges = Edges { first: 3, edges: (0..200).map(|i| 100 * i + i / 3).collect() };
    match &mut graph.nodes[0].op {
        Op::MatMul { epilogue, .. } => *epilogue = Epilogue::Edges(vec![edges; 4]),
        _ => unreachable!("the node is a matmul"),
    }
    let bytes = graph.to_bytes();
    let at = bytes.windows(6).position(|window| window == [255, 0, 255, 0, 255, 0]);
    (graph, bytes, at.expect("references"))
}

#[test]
fn what_comes_again_is_referred_to() {
    let (graph, bytes, at) = with_edges();
    assert!(bytes.len() < graph_bytes() + 20);
    assert_eq!(Graph::from_bytes(&bytes), Ok(graph));
    let mut other = bytes.clone();
    other[at + 3] = 1;
    let error = DecodeError::Reference { offset: at + 3, number: 1 };
    assert_eq!(Graph::from_bytes(&other), Err(error));
}

/// Bytes of the graph with four steps, which are as many as the first step and three scales.
fn graph_bytes() -> usize {
    graph().to_bytes().len()
}

#[test]
fn a_graph_has_one_encoding() {
    let (_, bytes, at) = with_edges();
    // A tag, the first code, how many edges are missing, and a line of 8 bytes.
    let written = at - 11..at;
    assert_eq!(bytes[written.start..][..3], [0, 3, 52]);
    // One input in the format of several.
    let mut several = bytes.clone();
    several[8] = 6;
    several.extend([0, 0, 0]);
    assert_eq!(Graph::from_bytes(&several), Err(DecodeError::NotCanonical));
    // The same edges once more instead of a reference.
    let mut twice = bytes.clone();
    twice.splice(at..at + 2, bytes[written.clone()].iter().copied());
    assert_eq!(Graph::from_bytes(&twice), Err(DecodeError::NotCanonical));
    // The line with another fraction, and none of its values elsewhere.
    let mut other = bytes.clone();
    other[written.end - 3] ^= 1;
    assert_eq!(Graph::from_bytes(&other), Err(DecodeError::NotCanonical));
    // A number of more bytes than it needs.
    let mut long = bytes.clone();
    long.splice(12..13, [0x85, 0]);
    assert_eq!(Graph::from_bytes(&long), Err(DecodeError::NotCanonical));
    // All of a step that differs in its scale alone.
    let bytes = graph().to_bytes();
    let scale = 0.02f32.to_le_bytes();
    let at = bytes.windows(5).position(|window| window == [&scale[..], &[0]].concat());
    let at = at.expect("the second step") + 4;
    let mut spelled = bytes.clone();
    spelled.splice(at..=at, bytes[at - 12..at - 4].iter().copied());
    assert_eq!(Graph::from_bytes(&spelled), Err(DecodeError::NotCanonical));
}

#[test]
fn edges_tables_and_gathers_have_a_number_of_values() {
    let (graph, ..) = with_edges();
    // Four times 200 edges, and a table.
    assert_eq!(graph.check_entries(4 * 200 + 256), Ok(()));
    let table = GraphError::Entries { node: 1 };
    assert_eq!(graph.check_entries(4 * 200 + 255), Err(table));
    assert_eq!(graph.check_entries(799), Err(GraphError::Entries { node: 0 }));
    // A step counts, however short it is: by its scale, and of no edges.
    assert_eq!(super::image::image().check_entries(127), Err(GraphError::Entries { node: 0 }));
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Graph::from_bytes(&bytes).is_err());
        let mut framed = graph().to_bytes()[..12].to_vec();
        framed.extend(bytes);
        prop_assert!(Graph::from_bytes(&framed).is_err());
    }

    #[test]
    fn what_decodes_is_canonical(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = graph().to_bytes();
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
}
