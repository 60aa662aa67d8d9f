//! Walks over a module and keeps what can matter: bindings of all scopes first, then what each read of a name sees.

mod image_class;

use rustc_hash::{FxHashMap, FxHashSet};
use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_text_size::Ranged;

use super::expressions::{
    NamesIn, OBJECT_STORES, argument_of, attributes_of, chain_attributes, chain_root, class_attributes,
    is_copy, is_partial, may_be_type, may_make, method_chain, parameter_of, quoted_types, reads_only,
    runs_pip, statement_range, type_arguments,
};
use super::{
    Alias, Argument, Binding, BindingId, BindingKind, BlockId, Call, CallContext, CallId, Decorator, Effect,
    Factory, Function, FunctionId, HiddenBuiltin, INTERNAL_PREFIX, ImportStatement, MethodCall, Module,
    Reference, Role, SECRET_PREFIX, StatementId, Surroundings, is_builtin, is_mutator, reaching,
};
use crate::python::annotation::{Definition, TypeExpr};
use crate::python::ast::name::Name;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::items::{
    Item, Items, assignment, comments_around, comments_in, items_between, line_start, next_line_start,
};
use crate::python::module_path::ImportPath;
use crate::python::module_value::{self, ModuleValue, is_importer};
use crate::python::value::{Value, ValueKind};
use crate::python::{Parsed, Tokens};
use crate::source::{TextRange, TextSize};

/// Reads the names of a module. `is_of_interest` tells which imports lead to calls worth recording.
pub fn analyze(parsed: &Parsed, text: &str, is_of_interest: &dyn Fn(&ImportPath) -> bool) -> Module {
    let mut builder = Builder::new(parsed, text, is_of_interest);
    for (id, stmt) in parsed.body().iter().enumerate() {
        builder.owner = id;
        builder.module.statements.push(statement_range(stmt));
        builder.module.definitions.extend(Definition::of(stmt).map(|definition| (id, definition)));
        builder.module.class_attributes.extend(class_attributes(stmt).map(|attributes| (id, attributes)));
        let open = builder.open.take();
        if !open.is_some_and(|open| builder.fill(open, stmt)) {
            builder.visit_stmt(stmt);
        }
    }
    let module_values =
        if builder.names_importer { module_value::candidates(parsed.body()) } else { FxHashMap::default() };
    builder.finish(module_values)
}

/// How many bytes of source there are, in most files, for each name that is read, and for each that is bound.
const BYTES_PER_READ: usize = 40;
const BYTES_PER_BINDING: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScopeKind {
    Module,
    Class,
    Function,
    Comprehension,
}

#[derive(Debug)]
struct Scope<'a> {
    kind: ScopeKind,
    parent: Option<usize>,
    /// The last binding of each name.
    latest: FxHashMap<&'a str, BindingId>,
    globals: Vec<&'a str>,
}

/// A binding of any scope; what is local goes once the references are known.
#[derive(Debug)]
struct Bound<'a> {
    name: &'a str,
    range: TextRange,
    kind: BindingKind,
    owner: StatementId,
    is_global: bool,
    is_unconditional: bool,
    /// Whether it is an import that calls are recorded of.
    is_of_interest: bool,
    effect: Effect,
    /// The binding of the same name in the same scope before this one.
    previous: Option<BindingId>,
}

impl Bound<'_> {
    /// Whether what reads it, or calls it in a call that is recorded, can matter to a migration.
    fn matters(&self, is_recorded: bool) -> bool {
        match &self.kind {
            // What else reads it decides whether the import goes with a copy of an image, or a decorator.
            BindingKind::Import(path) => self.is_of_interest || is_recorded || may_make(path),
            _ => self.is_global,
        }
    }

    fn is_kept(&self) -> bool {
        self.is_global || matches!(self.kind, BindingKind::Import(_))
    }
}

/// The methods of `FlyteRemote` that get what is deployed by its name (`flytekit/remote/remote.py`, 1.16.31).
const FETCHERS: [&str; 6] = [
    "fetch_active_launchplan",
    "fetch_launch_plan",
    "fetch_task",
    "fetch_task_lazy",
    "fetch_workflow",
    "fetch_workflow_lazy",
];

/// A read of a name before it is known whether it matters.
struct RawReference<'a> {
    name: &'a ast::ExprName,
    expr: &'a Expr,
    role: Role,
    owner: StatementId,
    scope: usize,
    block: BlockId,
}

impl RawReference<'_> {
    fn into_reference(self, bindings: Vec<BindingId>, is_deferred: bool) -> Reference {
        Reference {
            id: 0,
            name: self.name.id.clone(),
            attributes: chain_attributes(self.expr),
            range: self.expr.range(),
            name_range: self.name.range,
            role: self.role,
            bindings,
            owner: self.owner,
            is_deferred,
        }
    }
}

/// What a name is read from.
enum Resolution {
    /// Bindings of which one can matter to a migration, and whether the name is read later than the code around runs.
    Matters { bindings: Vec<BindingId>, is_deferred: bool },
    /// Something that cannot.
    Local,
    /// Nothing in the file.
    Unbound { is_deferred: bool },
}

struct Builder<'a> {
    tokens: &'a Tokens,
    /// The types in quotes, which are read when the module is done.
    unquoted: &'a [TextRange],
    text: &'a str,
    is_of_interest: &'a dyn Fn(&ImportPath) -> bool,
    module: Module,
    /// Bindings of all scopes while building; local ones are dropped at the end.
    bindings: Vec<Bound<'a>>,
    scopes: Vec<Scope<'a>>,
    scope: usize,
    owner: StatementId,
    block: BlockId,
    raw: Vec<RawReference<'a>>,
    /// Where the bindings that are being made take effect, if not where they stand.
    effect: Option<TextSize>,
    /// Whether the code at hand stands below `if TYPE_CHECKING:`.
    is_for_types: bool,
    /// What the code at hand stands in.
    surroundings: Surroundings,
    /// Whether something is named that may give modules by their names in strings.
    names_importer: bool,
    /// The call of the statement before, which assignments to attributes can fill.
    open: Option<OpenCall<'a>>,
}

/// A call that a name of the module holds since the statement before.
#[derive(Debug, Clone, Copy)]
struct OpenCall<'a> {
    call: CallId,
    variable: &'a str,
    /// Where that statement ends.
    end: TextSize,
}

