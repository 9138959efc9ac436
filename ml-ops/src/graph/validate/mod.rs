//! What makes a graph valid, and the bounds on accumulators that follow from public data alone.

mod argmax;
mod batch;
mod bounds;
mod gather;
mod node;
mod ports;
mod sizes;
mod steps;
mod sum;

#[cfg(feature = "prover")]
pub(crate) use bounds::bound;

use super::{Graph, GraphError};
use gather::Positions;

/// Most elements of a weight matrix, of one sample of a tensor, and of a gathered matrix: `2^28`.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Most bytes of a graph's or a node's name.
pub const MAX_NAME_BYTES: usize = 1024;

/// Most positions of gathered matrices that are looked at one by one, in all nodes together: those of a
/// [`Max`](super::Op::Max), each of whose taps counts as `2^11` more, or an [`ArgMax`](super::Op::ArgMax), and of a
/// [`Combine`](super::Op::Combine) that joins codes at each other's holes.
pub const MAX_POSITIONS: usize = 1 << 26;

/// Most values of edges, tables and gathers, in all nodes together: `2^26`. A step counts as 128 at least.
pub const MAX_ENTRIES: usize = 1 << 26;

/// Most terms of a [`Combine`](super::Op::Combine), which proofs compare with each other: `2^12`.
pub const MAX_TERMS: usize = 1 << 12;

/// Largest size of a value of a [`Function`](super::Function), and of its factor of integers: `2^61`.
pub const MAX_IMAGE: u64 = 1 << 61;

/// Most bits of the elements and of the outputs of an [`ArgMax`](super::Op::ArgMax) together.
pub const MAX_ARG_BITS: u32 = 62;

/// Bound on the size of accumulators that become codes, and of those of matmuls of two tensors.
const MAX_REQUANTIZED: i128 = 1 << 62;

impl Graph {
    /// Whether every invariant holds that functions over graphs rely on.
    ///
    /// Sizes are within [`MAX_ELEMENTS`]; each tensor is written exactly once, before it is read; each
    /// weight matrix is used by exactly one node; shapes and kinds agree; gathers read their source's axes; steps
    /// are monotone functions into their type; accumulators and sums are bounded; each maximum is one of at least
    /// one code, and an index of a maximum holds the numbers of all. What this costs is linear in the graph and [`MAX_POSITIONS`].
    ///
    /// # Errors
    /// The first [`GraphError`] found.
    pub fn validate(&self) -> Result<(), GraphError> {
        check_name(&self.name)?;
        self.check_tensors()?;
        self.check_weights()?;
        self.check_inputs()?;
        self.check_entries(MAX_ENTRIES)?;
        let mut written = vec![false; self.tensors.len()];
        let mut positions = Positions::new();
        let mut uses = vec![0usize; self.weights.len()];
        self.inputs().for_each(|port| written[port.tensor] = true);
        for (index, node) in self.nodes.iter().enumerate() {
            self.check_node(index, node, &mut written, &mut uses, &mut positions)?;
        }
        if let Some(tensor) = written.iter().position(|&w| !w) {
            return Err(GraphError::NeverWritten { tensor });
        }
        if let Some(weights) = uses.iter().position(|&u| u != 1) {
            let uses = uses[weights];
            return Err(GraphError::WeightUses { weights, uses });
        }
        self.check_outputs()
    }
}

fn check_name(name: &str) -> Result<(), GraphError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(GraphError::Name { bytes: name.len() });
    }
    Ok(())
}
