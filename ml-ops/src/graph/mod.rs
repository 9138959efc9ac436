//! The quantized graph: integer tensors, nodes over them, and the ports where arrays enter and leave.
//!
//! A [`Graph`] is public and is what the verifier holds; a [`Model`] adds the weights.

mod bytes;
mod edges;
mod error;
mod floats;
mod gather;
mod model;
mod node;
mod numbers;
mod port;
mod runs;
#[cfg(feature = "prover")]
mod shallow;
mod step;
mod tensor;
#[cfg(test)]
mod tests;
mod transpose;
mod validate;
mod weights;
mod word;

pub use bytes::{DecodeError, FORMAT_VERSION, MODEL_MAGIC, MODEL_VERSION};
pub use edges::Edges;
pub use error::{GraphError, InputError, PortError};
pub use floats::{FloatOperation, FloatOperator};
pub use gather::{Gather, GatherDim};
pub use model::{Graph, Model};
#[cfg(feature = "prover")]
pub(crate) use node::least_common_multiple;
pub use node::{CodeMatrix, Epilogue, Function, Node, Op, Term};
pub(crate) use node::{common_taps, greatest_common_divisor};
pub use port::{Batch, InputPort, InputTransform, IntegerType, OutputPort, OutputTransform};
#[cfg(feature = "prover")]
pub(crate) use port::{dequantize_table, quantize};
pub use runs::MAX_AXES;
pub(crate) use runs::Runs;
#[cfg(feature = "prover")]
pub(crate) use step::last_where;
pub use step::{CodeRanges, Requantize, RoundingProfile, Step};
pub use tensor::{CodeType, TensorId, TensorKind, TensorShape, Values};
pub(crate) use tensor::{are_within, ends};
#[cfg(feature = "prover")]
pub(crate) use validate::bound;
pub use validate::{
    MAX_ARG_BITS, MAX_ELEMENTS, MAX_ENTRIES, MAX_IMAGE, MAX_NAME_BYTES, MAX_POSITIONS, MAX_TERMS,
};
pub use weights::{Alphabet, WeightId, WeightMatrix, WeightShape, digits_per_byte, signed_bits};
pub use word::WordType;
