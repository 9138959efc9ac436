//! Operation counts of a matmul's proof as formulas of its shape, and beside what an instrumented prover counts.
//!
//! Each file follows one part of the prover, loop by loop; [docs/paper/cost.md](../../../docs/paper/cost.md) says the same
//! in words and closed forms. Measured counts need the feature `count-operations`.

mod commitment;
mod onehot;
mod ops;
mod product;
mod shapes;
mod table;

use std::collections::BTreeMap;

use binfer_field::count::{self, Counts};
use binfer_ml_ops::graph::WeightMatrix;
use binfer_ml_ops::{ProverKey, run};
use binfer_pcs::Params;
use rayon::ThreadPoolBuilder;

use crate::Task;
use commitment::Oracle;
use onehot::Job;
use ops::{
    draw, draw_many, driver, eq_table, frobenius, invert, join, log, message_bytes, ops, pow, sum,
    times, weighted,
};
use product::{Box, box_product, forest};
pub use shapes::MatMul;
use shapes::{Factor, Shape, Tree, tile_vars};
use table::Kind;

/// The phases of a proof, as the prover names them, after the commitment to the model.
pub const PHASES: [&str; 6] = ["commit", "products", "tables", "weights", "indices", "open"];

/// One kind of operation in one phase, or in the whole proof without the commitment (`"proof"`).
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One of [`PHASES`], or `"proof"`.
    pub phase: &'static str,
    /// As [`Counts::kinds`] names it.
    pub operation: &'static str,
    /// What the formula gives.
    pub formula: u64,
    /// What the prover did, where operations are counted.
    pub measured: Option<u64>,
}

impl Row {
    /// Measured over formula; `None` where nothing was measured, or the formula says that there is nothing.
    pub fn ratio(&self) -> Option<f64> {
        let measured = self.measured?;
        (self.formula > 0).then(|| measured as f64 / self.formula as f64)
    }
}

/// Formula and measurement of a proof of `task`, with default parameters: phase by phase, then the whole.
///
/// # Panics
/// Where a proof cannot be made: a side of zero, or weights of other than 1, 2, 4 or 8 bits.
pub fn compare(task: &MatMul) -> Vec<Row> {
    let formulas = formula(task);
    let measured = count::ENABLED.then(|| measure(task));
    let whole = |counts: &[Counts]| sum(counts[1..].iter().copied());
    let phases = PHASES.into_iter().zip(formulas);
    let phases = phases.enumerate().map(|(i, (name, f))| (name, f, measured.map(|m| m[i])));
    let proof = ("proof", whole(&formulas), measured.map(|m| whole(&m)));
    phases
        .chain([proof])
        .flat_map(|(phase, formula, measured)| {
            formula.kinds().into_iter().enumerate().map(move |(i, (operation, formula))| Row {
                phase,
                operation,
                formula,
                measured: measured.map(|m: Counts| m.kinds()[i].1),
            })
        })
        .collect()
}

impl MatMul {
    /// The network of random weights with an input.
    pub fn task(&self) -> Task {
        let mut task = Task::matmul(self.rows, self.k, self.n);
        if self.weight_bits < 8 {
            let shift = 8 - self.weight_bits;
            let codes: Vec<u8> =
                crate::bytes(self.k * self.n, 1).into_iter().map(|byte| byte >> shift).collect();
            let offset = -(1 << (self.weight_bits - 1));
            let (shape, matrix) = WeightMatrix::from_codes(self.k, self.n, &codes, &[offset], &[]);
            task.model.graph.weights[0] = shape;
            task.model.weights[0] = matrix;
        }
        task
    }
}

/// What the prover counts in each of [`PHASES`].
fn measure(matmul: &MatMul) -> [Counts; 6] {
    // Threads join the sums that each has made, as often as they happen to share work.
    let one = ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    one.install(|| {
        // The second of two: tables that the process makes once are made by then.
        let _ = counted(matmul);
        counted(matmul)
    })
}

fn counted(matmul: &MatMul) -> [Counts; 6] {
    let task = matmul.task();
    let output = run(&task.model, &task.input).expect("a valid network");
    count::reset();
    let key = ProverKey::new(task.model, Params::default(), &[1; 32]);
    let mut marks = vec![("commit", Counts::default()), ("", count::snapshot())];
    key.prove(&task.input, &output, &mut |phase| marks.push((phase, count::snapshot())))
        .expect("a network that can be proved");
    marks.push(("", count::snapshot()));
    PHASES.map(|phase| {
        let here = marks.windows(2).filter(|pair| pair[0].0 == phase);
        sum(here.map(|pair| pair[1].1.since(&pair[0].1)))
    })
}

/// What the prover should count in each of [`PHASES`], with default parameters.
pub fn formula(matmul: &MatMul) -> [Counts; 6] {
    let shape = matmul.shape();
    let params = Params::default();
    let weights = tile_vars((matmul.k, matmul.columns())).into_iter().map(|v| 1 << (v - 7));
    let words = weights.flat_map(|words: usize| [words; 8]).collect();
    let oracle = Oracle::new(words);
    [
        oracle.commit(&params),
        products(matmul, &shape),
        tables(matmul, &shape),
        second_forest(matmul, &shape),
        indices(&shape),
        oracle.open(&params, 0),
    ]
}

/// The kind of the weights' tables, where they are the inner operand.
fn inner_kind(matmul: &MatMul) -> Kind {
    if matmul.weight_bits == 8 { Kind::Byte } else { Kind::Digits }
}

