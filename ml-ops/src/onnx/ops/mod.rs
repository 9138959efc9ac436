//! The operators that are imported, one file each.

mod clip;
mod constant;
mod dequantize_linear;
mod flatten;
mod gemm;
mod identity;
mod matmul;
mod matmul_integer;
mod qgemm;
mod qlinear_matmul;
mod quantize_linear;
mod relu;
mod reshape;

use super::node::Operator;

pub(super) use dequantize_linear::as_dequantized;

/// All operators.
pub(super) const REGISTRY: [Operator; 13] = [
    clip::OPERATOR,
    constant::OPERATOR,
    dequantize_linear::OPERATOR,
    flatten::OPERATOR,
    gemm::OPERATOR,
    identity::OPERATOR,
    matmul::OPERATOR,
    matmul_integer::OPERATOR,
    qgemm::OPERATOR,
    qlinear_matmul::OPERATOR,
    quantize_linear::OPERATOR,
    relu::OPERATOR,
    reshape::OPERATOR,
];
