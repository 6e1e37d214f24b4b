//! Relations by a rule over tokens: names after FROM, JOIN, INTO, UPDATE and TABLE, and after the commas of a FROM
//! list, unless a parenthesis follows or a CTE has the name (FINGERPRINT §5). Linear, without recursion.

use hashbrown::HashSet;

use super::token::{Class, Token, tokens};
use super::{Relations, Step};
use crate::sql::kind::Kind;

/// Tokens of a CTE's column list that are looked through, so that no text takes quadratic time.
const CTE_COLUMNS_MAX: usize = 256;

/// What stands before a query, so that TABLE and VALUES behind it are operations.
const BEFORE_QUERY: &[&str] =
    &["", "(", "union", "all", "distinct", "except", "intersect", "as", "for", "analyze", "verbose"];

/// What `text` does by the lexical rule.
pub(super) fn relations(text: &str, kind: Kind) -> Relations {
    let tokens: Vec<Token<'_>> = tokens(text).collect();
    let ctes = cte_names(&tokens);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        ctes,
        outer: Vec::new(),
        level: Level::default(),
        found: Relations::default(),
    };
    match kind {
        Kind::Select | Kind::Insert | Kind::Update | Kind::Delete | Kind::Merge => {}
        Kind::Values | Kind::Table => {}
        Kind::Explain | Kind::Declare | Kind::Prepare | Kind::Execute | Kind::Other => reader.operation(&[0]),
        Kind::Ddl => reader.ddl(),
        Kind::Copy => reader.copy(),
        Kind::Truncate | Kind::Lock => reader.list(),
        _ => reader.utility(),
    }
    while let Some(token) = reader.tokens.get(reader.at) {
        reader.at += 1;
        reader.token(token);
    }
    reader.found
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Read,
    Write,
}

/// What is known of one depth of parentheses.
#[derive(Clone, Copy, Default)]
struct Level {
    /// SELECT or another operation was seen: `from` is a clause, not an argument's word.
    operation: bool,
    /// DELETE or MERGE was seen: FROM and INTO name what is written, `using` what is read.
    writes: bool,
    /// A comma is followed by another name.
    list: Option<Role>,
    /// The parenthesis stands where a table could: it holds a join, unless it holds a query.
    joined: bool,
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    ctes: HashSet<&'a str>,
    outer: Vec<Level>,
    level: Level,
    found: Relations,
}

