//! The operators that are imported, one file each.

mod abs;
mod add;
mod argmax;
mod argmin;
mod average_pool;
mod cast;
mod clip;
mod concat;
mod constant;
mod conv;
mod conv_integer;
mod dequantize_linear;
mod div;
mod erf;
mod expand;
mod flatten;
mod gather;
mod gelu;
mod gelu_contrib;
mod gemm;
mod global_average_pool;
mod global_max_pool;
mod greater;
mod greater_or_equal;
mod hard_sigmoid;
mod hard_swish;
mod identity;
mod layer_normalization;
mod leaky_relu;
mod less;
mod less_or_equal;
mod matmul;
mod matmul_integer;
mod max_pool;
mod mul;
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
mod qlinear_softmax;
mod quantize_linear;
mod reduce_max;
mod reduce_mean;
mod relu;
mod reshape;
mod rms_normalization;
mod shape;
mod sigmoid;
mod sign;
mod simplified_layer_normalization;
mod slice;
mod softmax;
mod split;
mod squeeze;
mod sub;
mod tanh;
mod topk;
mod transpose;
mod unsqueeze;
mod where_op;

use super::node::Operator;

pub(super) use dequantize_linear::as_dequantized;

/// All operators.
pub(super) const REGISTRY: &[Operator] = &[
    abs::OPERATOR,
    add::OPERATOR,
    argmax::OPERATOR,
    argmin::OPERATOR,
    average_pool::OPERATOR,
    cast::OPERATOR,
    clip::OPERATOR,
    concat::OPERATOR,
    constant::OPERATOR,
    conv::OPERATOR,
    conv_integer::OPERATOR,
    dequantize_linear::OPERATOR,
    div::OPERATOR,
    erf::OPERATOR,
    expand::OPERATOR,
    flatten::OPERATOR,
    gather::OPERATOR,
    gelu::OPERATOR,
    gelu_contrib::OPERATOR,
    gemm::OPERATOR,
    global_average_pool::OPERATOR,
    global_max_pool::OPERATOR,
    greater::OPERATOR,
    greater_or_equal::OPERATOR,
    hard_sigmoid::OPERATOR,
    hard_swish::OPERATOR,
    identity::OPERATOR,
    layer_normalization::OPERATOR,
    leaky_relu::OPERATOR,
    less::OPERATOR,
    less_or_equal::OPERATOR,
    matmul::OPERATOR,
    matmul_integer::OPERATOR,
    max_pool::OPERATOR,
    mul::OPERATOR,
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
    qlinear_softmax::OPERATOR,
    quantize_linear::OPERATOR,
    reduce_max::OPERATOR,
    reduce_mean::OPERATOR,
    relu::OPERATOR,
    reshape::OPERATOR,
    rms_normalization::OPERATOR,
    shape::OPERATOR,
    sigmoid::OPERATOR,
    sign::OPERATOR,
    simplified_layer_normalization::OPERATOR,
    slice::OPERATOR,
    softmax::OPERATOR,
    split::OPERATOR,
    squeeze::OPERATOR,
    sub::OPERATOR,
    tanh::OPERATOR,
    topk::OPERATOR,
    transpose::OPERATOR,
    unsqueeze::OPERATOR,
    where_op::OPERATOR,
    Operator { domain: "com.microsoft", ..dequantize_linear::OPERATOR },
    Operator { domain: "com.microsoft", ..quantize_linear::OPERATOR },
];
