//! The index bytes of some views of a plan, by their columns, across them, or read through a map.

use core::ops::Range;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use binfer_iop::buffer::Bytes;
use rayon::prelude::*;

use super::entries::Entries;
use super::plan::{Factor, Plan, Read, Second};
use super::wiring::Gathered;
use crate::graph::Gather;

/// The index bytes of some views of a plan.
pub(crate) struct Indices<'a> {
    /// The plan's numbers of the views, in increasing order.
    numbers: &'a [usize],
    views: Vec<ViewIndices<'a>>,
    gathered: Vec<GatheredIndices>,
    paired: Vec<PairedIndices>,
}

/// Indices that are made of two matrices.
struct PairedIndices {
    /// The view of the first, and the second.
    view: usize,
    with: Arc<Second>,
    /// `[column][product]`.
    bytes: Vec<u8>,
}

/// A view, and the map that it is read through.
struct Through {
    view: usize,
    gather: Arc<Gather>,
    pad: Option<u8>,
}

/// What is read.
struct GatheredIndices {
    through: Through,
    rows: usize,
    gathered: Gathered,
}

/// The indices of one column of a factor, one a product.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a> {
    pub(crate) bytes: &'a [u8],
    /// Products that the column contributes nothing to, in order.
    pub(crate) holes: &'a [Range<usize>],
}

struct ViewIndices<'a> {
    rows: usize,
    cols: usize,
    /// `[column][row]`.
    bytes: Cow<'a, [u8]>,
    /// `[row][column]`, made when first asked for.
    across: OnceLock<Bytes>,
}

impl Through {
    fn is(&self, view: usize, gather: &Arc<Gather>, pad: Option<u8>) -> bool {
        self.view == view && self.pad == pad && Arc::ptr_eq(&self.gather, gather)
    }

    /// Adds what a factor reads through a map, if it does and it is not there.
    fn add(all: &mut Vec<Self>, factor: &Factor) {
        let view = factor.chunk.view;
        if let Read::Through { gather, pad } = &factor.read
            && !all.iter().any(|of| of.is(view, gather, *pad))
        {
            all.push(Self { view, gather: gather.clone(), pad: *pad });
        }
    }
}

impl<'a> Indices<'a> {
    /// Those of the views of `plan` with these numbers, which increase, for these factors to read.
    pub(crate) fn new<'p>(
        plan: &Plan,
        numbers: &'a [usize],
        factors: impl Iterator<Item = &'p Factor>,
        entries: &'a [Entries<'_>],
    ) -> Self {
        let view = |&number: &usize| {
            let (chunk, view) = (&plan.chunks[number], &plan.views[number]);
            let other = chunk.other.map(|other| (&entries[other.matrix], other.first));
            let bytes = entries[chunk.matrix].indices(chunk, other);
            ViewIndices { rows: view.rows, cols: view.cols, bytes, across: OnceLock::new() }
        };
        let views = numbers.par_iter().map(view).collect();
        let mut this = Self { numbers, views, gathered: Vec::new(), paired: Vec::new() };
        // Views are read through each map once.
        let (mut maps, mut pairs) = (Vec::new(), Vec::new());
        for factor in factors {
            match factor.operands() {
                None => Through::add(&mut maps, factor),
                Some(operands) => {
                    operands.iter().for_each(|operand| Through::add(&mut maps, operand));
                    pairs.push((factor, operands));
                }
            }
        }
        let gathered = maps.into_par_iter().map(|through: Through| {
            let Through { view, gather, pad } = &through;
            let gathered = Gathered::new(gather, &this.view(*view).bytes, *pad);
            GatheredIndices { rows: gather.n_rows(), through, gathered }
        });
        this.gathered = gathered.collect();
        pairs.iter().for_each(|(factor, operands)| this.pair(factor, operands));
        this
    }

    /// Joins the indices of a factor's two matrices.
    fn pair(&mut self, factor: &Factor, operands: &[Factor; 2]) {
        let Some(with) = factor.with.clone() else { return };
        if self.paired(factor.chunk.view, &with).is_some() {
            return;
        }
        let width = factor.chunk.width();
        let [low, high] = operands.each_ref().map(|operand| self.columns(operand));
        let mut bytes = vec![0; with.products * low.len()];
        let columns = bytes.par_chunks_mut(with.products).zip(low.par_iter().zip(&high));
        columns.for_each(|(out, (low, high))| {
            for (out, (&low, &high)) in out.iter_mut().zip(low.bytes.iter().zip(high.bytes)) {
                *out = low | high << width;
            }
        });
        let view = factor.chunk.view;
        self.paired.push(PairedIndices { view, with, bytes });
    }

    fn paired(&self, view: usize, with: &Arc<Second>) -> Option<&PairedIndices> {
        self.paired.iter().find(|p| p.view == view && Arc::ptr_eq(&p.with, with))
    }

    fn gathered(
        &self,
        view: usize,
        gather: &Arc<Gather>,
        pad: Option<u8>,
    ) -> Option<&GatheredIndices> {
        self.gathered.iter().find(|of| of.through.is(view, gather, pad))
    }

    /// The indices of every view, `[column][row]`.
    pub(crate) fn by_view(&self) -> Vec<&[u8]> {
        self.views.iter().map(|view| view.bytes.as_ref()).collect()
    }

    fn view(&self, number: usize) -> &ViewIndices<'a> {
        let at = self.numbers.binary_search(&number);
        &self.views[at.expect("a group's factors read its own views")]
    }

    /// The indices of a view, `[column][row]`.
    pub(crate) fn of_view(&self, number: usize) -> &[u8] {
        &self.view(number).bytes
    }

    /// The indices of every column of a factor.
    pub(crate) fn columns(&self, factor: &Factor) -> Vec<Column<'_>> {
        let plain = |bytes| Column { bytes, holes: &[] };
        if let Some(with) = &factor.with {
            let found = self.paired(factor.chunk.view, with);
            let bytes = &found.expect("a group's factors read what was joined for them").bytes;
            return bytes.chunks(with.products).map(plain).collect();
        }
        let view = self.view(factor.chunk.view);
        let mut columns: Vec<Column<'_>> = match &factor.read {
            Read::Straight => view.bytes.chunks(view.rows).map(plain).collect(),
            Read::Across => view.across().map(plain).collect(),
            Read::Through { gather, pad } => {
                let found = self.gathered(factor.chunk.view, gather, *pad);
                let GatheredIndices { rows, gathered, .. } =
                    found.expect("a group's factors read what was gathered for them");
                let columns = gathered.bytes.chunks(*rows).zip(&gathered.holes);
                columns.map(|(bytes, holes)| Column { bytes, holes }).collect()
            }
        };
        columns.extend(factor.extra.iter().map(|chunk| plain(self.of_view(chunk.view))));
        columns
    }
}

