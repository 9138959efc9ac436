//! Why a file was not imported: which node, which operand, which number.

use crate::graph::GraphError;
use thiserror::Error;

/// An ONNX file could not be imported.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are not a protobuf message of a model.
    #[error("not an ONNX model: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// The model has no graph.
    #[error("the model has no graph")]
    NoGraph,
    /// An operator set that the graph needs is missing or has an unknown version.
    #[error("operator set {domain:?} has version {version:?}, known are {first} to {last}")]
    Opset {
        /// The domain, empty for ONNX's own.
        domain: String,
        /// Version in the file, if it is named.
        version: Option<i64>,
        /// First known version.
        first: i64,
        /// Last known version.
        last: i64,
    },
    /// A function of the file, or a call of it, is not one that can be written as its nodes.
    #[error("function {name:?} of the file: {error}")]
    Function {
        /// Its name.
        name: String,
        /// What is wrong.
        error: FunctionError,
    },
    /// The graph has sparse initializers.
    #[error("the graph has {count} sparse initializers, which are not supported")]
    SparseInitializers {
        /// How many.
        count: usize,
    },
    /// An initializer is malformed.
    #[error("initializer {name:?}: {error}")]
    Initializer {
        /// Its name.
        name: String,
        /// What is wrong.
        error: TensorError,
    },
    /// The graph does not have one input (initializers not counted), or it has no output.
    #[error(
        "the graph has {inputs} inputs and {outputs} outputs, and at least one of each is needed"
    )]
    Ports {
        /// Inputs that are not initializers.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
    /// An input has an element type that is not supported.
    #[error(
        "input {input} has element type {got}, supported are float, integers of up to 16 bits, and int32, int64 and bool"
    )]
    InputType {
        /// Its number, from 0 on, among the inputs that are not initializers.
        input: usize,
        /// `TensorProto.DataType` found.
        got: i32,
    },
    /// An input has no shape, or a first dimension that another has not, or sizes beyond `2^28` elements.
    #[error(
        "dimension {axis} of input {input} {}; the first numbers samples and is the same in all inputs, the others are sizes \
         of at most 2^28 elements together",
        size_of(*value)
    )]
    InputShape {
        /// Its number, from 0 on, among the inputs that are not initializers.
        input: usize,
        /// Which dimension.
        axis: usize,
        /// Its size, if it has one.
        value: Option<i64>,
    },
    /// An input has a dimension other than the batch whose size is open.
    #[error(
        "dimension {axis} of input {input} is open, and the batch alone may be; give it the size that inputs will have: \
         python -m onnxruntime.tools.make_dynamic_shape_fixed --dim_param {name:?} --dim_value SIZE"
    )]
    OpenDimension {
        /// The input's number, from 0 on, among the inputs that are not initializers.
        input: usize,
        /// Which dimension.
        axis: usize,
        /// Its name, empty if it has none.
        name: String,
    },
    /// A node could not be imported.
    #[error("node {node:?} ({operator}): {error}")]
    Node {
        /// The node's name, or its operator and number if it has none.
        node: String,
        /// Its operator, with the domain if it is not ONNX's own.
        operator: String,
        /// What is wrong.
        error: NodeError,
    },
    /// The graph's output is not computed by the graph, or is none that integers give.
    #[error(
        "output {name:?}{}: it must be integers, the floats of a DequantizeLinear, or those of a matmul or convolution \
         with weights", made_by(.node)
    )]
    Output {
        /// Its name.
        name: String,
        /// The node that makes it, and its operator, if one does.
        node: Option<(String, String)>,
    },
    /// The batch, of which the file has not 1, is not the first dimension of an output.
    #[error(
        "output {name:?} does not have the batch as its first dimension, so that no sample's \
         output follows on another's (give the batch size 1, or transpose the output)"
    )]
    OutputBatch {
        /// Its name.
        name: String,
    },
    /// The network is not one that a valid graph describes.
    #[error("{0}")]
    Graph(#[from] GraphError),
}

fn made_by(node: &Option<(String, String)>) -> String {
    node.as_ref().map_or_else(String::new, |(name, operator)| {
        format!(" of node {name:?} ({operator}) has floats that no integers are known to stand for")
    })
}

