//! How many nanoseconds does each kernel take an element on each backend of this processor?

use std::hint::black_box;
use std::time::Duration;

use binfer_benches::{bytes, elements};
use binfer_field::coset::{self, BLOCKS, ProductSums};
use binfer_field::kernels::Corner;
use binfer_field::tower::{Sliced, WholeBytes, from_tower, to_tower};
use binfer_field::{
    Backend, F128, LinearMap, NibbleSums, Tower8, Tower16, Tower32, Tower64, Tower128, WordMap,
    kernels,
};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Elements of a slice: 64 KiB, within the second-level cache with all operands.
const N: usize = 1 << 12;

/// One group a kernel, one line a backend; `run` is called with the backend selected.
fn on_all(c: &mut Criterion, kernel: &str, size: usize, mut run: impl FnMut()) {
    let mut group = c.benchmark_group(format!("field/{kernel}"));
    group.throughput(Throughput::Elements(size as u64));
    let chosen = Backend::current();
    for backend in Backend::available() {
        backend.select();
        group.bench_function(BenchmarkId::new(backend.name(), size), |b| b.iter(&mut run));
    }
    chosen.select();
    group.finish();
}

/// Products, element by element; throughput counts products, of additions the elements added.
fn products(c: &mut Criterion) {
    let (a, b) = (elements(N, 1), elements(N, 2));
    let mut dst = vec![F128::ZERO; N];
    on_all(c, "add_assign", N, || kernels::add_assign(&mut dst, &a));
    on_all(c, "mul", N, || kernels::mul(&mut dst, &a, &b));
    on_all(c, "mul_assign", N, || kernels::mul_assign(&mut dst, &b));
    on_all(c, "mul_adjacent", N / 2, || kernels::mul_adjacent(&mut dst[..N / 2], &a));
    on_all(c, "scale", N, || kernels::scale(&mut dst, b[0]));
    on_all(c, "scale_into", N, || kernels::scale_into(&mut dst, &a, b[0]));
    on_all(c, "add_scaled", N, || kernels::add_scaled(&mut dst, &a, b[0]));
    on_all(c, "add_products", N, || kernels::add_products(&mut dst, &a, &b));
}

/// Sums over a slice: one reduction for all.
fn sums(c: &mut Criterion) {
    let (a, b) = (elements(N, 1), elements(N, 2));
    on_all(c, "sum", N, || {
        black_box(kernels::sum(&a));
    });
    on_all(c, "inner_product", N, || {
        black_box(kernels::inner_product(&a, &b));
    });
}

/// GF(2)-linear maps: squares, powers by the Frobenius, the isomorphism with the tower.
fn linear_maps(c: &mut Criterion) {
    let a = elements(N, 1);
    let mut dst = a.clone();
    on_all(c, "square", N, || kernels::square(&mut dst, &a));
    on_all(c, "frobenius_7", N, || kernels::frobenius(&mut dst, 7));
    let images: [F128; 128] = core::array::from_fn(|i| a[i]);
    let map = LinearMap::new(&images);
    on_all(c, "linear_map", N, || map.apply_slice(&mut dst, &a));
    let (words, pairs) = (WordMap::<1>::new(&a[..16]), WordMap::<2>::new(&a[..32]));
    let bits: Vec<_> = a.iter().map(|x| (x.to_bits() as u16).to_le_bytes()).collect();
    on_all(c, "word_map", N, || words.apply_slice(&mut dst, [&bits], a[0]));
    on_all(c, "word_pair_map", N, || pairs.apply_slice(&mut dst, [&bits; 2], a[0]));
    let mut tower = vec![Tower128::ZERO; N];
    on_all(c, "to_tower", N, || to_tower(&mut tower, &a));
    on_all(c, "from_tower", N, || from_tower(&mut dst, &tower));
}

