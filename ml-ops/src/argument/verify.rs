//! The verifier of a graph's relations, over commitments to its weights and its trace.

use binfer_field::F128;
use binfer_hash::Digest;
use binfer_iop::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use binfer_iop::claims::{self, EvaluationClaim};
use binfer_iop::indexed::onehot::{self, OneHotClaim};
use binfer_iop::indexed::table::{self, TableClaim, TableStatement};
use binfer_iop::indexed::tiles;
use binfer_iop::multilinear::{eq, log2_ceil, prefix_indicator};
use binfer_iop::product::{self, BoxShape, LeafClaim, RootClaim};
use binfer_iop::sumcheck::{self, Shape};
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Params};

use super::bases::{Drawn, frobenius_points};
use super::layout::Layout;
use super::plan::{Chunk, MatMul, Matrix, Origin, Outputs, Plan, Source};
use super::{public, relu_constraints};
use crate::graph::{Graph, Values};

/// What is proved, as the verifier sees it.
pub(crate) struct Statement<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) params: &'a Params,
    /// Root and shape of the model's oracle.
    pub(crate) model: (Digest, binfer_pcs::Shape),
    pub(crate) input: &'a Values,
    pub(crate) output: &'a Values,
}

/// One repetition of a matmul's check in the middle of the protocol.
struct Relation<'a, E> {
    matmul: &'a MatMul,
    drawn: Drawn,
    k: usize,
    n: usize,
    /// The claimed product of all `G_k`, where the input has an offset.
    sum: Option<E>,
    /// The claimed product of the bias, where there is one.
    bias: Option<E>,
    /// Claims on `G + 1`: points and values.
    on_g: Vec<(Vec<F128>, E)>,
}

