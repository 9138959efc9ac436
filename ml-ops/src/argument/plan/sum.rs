//! What sums of functions and maxima ask for: products over the terms' elements that equal the outputs'.

use std::sync::Arc;

use super::output::Unaligned;
use super::product::NIBBLE;
use super::{
    Axis, Exponent, Factor, Matrix, Origin, OtherBits, Output, Plan, Read, Second, Source, cheapest,
};
use crate::argument::bits::{DIFFERENCE_BITS, max_constraints};
use crate::argument::wiring::batched;
use crate::graph::{Function, Gather, GatherDim, Graph, Op, Term};

use super::BitCheck;

/// One check that the products of some trees are, up to a constant factor, each the outputs'.
///
/// Base `j` has the columns `j taps .. (j + 1) taps` of a tree.
pub(crate) struct Sum {
    pub(crate) output: Output,
    /// Those of a sum of terms, whose products together with the powers are the outputs', or one a tap for a maximum.
    pub(crate) trees: Vec<SumTree>,
    /// Whether all trees together give the outputs' products, not each of them.
    pub(crate) is_joined: bool,
    /// Trees whose products are multiplied to powers.
    pub(crate) powers: Vec<Power>,
    /// What every product of a tree has more than the sums that are the outputs, as an exponent of every
    /// base.
    pub(crate) excess: i128,
}

/// A tree whose products have exponents, each its own.
pub(crate) struct Power {
    pub(crate) tree: SumTree,
    pub(crate) exponent: Exponent,
}

/// The factors of one tree, of as many columns each.
pub(crate) struct SumTree {
    pub(crate) summands: Vec<Exponents>,
    /// The factors whose indices add them, in their order.
    pub(crate) factors: Vec<Factor>,
    /// Columns of a base.
    pub(crate) taps: usize,
    /// Bases of the check on end whose product is a base of the tree.
    pub(crate) block: usize,
}

/// What an index of a factor adds to the exponent of its base.
#[derive(Clone, Debug)]
pub(crate) enum Exponents {
    /// `table[v]`.
    Listed(Arc<[i64; 256]>),
    /// `factor v + constant`.
    Linear {
        /// The factor.
        factor: i128,
        /// The constant.
        constant: i128,
    },
}

impl Sum {
    /// One that is a tree.
    pub(super) fn of_tree(output: Output, tree: SumTree) -> Self {
        Self { output, trees: vec![tree], is_joined: true, powers: Vec::new(), excess: 0 }
    }

    /// Whether products of several trees, or powers of them, are the outputs'.
    pub(crate) fn is_open(&self) -> bool {
        self.is_joined && (self.trees.len() != 1 || !self.powers.is_empty())
    }

    /// How many bases on end are multiplied to one for some of the terms.
    pub(crate) fn block(&self) -> usize {
        self.trees.iter().map(|tree| tree.block).max().unwrap_or(1)
    }

    /// The trees of all terms, those of powers first.
    pub(crate) fn all_trees(&self) -> impl Iterator<Item = &SumTree> {
        self.powers.iter().map(|power| &power.tree).chain(&self.trees)
    }

    /// The factors of all trees and the codes in exponents; all have as many products.
    pub(crate) fn factors(&self) -> impl Iterator<Item = &Factor> {
        let trees = self.all_trees().flat_map(|tree| &tree.factors);
        let codes = self.powers.iter().flat_map(|power| &power.exponent.operands);
        trees.chain(codes).chain(&self.output.factors)
    }
}

impl Exponents {
    /// Those of a table, as a line where it is one.
    fn of_table(table: &[i64; 256]) -> Self {
        let (first, step) = (i128::from(table[0]), i128::from(table[1]) - i128::from(table[0]));
        let line = (0i128..).map(|v| first + step * v);
        if table.iter().zip(line).all(|(&x, y)| i128::from(x) == y) {
            Self::Linear { factor: step, constant: first }
        } else {
            Self::Listed(Arc::new(*table))
        }
    }

    /// What bits from `first` on add.
    fn of_chunk(&self, first: u32) -> Self {
        match self {
            Self::Listed(_) => self.clone(),
            Self::Linear { factor, constant } => Self::Linear {
                factor: factor.saturating_mul(1 << first),
                constant: if first == 0 { *constant } else { 0 },
            },
        }
    }