/// What a function of a file is refused for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// Two functions have its domain, name and overload.
    #[error("there are two of its domain, name and overload")]
    Twice,
    /// It is in a domain whose operators are known: runtimes differ in which of the two they take.
    #[error(
        "its domain is one of known operators, and runtimes differ in whether it is one of these"
    )]
    Operator,
    /// A call has more inputs or outputs than the function.
    #[error("a call has {inputs} inputs and {outputs} outputs, which are more than it has")]
    Ports {
        /// Inputs of the call.
        inputs: usize,
        /// Outputs of the call.
        outputs: usize,
    },
    /// It has operators of another version.
    #[error("operator set {domain:?} has version {own} in it and {of_file} in the file")]
    Opset {
        /// The domain, empty for ONNX's own.
        domain: String,
        /// Its version for the function.
        own: i64,
        /// Its version for the file.
        of_file: i64,
    },
    /// Calls lie in calls, more than 64 of them.
    #[error("calls lie in calls, 64 deep and more")]
    Deep,
    /// Calls come to more nodes than are read.
    #[error("calls come to more than 2^18 nodes, or to more than 2^28 bytes of them")]
    Long,
}

/// A constant tensor is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TensorError {
    /// Its element type is none of float, float16, integers of 2, 4, 8 and 16 bits, int32, int64.
    #[error("element type {got} is not supported")]
    ElementType {
        /// `TensorProto.DataType` found.
        got: i32,
    },
    /// A dimension is negative, or their product overflows.
    #[error("dimension {axis} is {value}")]
    Dimension {
        /// Which dimension.
        axis: usize,
        /// Its size.
        value: i64,
    },
    /// The data have another length than the dimensions ask for.
    #[error("the dimensions ask for {expected} elements, the data hold {got}")]
    Length {
        /// Product of the dimensions.
        expected: usize,
        /// Elements of data; partial ones count as one.
        got: usize,
    },
    /// A value is not one of the element type.
    #[error("value {value} at {index} is not of the element type")]
    Value {
        /// Which element.
        index: usize,
        /// Its value.
        value: i32,
    },
    /// The data are in another file.
    #[error("the data are in another file")]
    External,
}

