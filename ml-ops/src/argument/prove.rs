//! The prover of a graph's relations: the mirror of [`verify`](super::verify), message for message.

use std::borrow::Cow;

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::claims::{self, EvaluationClaim};
use binfer_iop::indexed::onehot::{self, OneHotClaim};
use binfer_iop::indexed::table::{self, TableClaim, TableInput, TableStatement, histogram};
use binfer_iop::indexed::tiles;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{self, BoxProduct, BoxShape, LeafClaim, RootClaim, Tree};
use binfer_iop::sumcheck::{self, Instance};
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Oracle, Params};
use rayon::prelude::*;

use super::bases::{Drawn, frobenius_points, map_tables, powers};
use super::entries::{Entries, words};
use super::layout::Layout;
use super::plan::{Chunk, MatMul, Origin, Outputs, Plan, Relu};
use super::relu_constraints;
use super::tables::Table;
use super::verify::output_chunks;
use crate::graph::Graph;

/// What the prover brings to a statement.
pub(crate) struct Prover<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) params: &'a Params,
    pub(crate) model: &'a Oracle,
    /// By matrix of the plan.
    pub(crate) entries: &'a [Entries<'a>],
}

struct Relation<'a> {
    matmul: &'a MatMul,
    drawn: Drawn,
    k: usize,
    g: Vec<F128>,
    bias: Option<F128>,
    /// The trees of weights and bias, for the second forest.
    trees: Vec<Tree>,
    on_g: Vec<(Vec<F128>, F128)>,
}

/// A table step in the making: statements with the index bytes they are about.
#[derive(Default)]
struct TableStep {
    inputs: Vec<TableInput>,
    views: Vec<(usize, Vec<F128>)>,
}

