//! Products of two tensors that are refused.

use super::*;

const MATMUL: &[u8] = fixture!("matmul_integer_tensors");
const FLOATS: &[u8] = fixture!("qdq_matmul_tensors");
const QLINEAR: &[u8] = fixture!("qlinear_matmul_tensors");

#[test]
fn matrices_that_do_not_meet() {
    let shape = |index, expected, got| NodeError::OperandShape { index, expected, got };
    // 5 x 7 times 5 x 7.
    let straight = node_error(MATMUL, |g| {
        let b = node(g, "Transpose").input[0].clone();
        node(g, "MatMulInteger").input[1] = b;
    });
    assert_eq!(straight, shape(1, 7, 5));
    // Two matrices times four.
    let heads = node_error(MATMUL, |g| {
        node(g, "Transpose").input[0] = "x".to_owned();
    });
    assert_eq!(heads, shape(1, 2, 4));
    let floats = node_error(FLOATS, |g| {
        let a = node(g, "MatMul").input[0].clone();
        node(g, "MatMul").input[1] = a;
    });
    assert_eq!(floats, shape(1, 7, 5));
}

#[test]
fn scales_and_zero_points_of_tensors() {
    let zeros = node_error(MATMUL, |g| {
        set_integers(constant(g, "MatMulInteger", 3), data_type::INT8, &[], &[0]);
    });
    assert_eq!(zeros, NodeError::OperandType { index: 3 });
    let zeros = node_error(QLINEAR, |g| {
        set_integers(constant(g, "QLinearMatMul", 5), data_type::UINT8, &[2], &[1, 2]);
    });
    assert_eq!(zeros, NodeError::OperandShape { index: 5, expected: 1, got: 2 });
    let missing = node_error(QLINEAR, |g| node(g, "QLinearMatMul").input.truncate(7));
    assert_eq!(missing, NodeError::MissingInput { index: 7 });
}
