//! Committing to a model, and proving what it maps an input to.

#[cfg(test)]
mod forged;
#[cfg(test)]
mod forged_activations;
#[cfg(test)]
mod forged_argmax;
#[cfg(test)]
mod forged_codes;
#[cfg(test)]
mod forged_constants;
#[cfg(test)]
mod forged_inputs;
#[cfg(test)]
mod forged_nodes;
#[cfg(test)]
mod forged_outputs;
#[cfg(test)]
mod forged_powers;
#[cfg(test)]
mod forged_wide;
#[cfg(test)]
mod forgeries;
mod stored;
#[cfg(test)]
mod weak;

pub use stored::OpenError;

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_pcs::{Oracle, Params};
use rand::RngCore;
use thiserror::Error;

use crate::argument::{
    self, Costs, Entries, GroupSize, Plan, Prover, Requantized, SALT_WORDS, model_shape,
    model_words, soundness_at_most,
};
use crate::array::Array;
use crate::commitment::ModelCommitment;
use crate::graph::{InputError, Model, OutputPort, PortError, Values};
use crate::interpret::{self, RunError, Trace};
use crate::proof::Proof;
use crate::statement::transcript;
use crate::verify::{LEAST_BITS, Rejection, verify};

/// The random words that hide equality of weights: keep them with the model.
pub type Salt = [u8; 16 * SALT_WORDS];

/// A model ready to prove: its weights, encoded and hashed once, and its commitment.
pub struct ProverKey {
    model: Model,
    oracle: Oracle,
    commitment: ModelCommitment,
    group_size: GroupSize,
    max_memory: Option<u64>,
    /// Whether the oracle comes from outside, so that its proofs are in doubt.
    stored: bool,
}

/// Why [`ProverKey::prove`] gives no proof.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ProveError {
    /// Inputs do not fit the model.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The output does not fit the model.
    #[error("output: {0}")]
    Output(PortError),
    /// There are more or fewer outputs than the model has.
    #[error("{got} outputs of a model that has {expected}")]
    OutputCount {
        /// How many the model has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// The model cannot be run on the input.
    #[error("run: {0}")]
    Run(#[from] RunError),
    /// The model gives another output.
    #[error("the model maps the input to another output")]
    WrongOutput,
    /// The batch has more samples than a proof can name.
    #[error("a batch of {got} samples is too large")]
    Batch {
        /// Its size.
        got: usize,
    },
    /// An integer of the trace exceeds the width that the graph gives it.
    #[error("an integer of the trace exceeds its declared width")]
    Range,
    /// The cap on memory is too low for any proof of the batch.
    #[error("the proof takes up to {needed} bytes of memory, and {given} are given")]
    Memory {
        /// A bound on what the proof with the smallest groups takes.
        needed: u64,
        /// The cap.
        given: u64,
    },
    /// Proofs of the batch would convince of less than they should: a commitment with few queries, or a trace of many times the
    /// model's size.
    #[error(
        "a proof of a batch of {batch} has {got:.2} bits of soundness at most, and {LEAST_BITS} are asked for; prove it in parts"
    )]
    Security {
        /// Samples.
        batch: usize,
        /// The most bits that it has.
        got: f64,
    },
    /// The proof from a stored oracle is rejected.
    #[error("the stored oracle is damaged: a proof made from it is rejected ({0})")]
    Damaged(Box<Rejection>),
}

/// A random salt.
pub fn random_salt(rng: &mut impl RngCore) -> Salt {
    let mut salt = Salt::default();
    rng.fill_bytes(&mut salt);
    salt
}

impl ProverKey {
    /// Commits to `model`. The same model, parameters and salt give the same commitment.
    ///
    /// Precondition: the model and the parameters are valid, as imports and decoders give them.
    pub fn new(model: Model, params: Params, salt: &Salt) -> Self {
        let (log_row, words) = oracle_words(&model, &params, salt);
        let oracle = binfer_pcs::commit(&params, log_row, words);
        let graph = model.graph.clone();
        let commitment = ModelCommitment::new(graph, params, oracle.root());
        Self::from_oracle(model, oracle, commitment, false)
    }

    fn from_oracle(
        model: Model,
        oracle: Oracle,
        commitment: ModelCommitment,
        stored: bool,
    ) -> Self {
        let group_size = GroupSize::default();
        Self { model, oracle, commitment, group_size, max_memory: None, stored }
    }

