//! The verifier of an opening.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_field::planes::Plane;
use binfer_field::tower::{from_tower, to_tower};
use binfer_field::{F128, Tower128, kernels};
use binfer_hash::{Digest, MerkleError, Transcript, verify_multi};
use thiserror::Error;

use super::code::Code;
use super::combine::{RowWeights, add_octet, coefficient_basis, fold_bits, number};
use super::{Params, ParamsError};

/// Why an opening is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TensorCodeError {
    /// The parameters are invalid.
    #[error("parameters: {0}")]
    Params(#[from] ParamsError),
    /// The point has a coordinate for each variable.
    #[error("a point of {got} coordinates for {expected} variables")]
    PointLength {
        /// Variables.
        expected: usize,
        /// Coordinates.
        got: usize,
    },
    /// The proof is shorter or longer than [`Params::proof_bytes`].
    #[error("the proof has {got} bytes, not {expected}")]
    Length {
        /// What the parameters call for.
        expected: u64,
        /// Bytes given.
        got: u64,
    },
    /// The combined row does not have the claimed value.
    #[error("the combined row has another value")]
    Value,
    /// A column does not match the root.
    #[error("column of query {query}: {source}")]
    Merkle {
        /// Which query.
        query: usize,
        /// Why.
        source: MerkleError,
    },
    /// A column's combination is not the combined row's symbol.
    #[error("the column of query {query} is not that of the combined row")]
    Column {
        /// Which query.
        query: usize,
    },
}

/// What the transcript holds before the first message: everything that is stated.
pub(super) fn absorb_statement(
    transcript: &mut Transcript,
    params: &Params,
    root: &Digest,
    point: &[F128],
    value: F128,
) {
    transcript.absorb_bytes("tensor code parameters", &params.to_bytes());
    transcript.absorb_bytes("tensor code root", root);
    transcript.absorb("tensor code point", point);
    transcript.absorb("tensor code value", &[value]);
}

/// The transcript from the combined row on: the positions of the columns.
pub(super) fn draw_positions(
    transcript: &mut Transcript,
    params: &Params,
    combined_row: &[F128],
) -> Vec<usize> {
    transcript.absorb("tensor code row", combined_row);
    transcript.positions("tensor code columns", params.log_length(), params.queries)
}

/// Verifies that the multilinear behind `root` has `value` at `point`.
///
/// The coordinates of the row variables, the last `log_rows` of the point, have to be drawn after the caller absorbed
/// the root; see the page `docs/protocols/tensor-code.md`. Work and memory are linear in the proof, a logarithm
/// besides for the encoding of the combined row.
///
/// # Errors
/// [`TensorCodeError`], whatever the bytes.
pub fn verify(
    params: &Params,
    root: &Digest,
    point: &[F128],
    value: F128,
    transcript: &mut Transcript,
    proof: &[u8],
) -> Result<(), TensorCodeError> {
    params.validate()?;
    let (expected, got) = (params.n_vars() as usize, point.len());
    let (low, high) = match point.split_at_checked(params.log_cols as usize) {
        Some(parts) if got == expected => parts,
        _ => return Err(TensorCodeError::PointLength { expected, got }),
    };
    let (expected, got) = (params.proof_bytes(), proof.len() as u64);
    let length = TensorCodeError::Length { expected, got };
    if expected != got {
        return Err(length);
    }
    absorb_statement(transcript, params, root, point, value);

    let n_row_bytes = usize::try_from(params.row_bytes()).map_err(|_| length)?;
    let (row, columns) = proof.split_at_checked(n_row_bytes).ok_or(length)?;
    let row: Vec<F128> = row.as_chunks::<16>().0.iter().map(|&e| F128::from_le_bytes(e)).collect();
    let positions = draw_positions(transcript, params, &row);
    if kernels::inner_product(&row, &kernels::eq_table(low)) != value {
        return Err(TensorCodeError::Value);
    }

    let codeword = ExtendedCodeword::new(params, row);
    let column_check = ColumnCheck::new(params, high);
    let n_path_bytes = (params.log_length() as usize).saturating_mul(32);
    let n_query_bytes = usize::try_from(params.query_bytes()).map_err(|_| length)?;
    for (query, (&position, opened)) in
        positions.iter().zip(columns.chunks_exact(n_query_bytes)).enumerate()
    {
        let n_column_bytes = n_query_bytes.saturating_sub(n_path_bytes);
        let (column, path) = opened.split_at_checked(n_column_bytes).ok_or(length)?;
        let (path, _) = path.as_chunks::<32>();
        verify_multi(params.hash, root, params.log_length(), &[position], &[column], path)
            .map_err(|source| TensorCodeError::Merkle { query, source })?;
        if column_check.combination(column) != codeword.symbol(position) {
            return Err(TensorCodeError::Column { query });
        }
    }
    Ok(())
}

/// What the combination of a column's symbols is: an element of the alphabet's tensor product with GF(2^128), as
/// one element for each coefficient of a symbol.
struct ColumnCheck {
    weights: RowWeights,
    basis: Vec<F128>,
    n_planes: usize,
    /// Rows of a group: lanes of a plane.
    n_lanes: usize,
}

impl ColumnCheck {
    fn new(params: &Params, row_point: &[F128]) -> Self {
        let eq = kernels::eq_table(row_point);
        Self {
            n_lanes: eq.len().min(64),
            weights: RowWeights::new(&eq),
            basis: coefficient_basis(params.log_coefficient),
            n_planes: params.alphabet.bytes(),
        }
    }

