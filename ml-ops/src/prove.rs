//! Committing to a model, and proving what it maps an input to.

#[cfg(test)]
mod forgeries;

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_pcs::{Oracle, Params};
use rand::RngCore;
use thiserror::Error;

use crate::argument::{self, Plan, Prover, SALT_WORDS, model_shape, model_words};
use crate::array::Array;
use crate::commitment::ModelCommitment;
use crate::graph::{Model, PortError};
use crate::interpret::{self, RunError, Trace};
use crate::proof::Proof;
use crate::statement::transcript;

/// The random words that hide equality of weights: keep them with the model.
pub type Salt = [u8; 16 * SALT_WORDS];

/// A model ready to prove: its weights, encoded and hashed once, and its commitment.
pub struct ProverKey {
    model: Model,
    oracle: Oracle,
    commitment: ModelCommitment,
}

/// Why [`ProverKey::prove`] gives no proof.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ProveError {
    /// The input does not fit the model.
    #[error("input: {0}")]
    Input(PortError),
    /// The output does not fit the model.
    #[error("output: {0}")]
    Output(PortError),
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
        let plan = Plan::new(&model.graph, 1);
        let mut words = model_words(&plan, &model.weights);
        let shape = model_shape(words.len());
        let (salt_words, _) = salt.as_chunks::<16>();
        words.extend(salt_words.iter().map(|&w| F128::from_le_bytes(w)));
        let oracle = binfer_pcs::commit(&params, shape.log_row, words);
        let commitment =
            ModelCommitment { graph: model.graph.clone(), params, root: oracle.root() };
        Self { model, oracle, commitment }
    }

    /// The public commitment.
    pub fn commitment(&self) -> &ModelCommitment {
        &self.commitment
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Runs the exact interpreter.
    ///
    /// # Errors
    /// Where the input does not fit or an accumulator exceeds its declared width.
    pub fn run(&self, input: &Array) -> Result<Array, ProveError> {
        run(&self.model, input)
    }

    /// Proves that the model maps `input` to `output`; `progress` hears each phase's name as it starts.
    ///
    /// # Errors
    /// [`ProveError`] where it does not, or where the arrays do not fit the model.
    pub fn prove(
        &self,
        input: &Array,
        output: &Array,
        progress: &mut (dyn FnMut(&'static str) + Send),
    ) -> Result<Proof, ProveError> {
        let graph = &self.model.graph;
        progress("run");
        let (values, batch) =
            graph.input.encode(graph.input_shape(), input).map_err(ProveError::Input)?;
        let trace = interpret::run(&self.model, &values, batch.size)?;
        let expected =
            graph.output.encode(graph.output_shape(), output, batch).map_err(ProveError::Output)?;
        if trace.tensors[graph.output.tensor] != expected {
            return Err(ProveError::WrongOutput);
        }
        self.prove_trace(input, output, &trace, batch.size, progress)
    }

    /// Proves from a trace, which is taken as it is: a false one gives a proof that is rejected.
    fn prove_trace(
        &self,
        input: &Array,
        output: &Array,
        trace: &Trace,
        batch: usize,
        progress: &mut (dyn FnMut(&'static str) + Send),
    ) -> Result<Proof, ProveError> {
        let number = u32::try_from(batch).map_err(|_| ProveError::Batch { got: batch })?;
        let plan = Plan::new(&self.model.graph, batch);
        let entries = argument::entries(&self.model, &plan, trace);
        let entries = entries.ok_or(ProveError::Range)?;
        let mut channel = ProverChannel::new(transcript(&self.commitment, input, output));
        let prover = Prover {
            graph: &self.model.graph,
            plan: &plan,
            params: &self.commitment.params,
            model: &self.oracle,
            entries: &entries,
        };
        // Within the pool, so that no step waits for another thread to take it up.
        rayon::scope(|_| prover.prove(&mut channel, progress));
        Ok(Proof { commitment: self.commitment.clone(), batch: number, messages: channel.finish() })
    }
}

/// Runs a model's exact interpreter on an array.
///
/// # Errors
/// Where the input does not fit or an accumulator exceeds its declared width.
pub fn run(model: &Model, input: &Array) -> Result<Array, ProveError> {
    let graph = &model.graph;
    let (values, batch) =
        graph.input.encode(graph.input_shape(), input).map_err(ProveError::Input)?;
    let trace = interpret::run(model, &values, batch.size)?;
    let values = &trace.tensors[graph.output.tensor];
    let output = graph.output.decode(graph.output_shape(), values, batch);
    output.map_err(ProveError::Output)
}
