//! Each invariant broken, and the bounds that follow from a graph.

use super::super::*;
use super::graph;

/// The error of the graph after `change`.
fn error(change: impl FnOnce(&mut Graph)) -> GraphError {
    let mut graph = graph();
    change(&mut graph);
    graph.validate().expect_err("an invalid graph")
}

fn steps(graph: &mut Graph) -> &mut Vec<Step> {
    match &mut graph.nodes[0].op {
        Op::MatMul { epilogue: Epilogue::Requantize(requantize), .. } => &mut requantize.steps,
        _ => unreachable!("the first node is a requantized matmul"),
    }
}

#[test]
fn the_graph_is_valid() {
    assert_eq!(graph().validate(), Ok(()));
    assert_eq!(graph().macs_per_sample(), 2 * (3 * 4 + 4 * 2));
}

#[test]
fn accumulator_bounds_cover_the_extremes() {
    let graph = graph();
    // Inputs -128 to 127, weights -255 to 255, biases of 12 bits.
    assert_eq!(graph.accumulator_bound(0), 3 * 128 * 255 + 2048);
    assert_eq!(graph.accumulator_bound(1), 255);
    assert_eq!(graph.accumulator_bound(2), 4 * 252);
}

#[test]
fn names_are_short() {
    let long = "n".repeat(MAX_NAME_BYTES + 1);
    let expected = GraphError::Name { bytes: long.len() };
    assert_eq!(error(|g| g.name = long.clone()), expected);
    assert_eq!(error(|g| g.nodes[2].name = long.clone()), expected);
}

#[test]
fn tensors_have_elements_and_not_too_many() {
    for (rows_per_sample, features) in [(0, 3), (2, 0), (1 << 20, 1 << 20), (usize::MAX, 2)] {
        let found = error(|g| {
            g.tensors[1].rows_per_sample = rows_per_sample;
            g.tensors[1].features = features;
        });
        let expected = GraphError::TensorSize { tensor: 1, rows_per_sample, features };
        assert_eq!(found, expected);
    }
}

#[test]
fn integers_have_1_to_63_bits() {
    for bits in [0, 64, u32::MAX] {
        let found = error(|g| g.tensors[3].kind = TensorKind::Integer { bits });
        assert_eq!(found, GraphError::IntegerWidth { tensor: 3, bits });
    }
}

#[test]
fn weights_have_elements_and_not_too_many() {
    for (k, n) in [(0, 4), (3, 0), (1 << 20, 1 << 20), (usize::MAX, 2)] {
        let found = error(|g| {
            g.weights[0].k = k;
            g.weights[0].n = n;
        });
        assert_eq!(found, GraphError::WeightSize { weights: 0, k, n });
    }
}

#[test]
fn alphabets_are_canonical() {
    let digits = |values: &[i32], per_byte| Alphabet::Digits { values: values.to_vec(), per_byte };
    for alphabet in [
        digits(&[1], 8),
        digits(&[], 8),
        digits(&(0..17).collect::<Vec<_>>(), 1),
        digits(&[1, 1], 8),
        digits(&[1, 0], 8),
        digits(&[0, 1], 7),
        digits(&[0, 256], 8),
        digits(&[i32::MIN, 0], 8),
        Alphabet::Byte { offsets: vec![] },
        Alphabet::Byte { offsets: vec![0, 0, 0] },
        Alphabet::Byte { offsets: vec![-256] },
    ] {
        let found = error(|g| g.weights[1].alphabet = alphabet.clone());
        assert_eq!(found, GraphError::Alphabet { weights: 1 });
    }
}

#[test]
fn biases_have_at_most_62_bits() {
    let found = error(|g| g.weights[1].bias_bits = 63);
    let expected = GraphError::BiasWidth { weights: 1, bits: 63 };
    assert_eq!(found, expected);
}

#[test]
fn tensors_and_weights_exist() {
    let expected = GraphError::NoSuchTensor { tensor: 9 };
    assert_eq!(error(|g| g.input.tensor = 9), expected);
    assert_eq!(error(|g| g.output.tensor = 9), expected);
    assert_eq!(error(|g| g.nodes[3].op = Op::Relu { x: 3, y: 9 }), expected);
    assert_eq!(error(|g| g.nodes[3].op = Op::Relu { x: 9, y: 4 }), expected);
    let found = error(|g| {
        if let Op::MatMul { weights, .. } = &mut g.nodes[0].op {
            *weights = 7;
        }
    });
    let expected = GraphError::NoSuchWeights { node: 0, weights: 7 };
    assert_eq!(found, expected);
}

