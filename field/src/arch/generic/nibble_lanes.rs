//! Nibbles: the trait of processors that look up each of 32 bytes in a table of sixteen.

/// A register of 32 bytes with look-ups in tables of sixteen entries.
///
/// The same promise as [`super::Lanes`]: a value proves that the instructions exist.
pub(crate) trait NibbleLanes: Copy {
    type Register: Copy;
    type Table: Copy;

    /// Sums that the processor holds in registers beside what they are made of, at most twelve.
    const SUMS: usize = 12;

    fn load_bytes(self, src: &[u8; 32]) -> Self::Register;
    fn store_bytes(self, dst: &mut [u8; 32], v: Self::Register);
    fn xor_bytes(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// The low and the high four bits of each byte.
    fn nibbles(self, v: Self::Register) -> [Self::Register; 2];
    fn table(self, entries: &[u8; 16]) -> Self::Table;
    /// The entry that each byte numbers; zero for bytes from 128 on. Others are below sixteen.
    fn entries(self, table: Self::Table, numbers: Self::Register) -> Self::Register;
    /// The sum modulo 15 of bytes of at most 14, in the form that [`Self::entries`] takes; at least 128 where one of
    /// them is 128.
    fn add_logarithms(self, a: Self::Register, b: Self::Register) -> Self::Register;
}

/// The nibble lanes of a processor that has none, or better.
#[derive(Clone, Copy)]
pub(crate) enum NoNibbleLanes {}

impl NibbleLanes for NoNibbleLanes {
    type Register = ();
    type Table = ();

    fn load_bytes(self, _src: &[u8; 32]) {
        match self {}
    }

    fn store_bytes(self, _dst: &mut [u8; 32], _v: ()) {
        match self {}
    }

    fn xor_bytes(self, _a: (), _b: ()) {
        match self {}
    }

    fn nibbles(self, _v: ()) -> [(); 2] {
        match self {}
    }

    fn table(self, _entries: &[u8; 16]) {
        match self {}
    }

    fn entries(self, _table: (), _numbers: ()) {
        match self {}
    }

    fn add_logarithms(self, _a: (), _b: ()) {
        match self {}
    }
}
