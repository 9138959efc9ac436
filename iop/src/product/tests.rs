//! Completeness over random forests, and tampering.

use binfer_field::{F128, kernels, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::channel::{ProofReader, ProverChannel, VerifierChannel, VerifyError};
use crate::sumcheck::{Instance, univariate};

/// The extension of a box `[col][row]` that is one outside.
fn evaluate(data: &[F128], rows: usize, row_point: &[F128], col_point: &[F128]) -> F128 {
    let (row_eq, col_eq) = (eq_table(row_point), eq_table(col_point));
    let inside = data.chunks(rows).zip(&col_eq).flat_map(|(column, &c)| {
        column.iter().zip(&row_eq).map(move |(&x, &r)| c * r * (x + F128::ONE))
    });
    F128::ONE + inside.sum::<F128>()
}

fn random_forest(shapes: &[BoxShape], seed: u64) -> Vec<Vec<F128>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let size = |s: &BoxShape| s.rows * s.cols * s.fan_in;
    shapes.iter().map(|s| (0..size(s)).map(|_| F128::random(&mut rng)).collect()).collect()
}

/// Leaves that are looked up where they are stored.
struct Copied<'a> {
    leaves: &'a [F128],
    rows: usize,
}

impl Leaves for Copied<'_> {
    fn fill(&self, column: usize, first: usize, out: &mut [F128]) {
        out.copy_from_slice(&self.leaves[column * self.rows + first..][..out.len()]);
    }
}

/// Leaves that are looked up in a table for each column.
struct Looked<'a> {
    tables: &'a [Vec<F128>],
    index: &'a [Vec<u8>],
}

impl Leaves for Looked<'_> {
    fn fill(&self, column: usize, first: usize, out: &mut [F128]) {
        kernels::gather(out, &self.tables[column], &self.index[column][first..][..out.len()]);
    }

    fn looked_up(&self, column: usize) -> Option<(&[F128], &[u8])> {
        Some((&self.tables[column], &self.index[column]))
    }
}

fn tree(shape: BoxShape, factors: &[F128], made: bool) -> Tree<'_> {
    if !made {
        return Tree::new(shape, factors.to_vec());
    }
    let leaves = Box::new(Copied { leaves: factors, rows: shape.rows });
    Tree::over(shape, leaves)
}

/// The proof of a forest, claimed at random points.
fn prove_all(
    shapes: &[BoxShape],
    factors: &[Vec<F128>],
    made: bool,
    corrupt_root: F128,
) -> Vec<u8> {
    let mut prover = ProverChannel::new(Transcript::new("test"));
    let trees: Vec<_> = shapes.iter().zip(factors).map(|(&s, f)| tree(s, f, made)).collect();
    let roots: Vec<_> = trees
        .iter()
        .map(|t| {
            let row_point = prover.challenges("rows", t.shape().row_vars());
            let value = evaluate(t.outputs(), t.shape().rows, &row_point, &[]) + corrupt_root;
            prover.send("root", value);
            RootClaim { row_point, value }
        })
        .collect();
    prove(&mut prover, trees, roots);
    prover.finish()
}

fn run(
    shapes: &[BoxShape],
    factors: &[Vec<F128>],
    corrupt_root: F128,
    tamper: impl Fn(&mut Vec<u8>),
) -> Result<(), VerifyError> {
    let mut proof = prove_all(shapes, factors, false, corrupt_root);
    tamper(&mut proof);

    let mut reader = ProofReader::new(Transcript::new("test"), &proof);
    let mut roots = Vec::new();
    for s in shapes {
        let row_point = reader.challenges("rows", s.row_vars());
        roots.push(RootClaim { row_point, value: reader.receive("root")? });
    }
    let leaves = verify(&mut reader, shapes, roots)?;
    reader.finish()?;
    let mut sum = F128::ZERO;
    for ((shape, claim), data) in shapes.iter().zip(leaves.claims).zip(factors) {
        for (g, &weight) in claim.weights.iter().enumerate() {
            let factor: Vec<F128> = data
                .chunks(shape.rows * shape.fan_in)
                .flat_map(|block| &block[g * shape.rows..][..shape.rows])
                .copied()
                .collect();
            let value = evaluate(&factor, shape.rows, &claim.row_point, &claim.col_point);
            sum += weight * (value + F128::ONE);
        }
    }
    if sum == leaves.value {
        Ok(())
    } else {
        Err(VerifyError::CheckFailed { label: "test opening" })
    }
}

