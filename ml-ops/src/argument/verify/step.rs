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
use super::{MALFORMED, next};
use crate::argument::plan::{Chunk, Factor, Read};
use crate::argument::tables::Table;
use crate::argument::wiring::{Weighted, Wirings};
use crate::threads;

/// Statements for one table step, with what turns its claims into one-hot claims.
#[derive(Default)]
pub(super) struct TableStep<'a> {
    statements: Vec<TableStatement>,
    factors: Vec<(&'a Factor, LeafPoint)>,
}

impl<'a> TableStep<'a> {
    pub(super) fn push(&mut self, factors: &'a [Factor], leaf: LeafClaim<Blank>) {
        let point = LeafPoint::of(&leaf);
        for (factor, weight) in factors.iter().zip(leaf.weights) {
            self.statements.push(statement(factor, &point, weight));
            self.factors.push((factor, point.clone()));
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
        let parts = claims.claims.iter().zip(self.factors).collect();
        let of_factor = |(claim, (factor, point)): (_, (&Factor, LeafPoint))| {
            let extra = vec![Blank; factor.extra.len()];
            IndexClaims::of(&indexed.claims.wirings, factor, &point, claim, scale, &extra)
        };
        for added in threads::map(parts, of_factor) {
            let added = added.ok_or(VerifyError::CheckFailed { label: "extra column" })?;
            indexed.claims.append(added);
        }
        Ok(Combined { claims: claims.claims, value: claims.table })
    }
}

/// Where a leaf polynomial's value is claimed.
#[derive(Clone)]
pub(in crate::argument) struct LeafPoint {
    pub(in crate::argument) rows: Vec<F128>,
    pub(in crate::argument) cols: Vec<F128>,
}

impl LeafPoint {
    pub(in crate::argument) fn of<E>(leaf: &LeafClaim<E>) -> Self {
        Self { rows: leaf.row_point.clone(), cols: leaf.col_point.clone() }
    }
}

/// The statement of a factor's table step, given a leaf claim and its weight.
pub(in crate::argument) fn statement(
    factor: &Factor,
    point: &LeafPoint,
    weight: F128,
) -> TableStatement {
    let (cols, taps, width) = (factor.tables(), factor.taps, factor.width());
    TableStatement { cols, taps, width, col_point: point.cols.clone(), weight }
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
    /// The maps of those with weights.
    pub(in crate::argument) wirings: Wirings,
}

impl<E: Element> IndexClaims<E> {
    pub(in crate::argument) fn new() -> Self {
        Self {
            points: Vec::new(),
            wired: Vec::new(),
            paired: Vec::new(),
            known: F128::ZERO,
            wirings: Wirings::default(),
        }
    }

    pub(in crate::argument) fn append(&mut self, mut other: Self) {
        self.points.append(&mut other.points);
        self.wired.append(&mut other.wired);
        self.paired.append(&mut other.paired);
        self.known += other.known;
    }

    /// A claim on a factor's histogram, its weight times `scale`, as claims on views, given the point of the leaf claim and the
    /// histograms of its extra columns. `None` where the point lies on those, which a random one does with probability `2^-128` a
    /// coordinate.
    pub(in crate::argument) fn of(
        wirings: &Wirings,
        factor: &Factor,
        leaf: &LeafPoint,
        claim: &TableClaim<E>,
        scale: F128,
        extra: &[E],
    ) -> Option<Self> {
        let mut claims = Self::new();
        let all = claim.weight * scale;
        let row_point = &leaf.rows[..];
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
            claims.points.push(one_hot(chunk, true, row_point, &[], all * share, histogram));
        }
        let n_vars = log2_ceil(factor.cols / factor.taps);
        let (cols, beyond) = claim.col_point.split_at_checked(n_vars)?;
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
            claims.paired.push(claim);
            return Some(claims);
        }
        let across = matches!(factor.read, Read::Across);
        match &factor.read {
            // Columns that share tables are read through a map.
            Read::Straight | Read::Across if factor.taps > 1 => return None,
            Read::Straight | Read::Across => {
                claims.points.push(one_hot(&factor.chunk, across, row_point, cols, weight, value));
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
                let cols = column_weights(factor, &leaf.cols, cols);
                let weights = wirings.weighted(gather, &rows, &cols);
                if let Some(pad) = pad {
                    let of_pad = weights.outside() * eq_vertex(index, usize::from(*pad));
                    value += E::from(of_pad);
                    claims.known += weight * of_pad;
                }
                let (rows, cols) = weights.source();
                let (view, index_point) = (factor.chunk.view, index.to_vec());
                let claim = WiredClaim { view, rows, cols, index_point, weights, weight, value };
                claims.wired.push(claim);
            }
        }
        Some(claims)
    }
}

/// What the columns of a factor weigh in its histogram's claim at `sigma`: `eq(sigma, c)`, and where columns share tables
/// `eq(z, c) eq(sigma, c div taps)`, `z` the point of the leaf claim.
fn column_weights(factor: &Factor, z: &[F128], sigma: &[F128]) -> Vec<F128> {
    let of_tables = kernels::eq_table(sigma);
    let mut weights = if factor.taps > 1 { kernels::eq_table(z) } else { of_tables.clone() };
    weights.truncate(factor.cols);
    if factor.taps > 1 {
        for (weights, &of_table) in weights.chunks_mut(factor.taps).zip(&of_tables) {
            kernels::scale(weights, of_table);
        }
    }
    weights
}

/// Public tables, each with its claim.
pub(super) struct PublicTables<'a> {
    /// Those of tables to come.
    claims: std::vec::IntoIter<TableClaim<Blank>>,
    tables: Vec<(Table<'a>, TableClaim<Blank>)>,
}

impl<'a> PublicTables<'a> {
    /// None yet of the tables that these claims are on.
    pub(super) fn of(claims: Vec<TableClaim<Blank>>) -> Self {
        Self { claims: claims.into_iter(), tables: Vec::new() }
    }

    /// The next claims are on these.
    pub(super) fn push(
        &mut self,
        tables: impl Iterator<Item = Table<'a>>,
    ) -> Result<(), VerifyError> {
        for table in tables {
            self.tables.push((table, next(&mut self.claims)?));
        }
        Ok(())
    }

    /// Their share of the weighted sum that the claims are of, where none is left.
    pub(super) fn weighted_sum(self) -> Result<F128, VerifyError> {
        if self.claims.len() > 0 {
            return Err(MALFORMED);
        }
        let of_table = |(table, claim): (Table<'_>, TableClaim<Blank>)| {
            table.evaluate(&claim.col_point, &claim.index_point) * claim.weight
        };
        Ok(threads::map(self.tables, of_table).into_iter().sum())
    }
}
