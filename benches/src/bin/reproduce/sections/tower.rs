//! Arithmetic of the tower: products, squares and inverses by level, in three representations.

use binfer_benches::{bytes, elements};
use binfer_cli::report::plot::{Axis, LinePlot, Scale, Series};
use binfer_cli::report::table::Table;
use binfer_cli::report::units::{digits, plain};
use binfer_field::tower::{Sliced, WholeBytes};
use binfer_field::{F128, Field, Tower8, Tower16, Tower32, Tower64, Tower128, kernels};

use super::{Part, Section, exponent};
use crate::clock::Clock;
use crate::row::Row;
use crate::row::hardware::{AUTHORS, SAME_KIND};

/// Bytes of an operand: three of them fit in the first-level cache.
const OPERAND: usize = 1 << 13;
/// Elements that are computed one by one.
const FEW: usize = 1 << 8;

/// The operations, in the order of all arrays here.
const OPERATIONS: [&str; 3] = ["product", "square", "inverse"];

/// Nanoseconds an element of each operation, by representation.
struct Level {
    bits: u32,
    one_by_one: [f64; 3],
    whole: [f64; 3],
    sliced: [f64; 3],
}

pub(super) const SECTION: Section = Section {
    name: "tower",
    title: "Tower arithmetic",
    source: "Figures of the authors of DP23 (ePrint 2023/1784, section 2 and their tables), and of \
             Binius v0 and Binius64 on this kind of server.",
    run: |_, clock| {
        let levels = [
            level::<Tower8>(clock),
            level::<Tower16>(clock),
            level::<Tower32>(clock),
            level::<Tower64>(clock),
            level::<Tower128>(clock),
        ];
        let ghash = ghash(clock);
        Ok(vec![
            Part::Rows(published(&levels, &ghash)),
            Part::Text(
                "Nanoseconds an element, all levels. *One by one* is the definition in general \
                 registers, a table look-up a byte; *in blocks* are slices of elements in the \
                 canonical basis, taken apart into bytes and into the AES basis and back; \
                 *byte-sliced* stay there. GHASH stands where its representation belongs: one by \
                 one, and in slices; its inverses there are Montgomery's trick."
                    .into(),
            ),
            Part::Table(by_level(&levels, &ghash)),
            Part::Rows(laws(&levels, &ghash)),
            Part::Plot("tower", plot(&levels)),
        ])
    },
};

fn level<T: WholeBytes>(clock: &Clock) -> Level {
    clock.says(&format!("GF(2^{})", T::BITS));
    let operand = |seed| -> Vec<T> { bytemuck::pod_collect_to_vec(&bytes(OPERAND, seed)) };
    let (a, b) = (operand(1), operand(2));
    let (mut dst, n) = (a.clone(), a.len() as f64);
    let one_by_one = one_by_one(clock, &a, &b);
    let whole = [
        clock.least_ns(|| kernels::tower_mul(&mut dst, &a, &b)),
        clock.least_ns(|| kernels::tower_square(&mut dst)),
        clock.least_ns(|| kernels::tower_invert(&mut dst)),
    ]
    .map(|ns| ns / n);
    let operand = |seed| -> Vec<Sliced<T>> { bytemuck::pod_collect_to_vec(&bytes(OPERAND, seed)) };
    let (a, b) = (operand(1), operand(2));
    let mut dst = a.clone();
    let sliced = [
        clock.least_ns(|| kernels::sliced_mul(&mut dst, &a, &b)),
        clock.least_ns(|| kernels::sliced_square(&mut dst)),
        clock.least_ns(|| kernels::sliced_invert(&mut dst)),
    ]
    .map(|ns| ns / n);
    Level { bits: T::BITS, one_by_one, whole, sliced }
}

/// Nanoseconds of each operation on single elements.
fn one_by_one<T: Field>(clock: &Clock, a: &[T], b: &[T]) -> [f64; 3] {
    let mut dst = a[..a.len().min(FEW)].to_vec();
    let n = dst.len() as f64;
    [
        clock.least_ns(|| each(&mut dst, |i| a[i] * b[i])),
        clock.least_ns(|| each(&mut dst, |i| a[i].square())),
        clock.least_ns(|| each(&mut dst, |i| a[i].invert())),
    ]
    .map(|ns| ns / n)
}

