//! The verifier of a graph's relations, over commitments to its weights and its trace.

#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

pub(super) mod factors;
mod later;
mod openings;
pub(super) mod paired;
mod relation;
pub(super) mod step;
mod sum;

use std::collections::BTreeMap;

use binfer_field::F128;
use binfer_hash::Digest;
use binfer_iop::channel::{SoundnessTerm, VerifierChannel, VerifyError};
use binfer_iop::claims::EvaluationClaim;
use binfer_iop::indexed::{onehot, wired};
use binfer_iop::join::Combined;
use binfer_iop::multilinear::log2_ceil;
use binfer_iop::product::{self, BoxShape, RootClaim};
use binfer_pcs::{ClaimGroup, Params};
#[cfg(feature = "prover")]
use {
    binfer_iop::channel::{Blank, Estimator, log2_sum},
    binfer_pcs::{Claim, Shape, Width},
};

use self::factors::{push_bits, verify_powers};
use self::later::Later;
use self::openings::Openings;
use self::relation::{Relation, verify_g_tables};
use self::step::{Indexed, PublicTables, TableStep};
use self::sum::SumCheck;
use super::bases::{AllBases, GroupBases, powers};
use super::groups::{self, GroupSize, GroupViews};
use super::layout::{Layout, model_shape};
use super::plan::{Factor, Origin, Output, Plan};
use super::planes;
use crate::graph::{Graph, TensorId, Values};
use crate::threads;

/// What is proved, as the verifier sees it.
pub(crate) struct Statement<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) params: &'a Params,
    pub(crate) group_size: GroupSize,
    /// The root of the model's oracle.
    pub(crate) root: Digest,
    /// The tensors that inputs become.
    pub(crate) inputs: &'a BTreeMap<TensorId, Values>,
    /// The tensors that outputs come from.
    pub(crate) outputs: &'a BTreeMap<TensorId, Values>,
    /// The constants of the graph, in all samples.
    pub(crate) constants: &'a BTreeMap<TensorId, Values>,
}

/// Verifies all relations and the openings they end in.
///
/// # Errors
/// The first check that fails, or the channel's errors.
pub(crate) fn verify<C: VerifierChannel + Send>(
    channel: &mut C,
    statement: &Statement<'_>,
) -> Result<(), VerifyError> {
    let Statement { plan, params, group_size, root, .. } = *statement;
    if plan.malformed {
        return Err(MALFORMED);
    }
    let model_layout = Layout::new(plan, Origin::Model);
    let model = model_shape(params, plan);
    let trace_layout = Layout::new(plan, Origin::Trace);
    let trace = binfer_pcs::Shape::for_words(model.log_row, trace_layout.n_words);
    let trace_root = match trace.n_rows {
        0 => Digest::default(),
        _ => channel.receive_digest("trace")?,
    };
    state_freivalds(channel, plan);

    // All bases are drawn before anything is said of them.
    let nonzero = |label, n| channel.nonzero_challenges(label, n);
    let mut bases = AllBases::draw(plan, nonzero);
    let openings = Openings { statement, layouts: [&model_layout, &trace_layout] };
    let checks = plan.matmuls.len().saturating_add(plan.sums.len());
    later::verify(channel, checks, |channel, later| {
        let mut groups = Vec::new();
        for group in groups::groups(plan, group_size) {
            let bases = bases.of_group(plan, &group);
            groups.push(verify_group(channel, later, &openings, &group.views(plan), bases)?);
        }
        groups.push(openings.verify_bits(channel)?);
        groups.retain(|g| !g.claims.is_empty());
        binfer_pcs::verify(params, &[(root, model), (trace_root, trace)], &groups, channel)
    })
}

