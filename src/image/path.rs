//! Paths as Python's `pathlib` writes them: without `.`, doubled or trailing slashes, with `..` as it stands.
//!
//! ```python
//! Path("./data//x/").name    # "x"; str(Path("./data//x/")) is "data/x"
//! ```

use std::path::PathBuf;

/// `Path(text)` as text.
pub fn normalize(text: &str) -> String {
    // Two slashes at the start are kept, as POSIX gives them a meaning of their own.
    let root = match text.bytes().take_while(|&byte| byte == b'/').count() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    match (root, parts.join("/")) {
        ("", parts) if parts.is_empty() => ".".to_owned(),
        (root, parts) => format!("{root}{parts}"),
    }
}

/// `Path(text)`
pub fn python_path(text: &str) -> PathBuf {
    PathBuf::from(normalize(text))
}

/// `Path(left) / right`; an absolute path on the right replaces the left.
pub fn join(left: &str, right: &str) -> String {
    if right.starts_with('/') { normalize(right) } else { normalize(&format!("{left}/{right}")) }
}

/// `Path(path).parent`
pub fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", "")) => "/".to_owned(),
        Some(("", _)) => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
        None => ".".to_owned(),
    }
}

/// `Path(path).name`
pub fn name(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((_, name)) => name,
        None if path == "." => "",
        None => path,
    }
}

/// `Path(path).suffix`
pub fn suffix(path: &str) -> &str {
    let name = name(path);
    match name.rfind('.') {
        Some(at) if at > 0 && at + 1 < name.len() => &name[at..],
        _ => "",
    }
}

/// `Path(path).stem`
pub fn stem(path: &str) -> &str {
    let name = name(path);
    &name[..name.len() - suffix(path).len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_pathlib_writes_them() {
        for (text, path) in [
            ("./a//b/", "a/b"),
            ("a/../b/.", "a/../b"),
            ("", "."),
            ("///a", "/a"),
            ("//a", "//a"),
            ("/", "/"),
            ("./.", "."),
        ] {
            assert_eq!(normalize(text), path, "{text}");
        }
    }

    #[test]
    fn parts_are_those_of_pathlib() {
        assert_eq!(
            (parent("a/b"), parent("a"), parent("/a"), parent("/")),
            ("a".into(), ".".into(), "/".into(), "/".into())
        );
        assert_eq!((name("a/b.txt"), name("."), name("/")), ("b.txt", "", ""));
        assert_eq!((suffix("a.b/c.tar.gz"), suffix(".env"), suffix("x.")), (".gz", "", ""));
        assert_eq!((stem("a/c.tar.gz"), stem(".env")), ("c.tar", ".env"));
        assert_eq!(
            (join("a", "b"), join("a", "/b"), join(".", "b")),
            ("a/b".into(), "/b".into(), "b".into())
        );
    }
}
