//! The canonical byte encoding of a graph: one byte string for each graph, and nothing else decodes.
//!
//! A number is spelled in groups of seven bits, the lowest first, one a byte, the eighth bit set in all but the last; one
//! with a sign as twice itself, or twice its complement and one. A count or size is a number; a list is its count and its
//! elements; a name is its length and UTF-8; a float is its four bytes, little-endian; an option is a byte, 0 or 1, and then
//! what it holds; an enum is a tag, a byte, and the variant's fields in the order of their declaration.
//!
//! Edges, tables and gathers are written out once: where one comes again there is the byte 255 and its number among those of its
//! kind. What edges and tables are is in `values`: rounded lines take about ten bytes. Of a step that differs from the one before in
//! its scale alone, the scale is all that is written.
//!
//! A decoder encodes what it has read again, and takes no other bytes than these.

mod line;
mod model;
mod read;
mod values;
mod write;

pub use model::{MODEL_MAGIC, MODEL_VERSION};

use super::{Graph, GraphError, MAX_ENTRIES};
use read::Reader;
use thiserror::Error;
use write::Writer;

/// Version of the encoding, its second field, of a graph with one input and one output.
pub const FORMAT_VERSION: u32 = 4;

/// Version of the encoding of a graph with several: the list of the others follows.
const SEVERAL_OUTPUTS: u32 = 5;

/// Version of the encoding of a graph with several inputs: what follows are the lists of other outputs, other inputs and names.
const SEVERAL_INPUTS: u32 = 6;

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
    /// A number is too large for what it is, or for 64 bits.
    #[error("the number at offset {offset} is out of range")]
    Number {
        /// Where it starts.
        offset: usize,
    },
    /// A reference is to nothing that came before.
    #[error("the reference at offset {offset} is to number {number}, which did not come before")]
    Reference {
        /// Where the number is.
        offset: usize,
        /// The number.
        number: usize,
    },
    /// Edges, tables and gathers have more than [`MAX_ENTRIES`] values in all.
    #[error("edges, tables and gathers up to offset {offset} have more than {MAX_ENTRIES} values")]
    Entries {
        /// Where they exceed it.
        offset: usize,
    },
    /// The bytes say what fewer or other bytes say.
    #[error("the bytes are another encoding of a graph than its own")]
    NotCanonical,
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
        let mut w = Writer::default();
        w.bytes.extend(MAGIC);
        let version = match (self.more_inputs.is_empty(), self.more_outputs.is_empty()) {
            (true, true) => FORMAT_VERSION,
            (true, false) => SEVERAL_OUTPUTS,
            (false, _) => SEVERAL_INPUTS,
        };
        w.bytes.extend(version.to_le_bytes());
        w.name(&self.name);
        w.list(&self.tensors, Writer::tensor);
        w.list(&self.weights, Writer::weights);
        w.list(&self.nodes, Writer::node);
        w.input_port(&self.input);
        w.output_port(&self.output);
        if version != FORMAT_VERSION {
            w.list(&self.more_outputs, Writer::output_port);
        }
        if version == SEVERAL_INPUTS {
            w.list(&self.more_inputs, Writer::input_port);
            w.list(&self.input_names, |w, name| w.name(name));
        }
        w.bytes
    }

    /// The valid graph that `bytes` encode: `to_bytes` of the result is `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] on any other bytes. What is allocated is at most proportional to `bytes` and [`MAX_ENTRIES`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        if r.array::<8>()? != MAGIC {
            return Err(DecodeError::Magic);
        }
        let version = u32::from_le_bytes(r.array()?);
        if ![FORMAT_VERSION, SEVERAL_OUTPUTS, SEVERAL_INPUTS].contains(&version) {
            return Err(DecodeError::Version { got: version });
        }
        let mut graph = Self {
            name: r.name()?,
            tensors: r.list(3, Reader::tensor)?,
            weights: r.list(5, Reader::weights)?,
            nodes: r.list(4, Reader::node)?,
            input: r.input_port()?,
            output: r.output_port()?,
            more_inputs: Vec::new(),
            input_names: Vec::new(),
            more_outputs: Vec::new(),
        };
        if version != FORMAT_VERSION {
            graph.more_outputs = r.list(3, Reader::output_port)?;
        }
        if version == SEVERAL_INPUTS {
            graph.more_inputs = r.list(3, Reader::input_port)?;
            graph.input_names = r.list(1, Reader::name)?;
        }
        let left = bytes.len() - r.offset;
        if left > 0 {
            return Err(DecodeError::Trailing { left });
        }
        graph.validate()?;
        if graph.to_bytes() != bytes {
            return Err(DecodeError::NotCanonical);
        }
        Ok(graph)
    }
}
