//! The prover's half: commitment and opening.

use binfer_field::planes::Plane;
use binfer_field::{F128, kernels};
use binfer_hash::{Digest, MerkleTree, Transcript};
use binfer_iop::buffer::Buffer;
use rayon::prelude::*;

use super::Params;
use super::code::Code;
use super::combine::{
    RowWeights, add_octet, coefficient_basis, fold_bits, number, transpose_bytes,
};
use super::verify::{absorb_statement, draw_positions};

/// Rows that are encoded together.
const LANES: usize = 64;

/// Bytes of a row that are combined at a time: the sums of their bits fit the first-level cache.
const CHUNK: usize = 128;

/// What the prover keeps of a commitment.
pub struct Oracle {
    params: Params,
    matrix: Vec<u8>,
    codeword: Buffer,
    tree: MerkleTree,
}

/// Commits to the matrix whose rows `matrix` holds one after the other.
///
/// Coefficient `c` of a row is its bits `c * 2^log_coefficient` and those that follow, bit 0 being the lowest of
/// the first byte. Costs one NTT over the alphabet a row and one hash of all codewords.
///
/// # Panics
/// If the parameters are invalid or `matrix` is not [`Params::message_bytes`] long.
pub fn commit(params: &Params, matrix: Vec<u8>) -> Oracle {
    assert_eq!(params.validate(), Ok(()), "invalid parameters: {params:?}");
    assert_eq!(matrix.len() as u64, params.message_bytes());
    let codeword = encode(params, &matrix);
    let tree = tree_over(params, &codeword);
    Oracle { params: *params, matrix, codeword, tree }
}

impl Oracle {
    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The commitment: the root of the tree whose leaf `x` is the symbols of all rows at position `x`.
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// The committed matrix.
    pub fn matrix(&self) -> &[u8] {
        &self.matrix
    }

    /// The symbols of all rows at a position.
    fn column(&self, position: usize) -> &[u8] {
        let n_bytes = column_bytes(&self.params);
        &bytemuck::cast_slice(&self.codeword)[position * n_bytes..][..n_bytes]
    }
}

/// Proves the value of the multilinear at `point`, which has a coordinate for each variable.
///
/// Returns the value and the proof, [`Params::proof_bytes`] bytes. The verifier's transcript has to hold the same as
/// `transcript`. What the point has to be drawn from is said at [`verify`](super::verify()).
///
/// # Panics
/// If the point has another number of coordinates than the multilinear has variables.
pub fn open(oracle: &Oracle, point: &[F128], transcript: &mut Transcript) -> (F128, Vec<u8>) {
    let params = oracle.params();
    assert_eq!(point.len(), params.n_vars() as usize, "a coordinate for each variable");
    let (low, high) = point.split_at(params.log_cols as usize);
    let row = combine_rows(params, &oracle.matrix, &kernels::eq_table(high));
    let value = kernels::inner_product(&row, &kernels::eq_table(low));
    (value, open_with_row(oracle, point, value, &row, transcript))
}

/// The proof that sends `row` for the combined row.
pub(super) fn open_with_row(
    oracle: &Oracle,
    point: &[F128],
    value: F128,
    row: &[F128],
    transcript: &mut Transcript,
) -> Vec<u8> {
    let params = oracle.params();
    absorb_statement(transcript, params, &oracle.root(), point, value);
    let mut proof = Vec::with_capacity(params.proof_bytes() as usize);
    proof.extend(row.iter().flat_map(|element| element.to_le_bytes()));
    for position in draw_positions(transcript, params, row) {
        proof.extend(oracle.column(position));
        proof.extend(oracle.tree.open(&[position]).as_flattened());
    }
    proof
}

/// `sum_i weights[i] row_i`, the coefficients of the rows taken as elements of GF(2^128).
fn combine_rows(params: &Params, matrix: &[u8], weights: &[F128]) -> Vec<F128> {
    let basis = coefficient_basis(params.log_coefficient);
    let weights = RowWeights::new(weights);
    let n_row_bytes = matrix.len() >> params.log_rows;
    let rows: Vec<&[u8]> = matrix.chunks_exact(n_row_bytes).collect();
    let combine = |start: usize| {
        let range = start..(start + CHUNK).min(n_row_bytes);
        let mut sums = vec![F128::ZERO; 8 * range.len()];
        for (table, rows) in weights.tables().zip(rows.chunks(8)) {
            for (at, sums) in range.clone().step_by(8).zip(sums.chunks_mut(64)) {
                for (sums, bytes) in sums.chunks_exact_mut(8).zip(columns_of(rows, at)) {
                    add_octet(sums, table, bytes);
                }
            }
        }
        fold_bits(&sums, &basis)
    };
    let starts = (0..n_row_bytes).into_par_iter().step_by(CHUNK);
    starts.flat_map_iter(combine).collect()
}

