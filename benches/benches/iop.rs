//! What does an index of an indexed product cost, from the leaf in its table to the claim on its bits?

use binfer_benches::{bytes, elements};
use binfer_field::{Backend, F128, kernels};
use binfer_hash::Transcript;
use binfer_iop::buffer::Buffer;
use binfer_iop::channel::ProverChannel;
use binfer_iop::claims::{self, EvaluationClaim};
use binfer_iop::indexed::onehot::{self, OneHotClaim, View};
use binfer_iop::indexed::table::{self, Entries, Histogram, TableInput, TableStatement, histogram};
use binfer_iop::multilinear::log2_ceil;
use binfer_iop::product::{self, BoxShape, LeafClaim, Leaves, RootClaim, Tree};
use criterion::{BatchSize, Bencher, BenchmarkId, Criterion, Throughput};

/// Rows and columns of the matrices of byte indices.
const SHAPES: [(usize, usize); 4] = [(256, 256), (768, 768), (1024, 1024), (4096, 4096)];

fn channel() -> ProverChannel {
    ProverChannel::new(Transcript::new("bench"))
}

/// Runs a prover where provers run: inside the pool, so that parallel calls are not handed over.
fn in_pool<T: Send>(prover: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| prover())
}

fn sumcheck(c: &mut Criterion) {
    let mut group = c.benchmark_group("iop/sumcheck");
    let n_vars = 16;
    let f = elements(1 << n_vars, 1);
    let point = elements(n_vars, 2);
    let value = kernels::inner_product(&f, &kernels::eq_table(&point));
    let claim = EvaluationClaim { vector: 0, point, value };
    group.throughput(Throughput::Elements(1 << n_vars));
    group.bench_function(BenchmarkId::new(Backend::current().name(), 1 << n_vars), |b| {
        b.iter(|| {
            in_pool(|| claims::prove(&mut channel(), n_vars, &[&f], core::slice::from_ref(&claim)))
        });
    });
    group.finish();
}

/// Benches each of [`SHAPES`], throughput counting entries.
fn on_shapes(
    c: &mut Criterion,
    name: &str,
    mut bench: impl FnMut(&mut Bencher<'_>, (usize, usize)),
) {
    let mut group = c.benchmark_group(format!("iop/{name}"));
    for (rows, cols) in SHAPES {
        let id = BenchmarkId::new(Backend::current().name(), format!("{rows}x{cols}"));
        group.throughput(Throughput::Elements((rows * cols) as u64));
        group.bench_function(id, |b| bench(b, (rows, cols)));
    }
    group.finish();
}

fn product_trees(c: &mut Criterion) {
    on_shapes(c, "product", |b, (rows, cols)| {
        let shape = BoxShape { rows, cols, fan_in: 1 };
        let leaves = elements(rows * cols, 1);
        let row_point = elements(log2_ceil(rows), 2);
        b.iter_batched(
            || buffer(&leaves),
            |leaves| in_pool(|| product(Tree::new(shape, leaves), &row_point)),
            BatchSize::PerIteration,
        );
    });
}

/// The elements in memory as provers have it.
fn buffer(elements: &[F128]) -> Buffer {
    let mut buffer = Buffer::unspecified(elements.len());
    buffer.copy_from_slice(elements);
    buffer
}

/// The tree's argument, up to the claim on its leaves.
fn product(tree: Tree<'_>, row_point: &[F128]) -> Vec<LeafClaim<F128>> {
    let rows = tree.shape().rows;
    let value = kernels::inner_product(tree.outputs(), &kernels::eq_table(row_point)[..rows]);
    let root = RootClaim { row_point: row_point.to_vec(), value };
    product::prove(&mut channel(), vec![tree], vec![root])
}

/// The leaves of an indexed product.
struct Looked<'a> {
    table: &'a [F128],
    index: &'a [u8],
    rows: usize,
}

