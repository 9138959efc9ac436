//! Sums of functions of elements, and their codes.

use super::factors::{Factor, add_products};
use crate::graph::{Edges, Epilogue, Function, Runs, Term, Values};
use rayon::prelude::*;

/// The sums `[column][row]` of a [`Combine`](crate::graph::Op::Combine) over `columns` columns of `rows` rows.
///
/// Precondition: the node is one of a valid graph; `tensors` are those of a run.
pub(super) fn sums(terms: &[Term], tensors: &[Values], columns: usize, rows: usize) -> Vec<i64> {
    let terms: Vec<Summand<'_>> =
        terms.iter().map(|term| Summand::new(term, tensors, columns)).collect();
    let constants = terms.iter().map(|term| term.constant.wrapping_mul(term.taps as i64));
    let constant = constants.fold(0i64, i64::wrapping_add);
    let mut sums = vec![0i64; columns * rows];
    sums.par_chunks_mut(rows).enumerate().for_each(|(column, sums)| {
        // Pages that are read first are mapped twice.
        sums.fill(constant);
        terms.iter().for_each(|term| term.add_to(column, sums));
    });
    sums
}

/// A term with its elements.
struct Summand<'a> {
    runs: Option<Runs<'a>>,
    samples: usize,
    taps: usize,
    elements: Elements<'a>,
    /// What each tap adds wherever it reads.
    constant: i64,
}

/// Elements and what they add, beyond the constant.
enum Elements<'a> {
    Codes(&'a [u8], Box<[i64; 256]>),
    Integers(&'a [i64], i64),
    /// Two operands and a factor.
    Products(Box<[Factor<'a>; 2]>, i64),
}

impl<'a> Summand<'a> {
    fn new(term: &'a Term, tensors: &'a [Values], columns: usize) -> Self {
        let x = &tensors[term.x];
        let gather = term.gather.as_ref();
        let feature_rows = x.len() / gather.map_or(columns, |gather| gather.n_source_cols());
        let pad = gather.and_then(|gather| gather.pad).map(usize::from);
        let (elements, constant) = match (&term.function, x) {
            (Function::Table(table), Values::Codes(codes)) => {
                let constant = pad.map_or(0, |pad| table[pad]);
                (Elements::Codes(codes, Box::new(table.map(|image| image - constant))), constant)
            }
            (Function::Times(factor), Values::Integers(x)) => (Elements::Integers(x, *factor), 0),
            (Function::Product { with, with_gather, zeros, factor }, Values::Codes(x)) => {
                let with = tensors[*with].as_codes().unwrap_or(&[]);
                let with = Factor::new(with, with_gather.as_ref(), zeros[1]);
                let operands = [Factor::new(x, gather, zeros[0]), with];
                (Elements::Products(Box::new(operands), *factor), 0)
            }
            _ => (Elements::Integers(&[], 0), 0),
        };
        Self {
            runs: gather.map(|gather| Runs::new(gather, feature_rows)),
            samples: gather.map_or(1, |gather| feature_rows / gather.n_source_rows()),
            taps: term.taps,
            elements,
            constant,
        }
    }

    /// Adds its images in a column, less the constant, to the sums of its rows.
    fn add_to(&self, column: usize, sums: &mut [i64]) {
        match &self.elements {
            Elements::Codes(codes, table) => {
                self.add(column, codes, sums, |code| table[usize::from(code)]);
            }
            Elements::Integers(x, factor) => {
                self.add(column, x, sums, |x: i64| x.wrapping_mul(*factor));
            }
            Elements::Products(operands, factor) => {
                let cols = column * self.taps..(column + 1) * self.taps;
                add_products(operands, *factor, cols, sums);
            }
        }
    }

    fn add<S: Copy>(&self, column: usize, x: &[S], sums: &mut [i64], image: impl Fn(S) -> i64) {
        let add = |sum: &mut i64, x| *sum = sum.wrapping_add(image(x));
        match &self.runs {
            Some(runs) => {
                for col in column * self.taps..(column + 1) * self.taps {
                    runs.apply(col, 0..self.samples, x, sums, add);
                }
            }
            None => {
                let x = x.iter().skip(column * sums.len());
                sums.iter_mut().zip(x).for_each(|(sum, &x)| add(sum, x));
            }
        }
    }
}

/// The codes of accumulators `[column][row]` of size at most `bound`.
pub(super) fn codes_of(
    epilogue: &Epilogue,
    accumulators: &[i64],
    rows: usize,
    bound: i128,
) -> Vec<u8> {
    let are_short = bound <= i128::from(i32::MAX);
    let mut codes = vec![0; accumulators.len()];
    codes.par_chunks_mut(rows).zip(accumulators.par_chunks(rows)).enumerate().for_each(
        |(column, (codes, accumulators))| {
            match epilogue {
                Epilogue::Requantize(requantize) => {
                    requantize.step(column).codes(accumulators, are_short, codes);
                }
                Epilogue::Edges(steps) => {
                    if let Some(step) = Edges::of_column(steps, column) {
                        step.codes(accumulators, codes);
                    }
                }
                // The sum is the code.
                Epilogue::Accumulator => {
                    codes.iter_mut().zip(accumulators).for_each(|(code, &acc)| *code = acc as u8);
                }
            }
        },
    );
    codes
}