/// Bytes `at` to `at + 7` of at most eight rows, byte by byte; what is beyond the rows is zero.
#[inline]
fn columns_of(rows: &[&[u8]], at: usize) -> [u64; 8] {
    transpose_bytes(core::array::from_fn(|i| {
        rows.get(i).map_or(0, |row| number(row.get(at..).unwrap_or(&[])))
    }))
}

/// Bytes of a column.
fn column_bytes(params: &Params) -> usize {
    params.alphabet.bytes() << params.log_rows
}

/// The codewords of all rows, column after column. A column is groups of up to 64 rows, each of them as byte planes:
/// the first bytes of the group's symbols, then the second bytes, and so on.
fn encode(params: &Params, matrix: &[u8]) -> Buffer {
    let code = Code::new(params);
    let groups = rows_to_planes(params, matrix);
    let n_lanes = (1 << params.log_rows).min(LANES);
    let n_bytes = column_bytes(params) << params.log_length();
    let mut codeword = Buffer::zeroed(n_bytes.div_ceil(16));
    let bytes = &mut bytemuck::cast_slice_mut(&mut codeword)[..n_bytes];
    // A coset's columns are neighbours.
    bytes.par_chunks_exact_mut(n_bytes / code.n_cosets).enumerate().for_each(|(coset, columns)| {
        let mut block = vec![[0; LANES]; code.n_planes * code.message];
        for (g, message) in groups.chunks_exact(block.len()).enumerate() {
            block.copy_from_slice(message);
            code.encode_coset(&mut block, coset);
            let positions = block.chunks_exact(code.n_planes);
            for (column, planes) in columns.chunks_exact_mut(column_bytes(params)).zip(positions) {
                let group = &mut column[g * n_lanes * code.n_planes..][..n_lanes * code.n_planes];
                if n_lanes == LANES {
                    group.copy_from_slice(planes.as_flattened());
                    continue;
                }
                for (bytes, plane) in group.chunks_exact_mut(n_lanes).zip(planes) {
                    bytes.copy_from_slice(&plane[..n_lanes]);
                }
            }
        }
    });
    codeword
}

/// The bytes of the rows as planes, group after group of 64 rows, missing rows zero: byte `j` of all rows of a
/// group is its plane `j`.
fn rows_to_planes(params: &Params, matrix: &[u8]) -> Vec<Plane> {
    let n_row_bytes = matrix.len() >> params.log_rows;
    let n_groups = (1usize << params.log_rows).div_ceil(LANES);
    let mut planes = vec![[0; LANES]; n_groups * n_row_bytes];
    planes.par_chunks_exact_mut(n_row_bytes).zip(matrix.par_chunks(LANES * n_row_bytes)).for_each(
        |(planes, rows)| {
            let rows: Vec<&[u8]> = rows.chunks_exact(n_row_bytes).collect();
            // Tiles of 64 bytes of each row: both sides stay in cache.
            for (t, tile) in planes.chunks_mut(LANES).enumerate() {
                for (octet, rows) in rows.chunks(8).enumerate() {
                    for (i, planes) in tile.chunks_mut(8).enumerate() {
                        let columns = columns_of(rows, t * LANES + 8 * i);
                        for (plane, bytes) in planes.iter_mut().zip(columns) {
                            plane[8 * octet..][..8].copy_from_slice(&bytes.to_le_bytes());
                        }
                    }
                }
            }
        },
    );
    planes
}

/// The tree over the columns.
fn tree_over(params: &Params, codeword: &[F128]) -> MerkleTree {
    let n_bytes = column_bytes(params) << params.log_length();
    let bytes = &bytemuck::cast_slice(codeword)[..n_bytes];
    MerkleTree::new(params.hash, bytes, column_bytes(params))
}

#[cfg(test)]
impl Oracle {
    /// The commitment to the same matrix with codewords that differ at the given positions, by `noise` in the first byte
    /// of the first row.
    pub(super) fn with_noise(mut self, positions: impl Iterator<Item = usize>, noise: u8) -> Self {
        let n_bytes = column_bytes(&self.params);
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.codeword);
        for position in positions {
            bytes[position * n_bytes] ^= noise;
        }
        self.tree = tree_over(&self.params, &self.codeword);
        self
    }

    /// The commitment with another matrix, behind the same root.
    pub(super) fn with_matrix(mut self, matrix: Vec<u8>) -> Self {
        self.matrix = matrix;
        self
    }
}
