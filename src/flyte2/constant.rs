//! Python values that are known without running anything, and what Python's operators and methods make of them.
//!
//! ```python
//! f"{NAME}-py311".lower()                     # a text
//! Path(__file__).parent / "requirements.txt"  # a path
//! ```

use std::cmp::Ordering;
use std::path::PathBuf;

use super::evaluate::Built;
use crate::image::{Secret, path, python_text};
use crate::project::FileId;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A string.
    Str(String),
    /// A path, as `str(path)` writes it.
    Path(String),
    /// A list.
    List(Vec<Constant>),
    /// A tuple.
    Tuple(Vec<Constant>),
    /// A dict, in its order.
    Dict(Vec<(Constant, Constant)>),
    /// `flyte.Secret(…)`
    Secret(Secret),
    /// A Flyte 2 image.
    Image(Box<Built>),
    /// Something of a library or of Python itself, by its dotted path.
    Name(String),
    /// A module of the project.
    Module(FileId),
}

impl Constant {
    /// How deep in it there is something that can change: 0 is the value itself, 1 is what is in it.
    pub fn changeable(&self) -> Option<usize> {
        let (items, own): (Vec<&Self>, Option<usize>) = match self {
            Self::List(items) => (items.iter().collect(), Some(0)),
            Self::Tuple(items) => (items.iter().collect(), None),
            Self::Dict(items) => (items.iter().map(|(_, value)| value).collect(), Some(0)),
            _ => return None,
        };
        items.into_iter().filter_map(|item| Some(item.changeable()? + 1)).chain(own).max()
    }

