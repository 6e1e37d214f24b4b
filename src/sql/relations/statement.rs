//! The walk over statements and queries, in the order of their text.

use sqlparser::ast::{
    Assignment, Cte, Delete, Distinct, FromTable, GroupByExpr, Insert, LimitClause, Merge, MergeAction,
    MergeInsertKind, MergeUpdateKind, NamedWindowExpr, OnConflictAction, OnInsert, OrderBy, OrderByKind, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, TableObject, Update, UpdateTableFromKind, With,
};

use super::Step;
use super::scope::Scope;
use super::walk::Walk;

impl Walk {
    /// Walks a statement; `None` for one that is better read by the lexical rule.
    pub(super) fn statement(&mut self, statement: &Statement) -> Option<()> {
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            Statement::Call(function) => {
                self.operation("CALL");
                self.found.steps.push(Step::Target(function.name.to_string().into()));
                self.function(function);
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn operation(&mut self, name: &str) {
        self.found.steps.push(Step::Operation(name.into()));
    }

    /// A query in a scope of its own, whatever surrounds it.
    pub(super) fn query(&mut self, query: &Query) {
        let filtering = std::mem::take(&mut self.filtering);
        let (ctes, scopes) = (self.ctes.len(), self.scopes.len());
        if let Some(with) = &query.with {
            self.with(with);
        }
        self.body(&query.body);
        self.order_by(query.order_by.as_ref());
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            self.exprs(limit.iter().chain(offset.iter().map(|offset| &offset.value)));
        }
        self.ctes.truncate(ctes);
        self.scopes.truncate(scopes);
        self.filtering = filtering;
    }

    /// Names are known behind their query; with RECURSIVE everywhere.
    fn with(&mut self, with: &With) {
        let name = |cte: &Cte| cte.alias.name.value.clone();
        if with.recursive {
            self.ctes.extend(with.cte_tables.iter().map(name));
        }
        for cte in &with.cte_tables {
            self.query(&cte.query);
            if !with.recursive {
                self.ctes.push(name(cte));
            }
        }
    }

    /// `a UNION b UNION c` nests to the left.
    fn body(&mut self, mut body: &SetExpr) {
        let mut rights = Vec::new();
        while let SetExpr::SetOperation { left, right, .. } = body {
            rights.push(right);
            body = left;
        }
        self.arm(body);
        while let Some(right) = rights.pop() {
            self.body(right);
        }
    }

    fn arm(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { .. } => self.body(body),
            SetExpr::Values(values) => {
                self.operation("VALUES");
                self.exprs(values.rows.iter().flat_map(|row| &row.content));
            }
            SetExpr::Table(table) => {
                self.operation("TABLE");
                let parts = table.schema_name.iter().chain(&table.table_name);
                let name = parts.map(ToString::to_string).collect::<Vec<_>>().join(".");
                if !self.is_cte(&name) {
                    self.found.steps.push(Step::Read(name.into()));
                }
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                self.statement(statement);
            }
        }
    }

    fn select(&mut self, select: &Select) {
        self.operation("SELECT");
        let scope = self.scopes.len();
        self.scopes.push(Scope::of(&select.from, &self.ctes));
        if let Some(Distinct::On(exprs)) = &select.distinct {
            self.exprs(exprs);
        }
        self.items(&select.projection);
        if let Some(into) = &select.into {
            let targets = into.targets.iter().map(|target| Step::Write(target.to_string().into()));
            self.found.steps.extend(targets);
        }
        self.tables(&select.from, Step::Read);
        self.filter(select.selection.as_ref());
        if let GroupByExpr::Expressions(exprs, _) = &select.group_by {
            self.exprs(exprs);
        }
        self.exprs(&select.having);
        for window in &select.named_window {
            if let NamedWindowExpr::WindowSpec(spec) = &window.1 {
                self.window(spec);
            }
        }
        self.scopes.truncate(scope);
    }

