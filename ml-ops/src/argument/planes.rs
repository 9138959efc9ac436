//! What claims on the planes of a group, or of bit checks, say of each matrix.

use binfer_field::F128;

use super::groups::GroupViews;
use super::plan::{Matrix, Plan};

/// A matrix's share of a claim on a weighted sum of planes.
pub(crate) struct MatrixPlanes {
    /// The plan's number of the matrix.
    pub(crate) matrix: usize,
    /// The weights of its planes, by bit and tile, of the bits up to the last that has any; none of a bit that has none.
    pub(crate) weights: Vec<Vec<F128>>,
}

/// The shares in a claim on a group's planes, whose weights are by the group's number of the plane and by tile.
pub(crate) fn of_group(
    plan: &Plan,
    views: &GroupViews,
    weights: &[Vec<F128>],
) -> Vec<MatrixPlanes> {
    let share = |(matrix, of_plan): (usize, &Matrix)| {
        let first = of_plan.first_plane?;
        let end = first.saturating_add(of_plan.bits as usize);
        let last = (first..end).rev().find(|&plane| views.plane(plane).is_some())?;
        let of_plane = |plane| views.plane(plane).and_then(|local| weights.get(local));
        let weights = (first..=last).map(|plane| of_plane(plane).cloned().unwrap_or_default());
        Some(MatrixPlanes { matrix, weights: weights.collect() })
    };
    plan.matrices.iter().enumerate().filter_map(share).collect()
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

#[cfg(all(test, feature = "prover"))]
mod tests {
    use super::*;
    use crate::graph::Model;

    #[test]
    fn no_plane_of_a_group_is_left_out() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits/digits.onnx");
        let model = Model::from_onnx(&std::fs::read(path).unwrap()).unwrap();
        let plan = Plan::new(&model.graph, 1);
        let with_planes = plan.matrices.iter().filter_map(|m| Some((m.first_plane?, m.bits)));
        let (first, bits) = with_planes.max_by_key(|&(_, bits)| bits).unwrap();
        // Bits 2 and 5, and neither those below nor those between.
        assert!(bits > 6);
        let planes = vec![first + 2, first + 5];
        let (local, shapes) = (Vec::new(), planes.iter().map(|&p| plan.planes[p]).collect());
        let views = GroupViews { views: Vec::new(), planes, local, shapes };
        let weights = [vec![F128::new(3)], vec![F128::new(7)]];
        let shares = of_group(&plan, &views, &weights);
        assert_eq!(shares.len(), 1);
        let none = Vec::new;
        let [second, fifth] = weights;
        assert_eq!(shares[0].weights, [none(), none(), second, none(), none(), fifth]);
    }
}
