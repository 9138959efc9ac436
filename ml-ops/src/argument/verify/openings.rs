//! The end of the argument: claims on planes become openings, or are checked where they are public.

use binfer_field::{F128, kernels};
use binfer_iop::channel::{Element, VerifierChannel, VerifyError};
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck::{self, System};
use binfer_pcs::{Claim, ClaimGroup, Part, Width};

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

    /// All constraints on bits, over the tiles of all matrices.
    pub(super) fn verify_bits<C: VerifierChannel>(
        &self,
        channel: &mut C,
    ) -> Result<ClaimGroup<C::Elem>, VerifyError> {
        let checks = &self.statement.plan.bit_checks;
        let systems = checks.iter().map(|check| self.system(check));
        let systems = systems.collect::<Result<Vec<_>, _>>()?;
        let zerocheck = zerocheck::verify(channel, &systems)?;
        let (coefficients, point) = (zerocheck.bit_weights, zerocheck.point);
        let mut group = ClaimGroup { width: Width::Bit, coefficients, point, claims: vec![] };
        let mut claim = Claim { parts: vec![], value: zerocheck.value };
        for (check, tiles) in checks.iter().zip(&zerocheck.weights) {
            let mut start = 0usize;
            for &m in &check.matrices {
                start = self.add_weighted(m, tiles, start, &group, &mut claim)?;
            }
        }
        if claim.parts.is_empty() {
            channel.assert_zero("public value", claim.value)?;
        } else {
            group.claims.push(claim);
        }
        Ok(group)
    }

    /// What a check asks of the tiles of its matrices.
    fn system<'a>(&self, check: &'a BitCheck) -> Result<System<'a>, VerifyError> {
        let of_plan = &self.statement.plan.matrices;
        let matrices = check.matrices.iter().map(|&m| of_plan.get(m).ok_or(MALFORMED));
        let matrices = matrices.collect::<Result<Vec<&Matrix>, _>>()?;
        let first = matrices.first().ok_or(MALFORMED)?;
        if matrices.iter().any(|m| (m.rows, m.cols) != (first.rows, first.cols)) {
            return Err(MALFORMED);
        }
        let n_planes = matrices.iter().fold(0usize, |n, m| n.saturating_add(m.bits as usize));
        let tile_vars = tiles(first.rows, first.cols).iter().map(|t| t.n_vars()).collect();
        Ok(System { constraints: &check.constraints, n_planes, tile_vars })
    }

    /// Adds the planes of matrix `m`, those from `start` of each tile's `weights`, to a claim at the group's point,
    /// or takes their values off it where they are public. Returns where the next matrix starts.
    fn add_weighted<E: Element>(
        &self,
        m: usize,
        weights: &[Vec<F128>],
        start: usize,
        group: &ClaimGroup<E>,
        claim: &mut Claim<E>,
    ) -> Result<usize, VerifyError> {
        let matrix = self.statement.plan.matrices.get(m).ok_or(MALFORMED)?;
        let end = start.saturating_add(matrix.bits as usize);
        let own = weights.iter().map(|tile| tile.get(start..end).ok_or(MALFORMED));
        let own = own.collect::<Result<Vec<&[F128]>, _>>()?;
        let oracle = match matrix.origin {
            Origin::Public => {
                let values = self.statement.public_values(matrix)?;
                let entries = public::entries(values, matrix).ok_or(OUT_OF_RANGE)?;
                let known = public::evaluate(&entries, matrix, &group.coefficients, &group.point);
                for (weights, known) in own.iter().zip(&known) {
                    claim.value += E::from(kernels::inner_product(weights, known));
                }
                return Ok(end);
            }
            Origin::Model => 0,
            Origin::Trace => 1,
        };
        let offsets = self.layouts.get(oracle).and_then(|l| l.offsets.get(m)).ok_or(MALFORMED)?;
        claim.parts.extend(weighted_parts(oracle, matrix, offsets, &own));
        Ok(end)
    }
}

/// The planes of a committed matrix, whose words start at `offsets` by bit and tile, with weights by tile and bit.
pub(in crate::argument) fn weighted_parts(
    oracle: usize,
    matrix: &Matrix,
    offsets: &[Vec<usize>],
    weights: &[&[F128]],
) -> Vec<Part> {
    let mut parts = Vec::new();
    for (bit, offsets) in offsets.iter().enumerate() {
        for ((tile, &offset), weights) in
            tiles(matrix.rows, matrix.cols).iter().zip(offsets).zip(weights)
        {
            if let Some(&weight) = weights.get(bit) {
                parts.push(Part { oracle, offset, n_vars: tile.n_vars() as u32, weight });
            }
        }
    }
    parts
}
