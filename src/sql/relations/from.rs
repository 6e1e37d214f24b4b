//! The walk over FROM clauses: their tables, and the conditions of their joins.

use sqlparser::ast::{Ident, Join, JoinConstraint, JoinOperator, TableFactor, TableWithJoins};

use super::Step;
use super::scope::{Scope, Source};
use super::walk::Walk;

impl Walk {
    pub(super) fn is_cte(&self, name: &str) -> bool {
        self.ctes.iter().any(|cte| cte == name)
    }

    /// Walks a FROM list; `role` is what its first table is to the statement, the joined ones are read.
    pub(super) fn tables(&mut self, tables: &[TableWithJoins], role: fn(Box<str>) -> Step) {
        for table in tables {
            self.factor(&table.relation, role);
            self.joins(&table.joins);
        }
    }

    fn joins(&mut self, joins: &[Join]) {
        for join in joins {
            self.factor(&join.relation, Step::Read);
            if let Some(constraint) = constraint(&join.join_operator) {
                match constraint {
                    JoinConstraint::On(condition) => self.filter(Some(condition)),
                    JoinConstraint::Using(columns) | JoinConstraint::UsingAlias(columns, _) => {
                        for column in columns {
                            self.compared_name(column.to_string());
                        }
                    }
                    JoinConstraint::Natural | JoinConstraint::None => {}
                }
            }
        }
    }

    /// One item of a FROM list.
    pub(super) fn factor(&mut self, factor: &TableFactor, role: fn(Box<str>) -> Step) {
        match factor {
            TableFactor::Table { name, args: None, .. } => {
                let name = name.to_string();
                if !self.is_cte(&name) {
                    self.found.steps.push(role(name.into()));
                }
            }
            TableFactor::Table { args: Some(args), .. } => self.args(&args.args),
            TableFactor::Function { args, .. } => self.args(args),
            TableFactor::Derived { subquery, .. } => self.query(subquery),
            TableFactor::TableFunction { expr, .. } => self.expr(expr),
            TableFactor::UNNEST { array_exprs, .. } => self.exprs(array_exprs),
            TableFactor::JsonTable { json_expr, .. } => self.expr(json_expr),
            TableFactor::XmlTable { row_expression, passing, .. } => {
                self.expr(row_expression);
                self.exprs(passing.arguments.iter().map(|argument| &argument.expr));
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.factor(&table_with_joins.relation, role);
                self.joins(&table_with_joins.joins);
            }
            _ => {}
        }
    }

    /// Notes that a column is compared, by what its query's FROM tells of it.
    pub(super) fn compared(&mut self, qualifier: &[Ident], column: &Ident) {
        let Some(alias) = qualifier.last() else { return self.compared_name(column.to_string()) };
        let known = self.scopes.iter().rev().flat_map(Scope::sources).find(|source| source.alias == alias.value);
        match known {
            Some(Source { table: Some(table), .. }) => self.note(format!("{table}.{column}")),
            Some(Source { table: None, .. }) => {}
            None => self.note(format!("{alias}.{column}")),
        }
    }

    /// The same for a column without qualifier: the table is known when there is one only.
    fn compared_name(&mut self, column: String) {
        match self.scopes.last().map(Scope::sources) {
            Some([Source { table: Some(table), .. }]) => self.note(format!("{table}.{column}")),
            Some([Source { table: None, .. }]) => {}
            _ => self.note(column),
        }
    }

    fn note(&mut self, column: String) {
        if !self.found.filters.iter().any(|known| **known == *column) {
            self.found.filters.push(column.into());
        }
    }
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => Some(constraint),
        _ => None,
    }
}
