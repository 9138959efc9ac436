//! The operators that are imported, one file each.

mod abs;
mod average_pool;
mod clip;
mod concat;
mod constant;
mod conv;
mod conv_integer;
mod dequantize_linear;
mod erf;
mod expand;
mod flatten;
mod gather;
mod gelu;
mod gelu_contrib;
mod gemm;
mod global_average_pool;
mod hard_sigmoid;
mod hard_swish;
mod identity;
mod leaky_relu;
mod matmul;
mod matmul_integer;
mod max_pool;
mod neg;
mod pad;
mod qgemm;
mod qlinear_add;
mod qlinear_average_pool;
mod qlinear_concat;
mod qlinear_conv;
mod qlinear_global_average_pool;
mod qlinear_leaky_relu;
mod qlinear_matmul;
mod qlinear_mul;
mod qlinear_sigmoid;
mod quantize_linear;
mod reduce_mean;
mod relu;
mod reshape;
mod sigmoid;
mod slice;
mod split;
mod squeeze;
mod tanh;
mod transpose;
mod unsqueeze;

use super::node::Operator;

pub(super) use dequantize_linear::as_dequantized;

/// All operators.
pub(super) const REGISTRY: &[Operator] = &[
    abs::OPERATOR,
    average_pool::OPERATOR,
    clip::OPERATOR,
    concat::OPERATOR,
    constant::OPERATOR,
    conv::OPERATOR,
    conv_integer::OPERATOR,
    dequantize_linear::OPERATOR,
    erf::OPERATOR,
    expand::OPERATOR,
    flatten::OPERATOR,
    gather::OPERATOR,
    gelu::OPERATOR,
    gelu_contrib::OPERATOR,
    gemm::OPERATOR,
    global_average_pool::OPERATOR,
    hard_sigmoid::OPERATOR,
    hard_swish::OPERATOR,
    identity::OPERATOR,
    leaky_relu::OPERATOR,
    matmul::OPERATOR,
    matmul_integer::OPERATOR,
    max_pool::OPERATOR,
    neg::OPERATOR,
    pad::OPERATOR,
    qgemm::OPERATOR,
    qlinear_add::OPERATOR,
    qlinear_average_pool::OPERATOR,
    qlinear_concat::OPERATOR,
    qlinear_conv::OPERATOR,
    qlinear_global_average_pool::OPERATOR,
    qlinear_leaky_relu::OPERATOR,
    qlinear_matmul::OPERATOR,
    qlinear_mul::OPERATOR,
    qlinear_sigmoid::OPERATOR,
    quantize_linear::OPERATOR,
    reduce_mean::OPERATOR,
    relu::OPERATOR,
    reshape::OPERATOR,
    sigmoid::OPERATOR,
    slice::OPERATOR,
    split::OPERATOR,
    squeeze::OPERATOR,
    tanh::OPERATOR,
    transpose::OPERATOR,
    unsqueeze::OPERATOR,
];
