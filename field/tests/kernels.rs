//! What the slice kernels promise beyond their backends: the eq table and the checked lengths.

use binfer_field::{F128, kernels};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn eq_table_is_the_product_of_its_factors(point in vec(any::<u128>(), 0..8)) {
        let point: Vec<_> = point.into_iter().map(F128::new).collect();
        let table = kernels::eq_table(&point);
        prop_assert_eq!(table.len(), 1 << point.len());
        for (x, &entry) in table.iter().enumerate() {
            let factor = |i: usize| if x >> i & 1 == 1 { point[i] } else { F128::ONE + point[i] };
            prop_assert_eq!(entry, (0..point.len()).map(factor).product());
        }
        prop_assert_eq!(kernels::sum(&table), F128::ONE);
    }
}

#[test]
#[should_panic(expected = "assertion")]
fn factors_of_different_lengths() {
    kernels::inner_product(&[F128::ONE; 3], &[F128::ONE; 4]);
}

#[test]
#[should_panic(expected = "assertion")]
fn a_fold_of_an_odd_number() {
    kernels::fold_adjacent(&mut [F128::ZERO; 2], &[F128::ONE; 5], F128::ONE);
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn an_index_beyond_the_bins() {
    kernels::histogram(&mut [F128::ZERO; 4], &[0, 4], &[F128::ONE; 2]);
}