/// Binding one variable or two, and the sums of one product sumcheck round or two; throughput
/// counts the terms of a sum.
fn sumcheck(c: &mut Criterion) {
    let [w, a, b, d, e] = core::array::from_fn(|i| elements(N, i as u64));
    let mut dst = a.clone();
    on_all(c, "fold", N, || kernels::fold(&mut dst, &b, d[0]));
    on_all(c, "fold_into", N, || kernels::fold_into(&mut dst, &a, &b, d[0]));
    on_all(c, "fold_adjacent", N / 2, || kernels::fold_adjacent(&mut dst[..N / 2], &a, d[0]));
    on_all(c, "table_round", N, || {
        black_box(kernels::table_round(&a, &b, &d, &e));
    });
    on_all(c, "product_round", N, || {
        black_box(kernels::product_round(&w, &a, &b, &d, &e));
    });
    let (ab, de) = ([&a[..], &b, &a, &b], [&d[..], &e, &d, &e]);
    on_all(c, "product_grid", N, || {
        black_box(kernels::product_grid(&w, ab, de, Corner::Zero));
    });
    on_all(c, "table_grid", N, || {
        black_box(kernels::table_grid(ab, de));
    });
    let lines = [&a[..], &b, &d, &e, &a, &b, &d, &e, &a, &b];
    for factors in [3, 4, 8] {
        on_all(c, &format!("lines_round_{factors}"), N, || {
            let [lo, hi] = [0, 2].map(|first| &lines[first..first + factors]);
            black_box(kernels::lines_round(&w, lo, hi));
        });
    }
    on_all(c, "quartic_round", N, || {
        black_box(kernels::quartic_round(Some(&w), ab, de, &[]));
    });
    let weights = [d[0], d[1], d[2]];
    on_all(c, "fold_four", N, || kernels::fold_four(&mut dst, [&a, &b, &e], weights));
    let point = elements(N.ilog2() as usize, 9);
    on_all(c, "eq_table", N, || {
        black_box(kernels::eq_table(&point));
    });
}

/// Layers of the additive NTT, one block or many of 16; throughput counts butterflies.
fn butterflies(c: &mut Criterion) {
    let (mut lo, mut hi, twiddle) = (elements(N, 1), elements(N, 2), elements(1, 3)[0]);
    on_all(c, "butterfly", N, || kernels::butterfly(&mut lo, &mut hi, twiddle));
    let twiddles = elements(N / 32, 4);
    on_all(c, "butterflies_16", N / 2, || kernels::butterflies(&mut lo, 16, &twiddles, twiddle));
    on_all(c, "inverse_butterfly", N, || kernels::inverse_butterfly(&mut lo, &mut hi, twiddle));
}

/// Byte indices: histograms, look-ups, bit planes; throughput counts bytes of the index.
fn indices(c: &mut Criterion) {
    let (index, weights) = (bytes(N, 3), elements(N, 4));
    let table = elements(256, 5);
    let mut bins = vec![F128::ZERO; 256];
    on_all(c, "histogram", N, || kernels::histogram(&mut bins, &index, &weights));
    let blocks: Vec<[u8; 16]> = bytemuck::pod_collect_to_vec(&bytes(N, 3));
    let mut eight = [[F128::ZERO; 256]; 8];
    on_all(c, "block_histograms", N / 2, || {
        kernels::block_histograms(&mut eight, &blocks, 8, &weights[..N / 16]);
    });
    let four: [Vec<u8>; 4] = core::array::from_fn(|d| bytes(256, d as u64));
    let low: [F128; 16] = core::array::from_fn(|v| table[v]);
    let high = weights[..16 * 256].as_chunks().0;
    on_all(c, "nibble_products", 4 * 256, || {
        black_box(kernels::nibble_products(&low, high, four.each_ref().map(|i| &i[..])));
    });
    let mut dst = vec![F128::ZERO; N];
    on_all(c, "gather", N, || kernels::gather(&mut dst, &table, &index));
    let tables: [[F128; 256]; 4] = core::array::from_fn(|_| core::array::from_fn(|v| table[v]));
    let two = [&tables[0], &tables[1]];
    on_all(c, "gather_two", N, || kernels::gather_two(&mut dst, two, [&index; 2], &[]));
    let functions = weights[..16 * 16].as_chunks().0;
    for n in [4, 16] {
        let index = vec![&index[..]; n];
        on_all(c, &format!("nibble_sums_{n}"), N, || {
            NibbleSums::new(&functions[..n], N).apply(&mut dst, &index, true);
        });
    }
    on_all(c, "gather_products", N, || kernels::gather_products(&mut dst, two, [&index; 2]));
    let four = tables.each_ref();
    on_all(c, "gather_four_products", N, || {
        kernels::gather_four_products(&mut dst, four, [&index; 4], &[]);
    });
    let eight_tables: [&[F128; 256]; 8] = core::array::from_fn(|k| &tables[k % 4]);
    on_all(c, "gather_quartic", N, || {
        black_box(kernels::gather_quartic(&weights, eight_tables, [&index; 8], &[]));
    });
    let mut planes: [Vec<F128>; 8] = core::array::from_fn(|_| vec![F128::ZERO; N / 128]);
    let mut sums = [F128::ZERO; 128];
    on_all(c, "bit_sums", N, || {
        kernels::bit_sums(&mut sums, &dst[..N / 16], &weights[..N / 16]);
    });
    on_all(c, "pack_plane", N, || kernels::pack_plane(&mut planes[0], &index, 3));
    on_all(c, "pack_planes", N, || {
        kernels::pack_planes(planes.each_mut().map(|plane| &mut plane[..]), &index);
    });
    let mut words: [F128; 128] = core::array::from_fn(|i| weights[i]);
    on_all(c, "transpose", 128, || kernels::transpose(&mut words));
}

