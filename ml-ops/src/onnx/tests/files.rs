//! Files that are refused before or after their nodes, and bytes of any kind.

use super::*;
use crate::graph::GraphError;
use crate::onnx::proto::{OperatorSetIdProto, TensorShapeProto};
use proptest::prelude::*;

#[test]
fn bytes_that_are_no_message() {
    let error = Model::from_onnx(&[0xff; 9]).expect_err("no message");
    assert!(matches!(error, ImportError::Protobuf(_)));
}

#[test]
fn files_without_a_graph() {
    assert_eq!(Model::from_onnx(&[]), Err(ImportError::NoGraph));
}

#[test]
fn operator_sets_that_are_unknown() {
    let opset = |domain: &str, version, first, last| ImportError::Opset {
        domain: domain.to_owned(),
        version,
        first,
        last,
    };
    let old = error(SHAPES, |m| m.opset_import[0].version = Some(8));
    assert_eq!(old, opset("", Some(8), 9, 28));
    let missing = error(QGEMM, |m| {
        m.opset_import.truncate(1);
        m.opset_import
            .push(OperatorSetIdProto { domain: Some("other".to_owned()), version: Some(1) });
    });
    assert_eq!(missing, opset("com.microsoft", None, 1, 1));
}

#[test]
fn sparse_initializers() {
    let found = graph_error(QGEMM, |g| g.sparse_initializer.push(vec![]));
    assert_eq!(found, ImportError::SparseInitializers { count: 1 });
}

#[test]
fn initializers_that_are_malformed() {
    let initializer = |change: fn(&mut TensorProto)| {
        let found = graph_error(QGEMM, |g| change(constant(g, "QGemm", 3)));
        match found {
            ImportError::Initializer { error, .. } => error,
            other => panic!("not an initializer's error: {other}"),
        }
    };
    assert_eq!(initializer(|t| t.data_type = Some(11)), TensorError::ElementType { got: 11 });
    assert_eq!(initializer(|t| t.dims[1] = -1), TensorError::Dimension { axis: 1, value: -1 });
    assert_eq!(
        initializer(|t| t.dims = vec![i64::MAX, 4]),
        TensorError::Dimension { axis: 1, value: 4 }
    );
    assert_eq!(
        initializer(|t| t.dims = vec![5, 5]),
        TensorError::Length { expected: 25, got: 168 }
    );
    assert_eq!(
        initializer(|t| {
            t.data_type = Some(data_type::INT64);
            t.raw_data = Some(vec![0; 9]);
        }),
        TensorError::Length { expected: 168, got: 2 }
    );
    assert_eq!(
        initializer(|t| set_integers(t, data_type::INT8, &[2], &[0, 128])),
        TensorError::Value { index: 1, value: 128 }
    );
    assert_eq!(initializer(|t| t.data_location = Some(1)), TensorError::External);
}

#[test]
fn no_inputs_or_outputs() {
    let ports = |inputs, outputs| ImportError::Ports { inputs, outputs };
    assert_eq!(graph_error(QGEMM, |g| g.input.clear()), ports(0, 1));
    assert_eq!(graph_error(QGEMM, |g| g.output.clear()), ports(1, 0));
}

/// What a file of three samples does for one alone is nothing that the runtime does for three.
#[test]
fn a_number_of_samples_is_not_taken_for_one() {
    const ONE: &[u8] = include_bytes!("../../../tests/fixtures/batches/one_by_reshape.onnx");
    let found = node_error(ONE, |g| {
        let tensor = g.input[0].r#type.as_mut().and_then(|t| t.tensor_type.as_mut());
        let shape = tensor.and_then(|t| t.shape.as_mut()).expect("a shape");
        shape.dim[0].dim_value = Some(3);
    });
    assert_eq!(found, NodeError::Reshape { axis: 0, value: 1 });
}