/// Verifies all relations and the openings they end in.
///
/// # Errors
/// The first check that fails, or the channel's errors.
pub(crate) fn verify<C: VerifierChannel>(
    channel: &mut C,
    statement: &Statement<'_>,
) -> Result<(), VerifyError> {
    let Statement {
        graph,
        plan,
        params,
        model,
        ..
    } = *statement;
    let trace_layout = Layout::new(plan, Origin::Trace);
    let trace = binfer_pcs::Shape::for_words(model.1.log_row, trace_layout.n_words);
    let trace_root = match trace.n_rows {
        0 => Digest::default(),
        _ => channel.receive_digest("trace")?,
    };
    state_freivalds(channel, plan);

    let mut relations = Vec::new();
    let (mut shapes, mut roots) = (Vec::new(), Vec::new());
    for matmul in &plan.matmuls {
        for _ in 0..matmul.repetitions {
            relations.push(begin_matmul(
                channel,
                graph,
                matmul,
                &mut shapes,
                &mut roots,
            )?);
        }
    }
    let mut maps = Vec::new();
    for map in &plan.maps {
        let h = channel.nonzero_challenges("bases", map.cols);
        let row_point = channel.challenges("rows", log2_ceil(map.rows));
        let value = channel.receive("map rows")?;
        for _ in 0..2 {
            shapes.push(BoxShape {
                rows: map.rows,
                cols: map.cols,
                fan_in: 1,
            });
            roots.push(RootClaim {
                row_point: row_point.clone(),
                value,
            });
        }
        maps.push((map, h));
    }
    let mut leaves = product::verify(channel, &shapes, roots)?.into_iter();

    // The rows' leaves: those of inputs, of outputs, and of the sum of all G.
    let mut table_step = TableStep::default();
    for relation in &mut relations {
        let matmul = relation.matmul;
        table_step.push(&matmul.x, relation.k, next(&mut leaves)?);
        table_step.push(&output_chunks(matmul), relation.n, next(&mut leaves)?);
        if relation.sum.is_some() {
            let leaf = next(&mut leaves)?;
            let value = leaf.values.first().copied().ok_or(MALFORMED)?;
            relation
                .on_g
                .push((leaf.col_point, value + C::Elem::from(F128::ONE)));
        }
    }
    for (map, _) in &maps {
        table_step.push(core::slice::from_ref(&map.x), map.cols, next(&mut leaves)?);
        table_step.push(core::slice::from_ref(&map.y), map.cols, next(&mut leaves)?);
    }
    let mut hot = Vec::new();
    let mut claims = table_step.run(channel, &mut hot)?.into_iter();
    let mut inputs = Vec::new();
    for relation in &relations {
        let matmul = relation.matmul;
        inputs.push(claims.by_ref().take(matmul.x.len()).collect::<Vec<_>>());
        for table in relation.drawn.output_tables(matmul) {
            check_table(channel, &table, next(&mut claims)?)?;
        }
    }
    for (map, h) in &maps {
        for table in super::bases::map_tables(map, h) {
            check_table(channel, &table, next(&mut claims)?)?;
        }
    }

    // The inputs' tables are powers of G: claims on them become claims on G, then one claim each.
    verify_g_tables(channel, &mut relations, &inputs)?;
    let claims = relations
        .iter_mut()
        .map(|r| core::mem::take(&mut r.on_g))
        .collect();
    let on_g = verify_g_claims(channel, claims, relations.iter().map(|r| log2_ceil(r.k)))?;

    let (mut shapes, mut roots) = (Vec::new(), Vec::new());
    for (relation, (row_point, value)) in relations.iter().zip(on_g) {
        let cols = graph
            .weights
            .get(relation.matmul.weights)
            .ok_or(MALFORMED)?
            .columns();
        shapes.push(BoxShape {
            rows: relation.k,
            cols,
            fan_in: 1,
        });
        roots.push(RootClaim {
            row_point,
            value: value + C::Elem::from(F128::ONE),
        });
        if let Some(value) = relation.bias {
            let fan_in = relation.matmul.bias.len();
            shapes.push(BoxShape {
                rows: 1,
                cols: relation.n,
                fan_in,
            });
            roots.push(RootClaim {
                row_point: Vec::new(),
                value,
            });
        }
    }
    let mut leaves = product::verify(channel, &shapes, roots)?.into_iter();
    let mut table_step = TableStep::default();
    for relation in &relations {
        let matmul = relation.matmul;
        let cols = graph
            .weights
            .get(matmul.weights)
            .ok_or(MALFORMED)?
            .columns();
        table_step.push(core::slice::from_ref(&matmul.w), cols, next(&mut leaves)?);
        if relation.bias.is_some() {
            table_step.push(&matmul.bias, relation.n, next(&mut leaves)?);
        }
    }
    let mut claims = table_step.run(channel, &mut hot)?.into_iter();
    for relation in &relations {
        let shape = graph
            .weights
            .get(relation.matmul.weights)
            .ok_or(MALFORMED)?;
        for table in relation.drawn.weight_tables(relation.matmul, shape) {
            check_table(channel, &table, next(&mut claims)?)?;
        }
    }

    let planes = onehot::verify(channel, &plan.planes, &plan.views, &hot)?;
    let model_layout = Layout::new(plan, Origin::Model);
    let mut openings = Openings {
        statement,
        layouts: [&model_layout, &trace_layout],
    };
    let mut group = ClaimGroup {
        width: binfer_pcs::Width::Bit,
        point: planes.point,
        claims: vec![],
    };
    for (m, matrix) in plan.matrices.iter().enumerate() {
        if let Some(first) = matrix.first_plane {
            let values = planes.values.iter().skip(first).take(matrix.bits as usize);
            openings.open(channel, m, 0, values.map(Vec::as_slice), &mut group)?;
        }
    }
    let mut groups = vec![group];
    for relu in &plan.relus {
        groups.push(verify_relu(channel, plan, relu, &mut openings)?);
    }
    groups.retain(|g| !g.claims.is_empty());
    binfer_pcs::verify(params, &[model, (trace_root, trace)], &groups, channel)
}

const MALFORMED: VerifyError = VerifyError::CheckFailed { label: "plan" };

fn next<T>(items: &mut impl Iterator<Item = T>) -> Result<T, VerifyError> {
    items.next().ok_or(MALFORMED)
}

