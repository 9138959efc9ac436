//! Throughput of the hash functions, one message and many.

use binfer_benches::bytes;
use binfer_cli::report::plot::{BarPlot, Row as Bar, Scale};
use binfer_cli::report::table::Table;
use binfer_cli::report::units::{digits, plain};
use binfer_hash::{Digest, HashKind};

use super::{Part, Section};
use crate::row::Row;
use crate::row::hardware::{AUTHORS, SAME_KIND};

/// Bytes of the one message, and of all leaves.
const BYTES: usize = 1 << 20;
/// Bytes of a leaf.
const LEAF: usize = 256;

/// Published digests: of `abc`, and of the bytes `de ad be ef` for Vision Mark-32.
const DIGESTS: [(HashKind, &[u8], &str); 4] = [
    (HashKind::Sha256, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (HashKind::Blake3, b"abc", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
    (
        HashKind::Groestl256,
        b"abc",
        "f3c1bb19c048801326a7efbcf16e3d7887446249829c379e1840d1a3a1e7d4d2",
    ),
    (
        HashKind::Vision32,
        &[0xde, 0xad, 0xbe, 0xef],
        "8ed389809fabe91cead4786eb08e2d32647a9ac69143040de500e4465c72f173",
    ),
];

/// Bytes a nanosecond.
struct Speed {
    kind: HashKind,
    message: f64,
    leaves: f64,
    nodes: f64,
}

pub(super) const SECTION: Section = Section {
    name: "hashes",
    title: "Hashes",
    source: "Groestl-256 and SHA-256 as the authors of DP23 measure them; Binius v0 on this kind of \
             server, many messages at once. The MDS matrix, the S-boxes and the transforms of Vision \
             Mark-32 are computed from their definitions (`hash/src/vision/`).",
    run: |_, clock| {
        let data = bytes(BYTES, 1);
        let mut digests = vec![Digest::default(); BYTES / LEAF];
        let mut parents = vec![Digest::default(); digests.len() / 2];
        let speeds = HashKind::ALL.map(|kind| {
            clock.says(kind.name());
            // One stream of Vision Mark-32 is portable code, slow enough for a part of the message.
            let part = if kind == HashKind::Vision32 { &data[..BYTES / 16] } else { &data[..] };
            let rate = |bytes: usize, ns: f64| bytes as f64 / ns;
            Speed {
                kind,
                message: rate(part.len(), clock.least_ns(|| kind.hash(part))),
                leaves: rate(BYTES, clock.least_ns(|| kind.leaves(&data, LEAF, &mut digests))),
                nodes: rate(
                    64 * parents.len(),
                    clock.least_ns(|| kind.nodes(&digests, &mut parents)),
                ),
            }
        });
        let [sha, blake, groestl, vision] = &speeds;
        let mib = |rate: f64| format!("{} MiB/s", digits(rate * 1e9 / f64::from(1 << 20)));
        let mb = |rate: f64| format!("{} MB/s", digits(rate * 1e3));
        let all = "the same digests of leaves of 256 bytes, many at once";
        let mut rows: Vec<Row> = DIGESTS
            .iter()
            .map(|(kind, message, digest)| {
                let ours: String = kind.hash(message).iter().map(|b| format!("{b:02x}")).collect();
                let mut row =
                    Row::exact(format!("{kind} of {} bytes", message.len()), digest, ours);
                // All digits are compared, the first are shown.
                row.original.truncate(16);
                row.ours.truncate(16);
                row
            })
            .collect();
        rows.extend([
            Row::machine(
                "Groestl-256, one message (ours by portable tables)",
                "433.6 MiB/s",
                AUTHORS,
                mib(groestl.message),
            ),
            Row::machine("SHA-256, one message", "1,722 MiB/s", AUTHORS, mib(sha.message)),
            Row::machine(
                "Groestl-256, leaves of 256 bytes",
                "495 MB/s (Binius v0)",
                SAME_KIND,
                mb(groestl.leaves),
            ),
            Row::machine(
                "Vision Mark-32, leaves of 256 bytes",
                "37 MB/s (Binius v0)",
                SAME_KIND,
                mb(vision.leaves),
            ),
            Row::machine("BLAKE3, leaves of 256 bytes", "–", "–", mb(blake.leaves)),
            Row::law(
                "one message: SHA-256 over Groestl-256",
                "1,722 / 433.6 = 3.97; above 1",
                digits(sha.message / groestl.message),
                sha.message > groestl.message,
            ),
            Row::law(
                "leaves: Groestl-256 over Vision Mark-32",
                "495 / 37 = 13.4; above 1",
                digits(groestl.leaves / vision.leaves),
                groestl.leaves > vision.leaves,
            ),
        ]);
        let rates = speeds.iter().map(|speed| Bar {
            label: speed.kind.to_string(),
            values: vec![speed.leaves * 1e3],
            note: mb(speed.leaves),
        });
        let plot = BarPlot {
            title: "Hashing leaves of 256 bytes, one thread".into(),
            axis: "MB/s, logarithmic".into(),
            scale: Scale::logarithmic(speeds.iter().map(|s| s.leaves * 1e3).chain([10.0]), plain),
            parts: vec!["leaves".into()],
            rows: rates.collect(),
            reference: None,
        };
        let mut table =
            Table::new(1, &["function", "one message", "leaves of 256 bytes", "nodes (64 bytes)"]);
        for speed in &speeds {
            table.row([
                speed.kind.to_string(),
                mb(speed.message),
                mb(speed.leaves),
                mb(speed.nodes),
            ]);
        }
        rows.push(many_agree(&data, all));
        Ok(vec![Part::Rows(rows), Part::Table(table), Part::Plot("hashes", plot.svg())])
    },
};

/// That hashing many at once gives what hashing one does.
fn many_agree(data: &[u8], what: &str) -> Row {
    let leaves = &data[..130 * LEAF];
    let agree = |kind: &HashKind| {
        let mut digests = vec![Digest::default(); leaves.len() / LEAF];
        kind.leaves(leaves, LEAF, &mut digests);
        digests.iter().zip(leaves.chunks(LEAF)).all(|(digest, leaf)| *digest == kind.leaf(leaf))
    };
    let agreeing = HashKind::ALL.iter().filter(|kind| agree(kind)).count();
    Row::exact(
        what,
        format!("{0} of {0} functions", HashKind::ALL.len()),
        format!("{agreeing} of {} functions", HashKind::ALL.len()),
    )
}
