//! Conditions and what columns are compared with.

use super::corpus::Maker;
use super::spelling::Token::{Key, Literal, Mark, Name, Operator};
use super::spelling::Type;

impl Maker<'_> {
    pub(super) fn operand(&mut self, kind: Type) {
        match self.chance.below(6) {
            0 if kind == Type::Number => {
                self.column_named("n");
                let operator = self.chance.one_of(&["+", "-", "*"]);
                self.put([Operator(operator), Literal(kind)]);
            }
            0 if kind == Type::Text => {
                let function = self.chance.one_of(&["lower", "upper", "btrim"]);
                self.put([Name(function.to_owned()), Mark("(")]);
                self.column_named("s");
                self.put([Mark(")")]);
            }
            1 if kind == Type::Text => {
                self.column_named("s");
                self.put([Operator("||"), Literal(kind)]);
            }
            2 if kind == Type::Number => {
                self.keys("coalesce");
                self.put([Mark("(")]);
                self.column_named("n");
                self.put([Mark(","), Literal(kind), Mark(")")]);
            }
            3 if kind == Type::Number => {
                self.keys("case when");
                self.condition(0);
                self.put([Key("then"), Literal(kind), Key("else"), Literal(Type::Count), Key("end")]);
            }
            _ => self.literal(kind),
        }
    }

    pub(super) fn condition(&mut self, depth: usize) {
        match self.chance.below(if depth == 0 { 6 } else { 9 }) {
            0 => {
                self.column();
                self.keys("is");
                if self.chance.once_in(2) {
                    self.keys("not");
                }
                self.keys("null");
            }
            1 => {
                self.column_named("s");
                if self.chance.once_in(3) {
                    self.keys("not");
                }
                let how = self.chance.one_of(&["like", "ilike"]);
                self.put([Key(how), Literal(Type::Text)]);
            }
            2 => {
                self.column_named("n");
                self.keys("between");
                self.put([Literal(Type::Number), Key("and"), Literal(Type::Number)]);
            }
            3 => self.comparison(),
            4 => self.membership(),
            5 => self.comparison(),
            6 => self.several("and", depth - 1),
            7 => self.several("or", depth - 1),
            _ => {
                if self.chance.once_in(2) {
                    self.keys("not");
                }
                self.keys("exists");
                self.put([Mark("(")]);
                self.subquery(depth - 1);
                self.put([Mark(")")]);
            }
        }
    }

    pub(super) fn comparison(&mut self) {
        let kind = self.column();
        let operator = self.chance.one_of(&["=", "<>", "<", ">=", ">"]);
        self.put([Operator(operator)]);
        self.operand(kind);
    }

    /// Two constants in each list: how many there are tells versions apart, which is for the table of §6.
    fn membership(&mut self) {
        let number = Literal(Type::Count);
        if self.chance.once_in(3) {
            self.column_named("arr");
            self.put([Operator("@>"), Key("array"), Mark("["), number.clone(), Mark(","), number, Mark("]")]);
        } else {
            self.column_named("n");
            self.put([Key("in"), Mark("("), number.clone(), Mark(","), number, Mark(")")]);
        }
    }

    /// Comparisons between brackets: the server takes `a and (b and c)` for `a and b and c`.
    fn several(&mut self, word: &'static str, depth: usize) {
        for at in 0..2 + self.chance.below(2) {
            if at > 0 {
                self.keys(word);
            }
            self.put([Mark("(")]);
            if depth > 0 && self.chance.once_in(3) {
                self.several(if word == "and" { "or" } else { "and" }, depth - 1);
            } else {
                self.condition(0);
            }
            self.put([Mark(")")]);
        }
    }
}
