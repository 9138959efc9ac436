//! Text as tokens and back: byte-pair encoding with the vocabulary and the merges of a file.
//!
//! What comes before the merges is the splitting that files call `smollm`: every digit apart, then the contractions,
//! words, other characters and spaces of GPT-2's pattern. Special tokens in a text are text like any other.

use std::collections::HashMap;

use super::error::GgufError;
use super::file::Gguf;

/// A file's vocabulary and merges.
#[derive(Debug, Clone)]
pub struct Tokenizer<'a> {
    vocabulary: Vec<&'a str>,
    ids: HashMap<&'a str, usize>,
    ranks: HashMap<(&'a str, &'a str), usize>,
    /// The characters that stand for bytes.
    spelled: Vec<char>,
}

impl<'a> Tokenizer<'a> {
    /// The tokenizer of a file.
    ///
    /// # Errors
    /// [`GgufError::Key`] if it is of another kind than byte-pair encoding with the splitting `smollm`.
    pub fn new(file: &Gguf<'a>) -> Result<Self, GgufError> {
        for (key, expected) in
            [("tokenizer.ggml.model", "\"gpt2\""), ("tokenizer.ggml.pre", "\"smollm\"")]
        {
            if file.string(key)? != expected.trim_matches('"') {
                return Err(GgufError::Key { key: key.to_owned(), expected });
            }
        }
        let vocabulary = file.strings("tokenizer.ggml.tokens")?;
        let ids = vocabulary.iter().enumerate().map(|(id, &token)| (token, id)).collect();
        let merges = file.strings("tokenizer.ggml.merges")?;
        let ranks = merges.iter().enumerate();
        let ranks =
            ranks.filter_map(|(rank, merge)| Some((merge.split_once(' ')?, rank))).collect();
        Ok(Self { vocabulary, ids, ranks, spelled: spelled() })
    }

    /// The tokens of a text. A byte that no token spells is left out.
    pub fn encode(&self, text: &str) -> Vec<usize> {
        let mut ids = Vec::new();
        for word in words(text) {
            let letters: String =
                word.bytes().map(|byte| self.spelled[usize::from(byte)]).collect();
            for part in self.merged(&letters) {
                ids.extend(self.ids.get(part));
            }
        }
        ids
    }

    /// The text of some tokens; numbers that are none and bytes that are no UTF-8 become replacement characters.
    pub fn decode(&self, ids: &[usize]) -> String {
        let mut bytes = Vec::new();
        for &id in ids {
            for letter in self.vocabulary.get(id).unwrap_or(&"\u{fffd}").chars() {
                match self.spelled.iter().position(|&spelled| spelled == letter) {
                    Some(byte) => bytes.push(byte as u8),
                    None => bytes.extend(letter.to_string().bytes()),
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A word in parts: of neighbours that a merge names, the first in its list are joined first.
    fn merged<'w>(&self, word: &'w str) -> Vec<&'w str> {
        // Where parts begin, and where the word ends.
        let mut starts: Vec<usize> = word.char_indices().map(|(at, _)| at).collect();
        starts.push(word.len());
        loop {
            let joins = starts.windows(3).enumerate().filter_map(|(at, ends)| {
                let pair = (&word[ends[0]..ends[1]], &word[ends[1]..ends[2]]);
                Some((self.ranks.get(&pair)?, at))
            });
            let Some((_, at)) = joins.min() else { break };
            starts.remove(at + 1);
        }
        starts.windows(2).map(|ends| &word[ends[0]..ends[1]]).collect()
    }
}

/// The character that stands for each byte in vocabularies: itself where it is visible, or else one from 256 on.
fn spelled() -> Vec<char> {
    let visible = |byte: u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut next = 256;
    (0..256)
        .map(|byte| {
            let code = if visible(byte) { byte } else { next };
            next += u32::from(code == next);
            char::from_u32(code).unwrap_or('?')
        })
        .collect()
}

/// The words of a text, all of it.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(word_length(rest));
        words.push(word);
        rest = after;
    }
    words
}

/// Bytes of the first word of a text that is not empty.
fn word_length(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    if text.starts_with(char::is_numeric) {
        return first;
    }
    for ending in ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"] {
        if text.starts_with(ending) {
            return ending.len();
        }
    }
    let run = |from: usize, of: &dyn Fn(char) -> bool| {
        let rest = &text[from..];
        from + rest.find(|c| !of(c)).unwrap_or(rest.len())
    };
    let other = |c: char| !c.is_whitespace() && !c.is_alphabetic() && !c.is_numeric();
    let space = usize::from(text.starts_with(' '));
    for of in [&char::is_alphabetic as &dyn Fn(char) -> bool, &other] {
        let end = run(space, of);
        if end > space {
            return end;
        }
    }
    // Spaces, the last of which belongs to what follows; a digit is apart, and takes none.
    let end = run(0, &char::is_whitespace);
    let followed = text[end..].chars().next().is_some_and(|c| !c.is_numeric());
    let last = text[..end].chars().next_back().map_or(0, char::len_utf8);
    if followed && end > last { end - last } else { end.max(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_words() {
        for (text, expected) in [
            ("The capital of France is", vec!["The", " capital", " of", " France", " is"]),
            (
                "it's 1889,  we're",
                vec!["it", "'s", " ", "1", "8", "8", "9", ",", " ", " we", "'re"],
            ),
            ("a\n\n b  ", vec!["a", "\n\n", " b", "  "]),
            ("x  7 \u{e9}t\u{e9}!?", vec!["x", "  ", "7", " \u{e9}t\u{e9}", "!?"]),
            ("\n\nx 'quoted'", vec!["\n", "\n", "x", " '", "quoted", "'"]),
            ("", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
            assert_eq!(words(text).concat(), text);
        }
    }

    #[test]
    fn the_first_merges_come_first() {
        let vocabulary = vec!["a", "b", "ab", "aab", "\u{120}", "aa"];
        let ids = vocabulary.iter().enumerate().map(|(id, &token)| (token, id)).collect();
        let ranks = HashMap::from([(("a", "b"), 0), (("a", "ab"), 1), (("a", "a"), 2)]);
        let tokenizer = Tokenizer { vocabulary, ids, ranks, spelled: spelled() };
        assert_eq!(tokenizer.encode("aab ab aa"), [3, 4, 2, 4, 5]);
        assert_eq!(tokenizer.decode(&[3, 4, 2, 4, 5]), "aab ab aa");
        assert_eq!(tokenizer.decode(&[9]), "\u{fffd}");
    }
}
