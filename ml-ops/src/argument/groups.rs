//! Groups of relations that are proved together, one group after another.
//!
//! A group's forests, table steps and one-hot stages are one batch each, and its claims on planes are at
//! one point of its own. The prover holds the trees of one group at a time.

use core::ops::Range;
use std::collections::BTreeSet;

use binfer_iop::indexed::onehot::{OneHotClaim, View};

use super::plan::{Chunk, Map, MatMul, Plan};
use crate::graph::Graph;

/// Leaves, with their factors, of a group that holds more than one relation, at most.
pub(crate) const GROUP_LEAVES: usize = 1 << 23;

/// Consecutive relations of a plan.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    /// Among the plan's matmuls.
    pub(crate) matmuls: Range<usize>,
    /// Among the plan's maps.
    pub(crate) maps: Range<usize>,
}

/// What a group's one-hot stages are about, numbered within the group.
pub(crate) struct GroupViews {
    /// The plan's numbers of the group's views, in increasing order.
    pub(crate) views: Vec<usize>,
    /// The plan's numbers of the planes of these views, in increasing order.
    pub(crate) planes: Vec<usize>,
    /// The views by the group's numbers of planes.
    pub(crate) local: Vec<View>,
    /// The shapes of the planes.
    pub(crate) shapes: Vec<(usize, usize)>,
}

/// The groups of a plan, in order: matmuls first, then maps. Each takes in relations as long as it
/// stays within `most` leaves, but at least one.
pub(crate) fn groups(graph: &Graph, plan: &Plan, most: usize) -> Vec<Group> {
    let matmuls = plan.matmuls.iter().map(|matmul| matmul_leaves(graph, matmul));
    let maps = plan.maps.iter().map(|map| map.rows.saturating_mul(map.cols).saturating_mul(2));
    let n_matmuls = plan.matmuls.len();
    let clip = |range: Range<usize>| Group {
        matmuls: range.start.min(n_matmuls)..range.end.min(n_matmuls),
        maps: range.start.saturating_sub(n_matmuls)..range.end.saturating_sub(n_matmuls),
    };
    let mut groups = Vec::new();
    let (mut start, mut end, mut held) = (0, 0, 0usize);
    for leaves in matmuls.chain(maps) {
        let together = held.saturating_add(leaves);
        if end > start && together > most {
            groups.push(clip(start..end));
            (start, held) = (end, leaves);
        } else {
            held = together;
        }
        end += 1;
    }
    if end > start {
        groups.push(clip(start..end));
    }
    groups
}

/// Factors of the leaves of all trees of a matmul.
fn matmul_leaves(graph: &Graph, matmul: &MatMul) -> usize {
    let Some(shape) = graph.weights.get(matmul.weights) else { return 0 };
    let product = |a: usize, b: usize, c: usize| a.saturating_mul(b).saturating_mul(c);
    let trees = [
        product(shape.k, shape.columns(), 1),
        product(shape.n, matmul.bias.len(), 1),
        product(matmul.rows, shape.k, matmul.x.len()),
        product(matmul.rows, shape.n, matmul.output_chunks().len()),
    ];
    trees.into_iter().fold(0usize, usize::saturating_add).saturating_mul(matmul.repetitions)
}

impl Group {
    /// The chunks that the group's relations read.
    fn chunks<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = Chunk> + 'a {
        let of_matmul = |m: &'a MatMul| {
            let inputs = m.x.iter().chain(&m.bias).chain([&m.w]).cloned();
            inputs.chain(m.output_chunks())
        };
        let of_map = |m: &'a Map| [m.x.clone(), m.y.clone()];
        let matmuls = plan.matmuls.get(self.matmuls.clone()).unwrap_or(&[]);
        let maps = plan.maps.get(self.maps.clone()).unwrap_or(&[]);
        matmuls.iter().flat_map(of_matmul).chain(maps.iter().flat_map(of_map))
    }

    /// The views and planes that the group's relations read.
    pub(crate) fn views(&self, plan: &Plan) -> GroupViews {
        let views: BTreeSet<usize> = self.chunks(plan).map(|chunk| chunk.view).collect();
        let of_plan = || views.iter().filter_map(|&view| plan.views.get(view));
        let planes: BTreeSet<usize> = of_plan().flat_map(|view| &view.planes).copied().collect();
        let planes = Vec::from_iter(planes);
        let number = |plane: &usize| planes.binary_search(plane).unwrap_or(usize::MAX);
        let renumber = |view: &View| View {
            rows: view.rows,
            cols: view.cols,
            planes: view.planes.iter().map(number).collect(),
        };
        let local = of_plan().map(renumber).collect();
        let shapes = planes.iter().filter_map(|&plane| plan.planes.get(plane).copied()).collect();
        GroupViews { views: views.into_iter().collect(), planes, local, shapes }
    }
}

impl GroupViews {
    /// Claims on the plan's views as claims on the group's.
    pub(crate) fn localize<E>(&self, claims: &mut [OneHotClaim<E>]) {
        for claim in claims {
            claim.view = self.views.binary_search(&claim.view).unwrap_or(usize::MAX);
        }
    }

    /// The group's number of the plan's plane `plane`, if one of its views has it.
    pub(crate) fn plane(&self, plane: usize) -> Option<usize> {
        self.planes.binary_search(&plane).ok()
    }
}