    /// What the entry `v` adds.
    pub(super) fn at(&self, v: u8) -> i128 {
        match self {
            Self::Listed(table) => i128::from(table[usize::from(v)]),
            Self::Linear { factor, constant } => factor * i128::from(v) + constant,
        }
    }
}

/// One term, before an axis is chosen.
#[derive(Clone)]
pub(super) struct Input {
    pub(super) of: Operand,
    pub(super) bits: u32,
    /// For a part of a product, the bits that are an index.
    pub(super) nibbles: Option<Nibbles>,
    pub(super) exponents: Exponents,
}

/// A matrix as it is read.
#[derive(Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) matrix: usize,
    /// The map of all samples, with a multiple of the taps that it asks for; nothing where it is straight.
    pub(super) gather: Option<Gather>,
    /// The entry of positions outside the source.
    pub(super) pad: Option<u8>,
}

/// A nibble of each of two matrices that are one index.
#[derive(Clone)]
pub(super) struct Nibbles {
    /// Their first bits.
    pub(super) first: [u32; 2],
    /// The second matrix.
    pub(super) with: Operand,
}

impl Input {
    /// A part of a product.
    pub(super) fn of_nibbles(of: Operand, nibbles: Nibbles, exponents: Exponents) -> Self {
        Self { of, bits: 2 * NIBBLE, nibbles: Some(nibbles), exponents }
    }

    /// The cost of a base with `taps` columns of so many look-ups.
    pub(super) fn cost(&self, lookups: usize, taps: usize) -> usize {
        // Columns of indices of two matrices have tables of their own.
        let (tables, of_table) = if self.is_paired() { (taps, 1) } else { (1, taps) };
        let lookups = lookups.saturating_mul(of_table);
        let lookups = if self.of.gather.is_some() { lookups.div_ceil(2) } else { lookups };
        let cost = match &self.exponents {
            Exponents::Listed(_) => lookups.saturating_mul(3).saturating_add(256),
            Exponents::Linear { .. } => cheapest(self.bits, lookups).1,
        };
        cost.saturating_mul(tables)
    }

    /// Whether an index is made of two matrices that are read in different ways.
    fn is_paired(&self) -> bool {
        self.nibbles.as_ref().is_some_and(|nibbles| nibbles.with.gather != self.of.gather)
    }
}

impl Plan {
    pub(super) fn add_max(&mut self, graph: &Graph, node: usize, batch: usize) -> Option<()> {
        let Op::Max { x, gather, taps, y } = &graph.nodes[node].op else { return None };
        let Matrix { rows, cols, .. } = self.matrices[*y];
        let gather = batched(gather, batch);
        let identity = Exponents::Linear { factor: 1, constant: 0 };
        let mut inputs = Vec::with_capacity(*taps);
        let mut matrices = Vec::with_capacity(*taps);
        for tap in 0..*taps {
            let gather = Some(of_tap(&gather, *taps, tap)?);
            let (pad, exponents) = (Some(0), identity.clone());
            let of = Operand { matrix: *x, gather, pad };
            let of_x = Input { of, bits: 8, nibbles: None, exponents };
            let differences = self.add(Matrix {
                source: Source::Differences { node, tap },
                origin: Origin::Trace,
                rows,
                cols,
                bits: DIFFERENCE_BITS + 1,
                offset: 0,
                first_plane: None,
            });
            matrices.push(differences);
            let (bits, exponents) = (DIFFERENCE_BITS, identity.clone());
            let of = Operand { matrix: differences, gather: None, pad: None };
            let of_d = Input { of, bits, nibbles: None, exponents };
            inputs.push([of_x, of_d]);
        }
        // `x + d` and `y` are within `[0, 510]` and `[0, 255]`.
        let outputs = self.outputs(node, *y, 2 * 255);
        let trees: Vec<&[Input]> = inputs.iter().map(|pair| &pair[..]).collect();
        let axis = axis(&outputs, &trees, (rows, cols), 1);
        let trees = trees.iter().map(|pair| self.sum_tree(pair, axis, (rows, cols), 1));
        let trees = trees.collect::<Option<Vec<_>>>()?;
        let output = self.align(outputs, axis);
        self.sums.push(Sum { output, trees, is_joined: false, powers: Vec::new(), excess: 0 });
        self.bit_checks.push(BitCheck { matrices, constraints: max_constraints(*taps) });
        Some(())
    }

