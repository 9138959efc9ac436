//! Import of quantized ONNX models.
//!
//! Integer semantics are those of ONNX Runtime on machines with AVX2, fused multiply-add and products of bytes that do not saturate
//! (VNNI; `docs/semantics.md` says what others do), bit for bit.
//!
//! # Matmuls and convolutions
//! QGemm, QLinearMatMul, QLinearConv, MatMulInteger, ConvInteger: exact int32 accumulators, then
//! [`RoundingProfile::OrtF32Rne`] with the scale `f32(f32(sx * sw) / sy)`. A Gemm, MatMul or Conv between
//! DequantizeLinear and QuantizeLinear means the fused operator, with Relu and Clip before the QuantizeLinear
//! folded into the output's range, and MaxPool taken of the codes, which grow with the floats. ONNX Runtime's
//! default session on x86-64 fuses them where input and output have one 8-bit type (MatMul where that is
//! uint8), also behind a Relu or Clip that the output's range implies. Where it does not, it computes the
//! pattern in float32, whose sums depend on their order; there the fused operator's integers stand.
//!
//! Floats of a matmul or convolution that are an output are accumulators times a scale, plus a bias of floats, each operation rounded to
//! float32: bit for bit what QGemm and MatMulIntegerToFloat give, which a default session makes of Gemm with a bias of integers or none,
//! and of MatMul. Where it computes float32 sums (Conv, a Gemm with a bias of floats), they are those up to the sums' rounding.
//!
//! A Gemm with `alpha` or `beta` other than 1 is a kernel of integers where it has no bias. A bias, of integers or floats, is added to the
//! floats of the accumulators, also before a QuantizeLinear.
//!
//! An int8 tensor that one DequantizeLinear reads for one node is uint8 in the default session, and here. What has tensors of
//! both types then is not fused: element-wise operators and averages are those of floats, for matmuls and convolutions the fused
//! operator's integers stand. A bias of floats of a Conv, ConvTranspose or Gemm between a DequantizeLinear and a QuantizeLinear, where the
//! session moves them to, becomes integers at `f32(sx * sw)`, as there, and so do float weights; sums, products and averages have their
//! kernels' integers in the same places alone. Weights may be floats behind a QuantizeLinear.
//!
//! ConvTranspose is one convolution for all places within a stride, whose outputs are spread out. Resize by linear interpolation is
//! sums of codes by weights of 255ths or fewer: between DequantizeLinear and QuantizeLinear rounded once, of codes cut off towards
//! zero, as integers are in the runtime. Its float32 sums can fall on the other side of a half, or of an integer where weights are
//! no multiples of a power of two.
//!
//! Weights are integers of 2 to 16 bits, less their zero points, with one scale or one for each output column; of 16 bits, those
//! from -255 to 255 with 256 values in a column. Scales in blocks are those of the parts of one scale a column, where they are
//! multiples of it, exactly; the integers are multiplied ([`NodeError::BlockScales`] if they are none). A constant of several
//! matrices, one for each index of the dimensions before rows, is a matmul in groups.
//!
//! Float weights are int8 numbers where the runtime's default session makes them so, and integers of 24 bits in three products
//! elsewhere (`docs/semantics.md`).
//!
//! # The float input
//! Operations with constants before the QuantizeLinear of the graph's float input are those of the float32 operators, and part of
//! the input's [`InputTransform`]: whoever holds the input does them. So are scales for each index of an axis, or each block.
//!
//! # Inputs of numbers
//! An input of int32 or int64 by which a Gather reads the rows of a table of 8-bit integers is rows of a one among zeros, times the
//! table. One of floats, or with a scale for each row, is quantized as the QuantizeLinear that follows would quantize its rows. One that is a mask, of zeros and ones or flags, is codes of two values: what Cast, Sub, Mul, Not, comparisons with a number
//! and Where by flags make of it is a function of them, and leaves elements out of a Softmax where it adds or puts a number as
//! small as nothing. Masks that meet, by And or one added after the other, leave out what either does. An input that nothing reads is none of the graph's. Positions that are counted from ids or a mask (CumSum of
//! those that are no padding, times whether they are, and a number) are computed of it, and are rows of a one among zeros too.
//!
//! # Several scales
//! A DequantizeLinear with a scale for each index of an axis, or for each block, makes floats for a QuantizeLinear, a step for each
//! index, or for the output, which then are integers at a scale for each element. A QuantizeLinear of a matmul's or convolution's
//! floats may have a scale and a zero point for each column, and a Conv of single channels reads such a tensor.
//!
//! # Functions of one tensor
//! What happens between DequantizeLinear and QuantizeLinear to the elements of one tensor, by operators of one
//! operand, with constants or with functions of the same tensor (`x * Sigmoid(x)`), is a table of 256 codes
//! filled by the float32 operators themselves. Relu, Clip, Neg, Abs, LeakyRelu, HardSigmoid, HardSwish and
//! arithmetic round each operation to float32. Exponentials and logarithms (Elu, Selu, Celu, Softplus, Mish, Exp, Log) are rounded
//! once, which can be a unit in the last place from the runtime's, of Softplus three. Sigmoid, Tanh and Erf (so Gelu) are the runtime's own
//! approximations with fused multiply-add, which are not the functions rounded: of 24,000 floats Sigmoid
//! differs in a third, Tanh in half. Add and Mul of two dequantized operands of the output's type are the
//! kernels QLinearAdd and QLinearMul. The one rewriting of ONNX Runtime that changes values, merging
//! QuantizeLinear - DequantizeLinear - QuantizeLinear of different scales, is refused.
//!
//! Such functions of a matmul's or convolution's floats that no QuantizeLinear comes before (`x * Sigmoid(x)` of a Conv) are steps of
//! the exact accumulators, one where the function rises or falls, two where it turns around once, filled by the same float32 operators.
//!
//! So are functions of sums, products, averages, interpolations and functions by index, and, of a Concat, of its parts. Products of functions of two
//! tensors are of integers of 16 or 24 bits. A matmul reads sums, averages and functions that no QuantizeLinear comes before as integers
//! (`docs/semantics.md`).
//!
//! # Functions by index
//! BatchNormalization, PRelu, and Add, Sub, Mul and Div with a constant of floats that is broadcast along some dimension: the
//! float32 operators themselves, a step of codes for each index of the others, of negated codes where the floats fall.
//!
//! # Sums of two tensors
//! QLinearAdd, and Add and Sub between DequantizeLinear and QuantizeLinear: a code is a step function of the sum of a table for
//! each operand. The tables hold small integers such that all 65,536 pairs have the code that the float32 kernel gives them, which
//! is checked at import ([`NodeError::NoTables`] if no tables do). Float operators that are not fused round each operand; where
//! that is no step of a sum, or of a product, the exact one is rounded once.
//!
//! # Products of two tensors
//! QLinearMul, and Mul of two dequantized tensors before a QuantizeLinear: a code is a step function of the integer
//! product of both, less their zero points, likewise checked.
//! QLinearMatMul, MatMulInteger and MatMul of two tensors: the products of matrices in each sample, all leading
//! dimensions being heads, broadcast if need be; scales and rounding are those of matmuls by weights.
//!
//! # Constants
//! Add, Sub and Mul of a dequantized tensor and a dequantized constant of one scale, or a constant of floats with a number for each
//! element, are those of two tensors, one of which is public codes: its own; numbers of its values, 256 at most, where plain floats
//! are added; and multiples of the smallest, where they are factors. A constant of one value is part of a function of one tensor.
//! Added zeros and large negative numbers, or a Where by a constant, before a Softmax take elements out of it. Lists of integers,
//! floats of constants, dequantized or not, what QuantizeLinear makes of them, and tables that are read by constants are folded.
//!
//! # Averages
//! QLinearGlobalAveragePool adds integers up and is exact. QLinearAveragePool, and ReduceMean and AveragePool between
//! DequantizeLinear and QuantizeLinear, of codes or a function of them, add float32 numbers up in an order of their own; the exact
//! sum, rounded once, stands for theirs. Where pads do not count, elements are multiplied such that all sums are of one number.
//! Codes can differ where an average lies within float32's rounding of a half: of averages over an even number of elements at one
//! scale, where it is a half exactly.
//!
//! Averages of a sum of dequantized tensors, products and functions by index, after a Relu or none, and sums of what a Relu leaves of
//! such a sum, are of one integer for each element, rounded once (`docs/semantics.md`). So are ReduceSum's.
//!
//! # The larger of two
//! Max and Min of tensors are of the codes that a QuantizeLinear makes of each, which grow with the floats.
//!
//! # Softmax and normalizations
//! Softmax (and QLinearSoftmax) of a sample of one row, as at the end of a classifier, has the runtime's codes, but for sums within
//! the rounding of floats of an edge. Softmax of several rows, along any axis (masked: the last), and LayerNormalization,
//! RMSNormalization and SimplifiedLayerNormalization along the last axis, between DequantizeLinear and QuantizeLinear, are several
//! nodes of integers of our own, as no two runtimes' float32 sums and exponentials agree; `docs/semantics.md` states them.
//! LayerNormalization may be written in its parts, as operator sets before 17 have it. So are InstanceNormalization and
//! GroupNormalization, also in parts, of groups of channels, with a SiLU or none. Parts between which the variance is quantized
//! are exact integers, each rounded once. On the
//! fixtures codes differ from those of ONNX Runtime's floats by 1 at most, in one of seven places or fewer. The steps are filled by
//! `f64` additions, multiplications and divisions alone, so that every machine makes the same graph.
//!
//! RotaryEmbedding by constants is an exact sum of two products with numbers of 16 bits, rounded once.
//!
//! # Indices
//! ArgMax and ArgMin of integers, of floats that are functions of one tensor's codes, of their Softmax, and of the
//! result of a matmul with one scale for all classes: the first of equal elements, or the last, as the node says. What
//! is compared are codes or exact accumulators in the floats' order. (Softmax is compared by what it is of, if
//! the scale is at least `2^-20`: the largest then has a larger exponential than any other code.) TopK of one element is that number
//! and the largest, which ReduceMax and GlobalMaxPool give too, of what grows with codes. Cast takes integers to 32 and 64 bits,
//! and 8-bit tensors to floats, which is a function of one tensor.
//!
//! # 16 bits and fewer than 8
//! The network's input and output may have 16, 4 or 2 bits. Tensors of 16 bits are made by QuantizeLinear of a function of codes,
//! of the input, and of sums of dequantized tensors and of products, of weights or of two tensors, all of which are one exact integer
//! for each element, rounded once, and of Softmax and normalizations; they are read by Add, Sub and Mul, by MatMul, Gemm and Conv with
//! weights, by MatMul of two tensors, by pools, Concat, Softmax, normalizations, by Relu, Clip and QuantizeLinear. `docs/semantics.md`
//! has their integers.
//!
//! # Functions of a file
//! Calls of them are the nodes that they consist of, before anything else is read.
//!
//! # Threshold networks
//! Float weights that are multiples of one number (+-1, 2 bits), and Where or Cast of a comparison of a product (also after Not, or Xor with
//! a flag for each channel), or Sign: the thresholds are edges of steps over exact accumulators, found by the float32 operators themselves.
//! Channels that a negative factor turns around hold negated activations, and the next weights are negated; where activations are zeros and
//! ones, or others that have no negative, the channels' own weights are (behind a MaxPool they are refused). What is computed of
//! several such activations of one product, and of numbers, is one step again (`stepped`). A
//! float input without a QuantizeLinear is taken to have 256 levels from -1 to 1. Its float32 sums round, the
//! integers do not: an activation can differ where a sum lies within that rounding of its threshold.
//!
//! # Quantizers of QONNX
//! `Quant` (`IntQuant`), `BipolarQuant` and `Trunc`, as Brevitas and QKeras write them, are the operators above: constants are rounded as
//! they are read, other floats by QuantizeLinear or a comparison. An input of floats whose annotation `finn_datatype` is a type of
//! integers is quantized to it. `qonnx` fuses nothing, so that nothing here is what the runtime's default session makes of a pattern:
//! biases stay floats where their scale is their own, and floats that are multiples of a number are read as these.
//!
//! # Shapes
//! Transpose, Reshape, Flatten, Squeeze, Unsqueeze, Slice, Split, Gather by constant indices in equal steps (in any shape), DepthToSpace,
//! SpaceToDepth, Resize to the nearest in whole steps, and Expand are views: they cost nothing, whoever reads the tensor composes
//! its own windows with the view. Concat and Pad are copies, as is what no view is: Gather and Resize to the nearest at any other
//! places. Constants of leading dimension 1, dequantized or floats before a QuantizeLinear, may be among what Concat puts together.
//!
//! The batch stays the first dimension. Where a file fixes it to 1 it may be moved or merged with others, as exporters have it for heads
//! and windows; operators that ask for samples then want it back in front ([`NodeError::NoBatch`]). A file that leaves the batch
//! open and moves it is read as one of batch 1, each sample for itself. What the runtime computes of many samples is the same where no
//! node mixes them: the place at which samples are numbered is followed through the file, and a node that adds up or compares along it,
//! puts one after the other, takes a part of it, or broadcasts against it is refused ([`NodeError::SamplesMixed`],
//! [`NodeError::SamplesMeet`], [`NodeError::SamplesCounted`]), as are outputs of which it is not the first dimension
//! ([`ImportError::OutputBatch`]). One that fixes it to another number is read as if it left it open, and takes
//! any number of samples. A file of which the runtime takes one sample at a time, though it leaves their number open, is one of batch 1.
//!
//! # Behind the last integers
//! Float operators that only outputs follow on are refused, or left out and named
//! ([`Model::from_onnx_without_tail`](crate::graph::Model::from_onnx_without_tail)).
//!
//! [`InputTransform`]: crate::graph::InputTransform
//! [`RoundingProfile::OrtF32Rne`]: crate::graph::RoundingProfile::OrtF32Rne

mod arithmetic;
mod averaged;
mod batch;
mod blocks;
mod builder;
mod chosen;
mod compared;
mod concatenated;
mod constant;
mod constants;
mod convolved;
mod deferred;
mod depthwise;
mod divided;
mod elementwise;
mod error;
mod external;
mod factors;
mod fine;
mod finish;
mod floats;
mod folded;
mod followed;
mod grid;
mod heads;
mod import;
mod inlined;
mod joined;
mod masked;
mod matrix;
mod multiplied;
mod node;
mod normalized;
mod numbers;
mod one_hot;
mod operands;
mod ops;
mod pairs;
mod places;
mod positions;
mod precision;
mod prepared;
mod proto;
mod qlinear;
mod qonnx;
mod requantized;
mod rotary;
mod rowwise;
mod runs;
mod shapes;
mod spelled;
mod stepped;
mod steps;
mod tables;
mod tail;
mod target;
#[cfg(test)]
mod tests;
mod thresholds;
mod transposed;
mod unquantized;
mod uses;
mod value;
mod view;
mod whole;
mod windows;
mod words;
mod wordwise;

pub use error::{FunctionError, ImportError, NodeError, TensorError};
pub use external::ExternalData;
pub use tail::Tail;
