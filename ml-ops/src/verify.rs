//! Verification: a commitment, an input, an output and the bytes of a proof.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::BTreeMap;

use binfer_iop::channel::{Estimator, ProofReader, Sent, SoundnessTerm, VerifyError, log2_sum};
use thiserror::Error;

use crate::argument::{self, GroupSize, Plan, ReachError, Requantized, Statement};
use crate::array::Array;
use crate::commitment::ModelCommitment;
use crate::graph::{Graph, InputError, PortError, TensorId, TensorKind, TensorShape, Values};
use crate::proof::{Proof, ProofError};
use crate::statement::transcript;

/// Bits of soundness of the least convincing proof that is accepted.
pub const LEAST_BITS: f64 = 100.0;

/// Why [`verify`] does not accept.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum Rejection {
    /// Inputs do not fit the model.
    #[error(transparent)]
    Input(#[from] InputError),
    /// There are more or fewer outputs than the model has.
    #[error("{got} outputs of a model that has {expected}")]
    OutputCount {
        /// How many the model has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// The output does not fit the model, or holds a value that it cannot give.
    #[error("output: {0}")]
    Output(PortError),
    /// The proof's header is malformed.
    #[error("proof: {0}")]
    Proof(#[from] ProofError),
    /// The proof was made under another commitment.
    #[error("the proof was made under another commitment")]
    OtherModel,
    /// The proof was made for another batch size.
    #[error("the proof is of a batch of {got}, the input of one of {expected}")]
    OtherBatch {
        /// Samples in the input.
        expected: usize,
        /// Samples that the proof names.
        got: usize,
    },
    /// What the proof declares of saturated outputs is not what a proof of the model can.
    #[error("reaches: {0}")]
    Reach(#[from] ReachError),
    /// The argument does not convince.
    #[error("{0}")]
    Argument(#[from] VerifyError),
    /// The proof convinces, but of too little: the commitment's parameters are weak, or the batch is too large for them.
    #[error("the proof has {got:.2} bits of soundness, and {LEAST_BITS} are asked for")]
    Security {
        /// Minus the logarithm of the union bound over all terms that the verifier has stated.
        got: f64,
    },
    /// The model has no nodes and the output is not the input.
    #[error("the output is not the input")]
    NotIdentity,
    /// The model's output is a constant, and the output is another one.
    #[error("the output is not the model's constant")]
    NotConstant,
}

impl Rejection {
    /// Whether it is the input or the output, not the proof, that is malformed.
    pub fn is_malformed_input(&self) -> bool {
        let of_port = |e: &PortError| !matches!(e, PortError::NoSuchOutput { .. });
        match self {
            Self::Input(_) | Self::OutputCount { .. } => true,
            Self::Output(e) => of_port(e),
            _ => false,
        }
    }
}

/// Accepts iff `proof` convinces that the model under `commitment` maps `input` to `output`: each an array, or all arrays
/// in their order of a model that has several.
///
/// Time and memory grow with the sizes of inputs and outputs and the widths of layers, not with the
/// number of weights. Where the feature `prover` is on, threads of rayon's pool share the work of large models. What the verifier states of its own error comes to [`LEAST_BITS`] at least.
///
/// # Errors
/// [`Rejection`] with the reason; on any bytes, without panic.
pub fn verify(
    commitment: &ModelCommitment,
    input: &(impl AsRef<[Array]> + ?Sized),
    output: &(impl AsRef<[Array]> + ?Sized),
    proof: &[u8],
) -> Result<(), Rejection> {
    verify_arrays(commitment, input.as_ref(), output.as_ref(), proof)
}

fn verify_arrays(
    commitment: &ModelCommitment,
    inputs: &[Array],
    outputs: &[Array],
    proof: &[u8],
) -> Result<(), Rejection> {
    let graph = &commitment.graph;
    let (in_values, batch) = graph.encode(inputs)?;
    let in_values: BTreeMap<TensorId, Values> =
        graph.inputs().map(|port| port.tensor).zip(in_values).collect();
    let (expected, got) = (graph.outputs().count(), outputs.len());
    if expected != got {
        return Err(Rejection::OutputCount { expected, got });
    }
    let mut out_values = BTreeMap::new();
    for (port, output) in graph.outputs().zip(outputs) {
        if let Some(shape) = graph.tensors.get(port.tensor) {
            let values = port.encode(shape, output, batch).map_err(Rejection::Output)?;
            out_values.insert(port.tensor, values);
        }
    }
    let proof = Proof::parts(proof)?;
    if proof.commitment != commitment.as_bytes() {
        // Commitments have one encoding each, so these are another's bytes, or nobody's.
        ModelCommitment::from_bytes(proof.commitment).map_err(ProofError::from)?;
        return Err(Rejection::OtherModel);
    }
    if proof.batch as usize != batch.size {
        return Err(Rejection::OtherBatch { expected: batch.size, got: proof.batch as usize });
    }
    let constants = constants(graph, batch.size);
    let differ = |known: &BTreeMap<TensorId, Values>| {
        out_values.iter().any(|(t, output)| known.get(t).is_some_and(|known| known != output))
    };
    if differ(&in_values) {
        return Err(Rejection::NotIdentity);
    }
    if differ(&constants) {
        return Err(Rejection::NotConstant);
    }
    let declared = Requantized::new(graph).declared(proof.reaches)?;
    let (params, digest) = (&commitment.params, commitment.digest());
    let start = transcript(params, &digest, proof.group_size, proof.reaches, inputs, outputs);
    let mut channel = ProofReader::new(start, proof.messages);
    let plan = Plan::declared(graph, batch.size, declared);
    let statement = Statement {
        graph,
        plan: &plan,
        params: &commitment.params,
        group_size: proof.group_size,
        root: commitment.root,
        inputs: &in_values,
        outputs: &out_values,
        constants: &constants,
    };
    argument::verify(&mut channel, &statement)?;
    let got = channel.soundness_bits();
    channel.finish()?;
    // Parameters and graph are the committer's choice.
    if got >= LEAST_BITS { Ok(()) } else { Err(Rejection::Security { got }) }
}

/// The constants of a graph, in all samples of a batch.
fn constants(graph: &Graph, batch: usize) -> BTreeMap<TensorId, Values> {
    let repeated = |(y, codes): (TensorId, &[u8])| {
        let rows = graph.tensors.get(y)?.rows_per_sample;
        Some((y, Values::repeated(codes, rows, batch)))
    };
    graph.constants().filter_map(repeated).collect()
}

/// What a proof of a batch is worth and costs, computed without one.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Soundness errors, one entry a label, largest first.
    pub terms: Vec<SoundnessTerm>,
    /// Bits of soundness: minus the logarithm of the union bound over all terms.
    pub soundness_bits: f64,
    /// Prover messages by label, the most bytes first; Merkle paths vary a little with the positions drawn.
    pub sent: Vec<Sent>,
}

impl Estimate {
    /// Prover messages.
    pub fn messages(&self) -> usize {
        self.sent.iter().map(|sent| sent.messages).sum()
    }

    /// Bytes of those messages.
    pub fn bytes(&self) -> usize {
        self.sent.iter().map(|sent| sent.bytes).sum()
    }
}

/// Runs the verifier without a proof, for `batch` samples in groups of the default size, whose outputs saturate as far as any can.
/// Memory grows with `batch`: bound one that an untrusted proof names.
pub fn estimate(commitment: &ModelCommitment, batch: usize) -> Estimate {
    estimate_in_groups(commitment, batch, GroupSize::default())
}

/// [`estimate`] with groups of another size.
pub fn estimate_in_groups(
    commitment: &ModelCommitment,
    batch: usize,
    group_size: GroupSize,
) -> Estimate {
    let graph = &commitment.graph;
    estimate_plan(commitment, &Plan::new(graph, batch), group_size)
}

/// [`estimate`] for what a proof says of itself.
///
/// # Errors
/// [`ReachError`] where it declares what no proof of the model can.
pub fn estimate_of(proof: &Proof) -> Result<Estimate, ReachError> {
    let graph = &proof.commitment.graph;
    let declared = Requantized::new(graph).declared(&proof.reaches)?;
    let plan = Plan::declared(graph, proof.batch(), declared);
    Ok(estimate_plan(&proof.commitment, &plan, proof.group_size))
}

fn estimate_plan(commitment: &ModelCommitment, plan: &Plan, group_size: GroupSize) -> Estimate {
    let batch = plan.batch;
    let graph = &commitment.graph;
    let blank = |shape: &TensorShape| match shape.kind {
        TensorKind::Code => Values::Codes(vec![0; batch * shape.per_sample()]),
        TensorKind::Integer { .. } => Values::Integers(vec![0; batch * shape.per_sample()]),
    };
    let of_tensor = |t: TensorId| Some((t, blank(graph.tensors.get(t)?)));
    let outputs = graph.outputs().map(|port| port.tensor).filter_map(of_tensor).collect();
    let inputs = graph.inputs().map(|port| port.tensor).filter_map(of_tensor).collect();
    let mut channel = Estimator::new();
    let statement = Statement {
        graph,
        plan,
        params: &commitment.params,
        group_size,
        root: commitment.root,
        inputs: &inputs,
        outputs: &outputs,
        constants: &constants(graph, batch),
    };
    // Checks pass by construction and nothing is read, so there is nothing that can fail.
    let _ = argument::verify(&mut channel, &statement);
    let mut terms: Vec<SoundnessTerm> = Vec::new();
    for term in channel.terms() {
        match terms.iter_mut().find(|t| t.label == term.label) {
            Some(known) => known.log2_error = log2_sum([known.log2_error, term.log2_error]),
            None => terms.push(term.clone()),
        }
    }
    terms.sort_by(|a, b| b.log2_error.total_cmp(&a.log2_error));
    let soundness_bits = -log2_sum(terms.iter().map(|t| t.log2_error));
    let mut sent = channel.sent().to_vec();
    sent.sort_by_key(|sent| core::cmp::Reverse(sent.bytes));
    Estimate { terms, soundness_bits, sent }
}
