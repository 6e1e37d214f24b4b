//! Statements made at random, of what applications use: spelled alike, so that two of them are one query for the server
//! exactly where their tokens are the same.

use super::spelling::{Chance, Token, Type};
use Token::{Key, Literal, Mark, Name, Noise, Operator};

/// Depth at which conditions and subqueries end.
const DEPTH: usize = 3;

/// A statement.
pub(super) fn statement(chance: &mut Chance) -> Vec<Token> {
    let mut made = Maker { chance, tokens: Vec::new(), tables: Vec::new() };
    match made.chance.below(10) {
        0 => made.insert(),
        1 => made.update(),
        2 => made.delete(),
        3 => made.with(),
        4 => made.union(),
        5 => made.merge(),
        _ => made.select(DEPTH),
    }
    made.tokens
}

/// A statement in the making.
pub(super) struct Maker<'a> {
    pub(super) chance: &'a mut Chance,
    tokens: Vec<Token>,
    /// Aliases that can be named: `a0`, `b1`, … The newest server knows tables by these alone.
    tables: Vec<String>,
}

/// A column of every table, and the type of what it is compared with.
const COLUMNS: [(&str, Type); 5] =
    [("n", Type::Number), ("f", Type::Fraction), ("s", Type::Text), ("b", Type::Truth), ("d", Type::Day)];