#[test]
fn tensors_are_written_once_before_they_are_read() {
    let found = error(|g| g.nodes.swap(0, 1));
    assert_eq!(found, GraphError::ReadBeforeWrite { tensor: 1 });
    let found = error(|g| g.nodes[3].op = Op::Relu { x: 3, y: 3 });
    assert_eq!(found, GraphError::WrittenTwice { tensor: 3 });
    let found = error(|g| {
        g.nodes.pop();
    });
    assert_eq!(found, GraphError::NeverWritten { tensor: 4 });
}

#[test]
fn weights_are_used_once() {
    let found = error(|g| g.weights.push(g.weights[0].clone()));
    let expected = GraphError::WeightUses { weights: 2, uses: 0 };
    assert_eq!(found, expected);
    let found = error(|g| {
        let again = g.nodes[2].clone();
        let extra = g.tensors[3];
        g.tensors.push(extra);
        g.nodes.push(again);
        if let Op::MatMul { y, .. } = &mut g.nodes[4].op {
            *y = 5;
        }
    });
    let expected = GraphError::WeightUses { weights: 1, uses: 2 };
    assert_eq!(found, expected);
}

#[test]
fn operands_agree() {
    let first = GraphError::NodeShape { node: 0 };
    assert_eq!(error(|g| g.weights[0].k = 5), first);
    assert_eq!(error(|g| g.tensors[1].features = 5), first);
    assert_eq!(error(|g| g.tensors[1].rows_per_sample = 1), first);
    let codes = error(|g| g.tensors[1].kind = TensorKind::Integer { bits: 40 });
    assert_eq!(codes, first);
    let table = error(|g| g.tensors[2].features = 5);
    assert_eq!(table, GraphError::NodeShape { node: 1 });
    let accumulators = error(|g| g.tensors[3].kind = TensorKind::Code);
    assert_eq!(accumulators, GraphError::NodeShape { node: 2 });
    let relu = error(|g| g.tensors[4].kind = TensorKind::Integer { bits: 21 });
    assert_eq!(relu, GraphError::NodeShape { node: 3 });
}

#[test]
fn integers_have_no_zero_code() {
    let found = error(|g| {
        g.nodes[3].op = Op::MatMul {
            x: 3,
            gather: None,
            zero_code: 1,
            weights: 0,
            groups: 1,
            y: 4,
            epilogue: Epilogue::Accumulator,
        };
    });
    let expected = GraphError::ZeroCode { node: 3, zero_code: 1 };
    assert_eq!(found, expected);
}

#[test]
fn there_is_one_step_or_one_for_each_column() {
    let expected = |got| GraphError::StepCount { node: 0, columns: 4, got };
    assert_eq!(error(|g| steps(g).clear()), expected(0));
    assert_eq!(error(|g| steps(g).truncate(3)), expected(3));
    let mut graph = graph();
    steps(&mut graph).truncate(1);
    assert_eq!(graph.validate(), Ok(()));
}

#[test]
fn steps_are_functions_into_their_type() {
    let changes: [fn(&mut Step); 10] = [
        |s| s.scale = 0.0,
        |s| s.scale = -1.0,
        |s| s.scale = f32::NAN,
        |s| s.scale = f32::INFINITY,
        |s| s.type_min = -127,
        |s| s.qmin = -129,
        |s| s.qmax = 128,
        |s| s.qmax = -21,
        |s| s.zero_point = 128,
        |s| s.zero_point = i32::MIN,
    ];
    for change in changes {
        let found = error(|g| change(&mut steps(g)[2]));
        assert_eq!(found, GraphError::Step { node: 0, step: 2 });
    }
}

#[test]
fn accumulators_are_bounded() {
    let found = error(|g| {
        g.tensors[2].kind = TensorKind::Integer { bits: 61 };
        if let Op::MatMul { zero_code, epilogue, .. } = &mut g.nodes[2].op {
            *zero_code = 0;
            *epilogue = Epilogue::Edges(vec![Edges { first: 0, edges: [1].into() }]);
        }
    });
    assert_eq!(found, GraphError::AccumulatorRange { node: 2, log_bound: 62 });
}

