//! The prover's side of the end: claims on planes become openings.

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck::{self, SystemTiles};
use binfer_pcs::{Claim, ClaimGroup, Width};
use rayon::prelude::*;

use crate::argument::entries::Entries;
use crate::argument::layout::Layout;
use crate::argument::plan::{BitCheck, Origin, Plan};
use crate::argument::verify::openings::weighted_parts;

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

/// Proves all constraints on bits by one zerocheck over the tiles of all matrices.
pub(super) fn prove_bits(
    channel: &mut ProverChannel,
    plan: &Plan,
    entries: &[Entries<'_>],
    layouts: &[Layout; 2],
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
    let zerocheck = zerocheck::prove(channel, &systems);
    let (coefficients, point) = (zerocheck.bit_weights, zerocheck.point);
    let mut parts = Vec::new();
    for (check, tiles) in plan.bit_checks.iter().zip(&zerocheck.weights) {
        let mut start = 0;
        for &m in &check.matrices {
            let matrix = &plan.matrices[m];
            let end = start + matrix.bits as usize;
            let weights: Vec<&[F128]> = tiles.iter().map(|tile| &tile[start..end]).collect();
            start = end;
            let oracle = match matrix.origin {
                Origin::Public => continue,
                Origin::Model => 0,
                Origin::Trace => 1,
            };
            let offsets = &layouts[oracle].offsets[m];
            parts.extend(weighted_parts(oracle, matrix, offsets, &weights));
        }
    }
    // The value is the verifier's to know: that of public planes is taken off it.
    let claim = Claim { parts, value: zerocheck.value };
    let claims = if claim.parts.is_empty() { vec![] } else { vec![claim] };
    ClaimGroup { width: Width::Bit, coefficients, point, claims }
}

fn as_system<'a>(check: &'a BitCheck, tiles: &'a [Vec<Vec<F128>>]) -> SystemTiles<'a> {
    let tiles = tiles.iter().map(|planes| planes.iter().map(Vec::as_slice).collect());
    SystemTiles { constraints: &check.constraints, tiles: tiles.collect() }
}