impl<'a> Builder<'a> {
    fn new(parsed: &'a Parsed, text: &'a str, is_of_interest: &'a dyn Fn(&ImportPath) -> bool) -> Self {
        let module_scope = Scope {
            kind: ScopeKind::Module,
            parent: None,
            latest: FxHashMap::default(),
            globals: Vec::new(),
        };
        Self {
            tokens: parsed.tokens(),
            unquoted: parsed.unquoted(),
            text,
            is_of_interest,
            module: Module::default(),
            bindings: Vec::with_capacity(text.len() / BYTES_PER_BINDING),
            scopes: vec![module_scope],
            scope: 0,
            owner: 0,
            block: BlockId::default(),
            raw: Vec::with_capacity(text.len() / BYTES_PER_READ),
            effect: None,
            is_for_types: false,
            surroundings: Surroundings::Module,
            names_importer: false,
            open: None,
        }
    }

    fn in_scope(&mut self, kind: ScopeKind, surroundings: Surroundings, walk: impl FnOnce(&mut Self)) {
        self.scopes.push(Scope {
            kind,
            parent: Some(self.scope),
            latest: FxHashMap::default(),
            globals: Vec::new(),
        });
        let outer = std::mem::replace(&mut self.scope, self.scopes.len() - 1);
        let block = std::mem::take(&mut self.block);
        self.within(surroundings, walk);
        self.block = block;
        self.scope = outer;
    }

