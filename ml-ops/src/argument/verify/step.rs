//! One table step in the making, the claims on indices that steps end in, and public tables.

use binfer_field::F128;
use binfer_field::kernels;
use binfer_iop::channel::{Blank, Element, SoundnessTerm, VerifierChannel, VerifyError};
use binfer_iop::indexed::onehot::OneHotClaim;
use binfer_iop::indexed::table::{self, TableClaim, TableStatement};
use binfer_iop::indexed::wired::WiredClaim;
use binfer_iop::join::Combined;
use binfer_iop::multilinear::{eq_vertex, log2_ceil};
use binfer_iop::product::LeafClaim;

use super::paired::PairedClaim;
use crate::argument::plan::{Chunk, Factor, Read};
use crate::argument::tables::Table;
use crate::argument::wiring::Weighted;

/// Statements for one table step, with what turns its claims into one-hot claims.
#[derive(Default)]
pub(super) struct TableStep<'a> {
    statements: Vec<TableStatement>,
    factors: Vec<(&'a Factor, Vec<F128>)>,
}

impl<'a> TableStep<'a> {
    pub(super) fn push(&mut self, factors: &'a [Factor], leaf: LeafClaim<Blank>) {
        for (factor, weight) in factors.iter().zip(leaf.weights) {
            let (width, col_point) = (factor.width(), leaf.col_point.clone());
            let cols = factor.all_cols();
            self.statements.push(TableStatement { cols, width, col_point, weight });
            self.factors.push((factor, leaf.row_point.clone()));
        }
    }

    /// Verifies the step on leaves whose weighted sum is `value`; nothing is received of none. Its claims on histograms go to
    /// `indexed`; those on tables are returned.
    pub(super) fn run<C: VerifierChannel>(
        self,
        channel: &mut C,
        value: C::Elem,
        indexed: &mut Indexed<C::Elem>,
    ) -> Result<Combined<TableClaim<Blank>, C::Elem>, VerifyError> {
        if self.statements.is_empty() {
            return Ok(Combined { claims: Vec::new(), value });
        }
        let claims = table::verify(channel, &self.statements, value)?;
        let scale = indexed.join(channel, claims.histogram);
        for (claim, (factor, row_point)) in claims.claims.iter().zip(self.factors) {
            let extra = vec![Blank; factor.extra.len()];
            let added = indexed.claims.add(factor, &row_point, claim, scale, &extra);
            added.ok_or(VerifyError::CheckFailed { label: "extra column" })?;
        }
        Ok(Combined { claims: claims.claims, value: claims.table })
    }
}

/// What a verifier knows of a group's claims on one-hot polynomials.
pub(super) struct Indexed<E> {
    /// The claims.
    pub(super) claims: IndexClaims<Blank>,
    /// Their weighted sum, but for what pads add.
    value: E,
}

impl<E: Element> Indexed<E> {
    pub(super) fn new() -> Self {
        Self { claims: IndexClaims::new(), value: E::from(F128::ZERO) }
    }

    /// Adds a weighted sum of further claims, whose weights are to be multiplied by the element returned.
    pub(super) fn join<C: VerifierChannel<Elem = E>>(&mut self, channel: &mut C, value: E) -> F128 {
        let scale = channel.challenge("histogram batching");
        channel.soundness(SoundnessTerm::schwartz_zippel("histogram batching", 1.0));
        self.value += value * scale;
        scale
    }

    /// Receives the part of the sum that some of the claims are, and takes it out.
    pub(super) fn part<C: VerifierChannel<Elem = E>>(
        &mut self,
        channel: &mut C,
    ) -> Result<E, VerifyError> {
        let part = channel.receive("part of histograms")?;
        self.value += part;
        Ok(part)
    }

    /// The sum of the claims that are left.
    pub(super) fn value(&self) -> E {
        self.value + E::from(self.claims.known)
    }
}

