//! What a query's FROM clause names: tables, and the aliases under which its columns are called.

use sqlparser::ast::{Ident, ObjectName, TableFactor, TableWithJoins};

/// What one query's FROM clause names.
#[derive(Default)]
pub(super) struct Scope(Vec<Source>);

/// A name that qualifies columns.
pub(super) struct Source {
    pub(super) alias: String,
    /// The table, as written; `None` for a query, a function or a CTE.
    pub(super) table: Option<String>,
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

    /// Its names, in order.
    pub(super) fn sources(&self) -> &[Source] {
        &self.0
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
