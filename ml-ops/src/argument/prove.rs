//! The prover of a graph's relations: the mirror of [`verify`](super::verify), message for message.

use std::borrow::Cow;

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::onehot::{self, OneHotClaim};
use binfer_iop::indexed::table::{self, TableClaim, TableInput, TableStatement, histogram};
use binfer_iop::indexed::tiles;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{self, BoxShape, LeafClaim, RootClaim, Tree};
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Oracle, Params};
use rayon::prelude::*;

use super::bases::{Drawn, frobenius_points, map_tables, powers};
use super::entries::{Entries, entries, words};
use super::gvector::{GClaims, prove_g_claims, prove_g_tables};
use super::layout::Layout;
use super::plan::{Chunk, MatMul, Origin, Outputs, Plan, Relu};
use super::relu_constraints;
use super::tables::Table;
use super::verify::output_chunks;
use crate::graph::{Graph, Values, WeightMatrix};

/// The words of a model's oracle, for its commitment.
pub(crate) fn model_words(graph: &Graph, plan: &Plan, weights: &[WeightMatrix]) -> Vec<F128> {
    let model: Vec<Entries<'_>> = plan
        .matrices
        .iter()
        .map(|matrix| Entries::of_model(matrix, weights).unwrap_or(Entries::Wide(Vec::new())))
        .collect();
    let _ = graph;
    words(plan, Origin::Model, &model)
}
