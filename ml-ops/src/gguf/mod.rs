//! Reading of GGUF files: metadata and tensors, dequantized to floats.
//!
//! The format is that of `docs/gguf.md` in ggml's repository, versions 2 and 3, little-endian. Of the tensor types
//! F32, F16, Q4_0, Q4_1, Q8_0 and TQ2_0 are understood; a tensor of another type is an error when it is read, not
//! before. Floats are those of the `gguf` package's `dequantize`, bit for bit.

mod blocks;
mod cursor;
mod error;
mod file;
#[cfg(test)]
mod tests;
mod tokenizer;
mod value;

pub use blocks::TensorType;
pub use error::GgufError;
pub use file::{Gguf, Tensor};
pub use tokenizer::Tokenizer;
pub use value::Value;