    /// The public commitment.
    pub fn commitment(&self) -> &ModelCommitment {
        &self.commitment
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Proves in groups of another size from here on, or of a smaller one where there is a cap on memory.
    pub fn set_group_size(&mut self, group_size: GroupSize) {
        self.group_size = group_size;
    }

    /// Proves in at most so many bytes of memory from here on, all of the process counted: in smaller
    /// groups if need be, and not at all if the smallest take more.
    pub fn set_max_memory(&mut self, bytes: Option<u64>) {
        self.max_memory = bytes;
    }

    /// A bound on the memory of a proof for `batch` samples with the present group size, in bytes: all that
    /// the process has in memory, this key, the input and the output included. From public shapes alone, for outputs that
    /// saturate as far as any can.
    pub fn memory_bound(&self, batch: usize) -> u64 {
        self.costs(&Plan::new(&self.model.graph, batch)).bytes(self.group_size)
    }

    fn costs<'a>(&'a self, plan: &'a Plan) -> Costs<'a> {
        let (graph, params) = (&self.model.graph, &self.commitment.params);
        Costs { graph, plan, params }
    }

    /// The largest groups, up to the present size, whose memory is within the cap.
    fn fitting_group_size(&self, plan: &Plan) -> Result<GroupSize, ProveError> {
        let Some(given) = self.max_memory else { return Ok(self.group_size) };
        let costs = self.costs(plan);
        let mut sizes = (0..=self.group_size.log_leaves()).rev().filter_map(GroupSize::new);
        let needed = |size| costs.bytes(size);
        sizes
            .find(|&size| needed(size) <= given)
            .ok_or_else(|| ProveError::Memory { needed: needed(GroupSize::MIN), given })
    }

    /// Runs the exact interpreter on an array, or all of a model that has several inputs; of several outputs, [`run_all`] of [`Self::model`] gives all, this the first.
    ///
    /// # Errors
    /// Where the input does not fit or an accumulator exceeds its declared width.
    pub fn run(&self, input: &(impl AsRef<[Array]> + ?Sized)) -> Result<Array, ProveError> {
        run(&self.model, input)
    }

    /// Proves that the model maps `input` to `output`, each an array or all arrays of a model that has several; `progress`
    /// hears each phase's name as it starts.
    ///
    /// # Errors
    /// [`ProveError`] where it does not, or where the arrays do not fit the model.
    pub fn prove(
        &self,
        input: &(impl AsRef<[Array]> + ?Sized),
        output: &(impl AsRef<[Array]> + ?Sized),
        progress: &mut (dyn FnMut(&'static str) + Send),
    ) -> Result<Proof, ProveError> {
        let (inputs, outputs) = (input.as_ref(), output.as_ref());
        // Within the pool, so that no step waits for another thread to take it up.
        rayon::scope(|_| self.prove_here(inputs, outputs, progress))
    }

    /// [`Self::prove`] on the thread that calls it and those that it shares work with.
    fn prove_here(
        &self,
        inputs: &[Array],
        outputs: &[Array],
        progress: &mut (dyn FnMut(&'static str) + Send),
    ) -> Result<Proof, ProveError> {
        let graph = &self.model.graph;
        let (expected, got) = (graph.outputs().count(), outputs.len());
        if expected != got {
            return Err(ProveError::OutputCount { expected, got });
        }
        progress("run");
        let (values, batch) = graph.encode(inputs)?;
        let trace = interpret::run(&self.model, &values, batch.size)?;
        let declared = Requantized::new(graph).of_run(graph, &trace);
        let plan = Plan::declared(graph, batch.size, declared);
        let got = soundness_at_most(&self.commitment.params, &plan);
        if got < LEAST_BITS {
            return Err(ProveError::Security { batch: batch.size, got });
        }
        let group_size = self.fitting_group_size(&plan)?;
        for (port, output) in graph.outputs().zip(outputs) {
            let (shape, values) = (&graph.tensors[port.tensor], &trace.tensors[port.tensor]);
            if !port.gives(shape, values, output, batch).map_err(ProveError::Output)? {
                return Err(ProveError::WrongOutput);
            }
        }
        let statement = (inputs, outputs, batch.size);
        let proof = self.prove_plan(&plan, group_size, statement, trace, progress)?;
        // The verification has a plan of its own.
        drop(plan);
        if self.stored {
            progress("verify");
            verify(&self.commitment, inputs, outputs, &proof.to_bytes())
                .map_err(|rejection| ProveError::Damaged(Box::new(rejection)))?;
        }
        Ok(proof)
    }

    /// Proves from a trace, which is taken as it is: a false one gives a proof that is rejected.
    fn prove_plan(
        &self,
        plan: &Plan,
        group_size: GroupSize,
        statement: (&[Array], &[Array], usize),
        trace: Trace,
        progress: &mut (dyn FnMut(&'static str) + Send),
    ) -> Result<Proof, ProveError> {
        let Trace { tensors, accumulators } = trace;
        let entries = argument::entries(&self.model, plan, &tensors, &accumulators);
        let entries = entries.ok_or(ProveError::Range)?;
        // Distances say what a proof says of them.
        drop(accumulators);
        let held = (&tensors[..], &entries[..]);
        self.prove_entries(plan, group_size, statement, held, progress)
    }

    /// Proves from tensors and the entries of all matrices, which are taken as they are.
    fn prove_entries(
        &self,
        plan: &Plan,
        group_size: GroupSize,
        (inputs, outputs, batch): (&[Array], &[Array], usize),
        (tensors, entries): (&[Values], &[Entries<'_>]),
        progress: &mut (dyn FnMut(&'static str) + Send),
    ) -> Result<Proof, ProveError> {
        let number = u32::try_from(batch).map_err(|_| ProveError::Batch { got: batch })?;
        let (params, digest) = (&self.commitment.params, self.commitment.digest());
        let start =
            transcript(params, &digest, group_size, &plan.declared.reaches, inputs, outputs);
        let mut channel = ProverChannel::new(start);
        let prover = Prover {
            graph: &self.model.graph,
            plan,
            params: &self.commitment.params,
            group_size,
            model: &self.oracle,
            tensors,
            entries,
        };
        prover.prove(&mut channel, progress);
        let (commitment, messages) = (self.commitment.clone(), channel.finish());
        let reaches = plan.declared.reaches.clone();
        Ok(Proof { commitment, batch: number, group_size, reaches, messages })
    }
}

impl ModelCommitment {
    /// Refuses a cap of `given` bytes on memory that no proof for `batch` samples is within, whatever the input: before weights are
    /// read, what [`ProverKey::prove`] says after the run.
    ///
    /// # Errors
    /// [`ProveError::Memory`] with what a proof takes at most.
    pub fn check_memory(&self, batch: usize, given: u64) -> Result<(), ProveError> {
        let (graph, params) = (&*self.graph, &self.params);
        let requantized = Requantized::new(graph);
        let bound = |declared| {
            let plan = Plan::declared(graph, batch, declared);
            Costs { graph, plan: &plan, params }.bytes(GroupSize::MIN)
        };
        if bound(requantized.least()) <= given {
            return Ok(());
        }
        Err(ProveError::Memory { needed: bound(requantized.largest()), given })
    }
}

/// The row length and the words of a model's oracle.
fn oracle_words(model: &Model, params: &Params, salt: &Salt) -> (u32, Vec<F128>) {
    let plan = Plan::new(&model.graph, 1);
    let mut words = model_words(&plan, &model.weights);
    let (salt_words, _) = salt.as_chunks::<16>();
    words.extend(salt_words.iter().map(|&w| F128::from_le_bytes(w)));
    (model_shape(params, &plan).log_row, words)
}

/// Runs a model's exact interpreter on an array, or all of a model that has several inputs; of several outputs, [`run_all`] gives all, this the first.
///
/// # Errors
/// Where the input does not fit or an accumulator exceeds its declared width.
pub fn run(model: &Model, input: &(impl AsRef<[Array]> + ?Sized)) -> Result<Array, ProveError> {
    let mut outputs = run_all(model, input)?;
    Ok(outputs.swap_remove(0))
}

/// Runs a model's exact interpreter on an array, or all of a model that has several inputs: all its outputs, in their order.
///
/// # Errors
/// As of [`run`].
pub fn run_all(
    model: &Model,
    input: &(impl AsRef<[Array]> + ?Sized),
) -> Result<Vec<Array>, ProveError> {
    let graph = &model.graph;
    let (values, batch) = graph.encode(input.as_ref())?;
    let trace = interpret::run(model, &values, batch.size)?;
    let decode = |port: &OutputPort| {
        let (shape, values) = (&graph.tensors[port.tensor], &trace.tensors[port.tensor]);
        port.decode(shape, values, batch).map_err(ProveError::Output)
    };
    graph.outputs().map(decode).collect()
}