fn any_shape() -> impl Strategy<Value = BoxShape> {
    let rows = prop_oneof![1usize..12, 14usize..40];
    let cols = prop_oneof![1usize..12, 12usize..80];
    (rows, cols, 1usize..5).prop_map(|(rows, cols, fan_in)| BoxShape { rows, cols, fan_in })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_forests_are_proved(shapes in prop::collection::vec(any_shape(), 1..5), seed: u64) {
        let factors = random_forest(&shapes, seed);
        prop_assert_eq!(run(&shapes, &factors, F128::ZERO, |_| ()), Ok(()));
    }

    #[test]
    fn leaves_may_be_made_again(shapes in prop::collection::vec(any_shape(), 1..4), seed: u64) {
        let factors = random_forest(&shapes, seed);
        let proofs = [false, true].map(|made| prove_all(&shapes, &factors, made, F128::ZERO));
        prop_assert_eq!(&proofs[0], &proofs[1]);
    }

    #[test]
    fn claims_at_vertices_are_proved(shape in any_shape(), seed: u64, vertex: usize) {
        let factors = random_forest(&[shape], seed).remove(0);
        let tree = tree(shape, &factors, seed % 2 == 0);
        let coordinate = |i: usize| if vertex >> i & 1 == 1 { F128::ONE } else { F128::ZERO };
        let row_point: Vec<_> = (0..shape.row_vars()).map(coordinate).collect();
        let value = evaluate(tree.outputs(), shape.rows, &row_point, &[]);
        let root = RootClaim { row_point, value };
        let mut prover = ProverChannel::new(Transcript::new("test"));
        let proved = prove(&mut prover, vec![tree], vec![root.clone()]).remove(0);
        let proof = prover.finish();
        let mut reader = ProofReader::new(Transcript::new("test"), &proof);
        let verified = verify(&mut reader, &[shape], vec![root]);
        let weighted = proved.weights.iter().zip(&proved.values).map(|(&w, &v)| w * (v + F128::ONE));
        let sum: F128 = weighted.sum();
        prop_assert!(verified.is_ok_and(|leaves| leaves.value == sum));
    }

    /// Rows' weights, which the first of four factors is multiplied by and divided by, may be zero.
    #[test]
    fn boxes_are_split_at_any_point(
        shape in any_shape(),
        seed: u64,
        coordinates in prop::collection::vec(prop_oneof![9 => any::<u128>(), 1 => 0..2u128], 13),
    ) {
        let data = random_forest(&[shape], seed).remove(0);
        let rows = shape.rows;
        let (n_cols, n_rows) = (shape.col_vars(), shape.row_vars());
        let blocks = data.chunks(rows);
        let factor = |g: usize| blocks.clone().skip(g).step_by(shape.fan_in).flatten().copied();
        let factors: Vec<Vec<F128>> = (0..shape.fan_in).map(|g| factor(g).collect()).collect();
        let leaf = |i: usize| factors.iter().map(|factor| factor[i]).product();
        let leaves: Vec<F128> = (0..rows * shape.cols).map(leaf).collect();
        let point: Vec<F128> = coordinates.into_iter().map(F128::new).collect();
        let (col_point, row_point) = (point[..n_cols].to_vec(), point[n_cols..][..n_rows].to_vec());
        let value = evaluate(&leaves, rows, &row_point, &col_point);
        let z: Vec<F128> = col_point.iter().chain(row_point.iter().rev()).copied().collect();
        let claim = LeafClaim { row_point, col_point, weights: vec![F128::ONE], values: vec![value] };
        let mut product = BoxProduct::new(shape, data.clone(), &claim);
        let (mut claim, mut weight, mut bound) = (value + F128::ONE, F128::ONE, Vec::new());
        for (i, z) in (1..).zip(z) {
            let r = F128::new(u128::from(seed) << 64 | i);
            let round = product.round();
            prop_assert_eq!(univariate(&round, F128::ZERO) + univariate(&round, F128::ONE), claim);
            claim = univariate(&round, r);
            weight *= F128::ONE + z + r;
            bound.push(r);
            product.bind(r);
        }
        bound[n_cols..].reverse();
        let of = |factor: &Vec<F128>| evaluate(factor, rows, &bound[n_cols..], &bound[..n_cols]);
        let values: Vec<F128> = factors.iter().map(of).collect();
        prop_assert_eq!(weight * (values.iter().copied().product::<F128>() + F128::ONE), claim);
        prop_assert_eq!(product.values(), values);
    }

    #[test]
    fn a_wrong_product_is_rejected(shapes in prop::collection::vec(any_shape(), 1..4), seed: u64) {
        let factors = random_forest(&shapes, seed);
        prop_assert!(run(&shapes, &factors, F128::ONE, |_| ()).is_err());
    }

    #[test]
    fn a_changed_byte_is_rejected(shapes in prop::collection::vec(any_shape(), 1..4), seed: u64, at: prop::sample::Index) {
        let factors = random_forest(&shapes, seed);
        let flip = |proof: &mut Vec<u8>| { let i = at.index(proof.len()); proof[i] ^= 1; };
        prop_assert!(run(&shapes, &factors, F128::ZERO, flip).is_err());
    }
}

