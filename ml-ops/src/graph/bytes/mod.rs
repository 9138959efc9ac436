//! The canonical byte encoding of a graph: one byte string for each graph, and nothing else decodes.
//!
//! Little-endian. A count or size is a `u32`; a list is its count and its elements; a name is its
//! length and UTF-8; an option is a `u8`, 0 or 1, and then what it holds; an enum is a `u8` tag and the variant's fields in the order of their declaration.

mod read;
mod write;

use super::{Graph, GraphError, InputPort, OutputPort};
use read::Reader;
use thiserror::Error;
use write::Writer;

/// Version of the encoding, its second field.
pub const FORMAT_VERSION: u32 = 3;

const MAGIC: [u8; 8] = *b"binfer-g";

/// Bytes are not the encoding of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end within a field.
    #[error("{needed} bytes are needed at offset {offset}, {left} are left")]
    Truncated {
        /// Where the field starts.
        offset: usize,
        /// What it needs.
        needed: usize,
        /// What there is.
        left: usize,
    },
    /// Bytes follow the end.
    #[error("{left} bytes follow the graph")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// The first bytes are not those of a graph.
    #[error("the first 8 bytes are not a graph's")]
    Magic,
    /// The version is another one.
    #[error("version {got} of the encoding, expected {FORMAT_VERSION}")]
    Version {
        /// The version found.
        got: u32,
    },
    /// No variant has this tag.
    #[error("no variant has tag {tag} (offset {offset})")]
    Tag {
        /// Where the tag is.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// A name is too long or not UTF-8.
    #[error("the {bytes}-byte name at offset {offset} is too long or not UTF-8")]
    Name {
        /// Where its text starts.
        offset: usize,
        /// Its length.
        bytes: usize,
    },
    /// The bytes decode, but not to a valid graph.
    #[error("invalid graph: {0}")]
    Invalid(#[from] GraphError),
}

impl Graph {
    /// The canonical encoding. Precondition: the graph is valid.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer(Vec::new());
        w.0.extend(MAGIC);
        w.size(FORMAT_VERSION as usize);
        w.name(&self.name);
        w.list(&self.tensors, Writer::tensor);
        w.list(&self.weights, Writer::weights);
        w.list(&self.nodes, Writer::node);
        w.size(self.input.tensor);
        w.list(&self.input.shape, |w, &d| w.size(d));
        w.input(&self.input.transform);
        w.size(self.output.tensor);
        w.list(&self.output.shape, |w, &d| w.size(d));
        w.output(&self.output.transform);
        w.0
    }

    /// The valid graph that `bytes` encode: `to_bytes` of the result is `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] on any other bytes. What is allocated is at most proportional to `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader { bytes, offset: 0 };
        if r.array::<8>()? != MAGIC {
            return Err(DecodeError::Magic);
        }
        let version = r.u32()?;
        if version != FORMAT_VERSION {
            return Err(DecodeError::Version { got: version });
        }
        let graph = Self {
            name: r.name()?,
            tensors: r.list(9, Reader::tensor)?,
            weights: r.list(17, Reader::weights)?,
            nodes: r.list(13, Reader::node)?,
            input: InputPort {
                tensor: r.size()?,
                shape: r.list(4, Reader::size)?,
                transform: r.input()?,
            },
            output: OutputPort {
                tensor: r.size()?,
                shape: r.list(4, Reader::size)?,
                transform: r.output()?,
            },
        };
        let left = bytes.len() - r.offset;
        if left > 0 {
            return Err(DecodeError::Trailing { left });
        }
        graph.validate()?;
        Ok(graph)
    }
}
