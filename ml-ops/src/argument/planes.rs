//! What claims on the planes of a group, or of bit checks, say of each matrix.

use binfer_field::F128;

use super::groups::GroupViews;
use super::plan::Plan;

/// A matrix's share of a claim on a weighted sum of planes.
pub(crate) struct MatrixPlanes {
    /// The plan's number of the matrix.
    pub(crate) matrix: usize,
    /// The weights of its lowest planes, by bit and tile.
    pub(crate) weights: Vec<Vec<F128>>,
}

/// The shares in a claim on a group's planes, whose weights are by the group's number of the plane and by tile.
pub(crate) fn of_group(
    plan: &Plan,
    views: &GroupViews,
    weights: &[Vec<F128>],
) -> Vec<MatrixPlanes> {
    let numbered = plan.matrices.iter().enumerate();
    let share = |(matrix, of_plan)| {
        let weights = weights.get(views.planes_of(of_plan)?)?.to_vec();
        Some(MatrixPlanes { matrix, weights })
    };
    numbered.filter_map(share).collect()
}

/// The shares in a claim on the planes of all bit checks, whose weights are by check, tile and plane.
pub(crate) fn of_checks(plan: &Plan, weights: &[Vec<Vec<F128>>]) -> Vec<MatrixPlanes> {
    let mut shares = Vec::new();
    for (check, tiles) in plan.bit_checks.iter().zip(weights) {
        let mut planes = 0usize..;
        for &matrix in &check.matrices {
            let bits = plan.matrices.get(matrix).map_or(0, |matrix| matrix.bits as usize);
            let of_plane = |plane| tiles.iter().filter_map(|t| t.get(plane).copied()).collect();
            let weights = planes.by_ref().take(bits).map(of_plane).collect();
            shares.push(MatrixPlanes { matrix, weights });
        }
    }
    shares
}
