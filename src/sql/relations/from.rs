//! FROM clauses: which tables a query names, under which aliases, and the conditions of its joins.

use sqlparser::ast::{Ident, Join, JoinConstraint, JoinOperator, ObjectName, TableFactor, TableWithJoins};

use super::Step;
use super::statement::Walk;

/// What one query's FROM clause names.
#[derive(Default)]
pub(super) struct Scope(Vec<Source>);

/// A name that qualifies columns.
struct Source {
    alias: String,
    /// The table, as written; `None` for a query, a function or a CTE.
    table: Option<String>,
}

impl Scope {
    /// What `tables` name, CTEs told apart by `ctes`.
    pub(super) fn of<'a>(tables: impl IntoIterator<Item = &'a TableWithJoins>, ctes: &[String]) -> Self {
        let factors = |table: &'a TableWithJoins| {
            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        };
        Self::of_factors(tables.into_iter().flat_map(factors), ctes)
    }

    /// The same for single items of a FROM clause.
    pub(super) fn of_factors<'a>(factors: impl IntoIterator<Item = &'a TableFactor>, ctes: &[String]) -> Self {
        let mut scope = Self::default();
        for factor in factors {
            scope.add(factor, ctes);
        }
        scope
    }

    /// One table, as INSERT names it.
    pub(super) fn table(name: &ObjectName, alias: Option<&Ident>) -> Self {
        Self(vec![Source {
            alias: alias.map_or_else(|| last_part(name), |alias| alias.value.clone()),
            table: Some(name.to_string()),
        }])
    }

    fn add(&mut self, factor: &TableFactor, ctes: &[String]) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let table = name.to_string();
                let alias = alias.as_ref().map_or_else(|| last_part(name), |alias| alias.name.value.clone());
                self.0.push(Source { alias, table: (!ctes.contains(&table)).then_some(table) });
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.add(&table_with_joins.relation, ctes);
                for join in &table_with_joins.joins {
                    self.add(&join.relation, ctes);
                }
            }
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::JsonTable { alias, .. }
            | TableFactor::XmlTable { alias, .. } => {
                let alias = alias.as_ref().map(|alias| alias.name.value.clone()).unwrap_or_default();
                self.0.push(Source { alias, table: None });
            }
            _ => {}
        }
    }
}

fn last_part(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default()
}

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
        let known = self.scopes.iter().rev().flat_map(|scope| &scope.0).find(|source| source.alias == alias.value);
        match known {
            Some(Source { table: Some(table), .. }) => self.note(format!("{table}.{column}")),
            Some(Source { table: None, .. }) => {}
            None => self.note(format!("{alias}.{column}")),
        }
    }

    /// The same for a column without qualifier: the table is known when there is one only.
    fn compared_name(&mut self, column: String) {
        match self.scopes.last().map(|scope| scope.0.as_slice()) {
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
