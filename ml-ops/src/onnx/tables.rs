//! Tables of small integers whose sum decides a function of two codes.
//!
//! A function `h(i, j)` that grows with `f(i) + g(j)`, for functions `f` and `g` of real values, is a step
//! function of `F(i) + G(j)` for integer tables `F` and `G` close enough to multiples of `f` and `g`. The
//! smaller the multiple, the fewer bits a sum lies from the edges of its step. Where `f` and `g` are linear,
//! multiples by which they become nearly integers at once are much smaller than powers of two that hold.

use crate::graph::Edges;

/// Pairs of codes.
pub(super) const PAIRS: usize = 1 << 16;

/// Largest multiple that is tried.
const LARGEST: f64 = (1u64 << 22) as f64;

type Table = Box<[i64; 256]>;

/// Tables `F`, `G` and edges such that the code at `256 * i + j` of `codes` is that of `F[i] + G[j]`, for all
/// pairs; `f` and `g` are the functions with whose sum `codes` grow, in units of codes. `None` if no tables
/// are found.
pub(super) fn adding_up(
    codes: &[u8; PAIRS],
    f: &[f64; 256],
    g: &[f64; 256],
) -> Option<(Table, Table, Edges)> {
    let mut candidates: Vec<(f64, Table, Table)> = (0..=22)
        .map(|bits| {
            let multiple = f64::from(1u32 << bits);
            (multiple, rounded(f, multiple), rounded(g, multiple))
        })
        .collect();
    if let Some((slopes, zeros)) = linear(f).zip(linear(g)).map(|((a, x), (b, y))| ((a, b), (x, y)))
    {
        for (p, q) in fractions((slopes.0 / slopes.1).abs()) {
            let table = |slope: f64, zero: i64, of: i64| -> Table {
                Box::new(std::array::from_fn(|i| (i as i64 - zero) * of * slope.signum() as i64))
            };
            let tables = (table(slopes.0, zeros.0, p), table(slopes.1, zeros.1, q));
            candidates.push((p as f64 / slopes.0.abs(), tables.0, tables.1));
        }
    }
    candidates.retain(|(multiple, ..)| *multiple <= LARGEST);
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
    candidates.into_iter().find_map(|(_, f, g)| {
        let edges = separating(codes, &f, &g)?;
        Some((f, g, edges))
    })
}

fn rounded(f: &[f64; 256], multiple: f64) -> Table {
    Box::new(f.map(|x| (x * multiple).clamp(-1e9, 1e9).round_ties_even() as i64))
}

/// Slope and zero of a function of codes, if it is linear with a zero among integers, up to float32's rounding.
fn linear(f: &[f64; 256]) -> Option<(f64, i64)> {
    let slope = (f[255] - f[0]) / 255.0;
    let zero = (-f[0] / slope).round_ties_even();
    let close = |(i, x): (usize, &f64)| ((i as f64 - zero) * slope - x).abs() <= 1e-6 * x.abs();
    let found = slope != 0.0 && zero.abs() < 1e6 && f.iter().enumerate().all(close);
    found.then_some((slope, zero as i64))
}

/// Fractions close to `ratio`, the convergents of its continued fraction and those between them.
fn fractions(ratio: f64) -> Vec<(i64, i64)> {
    let (mut before, mut last) = ((0i64, 1i64), (1i64, 0i64));
    let mut found = Vec::new();
    let mut rest = ratio;
    while last.0 < 1 << 24 && last.1 < 1 << 24 && rest.is_finite() && rest < 1e7 {
        let whole = rest.floor();
        let next = |n: i64| (before.0 + n * last.0, before.1 + n * last.1);
        let whole_number = whole as i64;
        let steps = (1..=whole_number.min(24)).chain([whole_number]);
        found.extend(steps.map(next).filter(|&(p, q)| p > 0 && q > 0));
        (before, last) = (last, next(whole_number));
        rest = 1.0 / (rest - whole);
    }
    found
}

/// The edges by which sums of tables decide codes; `None` if they do not.
fn separating(codes: &[u8; PAIRS], f: &[i64; 256], g: &[i64; 256]) -> Option<Edges> {
    let (mut least, mut largest) = ([i64::MAX; 256], [i64::MIN; 256]);
    for (row, x) in codes.chunks_exact(256).zip(f) {
        for (&code, y) in row.iter().zip(g) {
            let code = usize::from(code);
            least[code] = least[code].min(x + y);
            largest[code] = largest[code].max(x + y);
        }
    }
    let occurring: Vec<usize> = (0..256).filter(|&code| least[code] <= largest[code]).collect();
    let (&first, &last) = (occurring.first()?, occurring.last()?);
    if occurring.windows(2).any(|pair| largest[pair[0]] >= least[pair[1]]) {
        return None;
    }
    let mut edges = Vec::with_capacity(last - first);
    for pair in occurring.windows(2) {
        let edge = i32::try_from(least[pair[1]]).ok()?;
        edges.extend(std::iter::repeat_n(edge, pair[1] - pair[0]));
    }
    Some(Edges { first: first as u8, edges })
}