    /// A term whose map has `taps` columns an output.
    pub(super) fn input(
        &self,
        term: &Term,
        (rows, cols): (usize, usize),
        taps: usize,
        batch: usize,
    ) -> Option<Input> {
        let Matrix { bits, offset, .. } = self.matrices[term.x];
        let (exponents, pad) = match &term.function {
            Function::Table(table) => {
                let pad = term.gather.as_ref().and_then(|gather| gather.pad);
                (Exponents::of_table(table), pad)
            }
            // The offset is a constant of each element that is read.
            Function::Times(factor) => {
                let factor = i128::from(*factor);
                let constant = factor.checked_mul(offset)?.checked_neg()?;
                (Exponents::Linear { factor, constant }, None)
            }
            Function::Product { .. } => return None,
        };
        let gather = term.gather.as_ref().map(|gather| batched(gather, batch));
        let gather = match gather {
            None if taps == term.taps => None,
            gather => {
                let gather = gather.unwrap_or_else(|| Gather::straight(rows, cols));
                Some(with_taps(gather, term.taps, taps)?)
            }
        };
        let of = Operand { matrix: term.x, gather, pad };
        Some(Input { of, bits, nibbles: None, exponents })
    }

    /// The tree that adds these terms up.
    pub(super) fn sum_tree(
        &mut self,
        inputs: &[Input],
        axis: Axis,
        (rows, cols): (usize, usize),
        taps: usize,
    ) -> Option<SumTree> {
        let (products, bases) = match axis {
            Axis::Columns => (rows, cols),
            Axis::Rows => (cols, rows),
        };
        let cols = bases.checked_mul(taps)?;
        let (mut summands, mut factors) = (Vec::new(), Vec::new());
        let mut maps = Maps { axis, taps, known: Vec::new() };
        for input in inputs {
            let of = &input.of;
            if let Some(nibbles) = &input.nibbles {
                summands.push(input.exponents.clone());
                factors.push(self.nibbles_factor(of, nibbles, &mut maps, (products, cols))?);
                continue;
            }
            let chunks = match &input.exponents {
                Exponents::Listed(_) => vec![self.chunk(of.matrix, 0, 8)],
                Exponents::Linear { .. } => {
                    self.split(of.matrix, 0..input.bits, products.checked_mul(taps)?)
                }
            };
            for chunk in chunks {
                summands.push(input.exponents.of_chunk(chunk.first));
                let read = maps.read(of, bits(of.pad, chunk.first, chunk.bits))?;
                factors.push(Factor::plain(chunk, false, cols).read_as(read, taps));
            }
        }
        Some(SumTree { summands, factors, taps, block: 1 })
    }

    /// The factor whose index is a nibble of each of two matrices: one view of both where they are read alike.
    fn nibbles_factor(
        &mut self,
        of: &Operand,
        Nibbles { first: [first, other], with }: &Nibbles,
        maps: &mut Maps,
        (products, cols): (usize, usize),
    ) -> Option<Factor> {
        let pads = [bits(of.pad, *first, NIBBLE), bits(with.pad, *other, NIBBLE)];
        let shape = |of: &Operand| {
            let matrix = &self.matrices[of.matrix];
            (matrix.rows, matrix.cols)
        };
        if shape(of) == shape(with) && of.gather == with.gather {
            let other = OtherBits { matrix: with.matrix, first: *other };
            let chunk = self.chunk_of(of.matrix, *first, NIBBLE, Some(other));
            let pad = pads[0].zip(pads[1]).map(|(a, b)| a | b << NIBBLE);
            let read = maps.read(of, pad)?;
            return Some(Factor::plain(chunk, false, cols).read_as(read, maps.taps));
        }
        let chunk = self.chunk(of.matrix, *first, NIBBLE);
        let second = Second {
            chunk: self.chunk(with.matrix, *other, NIBBLE),
            read: maps.read(with, pads[1])?,
            products,
        };
        let read = maps.read(of, pads[0])?;
        Some(Factor { read, with: Some(Arc::new(second)), ..Factor::plain(chunk, false, cols) })
    }
}

