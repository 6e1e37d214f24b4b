//! Expressions: the queries inside them, and the columns that conditions compare.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, InTarget, Subscript, WindowSpec, WindowType,
};

use super::walk::Walk;

impl Walk {
    /// The condition of WHERE, ON or WHEN.
    pub(super) fn filter(&mut self, condition: Option<&Expr>) {
        let outside = std::mem::replace(&mut self.filtering, true);
        self.exprs(condition);
        self.filtering = outside;
    }

    pub(super) fn exprs<'a>(&mut self, exprs: impl IntoIterator<Item = &'a Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    /// `a AND b AND c`, `a + b + c`, `a::b::c` nest to the left, as deep as the text is long.
    pub(super) fn expr(&mut self, mut expr: &Expr) {
        let mut rights = Vec::new();
        loop {
            self.comparison(expr);
            expr = match expr {
                Expr::BinaryOp { left, right, .. }
                | Expr::AnyOp { left, right, .. }
                | Expr::AllOp { left, right, .. }
                | Expr::IsDistinctFrom(left, right)
                | Expr::IsNotDistinctFrom(left, right)
                | Expr::AtTimeZone { timestamp: left, time_zone: right }
                | Expr::Like { expr: left, pattern: right, .. }
                | Expr::ILike { expr: left, pattern: right, .. }
                | Expr::SimilarTo { expr: left, pattern: right, .. }
                | Expr::RLike { expr: left, pattern: right, .. } => {
                    rights.push(&**right);
                    left
                }
                Expr::Between { expr, low, high, .. } => {
                    rights.extend([&**high, &**low]);
                    expr
                }
                Expr::IsFalse(inner)
                | Expr::IsNotFalse(inner)
                | Expr::IsTrue(inner)
                | Expr::IsNotTrue(inner)
                | Expr::IsNull(inner)
                | Expr::IsNotNull(inner)
                | Expr::IsUnknown(inner)
                | Expr::IsNotUnknown(inner)
                | Expr::Nested(inner)
                | Expr::UnaryOp { expr: inner, .. }
                | Expr::Cast { expr: inner, .. }
                | Expr::Collate { expr: inner, .. }
                | Expr::IsJson { expr: inner, .. }
                | Expr::IsNormalized { expr: inner, .. }
                | Expr::Prefixed { value: inner, .. }
                | Expr::Named { expr: inner, .. } => inner,
                _ => break,
            };
        }
        self.leaf(expr);
        while let Some(right) = rights.pop() {
            self.expr(right);
        }
    }