impl<'a> Reader<'a> {
    fn token(&mut self, token: &Token<'a>) {
        match token.class {
            Class::Word => self.word(token.text),
            Class::Other if token.is(b'(') => self.open(),
            Class::Other if token.is(b')') => self.level = self.outer.pop().unwrap_or_default(),
            Class::Other if token.is(b',') => {
                if let Some(role) = self.level.list {
                    self.name(role);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self) {
        let joined = match self.behind(2) {
            "from" => self.level.operation && self.behind(3) != "distinct",
            "join" => self.level.operation || self.level.joined,
            "," => self.level.list.is_some(),
            "(" => self.level.joined,
            _ => false,
        };
        self.outer.push(std::mem::replace(&mut self.level, Level { joined, ..Level::default() }));
        if joined {
            self.name(Role::Read);
        }
    }

    fn word(&mut self, word: &str) {
        let before = self.behind(2);
        match word {
            _ if before == "." => {}
            "select" => self.begin(word, false),
            "insert" if before != "then" => self.begin(word, false),
            "delete" if !matches!(before, "on" | "then" | "for" | "before" | "after" | "or" | ",") => {
                self.begin(word, true);
            }
            "merge" if self.peek() == "into" => self.begin(word, true),
            "update"
                if !matches!(before, "for" | "key" | "do" | "on" | "then" | "before" | "after" | "or" | "of" | ",") =>
            {
                self.begin(word, false);
                self.name(Role::Write);
            }
            "into" => self.name(Role::Write),
            "from" if self.level.operation && before != "distinct" => {
                let deletes = self.level.writes && self.behind(2) == "delete";
                let role = if deletes { Role::Write } else { Role::Read };
                self.level.list = (!deletes).then_some(role);
                self.name(role);
            }
            "using" if self.level.writes => {
                self.level.list = Some(Role::Read);
                self.name(Role::Read);
            }
            "join" => self.name(Role::Read),
            "table" | "values" if BEFORE_QUERY.contains(&before) => {
                self.begin(word, false);
                if word == "table" {
                    self.name(Role::Read);
                }
            }
            "where" | "group" | "order" | "having" | "limit" | "offset" | "union" | "intersect" | "except"
            | "window" | "fetch" | "for" | "returning" | "set" | "values" => self.level.list = None,
            _ => {}
        }
    }

    fn begin(&mut self, word: &str, writes: bool) {
        self.found.steps.push(Step::Operation(word.to_ascii_uppercase().into()));
        self.level = Level { operation: true, writes, ..Level::default() };
    }

    /// The text of the token `back` places before the next one; empty before the first.
    fn behind(&self, back: usize) -> &'a str {
        self.at.checked_sub(back).and_then(|at| self.tokens.get(at)).map_or("", |token| token.text)
    }

    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", |token| token.text)
    }

    fn skip(&mut self, words: &[&str]) {
        while words.contains(&self.peek()) {
            self.at += 1;
        }
    }

    /// The dotted name that comes next.
    fn dotted(&mut self) -> Option<Box<str>> {
        let is_name = |token: &&Token<'_>| matches!(token.class, Class::Word | Class::Quoted);
        let mut name = String::from(self.tokens.get(self.at).filter(is_name)?.text);
        self.at += 1;
        while let (Some(dot), Some(part)) = (self.tokens.get(self.at), self.tokens.get(self.at + 1).filter(is_name)) {
            if !dot.is(b'.') {
                break;
            }
            name.push('.');
            name.push_str(part.text);
            self.at += 2;
        }
        Some(name.into())
    }

    /// Takes the table that comes next, if one does.
    fn name(&mut self, role: Role) {
        self.skip(&["only", "if", "not", "exists", "table", "temp", "temporary", "unlogged"]);
        let rows_from = self.peek() == "rows" && self.tokens.get(self.at + 1).is_some_and(|token| token.text == "from");
        if rows_from || matches!(self.peek(), "select" | "values" | "with" | "lateral" | "set") {
            return;
        }
        let Some(name) = self.dotted() else { return };
        if role == Role::Write {
            self.found.steps.push(Step::Write(name));
        } else if self.peek() != "(" && !self.ctes.contains(&*name) {
            self.found.steps.push(Step::Read(name));
        }
    }

    /// Takes the words at these places of the text as the statement's operation, and goes on behind them.
    fn operation(&mut self, places: &[usize]) {
        let words: Vec<&str> = places.iter().filter_map(|at| self.tokens.get(*at)).map(|token| token.text).collect();
        self.found.steps.push(Step::Operation(words.join(" ").to_ascii_uppercase().into()));
        self.at = places.last().map_or(0, |at| at + 1);
    }

    /// `create unique index concurrently i on t`: the verb, the type of the object, its name, and a query behind AS.
    fn ddl(&mut self) {
        const TYPES: &[&str] = &[
            "table",
            "view",
            "index",
            "sequence",
            "function",
            "procedure",
            "schema",
            "database",
            "role",
            "user",
            "type",
            "domain",
            "trigger",
            "extension",
            "policy",
            "rule",
            "aggregate",
            "operator",
            "publication",
            "subscription",
            "server",
            "statistics",
            "collation",
            "language",
            "cast",
            "tablespace",
            "column",
        ];
        let verb = self.peek();
        let typed = self.tokens.iter().take(6).position(|token| TYPES.contains(&token.text)).filter(|at| *at > 0);
        let Some(typed) =
            typed.filter(|_| matches!(verb, "create" | "alter" | "drop" | "comment" | "refresh" | "reindex"))
        else {
            self.operation(&[0]);
            self.at = self.tokens.len();
            return;
        };
        self.operation(&[0, typed]);
        self.skip(&["concurrently", "if", "not", "exists", "only"]);
        let object = self.tokens.get(typed).map_or("", |token| token.text);
        if matches!(object, "table" | "view") {
            self.name(Role::Write);
        } else if let Some(name) = self.dotted() {
            self.found.steps.push(Step::Target(name));
        }
        match (verb, object) {
            ("drop", "table" | "view") => self.level.list = Some(Role::Write),
            ("create", "table" | "view") => self.behind_word("as"),
            ("create", "index" | "trigger" | "policy") => {
                self.behind_word("on");
                self.name(Role::Write);
                self.at = self.tokens.len();
            }
            _ => self.at = self.tokens.len(),
        }
    }

    /// Goes on behind the next `word`, at the end if there is none.
    fn behind_word(&mut self, word: &str) {
        let rest = self.tokens.iter().skip(self.at);
        let place = rest.clone().position(|token| token.class == Class::Word && token.text == word);
        self.at = place.map_or(self.tokens.len(), |place| self.at + place + 1);
    }

    /// `copy t (a) from stdin`, `copy t to stdout`; a query in parentheses is read as any other.
    fn copy(&mut self) {
        self.operation(&[0]);
        let Some(name) = self.dotted() else { return };
        let direction = self.tokens.iter().map(|token| token.text).find(|text| matches!(*text, "from" | "to"));
        let step = if direction == Some("from") { Step::Write(name) } else { Step::Read(name) };
        self.found.steps.push(step);
        self.at = self.tokens.len();
    }

    /// `truncate a, b`, `lock table a, b in share mode`
    fn list(&mut self) {
        self.operation(&[0]);
        self.level.list = Some(Role::Write);
        self.name(Role::Write);
    }

    /// `call f(…)`, `set local x to …`, `commit`: the verb and the name behind it; there are no tables.
    fn utility(&mut self) {
        let named = matches!(self.peek(), "call" | "set" | "show" | "reset" | "vacuum" | "analyze" | "analyse");
        let table = matches!(self.peek(), "vacuum" | "analyze" | "analyse");
        self.operation(&[0]);
        if table && self.peek() == "(" {
            self.at = self.tokens.iter().position(|token| token.is(b')')).map_or(self.tokens.len(), |at| at + 1);
        }
        self.skip(&["local", "session", "full", "freeze", "verbose", "analyze", "only"]);
        if named && let Some(name) = self.dotted() {
            self.found.steps.push(if table { Step::Write(name) } else { Step::Target(name) });
        }
        self.at = self.tokens.len();
    }
}

/// Names that WITH gives to queries: `with a as (…), b (x, y) as materialized (…)`.
fn cte_names<'a>(tokens: &[Token<'a>]) -> HashSet<&'a str> {
    let mut names = HashSet::new();
    if !tokens.iter().any(|token| token.text == "with") {
        return names;
    }
    let mut before = "";
    for (at, token) in tokens.iter().enumerate() {
        let opens = matches!(before, "with" | "recursive" | ",");
        before = token.text;
        if !opens || !matches!(token.class, Class::Word | Class::Quoted) {
            continue;
        }
        let mut rest = tokens.iter().skip(at + 1).take(CTE_COLUMNS_MAX).peekable();
        if rest.next_if(|next| next.is(b'(')).is_some() {
            rest.by_ref().find(|next| next.is(b')'));
        }
        if rest.next_if(|next| next.text == "as").is_some() {
            while rest.next_if(|next| matches!(next.text, "not" | "materialized")).is_some() {}
            if rest.next().is_some_and(|next| next.is(b'(')) {
                names.insert(token.text);
            }
        }
    }
    names
}
