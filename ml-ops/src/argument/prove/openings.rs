//! The prover's side of the end: claims on planes become openings.

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Width};

use crate::argument::entries::Entries;
use crate::argument::layout::Layout;
use crate::argument::plan::{Origin, Plan, Relu};
use crate::argument::relu_constraints;

/// Adds the claims on all planes of matrix `m`, by bit and tile, unless it is public.
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
            group.claims.push(Claim { oracle, offset, n_vars, value });
        }
    }
}

/// Proves one Relu by a zerocheck over the tiles of both matrices.
pub(super) fn prove_relu(
    channel: &mut ProverChannel,
    plan: &Plan,
    entries: &[Entries<'_>],
    relu: &Relu,
    layouts: &[Layout; 2],
) -> ClaimGroup<F128> {
    let (x, y) = (&plan.matrices[relu.x], &plan.matrices[relu.y]);
    let constraints = relu_constraints(x.bits, y.bits, relu.unsigned);
    let planes: Vec<Vec<Vec<F128>>> = tiles(x.rows, x.cols)
        .into_iter()
        .map(|tile| {
            let mut planes = entries[relu.x].planes(x, tile);
            planes.extend(entries[relu.y].planes(y, tile));
            planes
        })
        .collect();
    let slices: Vec<Vec<&[F128]>> =
        planes.iter().map(|tile| tile.iter().map(Vec::as_slice).collect()).collect();
    let claims = zerocheck::prove(channel, &constraints, &slices);
    let plane = |p| claims.values.iter().map(|tile| tile[p]).collect();
    let by_plane: Vec<Vec<F128>> = (0..(x.bits + y.bits) as usize).map(plane).collect();
    let (of_x, of_y) = by_plane.split_at(x.bits as usize);
    let mut group = ClaimGroup::at(Width::Bit, &claims.point, vec![]);
    add(plan, layouts, relu.x, of_x, &mut group);
    add(plan, layouts, relu.y, of_y, &mut group);
    group
}