impl Maker<'_> {
    pub(super) fn put(&mut self, tokens: impl IntoIterator<Item = Token>) {
        self.tokens.extend(tokens);
    }

    pub(super) fn keys(&mut self, words: &'static str) {
        self.put(words.split(' ').map(Key));
    }

    pub(super) fn name(&mut self, name: &str) {
        self.put([Name(name.to_owned())]);
    }

    /// Puts each of `count` parts, with commas between.
    fn list(&mut self, count: usize, mut part: impl FnMut(&mut Self)) {
        for at in 0..count {
            if at > 0 {
                self.put([Mark(",")]);
            }
            part(self);
        }
    }

    fn table(&mut self) {
        let table = self.chance.one_of(&["a", "b"]);
        self.name(table);
        self.keys("as");
        let alias = format!("{table}{}", self.tables.len());
        self.name(&alias);
        self.tables.push(alias);
    }

    /// A column of some table that is in sight, and its type.
    pub(super) fn column(&mut self) -> Type {
        let (column, kind) = COLUMNS[self.chance.below(COLUMNS.len())];
        self.column_named(column);
        kind
    }

    pub(super) fn column_named(&mut self, column: &str) {
        let table = self.tables[self.chance.below(self.tables.len())].clone();
        self.put([Name(table), Mark("."), Name(column.to_owned())]);
    }

    pub(super) fn literal(&mut self, kind: Type) {
        if kind == Type::Day {
            self.keys("date");
        }
        self.put([Literal(kind)]);
    }

    pub(super) fn subquery(&mut self, depth: usize) {
        let outside = self.tables.len();
        self.select(depth);
        self.tables.truncate(outside);
    }

    fn from(&mut self, depth: usize) {
        self.keys("from");
        self.table();
        for _ in 0..self.chance.below(depth.max(1)) {
            match self.chance.below(3) {
                0 => self.put([Noise("inner"), Key("join")]),
                1 => self.put([Key("left"), Noise("outer"), Key("join")]),
                _ => self.put([Key("full"), Noise("outer"), Key("join")]),
            }
            self.table();
            self.keys("on");
            self.same_id();
        }
    }

    /// The newest two tables have the same id.
    fn same_id(&mut self) {
        let [.., one, other] = &self.tables[..] else { unreachable!("two tables") };
        let ids = [one, other].map(|table| [Name(table.clone()), Mark("."), Name("id".to_owned())]);
        let [one, other] = ids;
        self.put(one);
        self.put([Operator("=")]);
        self.put(other);
    }

    fn filter(&mut self, depth: usize) {
        if !self.chance.once_in(4) {
            self.keys("where");
            self.condition(depth);
        }
    }

    /// FROM stands behind what names its tables: it is made first and put where it belongs.
    fn select(&mut self, depth: usize) {
        let start = self.tokens.len();
        self.from(depth);
        let from = self.tokens.split_off(start);
        self.keys("select");
        if self.chance.once_in(6) {
            self.keys("distinct");
            self.column();
            self.put(from);
            return self.filter(depth);
        }
        if self.chance.once_in(4) {
            return self.grouped(from, depth);
        }
        let count = 1 + self.chance.below(3);
        self.list(count, |made| match made.chance.below(4) {
            0 => {
                made.column_named("n");
                made.put([Operator("+"), Literal(Type::Number)]);
            }
            1 => made.window(),
            _ => {
                made.column();
            }
        });
        self.put(from);
        self.filter(depth);
        if self.chance.once_in(2) {
            self.keys("order by");
            self.ordered();
        }
        // OFFSET alone is LIMIT alone to some versions: the table of §6 has it.
        if self.chance.once_in(3) {
            self.put([Key("limit"), Literal(Type::Count)]);
            if self.chance.once_in(3) {
                self.put([Key("offset"), Literal(Type::Count)]);
            }
        }
    }

    /// By what is never shown: to the server an order brings its column along.
    fn ordered(&mut self) {
        let column = self.chance.one_of(&["id", "arr"]);
        self.column_named(column);
        let (way, nulls) = if self.chance.once_in(3) { (Key("desc"), "last") } else { (Noise("asc"), "first") };
        self.put([way]);
        if self.chance.once_in(5) {
            self.put([Key("nulls"), Key(nulls)]);
        }
    }

    /// Without ASC: two windows that differ in it alone are two to the server, if one statement has both.
    fn window(&mut self) {
        self.put([
            Name("count".to_owned()),
            Mark("("),
            Mark("*"),
            Mark(")"),
            Key("over"),
            Mark("("),
            Key("order"),
            Key("by"),
        ]);
        self.column_named("id");
        if self.chance.once_in(2) {
            self.keys("desc");
        }
        self.put([Mark(")")]);
    }

    /// The table is the newest: what is summed of an outer query's would be summed there.
    fn grouped(&mut self, from: Vec<Token>, depth: usize) {
        let name = |column: &str| Name(column.to_owned());
        let table = name(self.tables.last().map_or("a", String::as_str));
        let column = [table.clone(), Mark("."), name(COLUMNS[self.chance.below(COLUMNS.len())].0)];
        let function = name(self.chance.one_of(&["sum", "max", "min"]));
        self.put(column.clone());
        self.put([Mark(","), function, Mark("("), table, Mark("."), name("n"), Mark(")")]);
        self.put(from);
        self.filter(depth);
        self.keys("group by");
        self.put(column);
        if self.chance.once_in(2) {
            self.keys("having");
            self.put([Name("count".to_owned()), Mark("("), Mark("*"), Mark(")"), Operator(">"), Literal(Type::Count)]);
        }
        if self.chance.once_in(2) {
            let position = self.chance.one_of(&["1", "2"]);
            self.put([Key("order"), Key("by"), Key(position)]);
        }
    }

    fn union(&mut self) {
        for at in 0..2 {
            if at > 0 {
                let how = self.chance.one_of(&["union", "union all", "except", "intersect"]);
                self.keys(how);
            }
            self.tables.clear();
            let start = self.tokens.len();
            self.from(1);
            let from = self.tokens.split_off(start);
            self.keys("select");
            self.column_named("n");
            self.put(from);
            self.filter(1);
        }
    }

    fn with(&mut self) {
        self.keys("with");
        self.name("w");
        self.keys("as");
        self.put([Mark("(")]);
        self.subquery(1);
        self.put([Mark(")")]);
        self.tables.clear();
        self.select(2);
    }

    fn insert(&mut self) {
        self.keys("insert into");
        self.name("c");
        self.put([Mark("(")]);
        let columns = &COLUMNS[..1 + self.chance.below(COLUMNS.len())];
        let mut names = columns.iter();
        self.list(columns.len(), |made| made.name(names.next().map_or("n", |(name, _)| name)));
        self.put([Mark(")"), Key("values"), Mark("(")]);
        let mut kinds = columns.iter();
        self.list(columns.len(), |made| made.literal(kinds.next().map_or(Type::Number, |(_, kind)| *kind)));
        self.put([Mark(")")]);
        match self.chance.below(4) {
            0 => self.keys("on conflict do nothing"),
            1 => {
                self.keys("on conflict");
                self.put([Mark("("), Name("id".to_owned()), Mark(")")]);
                self.keys("do update set n = excluded.n");
            }
            2 => self.keys("returning id"),
            _ => {}
        }
    }

    fn update(&mut self) {
        self.keys("update");
        self.table();
        self.keys("set");
        let columns = &COLUMNS[self.chance.below(2)..3 + self.chance.below(3)];
        let mut each = columns.iter();
        self.list(columns.len(), |made| {
            let (name, kind) = each.next().copied().unwrap_or(COLUMNS[0]);
            made.put([Name(name.to_owned()), Operator("=")]);
            made.literal(kind);
        });
        self.filter(DEPTH);
    }

    fn merge(&mut self) {
        self.keys("merge into");
        self.table();
        self.keys("using");
        self.table();
        self.keys("on");
        self.same_id();
        self.keys("when matched");
        if self.chance.once_in(2) {
            self.keys("and");
            self.comparison();
        }
        self.keys("then");
        if self.chance.once_in(3) {
            return self.keys("delete");
        }
        self.keys("update set n =");
        self.put([Literal(Type::Number)]);
        if self.chance.once_in(2) {
            self.keys("when not matched then insert (s) values (");
            self.put([Literal(Type::Text), Mark(")")]);
        }
    }

    fn delete(&mut self) {
        self.keys("delete from");
        self.table();
        self.filter(DEPTH);
    }
}