/// A false relation in the committed trace is some matmul's or map's, and only that one's own check
/// must fail to catch it: the term is the largest of them, not their sum.
fn state_freivalds<C: VerifierChannel>(channel: &mut C, plan: &Plan) {
    let error = |m: &MatMul| m.repetitions as f64 * ((m.exponent_bound as f64).log2() - 128.0);
    let worst = plan
        .matmuls
        .iter()
        .map(error)
        .fold(f64::NEG_INFINITY, f64::max);
    if worst > f64::NEG_INFINITY {
        let label = "Freivalds check in the exponent (worst matmul)";
        channel.soundness(SoundnessTerm {
            label,
            log2_error: worst,
        });
    }
    if !plan.maps.is_empty() {
        channel.soundness(SoundnessTerm::schwartz_zippel("map in the exponent", 255.0));
    }
    // That the extensions of all rows' products agree at one point.
    let rows = plan
        .matmuls
        .iter()
        .map(|m| log2_ceil(m.rows))
        .max()
        .unwrap_or(0);
    channel.soundness(SoundnessTerm::schwartz_zippel("row point", rows as f64));
}

/// Draws the bases, receives the products and checks the relation between them.
fn begin_matmul<'a, C: VerifierChannel>(
    channel: &mut C,
    graph: &Graph,
    matmul: &'a MatMul,
    shapes: &mut Vec<BoxShape>,
    roots: &mut Vec<RootClaim<C::Elem>>,
) -> Result<Relation<'a, C::Elem>, VerifyError> {
    let shape = graph.weights.get(matmul.weights).ok_or(MALFORMED)?;
    let (k, n, rows) = (shape.k, shape.n, matmul.rows);
    let h = channel.nonzero_challenges("bases", n);
    let distance = match &matmul.outputs {
        Outputs::Codes { .. } => channel.nonzero_challenges("distance bases", n),
        Outputs::Integers { .. } => Vec::new(),
    };
    let drawn = Drawn::new(h, distance);
    let row_point = channel.challenges("rows", log2_ceil(rows));
    let x = channel.receive("input rows")?;
    let y = channel.receive("output rows")?;
    let mut receive = |wanted: bool, label| wanted.then(|| channel.receive(label)).transpose();
    let sum = receive(matmul.x_offset > 0, "sum of G")?;
    let bias = receive(!matmul.bias.is_empty(), "bias product")?;

    // prod_k G_k^(x_ik) bias h^(y offset) k^W = outputs_i (prod_k G_k)^(x offset) h^(bias offset).
    let one = C::Elem::from(F128::ONE);
    let outside = F128::ONE + prefix_indicator(&row_point, rows);
    let (left, right) = drawn.constants(matmul);
    let left = (x + C::Elem::from(outside)) * bias.unwrap_or(one) * left;
    let power = sum.map_or(one, |s| s.pow(matmul.x_offset));
    let right = (y + C::Elem::from(outside)) * power * right;
    channel.assert_zero("matmul rows", left + right)?;

    let fan_in = output_chunks(matmul).len();
    shapes.push(BoxShape {
        rows,
        cols: k,
        fan_in: matmul.x.len(),
    });
    roots.push(RootClaim {
        row_point: row_point.clone(),
        value: x,
    });
    shapes.push(BoxShape {
        rows,
        cols: n,
        fan_in,
    });
    roots.push(RootClaim {
        row_point,
        value: y,
    });
    if let Some(value) = sum {
        shapes.push(BoxShape {
            rows: 1,
            cols: k,
            fan_in: 1,
        });
        roots.push(RootClaim {
            row_point: Vec::new(),
            value,
        });
    }
    Ok(Relation {
        matmul,
        drawn,
        k,
        n,
        sum,
        bias,
        on_g: Vec::new(),
    })
}

/// The chunks of a matmul's outputs, in the order of their tables.
pub(crate) fn output_chunks(matmul: &MatMul) -> Vec<Chunk> {
    match &matmul.outputs {
        Outputs::Integers { chunks, .. } => chunks.clone(),
        Outputs::Codes {
            codes, distances, ..
        } => core::iter::once(codes).chain(distances).cloned().collect(),
    }
}

/// Statements for one table step, with what turns its claims into one-hot claims.
struct TableStep<E> {
    statements: Vec<TableStatement<E>>,
    views: Vec<(usize, Vec<F128>)>,
}

impl<E> Default for TableStep<E> {
    fn default() -> Self {
        Self {
            statements: Vec::new(),
            views: Vec::new(),
        }
    }
}

