//! A random Flyte 1 module of tasks and workflows, which knows what each call waits for.
//!
//! Every call of a task carries a number of its own, `k`, by which it is found in the migrated text and among the
//! events that the tasks record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::random::Random;

/// The tasks, and what they record.
const TASKS: &str = r#"
EVENTS = []


@dataclass
class Point:
    x: int
    y: int


class Stats(NamedTuple):
    low: int
    high: int


class Only(NamedTuple):
    value: int


def record(k: int) -> None:
    EVENTS.append(["start", k])
    EVENTS.append(["end", k])


@task
def inc(n: int, k: int) -> int:
    record(k)
    return (n + 1) % 1000


@task
def add(a: int, b: int, k: int) -> int:
    record(k)
    return (a + 3 * b) % 1000


@task
def size(s: str, k: int) -> int:
    record(k)
    return len(s)


@task
def total(xs: List[int], k: int) -> int:
    record(k)
    return sum(xs) % 1000


@task
def text(n: int, k: int) -> str:
    record(k)
    return f"t{n}"


@task
def join(a: str, b: str, k: int) -> str:
    record(k)
    return f"{a}{b}"[-12:]


@task
def pair(n: int, s: str, k: int) -> Tuple[int, str]:
    record(k)
    return n + 1, s + "p"


@task
def stats(a: int, b: int, k: int) -> Stats:
    record(k)
    return Stats(low=min(a, b), high=max(a, b))


@task
def only(n: int, k: int) -> Only:
    record(k)
    return Only(value=n + 2)


@task
def point(x: int, y: int, k: int) -> Point:
    record(k)
    return Point(x=x, y=y)


@task
def numbers(n: int, k: int) -> List[int]:
    record(k)
    return [n % 7, n % 5, n % 3]


@task
def note(n: int, k: int) -> None:
    record(k)
"#;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Str,
    Ints,
    Pair,
    Stats,
    Only,
    Point,
    /// What `create_node` gives of a task that returns a number.
    Node,
}

impl Type {
    fn annotation(self) -> &'static str {
        match self {
            Self::Int | Self::Node => "int",
            Self::Str => "str",
            Self::Ints => "List[int]",
            Self::Pair => "Tuple[int, str]",
            Self::Stats => "Stats",
            Self::Only => "Only",
            Self::Point => "Point",
        }
    }
}

/// A task or a workflow that can be called.
#[derive(Debug, Clone)]
struct Callee {
    name: String,
    parameters: Vec<(&'static str, Type)>,
    gives: Type,
    is_task: bool,
}

/// A variable: what it is, and the calls that it comes from.
#[derive(Debug, Clone)]
struct Variable {
    name: String,
    type_: Type,
    calls: BTreeSet<usize>,
    /// The call whose result it is as a whole, if `>>` can speak of it.
    node: Option<usize>,
}

/// A random module.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    /// Its text.
    pub(crate) text: String,
    /// What each call waits for directly: by their numbers, within one workflow.
    waits: BTreeMap<usize, BTreeSet<usize>>,
    /// Pairs that `>>` speaks of: the first ends before the second starts.
    pub(crate) orders: Vec<(usize, usize)>,
}

