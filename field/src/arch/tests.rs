//! Every backend of this processor against the definitions, on every kernel.

use proptest::collection::vec;
use proptest::prelude::*;

use super::Form;
use super::dispatch::{self, Backend};
use crate::kernels::Corner;
use crate::{
    F128, Field, LinearMap, NibbleSums, Tower8, Tower16, Tower32, Tower64, Tower128, WordMap,
};

/// The product by its definition, one coefficient of `b` at a time.
fn naive_mul(a: F128, b: F128) -> F128 {
    let (mut multiple, mut product) = (a.to_bits(), 0);
    for i in 0..128 {
        product ^= (b.to_bits() >> i & 1) * multiple;
        multiple = (multiple << 1) ^ ((multiple >> 127) * 0x87);
    }
    F128::new(product)
}

fn element() -> impl Strategy<Value = F128> {
    prop_oneof![8 => any::<u128>(), 1 => Just(0), 1 => Just(u128::MAX), 1 => Just(1 << 127)]
        .prop_map(F128::new)
}

fn elements() -> impl Strategy<Value = Vec<F128>> {
    (0..70usize).prop_flat_map(|n| vec(element(), n))
}

/// Five slices of one random length.
fn slices() -> impl Strategy<Value = [Vec<F128>; 5]> {
    (0..70usize).prop_flat_map(|n| core::array::from_fn(|_| vec(element(), n)))
}

/// What `quartic_round` gives for the coefficients that `lines_round` gives.
fn without_constant(coefficients: [F128; 9]) -> [F128; 4] {
    let [constant, _, second, third, fourth, ..] = coefficients;
    [coefficients.into_iter().sum(), second + constant, third, fourth]
}

/// Calls `check` with every backend this processor has.
fn on_every_backend(
    check: impl Fn(Backend) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    Backend::available().try_for_each(check)
}

fn zip_map(a: &[F128], b: &[F128], f: impl Fn(F128, F128) -> F128) -> Vec<F128> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

#[test]
fn backends_by_name() {
    let available: Vec<_> = Backend::available().collect();
    for &backend in &available {
        assert_eq!(Backend::named_or_best(backend.name()), backend);
        assert_eq!(format!("{backend:?}"), backend.name());
    }
    for other in ["", "unknown", "PORTABLE"] {
        assert_eq!(Backend::named_or_best(other), available[0]);
    }
    assert_eq!(available.last().map(|backend| backend.name()), Some("portable"));
}

