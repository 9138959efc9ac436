//! Oracles from files are those that `commit` makes, and no other file is one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use binfer_field::{F128, kernels};
use binfer_hash::Transcript;
use binfer_iop::channel::{ProofReader, ProverChannel};
use rand::{SeedableRng, rngs::StdRng};

use super::create::create_in_blocks;
use super::*;
use crate::{Claim, ClaimGroup, Width, commit};

const LABEL: Label = [7; 32];

fn words(n: usize) -> Vec<F128> {
    let mut rng = StdRng::seed_from_u64(n as u64);
    (0..n).map(|_| F128::random(&mut rng)).collect()
}

/// A file with the oracle of 300 words.
fn stored() -> (OracleId, File) {
    let file = tempfile::tempfile().unwrap();
    let id = create(&Params::default(), 6, words(300), &LABEL, &file).unwrap();
    (id, file)
}

fn overwrite(mut file: &File, at: u64, bytes: &[u8]) {
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn stored_oracles_are_committed_ones() {
    for (n_words, log_row, log_inv_rate) in [(1, 0, 1), (5, 3, 2), (300, 6, 1), (4096, 12, 2)] {
        let params = Params { log_inv_rate, ..Params::default() };
        let reference = commit(&params, log_row, words(n_words));
        // Blocks of a coset, of half of one, and as small as they get.
        for block in [usize::MAX, n_words.next_power_of_two() / 2, 1] {
            let file = tempfile::tempfile().unwrap();
            let id = create_in_blocks(&params, log_row, words(n_words), &LABEL, &file, block);
            let id = id.unwrap();
            assert_eq!((id.root, id.shape), (reference.root(), reference.shape()));
            let (oracle, label) = open(&id, &file).unwrap();
            assert_eq!(label, LABEL);
            assert_eq!(oracle.words(), reference.words());
            let positions: Vec<usize> = (0..1 << (log_row + log_inv_rate)).collect();
            for &position in &positions {
                assert_eq!(oracle.leaf(position), reference.leaf(position));
            }
            let (tree, expected) = (oracle.tree().unwrap(), reference.tree().unwrap());
            for i in 0..=expected.log_leaves() {
                assert_eq!(tree.level(i), expected.level(i));
            }
        }
    }
}

#[test]
fn other_oracles_are_refused() {
    let (id, file) = stored();
    assert!(open(&id, &file).is_ok());
    let params = Params { security_bits: 99, ..id.params };
    let shape = Shape { n_rows: id.shape.n_rows + 1, ..id.shape };
    for other in
        [OracleId { params, ..id }, OracleId { shape, ..id }, OracleId { root: [0; 32], ..id }]
    {
        assert!(matches!(open(&other, &file), Err(StoreError::OtherOracle)));
    }
    let shape = Shape { log_row: 47, n_rows: usize::MAX };
    let huge = OracleId { shape, ..id };
    assert!(matches!(open(&huge, &file), Err(StoreError::TooLarge)));
}

#[test]
fn other_files_are_refused() {
    let (id, file) = stored();
    let length = file.metadata().unwrap().len();
    for got in [0, 8, 4095] {
        file.set_len(got).unwrap();
        let error = open(&id, &file).err().unwrap();
        assert!(
            matches!(error, StoreError::Length { expected, got: g } if (expected, g) == (length, got))
        );
    }
    for got in [4096, length - 1, length + 1] {
        let (id, file) = stored();
        file.set_len(got).unwrap();
        let error = open(&id, &file).err().unwrap();
        assert!(
            matches!(error, StoreError::Length { expected, got: g } if (expected, g) == (length, got))
        );
    }
    let (id, file) = stored();
    overwrite(&file, 8, &2u32.to_le_bytes());
    assert!(matches!(open(&id, &file), Err(StoreError::Version { got: 2 })));
    overwrite(&file, 0, b"b");
    assert!(matches!(open(&id, &file), Err(StoreError::Version { .. })));
    overwrite(&file, 0, b"c");
    assert!(matches!(open(&id, &file), Err(StoreError::Magic)));
    let (id, file) = stored();
    overwrite(&file, 4095, &[1]);
    assert!(matches!(open(&id, &file), Err(StoreError::OtherOracle)));
    let (id, file) = stored();
    overwrite(&file, length - 1, &[id.root[31] ^ 1]);
    assert!(matches!(open(&id, &file), Err(StoreError::Root)));
}

#[test]
fn proofs_from_a_damaged_oracle_are_rejected() {
    // Long enough rows that the words are not sent in the clear.
    let (params, log_row) = (Params::default(), 12);
    let committed = words(3 << log_row);
    let file = tempfile::tempfile().unwrap();
    let id = create(&params, log_row, committed.clone(), &LABEL, &file).unwrap();
    let point: Vec<F128> = words(log_row as usize);
    let row = &committed[..1 << log_row];
    let value = kernels::inner_product(row, &kernels::eq_table(&point));
    let claims = vec![Claim::on(0, 0, log_row, value)];
    let groups = [ClaimGroup::at(Width::B128, &point, claims)];
    let prove_and_verify = || {
        let (oracle, _) = open(&id, &file).unwrap();
        let mut channel = ProverChannel::new(Transcript::new("damaged"));
        crate::open(&params, &[&oracle], &groups, &mut channel);
        let proof = channel.finish();
        let mut reader = ProofReader::new(Transcript::new("damaged"), &proof);
        crate::verify(&params, &[(id.root, id.shape)], &groups, &mut reader)
    };
    assert_eq!(prove_and_verify(), Ok(()));
    let Sections { words, codeword, digests } = Sections::new(&params, id.shape).unwrap();
    let last_digest = digests.end - DIGEST;
    for part in [words, codeword, digests.start..last_digest] {
        let mut bytes = vec![0; part.len()];
        let mut reader = &file;
        reader.seek(SeekFrom::Start(part.start as u64)).unwrap();
        reader.read_exact(&mut bytes).unwrap();
        let damaged: Vec<u8> = bytes.iter().map(|b| b ^ 1).collect();
        overwrite(&file, part.start as u64, &damaged);
        assert!(prove_and_verify().is_err());
        overwrite(&file, part.start as u64, &bytes);
        assert_eq!(prove_and_verify(), Ok(()));
    }
}