impl Module {
    /// The module that belongs to `seed`.
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut writer = Writer {
            random: &mut random,
            callees: tasks(),
            waits: BTreeMap::new(),
            next: 1,
            orders: Vec::new(),
        };
        let count = 1 + writer.random.below(4);
        let mut body = String::new();
        let mut calls = String::new();
        for number in 0..count {
            let (text, inputs) = writer.workflow(number);
            body.push_str(&text);
            for inputs in inputs.into_iter().take(1 + usize::from(number + 1 == count)) {
                writeln!(calls, "    (\"wf{number}\", {{{inputs}}}),").unwrap();
            }
        }
        let text = format!(
            "from dataclasses import dataclass\nfrom functools import partial\nfrom typing import List, NamedTuple, Tuple\n\n\
             from flytekit import conditional, map_task, task, workflow\nfrom flytekit.core.node_creation import create_node\n\
             {TASKS}{body}\n\nCALLS = [\n{calls}]\n"
        );
        Self { text, waits: writer.waits, orders: writer.orders }
    }

    /// Whether the call `later` waits for `earlier`, directly or through others.
    pub(crate) fn waits(&self, later: usize, earlier: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut pending = vec![later];
        while let Some(call) = pending.pop() {
            for &before in self.waits.get(&call).into_iter().flatten() {
                if before == earlier {
                    return true;
                }
                if seen.insert(before) {
                    pending.push(before);
                }
            }
        }
        false
    }
}

fn tasks() -> Vec<Callee> {
    use Type::{Int, Ints, Only, Pair, Point, Stats, Str};
    let task = |name: &str, parameters: &[(&'static str, Type)], gives| Callee {
        name: name.to_owned(),
        parameters: parameters.to_vec(),
        gives,
        is_task: true,
    };
    vec![
        task("inc", &[("n", Int)], Int),
        task("add", &[("a", Int), ("b", Int)], Int),
        task("size", &[("s", Str)], Int),
        task("total", &[("xs", Ints)], Int),
        task("text", &[("n", Int)], Str),
        task("join", &[("a", Str), ("b", Str)], Str),
        task("pair", &[("n", Int), ("s", Str)], Pair),
        task("stats", &[("a", Int), ("b", Int)], Stats),
        task("only", &[("n", Int)], Only),
        task("point", &[("x", Int), ("y", Int)], Point),
        task("numbers", &[("n", Int)], Ints),
    ]
}

struct Writer<'r> {
    random: &'r mut Random,
    callees: Vec<Callee>,
    waits: BTreeMap<usize, BTreeSet<usize>>,
    orders: Vec<(usize, usize)>,
    /// The number of the next call.
    next: usize,
}

/// An expression and the calls that it comes from.
type Value = (String, BTreeSet<usize>);