impl<E: Element> TableStep<E> {
    fn push(&mut self, chunks: &[Chunk], cols: usize, leaf: LeafClaim<E>) {
        for (chunk, value) in chunks.iter().zip(leaf.values) {
            let (width, col_point) = (chunk.width(), leaf.col_point.clone());
            self.statements.push(TableStatement {
                cols,
                width,
                col_point,
                value,
            });
            self.views.push((chunk.view, leaf.row_point.clone()));
        }
    }

    fn run<C: VerifierChannel<Elem = E>>(
        self,
        channel: &mut C,
        hot: &mut Vec<OneHotClaim<E>>,
    ) -> Result<Vec<TableClaim<E>>, VerifyError> {
        let claims = table::verify(channel, &self.statements)?;
        for (claim, (view, row_point)) in claims.iter().zip(self.views) {
            hot.push(OneHotClaim {
                view,
                row_point,
                col_point: claim.col_point.clone(),
                index_point: claim.index_point.clone(),
                value: claim.histogram,
            });
        }
        Ok(claims)
    }
}

fn check_table<C: VerifierChannel>(
    channel: &mut C,
    table: &super::tables::Table<'_>,
    claim: TableClaim<C::Elem>,
) -> Result<(), VerifyError> {
    let expected = table.evaluate(&claim.col_point, &claim.index_point);
    channel.assert_zero("table", claim.table + C::Elem::from(expected))
}

/// Claims on tables of powers of G become claims on G: with `u_t = (G + 1)(tau^(2^-t))`,
/// `(T + 1)(sigma) = sum_k eq(sigma_c, k) (1 + prod_s (1 + sigma_s (G_k + 1)^(2^(o + s))))`.
fn verify_g_tables<C: VerifierChannel>(
    channel: &mut C,
    relations: &mut [Relation<'_, C::Elem>],
    inputs: &[Vec<TableClaim<C::Elem>>],
) -> Result<(), VerifyError> {
    let mut instances = Vec::new();
    for (relation, claims) in relations.iter().zip(inputs) {
        for (chunk, claim) in relation.matmul.x.iter().zip(claims) {
            let degree = chunk.width().saturating_add(1);
            instances.push((
                claim.table,
                Shape {
                    n_vars: log2_ceil(relation.k),
                    degree,
                },
            ));
        }
    }
    let reduced = sumcheck::verify(channel, &instances)?;
    let mut weights = reduced.weights.iter();
    let mut expected = C::Elem::from(F128::ZERO);
    for (relation, claims) in relations.iter_mut().zip(inputs) {
        let tau: Vec<F128> = reduced
            .point(log2_ceil(relation.k))
            .iter()
            .rev()
            .copied()
            .collect();
        let n_bits: u32 = relation.matmul.x.iter().map(|c| c.bits).sum();
        let values = channel.receive_many("powers of G", n_bits as usize)?;
        let one = C::Elem::from(F128::ONE);
        for (chunk, claim) in relation.matmul.x.iter().zip(claims) {
            let mut product = one;
            for (t, &sigma) in (chunk.first..).zip(&claim.index_point) {
                let value = values.get(t as usize).ok_or(MALFORMED)?;
                product = product * (value.frobenius(t) * sigma + one);
            }
            let &weight = next(&mut weights)?;
            expected += (product + one) * (weight * eq(&claim.col_point, &tau));
        }
        let points = frobenius_points(&tau, n_bits);
        relation.on_g.extend(points.into_iter().zip(values));
    }
    channel.assert_zero("tables of G", reduced.claim + expected)
}

/// All claims on each `G + 1` become one.
fn verify_g_claims<C: VerifierChannel>(
    channel: &mut C,
    relations: Vec<Vec<(Vec<F128>, C::Elem)>>,
    n_vars: impl Iterator<Item = usize>,
) -> Result<Vec<(Vec<F128>, C::Elem)>, VerifyError> {
    let mut on_g = Vec::with_capacity(relations.len());
    for (claims, n_vars) in relations.into_iter().zip(n_vars) {
        let claim = |(point, value)| EvaluationClaim {
            vector: 0,
            point,
            value,
        };
        let claims: Vec<_> = claims.into_iter().map(claim).collect();
        let common = claims::verify(channel, n_vars, 1, &claims)?;
        on_g.push((
            common.point,
            common.values.first().copied().ok_or(MALFORMED)?,
        ));
    }
    Ok(on_g)
}

/// Turns claims on planes into openings, or checks them where the plane is public.
struct Openings<'a> {
    statement: &'a Statement<'a>,
    layouts: [&'a Layout; 2],
}

impl Openings<'_> {
    /// `values` are those of the planes of matrix `m` from bit `first_bit`, by tile.
    fn open<'v, C: VerifierChannel>(
        &mut self,
        channel: &mut C,
        m: usize,
        first_bit: usize,
        values: impl Iterator<Item = &'v [C::Elem]>,
        group: &mut ClaimGroup<C::Elem>,
    ) -> Result<(), VerifyError>
    where
        C::Elem: 'v,
    {
        let matrix = self.statement.plan.matrices.get(m).ok_or(MALFORMED)?;
        let tiles = tiles(matrix.rows, matrix.cols);
        let expected = match matrix.origin {
            Origin::Public => public::evaluate(&self.public_entries(matrix)?, matrix, &group.point),
            _ => Vec::new(),
        };
        let (oracle, layout) = match matrix.origin {
            Origin::Trace => (1, self.layouts[1]),
            _ => (0, self.layouts[0]),
        };
        for (bit, values) in (first_bit..).zip(values) {
            for (t, (tile, &value)) in tiles.iter().zip(values).enumerate() {
                if matrix.origin == Origin::Public {
                    let known = expected
                        .get(t)
                        .and_then(|bits| bits.get(bit))
                        .ok_or(MALFORMED)?;
                    channel.assert_zero("public value", value + C::Elem::from(*known))?;
                    continue;
                }
                let offsets = layout.offsets.get(m).and_then(|o| o.get(bit));
                let &offset = offsets.and_then(|o| o.get(t)).ok_or(MALFORMED)?;
                let n_vars = tile.n_vars() as u32;
                group.claims.push(Claim {
                    oracle,
                    offset,
                    n_vars,
                    value,
                });
            }
        }
        Ok(())
    }

    fn public_entries(&self, matrix: &Matrix) -> Result<Vec<u64>, VerifyError> {
        let Source::Tensor(t) = matrix.source else {
            return Err(MALFORMED);
        };
        let graph = self.statement.graph;
        let values = if t == graph.input.tensor {
            self.statement.input
        } else {
            self.statement.output
        };
        public::entries(values, matrix).ok_or(VerifyError::CheckFailed {
            label: "public range",
        })
    }
}

