//! Products on cosets by tables, on processors without instructions for bytes.

use crate::coset::{Extension, FIRST_SUBSET, Group, ProductSums};

/// Values at the points of the first `G` cosets.
type Values<const G: usize> = [[u8; 32]; G];

/// Every product of a block's weight is looked up among all 256 of them.
#[inline(always)]
pub(super) fn add_products(
    sums: &mut ProductSums,
    planes: &[&[u32]],
    weights: &[Group],
    extension: &Extension,
) {
    let n_planes = planes.len();
    for b in (0..planes[0].len()).step_by(2) {
        let mut products = [Products::default(); 2];
        let mut tables = [[0; 256]; 2];
        for (i, (products, table)) in products.iter_mut().zip(&mut tables).enumerate() {
            let weights = &weights[(b + i) / 64].0;
            *table = multiples(u128::from_le_bytes(weights.map(|bytes| bytes[(b + i) % 64])));
            let mut extended = [Values::<3>::default(); 4];
            for (extended, plane) in extended.iter_mut().zip(planes) {
                let word = plane.get(b + i).copied().unwrap_or_default();
                for (table, byte) in extension.tables.iter().zip(word.to_le_bytes()) {
                    add(extended.as_flattened_mut(), &table[usize::from(byte)]);
                }
            }
            *products = Products::of(&extended, n_planes);
        }
        let [first, second] = &products;
        let (pairs, rest) = sums.0.split_at_mut(FIRST_SUBSET[1]);
        let (triples, all) = rest.split_at_mut(FIRST_SUBSET[2] - FIRST_SUBSET[1]);
        for (j, sums) in pairs.iter_mut().enumerate().take(n_planes * (n_planes - 1) / 2) {
            add_multiples(sums, &tables, [&first.pairs[j], &second.pairs[j]]);
        }
        let n_triples = [0, 0, 0, 1, 4][n_planes];
        for (j, sums) in triples.iter_mut().enumerate().take(n_triples) {
            add_multiples(sums, &tables, [&first.triples[j], &second.triples[j]]);
        }
        if n_planes == 4 {
            add_multiples(&mut all[0], &tables, [&first.all, &second.all]);
        }
    }
}

/// Of one block, the products that are summed, in the order of [`SUBSETS`].
#[derive(Clone, Copy, Default)]
struct Products {
    pairs: [Values<1>; 6],
    triples: [Values<2>; 4],
    all: Values<3>,
}

impl Products {
    #[inline(always)]
    fn of([a, b, c, d]: &[Values<3>; 4], n_planes: usize) -> Self {
        let mut products = Self::default();
        let ab = multiply::<3>(a, b);
        products.pairs[0] = first(&ab);
        if n_planes > 2 {
            products.pairs[1] = multiply(a, c);
            products.pairs[2] = multiply(b, c);
            products.triples[0] = multiply(&ab, c);
        }
        if n_planes > 3 {
            let cd = multiply::<3>(c, d);
            products.pairs[3] = multiply(a, d);
            products.pairs[4] = multiply(b, d);
            products.pairs[5] = first(&cd);
            products.triples[1] = multiply(&ab, d);
            products.triples[2] = multiply(a, &cd);
            products.triples[3] = multiply(b, &cd);
            products.all = multiply(&ab, &cd);
        }
        products
    }
}

#[inline(always)]
fn first(values: &Values<3>) -> Values<1> {
    [values[0]]
}

#[inline(always)]
fn add(a: &mut [u8], b: &[u8]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a ^= b;
    }
}

/// `sums[u] += tables[0][factors[0][u]] + tables[1][factors[1][u]]`, on `G` cosets.
#[inline(always)]
fn add_multiples<const G: usize>(
    sums: &mut [u128; 96],
    tables: &[[u128; 256]; 2],
    factors: [&Values<G>; 2],
) {
    let factors = factors[0].as_flattened().iter().zip(factors[1].as_flattened());
    for (sum, (&a, &b)) in sums.iter_mut().zip(factors) {
        *sum ^= tables[0][usize::from(a)] ^ tables[1][usize::from(b)];
    }
}

/// `v w` for every byte `v`, for a vector `w` of sixteen bytes.
#[inline(always)]
fn multiples(w: u128) -> [u128; 256] {
    const LOW: u128 = u128::MAX / 0xff;
    let mut table = [0; 256];
    let mut power = w;
    for k in 0..8 {
        let (lower, upper) = table.split_at_mut(1 << k);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            *upper = *lower ^ power;
        }
        power = ((power & (LOW * 0x7f)) << 1) ^ ((power >> 7 & LOW) * 0x1b);
    }
    table
}

/// Products of bytes in the AES field on the first `G` cosets, a bit of the second factor at a time.
#[inline(always)]
fn multiply<const G: usize>(a: &Values<3>, b: &Values<3>) -> Values<G> {
    let mut product = [[0; 32]; G];
    for ((product, a), b) in product.iter_mut().zip(a).zip(b) {
        let mut a = *a;
        for k in 0..8 {
            for ((product, a), b) in product.iter_mut().zip(&mut a).zip(b) {
                *product ^= *a & (b >> k & 1).wrapping_neg();
                *a = (*a << 1) ^ ((*a >> 7) * 0x1b);
            }
        }
    }
    product
}