    /// Whether it counts as true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(items) | Self::Tuple(items) => !items.is_empty(),
            Self::Dict(items) => !items.is_empty(),
            Self::Path(_) | Self::Secret(_) | Self::Image(_) | Self::Name(_) | Self::Module(_) => true,
        }
    }

    /// `str(value)`, for values whose text is known.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Self::None => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(value) => value.to_string(),
            // Python and Rust write numbers of usual size alike.
            Self::Float(value) if value.abs() < 1e15 && (value.abs() >= 1e-4 || *value == 0.0) => {
                format!("{value:?}")
            }
            Self::Str(text) | Self::Path(text) => text.clone(),
            Self::List(_) | Self::Tuple(_) | Self::Dict(_) => self.repr()?,
            _ => return None,
        })
    }

    /// `repr(value)`, for values whose text is known.
    pub fn repr(&self) -> Option<String> {
        let joined = |items: &[Self]| {
            items.iter().map(Self::repr).collect::<Option<Vec<_>>>().map(|items| items.join(", "))
        };
        Some(match self {
            Self::Str(text) => python_text::repr(text),
            Self::Path(_) | Self::Secret(_) | Self::Image(_) | Self::Name(_) | Self::Module(_) => {
                return None;
            }
            Self::List(items) => format!("[{}]", joined(items)?),
            Self::Tuple(items) if items.len() == 1 => format!("({},)", joined(items)?),
            Self::Tuple(items) => format!("({})", joined(items)?),
            Self::Dict(items) => {
                let items =
                    items.iter().map(|(key, value)| Some(format!("{}: {}", key.repr()?, value.repr()?)));
                format!("{{{}}}", items.collect::<Option<Vec<_>>>()?.join(", "))
            }
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => self.text()?,
        })
    }

    /// What type it has, as Python calls it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::Path(_) => "a path",
            Self::List(_) => "a list",
            Self::Tuple(_) => "a tuple",
            Self::Dict(_) => "a dict",
            Self::Secret(_) => "a secret",
            Self::Image(_) => "an image",
            Self::Name(_) | Self::Module(_) => "something else",
        }
    }

    /// `value == other`: numbers are equal whatever their type, and dicts in any order.
    pub fn equals(&self, other: &Self) -> bool {
        let are_equal = |left: &[Self], right: &[Self]| {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.equals(right))
        };
        match (self, other) {
            (Self::List(left), Self::List(right)) | (Self::Tuple(left), Self::Tuple(right)) => {
                are_equal(left, right)
            }
            (Self::Dict(left), Self::Dict(right)) => {
                let holds = |(key, value): &(Self, Self)| {
                    right.iter().any(|(other, held)| key.equals(other) && value.equals(held))
                };
                left.len() == right.len() && left.iter().all(holds)
            }
            _ => match (self.number(), other.number()) {
                (Some(left), Some(right)) => left.partial_cmp(&right).is_some_and(Ordering::is_eq),
                _ => self == other,
            },
        }
    }

    /// A number as one that can be compared with others; whole numbers beyond what a float holds are none.
    fn number(&self) -> Option<f64> {
        const EXACT: i64 = 1 << 53;
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            #[expect(clippy::cast_precision_loss, reason = "a float holds these whole numbers")]
            Self::Int(value) if (-EXACT..=EXACT).contains(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of a list or tuple.
    pub fn elements(&self) -> Option<&[Constant]> {
        match self {
            Self::List(items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The elements of a list or tuple, or the letters of a string.
    pub fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::Str(text) => Some(text.chars().map(|letter| Self::Str(letter.to_string())).collect()),
            other => other.elements().map(<[Self]>::to_vec),
        }
    }

    /// What stands for a path where the SDK writes `Path(value)`.
    pub fn as_path(&self) -> Option<PathBuf> {
        match self {
            Self::Str(text) => Some(path::python_path(text)),
            Self::Path(text) => Some(PathBuf::from(text)),
            _ => None,
        }
    }

    /// `left + right`
    pub fn plus(self, right: Self) -> Option<Self> {
        Some(match (self, right) {
            (Self::Str(left), Self::Str(right)) => Self::Str(left + &right),
            (Self::Int(left), Self::Int(right)) => Self::Int(left.checked_add(right)?),
            (Self::List(mut left), Self::List(right)) => {
                left.extend(right);
                Self::List(left)
            }
            (Self::Tuple(mut left), Self::Tuple(right)) => {
                left.extend(right);
                Self::Tuple(left)
            }
            _ => return None,
        })
    }

    /// `left * right`, for texts and rows that are repeated a few times, and for whole numbers.
    pub fn times(self, right: &Self) -> Option<Self> {
        const MOST: usize = 10_000;
        if let (Self::Int(left), Self::Int(right)) = (&self, right) {
            return left.checked_mul(*right).map(Self::Int);
        }
        let Self::Int(count) = right else { return None };
        let count = usize::try_from(*count).unwrap_or_default();
        self.length()?.checked_mul(count).filter(|length| *length <= MOST)?;
        let repeated = |items: Vec<Self>| std::iter::repeat_n(items, count).flatten().collect();
        Some(match self {
            Self::Str(text) => Self::Str(text.repeat(count)),
            Self::List(items) => Self::List(repeated(items)),
            Self::Tuple(items) => Self::Tuple(repeated(items)),
            _ => return None,
        })
    }

    /// `element in value`
    pub fn holds(&self, element: &Self) -> Option<bool> {
        Some(match (self, element) {
            (Self::Str(text), Self::Str(part)) => text.contains(part.as_str()),
            (Self::Dict(items), key) => items.iter().any(|(known, _)| known.equals(key)),
            _ => self.elements()?.iter().any(|known| known.equals(element)),
        })
    }

    /// `len(value)`
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::Str(text) => Some(text.chars().count()),
            Self::Dict(items) => Some(items.len()),
            _ => self.elements().map(<[Self]>::len),
        }
    }

    /// `left / right`, for paths.
    pub fn divide(&self, right: &Self) -> Option<Self> {
        let ((Self::Path(_), Self::Str(_) | Self::Path(_)) | (Self::Str(_), Self::Path(_))) = (self, right)
        else {
            return None;
        };
        Some(Self::Path(path::join(&path::normalize(&self.text()?), &right.text()?)))
    }

    /// `left | right`, for dicts.
    pub fn unite(self, right: Self) -> Option<Self> {
        let (Self::Dict(left), Self::Dict(right)) = (self, right) else { return None };
        let mut items = left;
        for (key, value) in right {
            insert(&mut items, key, value);
        }
        Some(Self::Dict(items))
    }

    /// `value.name`, for paths and names of libraries.
    pub fn attribute(&self, name: &str) -> Option<Self> {
        let text = match self {
            Self::Name(path) => return Some(Self::Name(format!("{path}.{name}"))),
            Self::Path(text) => text,
            _ => return None,
        };
        Some(match name {
            "parent" => Self::Path(path::parent(text)),
            "name" => Self::Str(path::name(text).to_owned()),
            "stem" => Self::Str(path::stem(text).to_owned()),
            "suffix" => Self::Str(path::suffix(text).to_owned()),
            "parents" => {
                let mut parents = Vec::new();
                let mut current = text.clone();
                loop {
                    let next = path::parent(&current);
                    if next == current || current == "." {
                        break;
                    }
                    parents.push(Self::Path(next.clone()));
                    current = next;
                }
                Self::Tuple(parents)
            }
            _ => return None,
        })
    }

    /// `value[index]`
    pub fn item(&self, index: &Self) -> Option<Self> {
        match (self, index) {
            (Self::List(items) | Self::Tuple(items), index) => {
                items.get(index.position(items.len())??).cloned()
            }
            (Self::Str(text), index) => {
                let position = index.position(text.chars().count())??;
                text.chars().nth(position).map(|letter| Self::Str(letter.to_string()))
            }
            (Self::Dict(items), key) => {
                items.iter().find(|(known, _)| known.equals(key)).map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }

    /// The place in a row of this length that this index leads to; `None` inside if there is none.
    pub fn position(&self, length: usize) -> Option<Option<usize>> {
        let index = match self {
            Self::Int(index) => *index,
            Self::Bool(index) => i64::from(*index),
            _ => return None,
        };
        let length = i64::try_from(length).ok()?;
        let index = if index < 0 { index.saturating_add(length) } else { index };
        Some(usize::try_from(index).ok())
    }

    /// `value[lower:upper]`
    pub fn slice(&self, lower: Option<&Self>, upper: Option<&Self>) -> Option<Self> {
        let letters = self.items()?;
        let place = |bound: Option<&Self>, default: usize| match bound {
            None | Some(Self::None) => Some(default),
            Some(Self::Int(index)) => {
                let length = i64::try_from(letters.len()).ok()?;
                let index = if *index < 0 { index.saturating_add(length) } else { *index };
                usize::try_from(index.clamp(0, length)).ok()
            }
            Some(_) => None,
        };
        let (lower, upper) = (place(lower, 0)?, place(upper, letters.len())?);
        let part = letters.get(lower..upper).unwrap_or_default().to_vec();
        Some(match self {
            Self::Str(_) => Self::Str(part.iter().map(Self::text).collect::<Option<Vec<_>>>()?.concat()),
            Self::Tuple(_) => Self::Tuple(part),
            _ => Self::List(part),
        })
    }

    /// `value.name(*arguments)`, for strings and paths; only methods that depend on nothing else.
    pub fn method(&self, name: &str, arguments: &[Self]) -> Option<Self> {
        match self {
            Self::Str(text) => string_method(text, name, arguments),
            Self::Path(text) => path_method(text, name, arguments),
            Self::Dict(items) => match (name, arguments) {
                ("get", [key]) => Some(self.item(key).unwrap_or(Self::None)),
                ("get", [key, default]) => Some(self.item(key).unwrap_or_else(|| default.clone())),
                ("copy", []) => Some(self.clone()),
                ("keys", []) => Some(Self::List(items.iter().map(|(key, _)| key.clone()).collect())),
                ("items", []) => {
                    let items =
                        items.iter().map(|(key, value)| Self::Tuple(vec![key.clone(), value.clone()]));
                    Some(Self::List(items.collect()))
                }
                ("values", []) => Some(Self::List(items.iter().map(|(_, value)| value.clone()).collect())),
                _ => None,
            },
            Self::List(_) if name == "copy" && arguments.is_empty() => Some(self.clone()),
            _ => None,
        }
    }
}

/// `items[key] = value`
pub fn insert(items: &mut Vec<(Constant, Constant)>, key: Constant, value: Constant) {
    match items.iter_mut().find(|(known, _)| known.equals(&key)) {
        Some((_, known)) => *known = value,
        None => items.push((key, value)),
    }
}

/// Whether Python takes a character of ASCII for a space: it does so with the separators of files and records as well.
fn is_space(character: char) -> bool {
    character.is_ascii_whitespace() || matches!(character, '\x0b' | '\x1c'..='\x1f')
}

fn string_method(text: &str, name: &str, arguments: &[Constant]) -> Option<Constant> {
    let text = match (name, arguments) {
        // Beyond ASCII, Python's tables and Rust's may be of different age.
        ("lower", []) if text.is_ascii() => text.to_lowercase(),
        ("upper", []) if text.is_ascii() => text.to_uppercase(),
        ("strip", []) if text.is_ascii() => text.trim_matches(is_space).to_owned(),
        ("replace", [Constant::Str(from), Constant::Str(to)]) if !from.is_empty() => text.replace(from, to),
        ("removeprefix", [Constant::Str(prefix)]) => {
            text.strip_prefix(prefix.as_str()).unwrap_or(text).to_owned()
        }
        ("removesuffix", [Constant::Str(suffix)]) => {
            text.strip_suffix(suffix.as_str()).unwrap_or(text).to_owned()
        }
        ("join", [items]) => {
            let items = items.elements()?.iter().map(|item| match item {
                Constant::Str(text) => Some(text.as_str()),
                _ => None,
            });
            items.collect::<Option<Vec<_>>>()?.join(text)
        }
        ("format", _) => format(text, arguments)?,
        ("startswith", [Constant::Str(part)]) => {
            return Some(Constant::Bool(text.starts_with(part.as_str())));
        }
        ("endswith", [Constant::Str(part)]) => return Some(Constant::Bool(text.ends_with(part.as_str()))),
        ("split", [Constant::Str(separator)]) if !separator.is_empty() => {
            return Some(Constant::List(
                text.split(separator.as_str()).map(|part| Constant::Str(part.to_owned())).collect(),
            ));
        }
        ("split", []) if text.is_ascii() => {
            return Some(Constant::List(
                text.split(is_space)
                    .filter(|part| !part.is_empty())
                    .map(|part| Constant::Str(part.to_owned()))
                    .collect(),
            ));
        }
        _ => return None,
    };
    Some(Constant::Str(text))
}

/// `"{}-{}".format(a, b)`, without names, numbers and format specifications.
fn format(text: &str, arguments: &[Constant]) -> Option<String> {
    let parts: Vec<&str> = text.split("{}").collect();
    if parts.len() != arguments.len() + 1 || parts.iter().any(|part| part.contains(['{', '}'])) {
        return None;
    }
    let mut result = parts[0].to_owned();
    for (argument, part) in arguments.iter().zip(&parts[1..]) {
        result.push_str(&argument.text()?);
        result.push_str(part);
    }
    Some(result)
}

fn path_method(text: &str, name: &str, arguments: &[Constant]) -> Option<Constant> {
    match (name, arguments) {
        ("as_posix" | "__str__" | "__fspath__", []) => Some(Constant::Str(text.to_owned())),
        ("joinpath", parts) => {
            let mut joined = text.to_owned();
            for part in parts {
                joined = path::join(&joined, &part.text()?);
            }
            Some(Constant::Path(joined))
        }
        ("with_name", [Constant::Str(name)]) => Some(Constant::Path(path::join(&path::parent(text), name))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Constant {
        Constant::Str(text.to_owned())
    }

    #[test]
    fn paths_are_joined_and_taken_apart() {
        let file = Constant::Path("/p/flows/train.py".to_owned());
        let parent = file.attribute("parent").unwrap();
        assert_eq!(
            parent.divide(&text("../req.txt")),
            Some(Constant::Path("/p/flows/../req.txt".to_owned()))
        );
        assert_eq!(parent.divide(&text("/etc")), Some(Constant::Path("/etc".to_owned())));
        let parents = file.attribute("parents").unwrap();
        assert_eq!(parents.item(&Constant::Int(1)), Some(Constant::Path("/p".to_owned())));
        assert_eq!(parents.item(&Constant::Int(2)), Some(Constant::Path("/".to_owned())));
        assert_eq!(text("a").divide(&text("b")), None);
    }

    #[test]
    fn methods_of_strings_are_those_of_python() {
        assert_eq!(text("Ab").method("lower", &[]), Some(text("ab")));
        assert_eq!(text("{}-{}").method("format", &[text("a"), Constant::Int(3)]), Some(text("a-3")));
        assert_eq!(text("{0}").method("format", &[text("a")]), None);
        assert_eq!(text("Ä").method("lower", &[]), None);
        let items = Constant::List(vec![text("a"), text("b")]);
        assert_eq!(text(",").method("join", &[items]), Some(text("a,b")));
    }

    #[test]
    fn slices_end_where_the_value_ends() {
        let slice = |value: &Constant, lower: Option<i64>, upper: Option<i64>| {
            let (lower, upper) = (lower.map(Constant::Int), upper.map(Constant::Int));
            value.slice(lower.as_ref(), upper.as_ref())
        };
        assert_eq!(slice(&text("abcd"), Some(1), Some(-1)), Some(text("bc")));
        assert_eq!(slice(&text("äbc"), None, Some(1)), Some(text("ä")));
        assert_eq!(slice(&text("abc"), Some(-9), Some(9)), Some(text("abc")));
        assert_eq!(slice(&text("abc"), Some(2), Some(1)), Some(text("")));
        let row = Constant::Tuple(vec![text("a"), text("b")]);
        assert_eq!(slice(&row, Some(1), None), Some(Constant::Tuple(vec![text("b")])));
        assert_eq!(slice(&Constant::Int(1), None, None), None);
    }

    #[test]
    fn equal_is_what_python_calls_equal() {
        let dict = |items: &[(&str, i64)]| {
            Constant::Dict(items.iter().map(|(key, value)| (text(key), Constant::Int(*value))).collect())
        };
        for (left, right, is_equal) in [
            (Constant::Int(1), Constant::Bool(true), true),
            (Constant::Int(1), Constant::Float(1.0), true),
            (Constant::Float(0.0), Constant::Float(-0.0), true),
            (Constant::Int(i64::MAX), Constant::Int(i64::MAX), true),
            (Constant::Int(i64::MAX), Constant::Int(i64::MAX - 1), false),
            (text("1"), Constant::Int(1), false),
            (text("a"), Constant::Path("a".to_owned()), false),
            (dict(&[("a", 1), ("b", 2)]), dict(&[("b", 2), ("a", 1)]), true),
            (dict(&[("a", 1)]), dict(&[("a", 2)]), false),
            (Constant::List(vec![Constant::Int(1)]), Constant::List(vec![Constant::Bool(true)]), true),
            (Constant::List(vec![Constant::Int(1)]), Constant::Tuple(vec![Constant::Int(1)]), false),
        ] {
            assert_eq!(left.equals(&right), is_equal, "{left:?} {right:?}");
        }
        let mut items = vec![(Constant::Int(1), text("a"))];
        insert(&mut items, Constant::Bool(true), text("b"));
        assert_eq!(items, [(Constant::Int(1), text("b"))]);
        assert_eq!(text("\x1c a\x1f").method("strip", &[]), Some(text("a")));
    }

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let written = |value: f64| Constant::Float(value).text();
        assert_eq!(
            (written(1.0), written(0.25), written(1e300)),
            (Some("1.0".into()), Some("0.25".into()), None)
        );
        assert_eq!(Constant::Bool(true).text(), Some("True".to_owned()));
    }
}
