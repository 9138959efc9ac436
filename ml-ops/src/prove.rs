//! Committing to a model, and proving what it maps an input to.

#[cfg(test)]
mod forgeries;

use std::fs::File;
use std::io;

use binfer_field::F128;
use binfer_hash::{Digest, HashKind};
use binfer_iop::channel::ProverChannel;
use binfer_pcs::store::{self, OracleId, StoreError};
use binfer_pcs::{Oracle, Params};
use rand::RngCore;
use thiserror::Error;

use crate::argument::{
    self, GroupSize, Layout, Origin, Plan, Prover, SALT_WORDS, model_shape, model_words,
};
use crate::array::Array;
use crate::commitment::ModelCommitment;
use crate::graph::{Model, PortError, Values};
use crate::interpret::{self, RunError};
use crate::proof::Proof;
use crate::statement::transcript;
use crate::verify::{Rejection, verify};

/// The random words that hide equality of weights: keep them with the model.
pub type Salt = [u8; 16 * SALT_WORDS];

/// A model ready to prove: its weights, encoded and hashed once, and its commitment.
pub struct ProverKey {
    model: Model,
    oracle: Oracle,
    commitment: ModelCommitment,
    group_size: GroupSize,
    /// Whether the oracle comes from outside, so that its proofs are in doubt.
    stored: bool,
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
    /// The proof from a stored oracle is rejected.
    #[error("the stored oracle is damaged: a proof made from it is rejected ({0})")]
    Damaged(Box<Rejection>),
}

/// Why [`ProverKey::open`] gives no key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The model has another graph than the commitment.
    #[error("the model's graph is not the committed one")]
    OtherGraph,
    /// The file is not the oracle of this model under this commitment.
    #[error(transparent)]
    Store(#[from] StoreError),
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
        let (log_row, words) = oracle_words(&model, salt);
        let oracle = binfer_pcs::commit(&params, log_row, words);
        let graph = model.graph.clone();
        let commitment = ModelCommitment { graph, params, root: oracle.root() };
        let group_size = GroupSize::default();
        Self { model, oracle, commitment, group_size, stored: false }
    }

    /// The commitment of [`Self::new`], and in `file`, which is empty, the weights encoded and hashed: what
    /// [`Self::open`] maps. They are as secret as the model.
    ///
    /// Memory beyond the model is little more than as many bytes as the weights have. Precondition: as for
    /// [`Self::new`].
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn create(
        model: &Model,
        params: Params,
        salt: &Salt,
        file: &File,
    ) -> io::Result<ModelCommitment> {
        let (log_row, words) = oracle_words(model, salt);
        let label = weights_digest(model);
        let id = store::create(&params, log_row, words, label, file)?;
        Ok(ModelCommitment { graph: model.graph.clone(), params, root: id.root })
    }

    /// The key that [`Self::create`] left in `file`, which must not change as long as the key lives.
    ///
    /// Nothing is copied and only the file's first page is checked; every proof of such a key is
    /// verified before it is given out.
    ///
    /// # Errors
    /// [`OpenError`] where model, commitment and file do not belong together.
    pub fn open(model: Model, commitment: ModelCommitment, file: &File) -> Result<Self, OpenError> {
        if model.graph != commitment.graph {
            return Err(OpenError::OtherGraph);
        }
        let id = OracleId {
            params: commitment.params,
            shape: model_shape(Layout::new(&Plan::new(&model.graph, 1), Origin::Model).n_words),
            label: weights_digest(&model),
            root: commitment.root,
        };
        let oracle = store::open(&id, file)?;
        Ok(Self { model, oracle, commitment, group_size: GroupSize::default(), stored: true })
    }

    /// The public commitment.
    pub fn commitment(&self) -> &ModelCommitment {
        &self.commitment
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Proves in groups of another size from here on.
    pub fn set_group_size(&mut self, group_size: GroupSize) {
        self.group_size = group_size;
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
        let proof = self.prove_trace(input, output, &trace.tensors, batch.size, progress)?;
        if self.stored {
            progress("verify");
            verify(&self.commitment, input, output, &proof.to_bytes())
                .map_err(|rejection| ProveError::Damaged(Box::new(rejection)))?;
        }
        Ok(proof)
    }

    /// Proves from a trace, which is taken as it is: a false one gives a proof that is rejected.
    fn prove_trace(
        &self,
        input: &Array,
        output: &Array,
        tensors: &[Values],
        batch: usize,
        progress: &mut (dyn FnMut(&'static str) + Send),
    ) -> Result<Proof, ProveError> {
        let number = u32::try_from(batch).map_err(|_| ProveError::Batch { got: batch })?;
        let plan = Plan::new(&self.model.graph, batch);
        let entries = argument::entries(&self.model, &plan, tensors, batch);
        let entries = entries.ok_or(ProveError::Range)?;
        let group_size = self.group_size;
        let start = transcript(&self.commitment, group_size, input, output);
        let mut channel = ProverChannel::new(start);
        let prover = Prover {
            graph: &self.model.graph,
            plan: &plan,
            params: &self.commitment.params,
            group_size,
            model: &self.oracle,
            entries: &entries,
        };
        // Within the pool, so that no step waits for another thread to take it up.
        rayon::scope(|_| prover.prove(&mut channel, progress));
        let (commitment, messages) = (self.commitment.clone(), channel.finish());
        Ok(Proof { commitment, batch: number, group_size, messages })
    }
}

/// The row length and the words of a model's oracle.
fn oracle_words(model: &Model, salt: &Salt) -> (u32, Vec<F128>) {
    let plan = Plan::new(&model.graph, 1);
    let mut words = model_words(&plan, &model.weights);
    let shape = model_shape(words.len());
    let (salt_words, _) = salt.as_chunks::<16>();
    words.extend(salt_words.iter().map(|&w| F128::from_le_bytes(w)));
    (shape.log_row, words)
}

/// What tells the weights of one model from those of another with the same graph.
fn weights_digest(model: &Model) -> Digest {
    let mut digests = Vec::new();
    for matrix in &model.weights {
        digests.extend(HashKind::Blake3.hash(&matrix.index));
        let bias: Vec<u8> = matrix.bias.iter().flat_map(|b| b.to_le_bytes()).collect();
        digests.extend(HashKind::Blake3.hash(&bias));
    }
    HashKind::Blake3.hash(&digests)
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
