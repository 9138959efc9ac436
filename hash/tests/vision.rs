//! Vision Mark-32 against the digests that the authors' implementation publishes, and many at once.

use binfer_hash::{Digest, HashKind, vision32};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn vectors() {
    for (message, digest) in [
        (
            &[0xde, 0xad, 0xbe, 0xef][..],
            "8ed389809fabe91cead4786eb08e2d32647a9ac69143040de500e4465c72f173",
        ),
        (
            b"One part of the mysterious existence of Captain Nemo had been unveiled and, if his \
              identity had not been recognised, at least, the nations united against him were no \
              longer hunting a chimerical creature, but a man who had vowed a deadly hatred \
              against them",
            "b615664d0249149b5655a86919169f0fd4b44fec83d4c43e4f1f124c3f9a82c3",
        ),
        (
            b"You can prove anything you want by coldly logical reason--if you pick the proper \
              postulates.",
            "0aa2879dcac953550ebe5d9da2a91d3c0356feca9044acf4edca87b28d9959e1",
        ),
    ] {
        assert_eq!(hex(&vision32(message)), digest, "{} bytes", message.len());
    }
}

/// Groups of lanes that are full, partial, and too small.
#[cfg(feature = "prover")]
#[test]
fn many_messages() {
    let kind = HashKind::Vision32;
    for (n, len) in [(1, 5), (2, 64), (3, 63), (64, 128), (66, 100), (130, 1), (150, 256)] {
        let messages: Vec<u8> = (0..n * len).map(|i| (i * i / 7 + i) as u8).collect();
        let expected: Vec<Digest> = messages.chunks(len).map(vision32).collect();
        let mut digests = vec![[0; 32]; n];
        kind.leaves(&messages, len, &mut digests);
        assert_eq!(digests, expected, "{n} messages of {len} bytes");
        let pairs = digests.as_chunks::<2>().0;
        let parents: Vec<Digest> = pairs.iter().map(|[a, b]| kind.node(a, b)).collect();
        let mut nodes = vec![[0; 32]; n / 2];
        kind.nodes(pairs.as_flattened(), &mut nodes);
        assert_eq!(nodes, parents, "{n} children");
    }
}