#[test]
fn columns_longer_than_a_block_are_proved() {
    for (rows, cols, fan_in) in [(1100, 21, 1), (300, 5, 2), (520, 6, 3), (257, 3, 4)] {
        let shapes = [BoxShape { rows, cols, fan_in }];
        let factors = random_forest(&shapes, 1);
        assert_eq!(run(&shapes, &factors, F128::ZERO, |_| ()), Ok(()));
        let made = prove_all(&shapes, &factors, true, F128::ZERO);
        assert_eq!(made, prove_all(&shapes, &factors, false, F128::ZERO));
    }
}

/// Tables of 16 entries for columns of more, but for one that is too long to be scaled; tables of 256; and both.
#[test]
fn looked_up_leaves_are_proved() {
    let mut rng = StdRng::seed_from_u64(1);
    let shapes = [
        (40, 16, 1),
        (1060, 21, 1),
        (33, 24, 1),
        (300, 8, 1),
        (70, 9, 1),
        (300, 15, 3),
        (90, 8, 2),
    ];
    let all = shapes.into_iter().flat_map(|shape| [(shape, 2..3), (shape, 0..99), (shape, 5..16)]);
    for ((rows, cols, fan_in), long) in all {
        let size = |c: usize| if long.contains(&c) { 256 } else { 16 };
        let tables: Vec<Vec<F128>> =
            (0..cols).map(|c| (0..size(c)).map(|_| F128::random(&mut rng)).collect()).collect();
        let index: Vec<Vec<u8>> = (0..cols)
            .map(|c| (0..rows).map(|_| rng.random_range(0..size(c)) as u8).collect())
            .collect();
        let looked = Looked { tables: &tables, index: &index };
        let mut leaves = vec![F128::ZERO; rows * cols];
        for (c, column) in leaves.chunks_mut(rows).enumerate() {
            looked.fill(c, 0, column);
        }
        let shape = BoxShape { rows, cols: cols / fan_in, fan_in };
        let trees = [Tree::new(shape, leaves), Tree::over(shape, Box::new(looked))];
        let proofs = trees.map(|tree| {
            let mut prover = ProverChannel::new(Transcript::new("test"));
            let row_point = prover.challenges("rows", shape.row_vars());
            let value = evaluate(tree.outputs(), rows, &row_point, &[]);
            prove(&mut prover, vec![tree], vec![RootClaim { row_point, value }]);
            prover.finish()
        });
        assert_eq!(proofs[0], proofs[1]);
    }
}

