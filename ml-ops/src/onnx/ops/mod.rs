//! The operators that are imported, one file each.

mod average_pool;
mod clip;
mod constant;
mod conv;
mod conv_integer;
mod dequantize_linear;
mod flatten;
mod gemm;
mod global_average_pool;
mod identity;
mod matmul;
mod matmul_integer;
mod max_pool;
mod qgemm;
mod qlinear_add;
mod qlinear_average_pool;
mod qlinear_conv;
mod qlinear_global_average_pool;
mod qlinear_matmul;
mod qlinear_mul;
mod quantize_linear;
mod reduce_mean;
mod relu;
mod reshape;
mod transpose;

use super::node::Operator;

pub(super) use dequantize_linear::as_dequantized;

/// All operators.
pub(super) const REGISTRY: &[Operator] = &[
    average_pool::OPERATOR,
    clip::OPERATOR,
    constant::OPERATOR,
    conv::OPERATOR,
    conv_integer::OPERATOR,
    dequantize_linear::OPERATOR,
    flatten::OPERATOR,
    gemm::OPERATOR,
    global_average_pool::OPERATOR,
    identity::OPERATOR,
    matmul::OPERATOR,
    matmul_integer::OPERATOR,
    max_pool::OPERATOR,
    qgemm::OPERATOR,
    qlinear_add::OPERATOR,
    qlinear_average_pool::OPERATOR,
    qlinear_conv::OPERATOR,
    qlinear_global_average_pool::OPERATOR,
    qlinear_matmul::OPERATOR,
    qlinear_mul::OPERATOR,
    quantize_linear::OPERATOR,
    reduce_mean::OPERATOR,
    relu::OPERATOR,
    reshape::OPERATOR,
    transpose::OPERATOR,
];