/// Bits of an entry that stands for positions outside.
fn bits(pad: Option<u8>, first: u32, bits: u32) -> Option<u8> {
    let mask = ((1u16 << bits) - 1) as u8;
    pad.map(|pad| pad.checked_shr(first).unwrap_or(0) & mask)
}

/// The maps of a tree along one axis, equal ones shared.
struct Maps {
    axis: Axis,
    taps: usize,
    known: Vec<Arc<Gather>>,
}

impl Maps {
    /// How an operand is read, positions outside with this index.
    fn read(&mut self, of: &Operand, pad: Option<u8>) -> Option<Read> {
        let gather = match self.axis {
            Axis::Columns => of.gather.clone(),
            Axis::Rows => across(of.gather.as_ref(), self.taps)?,
        };
        let Some(gather) = gather else {
            return Some(if self.axis == Axis::Rows { Read::Across } else { Read::Straight });
        };
        let known = self.known.iter().find(|known| ***known == gather).cloned();
        let gather = known.unwrap_or_else(|| {
            let gather = Arc::new(gather);
            self.known.push(gather.clone());
            gather
        });
        Some(Read::Through { gather, pad })
    }
}

/// The axis along which tables and leaves cost less.
pub(super) fn axis(
    outputs: &Unaligned,
    trees: &[&[Input]],
    (rows, cols): (usize, usize),
    taps: usize,
) -> Axis {
    if !outputs.allows_rows() {
        return Axis::Columns;
    }
    let cost = |bases: usize, products: usize| {
        let inputs = trees.iter().copied().flatten().map(|input| input.cost(products, taps));
        let inputs = inputs.fold(0usize, usize::saturating_add);
        inputs.saturating_add(outputs.cost(products)).saturating_mul(bases)
    };
    if cost(rows, cols) < cost(cols, rows) { Axis::Rows } else { Axis::Columns }
}

/// The map with outputs' columns as rows, and rows and taps as columns: nothing where the matrix is read straight,
/// `None` where taps are no dimensions of their own.
pub(super) fn across(gather: Option<&Gather>, taps: usize) -> Option<Option<Gather>> {
    let Some(gather) = gather else { return Some(None) };
    let (outputs, last) = gather.split_taps(taps)?;
    let cols = [&gather.rows[..], &last].concat();
    Some(Some(Gather { rows: outputs, cols, ..gather.clone() }))
}

/// The map with `more` taps in place of `taps`, a divisor: those that are added lie outside the source.
pub(super) fn with_taps(gather: Gather, taps: usize, more: usize) -> Option<Gather> {
    if taps == more {
        return Some(gather);
    }
    let (outputs, last) = gather.split_taps(taps)?;
    // One more axis of the source, of length one, before the others.
    let shift = |dim: &GatherDim| GatherDim { axis: dim.axis.map(|axis| axis + 1), ..*dim };
    let copies = GatherDim { size: more / taps, axis: Some(0), step: 1 };
    Some(Gather {
        source_cols: [&[1], &gather.source_cols[..]].concat(),
        source_rows: gather.source_rows,
        offsets: [&[0], &gather.offsets[..]].concat(),
        rows: gather.rows.iter().map(shift).collect(),
        cols: outputs.iter().map(shift).chain([copies]).chain(last.iter().map(shift)).collect(),
        pad: gather.pad,
    })
}

/// The map of tap `tap` alone.
pub(crate) fn of_tap(gather: &Gather, taps: usize, tap: usize) -> Option<Gather> {
    let (cols, last) = gather.split_taps(taps)?;
    let mut offsets = gather.offsets.clone();
    let mut rest = tap;
    for dim in last.iter().rev() {
        let digit = (rest % dim.size) as i64;
        rest /= dim.size;
        if let Some(offset) = dim.axis.and_then(|axis| offsets.get_mut(axis)) {
            *offset = offset.saturating_add(dim.step.saturating_mul(digit));
        }
    }
    Some(Gather { cols, offsets, ..gather.clone() })
}