#[test]
fn ports_agree_with_their_tensors() {
    let input = GraphError::PortShape { tensor: 0 };
    assert_eq!(error(|g| g.input.shape = vec![5]), input);
    assert_eq!(error(|g| g.input.shape = vec![usize::MAX, 3]), input);
    let integers = error(|g| g.tensors[0].kind = TensorKind::Integer { bits: 9 });
    assert_eq!(integers, input);
    let output = GraphError::PortShape { tensor: 4 };
    assert_eq!(error(|g| g.output.shape = vec![5]), output);
    let codes = OutputTransform::Codes { dtype: CodeType::U8 };
    assert_eq!(error(|g| g.output.transform = codes), output);
    let wide = error(|g| {
        for tensor in &mut g.tensors[3..] {
            tensor.kind = TensorKind::Integer { bits: 33 };
        }
    });
    assert_eq!(wide, output);
}

#[test]
fn port_scales_are_positive_and_injective() {
    for (scale, zero_point) in [(0.0, 0), (f32::NAN, 0), (1.0, 256), (1.0, -1)] {
        let transform = InputTransform::Quantize { scale, zero_point, dtype: CodeType::U8 };
        let found = error(|g| g.input.transform = transform);
        assert_eq!(found, GraphError::PortScale { tensor: 0 });
    }
    for (low, high) in [(1.0, 1.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
        let found = error(|g| g.input.transform = InputTransform::Levels { low, high });
        assert_eq!(found, GraphError::PortScale { tensor: 0 });
    }
    for (bits, scale, offset, expected) in [
        (20, 0.0, 0.0, GraphError::PortScale { tensor: 4 }),
        (20, f32::NAN, 0.0, GraphError::PortScale { tensor: 4 }),
        (20, 1.0, f32::INFINITY, GraphError::PortScale { tensor: 4 }),
        // Floats of neighbours would be one.
        (20, 1e-3, 1e6, GraphError::PortScale { tensor: 4 }),
        (33, 1e-3, 1e6, GraphError::PortScale { tensor: 4 }),
        (20, f32::MAX, 0.0, GraphError::PortScale { tensor: 4 }),
    ] {
        let found = error(|g| {
            for tensor in &mut g.tensors[3..] {
                tensor.kind = TensorKind::Integer { bits };
            }
            let (scales, offsets) = (vec![scale], vec![offset]);
            g.output.transform = OutputTransform::Affine { scales, offsets };
        });
        assert_eq!(found, expected, "{bits} {scale} {offset}");
    }
    let columns = error(|g| {
        let (scales, offsets) = (vec![1.0; 3], vec![0.0; 2]);
        g.output.transform = OutputTransform::Affine { scales, offsets };
    });
    assert_eq!(columns, GraphError::PortShape { tensor: 4 });
    for (scale, zero_point) in [(-1.0, 0), (1.0, 128), (f32::MAX, 0)] {
        let transform = OutputTransform::Dequantize { scale, zero_point, dtype: CodeType::I8 };
        let found = error(|g| {
            g.output.tensor = 2;
            g.output.shape = vec![8];
            g.output.transform = transform;
        });
        assert_eq!(found, GraphError::PortScale { tensor: 2 });
    }
}

#[test]
fn matrices_are_what_the_graph_says() {
    let model = |change: fn(&mut Vec<WeightMatrix>)| {
        let mut weights = vec![
            WeightMatrix { index: vec![1; 12], bias: vec![-2048, 0, 1, 2047] },
            WeightMatrix { index: vec![1; 4], bias: vec![] },
        ];
        change(&mut weights);
        let graph = graph();
        Model { graph, weights }.validate()
    };
    assert_eq!(model(|_| {}), Ok(()));
    let count = GraphError::MatrixCount { expected: 2, got: 1 };
    assert_eq!(model(|w| w.truncate(1)), Err(count));
    let first = Err(GraphError::Matrix { weights: 0 });
    assert_eq!(model(|w| w[0].index.truncate(11)), first);
    assert_eq!(model(|w| w[0].bias.truncate(3)), first);
    assert_eq!(model(|w| w[0].bias[0] = -2049), first);
    let second = Err(GraphError::Matrix { weights: 1 });
    assert_eq!(model(|w| w[1].bias.push(0)), second);
    let broken = Model { graph: Graph { nodes: vec![], ..graph() }, weights: vec![] };
    assert_eq!(broken.validate(), Err(GraphError::NeverWritten { tensor: 1 }));
}