impl Leaves for Looked<'_> {
    fn fill(&self, column: usize, first: usize, out: &mut [F128]) {
        let index = &self.index[column * self.rows + first..][..out.len()];
        kernels::gather(out, &self.table[column << 8..][..256], index);
    }

    fn looked_up(&self, column: usize) -> Option<(&[F128], &[u8])> {
        let index = &self.index[column * self.rows..][..self.rows];
        Some((&self.table[column << 8..][..256], index))
    }
}

fn indexed_products(c: &mut Criterion) {
    on_shapes(c, "indexed_product", |b, shape @ (rows, cols)| {
        let index = bytes(rows * cols, 3);
        let table = buffer(&elements(cols << 8, 4));
        let row_point = elements(log2_ceil(rows), 5);
        b.iter(|| {
            let entries = Entries::Listed((&table[..]).into());
            in_pool(|| indexed_product(shape, &index, &table, entries, &row_point))
        });
    });
}

/// The same where a column's table has the powers of a base, as a matmul's weights have them; the tables are made as well.
fn indexed_powers(c: &mut Criterion) {
    on_shapes(c, "indexed_powers", |b, shape @ (rows, cols)| {
        let index = bytes(rows * cols, 3);
        let bases = elements(cols, 4);
        let row_point = elements(log2_ceil(rows), 5);
        b.iter(|| {
            in_pool(|| {
                let (table, entries) = powers(&bases);
                indexed_product(shape, &index, &table, entries, &row_point)
            })
        });
    });
}

/// Of each base the powers below 256, and those whose exponents are powers of two.
fn powers(bases: &[F128]) -> (Buffer, Entries<'static>) {
    let mut factors = vec![bases.to_vec()];
    for bit in 1..8 {
        let mut squares = F128::zeros(bases.len());
        kernels::square(&mut squares, &factors[bit - 1]);
        factors.push(squares);
    }
    let mut table = Buffer::unspecified(bases.len() << 8);
    for (c, column) in table.chunks_mut(1 << 8).enumerate() {
        column[0] = F128::ONE;
        for (bit, factors) in factors.iter().enumerate() {
            let (low, high) = column.split_at_mut(1 << bit);
            kernels::scale_into(&mut high[..1 << bit], low, factors[c]);
        }
    }
    (table, Entries::Products { scale: vec![F128::ONE; bases.len()], factors })
}

/// The whole argument on byte indices `[column][row]`, up to claims on bit planes.
fn indexed_product(
    (rows, cols): (usize, usize),
    index: &[u8],
    table: &[F128],
    entries: Entries<'_>,
    row_point: &[F128],
) -> onehot::PlaneClaims<F128> {
    let mut channel = channel();
    let leaves = Looked { table, index, rows };
    let tree = Tree::over(BoxShape { rows, cols, fan_in: 1 }, Box::new(leaves));
    let value = kernels::inner_product(tree.outputs(), &kernels::eq_table(row_point)[..rows]);
    let root = RootClaim { row_point: row_point.to_vec(), value };
    let leaf = product::prove(&mut channel, vec![tree], vec![root]).remove(0);
    let row_eq = kernels::eq_table(&leaf.row_point);
    let columns: Vec<&[u8]> = index.chunks(rows).collect();
    let histogram = match entries {
        Entries::Listed(_) => Histogram::Rows { columns: columns.into(), weights: row_eq.into() },
        _ => histogram(&columns, &row_eq, 8).into(),
    };
    let input = TableInput {
        statement: TableStatement {
            taps: 1,
            cols,
            width: 8,
            col_point: leaf.col_point,
            weight: leaf.weights[0],
        },
        value: leaf.values[0],
        entries,
        histogram,
        few: None,
    };
    let claim = table::prove(&mut channel, vec![input]).remove(0);
    let views = [View { rows, cols, planes: (0..8).collect() }];
    let hot = OneHotClaim {
        view: 0,
        row_point: leaf.row_point,
        col_point: claim.col_point,
        index_point: claim.index_point,
        weight: claim.weight,
        value: claim.histogram,
    };
    onehot::prove(&mut channel, &[(rows, cols); 8], &views, &[index], &[hot])
}

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    sumcheck(&mut c);
    product_trees(&mut c);
    indexed_products(&mut c);
    indexed_powers(&mut c);
    c.final_summary();
}