    fn within(&mut self, surroundings: Surroundings, walk: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.surroundings, surroundings);
        walk(self);
        self.surroundings = outer;
    }

    fn in_block(&mut self, walk: impl FnOnce(&mut Self)) {
        let inner = self.module.blocks.open(self.block);
        let outer = std::mem::replace(&mut self.block, inner);
        walk(self);
        self.block = outer;
    }

    fn bind(&mut self, name: &'a str, range: TextRange, kind: BindingKind) -> BindingId {
        let is_declared_global = self.is_declared_global(name);
        let scope = if is_declared_global { 0 } else { self.scope };
        let id = self.bindings.len();
        if is_builtin(name) && self.scopes[scope].kind != ScopeKind::Class {
            let (owner, is_global) = (self.owner, scope == 0);
            self.module.hidden_builtins.push(HiddenBuiltin {
                name: Name::new(name),
                range,
                owner,
                is_global,
            });
        }
        let is_of_interest = matches!(&kind, BindingKind::Import(path) if (self.is_of_interest)(path));
        let previous = self.scopes[scope].latest.insert(name, id);
        self.bindings.push(Bound {
            name,
            range,
            kind,
            owner: self.owner,
            is_global: scope == 0,
            is_unconditional: self.is_top_level(),
            is_of_interest,
            effect: Effect {
                from: self.effect.unwrap_or(range.start()),
                is_deferred: is_declared_global,
                block: self.block,
            },
            previous,
        });
        id
    }

    /// Whether the code at hand stands directly at the top level of the module.
    fn is_top_level(&self) -> bool {
        self.scope == 0 && self.block == BlockId::default()
    }

    /// Whether `global name` stands in the function at hand.
    fn is_declared_global(&self, name: &str) -> bool {
        self.scope != 0 && self.scopes[self.scope].globals.contains(&name)
    }

    fn bind_target(&mut self, target: &'a Expr, kind: BindingKind) {
        match target {
            Expr::Name(name) => {
                self.bind(&name.id, name.range, kind);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|element| self.bind_target(element, BindingKind::Other));
            }
            Expr::Starred(starred) => self.bind_target(&starred.value, BindingKind::Other),
            Expr::Attribute(_) | Expr::Subscript(_) => self.mutated(target),
            _ => self.visit_expr(target),
        }
    }

    /// The target of `:=`. In a comprehension it is a name of the code around, which the comprehension may never reach.
    fn bind_walrus(&mut self, target: &'a Expr) {
        let scopes = std::iter::successors(Some(self.scope), |&scope| self.scopes[scope].parent);
        let around = scopes.into_iter().find(|&scope| self.scopes[scope].kind != ScopeKind::Comprehension);
        let Some(around) = around.filter(|&around| around != self.scope) else {
            return self.bind_target(target, BindingKind::Other);
        };
        let inner = std::mem::replace(&mut self.scope, around);
        let block = std::mem::take(&mut self.block);
        self.in_block(|this| this.bind_target(target, BindingKind::Other));
        self.block = block;
        self.scope = inner;
    }

    /// `name.attribute = …`, `name[…] = …`, `del name`: the object that the name stands for changes.
    fn mutated(&mut self, target: &'a Expr) {
        let is_own = || chain_root(target).is_some_and(|root| matches!(root.id.as_str(), "self" | "cls"));
        self.module.sets_attributes |= target.is_attribute_expr() && !is_own();
        match target {
            Expr::Name(_) => self.expr(target, Role::Mutated),
            Expr::Attribute(_) if chain_root(target).is_some() => self.expr(target, Role::Mutated),
            Expr::Attribute(attribute) => self.mutated(&attribute.value),
            Expr::Subscript(subscript) => {
                self.mutated(&subscript.value);
                self.visit_expr(&subscript.slice);
            }
            _ => self.visit_expr(target),
        }
    }

    fn import(&mut self, import: &'a ast::StmtImport) {
        let mut aliases = Vec::new();
        for alias in &import.names {
            let name = alias.name.to_string();
            // `import a.b` binds `a`, `import a.b as c` binds `c` to `a.b`.
            let (bound, module) = if let Some(asname) = &alias.asname {
                (asname.as_str(), name.clone())
            } else {
                let root = alias.name.as_str().split('.').next().unwrap_or_default();
                (root, root.to_owned())
            };
            let path = ImportPath { level: 0, module, name: None };
            let binding = self.bind(bound, alias.range, BindingKind::Import(path));
            let asname = alias.asname.as_ref().map(ToString::to_string);
            aliases.push(Alias { range: alias.range, name, asname, binding: Some(binding) });
        }
        self.push_import(import.range, None, aliases);
    }

    fn import_from(&mut self, import: &'a ast::StmtImportFrom) {
        let module = import.module.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut aliases = Vec::new();
        for alias in &import.names {
            let name = alias.name.to_string();
            self.names_importer |= is_importer(&name);
            let asname = alias.asname.as_ref().map(ToString::to_string);
            let binding = if name == "*" {
                let path = ImportPath { level: import.level, module: module.clone(), name: None };
                self.module.star_imports.push(path);
                None
            } else {
                let path =
                    ImportPath { level: import.level, module: module.clone(), name: Some(name.clone()) };
                Some(self.bind(
                    alias.asname.as_ref().unwrap_or(&alias.name).as_str(),
                    alias.range,
                    BindingKind::Import(path),
                ))
            };
            aliases.push(Alias { range: alias.range, name, asname, binding });
        }
        self.push_import(import.range, Some((import.level, module)), aliases);
    }

    fn push_import(&mut self, range: TextRange, from: Option<(u32, String)>, aliases: Vec<Alias>) {
        let text = &self.text[range];
        let parentheses = from.is_some().then(|| text.find('(')).flatten().and_then(|at| {
            let start = range.start() + TextSize::of(&text[..at]);
            text.ends_with(')').then(|| TextRange::new(start, range.end()))
        });
        let start = line_start(self.text, range.start());
        let before = &self.text[TextRange::new(start, range.start())];
        let end = next_line_start(self.text, range.end());
        let behind = self.text[TextRange::new(range.end(), end)].trim_start();
        self.module.imports.push(ImportStatement {
            range,
            from,
            aliases,
            is_top_level: self.is_top_level(),
            is_for_types: self.is_for_types,
            shares_line: !before.trim().is_empty() || behind.starts_with(';'),
            parentheses,
        });
    }

    fn function(&mut self, function: &'a ast::StmtFunctionDef) {
        let decorated = (!function.decorator_list.is_empty()).then(|| self.declare(function));
        if let Some(id) = decorated {
            for decorator in &function.decorator_list {
                self.decorator(id, decorator);
            }
        }
        let name = &function.name.id;
        self.within(Surroundings::Default(name.clone()), |this| {
            let parameters = function.parameters.iter_non_variadic_params();
            parameters
                .filter_map(|parameter| parameter.default())
                .for_each(|default| this.visit_expr(default));
        });
        let annotations = function.parameters.iter().filter_map(ast::AnyParameterRef::annotation);
        annotations.chain(function.returns.as_deref()).for_each(|annotation| self.annotation(annotation));
        let kind = decorated.map_or(BindingKind::Definition, BindingKind::Decorated);
        let binding = self.bind(&function.name, function.name.range, kind);
        let first = self.module.calls.len();
        self.in_scope(ScopeKind::Function, Surroundings::Function(name.clone()), |this| {
            for parameter in &function.parameters {
                this.bind(parameter.name(), parameter.name().range, BindingKind::Other);
            }
            this.visit_body(&function.body);
        });
        if decorated.is_none() && self.is_top_level() && !function.is_async {
            self.note_factory(function, binding, first);
        }
    }

    /// Notes a function that does nothing but return an `ImageSpec`; its calls are recorded from the `first` on.
    fn note_factory(&mut self, function: &'a ast::StmtFunctionDef, binding: BindingId, first: CallId) {
        let body = match function.body.as_slice() {
            [Stmt::Expr(docstring), body @ ..] if docstring.value.is_string_literal_expr() => body,
            body => body,
        };
        let [Stmt::Return(ast::StmtReturn { value: Some(value), .. })] = body else { return };
        let is_it = |call: &CallId| {
            let call = &self.module.calls[*call];
            call.range == value.range() && call.methods.is_empty()
        };
        let call = (first..self.module.calls.len()).find(is_it);
        if let Some(call) = call.filter(|&call| self.can_be_filled(call, value)) {
            let parameters = function.parameters.iter().map(parameter_of).collect();
            self.module.factories.push(Factory { binding, parameters, call });
        }
    }

    fn declare(&mut self, function: &ast::StmtFunctionDef) -> FunctionId {
        let annotations = function.parameters.iter().filter_map(ast::AnyParameterRef::annotation);
        let annotations = annotations.chain(function.returns.as_deref());
        self.module
            .types
            .extend(annotations.map(|annotation| (annotation.range(), TypeExpr::of(annotation))));
        let start =
            function.decorator_list.first().map_or(function.range.start(), |first| first.range.start());
        self.module.functions.push(Function {
            name: function.name.to_string(),
            name_range: function.name.range,
            range: TextRange::new(start, function.range.end()),
            decorators: Vec::new(),
            is_async: function.is_async,
            is_top_level: self.is_top_level(),
            owner: self.owner,
            parameters: function.parameters.iter().map(parameter_of).collect(),
            returns: function.returns.as_ref().map(|returns| returns.range()),
        });
        self.module.functions.len() - 1
    }

    fn decorator(&mut self, id: FunctionId, decorator: &'a ast::Decorator) {
        let mut fact = Decorator { range: decorator.range, callee: None, call: None };
        match &decorator.expression {
            Expr::Call(call) if chain_root(&call.func).is_some() => {
                self.note_patched(call);
                fact.callee = Some(call.func.range());
                fact.call = Some(self.call(call, CallContext::Decorator(id), Some(id)));
            }
            expr if chain_root(expr).is_some() => {
                fact.callee = Some(expr.range());
                self.expr(expr, Role::Decorator(id));
            }
            expr => self.visit_expr(expr),
        }
        self.module.functions[id].decorators.push(fact);
    }

    fn annotation(&mut self, annotation: &'a Expr) {
        quoted_types(annotation, self.text, &mut self.module.quoted_types);
        match annotation {
            Expr::Name(_) | Expr::Attribute(_) => self.expr(annotation, Role::Annotation),
            _ => {
                let before = self.raw.len();
                self.visit_expr(annotation);
                for raw in &mut self.raw[before..] {
                    if raw.role == Role::Other {
                        raw.role = Role::Annotation;
                    }
                }
            }
        }
    }

    fn class(&mut self, class: &'a ast::StmtClassDef) {
        class.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
        if let Some(arguments) = &class.arguments {
            self.visit_arguments(arguments);
        }
        let binding = self.bind(&class.name, class.name.range, BindingKind::Definition);
        let name = class.name.id.clone();
        let (first_call, first_read) = (self.module.calls.len(), self.raw.len());
        self.in_scope(ScopeKind::Class, Surroundings::Class(name), |this| this.visit_body(&class.body));
        if self.is_top_level() && class.arguments.is_none() && class.decorator_list.is_empty() {
            let found = self.image_class(class, binding, first_call, first_read);
            self.module.image_classes.extend(found);
        }
    }

    fn assign(&mut self, targets: &'a [Expr], value: &'a Expr, annotation: Option<&'a Expr>) {
        if let Some(annotation) = annotation {
            self.annotation(annotation);
        }
        let kind = |this: &Self, name: &str| {
            // What is local goes in the end.
            if this.scope != 0 && !this.is_declared_global(name) {
                return BindingKind::Other;
            }
            BindingKind::Assignment { value: Value::of(value), annotation: annotation.map(Ranged::range) }
        };
        if self.scope == 0 && may_be_type(value) {
            self.module.types.insert(value.range(), TypeExpr::of(value));
        }
        let is_single = targets.len() == 1 && matches!(targets[0], Expr::Name(_));
        let call = match value {
            Expr::Call(call) if self.scope == 0 && self.is_partial(&call.func) => {
                Some(self.call(call, CallContext::Other, None))
            }
            Expr::Call(call) => self.call_if_recorded(call),
            _ if chain_root(value).is_some() => {
                self.expr(value, if is_single { Role::Assigned } else { Role::Other });
                None
            }
            _ => {
                self.visit_expr(value);
                None
            }
        };
        self.effect = Some(value.range().end());
        if let Some(name) = is_single.then(|| targets[0].as_name_expr()).flatten() {
            if name.id.as_str() == "__all__" {
                let value = Value::of(value);
                let names = value
                    .elements()
                    .into_iter()
                    .flatten()
                    .filter_map(|name| name.as_str().map(str::to_owned));
                self.module.exported.extend(names);
            }
            let kind = kind(self, &name.id);
            let id = self.bind(&name.id, name.range, kind);
            if let Some(call) = call.filter(|_| self.scope == 0) {
                self.module.calls[call].context = CallContext::Assigned(id);
                if self.is_top_level() && self.can_be_filled(call, value) {
                    self.open = Some(OpenCall { call, variable: &name.id, end: value.range().end() });
                }
            }
        } else {
            // What else the value is given to cannot be followed: `first = holder.second = value`.
            let are_names = targets.iter().all(Expr::is_name_expr);
            for target in targets {
                let name = target.as_name_expr().filter(|_| are_names);
                let kind = name.map_or(BindingKind::Other, |name| kind(self, &name.id));
                self.bind_target(target, kind);
            }
        }
        self.effect = None;
    }

    /// Whether a call makes an object whose class is imported as `ImageSpec`, and nothing else.
    fn can_be_filled(&self, call: CallId, value: &Expr) -> bool {
        let Some((first, _)) = value.as_call_expr().and_then(method_chain) else { return false };
        let func = &*first.func;
        let names = chain_attributes(func);
        let imported = chain_root(func).and_then(|root| self.lookup(0, &root.id)).and_then(|id| match &self
            .bindings[id]
            .kind
        {
            BindingKind::Import(path) => Some(path.name.as_deref().unwrap_or(&path.module)),
            _ => None,
        });
        self.module.calls[call].range == first.range
            && imported.is_some_and(|imported| names.last().map_or(imported, Name::as_str) == "ImageSpec")
    }

    /// A statement straight behind `spec = ImageSpec(…)` that is read as a part of the call.
    fn fill(&mut self, open: OpenCall<'a>, stmt: &'a Stmt) -> bool {
        let is_filled = self.is_alone(stmt.range())
            && match stmt {
                Stmt::Assign(assign) => self.fill_assigned(open, stmt, assign),
                Stmt::AugAssign(ast::StmtAugAssign { target, op: ast::Operator::Add, value, .. }) => {
                    value.is_list_expr() && self.fill_list(open, stmt, target, value)
                }
                Stmt::Expr(ast::StmtExpr { value, .. }) => self.fill_called(open, stmt, value),
                _ => false,
            };
        if is_filled {
            self.module.calls[open.call].fillings.push(stmt.range());
            self.open = Some(OpenCall { end: stmt.end(), ..open });
        }
        is_filled
    }

    fn fill_assigned(&mut self, open: OpenCall<'a>, stmt: &'a Stmt, assign: &'a ast::StmtAssign) -> bool {
        let [target] = assign.targets.as_slice() else { return false };
        let between = &self.text[TextRange::new(target.end(), assign.value.start())];
        between.trim() == "="
            && match target {
                Expr::Attribute(field) => self.fill_field(open, stmt, target, field, &assign.value),
                Expr::Name(name) => name.id == open.variable && self.fill_methods(open, stmt, &assign.value),
                _ => false,
            }
    }

    /// `spec.packages.append("pandas")`, `spec.packages.extend(["pandas"])`
    fn fill_called(&mut self, open: OpenCall<'a>, stmt: &'a Stmt, value: &'a Expr) -> bool {
        let Expr::Call(ast::ExprCall { func, arguments, .. }) = value else { return false };
        let (Expr::Attribute(method), [value], []) = (&**func, &arguments.args[..], &arguments.keywords[..])
        else {
            return false;
        };
        let is_added = match method.attr.as_str() {
            "append" => value.is_string_literal_expr() || value.is_f_string_expr(),
            "extend" => value.is_list_expr(),
            _ => false,
        };
        is_added && self.fill_list(open, stmt, &method.value, value)
    }

    /// `spec.packages += ["pandas"]` is read as a method of the call, in which the list is written out.
    fn fill_list(&mut self, open: OpenCall<'a>, stmt: &Stmt, list: &'a Expr, value: &'a Expr) -> bool {
        let Expr::Attribute(field) = list else { return false };
        let is_own = field.value.as_name_expr().is_some_and(|owner| owner.id == open.variable);
        let is_list = matches!(field.attr.as_str(), "packages" | "apt_packages" | "commands");
        let given = self.module.calls[open.call].keyword(&field.attr);
        let is_written_out = given.is_some_and(|given| matches!(given.value.kind, ValueKind::List(_)));
        if !is_own || !is_list || !is_written_out || !self.can_move(value, open.variable) {
            return false;
        }
        let item = assignment(self.tokens, open.end, stmt.range(), value.range(), &field.attr, self.text);
        let item = Item { text: item.value_text.clone(), range: value.range(), ..item };
        self.expr(value, Role::Other);
        self.expr(list, Role::Filled(open.call));
        self.module.calls[open.call].methods.push(MethodCall {
            name: format!("with_{}", field.attr),
            name_range: field.attr.range,
            arguments: vec![Argument { name: None, is_double_starred: false, value: Value::of(value) }],
            items: Items { items: vec![item], ..Items::default() },
        });
        true
    }

    /// `spec.packages = ["pandas"]` is read as an argument of the call, which no method follows.
    fn fill_field(
        &mut self,
        open: OpenCall<'a>,
        stmt: &Stmt,
        target: &'a Expr,
        attribute: &ast::ExprAttribute,
        value: &'a Expr,
    ) -> bool {
        let is_own = attribute.value.as_name_expr().is_some_and(|owner| owner.id == open.variable);
        let is_private = attribute.attr.starts_with('_');
        let has_methods = !self.module.calls[open.call].methods.is_empty();
        if !is_own || is_private || has_methods || !self.can_move(value, open.variable) {
            return false;
        }
        let field = attribute.attr.id.clone();
        let item = assignment(self.tokens, open.end, stmt.range(), value.range(), &field, self.text);
        self.argument(value, open.call, Some(field.clone()));
        self.expr(target, Role::Filled(open.call));
        let call = &mut self.module.calls[open.call];
        let name = Some(field.to_string());
        call.arguments.push(Argument { name, is_double_starred: false, value: Value::of(value) });
        call.items.items.push(item);
        true
    }

    /// `spec = spec.with_packages("pandas")` is read as a method of the call: nothing sees the first `spec`.
    fn fill_methods(&mut self, open: OpenCall<'a>, stmt: &Stmt, value: &'a Expr) -> bool {
        let Some((first, behind)) = value.as_call_expr().and_then(method_chain) else { return false };
        let Expr::Attribute(method) = &*first.func else { return false };
        let is_own = method.value.as_name_expr().is_some_and(|owner| owner.id == open.variable);
        let calls: Vec<_> = std::iter::once((&method.attr, first)).chain(behind).collect();
        let can_move = |(name, call): &(&ast::Identifier, &'a ast::ExprCall)| {
            let mut arguments = call.arguments.arguments_source_order();
            name.starts_with("with_")
                && arguments.all(|argument| self.can_move(argument.value(), open.variable))
        };
        if !is_own || !calls.iter().all(can_move) {
            return false;
        }
        for (_, call) in &calls {
            call.arguments
                .arguments_source_order()
                .for_each(|argument| self.expr(argument.value(), Role::Other));
        }
        let mut methods: Vec<MethodCall> = self.methods(calls).collect();
        let (leading, trailing) = comments_around(self.tokens, open.end, stmt.range(), self.text);
        if let Some(first) = methods.first_mut() {
            first.items.put_above(leading);
        }
        methods.last_mut().into_iter().for_each(|method| method.items.dangling.extend(trailing.clone()));
        self.module.calls[open.call].methods.extend(methods);
        true
    }

    /// Methods with their arguments.
    fn methods(
        &self,
        calls: Vec<(&'a ast::Identifier, &'a ast::ExprCall)>,
    ) -> impl Iterator<Item = MethodCall> {
        calls.into_iter().map(|(name, method)| MethodCall {
            name: name.to_string(),
            name_range: name.range,
            arguments: method.arguments.arguments_source_order().map(argument_of).collect(),
            items: self.items(method),
        })
    }

    /// The arguments of a call as items. The comments in front of a method stand above them: `image  # why`, and
    /// `.with_packages(…)` on the next line.
    fn items(&self, call: &ast::ExprCall) -> Items {
        let mut items = items_between(self.tokens, call.arguments.range, self.text);
        if let Expr::Attribute(method) = &*call.func {
            let between = TextRange::new(method.value.end(), method.attr.start());
            if self.text[between].contains('#') {
                items.put_above(comments_in(self.tokens, between, self.text).collect());
            }
        }
        items
    }

    /// Whether nothing else stands on the lines of a statement at the top level.
    fn is_alone(&self, range: TextRange) -> bool {
        let behind = TextRange::new(range.end(), next_line_start(self.text, range.end()));
        let behind = self.text[behind].trim();
        line_start(self.text, range.start()) == range.start()
            && (behind.is_empty() || behind.starts_with('#'))
    }

    /// Whether a value that is given to a variable may stand in the call that makes the variable: it does not read it, by
    /// name or through a function of the module, and needs no parentheses there.
    fn can_move(&self, value: &Expr, variable: &str) -> bool {
        let mut names = NamesIn::default();
        names.visit_expr(value);
        let is_own = |name: &&str| {
            self.lookup(0, name).is_some_and(|id| !matches!(self.bindings[id].kind, BindingKind::Import(_)))
        };
        let is_bare_tuple = value.is_tuple_expr() && !self.text[value.range()].starts_with('(');
        !is_bare_tuple && !names.read.contains(&variable) && !names.called.iter().any(is_own)
    }

    fn call_if_recorded(&mut self, call: &'a ast::ExprCall) -> Option<CallId> {
        self.note_fetched(call);
        if self.is_recorded(&call.func) {
            return Some(self.call(call, CallContext::Other, None));
        }
        if let Some((first, methods)) = method_chain(call).filter(|(first, _)| self.is_recorded(&first.func))
        {
            let id = self.call(first, CallContext::Other, None);
            // What is passed to an object of a library is passed to the library: `flyte.with_runcontext().run(flow)`.
            let library = self.library_of(&first.func);
            for argument in methods.iter().flat_map(|(_, method)| method.arguments.arguments_source_order()) {
                self.expr(argument.value(), library.clone().map_or(Role::Other, Role::ArgumentOf));
            }
            self.module.calls[id].methods = self.methods(methods).collect();
            self.module.calls[id].outer_range = call.range;
            return Some(id);
        }
        self.note_patched(call);
        self.expr(&call.func, Role::Callee(None));
        let role = if reads_only(&call.func) {
            Role::Other
        } else {
            Role::ArgumentOf(self.library_of(&call.func).unwrap_or_default())
        };
        for argument in call.arguments.arguments_source_order() {
            self.expr(argument.value(), role.clone());
        }
        None
    }

    /// `patch("pk.tasks.image")`, `patch.multiple("pk.tasks", image=…)` and `monkeypatch.setattr("pk.tasks.image", …)`
    /// replace what a string names, `patch.object(tasks, "image")` and `monkeypatch.setattr(tasks, "image", …)` an attribute.
    fn note_patched(&mut self, call: &ast::ExprCall) {
        let name = match &*call.func {
            Expr::Name(name) => &name.id,
            Expr::Attribute(attribute) => &attribute.attr.id,
            _ => return,
        };
        let literal = match &*call.arguments.args {
            [Expr::StringLiteral(literal), ..] => literal,
            [object, Expr::StringLiteral(replaced), ..] => {
                if matches!(name.as_str(), "object" | "setattr") {
                    let replaced = replaced.value.to_str().to_owned();
                    self.module.patched_objects.push((object.range(), replaced));
                }
                return;
            }
            _ => return,
        };
        let path = literal.value.to_str();
        if matches!(name.as_str(), "patch" | "setattr" | "delattr") {
            self.module.patched.push((literal.range, path.to_owned()));
        } else if name == "multiple" {
            let names = call.arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref());
            self.module.patched.extend(names.map(|name| (literal.range, format!("{path}.{name}"))));
        }
    }

    /// `remote.fetch_workflow(name="pk.flow.main")` gets what a string names.
    fn note_fetched(&mut self, call: &ast::ExprCall) {
        if let Expr::Attribute(method) = &*call.func
            && FETCHERS.contains(&method.attr.as_str())
        {
            let arguments = call.arguments.arguments_source_order();
            self.module.fetched.extend(arguments.map(|argument| Value::of(argument.value())));
        }
    }

    /// The library from which the object comes that a call such as `library.context().run(…)` is made on.
    fn library_of(&self, func: &Expr) -> Option<Name> {
        let mut object = func;
        let name = loop {
            object = match object {
                Expr::Attribute(attribute) => &attribute.value,
                Expr::Call(call) => &call.func,
                Expr::Name(name) => break name,
                _ => return None,
            };
        };
        let binding = &self.bindings[self.lookup(self.scope, &name.id)?];
        match &binding.kind {
            BindingKind::Import(path) if path.level == 0 && binding.previous.is_none() => {
                Some(Name::new(path.root()))
            }
            _ => None,
        }
    }

    /// An arm of an `if`.
    fn branch(&mut self, test: Option<&'a Expr>, body: &'a [Stmt]) {
        let outer = self.is_for_types;
        if let Some(test) = test {
            self.visit_expr(test);
            self.is_for_types |= self.is_type_checking(test);
        }
        self.in_block(|this| this.visit_body(body));
        self.is_for_types = outer;
    }

    /// Whether an expression is `typing.TYPE_CHECKING`, whatever it is called.
    fn is_type_checking(&self, test: &Expr) -> bool {
        let root = chain_root(test).and_then(|root| self.lookup(self.scope, &root.id));
        let attributes = chain_attributes(test);
        let is_it = |id: BindingId| {
            let BindingKind::Import(path) = &self.bindings[id].kind else { return false };
            let dotted = path.dotted();
            let names = dotted.split('.').chain(attributes.iter().map(Name::as_str));
            let names: Vec<&str> = names.collect();
            path.level == 0 && matches!(names[..], ["typing" | "typing_extensions", "TYPE_CHECKING"])
        };
        root.is_some_and(|latest| self.chain(latest).all(is_it))
    }

    /// Whether the first name of `func` is, as far as is known at this point, an import of interest or another name
    /// for one (`IS = ImageSpec`).
    fn is_recorded(&self, func: &Expr) -> bool {
        let Some(name) = chain_root(func) else { return false };
        let Some(latest) = self.lookup(self.scope, &name.id) else { return false };
        self.chain(latest).any(|id| match &self.bindings[id].kind {
            BindingKind::Import(path) => self.bindings[id].is_of_interest || is_copy(path, func),
            BindingKind::Assignment { value, .. } => self.bindings[id].is_global && !value.is_literal(),
            BindingKind::Definition => {
                self.module.factories.iter().any(|factory| factory.binding == id)
                    || self.module.image_classes.iter().any(|class| class.binding == id)
            }
            // `more = base.with_packages(…)` in a class.
            BindingKind::Other => self.is_method_in_class(func),
            BindingKind::Decorated(_) => false,
        })
    }

    /// Whether `func` certainly is `functools.partial`.
    fn is_partial(&self, func: &Expr) -> bool {
        let latest = chain_root(func).and_then(|root| self.lookup(self.scope, &root.id));
        let is_it = |id: BindingId| matches!(&self.bindings[id].kind, BindingKind::Import(path) if is_partial(path, func));
        latest.is_some_and(|latest| self.chain(latest).all(is_it))
    }

    /// A binding and those of its name and scope before it, newest first.
    fn chain(&self, latest: BindingId) -> impl Iterator<Item = BindingId> + Clone {
        std::iter::successors(Some(latest), |&id| self.bindings[id].previous)
    }

    /// The last binding, so far, of the name that a read in `scope` finds.
    fn lookup(&self, scope: usize, name: &str) -> Option<BindingId> {
        let mut current = Some(scope);
        let mut is_first = true;
        while let Some(id) = current {
            let scope = &self.scopes[id];
            if (is_first || scope.kind != ScopeKind::Class)
                && let Some(&latest) = scope.latest.get(name)
            {
                return Some(latest);
            }
            is_first = false;
            current = scope.parent;
        }
        None
    }

    fn call(
        &mut self,
        call: &'a ast::ExprCall,
        context: CallContext,
        decorates: Option<FunctionId>,
    ) -> CallId {
        let id = self.module.calls.len();
        self.module.calls.push(Call {
            range: call.range,
            callee: call.func.range(),
            // Until the references are known, its place among all that are read.
            reference: Some(self.raw.len()),
            parentheses: call.arguments.range,
            arguments: call.arguments.arguments_source_order().map(argument_of).collect(),
            items: self.items(call),
            context,
            surroundings: self.surroundings.clone(),
            owner: self.owner,
            methods: Vec::new(),
            outer_range: call.range,
            fillings: Vec::new(),
        });
        self.expr(&call.func, decorates.map_or(Role::Callee(Some(id)), Role::Decorator));
        for argument in call.arguments.arguments_source_order() {
            match argument {
                ast::ArgOrKeyword::Arg(value) => self.argument(value, id, None),
                ast::ArgOrKeyword::Keyword(keyword) => {
                    self.argument(&keyword.value, id, keyword.arg.as_ref().map(|name| name.id.clone()));
                }
            }
        }
        id
    }

    fn argument(&mut self, value: &'a Expr, call: CallId, keyword: Option<Name>) {
        match value {
            Expr::Call(inner)
                if method_chain(inner).is_some_and(|(first, _)| self.is_recorded(&first.func)) =>
            {
                if let Some(id) = self.call_if_recorded(inner) {
                    self.module.calls[id].context = CallContext::Argument(call, keyword);
                }
            }
            _ if chain_root(value).is_some() => self.expr(value, Role::Argument(call, keyword)),
            _ => self.visit_expr(value),
        }
    }

    fn expr(&mut self, expr: &'a Expr, role: Role) {
        if let Some(name) = chain_root(expr) {
            self.reference(name, expr, role);
            return;
        }
        match expr {
            Expr::Call(call) => {
                self.quoted_types_of(call);
                self.call_if_recorded(call);
            }
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    for parameter in parameters.iter_non_variadic_params() {
                        parameter.default.iter().for_each(|default| self.visit_expr(default));
                    }
                }
                self.in_scope(ScopeKind::Function, Surroundings::Lambda, |this| {
                    for parameter in lambda.parameters.iter().flat_map(|parameters| parameters.iter()) {
                        this.bind(parameter.name(), parameter.name().range, BindingKind::Other);
                    }
                    this.visit_expr(&lambda.body);
                });
            }
            Expr::Attribute(ast::ExprAttribute { value, attr, .. }) => match &**value {
                // `name(…).attribute`: what is read from the result decides how it may be called.
                Expr::Call(call) if chain_root(&call.func).is_some() && !self.is_recorded(&call.func) => {
                    self.expr(&call.func, Role::CalleeOf(attr.id.clone()));
                    self.visit_arguments(&call.arguments);
                }
                // `GROUPS["base"].append(…)`
                Expr::Subscript(_) if is_mutator(attr) => self.mutated(value),
                _ => source_order::walk_expr(self, expr),
            },
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                let path = memchr::memchr(b':', text.as_bytes()).map_or(text, |end| &text[..end]);
                if path.ends_with(".py") {
                    self.module.python_paths.push((literal.range, text.to_owned()));
                }
                if text.starts_with(SECRET_PREFIX) || text.starts_with(INTERNAL_PREFIX) {
                    self.module.flyte1_variables.push((literal.range, self.owner));
                }
                self.string(text);
            }
            Expr::FString(_) => {
                if let ValueKind::FString(text, _) = Value::of(expr).kind {
                    self.string(&text);
                }
                source_order::walk_expr(self, expr);
            }
            Expr::ListComp(comp) => self.comprehension(&[&comp.elt], &comp.generators),
            Expr::SetComp(comp) => self.comprehension(&[&comp.elt], &comp.generators),
            Expr::Generator(comp) => self.comprehension(&[&comp.elt], &comp.generators),
            Expr::DictComp(comp) => self.comprehension(&[&comp.key, &comp.value], &comp.generators),
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                self.bind_walrus(&named.target);
            }
            _ => source_order::walk_expr(self, expr),
        }
    }

    /// Notes what may be a type in quotes among the arguments of a call.
    fn quoted_types_of(&mut self, call: &'a ast::ExprCall) {
        for argument in type_arguments(call) {
            quoted_types(argument, self.text, &mut self.module.quoted_types);
        }
    }

    fn string(&mut self, text: &str) {
        let scheme = OBJECT_STORES.into_iter().find(|scheme| text.starts_with(*scheme));
        self.module.object_stores.extend(scheme);
        self.module.runs_pip |= self.scope != 0 && runs_pip(text);
    }

    fn comprehension(&mut self, elements: &[&'a Expr], generators: &'a [ast::Comprehension]) {
        self.in_scope(ScopeKind::Comprehension, Surroundings::Comprehension, |this| {
            for generator in generators {
                this.visit_expr(&generator.iter);
                this.bind_target(&generator.target, BindingKind::Other);
                generator.ifs.iter().for_each(|test| this.visit_expr(test));
            }
            elements.iter().for_each(|element| this.visit_expr(element));
        });
    }

    fn reference(&mut self, name: &'a ast::ExprName, expr: &'a Expr, role: Role) {
        self.names_importer |= is_importer(&name.id) || attributes_of(expr).any(|name| is_importer(name));
        let (owner, scope, block) = (self.owner, self.scope, self.block);
        self.raw.push(RawReference { name, expr, role, owner, scope, block });
    }

    fn finish(mut self, mut module_values: FxHashMap<TextRange, ModuleValue>) -> Module {
        let raw = std::mem::take(&mut self.raw);
        let mut references = Vec::new();
        let mut names: FxHashSet<&str> = FxHashSet::default();
        let has_stars = !self.module.star_imports.is_empty();
        let mut kept = Vec::with_capacity(raw.len());
        for raw in raw {
            let before = references.len();
            let value = module_values.remove(&raw.expr.range());
            let value = value.and_then(|value| value.given_by(&self.path_outside(&raw)?));
            self.module.module_values.extend(value);
            match self.resolve(&raw) {
                Resolution::Matters { bindings, is_deferred } => {
                    references.push(raw.into_reference(bindings, is_deferred));
                }
                Resolution::Local => {}
                Resolution::Unbound { is_deferred } => {
                    let name = raw.name.id.as_str();
                    names.insert(name);
                    // It may come from `from x import *`; and examples leave the import of decorators out.
                    if has_stars || matches!(raw.role, Role::Decorator(_)) {
                        references.push(raw.into_reference(Vec::new(), is_deferred));
                    } else if matches!(name, "exec" | "globals") && matches!(raw.role, Role::Callee(_)) {
                        self.module.hidden_bindings.push(raw.expr.range());
                    }
                }
            }
            kept.push((references.len() > before).then_some(before));
        }
        for call in &mut self.module.calls {
            call.reference = call.reference.and_then(|raw| kept[raw]);
        }
        let bound = self.scopes.iter().flat_map(|scope| scope.latest.keys().copied());
        self.module.names = names.into_iter().chain(bound).map(Name::new).collect();
        self.compact(references)
    }

    /// The dotted path, outside the project, of what is certainly read; that of a builtin is its name.
    fn path_outside(&self, raw: &RawReference<'_>) -> Option<String> {
        let mut paths = match self.lookup(raw.scope, &raw.name.id) {
            None => vec![raw.name.id.to_string()],
            Some(latest) => {
                let paths = self.chain(latest).map(|id| match &self.bindings[id].kind {
                    BindingKind::Import(path) if path.level == 0 => Some(path.dotted()),
                    _ => None,
                });
                paths.collect::<Option<Vec<String>>>()?
            }
        };
        paths.dedup();
        let [path] = &paths[..] else { return None };
        let attributes = chain_attributes(raw.expr);
        Some(
            std::iter::once(path.as_str())
                .chain(attributes.iter().map(Name::as_str))
                .collect::<Vec<_>>()
                .join("."),
        )
    }

    fn resolve(&self, raw: &RawReference<'_>) -> Resolution {
        let mut current = Some(raw.scope);
        let mut is_first = true;
        let mut is_deferred = false;
        while let Some(id) = current {
            let scope = &self.scopes[id];
            let is_visible = is_first || scope.kind != ScopeKind::Class;
            if is_visible
                && !scope.globals.contains(&raw.name.id.as_str())
                && let Some(&latest) = scope.latest.get(raw.name.id.as_str())
                // `image = image` in a class reads the outer name: the class has none of its own yet.
                && (scope.kind != ScopeKind::Class
                    || self.chain(latest).any(|id| self.bindings[id].effect.from < raw.name.range.start()))
            {
                let is_recorded = matches!(raw.role, Role::Callee(Some(_)));
                if !self.chain(latest).any(|id| self.bindings[id].matters(is_recorded)) {
                    return Resolution::Local;
                }
                let bindings = if is_deferred {
                    let mut bindings: Vec<BindingId> = self.chain(latest).collect();
                    bindings.reverse();
                    bindings
                } else {
                    let block = if is_first { raw.block } else { BlockId::default() };
                    let effects = self.chain(latest).map(|id| (id, self.bindings[id].effect));
                    let start = raw.name.range.start();
                    let offset = if self.is_quoted(start) { TextSize::from(u32::MAX) } else { start };
                    reaching(effects, &self.module.blocks, offset, block)
                };
                let matters = bindings.iter().any(|&id| self.bindings[id].matters(is_recorded));
                return if matters {
                    Resolution::Matters { bindings, is_deferred }
                } else {
                    Resolution::Local
                };
            }
            is_deferred |= scope.kind == ScopeKind::Function;
            is_first = false;
            current = scope.parent;
        }
        Resolution::Unbound { is_deferred: is_deferred || self.is_quoted(raw.name.range.start()) }
    }

    /// Whether a type in quotes stands at `offset`.
    fn is_quoted(&self, offset: TextSize) -> bool {
        let next = self.unquoted.partition_point(|quoted| quoted.start() <= offset);
        self.unquoted[..next].last().is_some_and(|quoted| quoted.contains(offset))
    }

    /// Drops what is local and renumbers the bindings that stay.
    fn compact(mut self, mut references: Vec<Reference>) -> Module {
        let mut renumbered = vec![None; self.bindings.len()];
        for (id, bound) in self.bindings.into_iter().enumerate().filter(|(_, bound)| bound.is_kept()) {
            renumbered[id] = Some(self.module.bindings.len());
            self.module.bindings.push(Binding {
                name: Name::new(bound.name),
                range: bound.range,
                kind: bound.kind,
                owner: bound.owner,
                is_global: bound.is_global,
                is_unconditional: bound.is_unconditional,
                effect: bound.effect,
                previous: bound.previous.and_then(|previous| renumbered[previous]),
            });
        }
        let latest = self.scopes.swap_remove(0).latest.into_iter();
        self.module.latest =
            latest.filter_map(|(name, id)| Some((Name::new(name), renumbered[id]?))).collect();
        // A local binding beside a global one (a conditional import in a function) makes the reference uncertain;
        // it is then seen as bound to nothing.
        references.iter_mut().enumerate().for_each(|(id, reference)| {
            reference.id = id;
            let bindings: Option<Vec<BindingId>> =
                reference.bindings.iter().map(|&id| renumbered[id]).collect();
            reference.bindings = bindings.unwrap_or_default();
        });
        for call in &mut self.module.calls {
            if let CallContext::Assigned(binding) = call.context {
                call.context = renumbered
                    .get(binding)
                    .copied()
                    .flatten()
                    .map_or(CallContext::Other, CallContext::Assigned);
            }
        }
        self.module.factories.retain_mut(|factory| {
            let binding = renumbered[factory.binding];
            factory.binding = binding.unwrap_or_default();
            binding.is_some()
        });
        self.module.image_classes.retain_mut(|class| {
            let binding = renumbered[class.binding];
            class.binding = binding.unwrap_or_default();
            binding.is_some()
        });
        for alias in self.module.imports.iter_mut().flat_map(|import| &mut import.aliases) {
            alias.binding = alias.binding.and_then(|binding| renumbered[binding]);
        }
        self.module.references = references;
        self.module
    }
}