impl Prover<'_> {
    /// Proves every relation; `progress` hears the name of each phase as it starts.
    pub(crate) fn prove(
        &self,
        channel: &mut ProverChannel,
        progress: &mut dyn FnMut(&'static str),
    ) {
        let plan = self.plan;
        progress("commit trace");
        let log_row = self.model.shape().log_row;
        let trace = words(plan, Origin::Trace, self.entries);
        let trace = binfer_pcs::commit(self.params, log_row, trace);
        if trace.shape().n_rows > 0 {
            channel.send_digest("trace", &trace.root());
        }
        progress("products");
        let indices = self.indices();

        let mut relations = Vec::new();
        let (mut trees, mut roots) = (Vec::new(), Vec::new());
        for matmul in &plan.matmuls {
            for _ in 0..matmul.repetitions {
                relations
                    .push(self.begin_matmul(channel, matmul, &indices, &mut trees, &mut roots));
            }
        }
        let mut maps = Vec::new();
        for map in &plan.maps {
            let h = channel.nonzero_challenges("bases", map.cols);
            let row_point = channel.challenges("rows", log2_ceil(map.rows));
            let shape = BoxShape {
                rows: map.rows,
                cols: map.cols,
                fan_in: 1,
            };
            for (table, chunk) in map_tables(map, &h).iter().zip([&map.x, &map.y]) {
                trees.push(tree(shape, &[(table, &indices[chunk.view])]));
            }
            let value = extension(trees[trees.len() - 1].outputs(), &row_point);
            channel.send("map rows", value);
            roots.extend([(); 2].map(|()| RootClaim {
                row_point: row_point.clone(),
                value,
            }));
            maps.push((map, h));
        }
        let mut leaves = product::prove(channel, trees, roots).into_iter();

        progress("tables");
        let mut step = TableStep::default();
        for relation in &mut relations {
            let matmul = relation.matmul;
            let tables: Vec<_> = powers(&relation.g, &matmul.x).collect();
            step.push(&tables, &matmul.x, &indices, &leaves.next().expect(LEAF));
            let tables = relation.drawn.output_tables(matmul);
            step.push(
                &tables,
                &output_chunks(matmul),
                &indices,
                &leaves.next().expect(LEAF),
            );
            if matmul.x_offset > 0 {
                let leaf = leaves.next().expect(LEAF);
                relation
                    .on_g
                    .push((leaf.col_point, leaf.values[0] + F128::ONE));
            }
        }
        for (map, h) in &maps {
            for (table, chunk) in map_tables(map, h).iter().zip([&map.x, &map.y]) {
                let (table, chunk) = (core::slice::from_ref(table), core::slice::from_ref(chunk));
                step.push(table, chunk, &indices, &leaves.next().expect(LEAF));
            }
        }
        let mut hot = Vec::new();
        let mut claims = step.run(channel, &mut hot).into_iter();
        let mut inputs = Vec::new();
        for relation in &relations {
            inputs.push(
                claims
                    .by_ref()
                    .take(relation.matmul.x.len())
                    .collect::<Vec<_>>(),
            );
            claims
                .by_ref()
                .take(output_chunks(relation.matmul).len())
                .for_each(drop);
        }
        prove_g_tables(channel, &mut relations, &inputs);

        progress("weights");
        let (mut trees, mut roots) = (Vec::new(), Vec::new());
        for relation in &mut relations {
            let shifted: Vec<F128> = relation.g.iter().map(|&g| g + F128::ONE).collect();
            let claim = |(point, value)| EvaluationClaim {
                vector: 0,
                point,
                value,
            };
            let on_g: Vec<_> = relation.on_g.drain(..).map(claim).collect();
            let common = claims::prove(channel, log2_ceil(relation.k), &[&shifted], &on_g);
            let value = common.values[0] + F128::ONE;
            roots.push(RootClaim {
                row_point: common.point,
                value,
            });
            roots.extend(relation.bias.map(|value| RootClaim {
                row_point: Vec::new(),
                value,
            }));
            trees.append(&mut relation.trees);
        }
        let mut leaves = product::prove(channel, trees, roots).into_iter();
        let mut step = TableStep::default();
        for relation in &relations {
            let matmul = relation.matmul;
            let tables = relation
                .drawn
                .weight_tables(matmul, &self.graph.weights[matmul.weights]);
            let (weights, bias) = tables.split_at(1);
            let chunk = core::slice::from_ref(&matmul.w);
            step.push(weights, chunk, &indices, &leaves.next().expect(LEAF));
            if relation.bias.is_some() {
                step.push(bias, &matmul.bias, &indices, &leaves.next().expect(LEAF));
            }
        }
        step.run(channel, &mut hot);
        drop(relations);

        progress("indices");
        let bytes: Vec<&[u8]> = indices.iter().map(AsRef::as_ref).collect();
        let planes = onehot::prove(channel, &plan.planes, &plan.views, &bytes, &hot);
        drop(indices);
        let layouts = [
            Layout::new(plan, Origin::Model),
            Layout::new(plan, Origin::Trace),
        ];
        let mut group = Group::new(planes.point);
        for (m, matrix) in plan.matrices.iter().enumerate() {
            if let Some(first) = matrix.first_plane {
                let values = &planes.values[first..first + matrix.bits as usize];
                group.open(plan, &layouts, m, values);
            }
        }
        let mut groups = vec![group.0];
        for relu in &plan.relus {
            groups.push(self.prove_relu(channel, relu, &layouts));
        }
        groups.retain(|g| !g.claims.is_empty());
        progress("open");
        binfer_pcs::open(self.params, &[self.model, &trace], &groups, channel);
    }

    /// The index bytes of every view.
    fn indices(&self) -> Vec<Cow<'_, [u8]>> {
        let indices = |chunk: &Chunk| self.entries[chunk.matrix].indices(chunk);
        self.plan.chunks.iter().map(indices).collect()
    }

    fn begin_matmul<'p>(
        &'p self,
        channel: &mut ProverChannel,
        matmul: &'p MatMul,
        indices: &[Cow<'_, [u8]>],
        trees: &mut Vec<Tree>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Relation<'p> {
        let shape = &self.graph.weights[matmul.weights];
        let (k, n, rows) = (shape.k, shape.n, matmul.rows);
        let h = channel.nonzero_challenges("bases", n);
        let distance = match &matmul.outputs {
            Outputs::Codes { .. } => channel.nonzero_challenges("distance bases", n),
            Outputs::Integers { .. } => Vec::new(),
        };
        let drawn = Drawn::new(h, distance);
        let row_point = channel.challenges("rows", log2_ceil(rows));

        let tables = drawn.weight_tables(matmul, shape);
        let box_shape = BoxShape {
            rows: k,
            cols: shape.columns(),
            fan_in: 1,
        };
        let weights = tree(box_shape, &[(&tables[0], &indices[matmul.w.view])]);
        let g = weights.outputs().to_vec();
        let mut own_trees = vec![weights];
        let mut bias = None;
        if !matmul.bias.is_empty() {
            let box_shape = BoxShape {
                rows: 1,
                cols: n,
                fan_in: matmul.bias.len(),
            };
            let tree = tree(
                box_shape,
                &with_indices(&tables[1..], &matmul.bias, indices),
            );
            bias = Some(tree.outputs()[0]);
            own_trees.push(tree);
        }
        drop(tables);

        let tables: Vec<_> = powers(&g, &matmul.x).collect();
        let box_shape = BoxShape {
            rows,
            cols: k,
            fan_in: matmul.x.len(),
        };
        let x = tree(box_shape, &with_indices(&tables, &matmul.x, indices));
        let chunks = output_chunks(matmul);
        let tables = drawn.output_tables(matmul);
        let box_shape = BoxShape {
            rows,
            cols: n,
            fan_in: chunks.len(),
        };
        let y = tree(box_shape, &with_indices(&tables, &chunks, indices));
        drop(tables);
        let x_value = extension(x.outputs(), &row_point);
        let y_value = extension(y.outputs(), &row_point);
        channel.send("input rows", x_value);
        channel.send("output rows", y_value);
        trees.push(x);
        roots.push(RootClaim {
            row_point: row_point.clone(),
            value: x_value,
        });
        trees.push(y);
        roots.push(RootClaim {
            row_point,
            value: y_value,
        });
        if matmul.x_offset > 0 {
            let sum = Tree::new(
                BoxShape {
                    rows: 1,
                    cols: k,
                    fan_in: 1,
                },
                g.clone(),
            );
            let value = sum.outputs()[0];
            channel.send("sum of G", value);
            trees.push(sum);
            roots.push(RootClaim {
                row_point: Vec::new(),
                value,
            });
        }
        if let Some(value) = bias {
            channel.send("bias product", value);
        }
        Relation {
            matmul,
            drawn,
            k,
            g,
            bias,
            trees: own_trees,
            on_g: Vec::new(),
        }
    }

    fn prove_relu(
        &self,
        channel: &mut ProverChannel,
        relu: &Relu,
        layouts: &[Layout; 2],
    ) -> ClaimGroup<F128> {
        let plan = self.plan;
        let (x, y) = (&plan.matrices[relu.x], &plan.matrices[relu.y]);
        let constraints = relu_constraints(x.bits, y.bits, relu.unsigned);
        let n_tiles = tiles(x.rows, x.cols).len();
        let planes: Vec<Vec<Vec<F128>>> = (0..n_tiles)
            .map(|t| {
                let mut planes = self.entries[relu.x].planes(x, t);
                planes.extend(self.entries[relu.y].planes(y, t));
                planes
            })
            .collect();
        let slices: Vec<Vec<&[F128]>> = planes
            .iter()
            .map(|tile| tile.iter().map(Vec::as_slice).collect())
            .collect();
        let claims = zerocheck::prove(channel, &constraints, &slices);
        let by_plane = |range: core::ops::Range<usize>| -> Vec<Vec<F128>> {
            range
                .map(|p| claims.values.iter().map(|tile| tile[p]).collect())
                .collect()
        };
        let bits = x.bits as usize;
        let mut group = Group::new(claims.point.clone());
        group.open(plan, layouts, relu.x, &by_plane(0..bits));
        group.open(
            plan,
            layouts,
            relu.y,
            &by_plane(bits..bits + y.bits as usize),
        );
        group.0
    }
}

