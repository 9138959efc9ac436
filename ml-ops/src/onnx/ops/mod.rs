//! The operators that are imported, one file each.

mod abs;
mod add;
mod and;
mod argmax;
mod argmin;
mod average_pool;
mod batch_normalization;
mod cast;
mod ceil;
mod celu;
mod clip;
mod concat;
mod constant;
mod constant_of_shape;
mod conv;
mod conv_integer;
mod conv_transpose;
mod cumsum;
mod depth_to_space;
mod dequantize_linear;
mod div;
mod dropout;
mod einsum;
mod elu;
mod equal;
mod erf;
mod exp;
mod expand;
mod flatten;
mod floor;
mod gather;
mod gelu;
mod gelu_contrib;
mod gemm;
mod global_average_pool;
mod global_max_pool;
mod greater;
mod greater_or_equal;
mod group_norm;
mod group_normalization;
mod hard_sigmoid;
mod hard_swish;
mod identity;
mod instance_normalization;
mod layer_normalization;
mod leaky_relu;
mod less;
mod less_or_equal;
mod log;
mod lrn;
mod matmul;
mod matmul_integer;
mod matmul_integer_to_float;
mod max;
mod max_pool;
mod min;
mod mish;
mod modulo;
mod mul;
mod neg;
mod nhwc_max_pool;
mod not;
mod pad;
mod pow;
mod prelu;
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
mod reciprocal;
mod reduce_max;
mod reduce_mean;
mod reduce_min;
mod reduce_sum;
mod relu;
mod reshape;
mod resize;
mod rms_normalization;
mod rotary_embedding;
mod rotary_embedding_contrib;
mod round;
mod selu;
mod shape;
mod sigmoid;
mod sign;
mod simplified_layer_normalization;
mod slice;
mod softmax;
mod softplus;
mod softsign;
mod space_to_depth;
mod split;
mod sqrt;
mod squeeze;
mod sub;
mod sum;
mod swish;
mod tanh;
mod thresholded_relu;
mod tile;
mod topk;
mod transpose;
mod unsqueeze;
mod where_op;
mod xor;

use super::node::Operator;

pub(super) use dequantize_linear::as_dequantized;

/// All operators.
pub(super) const REGISTRY: &[Operator] = &[
    abs::OPERATOR,
    add::OPERATOR,
    and::OPERATOR,
    argmax::OPERATOR,
    argmin::OPERATOR,
    average_pool::OPERATOR,
    batch_normalization::OPERATOR,
    cast::OPERATOR,
    ceil::OPERATOR,
    celu::OPERATOR,
    clip::OPERATOR,
    concat::OPERATOR,
    constant::OPERATOR,
    constant_of_shape::OPERATOR,
    conv::OPERATOR,
    conv_integer::OPERATOR,
    conv_transpose::OPERATOR,
    cumsum::OPERATOR,
    depth_to_space::OPERATOR,
    dequantize_linear::OPERATOR,
    div::OPERATOR,
    dropout::OPERATOR,
    einsum::OPERATOR,
    elu::OPERATOR,
    equal::OPERATOR,
    erf::OPERATOR,
    exp::OPERATOR,
    expand::OPERATOR,
    flatten::OPERATOR,
    floor::OPERATOR,
    gather::OPERATOR,
    gelu::OPERATOR,
    gelu_contrib::OPERATOR,
    gemm::OPERATOR,
    global_average_pool::OPERATOR,
    global_max_pool::OPERATOR,
    greater::OPERATOR,
    greater_or_equal::OPERATOR,
    group_norm::OPERATOR,
    group_normalization::OPERATOR,
    hard_sigmoid::OPERATOR,
    hard_swish::OPERATOR,
    identity::OPERATOR,
    instance_normalization::OPERATOR,
    layer_normalization::OPERATOR,
    leaky_relu::OPERATOR,
    less::OPERATOR,
    less_or_equal::OPERATOR,
    log::OPERATOR,
    lrn::OPERATOR,
    matmul::OPERATOR,
    matmul_integer::OPERATOR,
    matmul_integer_to_float::OPERATOR,
    max::OPERATOR,
    max_pool::OPERATOR,
    min::OPERATOR,
    mish::OPERATOR,
    modulo::OPERATOR,
    mul::OPERATOR,
    neg::OPERATOR,
    nhwc_max_pool::OPERATOR,
    not::OPERATOR,
    pad::OPERATOR,
    pow::OPERATOR,
    prelu::OPERATOR,
    qgemm::OPERATOR,
    qlinear_add::OPERATOR,
    qlinear_average_pool::OPERATOR,
    qlinear_concat::OPERATOR,
    qlinear_conv::OPERATOR,
    qlinear_conv::WITH_CHANNELS_LAST,
    qlinear_global_average_pool::OPERATOR,
    qlinear_leaky_relu::OPERATOR,
    qlinear_matmul::OPERATOR,
    qlinear_mul::OPERATOR,
    qlinear_sigmoid::OPERATOR,
    qlinear_softmax::OPERATOR,
    quantize_linear::OPERATOR,
    reciprocal::OPERATOR,
    reduce_max::OPERATOR,
    reduce_mean::OPERATOR,
    reduce_min::OPERATOR,
    reduce_sum::OPERATOR,
    relu::OPERATOR,
    reshape::OPERATOR,
    resize::OPERATOR,
    rms_normalization::OPERATOR,
    rotary_embedding::OPERATOR,
    rotary_embedding_contrib::OPERATOR,
    round::OPERATOR,
    selu::OPERATOR,
    shape::OPERATOR,
    sigmoid::OPERATOR,
    sign::OPERATOR,
    simplified_layer_normalization::OPERATOR,
    slice::OPERATOR,
    softmax::OPERATOR,
    softplus::OPERATOR,
    softsign::OPERATOR,
    space_to_depth::OPERATOR,
    split::OPERATOR,
    sqrt::OPERATOR,
    squeeze::OPERATOR,
    sub::OPERATOR,
    sum::OPERATOR,
    swish::OPERATOR,
    tanh::OPERATOR,
    thresholded_relu::OPERATOR,
    tile::OPERATOR,
    topk::OPERATOR,
    transpose::OPERATOR,
    unsqueeze::OPERATOR,
    where_op::OPERATOR,
    xor::OPERATOR,
    Operator { domain: "com.microsoft", ..dequantize_linear::OPERATOR },
    Operator { domain: "com.microsoft", ..quantize_linear::OPERATOR },
];