/// Products of extended bits, per index byte of eight planes, and of integers, per multiply-accumulate.
fn bits_and_integers(c: &mut Criterion) {
    let words: Vec<u16> = bytemuck::pod_collect_to_vec(&bytes(16 * BLOCKS, 8));
    let planes: Vec<&[u16]> = words.chunks(BLOCKS).collect();
    let weights = elements(BLOCKS, 9);
    let mut sums = [ProductSums::ZERO, ProductSums::ZERO];
    on_all(c, "coset_products", coset::SIZE * BLOCKS, || {
        coset::add_products(&mut sums, &planes, &weights);
    });

    const QUADS: usize = 192;
    const ROWS: usize = kernels::INTEGER_BLOCK.0;
    const COLS: usize = kernels::INTEGER_BLOCK.1;
    let x = vec![[[3i8, 5, -128, 1]; ROWS]; 2 * QUADS];
    let w = vec![[7u8, 2, 1, 250]; QUADS];
    let mut sums = [[[0i32; ROWS]; COLS]; 2];
    on_all(c, "add_quad_products", 8 * QUADS * ROWS * COLS, || {
        kernels::add_quad_products(&mut sums, &x, [&w; COLS]);
    });
}

/// Products, squares and inverses in the fields of the tower, elements one by one or in slices.
fn tower(c: &mut Criterion) {
    tower_level::<Tower8>(c, "tower8");
    tower_level::<Tower16>(c, "tower16");
    tower_level::<Tower32>(c, "tower32");
    tower_level::<Tower64>(c, "tower64");
    tower_level::<Tower128>(c, "tower128");
}

fn tower_level<T: WholeBytes>(c: &mut Criterion, field: &str) {
    let whole = |seed| -> Vec<T> { bytemuck::pod_collect_to_vec(&bytes(16 * N, seed)) };
    let (a, b) = (whole(6), whole(7));
    let (mut dst, n) = (a.clone(), a.len());
    on_all(c, &format!("{field}_mul"), n, || kernels::tower_mul(&mut dst, &a, &b));
    on_all(c, &format!("{field}_square"), n, || kernels::tower_square(&mut dst));
    on_all(c, &format!("{field}_invert"), n, || kernels::tower_invert(&mut dst));

    let sliced = |seed| -> Vec<Sliced<T>> { bytemuck::pod_collect_to_vec(&bytes(16 * N, seed)) };
    let (a, b) = (sliced(6), sliced(7));
    let mut dst = a.clone();
    on_all(c, &format!("{field}_sliced_mul"), n, || kernels::sliced_mul(&mut dst, &a, &b));
    on_all(c, &format!("{field}_sliced_square"), n, || kernels::sliced_square(&mut dst));
    on_all(c, &format!("{field}_sliced_invert"), n, || kernels::sliced_invert(&mut dst));
}

fn main() {
    let mut c = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    products(&mut c);
    sums(&mut c);
    linear_maps(&mut c);
    sumcheck(&mut c);
    butterflies(&mut c);
    indices(&mut c);
    bits_and_integers(&mut c);
    tower(&mut c);
    c.final_summary();
}
