//! Products of which one operand depends on the number of the check's product alone: powers of a tree's products.
//!
//! With bases `h_j` of columns, and terms `u_a v_b (a_ij - a_0)(b_i - b_0)`, the terms' share of product `i` is
//! `P_i^(e_i)`, `P_i = prod_j h_j^(sum_a u_a (a_ij - a_0))` and `e_i = sum_b v_b (b_i - b_0)`. So it is with bases of rows and operands
//! `b_j`. The weights `v_b` are powers of two.

use std::sync::Arc;

use super::exponents::{CODE_BITS, Weighted};
use super::product::Product;
use super::sum::{Exponents, Input, Operand, Power, across};
use super::{Axis, Exponent, Factor, Plan, Read};
use crate::graph::{Gather, GatherDim};

/// Terms that are a power together.
pub(super) struct Powered {
    /// The numbers of the terms.
    pub(super) terms: Vec<usize>,
    /// The terms' other operands.
    bases: Vec<Operand>,
    /// What is subtracted from their entries, and by what the difference is multiplied.
    linear: Vec<(u8, i64)>,
    /// Taps of these.
    taps: usize,
    exponents: Vec<Codes>,
}

/// Codes of which each product has one, as a part of its exponent.
#[derive(Clone, PartialEq)]
struct Codes {
    matrix: usize,
    /// The map to one column, a row for each product.
    gather: Gather,
    zero: u8,
    log_weight: u32,
}

/// A product's operands, told apart.
struct Sorted {
    term: usize,
    base: Operand,
    zero: u8,
    factor: i64,
    taps: usize,
    codes: Codes,
}

/// The products among some terms that are powers along an axis, by what they are powers of. Products are those of terms with
/// these numbers, of a matrix of this size.
pub(super) fn grouped(
    products: &[(usize, Product)],
    axis: Axis,
    size: (usize, usize),
) -> Vec<Powered> {
    let sorted = products.iter().filter_map(|(term, product)| sort(*term, product, axis, size));
    let mut sorted: Vec<Sorted> = sorted.filter(|product| product.factor != 0).collect();
    // The least weight of an operand's codes comes first, so that others are multiples.
    sorted.sort_by_key(|product| product.factor.unsigned_abs());
    let mut groups: Vec<Powered> = Vec::new();
    while let Some(first) = sorted.first() {
        let codes = first.codes.clone();
        let (of_codes, rest): (Vec<_>, Vec<_>) =
            sorted.into_iter().partition(|product| product.codes == codes);
        sorted = rest;
        // All bases of one exponent have as many taps; others wait for a group of their own.
        let taps = of_codes[0].taps;
        let (of_codes, others): (Vec<_>, Vec<_>) =
            of_codes.into_iter().partition(|product| product.taps == taps);
        sorted.extend(others);
        let joined = groups.iter_mut().any(|group| group.join(&of_codes));
        if !joined {
            groups.push(Powered {
                terms: of_codes.iter().map(|product| product.term).collect(),
                linear: of_codes.iter().map(|product| (product.zero, product.factor)).collect(),
                bases: of_codes.into_iter().map(|product| product.base).collect(),
                taps,
                exponents: vec![codes],
            });
        }
    }
    groups
}

impl Powered {
    /// Takes in the products with one more operand's codes if their bases are the same and their factors multiples of
    /// those by one power of two.
    fn join(&mut self, of_codes: &[Sorted]) -> bool {
        if of_codes.len() != self.bases.len() || of_codes[0].taps != self.taps {
            return false;
        }
        let ratio = |product: &Sorted| {
            let is_base = |(base, (zero, _)): &(&Operand, &(u8, i64))| {
                **base == product.base && *zero == product.zero
            };
            let mut bases = self.bases.iter().zip(&self.linear);
            let (_, &(_, factor)) = bases.find(is_base)?;
            let ratio = product.factor.checked_div(factor)?;
            let is_power = ratio > 0 && ratio.count_ones() == 1;
            (is_power && ratio.checked_mul(factor)? == product.factor).then_some(ratio)
        };
        let ratios: Option<Vec<i64>> = of_codes.iter().map(ratio).collect();
        let Some(ratios) = ratios else { return false };
        if ratios.iter().any(|ratio| *ratio != ratios[0]) || has_repeated(of_codes) {
            return false;
        }
        let log_weight = ratios[0].trailing_zeros();
        self.exponents.push(Codes { log_weight, ..of_codes[0].codes.clone() });
        self.terms.extend(of_codes.iter().map(|product| product.term));
        true
    }

    /// The terms of its tree.
    fn inputs(&self) -> Vec<Input> {
        let input = |(of, &(zero, factor)): (&Operand, &(u8, i64))| {
            let factor = i128::from(factor);
            let constant = -factor * i128::from(zero);
            let exponents = Exponents::Linear { factor, constant };
            Input { of: of.clone(), bits: CODE_BITS, nibbles: None, exponents }
        };
        self.bases.iter().zip(&self.linear).map(input).collect()
    }

