//! Products on cosets by tables, on processors without instructions for bytes.

use crate::coset::{self, COSETS, Extension, FIRST_SUM, PAIRS, ProductSums, SUBSETS, SUMS, embed};
use crate::{F128, Tower8};

/// Values at the representatives of all cosets, in the AES field.
type Values = [u8; COSETS * PAIRS];

/// Weights are added up by the values of a product's nibbles.
#[inline(always)]
pub(super) fn add_products(
    sums: &mut [ProductSums],
    planes: &[&[u16]],
    weights: &[F128],
    extension: &Extension,
) {
    let to_tower: [u8; 256] = core::array::from_fn(|byte| Tower8::from_aes(byte as u8).to_bits());
    let basis: [F128; 4] = core::array::from_fn(|bit| embed(Tower8::new(1 << bit)));
    for (sums, planes) in sums.iter_mut().zip(planes.chunks(4)) {
        if planes.len() < 2 {
            continue;
        }
        let mut bins = vec![[[F128::ZERO; 16]; 2]; SUMS];
        for (b, &weight) in weights.iter().enumerate() {
            let mut values = [Values::default(); 4];
            for (values, plane) in values.iter_mut().zip(planes) {
                for (table, byte) in extension.bytes.iter().zip(plane[b].to_le_bytes()) {
                    add(values, &table[usize::from(byte)]);
                }
            }
            let products = products_of(&values);
            for j in coset::sets(planes.len(), 0) {
                let n = PAIRS * (SUBSETS[j].len() - 1);
                let bins = &mut bins[FIRST_SUM[j]..][..n];
                for ([low, high], &product) in bins.iter_mut().zip(&products[j]) {
                    let value = to_tower[usize::from(product)];
                    low[usize::from(value & 0xf)] += weight;
                    high[usize::from(value >> 4)] += weight;
                }
            }
        }
        for (sums, bins) in sums.elements.as_flattened_mut().iter_mut().zip(bins.as_flattened()) {
            for (bit, &x) in basis.iter().enumerate() {
                let has = bins.iter().enumerate().filter(|(value, _)| value >> bit & 1 == 1);
                *sums += has.map(|(_, &bin)| bin).sum::<F128>() * x;
            }
        }
    }
}

/// The products of the sets of [`SUBSETS`].
#[inline(always)]
fn products_of([a, b, c, d]: &[Values; 4]) -> [Values; SUBSETS.len()] {
    let (ab, cd) = (multiply(a, b), multiply(c, d));
    [
        ab,
        multiply(a, c),
        multiply(b, c),
        multiply(a, d),
        multiply(b, d),
        cd,
        multiply(&ab, c),
        multiply(&ab, d),
        multiply(a, &cd),
        multiply(b, &cd),
        multiply(&ab, &cd),
    ]
}

#[inline(always)]
fn add(a: &mut [u8], b: &[u8]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a ^= b;
    }
}

/// Products of bytes in the AES field, a bit of the second factor at a time.
#[inline(always)]
fn multiply(a: &Values, b: &Values) -> Values {
    let (mut a, mut product) = (*a, Values::default());
    for k in 0..8 {
        for ((product, a), b) in product.iter_mut().zip(&mut a).zip(b) {
            *product ^= *a & (b >> k & 1).wrapping_neg();
            *a = (*a << 1) ^ ((*a >> 7) * 0x1b);
        }
    }
    product
}