/// Proofs are those of a tree that keeps all columns, also where coordinates are one.
#[test]
fn columns_of_ones_need_not_be_kept() {
    let mut rng = StdRng::seed_from_u64(1);
    let all = [(16, 2), (17, 5), (33, 6), (40, 9), (16, 64), (300, 37), (1, 20), (9, 33), (16, 1)];
    for ((rows, cols), kept) in
        all.into_iter().flat_map(|s| [(s, 0.0), (s, 0.05), (s, 0.3), (s, 1.0)])
    {
        let shape = BoxShape { rows, cols, fan_in: 1 };
        let mut leaves = vec![F128::ONE; rows * cols];
        let kept: Vec<usize> = (0..cols).filter(|_| rng.random_bool(kept)).collect();
        for &c in &kept {
            leaves[c * rows..][..rows].fill_with(|| F128::random(&mut rng));
        }
        let column = |&c: &usize| (c, leaves[c * rows..][..rows].to_vec().into());
        for coordinate in [None, Some(F128::ONE)] {
            let sparse = Tree::sparse(rows, cols, kept.iter().map(column).collect());
            let proofs = [Tree::new(shape, leaves.clone()), sparse].map(|tree| {
                let mut prover = ProverChannel::new(Transcript::new("test"));
                let drawn = prover.challenges("rows", shape.row_vars()).into_iter();
                let row_point: Vec<F128> = drawn.map(|x| coordinate.unwrap_or(x)).collect();
                let value = evaluate(tree.outputs(), rows, &row_point, &[]);
                prove(&mut prover, vec![tree], vec![RootClaim { row_point, value }]);
                prover.finish()
            });
            assert_eq!(proofs[0], proofs[1], "{rows} x {cols}, {kept:?}");
        }
    }
}

/// The check of a batch's end is on a product alone: that each column's value is the true one, a random place among the four asks.
#[test]
fn other_values_of_four_columns_with_their_product_leave_a_false_claim() {
    let shapes = [BoxShape { rows: 20, cols: 32, fan_in: 1 }];
    let factors = random_forest(&shapes, 1);
    let forge = |of: fn(&mut [F128; 4])| {
        move |proof: &mut Vec<u8>| {
            let values = proof.as_chunks_mut::<16>().0.last_chunk_mut::<4>().unwrap();
            let mut elements = values.map(F128::from_le_bytes);
            of(&mut elements);
            *values = elements.map(F128::to_le_bytes);
        }
    };
    assert_eq!(run(&shapes, &factors, F128::ZERO, forge(|_| ())), Ok(()));
    let forged: [fn(&mut [F128; 4]); 2] = [
        |values| values.swap(1, 2),
        |values| {
            let by = F128::new(2);
            values[0] *= by;
            values[3] *= by.invert();
        },
    ];
    for of in forged {
        let verified = run(&shapes, &factors, F128::ZERO, forge(of));
        assert_eq!(verified, Err(VerifyError::CheckFailed { label: "test opening" }));
    }
}

#[test]
fn a_truncated_or_extended_proof_is_rejected() {
    let shapes = [BoxShape { rows: 3, cols: 5, fan_in: 2 }];
    let factors = random_forest(&shapes, 1);
    assert_eq!(
        run(&shapes, &factors, F128::ZERO, |p| p.truncate(p.len() - 1)),
        Err(VerifyError::Truncated)
    );
    assert_eq!(
        run(&shapes, &factors, F128::ZERO, |p| p.push(0)),
        Err(VerifyError::Trailing { bytes: 1 })
    );
}
