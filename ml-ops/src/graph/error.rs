//! What can be wrong with a graph, and with an array at one of its ports.

use super::validate::{MAX_ARG_BITS, MAX_ENTRIES, MAX_NAME_BYTES, MAX_POSITIONS, MAX_TERMS};
use crate::array::ElementType;
use thiserror::Error;

/// A graph is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A name is longer than [`MAX_NAME_BYTES`].
    #[error("a name has {bytes} bytes, more than {MAX_NAME_BYTES}")]
    Name {
        /// Its length.
        bytes: usize,
    },
    /// A tensor has no rows or features, or more elements than [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
    #[error("tensor {tensor} has {rows_per_sample} rows a sample and {features} features")]
    TensorSize {
        /// The tensor.
        tensor: usize,
        /// Its rows for each sample.
        rows_per_sample: usize,
        /// Its features.
        features: usize,
    },
    /// An integer tensor's width is not 1 to 63 bits.
    #[error("tensor {tensor} has {bits}-bit integers")]
    IntegerWidth {
        /// The tensor.
        tensor: usize,
        /// Its width.
        bits: u32,
    },
    /// A weight matrix has no rows or columns, or more elements than [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
    #[error("weight matrix {weights} is {k} x {n}")]
    WeightSize {
        /// The matrix.
        weights: usize,
        /// Its rows.
        k: usize,
        /// Its columns.
        n: usize,
    },
    /// An alphabet's values are not 2 to 16 increasing numbers of at most 255 in size, its digits a
    /// byte are not [`digits_per_byte`](super::digits_per_byte), or its offsets are not 1 or `n` such numbers.
    #[error("weight matrix {weights} has an invalid alphabet")]
    Alphabet {
        /// The matrix.
        weights: usize,
    },
    /// A bias is wider than 62 bits.
    #[error("weight matrix {weights} has biases of {bits} bits")]
    BiasWidth {
        /// The matrix.
        weights: usize,
        /// The width.
        bits: u32,
    },
    /// A node or port names a tensor that does not exist.
    #[error("tensor {tensor} does not exist")]
    NoSuchTensor {
        /// The tensor named.
        tensor: usize,
    },
    /// A node names a weight matrix that does not exist.
    #[error("node {node} names weight matrix {weights}, which does not exist")]
    NoSuchWeights {
        /// The node.
        node: usize,
        /// The matrix named.
        weights: usize,
    },
    /// A node or the output port reads a tensor that nothing before it writes.
    #[error("tensor {tensor} is read before it is written")]
    ReadBeforeWrite {
        /// The tensor.
        tensor: usize,
    },
    /// A tensor is written twice.
    #[error("tensor {tensor} is written twice")]
    WrittenTwice {
        /// The tensor.
        tensor: usize,
    },
    /// A tensor is never written.
    #[error("tensor {tensor} is never written")]
    NeverWritten {
        /// The tensor.
        tensor: usize,
    },
    /// A weight matrix is used by no node or by several.
    #[error("weight matrix {weights} is used {uses} times, not once")]
    WeightUses {
        /// The matrix.
        weights: usize,
        /// How many nodes use it.
        uses: usize,
    },
    /// The shapes or kinds of a node's tensors and weights do not agree.
    #[error("the shapes or kinds of node {node}'s operands do not agree")]
    NodeShape {
        /// The node.
        node: usize,
    },
    /// The zero code of an operand that holds integers is not 0.
    #[error("node {node} subtracts zero code {zero_code} from integers")]
    ZeroCode {
        /// The node.
        node: usize,
        /// The zero code.
        zero_code: u8,
    },
    /// A node has neither one step nor one for each column.
    #[error("node {node} has {got} steps for {columns} columns")]
    StepCount {
        /// The node.
        node: usize,
        /// Its output columns.
        columns: usize,
        /// Its steps.
        got: usize,
    },
    /// A step's scale is not finite and positive, or its range or zero point is not within its type.
    #[error("step {step} of node {node} is invalid")]
    Step {
        /// The node.
        node: usize,
        /// The step.
        step: usize,
    },
    /// Edges decrease, or are more than there are codes after the first.
    #[error("step {step} of node {node} has edges that decrease or are too many")]
    Edges {
        /// The node.
        node: usize,
        /// The step.
        step: usize,
    },
    /// Groups do not divide the columns of a matmul, or there are several of weights that share bytes.
    #[error("node {node} has {groups} groups of {columns} columns, or of weights that share bytes")]
    Groups {
        /// The node.
        node: usize,
        /// The groups.
        groups: usize,
        /// The weights' columns.
        columns: usize,
    },
    /// A matmul of two tensors has no heads, or they do not divide the columns of an operand.
    #[error(
        "node {node} has {heads} heads, of {left} columns on the left and {right} on the right"
    )]
    Heads {
        /// The node.
        node: usize,
        /// The heads.
        heads: usize,
        /// Columns of the left operand.
        left: usize,
        /// Columns of the right one.
        right: usize,
    },
    /// Rows' factors are not one for each row of a sample, or exceed `2^31` in size.
    #[error("node {node} has row factors that are too many, too few or too large")]
    RowFactors {
        /// The node.
        node: usize,
    },
    /// A gather's source has more than [`MAX_AXES`](super::MAX_AXES) axes, or another number of offsets.
    #[error("a gather of node {node} reads {axes} axes with {offsets} offsets")]
    GatherAxes {
        /// The node.
        node: usize,
        /// The source's axes.
        axes: usize,
        /// The offsets.
        offsets: usize,
    },
    /// A gather has more than [`MAX_AXES`](super::MAX_AXES) dimensions of rows or of columns.
    #[error("a gather of node {node} has {rows} dimensions of rows and {cols} of columns")]
    GatherDims {
        /// The node.
        node: usize,
        /// Dimensions of rows.
        rows: usize,
        /// Dimensions of columns.
        cols: usize,
    },
    /// A dimension of a gather moves along an axis that the source does not have.
    #[error("a gather of node {node} moves along axis {axis} of {axes}")]
    GatherAxis {
        /// The node.
        node: usize,
        /// The axis.
        axis: usize,
        /// The source's axes.
        axes: usize,
    },
    /// A step or an offset of a gather exceeds `2^31` in size.
    #[error("a gather of node {node} has a step or an offset of {step}")]
    GatherStep {
        /// The node.
        node: usize,
        /// The step or offset.
        step: i64,
    },
    /// The axes of a gather's source do not multiply to the shape of the tensor that it reads.
    #[error("a gather of node {node} does not read {rows_per_sample} rows of {features} features")]
    GatherSource {
        /// The node.
        node: usize,
        /// The tensor's rows for each sample.
        rows_per_sample: usize,
        /// The tensor's features.
        features: usize,
    },
    /// The dimensions of a gather do not multiply to the matrix that its node reads, or the matrix has more than
    /// [`MAX_ELEMENTS`](super::MAX_ELEMENTS) elements.
    #[error("a gather of node {node} does not give {rows} rows of {columns} columns, or too many")]
    GatherSize {
        /// The node.
        node: usize,
        /// Rows that the node reads.
        rows: usize,
        /// Columns that the node reads.
        columns: usize,
    },
    /// The gather of a maximum does not pad with code 0, or one of integers pads at all.
    #[error("a gather of node {node} pads with {pad:?}")]
    Pad {
        /// The node.
        node: usize,
        /// The code that it pads with.
        pad: Option<u8>,
    },
    /// A sum or a maximum has no taps, too many, several without a gather, or such as are no dimensions of its gather.
    #[error("node {node} has {taps} taps")]
    Taps {
        /// The node.
        node: usize,
        /// The taps.
        taps: usize,
    },
    /// A sum has no terms, or more than [`MAX_TERMS`](super::MAX_TERMS).
    #[error("node {node} adds up {terms} terms, not 1 to {MAX_TERMS}")]
    Terms {
        /// The node.
        node: usize,
        /// Its terms.
        terms: usize,
    },
    /// A value of a function or a factor of integers exceeds `2^61` in size, or a factor of products `2^45`.
    #[error("term {term} of node {node} has a value or a factor beyond 2^61, or 2^45 of products")]
    Function {
        /// The node.
        node: usize,
        /// The term.
        term: usize,
    },
    /// A product's second operand has another shape or kind than its first.
    #[error("term {term} of node {node} multiplies matrices that differ in shape or kind")]
    Product {
        /// The node.
        node: usize,
        /// The term.
        term: usize,
    },
    /// A constant is not the codes of one sample of its output.
    #[error("node {node} has {got} codes of {expected}, or its output holds integers")]
    Constant {
        /// The node.
        node: usize,
        /// Codes of a sample.
        expected: usize,
        /// Codes that there are.
        got: usize,
    },
    /// A sum that becomes a code may be none.
    #[error("the sums of node {node} range from {low} to {high}, beyond codes")]
    SumRange {
        /// The node.
        node: usize,
        /// The least that it may be.
        low: i64,
        /// The most that it may be.
        high: i64,
    },
    /// A maximum is one of no codes.
    #[error("node {node} has no codes to choose from in row {row} of column {column}")]
    EmptyMax {
        /// The node.
        node: usize,
        /// The row, of a sample.
        row: usize,
        /// The column.
        column: usize,
    },
    /// A position that an index of a maximum chooses from is outside the source.
    #[error("node {node} reads nothing in row {row} of column {column}")]
    Outside {
        /// The node.
        node: usize,
        /// The row, of a sample.
        row: usize,
        /// The column of the gathered matrix.
        column: usize,
    },
    /// An index of a maximum does not hold the numbers of all taps, or is with the elements too wide.
    #[error(
        "node {node} has an index of {bits} bits of {taps} elements of {of} bits; it is to hold their numbers, and \
         both are to have {MAX_ARG_BITS} bits at most"
    )]
    ArgWidth {
        /// The node.
        node: usize,
        /// Its taps.
        taps: usize,
        /// Bits of an element.
        of: u32,
        /// Bits of the index.
        bits: u32,
    },
    /// Two outputs come from one tensor.
    #[error("two outputs come from tensor {tensor}")]
    OutputTwice {
        /// The tensor.
        tensor: usize,
    },
    /// Two inputs become one tensor.
    #[error("two inputs become tensor {tensor}")]
    InputTwice {
        /// The tensor.
        tensor: usize,
    },
    /// Inputs have names, but one has none, or that of another, or there is one input.
    #[error("{names} names, some none or equal, of {inputs} inputs")]
    InputNames {
        /// Inputs.
        inputs: usize,
        /// Names.
        names: usize,
    },
    /// Maxima and joined codes read more than [`MAX_POSITIONS`](super::MAX_POSITIONS) positions of gathers.
    #[error("the maxima and joins up to node {node} read more than {MAX_POSITIONS} positions")]
    Positions {
        /// The node that exceeds them.
        node: usize,
    },
    /// Edges, tables and gathers have more than [`MAX_ENTRIES`](super::MAX_ENTRIES) values.
    #[error("edges, tables and gathers up to node {node} have more than {MAX_ENTRIES} values")]
    Entries {
        /// The node that exceeds them.
        node: usize,
    },
    /// Accumulators may reach `2^62` in size where they become codes, or in a matmul of two tensors.
    #[error("the accumulators of node {node} may reach 2^{log_bound} in size")]
    AccumulatorRange {
        /// The node.
        node: usize,
        /// Base-2 logarithm of the bound, rounded down.
        log_bound: u32,
    },
    /// A port's dimensions or kind do not agree with its tensor.
    #[error("the port's dimensions or kind do not agree with tensor {tensor}")]
    PortShape {
        /// The tensor.
        tensor: usize,
    },
    /// A model has another number of matrices than its graph.
    #[error("{got} weight matrices, the graph has {expected}")]
    MatrixCount {
        /// Matrices of the graph.
        expected: usize,
        /// Matrices of the model.
        got: usize,
    },
    /// A model's matrix has another size than its graph says, or a bias that is too wide.
    #[error("weight matrix {weights} has another size or wider biases than the graph says")]
    Matrix {
        /// The matrix.
        weights: usize,
    },
    /// A port's scale is not finite and positive, its zero point is not of its type, or it does not
    /// map different codes to different finite floats.
    #[error("the scale or zero point of tensor {tensor}'s port is invalid")]
    PortScale {
        /// The tensor.
        tensor: usize,
    },
}