proptest! {
    #[test]
    fn one_product(a in element(), b in element()) {
        on_every_backend(|backend| {
            prop_assert_eq!(dispatch::mul_one(backend, a, b), naive_mul(a, b));
            prop_assert_eq!(dispatch::square_one(backend, a), naive_mul(a, a));
            let fourth = naive_mul(naive_mul(a, a), naive_mul(a, a));
            prop_assert_eq!(dispatch::square_times(backend, a, 2), fourth);
            prop_assert_eq!(dispatch::pow(backend, a, 5), naive_mul(fourth, a));
            Ok(())
        })?;
    }

    #[test]
    fn sums_and_products([a, b, c, _, _] in slices(), scalar in element()) {
        on_every_backend(|backend| {
            let products = zip_map(&a, &b, naive_mul);
            let total: F128 = products.iter().copied().sum();

            let mut dst = c.clone();
            dispatch::add_assign(backend, &mut dst, &a);
            prop_assert_eq!(&dst, &zip_map(&c, &a, |c, a| c + a));
            prop_assert_eq!(dispatch::sum(backend, &products), total);

            let mut dst = c.clone();
            dispatch::mul(backend, &mut dst, &a, &b);
            prop_assert_eq!(&dst, &products);
            let mut dst = a.clone();
            dispatch::mul_assign(backend, &mut dst, &b);
            prop_assert_eq!(&dst, &products);
            let mut dst = c.clone();
            dispatch::add_products(backend, &mut dst, &a, &b);
            prop_assert_eq!(&dst, &zip_map(&c, &products, |c, p| c + p));
            prop_assert_eq!(dispatch::inner_product(backend, &a, &b), total);

            let mut dst = c.clone();
            dispatch::square(backend, &mut dst, &a);
            prop_assert_eq!(&dst, &zip_map(&a, &a, naive_mul));

            let mut dst = a.clone();
            dispatch::scale(backend, &mut dst, scalar);
            let scaled = zip_map(&a, &a, |a, _| naive_mul(a, scalar));
            prop_assert_eq!(&dst, &scaled);
            let mut dst = c.clone();
            dispatch::scale_into(backend, &mut dst, &a, scalar);
            prop_assert_eq!(&dst, &scaled);
            let mut dst = c.clone();
            dispatch::add_scaled(backend, &mut dst, &a, scalar);
            prop_assert_eq!(&dst, &zip_map(&c, &a, |c, a| c + naive_mul(a, scalar)));
            Ok(())
        })?;
    }

    #[test]
    fn neighbours(src in elements(), r in element()) {
        let src = &src[..src.len() / 2 * 2];
        let pairs = src.as_chunks::<2>().0;
        on_every_backend(|backend| {
            let mut dst = vec![F128::ONE; pairs.len()];
            dispatch::mul_adjacent(backend, &mut dst, src);
            let expected: Vec<_> = pairs.iter().map(|&[a, b]| naive_mul(a, b)).collect();
            prop_assert_eq!(&dst, &expected);
            dispatch::fold_adjacent(backend, &mut dst, src, r);
            let expected: Vec<_> = pairs.iter().map(|&[a, b]| a + naive_mul(r, a + b)).collect();
            prop_assert_eq!(&dst, &expected);
            Ok(())
        })?;
    }

    #[test]
    fn halves([lo, hi, _, _, _] in slices(), r in element()) {
        on_every_backend(|backend| {
            let folded = zip_map(&lo, &hi, |l, h| l + naive_mul(r, l + h));
            let mut dst = lo.clone();
            dispatch::fold(backend, &mut dst, &hi, r);
            prop_assert_eq!(&dst, &folded);
            let mut dst = hi.clone();
            dispatch::fold_into(backend, &mut dst, &lo, &hi, r);
            prop_assert_eq!(&dst, &folded);

            let (mut l, mut h) = (lo.clone(), hi.clone());
            dispatch::butterfly(backend, &mut l, &mut h, r);
            prop_assert_eq!(&l, &zip_map(&lo, &hi, |l, h| l + naive_mul(r, h)));
            prop_assert_eq!(&h, &zip_map(&l, &hi, |l, h| l + h));
            dispatch::inverse_butterfly(backend, &mut l, &mut h, r);
            prop_assert_eq!((&l, &h), (&lo, &hi));

            dispatch::eq_expand(backend, &mut l, &mut h, r);
            prop_assert_eq!(&h, &zip_map(&lo, &lo, |l, _| naive_mul(r, l)));
            prop_assert_eq!(&l, &zip_map(&lo, &h, |l, h| l + h));
            Ok(())
        })?;
    }

    #[test]
    fn layers(
        half in 1..12usize,
        twiddles in vec(element(), 0..20),
        offset in element(),
        seed in vec(element(), 2 * 12 * 20),
    ) {
        let data = &seed[..2 * half * twiddles.len()];
        let mut expected = data.to_vec();
        for (block, &t) in expected.chunks_mut(2 * half).zip(&twiddles) {
            for i in 0..half {
                block[i] += naive_mul(t + offset, block[half + i]);
                block[half + i] += block[i];
            }
        }
        on_every_backend(|backend| {
            let mut data = data.to_vec();
            dispatch::butterflies(backend, &mut data, half, &twiddles, offset);
            prop_assert_eq!(&data, &expected);
            Ok(())
        })?;
    }

    #[test]
    fn sumcheck_round([w, a_lo, a_hi, b_lo, b_hi] in slices()) {
        let mut expected = (F128::ZERO, F128::ZERO);
        for i in 0..w.len() {
            expected.0 += naive_mul(w[i], naive_mul(a_hi[i], b_hi[i]));
            expected.1 += naive_mul(w[i], naive_mul(a_lo[i] + a_hi[i], b_lo[i] + b_hi[i]));
        }
        on_every_backend(|backend| {
            let sums = dispatch::product_round(backend, &w, &a_lo, &a_hi, &b_lo, &b_hi);
            prop_assert_eq!(sums, expected);
            Ok(())
        })?;
    }

    #[test]
    fn table_round([a_lo, a_hi, b_lo, b_hi, _] in slices()) {
        let mut expected = (F128::ZERO, F128::ZERO);
        for i in 0..a_lo.len() {
            expected.0 += naive_mul(a_hi[i] + F128::ONE, b_hi[i]);
            expected.1 += naive_mul(a_lo[i] + a_hi[i], b_lo[i] + b_hi[i]);
        }
        on_every_backend(|backend| {
            let sums = dispatch::table_round(backend, &a_lo, &a_hi, &b_lo, &b_hi);
            prop_assert_eq!(sums, expected);
            Ok(())
        })?;
    }

    #[test]
    fn two_sumcheck_rounds([w, a0, a1, a2, a3] in slices(), [b0, b1, b2, b3, _] in slices(), weights: [u128; 3]) {
        let n = w.len().min(b0.len());
        let w = &w[..n];
        let (a, b) = ([a0, a1, a2, a3], [b0, b1, b2, b3]);
        let (a, b) = (a.each_ref().map(|s| &s[..n]), b.each_ref().map(|s| &s[..n]));
        let at = |s: [&[F128]; 4], terms: &[usize], i: usize| terms.iter().map(|&t| s[t][i]).sum();
        let sum = |terms: &[usize]| -> F128 {
            (0..n).map(|i| naive_mul(w[i], naive_mul(at(a, terms, i), at(b, terms, i)))).sum()
        };
        let grid: [&[usize]; 7] =
            [&[0, 1], &[2], &[3], &[2, 3], &[0, 2], &[1, 3], &[0, 1, 2, 3]];
        let corners = [(Corner::Neither, F128::ZERO), (Corner::Zero, sum(&[0])), (Corner::One, sum(&[1]))];
        let table_term = |points: &[usize], i: usize| {
            let one = F128::new(u128::from(points.len() == 1));
            naive_mul(at(a, points, i) + one, at(b, points, i))
        };
        let points: [&[usize]; 8] =
            [&[1], &[0, 1], &[2], &[3], &[2, 3], &[0, 2], &[1, 3], &[0, 1, 2, 3]];
        let table_grid = points.map(|points| (0..n).map(|i| table_term(points, i)).sum());
        let weights = weights.map(F128::new);
        let rest = [a[1], a[2], a[3]];
        let folded: Vec<_> = (0..n)
            .map(|i| {
                let term = |(s, &w): (&[F128], &F128)| naive_mul(w, a[0][i] + s[i]);
                a[0][i] + rest.into_iter().zip(&weights).map(term).sum()
            })
            .collect();
        on_every_backend(|backend| {
            for (corner, value) in corners {
                let sums = dispatch::product_grid(backend, w, a, b, corner);
                prop_assert_eq!(sums[0], value);
                prop_assert_eq!(&sums[1..], &grid.map(sum)[..]);
            }
            prop_assert_eq!(dispatch::table_grid(backend, a, b), table_grid);
            let mut dst = a[0].to_vec();
            dispatch::fold_four(backend, &mut dst, rest, weights);
            prop_assert_eq!(&dst, &folded);
            Ok(())
        })?;
    }

    #[test]
    fn rounds_of_products_of_lines(
        [w, l0, l1, l2, l3] in slices(),
        [h0, h1, h2, h3, h4] in slices(),
        [l4, l5, l6, l7, h5] in slices(),
    ) {
        let n = w.len().min(h0.len()).min(l4.len());
        let (h6, h7) = (l0.clone(), w.clone());
        let lo = [l0, l1, l2, l3, l4, l5, l6, l7];
        let hi = [h0, h1, h2, h3, h4, h5, h6, h7];
        let (w, lo, hi) = (&w[..n], lo.each_ref().map(|s| &s[..n]), hi.each_ref().map(|s| &s[..n]));
        for factors in 2..=8 {
            let (lo, hi) = (&lo[..factors], &hi[..factors]);
            let mut expected = [F128::ZERO; 9];
            for i in 0..n {
                let mut product = [F128::ZERO; 9];
                product[0] = w[i];
                for (lo, hi) in lo.iter().zip(hi) {
                    for k in (0..9).rev() {
                        let below = if k == 0 { F128::ZERO } else { product[k - 1] };
                        product[k] = naive_mul(product[k], lo[i]) + naive_mul(below, lo[i] + hi[i]);
                    }
                }
                expected.iter_mut().zip(product).for_each(|(sum, p)| *sum += p);
            }
            on_every_backend(|backend| {
                prop_assert_eq!(dispatch::lines_round(backend, w, lo, hi), expected);
                if let ([a, b, c, d], [e, f, g, h]) = (lo, hi) {
                    let sums = dispatch::quartic_round(backend, Some(w), [a, b, c, d], [e, f, g, h], &[a, b].map(|s| bytemuck::cast_slice(s)));
                    prop_assert_eq!(sums, without_constant(expected));
                    let weighted = [a, e].map(|of| -> Vec<_> { w.iter().zip(*of).map(|(&w, &x)| naive_mul(w, x)).collect() });
                    let sums = dispatch::quartic_round(backend, None, [&weighted[0], b, c, d], [&weighted[1], f, g, h], &[]);
                    prop_assert_eq!(sums, without_constant(expected));
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn buckets_of_blocks(blocks in vec(any::<([u8; 16], u128)>(), 0..70), first in 0..=8usize) {
        let index: Vec<_> = blocks.iter().map(|block| block.0).collect();
        let weights: Vec<_> = blocks.iter().map(|block| F128::new(block.1)).collect();
        let mut expected = [[F128::ONE; 256]; 8];
        for (block, &w) in index.iter().zip(&weights) {
            for (bins, &byte) in expected.iter_mut().zip(&block[first..]) {
                bins[usize::from(byte)] += w;
            }
        }
        on_every_backend(|backend| {
            let mut bins = [[F128::ONE; 256]; 8];
            dispatch::block_histograms(backend, &mut bins, &index, first, &weights);
            prop_assert!(bins == expected, "{:?}", backend);
            Ok(())
        })?;
    }

    #[test]
    fn products_of_nibbles(
        low in vec(element(), 16),
        positions in vec((any::<[u8; 4]>(), vec(element(), 16)), 0..70),
    ) {
        let index: [Vec<u8>; 4] = core::array::from_fn(|d| positions.iter().map(|(bytes, _)| bytes[d]).collect());
        let high: Vec<[F128; 16]> =
            positions.iter().map(|(_, values)| core::array::from_fn(|v| values[v])).collect();
        let low: [F128; 16] = core::array::from_fn(|v| low[v]);
        let expected = core::array::from_fn(|d| core::array::from_fn(|e| {
            let term = |(bytes, values): &([u8; 4], Vec<F128>)| {
                low[usize::from(bytes[d] & 0xf)] * values[usize::from(bytes[e] >> 4)]
            };
            positions.iter().map(term).sum()
        }));
        on_every_backend(|backend| {
            let index = index.each_ref().map(Vec::as_slice);
            let got = dispatch::nibble_products(backend, &low, &high, index);
            prop_assert_eq!(got, expected, "{:?}", backend);
            Ok(())
        })?;
    }

    #[test]
    fn buckets(
        weights in vec(element(), 0..200),
        bins in prop_oneof![vec(element(), 1..=256usize), vec(element(), 1..20usize)],
        seed in vec(any::<u8>(), 200),
    ) {
        let index = || seed.iter().take(weights.len()).map(|&i| usize::from(i) % bins.len());
        let mut expected = bins.clone();
        for (i, &w) in index().zip(&weights) {
            expected[i] += w;
        }
        let index: Vec<_> = index().map(|i| i as u8).collect();
        on_every_backend(|backend| {
            let mut bins = bins.clone();
            dispatch::histogram(backend, &mut bins, &index, &weights);
            prop_assert_eq!(&bins, &expected);
            Ok(())
        })?;
    }

    #[test]
    fn tables(table in vec(element(), 256), index in vec(any::<u8>(), 0..70)) {
        let looked_up: Vec<_> = index.iter().map(|&i| table[usize::from(i)]).collect();
        on_every_backend(|backend| {
            let mut dst = vec![F128::ONE; index.len()];
            dispatch::gather(backend, &mut dst, &table, &index);
            prop_assert_eq!(&dst, &looked_up);
            Ok(())
        })?;
    }

    #[test]
    fn sums_of_look_ups(entries in vec(element(), 4 * 256), index in vec(any::<[u8; 4]>(), 0..70)) {
        let (tables, _) = entries.as_chunks::<256>();
        let streams: [Vec<u8>; 4] = core::array::from_fn(|k| index.iter().map(|i| i[k]).collect());
        let stream = |k: usize| &streams[k][..];
        let sum_of_two = |i: &[u8; 4]| tables[0][usize::from(i[0])] + tables[1][usize::from(i[1])];
        let sums_of_two: Vec<F128> = index.iter().map(sum_of_two).collect();
        on_every_backend(|backend| {
            let mut dst = vec![F128::ONE; index.len()];
            let table = |k: usize| &tables[k];
            dispatch::gather_two(backend, &mut dst, [0, 1].map(table), [0, 1].map(stream), &[stream(2)]);
            prop_assert_eq!(&dst, &sums_of_two);
            Ok(())
        })?;
    }

    #[test]
    fn sums_of_functions_of_nibbles(
        functions in vec(element(), 16 * 16),
        half in 1..=8usize,
        bytes in vec(any::<[u8; 16]>(), 0..200),
    ) {
        let functions = &functions.as_chunks::<16>().0[..2 * half];
        let slices: Vec<Vec<u8>> = (0..2 * half).map(|p| bytes.iter().map(|of| of[p]).collect()).collect();
        let index: Vec<&[u8]> = slices.iter().map(Vec::as_slice).collect();
        for (is_high, shift) in [(false, 0), (true, 4)] {
            let value = |of: &[u8; 16]| -> F128 {
                functions.iter().zip(of).map(|(f, byte)| f[usize::from(byte >> shift & 0xf)]).sum()
            };
            let expected: Vec<F128> = bytes.iter().map(value).collect();
            on_every_backend(|backend| {
                for n in [bytes.len(), 1 << 16] {
                    let mut dst = vec![F128::ONE; bytes.len()];
                    NibbleSums::on(backend, functions, n).apply(&mut dst, &index, is_high);
                    prop_assert_eq!(&dst, &expected);
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn products_of_look_ups(
        entries in vec(element(), 8 * 256),
        rows in vec((any::<[u8; 8]>(), element()), 0..140),
    ) {
        let (tables, _) = entries.as_chunks::<256>();
        let tables: [&[F128; 256]; 8] = core::array::from_fn(|k| &tables[k]);
        let w: Vec<F128> = rows.iter().map(|row| row.1).collect();
        let index: [Vec<u8>; 8] = core::array::from_fn(|k| rows.iter().map(|row| row.0[k]).collect());
        let index = index.each_ref().map(Vec::as_slice);
        let values: [Vec<F128>; 8] =
            core::array::from_fn(|k| index[k].iter().map(|&i| tables[k][usize::from(i)]).collect());
        let products: Vec<F128> = (0..w.len()).map(|i| naive_mul(values[0][i], values[1][i])).collect();
        let four = |i: usize| values[..4].iter().fold(F128::ONE, |p, of| naive_mul(p, of[i]));
        let products_of_four: Vec<F128> = (0..w.len()).map(four).collect();
        let (lo, hi) = values.split_at(4);
        let [lo, hi] = [lo, hi].map(|of| of.iter().map(Vec::as_slice).collect::<Vec<_>>());
        on_every_backend(|backend| {
            let mut dst = vec![F128::ONE; w.len()];
            dispatch::gather_products(backend, &mut dst, [tables[0], tables[1]], [index[0], index[1]]);
            prop_assert_eq!(&dst, &products);
            let ahead = tables.map(|table| bytemuck::cast_slice(table));
            let ([a, b, c, d, ..], [i, j, k, l, ..]) = (tables, index);
            dispatch::gather_four_products(backend, &mut dst, [a, b, c, d], [i, j, k, l], &ahead);
            prop_assert_eq!(&dst, &products_of_four);
            let sums = dispatch::gather_quartic(backend, &w, tables, index, &ahead);
            let expected = dispatch::lines_round(backend, &w, &lo, &hi);
            prop_assert_eq!(&sums, &without_constant(expected)[1..]);
            Ok(())
        })?;
    }

    #[test]
    fn bit_planes(bytes in vec(any::<u8>(), 0..500), plane in 0..8u32) {
        let mut expected = vec![F128::ZERO; bytes.len().div_ceil(128)];
        for (i, &byte) in bytes.iter().enumerate() {
            expected[i / 128] += F128::new(u128::from(byte >> plane & 1) << (i % 128));
        }
        on_every_backend(|backend| {
            let mut dst = vec![F128::ONE; expected.len()];
            dispatch::pack_plane(backend, &mut dst, &bytes, plane);
            prop_assert_eq!(&dst, &expected);
            Ok(())
        })?;
    }

    #[test]
    fn all_bit_planes(bytes in vec(any::<u8>(), 0..500)) {
        let n = bytes.len().div_ceil(128);
        on_every_backend(|backend| {
            let mut planes: [Vec<F128>; 8] = core::array::from_fn(|_| vec![F128::ONE; n]);
            dispatch::pack_planes(backend, planes.each_mut().map(|plane| &mut plane[..]), &bytes);
            for (plane, packed) in (0..).zip(planes) {
                let mut alone = vec![F128::ONE; n];
                dispatch::pack_plane(backend, &mut alone, &bytes, plane);
                prop_assert_eq!(packed, alone);
            }
            Ok(())
        })?;
    }

    #[test]
    fn sums_by_bits(words in vec((element(), element()), 0..1800), start in vec(element(), 128)) {
        let (words, weights): (Vec<F128>, Vec<F128>) = words.into_iter().unzip();
        let start: [F128; 128] = start.try_into().unwrap();
        let mut expected = start;
        for (word, &weight) in words.iter().zip(&weights) {
            for (bit, sum) in expected.iter_mut().enumerate() {
                if word.to_bits() >> bit & 1 == 1 {
                    *sum += weight;
                }
            }
        }
        on_every_backend(|backend| {
            let mut sums = start;
            dispatch::bit_sums(backend, &mut sums, &words, &weights);
            prop_assert_eq!(sums, expected, "{:?}", backend);
            Ok(())
        })?;
    }

    #[test]
    fn transposition(rows in vec(element(), 128)) {
        on_every_backend(|backend| {
            let mut transposed: [F128; 128] = rows.clone().try_into().unwrap();
            dispatch::transpose(backend, &mut transposed);
            for (i, row) in rows.iter().enumerate() {
                for (j, column) in transposed.iter().enumerate() {
                    prop_assert_eq!(row.to_bits() >> j & 1, column.to_bits() >> i & 1);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn linear_maps(images in vec(element(), 128), src in vec(element(), 0..200)) {
        let map = LinearMap::new(&images.clone().try_into().unwrap());
        let image = |x: F128| -> F128 {
            (0..128).filter(|i| x.to_bits() >> i & 1 == 1).map(|i| images[i]).sum()
        };
        let expected: Vec<_> = src.iter().map(|&x| image(x)).collect();
        on_every_backend(|backend| {
            let mut dst = vec![F128::ONE; src.len()];
            map.apply_slice_on(backend, &mut dst, &src);
            prop_assert_eq!(&dst, &expected);
            Ok(())
        })?;
    }

    #[test]
    fn word_maps(images in vec(element(), 32), src in vec(any::<u32>(), 0..200), constant in element()) {
        let image = |x: u32| -> F128 {
            (0..32).filter(|i| x >> i & 1 == 1).map(|i| images[i]).sum()
        };
        let expected: Vec<_> = src.iter().map(|&x| constant + image(x)).collect();
        let of_halves: Vec<_> = src.iter().map(|&x| constant + image(x & 0xffff)).collect();
        let low: Vec<_> = src.iter().map(|&x| (x as u16).to_le_bytes()).collect();
        let high: Vec<_> = src.iter().map(|&x| ((x >> 16) as u16).to_le_bytes()).collect();
        on_every_backend(|backend| {
            let mut dst = vec![F128::ONE; src.len()];
            WordMap::new(&images).apply_slice_on(backend, &mut dst, [&low, &high], constant);
            prop_assert_eq!(&dst, &expected);
            WordMap::new(&images[..16]).apply_slice_on(backend, &mut dst, [&low], constant);
            prop_assert_eq!(&dst, &of_halves);
            Ok(())
        })?;
    }

    #[test]
    fn tower_products(bytes in vec(any::<(u8, u8)>(), 0..3000)) {
        let (a, b): (Vec<_>, Vec<_>) = bytes.into_iter().unzip();
        tower_product::<Tower8, 1>(&a, &b)?;
        tower_product::<Tower16, 2>(&a, &b)?;
        tower_product::<Tower32, 4>(&a, &b)?;
        tower_product::<Tower64, 8>(&a, &b)?;
        tower_product::<Tower128, 16>(&a, &b)?;
    }
}

/// The products of the whole elements in `a` and `b`.
fn tower_product<T: Field, const N: usize>(a: &[u8], b: &[u8]) -> Result<(), TestCaseError> {
    let (a, b) = (a.as_chunks::<N>().0, b.as_chunks::<N>().0);
    let element = |bytes: [u8; N]| {
        let mut wide = [0; 16];
        wide[..N].copy_from_slice(&bytes);
        T::from_bits(u128::from_le_bytes(wide))
    };
    let products: Vec<_> = a.iter().zip(b).map(|(&a, &b)| element(a) * element(b)).collect();
    on_every_backend(|backend| {
        let mut dst = vec![[1; N]; a.len()];
        let (d, a, b) = (dst.as_flattened_mut(), a.as_flattened(), b.as_flattened());
        dispatch::tower_mul(backend, d, a, b, N, Form::Whole);
        prop_assert_eq!(dst.into_iter().map(element).collect::<Vec<_>>(), &products[..]);
        Ok(())
    })
}
