//! The end of the argument: claims on planes become openings, or are checked where they are public.

use binfer_iop::channel::{VerifierChannel, VerifyError};
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Width};

use super::{MALFORMED, Statement};
use crate::argument::layout::Layout;
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
    /// Adds claims on the lowest planes of matrix `m`, by bit and tile, at the group's point.
    pub(super) fn open<'v, C: VerifierChannel>(
        &self,
        channel: &mut C,
        m: usize,
        values: impl Iterator<Item = &'v Vec<C::Elem>>,
        group: &mut ClaimGroup<C::Elem>,
    ) -> Result<(), VerifyError>
    where
        C::Elem: 'v,
    {
        let matrix = self.statement.plan.matrices.get(m).ok_or(MALFORMED)?;
        let oracle = match matrix.origin {
            Origin::Public => return self.check_public(channel, matrix, values, group),
            Origin::Model => 0,
            Origin::Trace => 1,
        };
        let tiles = tiles(matrix.rows, matrix.cols);
        let offsets = self.layouts.get(oracle).and_then(|l| l.offsets.get(m)).ok_or(MALFORMED)?;
        for (offsets, values) in offsets.iter().zip(values) {
            for ((tile, &offset), &value) in tiles.iter().zip(offsets).zip(values) {
                let n_vars = tile.n_vars() as u32;
                group.claims.push(Claim::on(oracle, offset, n_vars, value));
            }
        }
        Ok(())
    }

    fn check_public<'v, C: VerifierChannel>(
        &self,
        channel: &mut C,
        matrix: &Matrix,
        values: impl Iterator<Item = &'v Vec<C::Elem>>,
        group: &ClaimGroup<C::Elem>,
    ) -> Result<(), VerifyError>
    where
        C::Elem: 'v,
    {
        let values_of = self.statement.public_values(matrix)?;
        let entries = public::entries(values_of, matrix).ok_or(OUT_OF_RANGE)?;
        let expected = public::evaluate(&entries, matrix, &group.coefficients, &group.point);
        for (bit, values) in values.enumerate() {
            for (bits, &value) in expected.iter().zip(values) {
                let &known = bits.get(bit).ok_or(MALFORMED)?;
                channel.assert_zero("public value", value + C::Elem::from(known))?;
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
            self.open(channel, m, own.iter(), &mut group)?;
            rest = others;
        }
        Ok(group)
    }
}
