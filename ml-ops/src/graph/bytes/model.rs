//! The canonical byte encoding of a model: the graph's, and the bytes of every matrix.
//!
//! Little-endian: magic, version, the length of the graph's encoding as a `u64` and the encoding; then for each matrix in
//! order its bytes, and, if it has biases, each as an `i64`. Lengths are those that the graph says.

use super::DecodeError;
use super::read::Reader;
use crate::graph::{Graph, Model, WeightMatrix, WeightShape};

/// Version of the encoding, its second field.
pub const MODEL_VERSION: u32 = 1;

/// The first bytes of a model's encoding.
pub const MODEL_MAGIC: [u8; 8] = *b"binfer-n";

impl Model {
    /// The canonical encoding. Precondition: the model is valid.
    pub fn to_bytes(&self) -> Vec<u8> {
        let graph = self.graph.to_bytes();
        let mut bytes = MODEL_MAGIC.to_vec();
        bytes.extend(MODEL_VERSION.to_le_bytes());
        bytes.extend((graph.len() as u64).to_le_bytes());
        bytes.extend(graph);
        for matrix in &self.weights {
            bytes.extend(&matrix.index);
            bytes.extend(matrix.bias.iter().flat_map(|bias| bias.to_le_bytes()));
        }
        bytes
    }

    /// The valid model that `bytes` encode: `to_bytes` of the result is `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] on any other bytes. What is allocated is at most proportional to `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        if r.array::<8>()? != MODEL_MAGIC {
            return Err(DecodeError::Magic);
        }
        let got = u32::from_le_bytes(r.array()?);
        if got != MODEL_VERSION {
            return Err(DecodeError::Version { got });
        }
        let length = u64::from_le_bytes(r.array()?);
        let graph = Graph::from_bytes(r.take(usize::try_from(length).unwrap_or(usize::MAX))?)?;
        let matrix = |shape: &WeightShape| {
            // A valid graph's sizes are bounded.
            let index = r.take(shape.columns() * shape.k)?.to_vec();
            let biases = if shape.bias_bits == 0 { 0 } else { shape.n };
            let bias = r.take(8 * biases)?.as_chunks::<8>().0;
            let bias = bias.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
            Ok(WeightMatrix { index, bias })
        };
        let weights = graph.weights.iter().map(matrix).collect::<Result<_, DecodeError>>()?;
        let left = bytes.len() - r.offset;
        if left > 0 {
            return Err(DecodeError::Trailing { left });
        }
        let model = Self { graph, weights };
        model.validate()?;
        Ok(model)
    }
}