    /// What it costs in all with so many bases and products.
    pub(super) fn cost(&self, bases: usize, products: usize) -> usize {
        let inputs = self.inputs();
        let of_base = inputs.iter().map(|input| input.cost(products, self.taps));
        let of_bases = of_base.fold(0usize, usize::saturating_add).saturating_mul(bases);
        let bits = self.exponents.len().saturating_mul(CODE_BITS as usize);
        // The product of all factors, their powers and the claims on them.
        let of_product = (bits + 2).saturating_mul(bits + 2) / 2 + 6 * bits;
        let of_products = of_product.saturating_mul(products);
        of_bases.saturating_add(of_products).saturating_add(ONCE.saturating_mul(bits))
    }
}

/// What a bit costs once: messages, and its share of a table.
const ONCE: usize = 128;

/// Whether one base is among them twice.
fn has_repeated(of_codes: &[Sorted]) -> bool {
    let repeated = |(i, product): (usize, &Sorted)| {
        of_codes
            .iter()
            .take(i)
            .any(|other| (&other.base, other.zero) == (&product.base, product.zero))
    };
    of_codes.iter().enumerate().any(repeated)
}

/// The operands of a product told apart, if one of them is an exponent.
fn sort(term: usize, product: &Product, axis: Axis, size: (usize, usize)) -> Option<Sorted> {
    let Product { operands, zeros, factor, taps, .. } = product;
    let find = |number: usize| {
        let of = operands.get(number)?;
        Some((number, of_products(of.gather.as_ref(), axis, size, *taps)?))
    };
    let (number, gather) = find(1).or_else(|| find(0))?;
    let [of, base] = [number, 1 - number];
    across(operands[base].gather.as_ref(), *taps)?;
    let codes = Codes { matrix: operands[of].matrix, gather, zero: zeros[of], log_weight: 0 };
    let (base, zero) = (operands[base].clone(), zeros[base]);
    Some(Sorted { term, base, zero, factor: *factor, taps: *taps, codes })
}

/// A map's first column along an axis, if all are alike and read elements only.
fn of_products(
    gather: Option<&Gather>,
    axis: Axis,
    size: (usize, usize),
    taps: usize,
) -> Option<Gather> {
    let (gather, alike) = oriented(gather, axis, size, taps)?;
    (alike == gather.n_cols()).then(|| Gather { cols: Vec::new(), ..gather })
}

/// A map with products as rows and bases, with their taps, as columns, and how many columns on end are always alike; `None` if not all
/// of it reads elements.
pub(super) fn oriented(
    gather: Option<&Gather>,
    axis: Axis,
    (rows, cols): (usize, usize),
    taps: usize,
) -> Option<(Gather, usize)> {
    let gather = gather.cloned().unwrap_or_else(|| Gather::straight(rows, cols));
    let (rows, mut cols) = match axis {
        Axis::Columns => (gather.rows.clone(), gather.cols.clone()),
        Axis::Rows => {
            let (outputs, last) = gather.split_taps(taps)?;
            (outputs, [&gather.rows[..], &last].concat())
        }
    };
    let is_inside = |(axis, (&start, &size)): (usize, (&i64, &usize))| {
        let along = rows.iter().chain(&cols).filter(|dim| dim.axis == Some(axis));
        let (low, high) = along.fold((start, start), |(low, high), dim| {
            let reach = dim.step.saturating_mul((dim.size as i64).saturating_sub(1));
            (low.saturating_add(reach.min(0)), high.saturating_add(reach.max(0)))
        });
        low >= 0 && usize::try_from(high).is_ok_and(|high| high < size)
    };
    let sizes = gather.source_cols.iter().chain(&gather.source_rows);
    if !gather.offsets.iter().zip(sizes).enumerate().all(is_inside) {
        return None;
    }
    let is_still = |dim: &&GatherDim| dim.size == 1 || dim.axis.is_none() || dim.step == 0;
    let still = cols.iter().rev().take_while(is_still).count();
    let still = cols.split_off(cols.len() - still);
    let alike = still.iter().map(|dim| dim.size).fold(1usize, usize::saturating_mul);
    cols.push(GatherDim { size: alike, axis: None, step: 0 });
    Some((Gather { rows, cols, pad: None, ..gather }, alike))
}

impl Plan {
    /// The tree of a power's base, and its exponents.
    pub(super) fn power(
        &mut self,
        powered: &Powered,
        axis: Axis,
        size: (usize, usize),
    ) -> Option<Power> {
        let tree = self.sum_tree(&powered.inputs(), axis, size, powered.taps)?;
        let weighted = |codes: &Codes| {
            let chunk = self.chunk(codes.matrix, 0, CODE_BITS);
            let across = codes.gather.is_whole(true);
            let is_plain = across || codes.gather.is_whole(false);
            let factor = Factor::plain(chunk, across, 1);
            let read = Read::Through { gather: Arc::new(codes.gather.clone()), pad: None };
            let factor = if is_plain { factor } else { Factor { read, ..factor } };
            Weighted { factor, log_weight: codes.log_weight, zero: codes.zero }
        };
        let operands = powered.exponents.iter().map(weighted).collect();
        Some(Power { tree, exponent: Exponent::of_codes(operands) })
    }
}
