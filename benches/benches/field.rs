//! How many nanoseconds does each kernel take an element on each backend of this processor?

use binfer_benches::{bytes, elements};
use binfer_field::tower::{Sliced128, to_tower};
use binfer_field::{Backend, F128, Tower8, Tower128, kernels};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

/// Elements of a slice: 64 KiB, within the second-level cache with all operands.
const N: usize = 1 << 12;

/// One group a kernel, one line a backend; `run` is called with the backend selected.
fn on_all(c: &mut Criterion, kernel: &str, size: usize, mut run: impl FnMut()) {
    let mut group = c.benchmark_group(format!("field/{kernel}"));
    group.throughput(Throughput::Elements(size as u64));
    let chosen = Backend::current();
    for backend in Backend::available() {
        backend.select();
        line(&mut group, backend, size, &mut run);
    }
    chosen.select();
    group.finish();
}

fn line(
    group: &mut BenchmarkGroup<'_, WallTime>,
    backend: Backend,
    size: usize,
    run: &mut impl FnMut(),
) {
    group.bench_function(BenchmarkId::new(backend.name(), size), |b| b.iter(&mut *run));
}

fn products(c: &mut Criterion) {
    let (a, b) = (elements(N, 1), elements(N, 2));
    let mut dst = vec![F128::ZERO; N];
    on_all(c, "mul", N, || kernels::mul(&mut dst, &a, &b));
    on_all(c, "scale", N, || kernels::scale(&mut dst, b[0]));
    on_all(c, "add_scaled", N, || kernels::add_scaled(&mut dst, &a, b[0]));
    on_all(c, "square", N, || kernels::square(&mut dst, &a));
    on_all(c, "inner_product", N, || {
        std::hint::black_box(kernels::inner_product(&a, &b));
    });
    on_all(c, "mul_adjacent", N / 2, || {
        kernels::mul_adjacent(&mut dst[..N / 2], &a);
    });
}

fn sumcheck(c: &mut Criterion) {
    let [w, a, b, d, e] = core::array::from_fn(|i| elements(N, i as u64));
    let mut dst = a.clone();
    on_all(c, "fold", N, || kernels::fold(&mut dst, &b, d[0]));
    on_all(c, "product_round", N, || {
        std::hint::black_box(kernels::product_round(&w, &a, &b, &d, &e));
    });
    let point = elements(12, 9);
    on_all(c, "eq_table", N, || {
        std::hint::black_box(kernels::eq_table(&point));
    });
    let (mut lo, mut hi) = (a.clone(), b.clone());
    on_all(c, "butterfly", N, || {
        kernels::butterfly(&mut lo, &mut hi, d[0]);
    });
}

fn indices(c: &mut Criterion) {
    let (index, weights) = (bytes(N, 3), elements(N, 4));
    let table = elements(256, 5);
    let mut bins = vec![F128::ZERO; 256];
    on_all(c, "histogram", N, || {
        kernels::histogram(&mut bins, &index, &weights);
    });
    let mut dst = vec![F128::ZERO; N];
    on_all(c, "gather", N, || kernels::gather(&mut dst, &table, &index));
    let mut plane = vec![F128::ZERO; N / 128];
    on_all(c, "pack_plane", N, || {
        kernels::pack_plane(&mut plane, &index, 3);
    });
}

fn tower(c: &mut Criterion) {
    let (a, b) = (bytes(16 * N, 6), bytes(16 * N, 7));
    let bytes8 = |bytes: &[u8]| -> Vec<Tower8> { bytemuck::cast_slice(bytes).to_vec() };
    let (a8, b8) = (bytes8(&a), bytes8(&b));
    let mut dst8 = a8.clone();
    on_all(c, "tower8_mul", 16 * N, || {
        kernels::tower_mul(&mut dst8, &a8, &b8);
    });
    let wide = |elements: Vec<F128>| {
        let mut wide = vec![Tower128::ZERO; elements.len()];
        to_tower(&mut wide, &elements);
        wide
    };
    let (a, b) = (wide(elements(N, 6)), wide(elements(N, 7)));
    let mut dst = a.clone();
    on_all(c, "tower128_mul", N, || {
        kernels::tower_mul(&mut dst, &a, &b);
    });
    let sliced = |elements: &[Tower128]| -> Vec<Sliced128> {
        elements.as_chunks().0.iter().map(|&block| block.into()).collect()
    };
    let (a, b) = (sliced(&a), sliced(&b));
    let mut dst = a.clone();
    on_all(c, "tower128_sliced_mul", N, || {
        kernels::sliced_mul(&mut dst, &a, &b);
    });
}

fn main() {
    let mut c = Criterion::default().configure_from_args();
    products(&mut c);
    sumcheck(&mut c);
    indices(&mut c);
    tower(&mut c);
    c.final_summary();
}
