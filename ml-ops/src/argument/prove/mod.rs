//! The prover of a graph's relations: the mirror of [`verify`](super::verify), message for message.

mod openings;
mod relation;
mod step;

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::claims::EvaluationClaim;
use binfer_iop::indexed::onehot;
use binfer_iop::multilinear::log2_ceil;
use binfer_iop::product::{self, RootClaim};
use binfer_pcs::{ClaimGroup, Oracle, Params, Width};

use self::relation::{Relation, prove_g_tables};
use self::step::{TableStep, extension, look_up};
use super::bases::{AllBases, GroupBases, map_tables, powers};
use super::entries::{Entries, words};
use super::groups::{self, GroupSize, GroupViews};
use super::indices::Indices;
use super::layout::Layout;
use super::plan::{Origin, Plan};
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
        let layouts = [Layout::new(plan, Origin::Model), Layout::new(plan, Origin::Trace)];
        let mut groups = Vec::new();
        for group in groups::groups(plan, group_size) {
            let bases = bases.of_group(plan, &group);
            groups.push(self.prove_group(channel, progress, &group.views(plan), bases, &layouts));
        }
        for relu in &plan.relus {
            groups.push(openings::prove_relu(channel, plan, entries, relu, &layouts));
        }
        groups.retain(|g| !g.claims.is_empty());
        progress("open");
        binfer_pcs::open(params, &[model, &trace], &groups, channel);
    }

    /// Proves the relations of one group; returns the claims on committed planes that they end in.
    fn prove_group(
        &self,
        channel: &mut ProverChannel,
        progress: &mut dyn FnMut(&'static str),
        views: &GroupViews,
        (drawn, map_bases): GroupBases<'_>,
        layouts: &[Layout; 2],
    ) -> ClaimGroup<F128> {
        let plan = self.plan;
        progress("products");
        let indices = Indices::new(plan, &views.views, self.entries);
        let mut relations = Vec::new();
        let (mut trees, mut roots) = (Vec::new(), Vec::new());
        for (matmul, drawn) in drawn {
            let (trees, roots) = (&mut trees, &mut roots);
            relations.push(Relation::begin(channel, self, matmul, drawn, &indices, trees, roots));
        }
        let mut maps = Vec::new();
        for (map, h) in map_bases {
            let row_point = channel.challenges("rows", log2_ceil(map.products));
            for (table, factor) in map_tables(map, &h).iter().zip([&map.x, &map.y]) {
                let (table, factor) = (core::slice::from_ref(table), core::slice::from_ref(factor));
                trees.push(look_up(map.products, table, factor, &indices));
            }
            let value = extension(trees[trees.len() - 1].outputs(), &row_point);
            channel.send("map rows", value);
            roots.extend([(); 2].map(|()| RootClaim { row_point: row_point.clone(), value }));
            maps.push((map, h));
        }

        // The rows' leaves: those of inputs, of outputs, and of the product of all G.
        let mut leaves = product::prove(channel, trees, roots).into_iter();
        progress("tables");
        let mut step = TableStep::default();
        for relation in &mut relations {
            let matmul = relation.matmul;
            let tables: Vec<_> = powers(&relation.g, &matmul.outer).collect();
            step.push(&tables, &matmul.outer, &indices, leaves.next().expect(LEAF));
            if matmul.public_outputs.is_none() {
                let tables = relation.drawn.output_tables(matmul);
                step.push(&tables, &matmul.output_factors, &indices, leaves.next().expect(LEAF));
            }
            if matmul.has_sum() {
                let leaf = leaves.next().expect(LEAF);
                let value = leaf.values[0] + F128::ONE;
                relation.on_g.push(EvaluationClaim { vector: 0, point: leaf.col_point, value });
            }
        }
        for (map, h) in &maps {
            for (table, factor) in map_tables(map, h).iter().zip([&map.x, &map.y]) {
                let (table, factor) = (core::slice::from_ref(table), core::slice::from_ref(factor));
                step.push(table, factor, &indices, leaves.next().expect(LEAF));
            }
        }
        let mut hot = Vec::new();
        let mut claims = step.run(channel, &mut hot).into_iter();
        let mut inputs = Vec::new();
        for relation in &relations {
            inputs.push(claims.by_ref().take(relation.matmul.outer.len()).collect::<Vec<_>>());
            claims.by_ref().take(relation.matmul.output_factors.len()).for_each(drop);
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
        let mut step = TableStep::default();
        for relation in &relations {
            let matmul = relation.matmul;
            if matmul.public_inner.is_none() {
                let tables = relation.drawn.inner_tables(matmul, relation.shape);
                step.push(&tables, &matmul.inner, &indices, leaves.next().expect(LEAF));
            }
            if relation.bias.is_some() {
                let tables = relation.drawn.bias_tables(matmul);
                step.push(&tables, &matmul.bias, &indices, leaves.next().expect(LEAF));
            }
        }
        step.run(channel, &mut hot);
        drop(relations);

        progress("indices");
        views.localize(&mut hot);
        let bytes = indices.by_view();
        let planes = onehot::prove(channel, &views.shapes, &views.local, &bytes, &hot);
        let (coefficients, point) = (planes.bit_weights, planes.point);
        let mut claims = ClaimGroup { width: Width::Bit, coefficients, point, claims: vec![] };
        for (m, matrix) in plan.matrices.iter().enumerate() {
            if let Some(first) = matrix.first_plane.and_then(|plane| views.plane(plane)) {
                let values = &planes.values[first..first + matrix.bits as usize];
                openings::add(plan, layouts, m, values, &mut claims);
            }
        }
        claims
    }
}