/// A node could not be imported.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The operator is unknown.
    #[error("the operator is not supported")]
    UnknownOperator,
    /// The operator computes a scale of the floats that come, which are no part of what is proved.
    #[error(
        "the scale is computed of floats; `models/quantize.py` keeps the weights bit for bit and gives tensors scales of samples"
    )]
    DynamicScale,
    /// The operator has weights in blocks, beside activations that are floats.
    #[error(
        "the weights are in blocks and the activations floats; `models/quantize.py` makes integers of both"
    )]
    BlocksAndFloats,
    /// A mean is taken off what it is of, as in a normalization that is written in its parts, but not all of them are there
    /// as floats.
    #[error(
        "a normalization in its parts, between which tensors are quantized: leave out its nodes from quantization, or \
         have them as LayerNormalization, as `models/quantize.py` does"
    )]
    QuantizedParts,
    /// The operator stands for several, between which no integers are known.
    #[error(
        "the operator stands for several, between which nothing is rounded: \
         models/quantize.py writes it in its parts, of the float model"
    )]
    SeveralOperators,
    /// The operator has no such attribute, or not in a form that is supported.
    #[error("attribute {attribute:?} is not supported")]
    UnknownAttribute {
        /// The attribute's name.
        attribute: String,
    },
    /// An attribute has a value that is not supported.
    #[error("attribute {attribute} has the value {value}, which is not supported")]
    AttributeValue {
        /// The attribute's name.
        attribute: &'static str,
        /// Its value.
        value: f64,
    },
    /// An attribute has a text that is not supported.
    #[error("attribute {attribute} has the value {value:?}, which is not supported")]
    AttributeText {
        /// The attribute's name.
        attribute: &'static str,
        /// Its value.
        value: String,
    },
    /// An attribute that the operator needs is missing.
    #[error("attribute {attribute} is missing")]
    MissingAttribute {
        /// The attribute's name.
        attribute: &'static str,
    },
    /// An attribute has another type than the operator's.
    #[error("attribute {attribute:?} has type {got}")]
    AttributeType {
        /// The attribute's name.
        attribute: String,
        /// `AttributeProto.AttributeType` found.
        got: i32,
    },
    /// A constant in an attribute is malformed.
    #[error("constant: {0}")]
    Constant(#[from] TensorError),
    /// The node has more inputs than the operator.
    #[error("{got} inputs, the operator has at most {most}")]
    TooManyInputs {
        /// The operator's inputs.
        most: usize,
        /// The node's.
        got: usize,
    },
    /// An input that the operator needs is missing.
    #[error("input {index} is missing")]
    MissingInput {
        /// Which input.
        index: usize,
    },
    /// An input is the output of no earlier node, no initializer and not the graph's input.
    #[error("input {index} is not defined before the node")]
    UndefinedInput {
        /// Which input.
        index: usize,
    },
    /// The node does not have exactly one output.
    #[error("{got} outputs, supported is one")]
    OutputCount {
        /// The node's outputs.
        got: usize,
    },
    /// The node's output has the name of an earlier value.
    #[error("the output's name is in use")]
    Redefined,
    /// An operand is of a kind that the operator is not supported on, such as a second activation
    /// where weights are expected, or floats that no DequantizeLinear makes.
    #[error("input {index} must be {expected}")]
    Operand {
        /// Which input.
        index: usize,
        /// What is supported.
        expected: &'static str,
    },
    /// An operand has an element type that is not supported.
    #[error("input {index} has an element type that is not supported")]
    OperandType {
        /// Which input.
        index: usize,
    },
    /// An operand's shape does not fit the others, or is not supported.
    #[error("the shape of input {index} does not fit: {expected} expected, {got} found")]
    OperandShape {
        /// Which input.
        index: usize,
        /// Size or rank that fits.
        expected: usize,
        /// Size or rank found.
        got: usize,
    },
    /// A scale is zero, negative, infinite or not a number.
    #[error("scale {value} in input {index} is not finite and positive")]
    Scale {
        /// Which input.
        index: usize,
        /// The scale.
        value: f32,
    },
    /// The scale from accumulators to the output, `f32(f32(sx * sw) / sy)`, is no positive number.
    #[error("the scale of the accumulators of column {column} is {value}")]
    AccumulatorScale {
        /// Output column.
        column: usize,
        /// The scale.
        value: f32,
    },
    /// The accumulators may not fit the 32 bits in which runtimes hold them.
    #[error("the accumulators may reach {bound}, beyond 32 bits")]
    AccumulatorRange {
        /// Bound on their size, from the ranges of codes and weights.
        bound: i128,
    },
    /// A kernel of the runtime rounds floats that may reach `value` to integers of 32 bits before they saturate.
    #[error(
        "the runtime makes integers of 32 bits of numbers up to {value}, of which machines make different ones"
    )]
    IntegerRange {
        /// The largest of the floats, or one that is no number.
        value: f32,
    },
    /// A bias's scale is not the product of the input's and the weights' scales.
    #[error("the bias of column {column} has scale {got}, its input and weights {expected}")]
    BiasScale {
        /// Output column.
        column: usize,
        /// Product of the scales.
        expected: f32,
        /// The bias's scale.
        got: f32,
    },
    /// A bias has a zero point other than 0.
    #[error("the bias of column {column} has zero point {value}")]
    BiasZeroPoint {
        /// Output column.
        column: usize,
        /// The zero point.
        value: i32,
    },
    /// A bound of a Clip is not a number, or the lower is above the upper.
    #[error("the bounds {low} and {high} are not supported")]
    ClipBounds {
        /// Lower bound.
        low: f32,
        /// Upper bound.
        high: f32,
    },
    /// Dimension `axis` of the target shape is not the batch, or does not fit the elements.
    #[error(
        "target dimension {axis} is {value}, which mixes the batch or changes the element count"
    )]
    Reshape {
        /// Which dimension.
        axis: usize,
        /// Its size.
        value: i64,
    },
    /// The first dimension of an operand is not the batch, which the operator needs there.
    #[error("the first dimension of input {index} is not the batch, as the operator needs it")]
    NoBatch {
        /// Which input.
        index: usize,
    },
    /// The batch is not 1, and the node works along it, so that the result of a sample would be of others too: a sum, a
    /// product's depth, a maximum, a part of the batch, or a list of which it is one element after the other.
    #[error(
        "dimension {dim} of input {index} is the first of the network's inputs, which numbers samples; the node works along it, \
         and so mixes them (if it is no batch, put a first dimension of 1 before it)"
    )]
    SamplesMixed {
        /// Which input.
        index: usize,
        /// Which dimension of it, the batch counted.
        dim: usize,
    },
    /// The batch is not 1, and elements of different samples would meet: the batch of one operand and another
    /// dimension of this one, or another one's batch and a dimension of this one.
    #[error(
        "input {index} meets the samples of the batch with a dimension that is none of theirs, and so mixes them (if it is no \
         batch, put a first dimension of 1 before it)"
    )]
    SamplesMeet {
        /// Which input.
        index: usize,
    },
    /// The batch is not 1, and an operand is computed of how many samples there are.
    #[error(
        "input {index} is computed of the number of samples, on which each sample's result would depend"
    )]
    SamplesCounted {
        /// Which input.
        index: usize,
    },
    /// The batch is not 1, and it is not known where samples are behind the node.
    #[error("it is not known how the node treats the samples of the batch (give it size 1)")]
    SamplesLost,
    /// An operand's elements are not read in steps along axes, as indices that no steps give.
    #[error("input {index} is read at positions that no steps along its axes give")]
    NoView {
        /// Which input.
        index: usize,
    },
    /// An index is not one of the axis.
    #[error("index {value} in input {index} is beyond the axis of size {size}")]
    IndexRange {
        /// Which input.
        index: usize,
        /// The index.
        value: i64,
        /// The axis's size.
        size: usize,
    },
    /// A number of bits is no integer from 1 on, or more than activations (16) or constants (those of 32-bit integers) have.
    #[error(
        "{value} bits are not supported, but 1 to 16, and of constants those of 32-bit integers"
    )]
    Bits {
        /// The number.
        value: f32,
    },
    /// A float is none that a code stands for.
    #[error("{value} in input {index} is none of the floats that codes stand for")]
    NotOnGrid {
        /// Which input.
        index: usize,
        /// The float.
        value: f32,
    },
    /// A quotient of two tensors, or a product of functions of two that are not those of a DequantizeLinear.
    #[error("a quotient of two tensors, or a product of functions of both, is not supported")]
    ProductOfTensors,
    /// A constant factor that is not one number has values that are no multiples, up to 255 apart, of the smallest.
    #[error(
        "the values of constant input {index} are no multiples of the smallest, as factors are to be"
    )]
    ConstantFactor {
        /// Which input.
        index: usize,
    },
    /// The scales of blocks that meet in a column of weights are no multiples of a part of the smallest, so that no
    /// integers at one scale are the weights.
    #[error(
        "the scales of the blocks in column {column} are no multiples of one number, so that no integers at one scale \
         are its weights"
    )]
    BlockScales {
        /// The column.
        column: usize,
    },
    /// Weights that are wider than a byte have values that a byte beside an offset cannot spell.
    #[error(
        "the weights of column {column} are integers from {low} to {high}; supported are those from -255 to 255 with \
         256 values in a column"
    )]
    WeightRange {
        /// The column.
        column: usize,
        /// The least.
        low: i64,
        /// The largest.
        high: i64,
    },
    /// Floats among which a largest is asked for are no numbers.
    #[error("input {index} has floats that are no numbers")]
    NotANumber {
        /// Which input.
        index: usize,
    },
    /// A constant that is added has more than 256 values.
    #[error("constant input {index} has {got} different values, more than 256")]
    ConstantLevels {
        /// Which input.
        index: usize,
        /// Its values.
        got: usize,
    },
    /// A mask leaves nothing of a row for a Softmax.
    #[error("the mask in input {index} leaves nothing of row {row}")]
    MaskedRow {
        /// Which input.
        index: usize,
        /// The row, of the mask.
        row: usize,
    },
    /// A function of two tensors is no monotone step of a sum of a function of each, or of their product.
    #[error("no integers add up or multiply to what the float operators give")]
    NoTables,
    /// A function of accumulators does not grow with them.
    #[error("the output of column {column} does not grow with its accumulator")]
    NotMonotone {
        /// Output column.
        column: usize,
    },
    /// The scales of a product's columns are too far apart for multiples of each to be near integers of few bytes.
    #[error("the scale of column {column} is too far from the others for codes of 16 bits")]
    ScalesApart {
        /// The column.
        column: usize,
    },
    /// Floats that are not quantized are read as integers that are coarse beside the codes of what a matmul makes of them.
    #[error(
        "codes of column {column} are finer than the integers of unquantized floats they are of"
    )]
    TooCoarse {
        /// Output column.
        column: usize,
    },
    /// A reshape between two matmuls changes what their rows are.
    #[error("{features} features are asked of a tensor whose rows hold {rows_hold}")]
    Regrouping {
        /// Features that the node asks for.
        features: usize,
        /// Features of the tensor's rows.
        rows_hold: usize,
    },
    /// A QuantizeLinear follows directly on the DequantizeLinear of a QuantizeLinear of another scale
    /// or zero point; ONNX Runtime merges such pairs into one that rounds differently.
    #[error("two quantizations of different scale or zero point follow directly on each other")]
    DoubleQuantization,
    /// The graph's float input is quantized in two ways.
    #[error("the input is quantized in two ways")]
    InputQuantizedTwice,
}

/// A dimension's size, which a file may leave open.
fn size_of(value: Option<i64>) -> String {
    value.map_or_else(
        || "is not there, or has no size that all inputs have".to_owned(),
        |value| format!("is {value}"),
    )
}
