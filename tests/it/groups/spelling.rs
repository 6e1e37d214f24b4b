//! One statement, written in many ways that mean the same to every version of PostgreSQL.

/// A piece of a statement.
#[derive(Clone, Debug)]
pub(super) enum Token {
    /// A key word, or several.
    Key(&'static str),
    /// A word that changes nothing and may be left out.
    Noise(&'static str),
    /// The name of a table, a column or a function.
    Name(String),
    /// An operator.
    Operator(&'static str),
    /// A bracket, a comma, a dot, a cast: written as it is.
    Mark(&'static str),
    /// A value of that type.
    Literal(Type),
}

/// The type of a literal; its place gives it to the server, so that NULL has it too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Number,
    Fraction,
    Text,
    Truth,
    Day,
    /// A number where NULL would be another statement.
    Count,
}

/// What literals have in them and no name has.
pub(super) const MARKED: [&str; 2] = ["31", "s3cret"];

/// Random numbers that are the same in each run: xorshift64* (Vigna 2016).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            chance.below(2);
        }
        chance
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % end
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Writes a statement in one of many ways.
pub(super) fn spell(tokens: &[Token], chance: &mut Chance) -> String {
    let mut sql = String::new();
    for token in tokens {
        let written = match token {
            Token::Noise(_) if chance.once_in(2) => continue,
            Token::Key(word) | Token::Noise(word) => cased(word, chance),
            Token::Name(name) if chance.once_in(3) => format!("\"{name}\""),
            Token::Name(name) => cased(name, chance),
            Token::Operator("<>") => chance.one_of(&["<>", "!="]).to_owned(),
            Token::Operator(mark) | Token::Mark(mark) => (*mark).to_owned(),
            Token::Literal(kind) => literal(*kind, chance),
        };
        // Brackets, commas and dots stand as close as they like; two operators or words that met would be one.
        let close = matches!(token, Token::Mark(_)) || sql.ends_with(['(', ',', '.', '[']);
        if !(close && chance.once_in(2)) {
            sql.push_str(chance.one_of(&[
                " ",
                " ",
                "  ",
                "\n",
                "\t",
                "\r\n",
                " /* c ' */ ",
                " -- it's \"c\n",
                "/*/**/*/",
            ]));
        }
        sql.push_str(&written);
    }
    sql.push_str(chance.one_of(&["", ";", " ; ", " -- end", " /*+ hint */"]));
    sql
}

fn cased(word: &str, chance: &mut Chance) -> String {
    match chance.below(3) {
        0 => word.to_owned(),
        1 => word.to_uppercase(),
        _ => word.chars().map(|c| if chance.once_in(2) { c.to_ascii_uppercase() } else { c }).collect(),
    }
}

fn literal(kind: Type, chance: &mut Chance) -> String {
    if kind != Type::Count && kind != Type::Day && chance.once_in(8) {
        return cased("null", chance);
    }
    let number = 310 + chance.below(10);
    match kind {
        Type::Number if chance.once_in(4) => format!("-{}{number}", chance.one_of(&["", " "])),
        Type::Number | Type::Count => number.to_string(),
        Type::Fraction => match chance.below(4) {
            0 => format!("{number}.5"),
            1 => format!(".{number}"),
            2 => format!("{number}e-3"),
            _ => format!("-{number}.0"),
        },
        Type::Truth => cased(chance.one_of(&["true", "false"]), chance),
        Type::Day => format!("'2031-0{}-31'", 1 + 2 * chance.below(4)),
        Type::Text => match chance.below(7) {
            0 => format!("'s3cret{number}'"),
            1 => format!("'it''s {number}'"),
            2 => format!("E's3cret\\' {number}'"),
            3 => format!("$${number}'s$$"),
            4 => format!("$t$s3cret $$ {number}$t$"),
            5 => format!("'s3cret'\n'{number}'"),
            _ => "U&'s3cret!0061' uescape '!'".to_owned(),
        },
    }
}