impl ViewIndices<'_> {
    /// The rows.
    fn across(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = match self.rows {
            1 => &self.bytes[..],
            _ => self.across.get_or_init(|| transpose(&self.bytes, self.rows)),
        };
        bytes.chunks(self.cols)
    }
}

/// Rows of a strip: lines of as many rows of sixteen columns stay in the first cache until all are read.
const STRIP: usize = 64;

/// Rows and columns of a block.
const SIDE: usize = 16;

/// `[row][column]` of a matrix `[column][row]` with `rows` rows.
fn transpose(matrix: &[u8], rows: usize) -> Bytes {
    let cols = matrix.len() / rows;
    let mut across = Bytes::unspecified(matrix.len());
    across.par_chunks_mut(STRIP * cols).enumerate().for_each(|(number, strip)| {
        for at in (0..cols).step_by(SIDE) {
            let columns = &matrix[at * rows..(at + SIDE).min(cols) * rows];
            let mut first = number * STRIP;
            for out in strip.chunks_mut(SIDE * cols) {
                transpose_block(columns, rows, first, out, cols, at);
                first += SIDE;
            }
        }
    });
    across
}

/// The rows of `out` from row `first` on, at most [`SIDE`], in at most as many columns, the first of which is column `at`. By
/// numbers and arrays: iterators and copies of slices were calls for each column and row.
fn transpose_block(
    columns: &[u8],
    rows: usize,
    first: usize,
    out: &mut [u8],
    cols: usize,
    at: usize,
) {
    if (out.len(), columns.len()) == (SIDE * cols, SIDE * rows) {
        let mut block = [[0; SIDE]; SIDE];
        for c in 0..SIDE {
            if let Some(lane) = columns[c * rows + first..].first_chunk() {
                block[c] = *lane;
            }
        }
        transpose_bytes(&mut block);
        for r in 0..SIDE {
            if let Some(lane) = out[r * cols + at..].first_chunk_mut() {
                *lane = block[r];
            }
        }
        return;
    }
    for c in 0..columns.len() / rows {
        for r in 0..out.len() / cols {
            out[r * cols + at + c] = columns[c * rows + first + r];
        }
    }
}

/// Byte `r` of lane `c` changes places with byte `c` of lane `r`: each round takes the lanes of both halves in turn, byte by byte.
#[inline]
fn transpose_bytes(lanes: &mut [[u8; SIDE]; SIDE]) {
    for _ in 0..SIDE.ilog2() {
        let from = *lanes;
        for i in 0..SIDE / 2 {
            let (low, high) = (&from[i], &from[i + SIDE / 2]);
            lanes[2 * i] = in_turn(low, high, 0);
            lanes[2 * i + 1] = in_turn(low, high, SIDE / 2);
        }
    }
}

/// Half the bytes of each, from byte `first` on. By loops and numbers: iterators were a call for each byte.
#[inline(always)]
fn in_turn(a: &[u8; SIDE], b: &[u8; SIDE], first: usize) -> [u8; SIDE] {
    let mut out = [0; SIDE];
    for j in 0..SIDE / 2 {
        out[2 * j] = a[first + j];
        out[2 * j + 1] = b[first + j];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_of_all_shapes_are_transposed() {
        for (rows, cols) in
            [(1, 1), (3, 5), (8, 8), (16, 9), (9, 16), (40, 33), (64, 1), (1, 20), (133, 70)]
        {
            let matrix: Vec<u8> = (0..rows * cols).map(|i| (i * 151 % 253) as u8).collect();
            let across = transpose(&matrix, rows);
            for r in 0..rows {
                for c in 0..cols {
                    assert_eq!(across[r * cols + c], matrix[c * rows + r], "{rows} {cols} {r} {c}");
                }
            }
        }
    }
}
