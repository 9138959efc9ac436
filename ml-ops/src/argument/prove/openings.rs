//! The prover's side of the end: claims on planes become openings.

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::onehot::PlaneClaims;
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Width};

use crate::argument::entries::Entries;
use crate::argument::groups::GroupViews;
use crate::argument::layout::{Layout, add_parts};
use crate::argument::plan::{BitCheck, Origin, Plan};

/// A claim on a group's planes, as one on those that are committed.
pub(super) fn open(
    plan: &Plan,
    layouts: [&Layout; 2],
    views: &GroupViews,
    planes: PlaneClaims<F128>,
) -> ClaimGroup<F128> {
    let PlaneClaims { bit_weights: coefficients, point, weights, value } = planes;
    let mut parts = Vec::new();
    for (m, matrix) in plan.matrices.iter().enumerate() {
        if let Some(planes_of) = views.planes_of(matrix) {
            let _ = add_parts(layouts, (m, matrix), &weights[planes_of], &mut parts);
        }
    }
    // The opening goes by the parts alone: what is public is no matter here.
    let claims = if parts.is_empty() { Vec::new() } else { vec![Claim { parts, value }] };
    ClaimGroup { width: Width::Bit, coefficients, point, claims }
}

/// Adds the claims on the lowest planes of matrix `m`, by bit and tile, unless it is public.
pub(super) fn add(
    plan: &Plan,
    layouts: &[Layout; 2],
    m: usize,
    values: &[Vec<F128>],
    group: &mut ClaimGroup<F128>,
) {
    let matrix = &plan.matrices[m];
    let oracle = match matrix.origin {
        Origin::Public => return,
        Origin::Model => 0,
        Origin::Trace => 1,
    };
    let tiles = tiles(matrix.rows, matrix.cols);
    for (offsets, values) in layouts[oracle].offsets[m].iter().zip(values) {
        for ((tile, &offset), &value) in tiles.iter().zip(offsets).zip(values) {
            let n_vars = tile.n_vars() as u32;
            group.claims.push(Claim::on(oracle, offset, n_vars, value));
        }
    }
}

/// Proves constraints on bits by a zerocheck over the tiles of all matrices.
pub(super) fn prove_bits(
    channel: &mut ProverChannel,
    plan: &Plan,
    entries: &[Entries<'_>],
    check: &BitCheck,
    layouts: &[Layout; 2],
) -> ClaimGroup<F128> {
    let first = &plan.matrices[check.matrices[0]];
    let of_tile = |tile| -> Vec<Vec<F128>> {
        check.matrices.iter().flat_map(|&m| entries[m].planes(&plan.matrices[m], tile)).collect()
    };
    let planes: Vec<Vec<Vec<F128>>> =
        tiles(first.rows, first.cols).into_iter().map(of_tile).collect();
    let slices: Vec<Vec<&[F128]>> =
        planes.iter().map(|tile| tile.iter().map(Vec::as_slice).collect()).collect();
    let claims = zerocheck::prove(channel, &check.constraints, &slices);
    let plane = |p| claims.values.iter().map(|tile| tile[p]).collect();
    let mut group = ClaimGroup::at(Width::Bit, &claims.point, vec![]);
    let mut next = 0;
    for &m in &check.matrices {
        let end = next + plan.matrices[m].bits as usize;
        let values: Vec<Vec<F128>> = (next..end).map(plane).collect();
        add(plan, layouts, m, &values, &mut group);
        next = end;
    }
    group
}