fn each<T>(dst: &mut [T], of: impl Fn(usize) -> T) {
    for (i, dst) in dst.iter_mut().enumerate() {
        *dst = of(i);
    }
}

/// GHASH's representation of GF(2^128).
fn ghash(clock: &Clock) -> Level {
    clock.says("GHASH");
    let n = OPERAND / 16;
    let (a, b) = (elements(n, 1), elements(n, 2));
    let mut dst = a.clone();
    let one_by_one = one_by_one(clock, &a, &b);
    let whole = [
        clock.least_ns(|| kernels::mul(&mut dst, &a, &b)),
        clock.least_ns(|| kernels::square(&mut dst, &a)),
        clock.least_ns(|| {
            dst.copy_from_slice(&a);
            F128::batch_invert(&mut dst);
        }),
    ]
    .map(|ns| ns / n as f64);
    Level { bits: 128, one_by_one, whole, sliced: [f64::NAN; 3] }
}

fn published(levels: &[Level; 5], ghash: &Level) -> Vec<Row> {
    let ns = |ns: f64| format!("{} ns", digits(ns));
    let rate = |at: usize| {
        let giga = 1.0 / levels[at].sliced[0];
        if giga >= 1.0 {
            format!("{} G/s", digits(giga))
        } else {
            format!("{} M/s", digits(1e3 * giga))
        }
    };
    let tower = &levels[4];
    let product = |what| format!("128-bit product, {what}");
    let rate_of = |bits: u32| format!("{bits}-bit products a second, byte-sliced");
    [
        (product("tower, one by one"), "71.0 ns", AUTHORS, ns(tower.one_by_one[0])),
        (
            product("tower over the AES basis, in blocks"),
            "31.3 ns (mixed basis)",
            AUTHORS,
            ns(tower.whole[0]),
        ),
        (product("POLYVAL; here GHASH, in slices"), "4.80 ns", AUTHORS, ns(ghash.whole[0])),
        (product("tower, 512-bit vectors"), "17.9 ns (Binius v0)", SAME_KIND, ns(tower.whole[0])),
        (product("AES basis, byte-sliced"), "1.74 ns (Binius v0)", SAME_KIND, ns(tower.sliced[0])),
        (
            product("POLYVAL; here GHASH, 512-bit vectors"),
            "1.76 ns (Binius v0)",
            SAME_KIND,
            ns(ghash.whole[0]),
        ),
        (product("GHASH, 512-bit vectors"), "1.24 ns (Binius64)", SAME_KIND, ns(ghash.whole[0])),
        (rate_of(8), "42 G/s (Binius v0)", SAME_KIND, rate(0)),
        (rate_of(16), "15.7 G/s (Binius v0)", SAME_KIND, rate(1)),
        (rate_of(32), "7.4 G/s (Binius v0)", SAME_KIND, rate(2)),
        (rate_of(64), "911 M/s (Binius v0)", SAME_KIND, rate(3)),
    ]
    .map(|(what, original, on, ours)| Row::machine(what, original, on, ours))
    .into()
}

fn by_level(levels: &[Level; 5], ghash: &Level) -> Table {
    let titles = ["operation", "representation", "8", "16", "32", "64", "128 bits", "GHASH"];
    let mut table = Table::new(2, &titles);
    type Of = fn(&Level) -> &[f64; 3];
    let representations: [(&str, Of); 3] = [
        ("one by one", |l| &l.one_by_one),
        ("in blocks", |l| &l.whole),
        ("byte-sliced", |l| &l.sliced),
    ];
    for (i, operation) in OPERATIONS.into_iter().enumerate() {
        for (name, of) in representations {
            let figures = levels.iter().chain([ghash]).map(|level| of(level)[i]);
            let figures = figures.map(|ns| if ns.is_nan() { "–".into() } else { digits(ns) });
            table.row([operation.into(), name.into()].into_iter().chain(figures));
        }
    }
    table
}