impl<'a> SourceOrderVisitor<'a> for Builder<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        self.expr(expr, Role::Other);
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Assign(assign) => self.assign(&assign.targets, &assign.value, None),
            Stmt::AnnAssign(assign) => match &assign.value {
                Some(value) => {
                    self.assign(std::slice::from_ref(&assign.target), value, Some(&assign.annotation));
                }
                None => self.annotation(&assign.annotation),
            },
            Stmt::AugAssign(assign) => {
                self.visit_expr(&assign.value);
                self.mutated(&assign.target);
                self.bind_target(&assign.target, BindingKind::Other);
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.mutated(target);
                    if matches!(target, Expr::Name(_)) {
                        self.bind_target(target, BindingKind::Other);
                    }
                }
            }
            Stmt::Global(global) => {
                let names = global.names.iter().map(|name| name.id.as_str());
                self.scopes[self.scope].globals.extend(names);
            }
            Stmt::For(node) => {
                self.visit_expr(&node.iter);
                self.in_block(|this| {
                    this.bind_target(&node.target, BindingKind::Other);
                    this.visit_body(&node.body);
                });
                self.in_block(|this| this.visit_body(&node.orelse));
            }
            Stmt::While(node) => {
                self.visit_expr(&node.test);
                self.in_block(|this| this.visit_body(&node.body));
                self.in_block(|this| this.visit_body(&node.orelse));
            }
            Stmt::If(node) => {
                self.branch(Some(&node.test), &node.body);
                for clause in &node.elif_else_clauses {
                    self.branch(clause.test.as_ref(), &clause.body);
                }
            }
            Stmt::With(node) => {
                for item in &node.items {
                    self.visit_expr(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.bind_target(target, BindingKind::Other);
                    }
                }
                self.in_block(|this| this.visit_body(&node.body));
            }
            Stmt::Try(node) => {
                self.in_block(|this| this.visit_body(&node.body));
                for handler in &node.handlers {
                    let ast::ExceptHandler::ExceptHandler(handler) = handler;
                    handler.type_.iter().for_each(|kind| self.visit_expr(kind));
                    self.in_block(|this| {
                        if let Some(name) = &handler.name {
                            this.bind(name, name.range, BindingKind::Other);
                        }
                        this.visit_body(&handler.body);
                    });
                }
                self.in_block(|this| this.visit_body(&node.orelse));
                self.in_block(|this| this.visit_body(&node.finalbody));
            }
            Stmt::Match(node) => {
                self.visit_expr(&node.subject);
                for case in &node.cases {
                    self.in_block(|this| {
                        this.visit_pattern(&case.pattern);
                        case.guard.iter().for_each(|guard| this.visit_expr(guard));
                        this.visit_body(&case.body);
                    });
                }
            }
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_pattern(&mut self, pattern: &'a ast::Pattern) {
        let bound = match pattern {
            ast::Pattern::MatchAs(node) => node.name.as_ref(),
            ast::Pattern::MatchStar(node) => node.name.as_ref(),
            ast::Pattern::MatchMapping(node) => node.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = bound {
            self.bind(name, name.range, BindingKind::Other);
        }
        source_order::walk_pattern(self, pattern);
    }
}
