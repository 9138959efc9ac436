//! What can be wrong with a GGUF file.

use thiserror::Error;

/// Bytes are not a GGUF file, or not one that has what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GgufError {
    /// The first bytes are not those of a GGUF file.
    #[error("the first 4 bytes are not a GGUF file's")]
    Magic,
    /// The version is not known.
    #[error("version {got} of the format, known are 2 and 3")]
    Version {
        /// The version found.
        got: u32,
    },
    /// The bytes end within a field.
    #[error("{needed} bytes are needed at offset {offset}, {left} are left")]
    Truncated {
        /// Where the field starts.
        offset: usize,
        /// What it needs.
        needed: u64,
        /// What there is.
        left: usize,
    },
    /// A string is not UTF-8.
    #[error("the string at offset {offset} is not UTF-8")]
    Utf8 {
        /// Where it starts.
        offset: usize,
    },
    /// A metadata value has an unknown type.
    #[error("no type of metadata has number {got} (offset {offset})")]
    ValueType {
        /// Where the number is.
        offset: usize,
        /// The number.
        got: u32,
    },
    /// Arrays are nested deeper than any known file's.
    #[error("arrays at offset {offset} are nested more than {most} deep")]
    Nesting {
        /// Where the inner one starts.
        offset: usize,
        /// How deep they may be.
        most: usize,
    },
    /// Two keys or two tensors have one name.
    #[error("{name:?} is there twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// The alignment of tensors is not a power of two of at least 8.
    #[error("tensors are aligned to {got} bytes, which is no power of two from 8 to 2^16")]
    Alignment {
        /// What the file says.
        got: u64,
    },
    /// A tensor has no size, or one that no file holds.
    #[error("tensor {name:?} has {dims} dimensions of {elements:?} elements together")]
    Size {
        /// The tensor.
        name: String,
        /// Its dimensions.
        dims: usize,
        /// Its elements, if they are within 64 bits.
        elements: Option<u64>,
    },
    /// A tensor's type is not understood.
    #[error(
        "tensor {name:?} has type {got}, known are F32 (0), F16 (1), Q4_0 (2), Q4_1 (3), Q8_0 (8), TQ2_0 (35)"
    )]
    TensorType {
        /// The tensor.
        name: String,
        /// The type's number.
        got: u32,
    },
    /// Rows of a tensor are not whole blocks.
    #[error("rows of tensor {name:?} have {row} elements, its type's blocks {block}")]
    Block {
        /// The tensor.
        name: String,
        /// Elements of a row.
        row: u64,
        /// Elements of a block.
        block: usize,
    },
    /// A tensor's data lie outside the file, or are not aligned.
    #[error("tensor {name:?} is {bytes} bytes at offset {offset} of {have} bytes of data")]
    Data {
        /// The tensor.
        name: String,
        /// Where it starts in the data.
        offset: u64,
        /// Its length.
        bytes: u64,
        /// The length of the data.
        have: usize,
    },
    /// A key is missing or its value is of another kind.
    #[error("{key:?} is missing, or not {expected}")]
    Key {
        /// The key.
        key: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A tensor is missing.
    #[error("there is no tensor {name:?}")]
    NoTensor {
        /// Its name.
        name: String,
    },
    /// A tensor has another shape than the model's sizes say.
    #[error("tensor {name:?} has shape {got:?}, expected {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// The shape that was expected, the fastest dimension first.
        expected: Vec<u64>,
        /// Its shape.
        got: Vec<u64>,
    },
}