fn laws(levels: &[Level; 5], ghash: &Level) -> Vec<Row> {
    let points = |of: fn(&Level) -> f64| -> Vec<(f64, f64)> {
        levels.iter().map(|level| (f64::from(level.bits), of(level))).collect()
    };
    // From 16 bits on; a product of bytes waits for memory.
    let growth = exponent(&points(|level| level.sliced[0])[1..]);
    let squares = exponent(&points(|level| level.sliced[1])[1..]);
    let order = [ghash.whole[0], levels[4].whole[0], levels[4].one_by_one[0]];
    let dearest = |of: fn(&Level) -> f64| levels[1..].iter().map(of).fold(0.0, f64::max);
    let square = dearest(|level| level.sliced[1] / level.sliced[0]);
    let inverse = dearest(|level| level.sliced[2] / level.sliced[0]);
    vec![
        agreement(),
        Row::law(
            "byte-sliced products by bits, 16 to 128",
            "bits^1.58 (Karatsuba), between bits^1 and bits^2",
            format!("bits^{growth:.2}"),
            (1.0..=2.0).contains(&growth),
        ),
        Row::law(
            "byte-sliced squares by bits, 16 to 128",
            "linear maps: at most bits^1.5",
            format!("bits^{squares:.2}"),
            squares <= 1.5,
        ),
        Row::law(
            "a 128-bit product: GHASH, then over the AES basis, then one by one",
            "in this order, as POLYVAL, mixed basis and tower are",
            order.map(digits).join(" < "),
            order.is_sorted(),
        ),
        Row::law(
            "byte-sliced, 16 to 128 bits: a square over a product, at most",
            "a linear map: at most 1.2",
            digits(square),
            square <= 1.2,
        ),
        Row::law(
            "byte-sliced, 16 to 128 bits: an inverse over a product, at most",
            "three products a level down and an inverse there: at most 2.5",
            digits(inverse),
            inverse <= 2.5,
        ),
    ]
}

/// Products of random elements: of the definition, in blocks, in slices, and through GHASH.
fn agreement() -> Row {
    const N: usize = 1 << 12;
    let operand = |seed| -> Vec<Tower128> { bytemuck::pod_collect_to_vec(&bytes(16 * N, seed)) };
    let (a, b) = (operand(3), operand(4));
    let mut blocks = a.clone();
    kernels::tower_mul(&mut blocks, &a, &b);
    let slices = |of: &[Tower128]| -> Vec<Sliced<Tower128>> {
        of.as_chunks::<64>().0.iter().map(|&chunk| chunk.into()).collect()
    };
    let (x, y) = (slices(&a), slices(&b));
    let mut sliced = x.clone();
    kernels::sliced_mul(&mut sliced, &x, &y);
    let sliced = sliced.into_iter().flat_map(<[Tower128; 64]>::from);
    let agree = (0..N).zip(sliced).filter(|&(i, sliced)| {
        let product = a[i] * b[i];
        let through_ghash = Tower128::from(F128::from(a[i]) * F128::from(b[i]));
        product == blocks[i] && product == sliced && product == through_ghash
    });
    Row::exact("products in all representations that agree, of random ones", N, agree.count())
}

fn plot(levels: &[Level; 5]) -> String {
    let series = |of: fn(&Level) -> f64| -> Vec<(f64, f64)> {
        levels.iter().map(|level| (f64::from(level.bits), of(level))).collect()
    };
    let measured = [
        ("one by one", series(|level| level.one_by_one[0])),
        ("in blocks", series(|level| level.whole[0])),
        ("byte-sliced", series(|level| level.sliced[0])),
    ];
    let last = levels[4].sliced[0];
    let karatsuba: Vec<(f64, f64)> = levels
        .iter()
        .map(|level| f64::from(level.bits))
        .map(|bits| (bits, last * (bits / 128.0).powf(3f64.log2())))
        .collect();
    let all = measured.iter().flat_map(|(_, points)| points).chain(&karatsuba).map(|p| p.1);
    let scale = Scale::logarithmic(all, |ns| format!("{} ns", plain(ns)));
    let mut lines: Vec<Series> =
        measured.into_iter().map(|(name, points)| Series::measured(name, points)).collect();
    lines.push(Series::law("Karatsuba: bits^1.58", karatsuba));
    LinePlot {
        title: "A product in the tower, by level".into(),
        x: Axis {
            title: "bits of the field".into(),
            scale: Scale::at(&[8.0, 16.0, 32.0, 64.0, 128.0], plain),
        },
        y: Axis { title: "time a product, one thread".into(), scale },
        series: lines,
    }
    .svg()
}