/// Verifies the relations of one group; returns the claims on committed planes that they end in.
fn verify_group<'a, C: VerifierChannel>(
    channel: &mut C,
    later: &mut Later<'_, 'a, C::Elem>,
    openings: &Openings<'a>,
    views: &GroupViews,
    (of_matmuls, of_sums): GroupBases<'a>,
) -> Result<ClaimGroup<C::Elem>, VerifyError> {
    let statement = openings.statement;
    let mut relations = Vec::new();
    let (mut shapes, mut roots) = (Vec::new(), Vec::new());
    for (matmul, drawn) in of_matmuls {
        let (shapes, roots) = (&mut shapes, &mut roots);
        relations.push(Relation::begin(channel, statement, matmul, drawn, shapes, roots)?);
    }
    let mut sums = Vec::new();
    for sum in of_sums {
        sums.push(SumCheck::begin(channel, statement, sum, &mut shapes, &mut roots)?);
    }

    // Exponents make powers of products: claims on those become claims on the products, and on bits of exponents.
    let of_relations = relations.iter().filter_map(|relation| relation.powers.as_ref());
    let of_sums = sums.iter().filter_map(|sum| sum.powers.as_ref());
    let open: Vec<_> = of_relations.chain(of_sums).collect();
    let of_bits = verify_powers(channel, &open, &mut roots)?;

    // The rows' leaves: those of inputs, of outputs, and of the product of all G, which are no indices.
    let leaves = product::verify(channel, &shapes, roots)?;
    let (mut of_trees, mut left) = (leaves.claims.into_iter(), leaves.value);
    let mut step = TableStep::default();
    for relation in &mut relations {
        let matmul = relation.matmul;
        step.push(&matmul.outer, next(&mut of_trees)?);
        if matmul.output.public.is_none() {
            step.push(&matmul.output.factors, next(&mut of_trees)?);
        }
        if matmul.has_sum() {
            let leaf = next(&mut of_trees)?;
            let value = leaf.receive(channel, &mut left)? + C::Elem::from(F128::ONE);
            relation.on_g.push(EvaluationClaim { vector: 0, point: leaf.col_point, value });
        }
    }
    for sum in &sums {
        sum.push(&mut step, &mut of_trees)?;
    }
    let of_bits = push_bits(channel, &of_bits, &mut step, &mut left);
    let mut indexed = Indexed::new();
    let tables = step.run(channel, left, &mut indexed)?;
    let (mut claims, mut left) = (tables.claims.into_iter(), tables.value);
    let (mut public, mut inputs) = (Vec::with_capacity(claims.len()), Vec::new());
    for relation in &relations {
        let matmul = relation.matmul;
        let outer = claims.by_ref().take(matmul.outer.len());
        if relation.g.is_some() {
            public.extend(outer);
            inputs.push(Vec::new());
        } else {
            let outer = outer.collect::<Vec<_>>();
            let values = channel.receive_many("table value", outer.len())?;
            for (claim, &value) in outer.iter().zip(&values) {
                left += value * claim.weight;
            }
            inputs.push(outer.into_iter().zip(values).collect());
        }
        public.extend(claims.by_ref().take(matmul.output.factors.len()));
    }
    public.extend(claims);
    let known =
        |relation: &Relation<'a, _>| (relation.matmul, relation.drawn.clone(), relation.g.clone());
    let of_relations: Vec<_> = relations.iter().map(known).collect();
    let of_sums: Vec<_> = sums.into_iter().map(|check| (check.sum, check.drawn)).collect();
    later.check(channel, left, move || {
        let mut tables = PublicTables::of(public);
        let all = of_relations.iter().collect();
        let outputs = threads::map(all, |(matmul, drawn, _)| drawn.output_tables(&matmul.output));
        for ((matmul, _, g), of_outputs) in of_relations.iter().zip(outputs) {
            let of_outer = g.iter().flat_map(|g| powers(g, &matmul.outer));
            tables.push(of_outer.chain(of_outputs))?;
        }
        let of_sums = threads::map(of_sums.iter().collect(), |(sum, drawn)| drawn.all_tables(sum));
        tables.push(of_sums.into_iter().flatten().chain(of_bits))?;
        tables.weighted_sum()
    })?;

    // The inputs' tables are powers of G: claims on hidden ones become claims on G, then one claim each.
    verify_g_tables(channel, &mut relations, &inputs)?;
    let (mut shapes, mut roots) = (Vec::new(), Vec::new());
    for relation in &relations {
        let matmul = relation.matmul;
        let cols = |factors: &[Factor]| factors.first().map_or(0, Factor::all_cols);
        let (inner, bias) = (&matmul.inner, &matmul.bias);
        if relation.g.is_none() {
            roots.push(relation.claim_on_g(channel)?);
            shapes.push(BoxShape { rows: matmul.k, cols: cols(inner), fan_in: inner.len() });
        }
        if let Some(value) = relation.bias {
            roots.push(RootClaim { row_point: Vec::new(), value });
            shapes.push(BoxShape { rows: 1, cols: cols(bias), fan_in: bias.len() });
        }
    }

    // The weights' leaves, whose tables are public.
    let leaves = product::verify(channel, &shapes, roots)?;
    let mut of_trees = leaves.claims.into_iter();
    let mut step = TableStep::default();
    for relation in &relations {
        if relation.g.is_none() {
            step.push(&relation.matmul.inner, next(&mut of_trees)?);
        }
        if relation.bias.is_some() {
            step.push(&relation.matmul.bias, next(&mut of_trees)?);
        }
    }
    let tables = step.run(channel, leaves.value, &mut indexed)?;
    let known =
        |relation: &Relation<'a, _>| (relation.matmul, relation.drawn.clone(), relation.shape);
    let of_relations: Vec<_> = relations.iter().map(known).collect();
    later.check(channel, tables.value, move || {
        let mut public = PublicTables::of(tables.claims);
        for (matmul, drawn, shape) in &of_relations {
            let inner = drawn.inner_tables(matmul, *shape);
            public.push(inner.into_iter().chain(drawn.bias_tables(matmul)))?;
        }
        public.weighted_sum()
    })?;

    // Claims on products of two become claims on each, and claims through maps claims at points.
    paired::verify(channel, &mut indexed)?;
    if !indexed.claims.wired.is_empty() {
        let claims = core::mem::take(&mut indexed.claims.wired);
        let value = indexed.part(channel)?;
        let mut hot = wired::verify(channel, &claims, value)?;
        let scale = indexed.join(channel, hot.value);
        hot.claims.iter_mut().for_each(|claim| claim.weight *= scale);
        indexed.claims.points.append(&mut hot.claims);
    }
    let value = indexed.value();
    let mut hot = Combined { claims: indexed.claims.points, value };
    views.localize(&mut hot.claims);
    let claim = onehot::verify(channel, &views.shapes, &views.local, &hot)?;
    let shares = planes::of_group(statement.plan, views, &claim.weights);
    openings.open(channel, &shares, (claim.bit_weights, claim.point), claim.value)
}

