//! Groestl-256 against published digests and against an implementation by others.

use binfer_hash::groestl256;
use groestl::{Digest as _, Groestl256};
use proptest::prelude::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn vectors() {
    let counting: Vec<u8> = (0..=255).collect();
    let zeros = [0; 1000];
    for (message, digest) in [
        (&b""[..], "1a52d11d550039be16107f9c58db9ebcc417f16f736adb2502567119f0083467"),
        (b"abc", "f3c1bb19c048801326a7efbcf16e3d7887446249829c379e1840d1a3a1e7d4d2"),
        (&counting[..55], "a2bbd209981d8e092deb8909433a9fc40c63738e1a5ba2d80f30d691205d422e"),
        (&counting[..56], "373a1ecc579afc93bf0fe2140f57dab5aa57bd43a265b5c3c615732cd420dbf5"),
        (&counting[..64], "aa3f0b70ae7e022644ed5bd29af4f66e2e9ebd10ef98bf50cd4680ac5ef1aaf4"),
        (&counting, "746ef5eea7c6af66d92c5e916a7cdc8a1def8a383d49b42993cd6faad4cc6014"),
        (&zeros, "e9073c2a2e77a5b608ce62bdeee8d2f4c9bb1bf8c173b0db1c86ce0a540e5d48"),
    ] {
        assert_eq!(hex(&groestl256(message)), digest, "{} bytes", message.len());
    }
}

proptest! {
    #[test]
    fn agrees_with_the_groestl_crate(message in prop::collection::vec(any::<u8>(), 0..400)) {
        let expected: [u8; 32] = Groestl256::digest(&message).into();
        prop_assert_eq!(groestl256(&message), expected);
    }
}
