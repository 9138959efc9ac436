//! The prover of a graph's relations: the mirror of [`verify`](super::verify), message for message.

pub(super) mod factors;
mod few;
mod openings;
mod paired;
mod relation;
mod step;
mod sum;

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::claims::EvaluationClaim;
use binfer_iop::indexed::onehot;
use binfer_iop::indexed::wired::{self, WiredClaim, WiredInput};
use binfer_iop::product::{self, RootClaim};
use binfer_pcs::{ClaimGroup, Oracle, Params};
use rayon::prelude::*;

use self::factors::{prove_powers, push_bits};
use self::relation::{Relation, prove_g_tables};
use self::step::{LookedUp, TableStep};
use self::sum::SumCheck;
use super::bases::{AllBases, GroupBases, powers};
use super::entries::{Entries, words};
use super::groups::{self, Group, GroupSize};
use super::indices::Indices;
use super::layout::Layout;
use super::plan::{Origin, Plan};
use super::planes;
use super::verify::step::IndexClaims;
use super::wiring::Weighted;
use crate::graph::{Graph, Values};

/// What the prover brings to a statement.
pub(crate) struct Prover<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) params: &'a Params,
    pub(crate) group_size: GroupSize,
    pub(crate) model: &'a Oracle,
    /// The trace's, by tensor.
    pub(crate) tensors: &'a [Values],
    /// By matrix of the plan.
    pub(crate) entries: &'a [Entries<'a>],
}

const LEAF: &str = "one leaf claim a tree";

