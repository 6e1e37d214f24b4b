//! Classes of bytes and of words (FINGERPRINT §1, §2), as tables that are made at compile time.

use super::block::Block;

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Byte {
    Space,
    /// A letter, `_`, or a byte from 0x80.
    Word,
    /// One of the letters that may be a string's prefix.
    Prefix,
    Digit,
    Quote,
    DoubleQuote,
    Dollar,
    Operator,
    Open,
    Close,
    Comma,
    Dot,
    Colon,
    Semicolon,
    Other,
}

/// The class of each byte.
const BYTES: &[Byte; 256] = &{
    let mut classes = [Byte::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' => Byte::Space,
            b'e' | b'E' | b'b' | b'B' | b'x' | b'X' | b'n' | b'N' | b'u' | b'U' => Byte::Prefix,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xff => Byte::Word,
            b'0'..=b'9' => Byte::Digit,
            b'\'' => Byte::Quote,
            b'"' => Byte::DoubleQuote,
            b'$' => Byte::Dollar,
            b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' => Byte::Operator,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' => Byte::Operator,
            b'(' | b'[' => Byte::Open,
            b')' | b']' => Byte::Close,
            b',' => Byte::Comma,
            b'.' => Byte::Dot,
            b':' => Byte::Colon,
            b';' => Byte::Semicolon,
            _ => Byte::Other,
        };
        byte += 1;
    }
    classes
};

/// The class of `byte`.
#[inline(always)]
pub(super) const fn class(byte: u8) -> Byte {
    BYTES[byte as usize]
}

/// How a byte inside a word is written; 0 for a byte that ends it. 0xFF stands for placeholders, so it becomes 0xFE:
/// neither is ever part of UTF-8.
pub(super) const FOLDED: &[u8; 256] = &{
    let mut folded = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        folded[byte] = match byte as u8 {
            upper @ b'A'..=b'Z' => upper | 0x20,
            0xff => 0xfe,
            same @ (b'a'..=b'z' | b'0'..=b'9' | b'_' | b'$' | 0x80..) => same,
            _ => 0,
        };
        byte += 1;
    }
    folded
};

