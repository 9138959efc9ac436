//! Provers that cheat on indices of maxima, message for message honest otherwise: all are rejected.

use super::forged::{self, dim, integers, key, rejected};
use crate::Rejection;
use crate::argument::{Entries, Plan, Source};
use crate::array::{Array, ArrayData};
use crate::graph::{Epilogue, Function, Gather, Model, Op, TensorKind, TensorShape, Term, Values};

const TAPS: usize = 5;
/// Of the first sample the second and fourth elements are the largest, of the second the first and last.
const X: [u8; 2 * TAPS] = [9, 200, 7, 200, 199, 31, 0, 30, 7, 31];
const FIRST: [i64; 2] = [1, 0];
const LAST: [i64; 2] = [3, 4];

/// The tensors: input, what is chosen from, the index, and what is made of that.
const INDEX: usize = 2;

/// Chooses from codes or from integers, the first or the last of the largest; the index is the output or not.
#[derive(Clone, Copy, Debug)]
struct Case {
    wide: bool,
    last: bool,
    hidden: bool,
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|i| Self { wide: i & 1 == 1, last: i & 2 == 2, hidden: i & 4 == 4 })
    }

    fn indices(self) -> [i64; 2] {
        if self.last { LAST } else { FIRST }
    }

    fn model(self) -> Model {
        let tensor = |features, kind| TensorShape { rows_per_sample: 1, features, kind };
        let integer = |bits| TensorKind::Integer { bits };
        let combine = |x, y, function| Op::Combine {
            terms: vec![Term { x, gather: None, taps: 1, function }],
            y,
            epilogue: Epilogue::Accumulator,
        };
        let (kind, factor) = if self.wide { (integer(30), 1 << 21) } else { (TensorKind::Code, 1) };
        let mut tensors = vec![
            tensor(TAPS, TensorKind::Code),
            tensor(TAPS, kind),
            // One bit more than need be.
            tensor(1, integer(5)),
        ];
        let gather = Gather {
            source_cols: vec![TAPS],
            source_rows: vec![],
            offsets: vec![0],
            rows: vec![],
            cols: vec![dim(TAPS, 0, 1)],
            pad: None,
        };
        let mut ops = vec![
            combine(0, 1, Function::table(|code| factor * code)),
            Op::ArgMax { x: 1, gather, taps: TAPS, last: self.last, y: INDEX },
        ];
        if self.hidden {
            tensors.push(tensor(1, integer(5)));
            ops.push(combine(INDEX, INDEX + 1, Function::Times(1)));
        }
        let output = (tensors.len() - 1, vec![1]);
        forged::model(ops, tensors, Vec::new(), vec![TAPS], output)
    }

    /// Claims these indices, with whatever `change` makes of the rest.
    fn forge(
        self,
        indices: [i64; 2],
        change: impl FnOnce(&Plan, &mut Vec<Entries<'_>>),
    ) -> Result<(), Rejection> {
        let model = self.model();
        let x = Array::new(vec![2, TAPS], ArrayData::U8(X.to_vec())).unwrap();
        let claim = |tensors: &mut Vec<Values>| {
            for tensor in &mut tensors[INDEX..] {
                integers(tensor).copy_from_slice(&indices);
            }
        };
        forged::forge(&key(&model), &model, (&x, &x), claim, change)
    }
}

/// The entries of a matrix, of at most 64 bits.
fn change(
    plan: &Plan,
    entries: &mut [Entries<'_>],
    source: Source,
    change: impl Fn(usize, u64) -> u64,
) {
    let matrix = plan.matrices.iter().position(|matrix| matrix.source == source).unwrap();
    match &mut entries[matrix] {
        Entries::Bytes(bytes) => {
            let bytes = bytes.to_mut().iter_mut().enumerate();
            bytes.for_each(|(at, byte)| *byte = change(at, (*byte).into()) as u8);
        }
        Entries::Wide(words) => {
            words.iter_mut().enumerate().for_each(|(at, word)| *word = change(at, *word));
        }
        Entries::Short(_) | Entries::Widest(_) => panic!("words"),
    }
}

#[test]
fn the_honest_prover_is_accepted() {
    for case in Case::all() {
        assert_eq!(case.forge(case.indices(), |_, _| ()), Ok(()), "{case:?}");
    }
}

#[test]
fn every_other_index_is_rejected() {
    for case in Case::all() {
        let honest = case.indices();
        // Those of smaller elements, of equal ones, and of none.
        for sample in 0..2 {
            for index in (0..16).filter(|&index| index != honest[sample]) {
                let mut indices = honest;
                indices[sample] = index;
                rejected(case.forge(indices, |_, _| ()));
            }
        }
    }
}

/// Tap `tap` of sample `sample`, `[column][row]`.
fn at(sample: usize, tap: i64) -> usize {
    2 * tap as usize + sample
}

#[test]
fn a_tie_is_rejected_whatever_the_selectors() {
    for case in Case::all() {
        let [honest, other] = [case.indices(), Case { last: !case.last, ..case }.indices()];
        let selectors = Source::Selectors(1);
        // That of the index that there is, both, none: each against what an honest prover has for the other index.
        let wrong: [&dyn Fn(usize, u64) -> u64; 3] = [
            &|entry, _| u64::from((0..2).any(|sample| entry == at(sample, honest[sample]))),
            &|entry, old| old | u64::from((0..2).any(|s| entry == at(s, honest[s]))),
            &|_, _| 0,
        ];
        for wrong in wrong {
            let change = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
                change(plan, entries, selectors, wrong);
            };
            rejected(case.forge(other, change));
        }
        // As if no tap lay behind.
        let flat = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
            change(plan, entries, Source::Behind(1), |_, _| 0);
        };
        rejected(case.forge(other, flat));
    }
}

#[test]
fn another_selector_is_rejected_for_the_right_index() {
    for case in Case::all() {
        let honest = case.indices();
        // None, and two of which one lies behind.
        for entry in [at(0, honest[0]), at(1, 2)] {
            let flip = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
                change(plan, entries, Source::Selectors(1), |at, old| old ^ u64::from(at == entry));
            };
            rejected(case.forge(honest, flip));
        }
    }
}

#[test]
fn a_larger_largest_is_rejected() {
    // With all taps one step further behind, equations hold, but none is named.
    for case in Case::all() {
        let shift = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
            let index = plan.matrices.iter().find(|m| m.source == Source::Tensor(INDEX)).unwrap();
            let step = 1 << index.bits;
            change(plan, entries, Source::Largest(1), |_, old| old + 1);
            change(plan, entries, Source::Behind(1), |_, old| old + step);
        };
        let label = rejected(case.forge(case.indices(), shift));
        // The zerocheck ends in a claim that is false of the bits committed.
        assert_eq!(label, "ring switching");
        // Nor does it help to name none.
        let nobody = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
            shift(plan, entries);
            change(plan, entries, Source::Selectors(1), |_, _| 0);
        };
        rejected(case.forge(case.indices(), nobody));
    }
}