const LEAF: &str = "one leaf claim a tree";

fn with_indices<'t>(
    tables: &'t [Table<'t>],
    chunks: &[Chunk],
    indices: &'t [Cow<'_, [u8]>],
) -> Vec<(&'t Table<'t>, &'t [u8])> {
    tables
        .iter()
        .zip(chunks)
        .map(|(t, c)| (t, indices[c.view].as_ref()))
        .collect()
}

/// The tree whose leaves' factors are looked up in `factors`, one table and index matrix each.
fn tree(shape: BoxShape, factors: &[(&Table<'_>, &[u8])]) -> Tree {
    let BoxShape { rows, cols, fan_in } = shape;
    assert_eq!(factors.len(), fan_in);
    let mut leaves = vec![F128::ZERO; rows * cols * fan_in];
    leaves
        .par_chunks_mut(rows * fan_in)
        .enumerate()
        .for_each(|(c, block)| {
            for (factor, (table, index)) in block.chunks_mut(rows).zip(factors) {
                kernels::gather(factor, &table.column(c), &index[c * rows..(c + 1) * rows]);
            }
        });
    Tree::new(shape, leaves)
}

/// The extension of rows' products, one beyond them.
fn extension(outputs: &[F128], row_point: &[F128]) -> F128 {
    let eq = kernels::eq_table(row_point);
    let inside = kernels::inner_product(outputs, &eq[..outputs.len()]);
    inside + F128::ONE + prefix_indicator(row_point, outputs.len())
}

impl TableStep {
    fn push(
        &mut self,
        tables: &[Table<'_>],
        chunks: &[Chunk],
        indices: &[Cow<'_, [u8]>],
        leaf: &LeafClaim<F128>,
    ) {
        let row_eq = kernels::eq_table(&leaf.row_point);
        for ((table, chunk), &value) in tables.iter().zip(chunks).zip(&leaf.values) {
            let (cols, width) = (table.cols(), table.width());
            let index = indices[chunk.view].as_ref();
            let rows = index.len() / cols;
            let mut entries = vec![F128::ONE; cols << width];
            entries
                .par_chunks_mut(1 << width)
                .enumerate()
                .for_each(|(c, column)| kernels::add_assign(column, &table.column(c)));
            self.inputs.push(TableInput {
                statement: TableStatement {
                    cols,
                    width,
                    col_point: leaf.col_point.clone(),
                    value,
                },
                table: entries,
                histogram: histogram(index, &row_eq[..rows], width),
            });
            self.views.push((chunk.view, leaf.row_point.clone()));
        }
    }

    fn run(
        self,
        channel: &mut ProverChannel,
        hot: &mut Vec<OneHotClaim<F128>>,
    ) -> Vec<TableClaim<F128>> {
        let claims = table::prove(channel, self.inputs);
        for (claim, (view, row_point)) in claims.iter().zip(self.views) {
            hot.push(OneHotClaim {
                view,
                row_point,
                col_point: claim.col_point.clone(),
                index_point: claim.index_point.clone(),
                value: claim.histogram,
            });
        }
        claims
    }
}

/// Claims on tables of powers of G become claims on G.
///
/// With `L_s = 1 + sigma_s (G + 1)^(2^(o + s))`, a claim is a product sumcheck over one column.
fn prove_g_tables(
    channel: &mut ProverChannel,
    relations: &mut [Relation<'_>],
    inputs: &[Vec<TableClaim<F128>>],
) {
    let mut instances = Vec::new();
    for (relation, claims) in relations.iter().zip(inputs) {
        let mut power: Vec<F128> = relation.g.iter().map(|&g| g + F128::ONE).collect();
        for (chunk, claim) in relation.matmul.x.iter().zip(claims) {
            let mut factors = Vec::with_capacity(relation.k * chunk.width());
            for &sigma in &claim.index_point {
                factors.extend(power.iter().map(|&p| F128::ONE + sigma * p));
                power.iter_mut().for_each(|p| *p = p.square());
            }
            let shape = BoxShape {
                rows: relation.k,
                cols: 1,
                fan_in: chunk.width(),
            };
            let claim = LeafClaim {
                row_point: claim.col_point.clone(),
                col_point: Vec::new(),
                values: vec![claim.table + F128::ONE],
            };
            instances.push(BoxProduct::new(shape, factors, &claim));
        }
    }
    let mut batch: Vec<&mut dyn Instance> = instances
        .iter_mut()
        .map(|i| i as &mut dyn Instance)
        .collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    for relation in relations {
        let own = &challenges[challenges.len() - log2_ceil(relation.k)..];
        let tau: Vec<F128> = own.iter().rev().copied().collect();
        let eq = kernels::eq_table(&tau);
        let mut power: Vec<F128> = relation.g.iter().map(|&g| g + F128::ONE).collect();
        let n_bits: u32 = relation.matmul.x.iter().map(|c| c.bits).sum();
        let mut values = Vec::with_capacity(n_bits as usize);
        for t in 0..n_bits {
            let value = kernels::inner_product(&power, &eq[..power.len()]);
            values.push(value.inverse_frobenius(t));
            power.iter_mut().for_each(|p| *p = p.square());
        }
        channel.send_many("powers of G", &values);
        relation
            .on_g
            .extend(frobenius_points(&tau, n_bits).into_iter().zip(values));
    }
}

/// Claims on planes at one point, as the commitment opens them.
struct Group(ClaimGroup<F128>);

impl Group {
    fn new(point: Vec<F128>) -> Self {
        Self(ClaimGroup {
            width: binfer_pcs::Width::Bit,
            point,
            claims: Vec::new(),
        })
    }

    /// Adds the claims on all planes of matrix `m`, by bit and tile, unless it is public.
    fn open(&mut self, plan: &Plan, layouts: &[Layout; 2], m: usize, values: &[Vec<F128>]) {
        let matrix = &plan.matrices[m];
        let oracle = match matrix.origin {
            Origin::Public => return,
            Origin::Model => 0,
            Origin::Trace => 1,
        };
        let tiles = tiles(matrix.rows, matrix.cols);
        for (offsets, values) in layouts[oracle].offsets[m].iter().zip(values) {
            for ((tile, &offset), &value) in tiles.iter().zip(offsets).zip(values) {
                let n_vars = tile.n_vars() as u32;
                self.0.claims.push(Claim {
                    oracle,
                    offset,
                    n_vars,
                    value,
                });
            }
        }
    }
}