/// An array does not fit a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PortError {
    /// The elements have another type than the port's.
    #[error("the array holds {got:?}, the port takes {expected:?}")]
    ElementType {
        /// The port's type.
        expected: ElementType,
        /// The array's type.
        got: ElementType,
    },
    /// The array is neither `(batch, ..)` nor `(batch, 1, ..)` over the port's dimensions.
    #[error(
        "an array of {got_rank} dimensions and {got_elements} elements is no batch of samples of {sample_rank} dimensions and {sample_elements} elements"
    )]
    Shape {
        /// Number of the port's dimensions, without the batch.
        sample_rank: usize,
        /// Elements of one sample.
        sample_elements: usize,
        /// Number of the array's dimensions.
        got_rank: usize,
        /// Number of the array's elements.
        got_elements: usize,
    },
    /// The batch has no samples.
    #[error("the batch is empty")]
    EmptyBatch,
    /// The array's leading dimensions are not the first input's.
    #[error(
        "the array holds a batch of {got}, the first input one of {expected}, or only one of them is stacked"
    )]
    Batch {
        /// Samples of the first input.
        expected: usize,
        /// Samples of this array.
        got: usize,
    },
    /// An input element is not a number.
    #[error("element {index} is not a number")]
    NotANumber {
        /// Row-major position in the array.
        index: usize,
    },
    /// An input element is none of the levels that the network takes.
    #[error("element {index} is none of the input's levels")]
    NoLevel {
        /// Row-major position in the array.
        index: usize,
    },
    /// An input element is not a number below the port's vocabulary.
    #[error("element {index} is {got}, the vocabulary has {vocabulary} numbers")]
    Vocabulary {
        /// Row-major position in the array.
        index: usize,
        /// The element.
        got: i64,
        /// How many numbers there are, from 0 on.
        vocabulary: usize,
    },
    /// An output element is one that no code maps to.
    #[error("element {index} is not a value that the output can take")]
    NoSuchOutput {
        /// Row-major position in the array.
        index: usize,
    },
    /// The values are not of the kind or number that the port's tensor has.
    #[error("the tensor holds {got} elements or is of another kind, the port asks for {expected}")]
    Values {
        /// Elements that the port asks for.
        expected: usize,
        /// Elements given.
        got: usize,
    },
    /// An integer does not fit the output's type.
    #[error("the value at position {index} of the tensor does not fit the output's type")]
    IntegerRange {
        /// Position in the tensor.
        index: usize,
    },
}

/// Arrays are not a graph's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InputError {
    /// There are more or fewer than the graph has.
    #[error("{got} inputs of a model that has {expected}")]
    Count {
        /// How many the graph has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// One does not fit its port, or holds another batch than the first.
    #[error("input {input}: {error}")]
    Port {
        /// Its number, from 0 on.
        input: usize,
        /// Why.
        error: PortError,
    },
    /// The graph has no such tensor, and is not valid.
    #[error("input {input} becomes tensor {tensor}, which does not exist")]
    NoTensor {
        /// Its number, from 0 on.
        input: usize,
        /// The tensor.
        tensor: usize,
    },
}
