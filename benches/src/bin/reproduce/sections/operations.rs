//! Operations that the prover counts, beside the formulas of the write-up.

use std::env;
use std::error::Error;
use std::process::{Command, Stdio};

use binfer_benches::cost::{MatMul, compare};
use binfer_cli::report::table::Table;
use binfer_cli::report::units::{count, digits};
use binfer_field::count::ENABLED;

use super::{Part, Section};
use crate::row::{Kind, Row, hardware};

/// Rows, k, n and bits of a weight.
type Shape = [usize; 4];

const SHAPES: [Shape; 6] = [
    [1, 768, 768, 8],
    [64, 768, 768, 8],
    [16, 2048, 2048, 8],
    [16, 768, 768, 8],
    [16, 768, 768, 4],
    [16, 768, 768, 1],
];
/// Those of a quick run: bases of rows and of columns, and both kinds of tables. The last rounds of tiles with odd sides, which
/// formulas leave out, are below a hundredth of each phase.
const SMALL_SHAPES: [Shape; 3] = [[16, 128, 128, 8], [3, 600, 400, 8], [4, 256, 192, 4]];
/// How far a count may lie from its formula.
const TOLERANCE: f64 = 0.02;

/// One kind of operation in one phase.
struct Counted {
    shape: Shape,
    phase: String,
    operation: String,
    formula: u64,
    measured: u64,
}

pub(super) const SECTION: Section = Section {
    name: "operations",
    title: "Operations of our argument",
    source: "The formulas of [the write-up](paper/cost.md) against a prover that counts what it does: \
             products, squarings and additions in GF(2^128), products of bytes, compressions of the \
             hash. Equal means within 2%; the counts are the same on every machine. Counting slows \
             everything down, so a program of its own does it, built with the feature \
             `count-operations`.",
    run: |scope, clock| {
        clock.says("building and running a prover that counts");
        let shapes = if scope.quick { &SMALL_SHAPES[..] } else { &SHAPES };
        let counted = if ENABLED { here(shapes) } else { elsewhere(shapes)? };
        let whole = counted.iter().filter(|c| c.phase == "proof" || c.phase == "commit");
        let mut rows: Vec<Row> = whole.filter(|c| c.formula > 0).map(row).collect();
        rows.push(all_phases(&counted));
        Ok(vec![
            Part::Rows(rows),
            Part::Text(
                "Operations a weight, of whole proofs without the commitment, measured.".into(),
            ),
            Part::Table(per_weight(shapes, &counted)),
            Part::Text(
                "The phase and operation of each proof that lies furthest from its formula.".into(),
            ),
            Part::Table(furthest(shapes, &counted)),
        ])
    },
};

fn name([rows, k, n, bits]: Shape) -> String {
    format!("{rows} x {k} x {n}, {bits}-bit weights")
}

/// What this program counts.
fn here(shapes: &[Shape]) -> Vec<Counted> {
    let mut counted = Vec::new();
    for &shape @ [rows, k, n, bits] in shapes {
        for row in compare(&MatMul { rows, k, n, weight_bits: bits as u32 }) {
            counted.push(Counted {
                shape,
                phase: row.phase.into(),
                operation: row.operation.into(),
                formula: row.formula,
                measured: row.measured.unwrap_or_default(),
            });
        }
    }
    counted
}

/// What `operations`, built with the feature, prints.
fn elsewhere(shapes: &[Shape]) -> Result<Vec<Counted>, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "binfer-benches"])
        .args(["--features", "count-operations", "--bin", "operations", "--"])
        .args(shapes.as_flattened().iter().map(usize::to_string))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the prover that counts: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let counted: Vec<Counted> = text.lines().filter_map(parse).collect();
    if counted.is_empty() {
        return Err("the prover that counts printed no counts".into());
    }
    Ok(counted)
}

/// A line `| rows, k, n, bits | phase | operation | formula | measured | ratio |`.
fn parse(line: &str) -> Option<Counted> {
    let mut cells = line.split('|').map(str::trim).skip(1);
    let numbers: Vec<usize> =
        cells.next()?.split(", ").map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Counted {
        shape: numbers.try_into().ok()?,
        phase: cells.next()?.into(),
        operation: cells.next()?.into(),
        formula: cells.next()?.parse().ok()?,
        measured: cells.next()?.parse().ok()?,
    })
}

fn row(counted: &Counted) -> Row {
    let part = if counted.phase == "commit" { "the commitment" } else { "a proof" };
    Row {
        what: format!("{}: {} of {part}", name(counted.shape), counted.operation),
        original: count(counted.formula),
        hardware: hardware::NONE,
        ours: count(counted.measured),
        kind: Kind::Exact,
        holds: Some(distance(counted) <= TOLERANCE),
    }
}

/// Every kind of operation in every phase, of all proofs.
fn all_phases(counted: &[Counted]) -> Row {
    let agree = counted.iter().filter(|c| distance(c) <= TOLERANCE).count();
    Row::exact("counts of a phase, of all proofs, that are equal", counted.len(), agree)
}

/// How far the count lies from the formula, as a part of it.
fn distance(counted: &Counted) -> f64 {
    (counted.measured as f64 - counted.formula as f64).abs() / (counted.formula as f64).max(1.0)
}

fn of_proofs(counted: &[Counted], shape: Shape) -> impl Iterator<Item = &Counted> {
    counted.iter().filter(move |c| c.shape == shape)
}

fn per_weight(shapes: &[Shape], counted: &[Counted]) -> Table {
    let operations = ["products", "squarings", "additions", "byte products", "compressions"];
    let mut titles = vec!["matmul"];
    titles.extend(operations);
    let mut table = Table::new(1, &titles);
    for &shape in shapes {
        let weights = (shape[1] * shape[2]) as f64;
        let of = |operation: &str| {
            let found =
                of_proofs(counted, shape).find(|c| c.phase == "proof" && c.operation == operation);
            found.map_or_else(|| "–".into(), |c| digits(c.measured as f64 / weights))
        };
        table.row([name(shape)].into_iter().chain(operations.map(of)));
    }
    table
}

fn furthest(shapes: &[Shape], counted: &[Counted]) -> Table {
    let mut table =
        Table::new(3, &["matmul", "phase", "operation", "formula", "measured", "off by"]);
    for &shape in shapes {
        let phases = of_proofs(counted, shape).filter(|c| c.phase != "proof" && c.formula > 0);
        if let Some(c) = phases.max_by(|a, b| distance(a).total_cmp(&distance(b))) {
            table.row([
                name(shape),
                c.phase.clone(),
                c.operation.clone(),
                count(c.formula),
                count(c.measured),
                format!("{:.2}%", 100.0 * distance(c)),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let line = "| 1, 768, 768, 8 | open | byte products | 1200 | 1212 | 1.0100 |";
        let counted = parse(line).unwrap();
        assert_eq!((counted.shape, &counted.phase[..]), ([1, 768, 768, 8], "open"));
        assert_eq!((counted.formula, counted.measured), (1200, 1212));
        assert_eq!(row(&counted).holds, Some(true));
        assert_eq!(all_phases(&[counted]).holds, Some(true));
        let off =
            parse("| 1, 768, 768, 8 | open | byte products | 1200 | 1225 | 1.0208 |").unwrap();
        assert_eq!(all_phases(&[off]).holds, Some(false));
        assert!(parse("|---|---|---|---:|---:|---:|").is_none());
        assert!(parse("| 1, 2, 3, 4 | open | additions | 3 | – | – |").is_none());
    }
}