    fn items(&mut self, items: &[SelectItem]) {
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr)
                | SelectItem::ExprWithAlias { expr, .. }
                | SelectItem::ExprWithAliases { expr, .. }
                | SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => self.expr(expr),
                SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => {}
            }
        }
    }

    fn order_by(&mut self, order_by: Option<&OrderBy>) {
        if let Some(OrderByKind::Expressions(exprs)) = order_by.map(|order_by| &order_by.kind) {
            self.exprs(exprs.iter().map(|order| &order.expr));
        }
    }

    fn insert(&mut self, insert: &Insert) {
        self.operation("INSERT");
        let scope = self.scopes.len();
        if let TableObject::TableName(name) = &insert.table {
            self.found.steps.push(Step::Write(name.to_string().into()));
            let alias = insert.table_alias.as_ref().map(|alias| &alias.alias);
            self.scopes.push(Scope::table(name, alias));
        }
        match insert.source.as_deref() {
            // The rows of an INSERT are not an operation of their own.
            Some(Query { body, with: None, .. }) if matches!(&**body, SetExpr::Values(_)) => {
                if let SetExpr::Values(values) = &**body {
                    self.exprs(values.rows.iter().flat_map(|row| &row.content));
                }
            }
            Some(query) => self.query(query),
            None => {}
        }
        if let Some(OnInsert::OnConflict(conflict)) = &insert.on
            && let OnConflictAction::DoUpdate(update) = &conflict.action
        {
            self.assignments(&update.assignments);
            self.filter(update.selection.as_ref());
        }
        self.items(insert.returning.as_deref().unwrap_or_default());
        self.scopes.truncate(scope);
    }

    fn update(&mut self, update: &Update) {
        self.operation("UPDATE");
        let from = match &update.from {
            Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => from.as_slice(),
            None => &[],
        };
        let scope = self.scopes.len();
        let target = std::slice::from_ref(&update.table);
        self.scopes.push(Scope::of(target.iter().chain(from), &self.ctes));
        self.tables(target, Step::Write);
        self.assignments(&update.assignments);
        self.tables(from, Step::Read);
        self.filter(update.selection.as_ref());
        self.items(update.returning.as_deref().unwrap_or_default());
        self.scopes.truncate(scope);
    }

    fn delete(&mut self, delete: &Delete) {
        self.operation("DELETE");
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let using = delete.using.as_deref().unwrap_or_default();
        let scope = self.scopes.len();
        self.scopes.push(Scope::of(from.iter().chain(using), &self.ctes));
        self.tables(from, Step::Write);
        self.tables(using, Step::Read);
        self.filter(delete.selection.as_ref());
        self.items(delete.returning.as_deref().unwrap_or_default());
        self.scopes.truncate(scope);
    }

    fn merge(&mut self, merge: &Merge) {
        self.operation("MERGE");
        let scope = self.scopes.len();
        self.scopes.push(Scope::of_factors([&merge.table, &merge.source], &self.ctes));
        self.factor(&merge.table, Step::Write);
        self.factor(&merge.source, Step::Read);
        self.filter(Some(&*merge.on));
        for clause in &merge.clauses {
            self.filter(clause.predicate.as_ref());
            match &clause.action {
                MergeAction::Insert(insert) => {
                    if let MergeInsertKind::Values(values) = &insert.kind {
                        self.exprs(values.rows.iter().flat_map(|row| &row.content));
                    }
                }
                MergeAction::Update(update) => {
                    if let MergeUpdateKind::Set(assignments) = &update.kind {
                        self.assignments(assignments);
                    }
                }
                MergeAction::Delete { .. } | MergeAction::DoNothing { .. } => {}
            }
        }
        self.scopes.truncate(scope);
    }

    fn assignments(&mut self, assignments: &[Assignment]) {
        self.exprs(assignments.iter().map(|assignment| &assignment.value));
    }
}