    fn leaf(&mut self, expr: &Expr) {
        match expr {
            Expr::Subquery(query) | Expr::Exists { subquery: query, .. } => self.query(query),
            Expr::Function(function) => self.function(function),
            Expr::In { expr, target, .. } => {
                self.expr(expr);
                match target {
                    InTarget::List(list) => self.exprs(list),
                    InTarget::Subquery(query) => self.query(query),
                    InTarget::Unnest(array) => self.expr(array),
                    InTarget::Table { .. } => {}
                }
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.exprs(operand.as_deref());
                self.exprs(conditions.iter().flat_map(|when| [&when.condition, &when.result]));
                self.exprs(else_result.as_deref());
            }
            Expr::Tuple(list) => self.exprs(list),
            Expr::Array(array) => self.exprs(&array.elem),
            Expr::Struct { values, .. } => self.exprs(values),
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => self.exprs(sets.iter().flatten()),
            Expr::Interval(interval) => self.expr(&interval.value),
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.expr(root);
                access_chain.iter().for_each(|access| self.access(access));
            }
            Expr::JsonAccess { value, .. } => self.expr(value),
            _ => self.sql_function(expr),
        }
    }

    /// Functions that SQL gives a grammar of their own.
    fn sql_function(&mut self, expr: &Expr) {
        match expr {
            Expr::Extract { expr, .. } | Expr::Ceil { expr, .. } | Expr::Floor { expr, .. } => self.expr(expr),
            Expr::Position { expr, r#in } => self.exprs([&**expr, &**r#in]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                self.expr(expr);
                self.exprs(substring_from.as_deref().into_iter().chain(substring_for.as_deref()));
            }
            Expr::Trim { trim_what, expr, trim_characters, .. } => {
                self.exprs(trim_what.as_deref());
                self.expr(expr);
                self.exprs(trim_characters.iter().flatten());
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.exprs([&**expr, &**overlay_what, &**overlay_from]);
                self.exprs(overlay_for.as_deref());
            }
            _ => {}
        }
    }

    fn access(&mut self, access: &AccessExpr) {
        match access {
            AccessExpr::Dot(expr) | AccessExpr::Subscript(Subscript::Index { index: expr }) => self.expr(expr),
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, .. }) => {
                self.exprs(lower_bound.iter().chain(upper_bound));
            }
        }
    }

    pub(super) fn function(&mut self, function: &Function) {
        match &function.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => self.query(query),
            FunctionArguments::List(list) => {
                self.args(&list.args);
                for clause in &list.clauses {
                    if let FunctionArgumentClause::OrderBy(order) = clause {
                        self.exprs(order.iter().map(|order| &order.expr));
                    }
                }
            }
        }
        self.exprs(function.within_group.iter().map(|order| &order.expr));
        self.exprs(function.filter.as_deref());
        if let Some(WindowType::WindowSpec(spec)) = &function.over {
            self.window(spec);
        }
    }

    pub(super) fn args(&mut self, args: &[FunctionArg]) {
        for arg in args {
            let (FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } | FunctionArg::Unnamed(arg)) = arg;
            if let FunctionArgExpr::Expr(expr) = arg {
                self.expr(expr);
            }
        }
    }

    pub(super) fn window(&mut self, spec: &WindowSpec) {
        self.exprs(&spec.partition_by);
        self.exprs(spec.order_by.iter().map(|order| &order.expr));
    }

    /// Notes the columns that `expr` itself compares.
    fn comparison(&mut self, expr: &Expr) {
        if !self.filtering {
            return;
        }
        match expr {
            Expr::BinaryOp { left, op, right } if compares(op) => {
                self.operand(left);
                self.operand(right);
            }
            Expr::AnyOp { left, right, .. }
            | Expr::AllOp { left, right, .. }
            | Expr::IsDistinctFrom(left, right)
            | Expr::IsNotDistinctFrom(left, right)
            | Expr::Like { expr: left, pattern: right, .. }
            | Expr::ILike { expr: left, pattern: right, .. }
            | Expr::SimilarTo { expr: left, pattern: right, .. }
            | Expr::RLike { expr: left, pattern: right, .. } => {
                self.operand(left);
                self.operand(right);
            }
            Expr::Between { expr, low, high, .. } => {
                self.operand(expr);
                self.operand(low);
                self.operand(high);
            }
            Expr::In { expr, .. } | Expr::IsNull(expr) | Expr::IsNotNull(expr) => self.operand(expr),
            _ => {}
        }
    }

    /// A column, or a row of columns, that a comparison stands beside.
    fn operand(&mut self, mut expr: &Expr) {
        loop {
            match expr {
                Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::Collate { expr: inner, .. } => {
                    expr = inner;
                }
                Expr::Identifier(column) => return self.compared(&[], column),
                Expr::CompoundIdentifier(parts) => {
                    if let Some((column, qualifier)) = parts.split_last() {
                        self.compared(qualifier, column);
                    }
                    return;
                }
                Expr::Tuple(list) => {
                    for expr in list {
                        if let Expr::Identifier(_) | Expr::CompoundIdentifier(_) = expr {
                            self.operand(expr);
                        }
                    }
                    return;
                }
                _ => return,
            }
        }
    }
}

/// Whether an operator yields a truth value from two others; arithmetic, logic and JSON paths don't.
fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator::{
        And, Arrow, BitwiseAnd, BitwiseOr, BitwiseXor, Divide, HashArrow, HashLongArrow, HashMinus, LongArrow, Minus,
        Modulo, Multiply, Or, PGBitwiseShiftLeft, PGBitwiseShiftRight, PGBitwiseXor, PGExp, Plus, StringConcat, Xor,
    };
    !matches!(
        op,
        And | Or
            | Xor
            | Plus
            | Minus
            | Multiply
            | Divide
            | Modulo
            | StringConcat
            | BitwiseOr
            | BitwiseAnd
            | BitwiseXor
            | PGBitwiseXor
            | PGBitwiseShiftLeft
            | PGBitwiseShiftRight
            | PGExp
            | Arrow
            | LongArrow
            | HashArrow
            | HashLongArrow
            | HashMinus
    )
}
