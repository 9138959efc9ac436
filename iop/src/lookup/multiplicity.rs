//! The prover's multiplicities: counting them, and the leaves they make.

use std::collections::HashMap;

use binfer_field::{F128, kernels};

use super::Lookup;

/// How often each table entry is looked up; of equal entries the first counts. `None` where an entry
/// of a list is not in the table. `lists[i][l]` holds limb `l` of list `i`, a byte an entry.
///
/// # Panics
/// Where a list has not as many limbs as the table or its limbs differ in length.
pub fn multiplicities(lookup: &Lookup, lists: &[Vec<&[u8]>]) -> Option<Vec<u64>> {
    let entry = |limbs: &[&[u8]], i: usize| limbs.iter().map(|l| l[i]).collect::<Vec<u8>>();
    let table: Vec<&[u8]> = lookup.table.iter().map(Vec::as_slice).collect();
    let mut position = HashMap::with_capacity(lookup.n_entries());
    for t in 0..lookup.n_entries() {
        position.entry(entry(&table, t)).or_insert(t);
    }
    let mut counts = vec![0; lookup.n_entries()];
    for limbs in lists {
        assert_eq!(limbs.len(), lookup.table.len());
        let len = limbs[0].len();
        assert!(limbs.iter().all(|l| l.len() == len));
        for i in 0..len {
            counts[*position.get(&entry(limbs, i))?] += 1;
        }
    }
    Some(counts)
}

/// The widths of the limbs of multiplicities of `bits` bits.
pub(super) fn widths(bits: usize) -> Vec<usize> {
    (0..bits).step_by(8).map(|first| (bits - first).min(8)).collect()
}

/// The bytes of multiplicities, limb by limb.
pub(super) fn limbs(counts: &[u64], n_limbs: usize) -> Vec<Vec<u8>> {
    (0..n_limbs).map(|l| counts.iter().map(|m| m.to_le_bytes()[l]).collect()).collect()
}

/// Whether bit `s` of a multiplicity is set.
pub(super) fn bit(count: u64, s: usize) -> bool {
    count >> s & 1 == 1
}

/// The leaves `1 + bit_s(m_t) (bases_s[t] + 1)`, `[bit][entry]`.
pub(super) fn leaves<B: AsRef<[F128]>>(
    counts: &[u64],
    bases: impl Iterator<Item = B>,
) -> Vec<F128> {
    let mut leaves = Vec::new();
    for (s, base) in bases.enumerate() {
        let leaf = |(&m, &base): (&u64, &F128)| if bit(m, s) { base } else { F128::ONE };
        leaves.extend(counts.iter().zip(base.as_ref()).map(leaf));
    }
    leaves
}

/// `fingerprints^(2^s)` for `s = 0, 1, ...`, `n` vectors.
pub(super) fn frobenius_powers(fingerprints: &[F128], n: usize) -> impl Iterator<Item = Vec<F128>> {
    let square = |previous: &Vec<F128>| {
        let mut next = vec![F128::ZERO; previous.len()];
        kernels::square(&mut next, previous);
        Some(next)
    };
    core::iter::successors(Some(fingerprints.to_vec()), square).take(n)
}
