//! Completeness over random tables and lists, forgeries, tampering, messages and errors.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::channel::{Estimator, ProofReader, ProverChannel, VerifyError, log2_sum};
use crate::indexed::tiles;

#[derive(Clone, Debug)]
struct Case {
    lookups: Vec<Lookup>,
    /// `[lookup][list][limb][entry]`
    lists: Vec<Vec<Vec<Vec<u8>>>>,
    counts: Vec<Vec<u64>>,
}

/// One lookup a `(widths, entries, lists)`.
type LookupShape = (Vec<usize>, usize, Vec<(usize, usize)>);

fn case(shapes: &[LookupShape], seed: u64) -> Case {
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut case = Case { lookups: Vec::new(), lists: Vec::new(), counts: Vec::new() };
    for (widths, n_entries, list_shapes) in shapes {
        let table: Vec<Vec<u8>> = widths
            .iter()
            .map(|&w| (0..*n_entries).map(|_| rng.random::<u8>() >> (8 - w)).collect())
            .collect();
        let lists: Vec<Vec<Vec<u8>>> = list_shapes
            .iter()
            .map(|&(rows, cols)| {
                let index: Vec<usize> =
                    (0..rows * cols).map(|_| rng.random_range(0..*n_entries)).collect();
                table.iter().map(|limb| index.iter().map(|&t| limb[t]).collect()).collect()
            })
            .collect();
        let lookup = Lookup { widths: widths.clone(), table, lists: list_shapes.clone() };
        case.counts.extend(multiplicities(&lookup, &views(&lists)));
        case.lookups.push(lookup);
        case.lists.push(lists);
    }
    case
}

fn views(lists: &[Vec<Vec<u8>>]) -> Vec<Vec<&[u8]>> {
    lists.iter().map(|limbs| limbs.iter().map(Vec::as_slice).collect()).collect()
}

fn prove_case(case: &Case) -> Vec<u8> {
    let mut prover = ProverChannel::new(Transcript::new("test"));
    let witnesses: Vec<_> = case
        .lists
        .iter()
        .zip(&case.counts)
        .map(|(lists, counts)| LookupWitness {
            lists: views(lists),
            multiplicities: counts.clone(),
        })
        .collect();
    prove(&mut prover, &case.lookups, &witnesses);
    prover.finish()
}

fn open(
    bits: impl Fn(usize) -> bool,
    (rows, cols): (usize, usize),
    values: &[F128],
    point: &[F128],
) -> Result<(), VerifyError> {
    for (tile, &value) in tiles(rows, cols).iter().zip(values) {
        let eq = eq_table(&point[..tile.n_vars()]);
        let set = (0..1 << (tile.log_rows + tile.log_cols)).filter(|x| {
            let (row, col) = (x & ((1 << tile.log_rows) - 1), x >> tile.log_rows);
            bits((tile.col + col) * rows + tile.row + row)
        });
        if set.map(|x| eq[x]).sum::<F128>() != value {
            return Err(VerifyError::CheckFailed { label: "test opening" });
        }
    }
    Ok(())
}

/// Verifies, and opens what is left as a commitment would.
fn verify_case(case: &Case, proof: &[u8]) -> Result<(), VerifyError> {
    let mut reader = ProofReader::new(Transcript::new("test"), proof);
    let claims = verify(&mut reader, &case.lookups)?;
    reader.finish()?;
    for (i, (lookup, values)) in case.lookups.iter().zip(&claims.values).enumerate() {
        for ((&shape, limbs), planes) in lookup.lists.iter().zip(&case.lists[i]).zip(&values.lists)
        {
            let bits = lookup.widths.iter().zip(limbs);
            let bits = bits.flat_map(|(&w, limb)| (0..w).map(move |bit| (limb, bit)));
            for ((limb, bit), plane) in bits.zip(planes) {
                open(|x| limb[x] >> bit & 1 == 1, shape, plane, &claims.point)?;
            }
        }
        for (bit, plane) in values.multiplicities.iter().enumerate() {
            let shape = (lookup.n_entries(), 1);
            open(|t| case.counts[i][t] >> bit & 1 == 1, shape, plane, &claims.point)?;
        }
    }
    Ok(())
}

fn any_lookup() -> impl Strategy<Value = LookupShape> {
    let widths = prop::collection::vec(1usize..=8, 1..4);
    let lists = prop::collection::vec((1usize..20, 1usize..20), 1..3);
    (widths, 1usize..70, lists)
}

fn any_case() -> impl Strategy<Value = Case> {
    (prop::collection::vec(any_lookup(), 1..3), any::<u64>())
        .prop_map(|(shapes, seed)| case(&shapes, seed))
}

