//! Alphabets: what is spelled is read back, in as few bytes as the values allow.

use super::super::*;
use proptest::prelude::*;

fn read(shape: &WeightShape, matrix: &WeightMatrix, row: usize, column: usize) -> i32 {
    let per_byte = shape.alphabet.per_byte();
    let byte = matrix.index[column / per_byte * shape.k + row];
    shape.alphabet.decode(byte, column % per_byte, column)
}

#[test]
fn few_values_are_spelled_in_few_bits() {
    for (distinct, per_byte) in
        [(1, 8), (2, 8), (3, 5), (4, 4), (5, 3), (6, 3), (7, 2), (16, 2), (17, 1), (256, 1)]
    {
        let codes: Vec<u8> = (0..13 * 40).map(|i| (i % distinct) as u8).collect();
        let (shape, matrix) = WeightMatrix::from_codes(13, 40, &codes, &[-128], &[]);
        assert_eq!(shape.alphabet.per_byte(), per_byte, "{distinct} values");
        assert_eq!(matrix.index.len(), 13 * 40usize.div_ceil(per_byte));
        assert!(matrix.index.iter().all(|&b| usize::from(b) < shape.alphabet.symbols()));
    }
}

#[test]
fn bytes_beyond_the_alphabet_are_read_modulo() {
    let trits = Alphabet::Digits { values: vec![-1, 0, 1], per_byte: 5 };
    for byte in 243..=255u8 {
        for digit in 0..5 {
            assert_eq!(trits.decode(byte, digit, 0), trits.decode(byte - 243, digit, 0));
        }
    }
    assert_eq!(trits.columns(11), 3);
    assert_eq!(trits.range(3), (-1, 1));
}

#[test]
fn offsets_are_per_column_only_where_they_differ() {
    let codes: Vec<u8> = (0..40).collect();
    let offsets = |given: &[i32]| {
        let (shape, _) = WeightMatrix::from_codes(20, 2, &codes, given, &[]);
        match shape.alphabet {
            Alphabet::Byte { offsets } => offsets,
            Alphabet::Digits { .. } => vec![],
        }
    };
    assert_eq!(offsets(&[-3, -3]), [-3]);
    assert_eq!(offsets(&[-3, -4]), [-3, -4]);
}

#[test]
fn bias_widths_are_found() {
    let bits = |bias: &[i64]| WeightMatrix::from_codes(1, 2, &[0, 1], &[0], bias).0.bias_bits;
    assert_eq!(bits(&[]), 0);
    assert_eq!(bits(&[0, 0]), 0);
    assert_eq!(bits(&[-1, 0]), 1);
    assert_eq!(bits(&[1, 0]), 2);
    assert_eq!(bits(&[127, -128]), 8);
    assert_eq!(bits(&[128, 0]), 9);
    assert_eq!(signed_bits(i64::MIN), 64);
}

proptest! {
    #[test]
    fn matrices_are_read_back(
        k in 1usize..9,
        n in 1usize..20,
        distinct in 1u8..=255,
        per_column in any::<bool>(),
        seed in prop::collection::vec(any::<u8>(), 9 * 20),
        offsets in prop::collection::vec(-255i32..=0, 20),
    ) {
        let codes: Vec<u8> = seed[..k * n].iter().map(|v| v % distinct).collect();
        let offsets = if per_column { &offsets[..n] } else { &offsets[..1] };
        let (shape, matrix) = WeightMatrix::from_codes(k, n, &codes, offsets, &[]);
        for row in 0..k {
            for column in 0..n {
                let offset = if per_column { offsets[column] } else { offsets[0] };
                let weight = i32::from(codes[row * n + column]) + offset;
                prop_assert_eq!(read(&shape, &matrix, row, column), weight);
                let (low, high) = shape.alphabet.range(column);
                prop_assert!((low..=high).contains(&weight));
            }
        }
    }
}