/// Claims on the one-hot polynomials of views, with their values or, for a verifier, blanks.
pub(in crate::argument) struct IndexClaims<E> {
    /// At points.
    pub(in crate::argument) points: Vec<OneHotClaim<E>>,
    /// With the weights of matrices that are read through a map.
    pub(in crate::argument) wired: Vec<WiredClaim<E, Weighted>>,
    /// On products of two.
    pub(in crate::argument) paired: Vec<PairedClaim<E>>,
    /// What the histograms' weighted sum has more than that of the claims: what pads add.
    known: F128,
}

impl<E: Element> IndexClaims<E> {
    pub(in crate::argument) fn new() -> Self {
        Self { points: Vec::new(), wired: Vec::new(), paired: Vec::new(), known: F128::ZERO }
    }

    /// Adds a claim on a factor's histogram, its weight times `scale`, as claims on views, given the histograms of its extra
    /// columns. `None` where the point lies on those, which a random one does with probability `2^-128` a coordinate.
    pub(in crate::argument) fn add(
        &mut self,
        factor: &Factor,
        row_point: &[F128],
        claim: &TableClaim<E>,
        scale: F128,
        extra: &[E],
    ) -> Option<()> {
        let all = claim.weight * scale;
        let one_hot = |chunk: &Chunk, across: bool, rows: &[F128], cols: &[F128], weight, value| {
            let (row_point, col_point) = if across { (cols, rows) } else { (rows, cols) };
            OneHotClaim {
                view: chunk.view,
                row_point: row_point.to_vec(),
                col_point: col_point.to_vec(),
                index_point: claim.index_point.iter().take(chunk.width()).copied().collect(),
                weight,
                value,
            }
        };
        let mut value = claim.histogram;
        for ((chunk, &histogram), column) in factor.extra.iter().zip(extra).zip(factor.cols..) {
            // Its column, and zeros above its bits.
            let beyond = claim.index_point.get(chunk.width()..)?;
            let share = eq_vertex(&claim.col_point, column) * eq_vertex(beyond, 0);
            value += histogram * share;
            self.points.push(one_hot(chunk, true, row_point, &[], all * share, histogram));
        }
        let (cols, beyond) = claim.col_point.split_at_checked(log2_ceil(factor.cols))?;
        let low = eq_vertex(beyond, 0);
        if low.is_zero() {
            return None;
        }
        let weight = all * low;
        value = value * low.invert();
        if factor.with.is_some() {
            let (row_point, col_point) = (row_point.to_vec(), cols.to_vec());
            let (factor, index_point) = (factor.clone(), claim.index_point.clone());
            let claim = PairedClaim { factor, row_point, col_point, index_point, weight, value };
            self.paired.push(claim);
            return Some(());
        }
        let across = matches!(factor.read, Read::Across);
        match &factor.read {
            Read::Straight | Read::Across => {
                self.points.push(one_hot(&factor.chunk, across, row_point, cols, weight, value));
            }
            Read::Through { gather, pad } => {
                let (index, block) = claim.index_point.split_at_checked(factor.chunk.width())?;
                let mut rows = kernels::eq_table(row_point);
                rows.truncate(gather.n_rows());
                if factor.blocks > 1 {
                    let size = gather.n_rows().checked_div(factor.blocks)?.max(1);
                    for (b, rows) in rows.chunks_mut(size).enumerate() {
                        kernels::scale(rows, eq_vertex(block, b));
                    }
                }
                let mut cols = kernels::eq_table(cols);
                cols.truncate(gather.n_cols());
                let weights = Weighted::new(gather, &rows, &cols);
                if let Some(pad) = pad {
                    let of_pad = weights.outside() * eq_vertex(index, usize::from(*pad));
                    value += E::from(of_pad);
                    self.known += weight * of_pad;
                }
                let (rows, cols) = weights.source();
                let (view, index_point) = (factor.chunk.view, index.to_vec());
                let claim = WiredClaim { view, rows, cols, index_point, weights, weight, value };
                self.wired.push(claim);
            }
        }
        Some(())
    }
}

/// Takes a public table out of the weighted sum that its claim is part of.
pub(super) fn take_table<E: Element>(sum: &mut E, table: &Table<'_>, claim: &TableClaim<Blank>) {
    let value = table.evaluate(&claim.col_point, &claim.index_point);
    *sum += E::from(value * claim.weight);
}