impl Writer<'_> {
    /// A workflow, and the inputs that it is called with.
    fn workflow(&mut self, number: usize) -> (String, Vec<String>) {
        let choices: [&[(&str, Type)]; 4] = [
            &[("n", Type::Int)],
            &[("n", Type::Int), ("s", Type::Str)],
            &[("s", Type::Str), ("m", Type::Int), ("n", Type::Int)],
            &[("n", Type::Int), ("m", Type::Int)],
        ];
        let parameters = self.random.pick(&choices);
        let mut variables: Vec<Variable> = parameters
            .iter()
            .map(|&(name, type_)| Variable {
                name: name.to_owned(),
                type_,
                calls: BTreeSet::new(),
                node: None,
            })
            .collect();
        let signature: Vec<String> =
            parameters.iter().map(|(name, type_)| format!("{name}: {}", type_.annotation())).collect();
        let mut body = String::new();
        for _ in 0..=self.random.below(7) {
            self.statement(&mut variables, &mut body);
        }
        let gives = self.random.pick(&[Type::Int, Type::Int, Type::Str, Type::Pair, Type::Stats, Type::Only]);
        let returned = self.returned(&variables, gives);
        let mut text = String::new();
        write!(
            text,
            "\n\n@workflow\ndef wf{number}({}) -> {}:\n{body}    return {returned}\n",
            signature.join(", "),
            gives.annotation()
        )
        .unwrap();
        self.callees.push(Callee {
            name: format!("wf{number}"),
            parameters: parameters.to_vec(),
            gives,
            is_task: false,
        });
        let inputs = (0..2).map(|_| {
            let input = |&(name, type_): &(&str, Type)| format!("\"{name}\": {}", self.literal(type_));
            parameters.iter().map(input).collect::<Vec<_>>().join(", ")
        });
        let inputs = inputs.collect();
        (text, inputs)
    }

    fn literal(&mut self, type_: Type) -> String {
        match type_ {
            Type::Str => format!("\"{}\"", self.random.pick(&["a", "bc", "", "xyz"])),
            _ => self.random.below(40).to_string(),
        }
    }

    /// What is returned, of this type.
    fn returned(&mut self, variables: &[Variable], gives: Type) -> String {
        match gives {
            Type::Pair => {
                let (number, text) = (self.result(variables, Type::Int), self.result(variables, Type::Str));
                format!("{number}, {text}")
            }
            Type::Stats if self.random.chance(50) => {
                let (low, high) = (self.result(variables, Type::Int), self.result(variables, Type::Int));
                format!("Stats(low={low}, high={high})")
            }
            _ => self.result(variables, gives),
        }
    }

    /// The result of a call: workflows give back no inputs here.
    fn result(&mut self, variables: &[Variable], type_: Type) -> String {
        let results: Vec<&Variable> =
            variables.iter().filter(|held| held.type_ == type_ && !held.calls.is_empty()).collect();
        if !results.is_empty() && self.random.chance(70) {
            return results[self.random.below(results.len())].name.clone();
        }
        let callee = self.callee(type_, false);
        self.call(&callee, variables, 1).0
    }

    /// Something to call that gives this type.
    fn callee(&mut self, type_: Type, only_tasks: bool) -> Callee {
        let fitting: Vec<&Callee> = self
            .callees
            .iter()
            .filter(|callee| callee.gives == type_ && (callee.is_task || !only_tasks))
            .collect();
        fitting[self.random.below(fitting.len())].clone()
    }

    /// An expression of this type: a variable, a part of one, a literal, a call.
    fn value(&mut self, variables: &[Variable], type_: Type, depth: usize) -> Value {
        let readable: Vec<(String, &Variable)> = variables
            .iter()
            .flat_map(|held| reads(held, type_).into_iter().map(move |text| (text, held)))
            .collect();
        match self.random.below(10) {
            0..=5 if !readable.is_empty() => {
                let (text, held) = &readable[self.random.below(readable.len())];
                (text.clone(), held.calls.clone())
            }
            0..=7 if depth > 0 => {
                let callee = self.callee(type_, false);
                let (text, calls) = self.call(&callee, variables, depth - 1);
                (text, calls)
            }
            _ if type_ == Type::Ints => {
                let (a, mut calls) = self.value(variables, Type::Int, 0);
                let (b, more) = self.value(variables, Type::Int, depth);
                calls.extend(more);
                (format!("[{a}, {b}]"), calls)
            }
            _ if matches!(type_, Type::Int | Type::Str) => (self.literal(type_), BTreeSet::new()),
            _ => {
                let callee = self.callee(type_, true);
                self.call(&callee, variables, 0)
            }
        }
    }

    /// The arguments of a call, and the calls that they come from.
    fn arguments(
        &mut self,
        callee: &Callee,
        variables: &[Variable],
        depth: usize,
    ) -> (Vec<String>, BTreeSet<usize>) {
        let mut arguments = Vec::new();
        let mut calls = BTreeSet::new();
        for &(name, type_) in &callee.parameters {
            let (text, more) = self.value(variables, type_, depth);
            arguments.push(format!("{name}={text}"));
            calls.extend(more);
        }
        (arguments, calls)
    }

    fn number(&mut self, waits: BTreeSet<usize>) -> usize {
        let number = self.next;
        self.next += 1;
        self.waits.insert(number, waits);
        number
    }

    fn call(&mut self, callee: &Callee, variables: &[Variable], depth: usize) -> Value {
        let (mut arguments, calls) = self.arguments(callee, variables, depth);
        if !callee.is_task {
            return (format!("{}({})", callee.name, arguments.join(", ")), calls);
        }
        let number = self.number(calls);
        arguments.push(format!("k={number}"));
        (format!("{}({})", callee.name, arguments.join(", ")), BTreeSet::from([number]))
    }

    /// A name for a new variable: a fresh one, or one that is bound anew, mostly to a value of the same type.
    fn name(&mut self, variables: &[Variable], type_: Type) -> String {
        let is_other = self.random.chance(5);
        let bound: Vec<&Variable> =
            variables.iter().filter(|variable| variable.type_ == type_ || is_other).collect();
        if !bound.is_empty() && self.random.chance(30) {
            return bound[self.random.below(bound.len())].name.clone();
        }
        format!("v{}", self.next)
    }

    fn bind(variables: &mut Vec<Variable>, variable: Variable) {
        variables.retain(|other| other.name != variable.name);
        variables.push(variable);
    }

    fn statement(&mut self, variables: &mut Vec<Variable>, body: &mut String) {
        match self.random.below(20) {
            0..=9 => self.assignment(variables, body),
            10 => self.unpacking(variables, body),
            11 | 12 => self.created(variables, body),
            13 => {
                let (n, calls) = self.value(variables, Type::Int, 1);
                let number = self.number(calls);
                writeln!(body, "    note(n={n}, k={number})").unwrap();
            }
            14 | 15 => self.mapped(variables, body),
            16 | 17 => self.chosen(variables, body),
            _ => self.ordered(variables, body),
        }
    }

    fn assignment(&mut self, variables: &mut Vec<Variable>, body: &mut String) {
        let type_ = self.random.pick(&[
            Type::Int,
            Type::Int,
            Type::Int,
            Type::Str,
            Type::Str,
            Type::Pair,
            Type::Stats,
            Type::Only,
            Type::Point,
            Type::Ints,
        ]);
        let callee = self.callee(type_, false);
        let (text, calls) = self.call(&callee, variables, 2);
        let name = self.name(variables, type_);
        writeln!(body, "    {name} = {text}").unwrap();
        let node =
            calls.first().copied().filter(|_| callee.is_task && matches!(type_, Type::Int | Type::Str));
        Self::bind(variables, Variable { name, type_, calls, node });
    }

    fn unpacking(&mut self, variables: &mut Vec<Variable>, body: &mut String) {
        let type_ = self.random.pick(&[Type::Pair, Type::Stats]);
        let callee = self.callee(type_, false);
        let (text, calls) = self.call(&callee, variables, 1);
        let first = self.name(variables, Type::Int);
        let second = format!("w{}", self.next);
        writeln!(body, "    {first}, {second} = {text}").unwrap();
        let other = if type_ == Type::Pair { Type::Str } else { Type::Int };
        Self::bind(variables, Variable { name: first, type_: Type::Int, calls: calls.clone(), node: None });
        Self::bind(variables, Variable { name: second, type_: other, calls, node: None });
    }

    /// `x = create_node(inc, n=n)`
    fn created(&mut self, variables: &mut Vec<Variable>, body: &mut String) {
        let callee = self.callee(Type::Int, true);
        let (arguments, calls) = self.arguments(&callee, variables, 1);
        let number = self.number(calls);
        let name = format!("v{}", self.next);
        writeln!(body, "    {name} = create_node({}, {}, k={number})", callee.name, arguments.join(", "))
            .unwrap();
        let calls = BTreeSet::from([number]);
        Self::bind(variables, Variable { name, type_: Type::Node, calls, node: Some(number) });
    }

    /// `x = map_task(partial(add, b=n, k=1))(a=ns)`
    fn mapped(&mut self, variables: &mut Vec<Variable>, body: &mut String) {
        let (list, mut calls) = self.value(variables, Type::Ints, 1);
        let (bound, more) = self.value(variables, Type::Int, 0);
        let variant = self.random.below(3);
        if variant > 0 {
            calls.extend(more);
        }
        let number = self.number(calls);
        let name = self.name(variables, Type::Ints);
        let options = self.random.pick(&["", "", ", concurrency=2"]);
        let map = match variant {
            0 => format!("map_task(partial(inc, k={number}){options})(n={list})"),
            1 => format!("map_task(partial(add, b={bound}, k={number}){options})(a={list})"),
            _ => format!("map_task(partial(add, a={bound}, k={number}){options})(b={list})"),
        };
        writeln!(body, "    {name} = {map}").unwrap();
        let calls = BTreeSet::from([number]);
        Self::bind(variables, Variable { name, type_: Type::Ints, calls, node: None });
    }

    /// `x = conditional("c").if_(n > 3).then(…).else_().then(…)`
    fn chosen(&mut self, variables: &mut Vec<Variable>, body: &mut String) {
        let plain: Vec<Variable> = variables.iter().filter(|held| held.type_ == Type::Int).cloned().collect();
        let Some(held) = plain.get(self.random.below(plain.len().max(1))) else { return };
        let type_ = self.random.pick(&[Type::Int, Type::Str]);
        let mut calls = held.calls.clone();
        let mut branch = |this: &mut Self, depth| {
            let callee = this.callee(type_, true);
            let (text, more) = this.call(&callee, variables, depth);
            for &call in &more {
                this.waits.entry(call).or_default().extend(held.calls.iter().copied());
            }
            calls.extend(more);
            text
        };
        let limit = self.random.below(30);
        let label = self.next;
        let first = branch(self, 0);
        let mut text = format!("conditional(\"c{label}\").if_({} > {limit}).then({first})", held.name);
        if self.random.chance(40) {
            write!(
                text,
                ".elif_(({} == {limit}) | ({} < 3)).then({})",
                held.name,
                held.name,
                branch(self, 0)
            )
            .unwrap();
        }
        write!(text, ".else_().then({})", branch(self, 0)).unwrap();
        let name = self.name(variables, type_);
        writeln!(body, "    {name} = {text}").unwrap();
        Self::bind(variables, Variable { name, type_, calls, node: None });
    }

    /// `a >> b`, which may ask for another order than that of the lines.
    fn ordered(&mut self, variables: &[Variable], body: &mut String) {
        // flytekit refuses a result beside a node.
        let is_created = self.random.chance(50);
        let fitting = variables.iter().filter(|held| (held.type_ == Type::Node) == is_created);
        let nodes: Vec<(&str, usize)> =
            fitting.filter_map(|held| Some((held.name.as_str(), held.node?))).collect();
        if nodes.len() < 2 {
            return;
        }
        let (a, b) = (self.random.pick(&nodes), self.random.pick(&nodes));
        let (a, b) = if a.1 > b.1 && self.random.chance(60) { (b, a) } else { (a, b) };
        let module = Module { text: String::new(), waits: self.waits.clone(), orders: Vec::new() };
        if a.1 == b.1 || module.waits(a.1, b.1) {
            return;
        }
        writeln!(body, "    {} >> {}", a.0, b.0).unwrap();
        self.waits.entry(b.1).or_default().insert(a.1);
        self.orders.push((a.1, b.1));
    }
}

/// How a value of this type is read from a variable.
fn reads(held: &Variable, type_: Type) -> Vec<String> {
    let name = &held.name;
    let parts: &[&str] = match (held.type_, type_) {
        (Type::Int, Type::Int) | (Type::Str, Type::Str) | (Type::Ints, Type::Ints) => &[""],
        (Type::Pair, Type::Int) => &["[0]", ".o0"],
        (Type::Pair, Type::Str) => &["[1]", ".o1"],
        (Type::Stats, Type::Int) => &[".low", ".high"],
        (Type::Only, Type::Int) => &[".value"],
        (Type::Point, Type::Int) => &[".x", ".y"],
        (Type::Node, Type::Int) => &[".o0"],
        _ => &[],
    };
    parts.iter().map(|part| format!("{name}{part}")).collect()
}