#[test]
fn input_types_and_shapes() {
    let input = |change: fn(&mut TensorShapeProto)| {
        graph_error(QGEMM, |g| {
            let input = g.input[0].r#type.as_mut().expect("a type");
            let tensor = input.tensor_type.as_mut().expect("a tensor");
            change(tensor.shape.as_mut().expect("a shape"));
        })
    };
    let shape = |axis, value| ImportError::InputShape { input: 0, axis, value };
    assert_eq!(input(|s| s.dim[0].dim_value = Some(0)), shape(0, Some(0)));
    assert_eq!(input(|s| s.dim[0].dim_value = Some(-8)), shape(0, Some(-8)));
    let open = input(|s| {
        (s.dim[1].dim_value, s.dim[1].dim_param) = (None, Some("width".to_owned()));
    });
    let name = "width".to_owned();
    assert_eq!(open, ImportError::OpenDimension { input: 0, axis: 1, name });
    assert!(open.to_string().contains("make_dynamic_shape_fixed --dim_param \"width\""), "{open}");
    assert_eq!(input(|s| s.dim[1].dim_value = Some(0)), shape(1, Some(0)));
    let many = 1 << 29;
    assert_eq!(input(|s| s.dim[1].dim_value = Some(1 << 29)), shape(1, Some(many)));
    assert_eq!(input(|s| s.dim.clear()), shape(0, None));
    let wide = graph_error(QGEMM, |g| {
        let input = g.input[0].r#type.as_mut().expect("a type");
        input.tensor_type.as_mut().expect("a tensor").elem_type = Some(11);
    });
    assert_eq!(wide, ImportError::InputType { input: 0, got: 11 });
}

#[test]
fn outputs_that_are_floats_or_missing() {
    let output = |name: &str| ImportError::Output { name: name.to_owned(), node: None };
    // The result of a Relu behind a Gemm, the graph's float input, and no value at all.
    let relu = graph_error(fixture!("qdq_gemm_relu"), |g| {
        g.output[0].name = node(g, "Relu").output.first().cloned();
    });
    let ImportError::Output { node: Some((_, operator)), .. } = &relu else { panic!("{relu}") };
    assert!(operator == "Relu" && relu.to_string().contains("(Relu)"), "{relu}");
    let input = graph_error(SHAPES, |g| g.output[0].name = Some("x".to_owned()));
    assert_eq!(input, output("x"));
    let none = graph_error(QDQ, |g| g.output[0].name = Some("none".to_owned()));
    assert_eq!(none, output("none"));
    // Floats that a Clip moves off the grid of codes.
    let clipped = graph_error(fixture!("dq_clip_q"), |g| {
        g.output[0].name = node(g, "Clip").output.first().cloned();
    });
    assert!(matches!(clipped, ImportError::Output { .. }));
}

#[test]
fn graphs_that_are_invalid() {
    let found = graph_error(SHAPES, |g| {
        let last = g.node.len() - 2;
        let name = g.node[last].input[1].clone();
        let tensor = g.initializer.iter_mut().find(|t| t.name == Some(name.clone()));
        set_floats(tensor.expect("the output's scale"), &[f32::MAX]);
    });
    assert_eq!(found, ImportError::Graph(GraphError::PortScale { tensor: 1 }));
}

const MUTATED: [&[u8]; 24] = [
    QGEMM,
    QLINEAR,
    QDQ,
    SHAPES,
    CLIP,
    REQUANTIZED,
    fixture!("qlinear_conv"),
    fixture!("qonnx/annotated"),
    fixture!("qonnx/truncated_v2"),
    fixture!("qdq_conv_pool"),
    fixture!("max_pool_ceil"),
    fixture!("average_pool_padded"),
    fixture!("qdq_concat"),
    fixture!("moved"),
    fixture!("thresholds"),
    fixture!("four_bits"),
    fixture!("argmax_last"),
    fixture!("qdq_argmax_softmax"),
    fixture!("blocked_weights"),
    fixture!("weights_int16"),
    fixture!("qlinear_matmul_heads"),
    super::functions::FUNCTIONS,
    super::rows::SOFTMAX,
    super::rows::MIXED,
];

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Model::from_onnx(&bytes).is_err());
    }

    #[test]
    fn mutated_files_do_not_panic(
        which in 0..MUTATED.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = MUTATED[which].to_vec();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(model) = Model::from_onnx(&bytes) {
            prop_assert_eq!(model.validate(), Ok(()));
        }
    }
}