    /// A column is its groups of rows one after the other, each of them plane after plane.
    fn combination(&self, column: &[u8]) -> Vec<F128> {
        let mut sums = [F128::ZERO; 32];
        let mut tables = self.weights.tables();
        let octets_of_a_group = self.n_lanes.div_ceil(8);
        for group in column.chunks(self.n_lanes.saturating_mul(self.n_planes)) {
            for octet in 0..octets_of_a_group {
                let Some(table) = tables.next() else { break };
                for (plane, sums) in group.chunks(self.n_lanes).zip(sums.chunks_mut(8)) {
                    add_octet(sums, table, number(plane.chunks(8).nth(octet).unwrap_or(&[])));
                }
            }
        }
        let (sums, _) = sums.split_at(self.n_planes.saturating_mul(8).min(32));
        fold_bits(sums, &self.basis)
    }
}

/// The codeword of the combined row over the alphabet's tensor product with GF(2^128).
enum ExtendedCodeword {
    /// A symbol is one element of GF(2^128), which contains the alphabet.
    Elements(Vec<F128>),
    /// A symbol is several. Each coordinate of GF(2^128) over the coefficients is a codeword, in a lane of its own.
    Coordinates {
        /// Group after group of 64 lanes.
        groups: Vec<Vec<Plane>>,
        n_planes: usize,
        log_coefficient: u32,
    },
}

impl ExtendedCodeword {
    fn new(params: &Params, row: Vec<F128>) -> Self {
        if params.log_packing() == 0 {
            return Self::Elements(crate::code::encode(&row, params.log_inv_rate));
        }
        let code = Code::new(params);
        let encode = |message: Vec<Plane>| {
            let mut codeword = message.repeat(code.n_cosets);
            let coset_len = message.len().max(1);
            for (coset, block) in codeword.chunks_exact_mut(coset_len).enumerate() {
                code.encode_coset(block, coset);
            }
            codeword
        };
        Self::Coordinates {
            groups: coordinates(params, &row).into_iter().map(encode).collect(),
            n_planes: code.n_planes,
            log_coefficient: params.log_coefficient,
        }
    }

    /// The elements of one symbol, one for each coefficient that a symbol packs.
    fn symbol(&self, position: usize) -> Vec<F128> {
        match self {
            Self::Elements(elements) => elements.get(position).copied().into_iter().collect(),
            Self::Coordinates { groups, n_planes, log_coefficient } => {
                let planes =
                    groups.iter().filter_map(|group| group.chunks(*n_planes).nth(position));
                elements_of(planes, *n_planes, *log_coefficient)
            }
        }
    }
}

/// The messages whose symbols pack the coordinates of the combined row, one coordinate of GF(2^128) over the field
/// of the coefficients a lane: groups of 64 lanes, each of them plane after plane, position after position.
fn coordinates(params: &Params, row: &[F128]) -> Vec<Vec<Plane>> {
    let mut tower = vec![Tower128::ZERO; row.len()];
    to_tower(&mut tower, row);
    let log_coefficient = params.log_coefficient;
    let n_lanes = 128usize >> log_coefficient;
    let n_planes = params.alphabet.bytes();
    let mut groups = vec![vec![[0; 64]; n_planes << params.log_message()]; n_lanes.div_ceil(64)];
    for (position, symbol) in tower.chunks_exact(1 << params.log_packing()).enumerate() {
        // Lane d: coordinate d of each coefficient of the symbol, the first in the lowest bits.
        let mut lanes = [0u32; 128];
        for (k, element) in (0u32..).zip(symbol) {
            let bits = element.to_bits();
            for (d, lane) in (0u32..).zip(lanes.iter_mut().take(n_lanes)) {
                let mask = u32::MAX >> 32u32.saturating_sub(1 << log_coefficient);
                let coordinate = (bits >> (d << log_coefficient)) as u32 & mask;
                *lane |= coordinate << (k << log_coefficient);
            }
        }
        for (group, lanes) in groups.iter_mut().zip(lanes.chunks(64)) {
            let planes = group.chunks_exact_mut(n_planes).nth(position).into_iter().flatten();
            for (i, plane) in planes.enumerate() {
                for (byte, lane) in plane.iter_mut().zip(lanes) {
                    *byte = lane.to_le_bytes().get(i).copied().unwrap_or(0);
                }
            }
        }
    }
    groups
}

/// Inverse of [`coordinates`] for one symbol, whose planes the groups hold.
fn elements_of<'a>(
    groups: impl Iterator<Item = &'a [Plane]>,
    n_planes: usize,
    log_coefficient: u32,
) -> Vec<F128> {
    let log_packing = (n_planes.saturating_mul(8)).ilog2().saturating_sub(log_coefficient);
    let mut tower = vec![0u128; 1 << log_packing];
    let n_lanes = 128usize >> log_coefficient;
    let lanes = groups.flat_map(|planes| {
        (0..64).map(move |lane| {
            let bytes = planes.iter().map(|plane| plane.get(lane).copied().unwrap_or(0));
            bytes.rev().fold(0u32, |symbol, byte| symbol << 8 | u32::from(byte))
        })
    });
    for (d, symbol) in (0u32..).zip(lanes.take(n_lanes)) {
        for (k, element) in (0u32..).zip(&mut tower) {
            let mask = u32::MAX >> 32u32.saturating_sub(1 << log_coefficient);
            let coordinate = symbol >> (k << log_coefficient) & mask;
            *element |= u128::from(coordinate) << (d << log_coefficient);
        }
    }
    let tower: Vec<Tower128> = tower.into_iter().map(Tower128::new).collect();
    let mut elements = vec![F128::ZERO; tower.len()];
    from_tower(&mut elements, &tower);
    elements
}