/// `y = x^2` on 4 bits, 40 lookups.
fn squares() -> Case {
    let table: Vec<Vec<u8>> = vec![(0..16).collect(), (0..16).map(|x: u8| x * x % 251).collect()];
    let x: Vec<u8> = (0..40u16).map(|i| (i * 7 % 16) as u8).collect();
    let y = x.iter().map(|&x| table[1][usize::from(x)]).collect();
    let lookup = Lookup { widths: vec![4, 8], table, lists: vec![(8, 5)] };
    let lists = vec![vec![x, y]];
    let counts = multiplicities(&lookup, &views(&lists)).expect("members");
    Case { lookups: vec![lookup], lists: vec![lists], counts: vec![counts] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn members_are_proved(case in any_case()) {
        prop_assert_eq!(verify_case(&case, &prove_case(&case)), Ok(()));
    }

    #[test]
    fn a_changed_entry_is_rejected(mut case in any_case(), at: prop::sample::Index, bit: prop::sample::Index) {
        let width = case.lookups[0].widths[0];
        let limb = &mut case.lists[0][0][0];
        let at = at.index(limb.len());
        limb[at] ^= 1 << bit.index(width);
        prop_assert!(verify_case(&case, &prove_case(&case)).is_err());
    }

    #[test]
    fn a_changed_multiplicity_is_rejected(mut case in any_case(), at: prop::sample::Index) {
        let counts = case.counts.last_mut().unwrap();
        let at = at.index(counts.len());
        counts[at] ^= 1;
        prop_assert!(verify_case(&case, &prove_case(&case)).is_err());
    }
}

#[test]
fn a_foreign_entry_is_rejected_even_in_pairs() {
    let mut case = squares();
    for at in [3, 19] {
        // 3 and 19 look up the same x; with both changed, characteristic two sees nothing amiss.
        assert_eq!(case.lists[0][0][0][at], 5);
        case.lists[0][0][1][at] ^= 1;
    }
    assert_eq!(multiplicities(&case.lookups[0], &views(&case.lists[0])), None);
    assert!(verify_case(&case, &prove_case(&case)).is_err());
    case.counts[0][5] -= 2;
    assert!(verify_case(&case, &prove_case(&case)).is_err());
}

#[test]
fn a_change_of_any_element_is_rejected() {
    let case = squares();
    let proof = prove_case(&case);
    assert_eq!(verify_case(&case, &proof), Ok(()));
    for element in 0..proof.len() / 16 {
        let mut changed = proof.clone();
        changed[16 * element + element % 16] ^= 1 << (element % 8);
        assert!(verify_case(&case, &changed).is_err(), "element {element}");
    }
}

#[test]
fn truncated_and_extended_proofs_are_rejected() {
    let case = squares();
    let mut proof = prove_case(&case);
    for end in [0, 15, 16, proof.len() / 2, proof.len() - 1] {
        assert_eq!(verify_case(&case, &proof[..end]), Err(VerifyError::Truncated));
    }
    proof.push(0);
    assert_eq!(verify_case(&case, &proof), Err(VerifyError::Trailing { bytes: 1 }));
}

#[test]
fn another_table_is_rejected() {
    let mut case = squares();
    let proof = prove_case(&case);
    case.lookups[0].table[1][9] ^= 1;
    assert!(verify_case(&case, &proof).is_err());
}

#[test]
fn malformed_statements_are_rejected() {
    let good = squares().lookups.remove(0);
    let broken: [fn(&mut Lookup); 6] = [
        |l| l.lists.clear(),
        |l| l.lists.push((0, 3)),
        |l| l.widths[0] = 3,
        |l| l.widths[1] = 9,
        |l| l.table[1].truncate(15),
        |l| l.table.clear(),
    ];
    for change in broken {
        let mut lookup = good.clone();
        change(&mut lookup);
        let mut reader = ProofReader::new(Transcript::new("test"), &[]);
        let expected = VerifyError::CheckFailed { label: "lookup statement" };
        assert_eq!(verify(&mut reader, &[lookup]), Err(expected));
    }
}

#[test]
fn nothing_to_look_up_needs_no_proof() {
    let case = case(&[], 0);
    assert_eq!(prove_case(&case), []);
    assert_eq!(verify_case(&case, &[]), Ok(()));
}

#[test]
fn generator_has_full_order() {
    for prime in [3, 5, 17, 257, 641, 65537, 274_177, 6_700_417, 67_280_421_310_721] {
        assert_eq!(u128::MAX % prime, 0);
        assert_ne!(statement::GENERATOR.pow(u128::MAX / prime), F128::ONE);
    }
}

#[test]
fn estimate_matches_the_proof_and_the_stated_error() {
    let case = case(&[(vec![8, 8], 256, vec![(16, 16), (3, 5)]), (vec![3], 6, vec![(9, 2)])], 8);
    let mut estimator = Estimator::new();
    assert!(verify(&mut estimator, &case.lookups).is_ok());
    assert_eq!(estimator.bytes(), prove_case(&case).len());
    let fingerprints =
        estimator.terms().iter().find(|t| t.label == "lookup fingerprints").expect("stated");
    let lookups = 16 * 16 + 3 * 5 + 9 * 2;
    assert!((fingerprints.log2_error + 128.0 - f64::from(lookups).log2()).abs() < 1e-9);
    assert!(log2_sum(estimator.terms().iter().map(|t| t.log2_error)) < -118.0);
}
