//! `create`: a commitment whose codeword and tree go to a file, block by block.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use binfer_field::{F128, kernels};
use binfer_hash::{Digest, MerkleTree};
use rayon::prelude::*;

use super::{DIGEST, Label, OracleId, Sections, WORD};
use crate::prove::ntt::encode_block;
use crate::{Params, Shape, code};
use binfer_iop::buffer::Buffer;

/// Elements of a block that is worth cutting.
const BLOCK: usize = 1 << 20;
/// Most layers of the transform that are spent on cutting: `2^n - 1` products an element instead of
/// `n / 2`.
const MOST_CUTS: u32 = 2;
/// Elements of one task.
const TASK: usize = 1 << 11;

/// Commits to `words` as [`commit`](crate::commit) does and leaves in `file`, from its beginning, what
/// [`open`](super::open) maps.
///
/// The codeword is made a block at a time, at most an eighth of it where it is large, so that memory is
/// little more than the words. The file's first page is written last.
///
/// # Errors
/// Where the file cannot be written, or would be too long for this machine.
///
/// # Panics
/// If the parameters are invalid, a codeword would have more than `2^48` symbols, or there are no words.
pub fn create(
    params: &Params,
    log_row: u32,
    words: Vec<F128>,
    label: &Label,
    file: &File,
) -> io::Result<OracleId> {
    create_in_blocks(params, log_row, words, label, file, BLOCK)
}

/// [`create`] with blocks of other sizes.
pub(super) fn create_in_blocks(
    params: &Params,
    log_row: u32,
    mut words: Vec<F128>,
    label: &Label,
    mut file: &File,
    block: usize,
) -> io::Result<OracleId> {
    assert!(params.validate().is_ok(), "invalid parameters: {params:?}");
    assert!(
        log_row + params.log_inv_rate <= code::MAX_LOG_LENGTH,
        "rows of 2^{log_row} words are too long"
    );
    assert!(!words.is_empty(), "an oracle in a file has words");
    let shape = Shape::for_words(log_row, words.len());
    words.resize(shape.n_words(), F128::ZERO);
    let sections = Sections::new(params, shape).ok_or(io::ErrorKind::FileTooLarge)?;
    let mut write_at = |offset: usize, bytes: &[u8]| {
        file.seek(SeekFrom::Start(offset as u64))?;
        file.write_all(bytes)
    };
    write_at(sections.words.start, bytemuck::cast_slice(&words))?;

    let cuts = (0..=MOST_CUTS.min(log_row)).find(|&cuts| words.len() >> cuts <= block);
    let cuts = cuts.unwrap_or(MOST_CUTS.min(log_row));
    let log_parts = params.log_inv_rate + cuts;
    let mut part = Buffer::zeroed(words.len() >> cuts);
    let mut cut = Buffer::zeroed(if cuts > 0 { part.len() } else { 0 });
    let n_leaves = 1 << (log_row + params.log_inv_rate);
    let mut roots = Vec::with_capacity(1 << log_parts);
    for k in 0..1 << log_parts {
        let message = if cuts == 0 {
            &words
        } else {
            cut_rows(&words, shape, cuts, k, &mut cut);
            &cut[..]
        };
        encode_block(message, shape.n_rows, k, &mut part);
        let bytes = bytemuck::cast_slice::<F128, u8>(&part);
        write_at(sections.codeword.start + k * bytes.len(), bytes)?;
        let subtree = MerkleTree::new(params.hash, bytes, WORD * shape.n_rows);
        for i in 0..subtree.log_leaves() {
            let level = subtree.level(i);
            let start = first_digest(n_leaves, i) + k * level.len();
            write_at(sections.digests.start + start * DIGEST, level.as_flattened())?;
        }
        roots.push(subtree.root());
    }
    let top = MerkleTree::over(params.hash, roots);
    let start = first_digest(n_leaves, n_leaves.ilog2() - log_parts);
    let levels: Vec<Digest> = (0..=log_parts).flat_map(|i| top.level(i)).copied().collect();
    write_at(sections.digests.start + start * DIGEST, levels.as_flattened())?;
    let id = OracleId { params: *params, shape, root: top.root() };
    write_at(0, &id.page(label))?;
    Ok(id)
}

/// Where level `i` begins among the digests of a tree.
fn first_digest(n_leaves: usize, i: u32) -> usize {
    2 * n_leaves - ((2 * n_leaves) >> i)
}

/// The messages, `2^cuts` times shorter than rows, whose codewords' block `k` of the whole domain is block
/// `k` of the rows' codewords: what the top layers of the transform leave there.
///
/// A layer maps halves `lo`, `hi` in block `j` to `lo + t_j hi` in block `2 j` and `lo + (t_j + 1) hi` in
/// block `2 j + 1`, so the message is a combination of the row's segments.
fn cut_rows(words: &[F128], shape: Shape, cuts: u32, k: usize, out: &mut [F128]) {
    let mut scales = vec![F128::ONE];
    for layer in (0..cuts).rev() {
        let child = k >> layer;
        let factor = code::twiddle(child >> 1) + F128::new(child as u128 & 1);
        scales = scales.into_iter().flat_map(|scale| [scale, scale * factor]).collect();
    }
    let length = 1 << shape.log_row;
    let segment = length >> cuts;
    let rows = out.chunks_exact_mut(segment).zip(words.chunks_exact(length));
    for (out, row) in rows {
        out.par_chunks_mut(TASK).enumerate().for_each(|(i, out)| {
            for (j, (segment, &scale)) in row.chunks_exact(segment).zip(&scales).enumerate() {
                let part = &segment[i * TASK..][..out.len()];
                match j {
                    0 => out.copy_from_slice(part),
                    _ => kernels::add_scaled(out, part, scale),
                }
            }
        });
    }
}