/// `y_t = x_t x_top` for all bits, over the tiles of both matrices.
fn verify_relu<C: VerifierChannel>(
    channel: &mut C,
    plan: &Plan,
    relu: &super::plan::Relu,
    openings: &mut Openings<'_>,
) -> Result<ClaimGroup<C::Elem>, VerifyError> {
    let x = plan.matrices.get(relu.x).ok_or(MALFORMED)?;
    let y = plan.matrices.get(relu.y).ok_or(MALFORMED)?;
    let constraints = relu_constraints(x.bits, y.bits, relu.unsigned);
    let n_planes = (x.bits as usize).saturating_add(y.bits as usize);
    let tile_vars: Vec<usize> = tiles(x.rows, x.cols).iter().map(|t| t.n_vars()).collect();
    let claims = zerocheck::verify(channel, &constraints, n_planes, &tile_vars)?;
    let mut group = ClaimGroup {
        width: binfer_pcs::Width::Bit,
        point: claims.point,
        claims: vec![],
    };
    let by_plane: Vec<Vec<C::Elem>> = (0..n_planes)
        .map(|p| {
            claims
                .values
                .iter()
                .filter_map(|tile| tile.get(p).copied())
                .collect()
        })
        .collect();
    let (of_x, of_y) = by_plane
        .split_at_checked(x.bits as usize)
        .ok_or(MALFORMED)?;
    openings.open(
        channel,
        relu.x,
        0,
        of_x.iter().map(Vec::as_slice),
        &mut group,
    )?;
    openings.open(
        channel,
        relu.y,
        0,
        of_y.iter().map(Vec::as_slice),
        &mut group,
    )?;
    Ok(group)
}
