//! The prover does what the write-up's formulas say: counts agree within 2%.
#![cfg(feature = "count-operations")]

use binfer_benches::cost::{MatMul, compare};

/// What a count may differ by, in any phase.
const TOLERANCE: f64 = 0.02;

/// One test, since counts are the process's.
#[test]
fn counts_agree_with_formulas() {
    let shapes = [
        (1, 768, 768, 8),
        (64, 768, 768, 8),
        (16, 2048, 2048, 8),
        (16, 768, 768, 4),
        (16, 768, 768, 1),
        (3, 600, 400, 8),
        (4, 256, 192, 4),
        // Fewer rows than a table has entries.
        (4, 256, 192, 8),
    ];
    for (rows, k, n, weight_bits) in shapes {
        let task = MatMul { rows, k, n, weight_bits };
        for row in compare(&task) {
            let measured = row.measured.expect("operations are counted");
            assert_eq!(measured == 0, row.formula == 0, "{task:?} {row:?}");
            if let Some(ratio) = row.ratio() {
                assert!((ratio - 1.0).abs() < TOLERANCE, "{task:?} {row:?} {ratio}");
            }
        }
    }
}
