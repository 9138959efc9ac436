//! Prints operation counts of matmuls beside their formulas: `operations rows k n bits [...]`.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::process::ExitCode;

use binfer_benches::cost::{MatMul, compare};

/// The shapes that the write-up shows, in rows, k, n and bits of a weight.
const SHAPES: [[usize; 4]; 5] = [
    [1, 768, 768, 8],
    [64, 768, 768, 8],
    [16, 2048, 2048, 8],
    [16, 768, 768, 4],
    [16, 768, 768, 1],
];

fn main() -> ExitCode {
    let numbers: Result<Vec<usize>, _> = std::env::args().skip(1).map(|arg| arg.parse()).collect();
    let Ok(numbers) = numbers else {
        return ExitCode::FAILURE;
    };
    let (given, _) = numbers.as_chunks::<4>();
    println!("| rows, k, n, bits | phase | operation | formula | measured | ratio |");
    println!("|---|---|---|---:|---:|---:|");
    for &[rows, k, n, bits] in if given.is_empty() { &SHAPES[..] } else { given } {
        for row in compare(&MatMul { rows, k, n, weight_bits: bits as u32 }) {
            if row.formula == 0 && row.measured.unwrap_or(0) == 0 {
                continue;
            }
            let measured = row.measured.map_or("–".to_owned(), |m| m.to_string());
            let ratio = row.ratio().map_or("–".to_owned(), |r| format!("{r:.4}"));
            let (phase, operation, formula) = (row.phase, row.operation, row.formula);
            println!(
                "| {rows}, {k}, {n}, {bits} | {phase} | {operation} | {formula} | {measured} | {ratio} |"
            );
        }
    }
    ExitCode::SUCCESS
}
