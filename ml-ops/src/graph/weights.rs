//! How weights are spelled in bytes: several base-D digits to a byte where a matrix has few values.

/// Position of a weight matrix in [`Graph::weights`](super::Graph::weights).
pub type WeightId = usize;

/// What a byte of a weight matrix stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alphabet {
    /// `per_byte` digits in base `D = values.len()`, least significant first; digit `d` is the weight
    /// `values[d]`.
    Digits {
        /// The distinct weights, increasing, 2 to 16 of them.
        values: Vec<i32>,
        /// Digits to a byte, [`digits_per_byte`] of `values.len()`.
        per_byte: usize,
    },
    /// One weight to a byte: `byte + offsets[j]` in output column `j`.
    Byte {
        /// One offset for all output columns, or one for each.
        offsets: Vec<i32>,
    },
}

/// Rows of codes that are turned into columns together: a cache line of each column.
const ROWS: usize = 64;

/// Base-`distinct` digits that a byte holds: the largest `p` of 8, 5, 4, 3, 2 with
/// `distinct^p <= 256`, for 2 to 16 distinct weights.
pub fn digits_per_byte(distinct: usize) -> usize {
    match distinct {
        0..=2 => 8,
        3 => 5,
        4 => 4,
        5..=6 => 3,
        7..=16 => 2,
        _ => 1,
    }
}

impl Alphabet {
    /// Weights that one byte spells.
    pub fn per_byte(&self) -> usize {
        match self {
            Self::Digits { per_byte, .. } => *per_byte,
            Self::Byte { .. } => 1,
        }
    }

    /// Byte columns that hold `n` output columns: `ceil(n / per_byte)`.
    pub fn columns(&self, n: usize) -> usize {
        n.div_ceil(self.per_byte())
    }

    /// Number of byte values that spell distinct weights: `D^per_byte` or 256.
    pub fn symbols(&self) -> usize {
        match self {
            Self::Digits { values, per_byte } => values.len().pow(*per_byte as u32),
            Self::Byte { .. } => 256,
        }
    }

    /// The weight that digit `digit` of `byte` spells in output column `column`. A byte of `symbols()`
    /// or more is read modulo `symbols()`, so every byte string is a matrix.
    /// Precondition: `digit < per_byte()`, and `column` is one of the matrix.
    pub fn decode(&self, byte: u8, digit: usize, column: usize) -> i32 {
        match self {
            Self::Digits { values, .. } => {
                let reduced = usize::from(byte) % self.symbols();
                values[reduced / values.len().pow(digit as u32) % values.len()]
            }
            Self::Byte { offsets } => i32::from(byte) + offset(offsets, column),
        }
    }

    /// Inclusive range of the weights that bytes can spell in output column `column`.
    pub fn range(&self, column: usize) -> (i32, i32) {
        match self {
            Self::Digits { values, .. } => (values[0], values[values.len() - 1]),
            Self::Byte { offsets } => {
                let low = offset(offsets, column);
                (low, low + 255)
            }
        }
    }
}

fn offset(offsets: &[i32], column: usize) -> i32 {
    match offsets {
        [only] => *only,
        many => many[column],
    }
}

/// What is public of a weight matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightShape {
    /// Rows: features of the input.
    pub k: usize,
    /// Columns: features of the output.
    pub n: usize,
    /// What its bytes stand for.
    pub alphabet: Alphabet,
    /// Two's complement width that holds every bias; 0 if there is no bias.
    pub bias_bits: u32,
}

impl WeightShape {
    /// Byte columns of the matrix.
    pub fn columns(&self) -> usize {
        self.alphabet.columns(self.n)
    }
}

/// A weight matrix and its bias, which only the prover holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeightMatrix {
    /// `columns x k` bytes: `index[c * k + row]` spells the weights of row `row` in the output columns
    /// `c * per_byte ..`; digits beyond the last column are 0.
    pub index: Vec<u8>,
    /// One bias for each output column, or none.
    pub bias: Vec<i64>,
}

