//! Keys whose encoded weights are in a file: made once, then mapped.

use std::fs::File;
use std::io;

use binfer_hash::{Digest, HashKind};
use binfer_pcs::Params;
use binfer_pcs::store::{self, OracleId, StoreError};
use thiserror::Error;

use super::{ProverKey, Salt, oracle_words};
use crate::argument::{Plan, model_shape, model_weights};
use crate::commitment::ModelCommitment;
use crate::graph::{Graph, Model, WeightMatrix};

/// Why [`ProverKey::open`] gives no key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is not the oracle of this commitment.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The weights that are given are not those that the file was made for, or those in it are damaged.
    #[error("the weights are not those that the oracle was made for, or damaged")]
    Weights,
}

impl ProverKey {
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
        let (log_row, words) = oracle_words(model, &params, salt);
        let label = weights_digest(&model.weights);
        let id = store::create(&params, log_row, words, &label, file)?;
        Ok(ModelCommitment::new(model.graph.clone(), params, id.root))
    }

    /// The key that [`Self::create`] left in `file`, which must not change as long as the key lives.
    ///
    /// The model is the commitment's graph with `weights`, or else with those that the file holds, which are copied; they are hashed. Of the
    /// rest nothing is copied and only the first page checked; every proof of such a key is verified before it is given out.
    ///
    /// # Errors
    /// [`OpenError`] where commitment, weights and file do not belong together, or the file's weights are damaged.
    pub fn open(
        commitment: ModelCommitment,
        weights: Option<Vec<WeightMatrix>>,
        file: &File,
    ) -> Result<Self, OpenError> {
        let (params, graph) = (commitment.params, &*commitment.graph);
        let plan = Plan::new(graph, 1);
        let shape = model_shape(&params, &plan);
        let (oracle, label) =
            store::open(&OracleId { params, shape, root: commitment.root }, file)?;
        let read = || model_weights(&plan, graph.weights.len(), oracle.words());
        let weights = weights.unwrap_or_else(read);
        if weights_digest(&weights) != label {
            return Err(OpenError::Weights);
        }
        let model = Model { graph: Graph::clone(graph), weights };
        Ok(Self::from_oracle(model, oracle, commitment, true))
    }
}

/// What tells the weights of one model from those of another with the same graph.
fn weights_digest(weights: &[WeightMatrix]) -> Digest {
    let mut digests = Vec::new();
    for matrix in weights {
        digests.extend(HashKind::Blake3.hash(&matrix.index));
        let bias: Vec<u8> = matrix.bias.iter().flat_map(|b| b.to_le_bytes()).collect();
        digests.extend(HashKind::Blake3.hash(&bias));
    }
    HashKind::Blake3.hash(&digests)
}