const MALFORMED: VerifyError = VerifyError::CheckFailed { label: "plan" };

fn next<T>(items: &mut impl Iterator<Item = T>) -> Result<T, VerifyError> {
    items.next().ok_or(MALFORMED)
}

/// A bound on the bits of soundness that the verifier states of proofs by this plan, without those errors that the reductions of its
/// groups add.
#[cfg(feature = "prover")]
pub(crate) fn soundness_at_most(params: &Params, plan: &Plan) -> f64 {
    let (mut channel, root) = (Estimator::new(), Digest::default());
    state_freivalds(&mut channel, plan);
    let model = model_shape(params, plan);
    let n_words = Layout::new(plan, Origin::Trace).n_words;
    let trace = Shape::for_words(model.log_row, n_words);
    // A claim on one word, which the salt has.
    let (n_vars, point) = (7, [F128::ZERO; 7]);
    let groups = [ClaimGroup::at(Width::Bit, &point, vec![Claim::on(0, 0, n_vars, Blank)])];
    // What cannot be opened at all is for the opening to say.
    let _ = binfer_pcs::verify(params, &[(root, model), (root, trace)], &groups, &mut channel);
    -log2_sum(channel.terms().iter().map(|term| term.log2_error))
}

/// A false relation in the committed trace is some node's, and only that one's own check must fail to catch
/// it: the term is the largest of them, not their sum.
fn state_freivalds<C: VerifierChannel>(channel: &mut C, plan: &Plan) {
    let of_matmuls = plan.matmuls.iter().map(|matmul| &matmul.output);
    let outputs = || of_matmuls.clone().chain(plan.sums.iter().map(|sum| &sum.output));
    let error = |o: &Output| o.repetitions as f64 * ((o.exponent_bound as f64).log2() - 128.0);
    let worst = outputs().map(error).fold(f64::NEG_INFINITY, f64::max);
    if worst > f64::NEG_INFINITY {
        let label = "check in the exponent (worst node)";
        channel.soundness(SoundnessTerm { label, log2_error: worst });
    }
    // That the extensions of all rows' products agree at one point.
    let rows = outputs().map(|output| log2_ceil(output.products)).max().unwrap_or(0);
    channel.soundness(SoundnessTerm::schwartz_zippel("row point", rows as f64));
}
