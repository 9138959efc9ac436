//! Numbers of which the runtime's kernels make integers of 32 bits before they saturate.

use super::*;

/// The error of `file` where input `index` of operator `of`, a scale, is `scale`; `None` if it is read.
fn with_scale(file: &[u8], of: &str, index: usize, scale: f32) -> Option<NodeError> {
    let mut model = parse(file);
    let tensor = constant(graph(&mut model), of, index);
    set_floats(tensor, &[scale]);
    // In a list of one it would be that of floats.
    tensor.dims.clear();
    match Model::from_onnx(&model.encode_to_vec()).err()? {
        ImportError::Node { error, .. } => Some(error),
        other => panic!("not a node's error: {other}"),
    }
}

#[test]
fn sums_and_products_beyond_32_bits() {
    for (file, operator, index) in [
        (fixture!("qlinear_add"), "QLinearAdd", 6),
        (fixture!("qlinear_add_constant"), "QLinearAdd", 6),
        (fixture!("qlinear_mul"), "QLinearMul", 6),
        (fixture!("qlinear_mul_constant"), "QLinearMul", 6),
        (fixture!("qlinear_mul_int8"), "QLinearMul", 6),
        // Of these a session makes the same kernels.
        (fixture!("qdq_add"), "QuantizeLinear", 1),
        (fixture!("qdq_mul"), "QuantizeLinear", 1),
        (fixture!("qdq_mul_constant"), "QuantizeLinear", 1),
        (fixture!("average_pool"), "QLinearAveragePool", 3),
        (fixture!("qdq_average_pool"), "QuantizeLinear", 1),
    ] {
        assert_eq!(with_scale(file, operator, index, 1e-3), None, "{operator}");
        for scale in [1e-12, 1e-20] {
            let refused = with_scale(file, operator, index, scale);
            assert!(
                matches!(refused, Some(NodeError::IntegerRange { value }) if value.is_nan() || value >= 2.147e9),
                "{operator} {scale}: {refused:?}"
            );
        }
    }
}

#[test]
fn kernels_that_saturate_first() {
    for (file, operator, index) in [
        (fixture!("qlinear_leaky_relu"), "QLinearLeakyRelu", 3),
        (fixture!("qlinear_sigmoid"), "QLinearSigmoid", 3),
        (fixture!("qlinear_concat"), "QLinearConcat", 0),
        (fixture!("qlinear_conv"), "QLinearConv", 6),
        (fixture!("qdq_silu"), "QuantizeLinear", 1),
    ] {
        assert_eq!(with_scale(file, operator, index, 1e-20), None, "{operator}");
    }
}

#[test]
fn averages_of_a_scale_that_the_runtime_does_not_take() {
    for (file, operator, index) in [
        (fixture!("global_average_pool"), "QLinearGlobalAveragePool", 3),
        (fixture!("qdq_global_average_pool"), "QuantizeLinear", 1),
    ] {
        assert_eq!(with_scale(file, operator, index, 1e-3), None, "{operator}");
        for scale in [1e-9, 1e12] {
            let refused = with_scale(file, operator, index, scale);
            assert!(
                matches!(refused, Some(NodeError::AccumulatorScale { column: 0, .. })),
                "{operator} {scale}: {refused:?}"
            );
        }
    }
}
