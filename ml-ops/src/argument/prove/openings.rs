//! The prover's side of the end: claims on planes become openings.

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck::{self, SystemTiles};
use binfer_pcs::{Claim, ClaimGroup, Width};
use rayon::prelude::*;

use crate::argument::entries::Entries;
use crate::argument::layout::{Layout, add_parts};
use crate::argument::plan::{BitCheck, Plan};
use crate::argument::planes::{self, MatrixPlanes};

/// A claim on a weighted sum of planes, as one on those that are committed.
pub(super) fn open(
    plan: &Plan,
    layouts: [&Layout; 2],
    planes: &[MatrixPlanes],
    (coefficients, point): (Vec<F128>, Vec<F128>),
    value: F128,
) -> ClaimGroup<F128> {
    let mut parts = Vec::new();
    for share in planes {
        // Those that are public the verifier takes out of the value, which the opening does not go by.
        let _ = add_parts(layouts, &plan.matrices[share.matrix], share, &mut parts);
    }
    let claims = if parts.is_empty() { Vec::new() } else { vec![Claim { parts, value }] };
    ClaimGroup { width: Width::Bit, coefficients, point, claims }
}

/// Proves all constraints on bits by one zerocheck over the tiles of all matrices.
pub(super) fn prove_bits(
    channel: &mut ProverChannel,
    plan: &Plan,
    entries: &[Entries<'_>],
    layouts: [&Layout; 2],
) -> ClaimGroup<F128> {
    // By check, tile and plane.
    let planes_of = |check: &BitCheck| -> Vec<Vec<Vec<F128>>> {
        let first = &plan.matrices[check.matrices[0]];
        let of_matrix = |m: usize, tile| entries[m].planes(&plan.matrices[m], tile);
        let of_tile =
            |tile| check.matrices.iter().flat_map(|&m| of_matrix(m, tile)).collect::<Vec<_>>();
        tiles(first.rows, first.cols).into_iter().map(of_tile).collect()
    };
    let planes: Vec<_> = plan.bit_checks.par_iter().map(planes_of).collect();
    let with_planes = plan.bit_checks.iter().zip(&planes);
    let systems: Vec<_> = with_planes.map(|(check, tiles)| as_system(check, tiles)).collect();
    let claim = zerocheck::prove(channel, &systems);
    let planes = planes::of_checks(plan, &claim.weights);
    open(plan, layouts, &planes, (claim.bit_weights, claim.point), claim.value)
}

fn as_system<'a>(check: &'a BitCheck, tiles: &'a [Vec<Vec<F128>>]) -> SystemTiles<'a> {
    let tiles = tiles.iter().map(|planes| planes.iter().map(Vec::as_slice).collect());
    SystemTiles { constraints: &check.constraints, tiles: tiles.collect() }
}