fn boxed(tree: &Tree) -> Box {
    // Tables take less memory than leaves.
    let looked_up = match tree.factors[..] {
        [Factor { width, .. }] if tree.rows >= 2 << width => Some(width as usize),
        _ => None,
    };
    Box { rows: tree.rows, cols: tree.cols, fan_in: tree.factors.len(), looked_up }
}

/// Tables and levels of one tree.
fn build(matmul: &MatMul, tree: &Tree, kind: Kind) -> Counts {
    let columns = tree.factors.iter().map(|&f| table::column(kind, f, matmul));
    sum([times(tree.cols, sum(columns)), boxed(tree).build()])
}

/// The `G_k`, tables, trees of both forests, and the first forest's sumchecks.
fn products(matmul: &MatMul, shape: &Shape) -> Counts {
    let (rows, k) = (shape.outer.rows, matmul.k);
    let mut trees = vec![boxed(&shape.outer)];
    let mut total = match &shape.inner {
        None => table::public_products(matmul.rows, k),
        Some(inner) => {
            // The product of all of them.
            trees.push(Box { rows: 1, cols: k, fan_in: 1, looked_up: None });
            sum([build(matmul, inner, inner_kind(matmul)), trees[1].build()])
        }
    };
    // Their scale: one, unless bases of rows leave the input's offset out of the tables.
    total += ops(k, 0, 0);
    if shape.inner.is_none() {
        total += sum([pow(128), invert()]);
    }
    total += build(matmul, &shape.outer, Kind::Powers);
    total += sum([eq_table(log(rows)), ops(rows, 0, rows)]);
    total += draw_many(0, log(rows));
    total += forest(message_bytes(trees.iter().map(|_| 1)), &trees);
    total
}

/// The factors of a tree in a table step, after as many leaves were taken out of the sum.
fn step(matmul: &MatMul, tree: &Tree, kind: Kind, taken: usize) -> Counts {
    let mut total = eq_table(log(tree.rows));
    let mut instances = Vec::new();
    for &factor in &tree.factors {
        total += table::entries(kind, factor, tree.cols, matmul);
        total += table::instance(kind, factor, tree.rows, tree.cols);
        instances.push((log(tree.cols) + factor.width as usize, 4));
    }
    total += weighted(message_bytes(vec![1; taken]), &instances);
    total += sum([join(instances.len(), 2), draw(message_bytes([2]))]);
    total
}

/// The first table step, and powers of a hidden `G` to `G`.
fn tables(matmul: &MatMul, shape: &Shape) -> Counts {
    let mut total = step(matmul, &shape.outer, Kind::Powers, usize::from(shape.inner.is_some()));
    if shape.inner.is_none() {
        return total;
    }
    let k = matmul.k;
    let mut instances = Vec::new();
    total += ops(0, 0, k);
    for factor in &shape.outer.factors {
        let w = factor.width as usize;
        total += sum([ops(w * k, w * k, w * k), box_product(k, 1, w)]);
        instances.push((log(k), w + 2));
    }
    total += driver(message_bytes([shape.outer.factors.len()]), &instances);
    // Their values, and the points of their Frobenius images.
    total += sum([ops(0, 0, k), eq_table(log(k))]);
    for t in 0..8 {
        total += sum([ops(k, k, k), frobenius(128 - t)]);
    }
    total += times(log(k), sum([frobenius(121), ops(0, 8, 0)]));
    total
}

/// Claims on a hidden `G` to one, the second forest and its table step.
fn second_forest(matmul: &MatMul, shape: &Shape) -> Counts {
    let Some(inner) = &shape.inner else {
        return Counts::default();
    };
    let k = matmul.k;
    let (n_claims, n_vars) = (9, log(k));
    let mut total = ops(0, 0, k);
    // Weights of the claims, cut to length.
    let mut size = 1;
    for _ in 0..n_vars {
        let grown = size.min(k - size);
        total += times(n_claims, ops(size, 0, grown));
        size += grown;
    }
    total += ops(0, 0, n_claims * k);
    let mut left = k;
    for _ in 0..n_vars {
        let pairs = left.div_ceil(2);
        total += sum([ops(4 * pairs, 0, 8 * pairs), ops(2 + n_claims, 0, 3 + 2 * n_claims)]);
        left = pairs;
    }
    total += draw(message_bytes([8]));
    total += driver(0, &[(n_vars, 3)]);
    // The scale of G and what the claim's point has beyond the products, which are one, and their inverses.
    total += times(2, invert());
    total += forest(message_bytes([1]), &[boxed(inner)]);
    total += step(matmul, inner, inner_kind(matmul), 0);
    total
}

/// The trees whose indices are not public.
fn trees(shape: &Shape) -> impl Iterator<Item = &Tree> {
    core::iter::once(&shape.outer).chain(&shape.inner)
}

/// The one-hot stages of all views.
fn indices(shape: &Shape) -> Counts {
    // The tables of a step are argued side by side: those of one width have one index point.
    let mut points = BTreeMap::<_, Vec<_>>::new();
    for (step, tree) in trees(shape).enumerate() {
        let tiles = tile_vars(tree.matrix);
        for factor in &tree.factors {
            let width = factor.width as usize;
            let job = |&vars: &usize| Job { vars, width };
            let jobs = points.entry((step.min(1), width)).or_default();
            jobs.extend(tiles.iter().map(job));
        }
    }
    let points: Vec<_> = points.into_values().collect();
    onehot::stages(&points)
}