impl Prover<'_> {
    /// Proves every relation; `progress` hears the name of each phase as it starts.
    pub(crate) fn prove(
        &self,
        channel: &mut ProverChannel,
        progress: &mut dyn FnMut(&'static str),
    ) {
        let Self { plan, params, group_size, model, entries, .. } = *self;
        progress("commit trace");
        let trace = words(plan, Origin::Trace, entries);
        let trace = binfer_pcs::commit(params, model.shape().log_row, trace);
        if trace.shape().n_rows > 0 {
            channel.send_digest("trace", &trace.root());
        }
        let nonzero = |label, n| channel.nonzero_challenges(label, n);
        let mut bases = AllBases::draw(plan, nonzero);
        let layouts = [Origin::Model, Origin::Trace].map(|origin| Layout::new(plan, origin));
        let mut groups = Vec::new();
        for group in groups::groups(plan, group_size) {
            let bases = bases.of_group(plan, &group);
            groups.push(self.prove_group(channel, progress, &group, bases, layouts.each_ref()));
        }
        groups.push(openings::prove_bits(channel, plan, entries, layouts.each_ref()));
        groups.retain(|g| !g.claims.is_empty());
        progress("open");
        binfer_pcs::open(params, &[model, &trace], &groups, channel);
    }

    /// Proves the relations of one group; returns the claims on committed planes that they end in.
    fn prove_group(
        &self,
        channel: &mut ProverChannel,
        progress: &mut dyn FnMut(&'static str),
        group: &Group,
        (of_matmuls, of_sums): GroupBases<'_>,
        layouts: [&Layout; 2],
    ) -> ClaimGroup<F128> {
        let plan = self.plan;
        progress("products");
        let views = group.views(plan);
        let indices = Indices::new(plan, &views.views, group.factors(plan), self.entries);
        // Trees go by the bases alone, so that all are built beside each other.
        let matmul = |check| relation::Made::new(self, check, &indices);
        let sum = |check| sum::Made::new(self, check, &indices);
        let (of_matmuls, of_sums): (Vec<_>, Vec<_>) = rayon::join(
            || of_matmuls.into_par_iter().map(matmul).collect(),
            || of_sums.into_par_iter().map(sum).collect(),
        );
        let mut relations = Vec::new();
        let (mut trees, mut roots) = (Vec::new(), Vec::new());
        for made in of_matmuls {
            let (trees, roots) = (&mut trees, &mut roots);
            relations.push(Relation::begin(channel, self, made, &indices, trees, roots));
        }
        let mut sums = Vec::new();
        for made in of_sums {
            sums.push(SumCheck::begin(channel, made, &indices, &mut trees, &mut roots));
        }

        // Exponents make powers of products: claims on those become claims on the products, and on bits of exponents.
        let of_relations = relations.iter_mut().filter_map(|relation| relation.powers.as_mut());
        let of_sums = sums.iter_mut().filter_map(|sum| sum.powers.as_mut());
        let mut open: Vec<_> = of_relations.chain(of_sums).collect();
        let of_bits = prove_powers(channel, &mut open, &trees, &mut roots);

        // The rows' leaves: those of inputs, of outputs, and of the product of all G, which are no indices.
        let mut leaves = product::prove(channel, trees, roots).into_iter();
        progress("tables");
        let mut looked_up = Vec::new();
        for relation in &mut relations {
            let matmul = relation.matmul;
            let tables = powers(&relation.g, &matmul.outer).collect();
            let (factors, leaf) = (&matmul.outer[..], leaves.next().expect(LEAF));
            looked_up.push(LookedUp { tables, factors, leaf });
            if matmul.output.public.is_none() {
                let tables = relation.drawn.output_tables(&matmul.output);
                let (factors, leaf) = (&matmul.output.factors[..], leaves.next().expect(LEAF));
                looked_up.push(LookedUp { tables, factors, leaf });
            }
            if matmul.has_sum() {
                let leaf = leaves.next().expect(LEAF);
                leaf.send(channel);
                let value = leaf.values[0] + F128::ONE;
                relation.on_g.push(EvaluationClaim { vector: 0, point: leaf.col_point, value });
            }
        }
        looked_up.extend(sums.iter().flat_map(|sum| sum.looked_up(&mut leaves)));
        let mut step = TableStep::default();
        step.push(looked_up, &indices);
        push_bits(channel, &of_bits, &mut step, &indices);
        let mut indexed = IndexClaims::new();
        let mut claims = step.run(channel, &mut indexed).into_iter();
        let mut inputs = Vec::new();
        for relation in &relations {
            let outer: Vec<_> = claims.by_ref().take(relation.matmul.outer.len()).collect();
            if relation.matmul.public_inner.is_none() {
                let tables: Vec<F128> = outer.iter().map(|claim| claim.table).collect();
                channel.send_many("table value", &tables);
            }
            inputs.push(outer);
            claims.by_ref().take(relation.matmul.output.factors.len()).for_each(drop);
        }

        // The inputs' tables are powers of G: claims on hidden ones become claims on G, then one each.
        prove_g_tables(channel, &mut relations, &inputs);
        progress("weights");
        let (mut trees, mut roots) = (Vec::new(), Vec::new());
        for relation in &mut relations {
            if relation.matmul.public_inner.is_none() {
                roots.push(relation.claim_on_g(channel));
            }
            roots.extend(relation.bias.map(|value| RootClaim { row_point: Vec::new(), value }));
            trees.append(&mut relation.trees);
        }

        // The weights' leaves, whose tables are public.
        let mut leaves = product::prove(channel, trees, roots).into_iter();
        let mut looked_up = Vec::new();
        for relation in &relations {
            let matmul = relation.matmul;
            if matmul.public_inner.is_none() {
                let tables = relation.drawn.inner_tables(matmul, relation.shape);
                let (factors, leaf) = (&matmul.inner[..], leaves.next().expect(LEAF));
                looked_up.push(LookedUp { tables, factors, leaf });
            }
            if relation.bias.is_some() {
                let tables = relation.drawn.bias_tables(matmul);
                let (factors, leaf) = (&matmul.bias[..], leaves.next().expect(LEAF));
                looked_up.push(LookedUp { tables, factors, leaf });
            }
        }
        let mut step = TableStep::default();
        step.push(looked_up, &indices);
        step.run(channel, &mut indexed);
        drop((relations, sums));

        progress("indices");
        // Claims on products of two become claims on each, and claims through maps claims at points.
        paired::prove(channel, &indices, &mut indexed);
        let mut hot = indexed.points;
        if !indexed.wired.is_empty() {
            let part = indexed.wired.iter().map(|claim| claim.weight * claim.value).sum();
            channel.send("part of histograms", part);
            let input = |claim: WiredClaim<F128, Weighted>| {
                let indices = indices.of_view(claim.view);
                WiredInput { claim, indices }
            };
            let inputs: Vec<_> = indexed.wired.into_iter().map(input).collect();
            let mut wired = wired::prove(channel, &inputs);
            let scale = channel.challenge("histogram batching");
            wired.iter_mut().for_each(|claim| claim.weight *= scale);
            hot.append(&mut wired);
        }
        views.localize(&mut hot);
        let bytes = indices.by_view();
        let claim = onehot::prove(channel, &views.shapes, &views.local, &bytes, &hot);
        let shares = planes::of_group(plan, &views, &claim.weights);
        openings::open(plan, layouts, &shares, (claim.bit_weights, claim.point), claim.value)
    }
}