/// Whether an operator that holds `byte` keeps a trailing `+` or `-`.
pub(super) const fn keeps_sign(byte: u8) -> bool {
    matches!(byte, b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|' | b'`' | b'?')
}

/// What the rules say of a word: any of the bits in [`rule`].
pub(super) type Rules = u32;

/// The bits of [`Rules`].
pub(super) mod rule {
    /// In *K*: `-` after it is unary, `(` after it stands apart.
    pub(crate) const KEYWORD: u32 = 1;
    /// Keeps its quotes.
    pub(crate) const RESERVED: u32 = 1 << 1;
    /// Rule 2: null, true, false.
    pub(crate) const LITERAL: u32 = 1 << 2;
    /// Rule 2: after it those stay.
    pub(crate) const KEEPS: u32 = 1 << 3;
    /// Rule 2: as first word it makes them placeholders.
    pub(crate) const GATE: u32 = 1 << 4;
    /// Rule 3: vanishes.
    pub(crate) const NOISE: u32 = 1 << 5;
    /// Rule 3: after it noise stays.
    pub(crate) const AS: u32 = 1 << 6;
    /// Rule 4: positions follow.
    pub(crate) const BY: u32 = 1 << 7;
    /// Rule 4: no more positions.
    pub(crate) const STOP: u32 = 1 << 8;
    /// Rule 5: `(` opens a list.
    pub(crate) const IN: u32 = 1 << 9;
    /// Rule 5: `[` opens a list.
    pub(crate) const ARRAY: u32 = 1 << 10;
    /// Rule 5: rows follow.
    pub(crate) const VALUES: u32 = 1 << 11;
    /// Rule 5: what begins with it is no list.
    pub(crate) const SUBQUERY: u32 = 1 << 12;
    /// §1: opens and closes bodies of `create`.
    pub(crate) const BEGIN: u32 = 1 << 13;
    /// As above.
    pub(crate) const ATOMIC: u32 = 1 << 14;
    /// As above.
    pub(crate) const CASE: u32 = 1 << 15;
    /// As above.
    pub(crate) const END: u32 = 1 << 16;
    /// As first word it has rules of its own: 6, 7 or the bodies of `create`.
    pub(crate) const HEAD: u32 = 1 << 17;
}

const WORDS: [(Rules, &str); 19] = [
    (
        rule::KEYWORD,
        "all and any array as between by case conflict default distinct else except exists filter from having ilike in \
         intersect into is join lateral like limit materialized not offset on or over returning select similar some \
         then to union using values when where with within",
    ),
    (
        rule::RESERVED,
        "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case \
         cast char character check coalesce collate collation column concurrently constraint create cross \
         current_catalog current_date current_role current_schema current_time current_user dec decimal default \
         deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full \
         grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is \
         isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar \
         json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp \
         merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order out \
         outer overlaps overlay placing position precision primary real references returning right row select \
         session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp \
         to trailing treat trim true union unique user using values varchar variadic verbose when where window with \
         xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize \
         xmltable",
    ),
    (rule::LITERAL, "null true false"),
    (rule::KEEPS, "is not on as"),
    (rule::GATE, "select insert update delete merge with values table explain copy call"),
    (rule::NOISE, "inner outer asc"),
    (rule::AS, "as"),
    (rule::BY, "by"),
    (rule::STOP, "select limit offset having for fetch window union intersect except values returning on set"),
    (rule::IN, "in"),
    (rule::ARRAY, "array"),
    (rule::VALUES, "values"),
    (rule::SUBQUERY, "select with values table"),
    (rule::BEGIN, "begin"),
    (rule::ATOMIC, "atomic"),
    (rule::CASE, "case"),
    (rule::END, "end"),
    (rule::HEAD, "prepare execute declare savepoint release deallocate close listen unlisten notify rollback abort"),
    (rule::HEAD, "fetch move set alter create"),
];

/// The longest word with a rule that is looked up; `current_timestamp`, which is reserved, is told apart by itself.
const KEYED_MAX: usize = 15;
/// The shortest one: aliases of a single letter are common.
const KEYED_MIN: usize = 2;
/// As many as a byte tells apart; 0 is none.
const WORDS_MAX: usize = 256;
const SLOTS: usize = 1_024;

/// Words with rules. Few bytes decide that a word is none of them: caches are cold when a statement comes.
struct Table {
    /// Numbers of words by the hash of their keys, open addressing; 0 is an empty slot.
    slots: [u8; SLOTS],
    /// By number, from 1 on.
    keys: [u128; WORDS_MAX],
    rules: [Rules; WORDS_MAX],
}

const TABLE: &Table = &{
    let mut table = Table { slots: [0; SLOTS], keys: [0; WORDS_MAX], rules: [0; WORDS_MAX] };
    let (mut list, mut words) = (0, 1);
    while list < WORDS.len() {
        let bytes = WORDS[list].1.as_bytes();
        let (mut at, mut word, mut len) = (0, 0, 0);
        while at <= bytes.len() {
            if at < bytes.len() && bytes[at] != b' ' {
                word |= (bytes[at] as u128) << (8 * len);
                len += 1;
            } else if len > 0 {
                let key = Block::new(word).key(len);
                let mut slot = slot(key);
                while table.slots[slot] != 0 && table.keys[table.slots[slot] as usize] != key {
                    slot = (slot + 1) % SLOTS;
                }
                if table.slots[slot] == 0 {
                    table.slots[slot] = words as u8;
                    table.keys[words] = key;
                    words += 1;
                }
                table.rules[table.slots[slot] as usize] |= WORDS[list].0;
                (word, len) = (0, 0);
            }
            at += 1;
        }
        list += 1;
    }
    table
};

#[inline(always)]
const fn slot(key: u128) -> usize {
    let mixed = (key as u64) ^ ((key >> 64) as u64).rotate_left(23);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % SLOTS
}

/// What the rules say of the word that is the first `len` bytes of `block`, lower case.
#[inline(always)]
pub(super) fn rules(block: Block, len: usize) -> Rules {
    if !(KEYED_MIN..=KEYED_MAX).contains(&len) {
        return 0;
    }
    let key = block.key(len);
    let mut slot = slot(key);
    loop {
        match usize::from(TABLE.slots[slot]) {
            0 => return 0,
            word if TABLE.keys[word] == key => return TABLE.rules[word],
            _ => slot = (slot + 1) % SLOTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(word: &str) -> Rules {
        rules(Block::front(format!("{word}~~~~~~~~~~~~~~~~").as_bytes()), word.len())
    }

    #[test]
    fn each_word_has_the_rules_of_every_list_that_it_is_in() {
        for (_, words) in WORDS {
            for word in words.split_whitespace() {
                let want = WORDS.iter().filter(|(_, list)| list.split_whitespace().any(|w| w == word));
                assert_eq!(look_up(word), want.fold(0, |all, (rule, _)| all | rule), "{word}");
                assert!((KEYED_MIN..=KEYED_MAX).contains(&word.len()), "{word}");
            }
        }
    }

    #[test]
    fn other_words_have_none() {
        for word in ["", "a", "users", "selec", "selects", "xin", "valuesvaluesvaluesvalues"] {
            assert_eq!(look_up(word), 0, "{word}");
        }
    }
}
