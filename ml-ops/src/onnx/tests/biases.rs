//! Biases whose numbers or shapes are none of the integers' that stand for them.

use super::*;

const ADDED: &[u8] = fixture!("transformer/half_int16");
const FINE: &[u8] = fixture!("networks/left_squeeze_relu");
const GEMM: &[u8] = fixture!("networks/bias_behind_flatten");
const LEFT: &[u8] = fixture!("networks/left_gemm_behind_tanh");

/// Replaces a constant by floats of a shape.
fn set_shaped(tensor: &mut TensorProto, dims: &[i64], values: &[f32]) {
    set_floats(tensor, values);
    tensor.dims = dims.to_vec();
}

/// The error of `file` with a bias of `n` times `value` at node `of`.
fn with_bias(file: &[u8], of: &str, n: usize, value: f32) -> NodeError {
    node_error(file, |g| set_floats(constant(g, of, 2), &vec![value; n]))
}

#[test]
fn biases_of_floats_beyond_32_bits() {
    // What the runtime's conversion to int32 makes of them depends on the machine.
    for (file, of, n) in [
        (fixture!("networks/weights_and_bias_in_floats"), "Conv", 6),
        (fixture!("networks/float_weights_gemm"), "Gemm", 5),
    ] {
        for value in [1e30, -1e30, f32::INFINITY, f32::NAN] {
            let refused = with_bias(file, of, n, value);
            let is_range = matches!(refused, NodeError::AccumulatorRange { .. });
            assert!(is_range, "{of} {value}: {refused}");
        }
    }
}

#[test]
fn biases_beside_weights_of_24_bits() {
    for value in [1e30, -1e30] {
        let refused = with_bias(FINE, "Conv", 8, value);
        assert!(matches!(refused, NodeError::AccumulatorRange { .. }), "{value}: {refused}");
    }
    let infinite = with_bias(FINE, "Conv", 8, f32::INFINITY);
    assert_eq!(infinite, NodeError::NotOnGrid { index: 2, value: f32::INFINITY });
}

#[test]
fn constants_added_to_products_of_a_sum() {
    let refused = |value: f32| {
        node_error(ADDED, |g| {
            let at = g.node.iter().position(|n| n.op_type.as_deref() == Some("Add")).unwrap();
            let names = g.node[at].input.clone();
            let mut constants = g.initializer.iter_mut();
            let bias = constants.find(|t| t.name.as_ref().is_some_and(|name| names.contains(name)));
            let bias = bias.expect("a constant that is added");
            let n = bias.dims.iter().product::<i64>() as usize;
            set_floats(bias, &vec![value; n]);
        })
    };
    for value in [1e12, -1e30] {
        let found = refused(value);
        let is_range = matches!(found, NodeError::AccumulatorRange { .. } | NodeError::NoTables);
        assert!(is_range, "{value}: {found}");
    }
}

#[test]
fn biases_with_rows_of_their_own() {
    let shape = |expected, got| NodeError::OperandShape { index: 2, expected, got };
    for (dims, error) in [
        (&[6, 1][..], Some(shape(1, 6))),
        (&[2, 3], Some(shape(1, 2))),
        (&[1, 2, 3], Some(shape(6, 3))),
        (&[1, 6], None),
    ] {
        let mut model = parse(GEMM);
        set_shaped(constant(graph(&mut model), "Gemm", 2), dims, &[0.5; 6]);
        let found = Model::from_onnx(&model.encode_to_vec()).err().map(|error| match error {
            ImportError::Node { error, .. } => error,
            other => panic!("not a node's error: {other}"),
        });
        assert_eq!(found, error, "{dims:?}");
    }
    let unquantized = node_error(LEFT, |g| set_shaped(constant(g, "Gemm", 2), &[7, 1], &[0.5; 7]));
    assert_eq!(unquantized, shape(1, 7));
    let scaled = node_error(fixture!("networks/gemm_alpha_bias_of_floats"), |g| {
        set_shaped(constant(g, "Gemm", 2), &[7, 1], &[0.5; 7]);
    });
    assert_eq!(scaled, shape(1, 7));
    let integers = node_error(QGEMM, |g| {
        set_integers(constant(g, "QGemm", 6), data_type::INT32, &[7, 1], &[1; 7]);
    });
    assert_eq!(integers, NodeError::OperandShape { index: 6, expected: 1, got: 7 });
    let dequantized = node_error(QDQ, |g| {
        // The third DequantizeLinear is the bias's.
        let name = g.node[2].input[0].clone();
        let mut constants = g.initializer.iter_mut();
        let bias = constants.find(|t| t.name.as_ref() == Some(&name)).expect("a bias");
        bias.dims = vec![6, 1];
    });
    assert_eq!(dequantized, shape(1, 6));
}

#[test]
fn biases_of_convolutions_are_lists() {
    let of = |dims: &[i64]| {
        node_error(fixture!("networks/bias_behind_pool"), |g| {
            set_shaped(
                constant(g, "Conv", 2),
                dims,
                &vec![0.5; dims.iter().product::<i64>() as usize],
            );
        })
    };
    let shape = |index, got| NodeError::OperandShape { index, expected: 6, got };
    assert_eq!(of(&[1]), shape(2, 1));
    assert_eq!(of(&[1, 6]), shape(2, 1));
    let integers = node_error(fixture!("qlinear_conv"), |g| {
        let bias = constant(g, "QLinearConv", 8);
        bias.dims = vec![1, bias.dims[0]];
    });
    assert!(matches!(integers, NodeError::OperandShape { index: 8, got: 1, .. }), "{integers}");
}

#[test]
fn a_bias_may_be_one_number_for_all_columns() {
    let model = |dims: &[i64], values: &[i32]| {
        let mut model = parse(QGEMM);
        let bias = constant(graph(&mut model), "QGemm", 6);
        set_integers(bias, data_type::INT32, dims, values);
        Model::from_onnx(&model.encode_to_vec()).expect("a model")
    };
    let all = model(&[7], &[345; 7]);
    for dims in [&[][..], &[1], &[1, 1]] {
        assert!(model(dims, &[345]) == all, "{dims:?}");
    }
    assert!(model(&[7], &[344; 7]) != all);
}