impl WeightMatrix {
    /// Spells the `k x n` matrix `codes[row * n + column] + offsets[column]` (row-major codes; one
    /// offset or `n`) in the smallest alphabet that its values allow, with `bias` (empty or `n`
    /// values; all zero counts as none).
    ///
    /// # Panics
    /// If a length does not agree with `k` and `n`, or `k` or `n` is 0.
    pub fn from_codes(
        k: usize,
        n: usize,
        codes: &[u8],
        offsets: &[i32],
        bias: &[i64],
    ) -> (WeightShape, Self) {
        assert!(k > 0 && n > 0 && codes.len() == k * n, "codes are k x n");
        assert!(offsets.len() == 1 || offsets.len() == n, "1 or n offsets");
        assert!(bias.is_empty() || bias.len() == n, "0 or n biases");
        Self::spelled(k, n, find_alphabet(n, codes, offsets), (codes, offsets), bias)
    }

    /// The same with a byte to each weight, whatever the values.
    ///
    /// # Panics
    /// If a length does not agree with `k` and `n`, or `k` or `n` is 0.
    pub fn from_bytes(
        k: usize,
        n: usize,
        codes: &[u8],
        offsets: &[i32],
        bias: &[i64],
    ) -> (WeightShape, Self) {
        assert!(k > 0 && n > 0 && codes.len() == k * n, "codes are k x n");
        assert!(offsets.len() == 1 || offsets.len() == n, "1 or n offsets");
        assert!(bias.is_empty() || bias.len() == n, "0 or n biases");
        Self::spelled(k, n, byte_alphabet(offsets), (codes, offsets), bias)
    }

    fn spelled(
        k: usize,
        n: usize,
        alphabet: Alphabet,
        (codes, offsets): (&[u8], &[i32]),
        bias: &[i64],
    ) -> (WeightShape, Self) {
        let mut index = vec![0u8; alphabet.columns(n) * k];
        match &alphabet {
            Alphabet::Byte { .. } => {
                // Some rows at a time, whose lines stay in the cache while columns pass.
                for (block, rows) in codes.chunks(ROWS * n).enumerate() {
                    for (column, out) in index.chunks_exact_mut(k).enumerate() {
                        let bytes = rows.iter().skip(column).step_by(n);
                        for (out, &byte) in out[block * ROWS..].iter_mut().zip(bytes) {
                            *out = byte;
                        }
                    }
                }
            }
            Alphabet::Digits { values, per_byte } => {
                for (c, out) in index.chunks_exact_mut(k).enumerate() {
                    for (row, byte) in out.iter_mut().enumerate() {
                        let mut place = 1usize;
                        let mut spelled = 0usize;
                        for column in c * per_byte..n.min((c + 1) * per_byte) {
                            let weight =
                                i32::from(codes[row * n + column]) + offset(offsets, column);
                            spelled += place * values.partition_point(|&v| v < weight);
                            place *= values.len();
                        }
                        *byte = spelled as u8;
                    }
                }
            }
        }
        let bias = if bias.iter().all(|&b| b == 0) { Vec::new() } else { bias.to_vec() };
        let bias_bits = bias.iter().map(|&b| signed_bits(b)).max().unwrap_or(0);
        let shape = WeightShape { k, n, alphabet, bias_bits };
        (shape, Self { index, bias })
    }
}

/// Two's complement width of `value`: 1 for 0 and -1, 64 for the extremes.
pub fn signed_bits(value: i64) -> u32 {
    65 - (value ^ (value >> 63)).leading_zeros()
}

fn find_alphabet(n: usize, codes: &[u8], offsets: &[i32]) -> Alphabet {
    let mut values: Vec<i32> = Vec::with_capacity(17);
    for row in codes.chunks_exact(n) {
        for (column, &code) in row.iter().enumerate() {
            let weight = i32::from(code) + offset(offsets, column);
            if let Err(at) = values.binary_search(&weight) {
                if values.len() == 16 {
                    return byte_alphabet(offsets);
                }
                values.insert(at, weight);
            }
        }
    }
    if let [only] = values[..] {
        values.push(only + 1);
        if only > 0 {
            values = vec![only - 1, only];
        }
    }
    let per_byte = digits_per_byte(values.len());
    Alphabet::Digits { values, per_byte }
}

fn byte_alphabet(offsets: &[i32]) -> Alphabet {
    let uniform = offsets.iter().all(|o| *o == offsets[0]);
    Alphabet::Byte { offsets: if uniform { vec![offsets[0]] } else { offsets.to_vec() } }
}
