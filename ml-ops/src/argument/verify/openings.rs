//! The end of the argument: claims on planes become openings, or are checked where they are public.

use binfer_field::F128;
use binfer_iop::channel::{VerifierChannel, VerifyError};
use binfer_iop::indexed::onehot::PlaneClaims;
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Width};

use super::{MALFORMED, Statement};
use crate::argument::groups::GroupViews;
use crate::argument::layout::{Layout, add_parts};
use crate::argument::plan::{BitCheck, Matrix, Origin, Source};
use crate::argument::public;
use crate::graph::Values;

const OUT_OF_RANGE: VerifyError = VerifyError::CheckFailed { label: "public range" };

impl Statement<'_> {
    /// The tensor that a matrix of the statement or of the graph holds, all within its bits.
    pub(super) fn public_values(&self, matrix: &Matrix) -> Result<&Values, VerifyError> {
        let Source::Tensor(t) = matrix.source else { return Err(MALFORMED) };
        let tensor = match self.constants.get(&t) {
            Some(constant) => constant,
            None if t == self.graph.input.tensor => self.input,
            None => self.output,
        };
        if public::are_in_range(tensor, matrix) { Ok(tensor) } else { Err(OUT_OF_RANGE) }
    }
}

/// Turns claims on planes into openings, or checks them where the plane is public.
pub(super) struct Openings<'a> {
    pub(super) statement: &'a Statement<'a>,
    /// Of the model's oracle and of the trace's.
    pub(super) layouts: [&'a Layout; 2],
}

impl Openings<'_> {
    /// Turns a claim on a group's planes into one on those that are committed.
    pub(super) fn open<C: VerifierChannel>(
        &self,
        channel: &mut C,
        views: &GroupViews,
        planes: PlaneClaims<C::Elem>,
    ) -> Result<ClaimGroup<C::Elem>, VerifyError> {
        let PlaneClaims { bit_weights: coefficients, point, weights, mut value } = planes;
        let mut parts = Vec::new();
        for (m, matrix) in self.statement.plan.matrices.iter().enumerate() {
            let Some(planes_of) = views.planes_of(matrix) else { continue };
            let weights = weights.get(planes_of).ok_or(MALFORMED)?;
            if matrix.origin == Origin::Public {
                let known = self.public_planes(matrix, &coefficients, &point, weights)?;
                value += C::Elem::from(known);
            } else {
                add_parts(self.layouts, (m, matrix), weights, &mut parts).ok_or(MALFORMED)?;
            }
        }
        let claims = if parts.is_empty() {
            channel.assert_zero("public planes", value)?;
            Vec::new()
        } else {
            vec![Claim { parts, value }]
        };
        Ok(ClaimGroup { width: Width::Bit, coefficients, point, claims })
    }

    /// The weighted sum of the lowest planes of a public matrix, with weights by bit and tile.
    fn public_planes(
        &self,
        matrix: &Matrix,
        coefficients: &[F128],
        point: &[F128],
        weights: &[Vec<F128>],
    ) -> Result<F128, VerifyError> {
        let values_of = self.statement.public_values(matrix)?;
        let entries = public::entries(values_of, matrix).ok_or(OUT_OF_RANGE)?;
        let known = public::evaluate(&entries, matrix, coefficients, point);
        let mut sum = F128::ZERO;
        for (bit, weights) in weights.iter().enumerate() {
            for (bits, &weight) in known.iter().zip(weights) {
                sum += weight * bits.get(bit).copied().ok_or(MALFORMED)?;
            }
        }
        Ok(sum)
    }

    fn open_each<C: VerifierChannel>(
        &self,
        channel: &mut C,
        m: usize,
        values: &[Vec<C::Elem>],
        group: &mut ClaimGroup<C::Elem>,
    ) -> Result<(), VerifyError> {
        let matrix = self.statement.plan.matrices.get(m).ok_or(MALFORMED)?;
        for (bit, values) in values.iter().enumerate() {
            for (tile, &value) in values.iter().enumerate() {
                let mut weights = vec![vec![F128::ZERO; values.len()]; matrix.bits as usize];
                weights[bit][tile] = F128::ONE;
                if matrix.origin == Origin::Public {
                    let known =
                        self.public_planes(matrix, &group.coefficients, &group.point, &weights)?;
                    channel.assert_zero("public value", value + C::Elem::from(known))?;
                } else {
                    let mut parts = Vec::new();
                    add_parts(self.layouts, (m, matrix), &weights, &mut parts).ok_or(MALFORMED)?;
                    group.claims.push(Claim { parts, value });
                }
            }
        }
        Ok(())
    }

    /// Constraints on bits, over the tiles of all matrices.
    pub(super) fn verify_bits<C: VerifierChannel>(
        &self,
        channel: &mut C,
        check: &BitCheck,
    ) -> Result<ClaimGroup<C::Elem>, VerifyError> {
        let of_plan = &self.statement.plan.matrices;
        let matrices = check.matrices.iter().map(|&m| of_plan.get(m).ok_or(MALFORMED));
        let matrices = matrices.collect::<Result<Vec<&Matrix>, _>>()?;
        let first = matrices.first().ok_or(MALFORMED)?;
        if matrices.iter().any(|m| (m.rows, m.cols) != (first.rows, first.cols)) {
            return Err(MALFORMED);
        }
        let n_planes = matrices.iter().fold(0usize, |n, m| n.saturating_add(m.bits as usize));
        let tile_vars: Vec<usize> =
            tiles(first.rows, first.cols).iter().map(|t| t.n_vars()).collect();
        let claims = zerocheck::verify(channel, &check.constraints, n_planes, &tile_vars)?;
        let mut group = ClaimGroup::at(Width::Bit, &claims.point, vec![]);
        let plane = |p| claims.values.iter().filter_map(|tile| tile.get(p).copied()).collect();
        let by_plane: Vec<Vec<C::Elem>> = (0..n_planes).map(plane).collect();
        let mut rest = by_plane.as_slice();
        for (&m, matrix) in check.matrices.iter().zip(matrices) {
            let (own, others) = rest.split_at_checked(matrix.bits as usize).ok_or(MALFORMED)?;
            self.open_each(channel, m, own, &mut group)?;
            rest = others;
        }
        Ok(group)
    }
}
