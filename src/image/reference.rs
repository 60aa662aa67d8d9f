//! References to images in registries, as Docker's grammar has them.
//!
//! ```text
//! registry.example.com:5000/team/train:1.2@sha256:…
//! ```

/// What is wrong with a reference; `None` if it is valid.
pub fn problem(reference: &str) -> Option<String> {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
        return Some(format!("`{digest}` is no digest"));
    }
    let (repository, tag) = match rest.rsplit_once(':') {
        // What stands behind the colon of a port has a slash in it.
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (rest, None),
    };
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Some(format!("`{tag}` is no tag"));
    }
    repository_problem(repository)
}

/// What is wrong with a repository, with or without a registry in front; `None` if it is valid.
pub fn repository_problem(repository: &str) -> Option<String> {
    let path = match repository.split_once('/') {
        Some((host, path)) if is_host(host) => path,
        _ => repository,
    };
    if repository.is_empty() || path.is_empty() {
        return Some("it names no image".to_owned());
    }
    if path.chars().any(|c| c.is_ascii_uppercase()) {
        return Some("it has capital letters, which no registry takes".to_owned());
    }
    let wrong = path.split('/').find(|component| !is_component(component))?;
    Some(format!("`{wrong}` is no name of a repository"))
}

/// Whether the part in front of the first slash is the host of a registry.
fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    let is_port = port.is_none_or(|port| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()));
    is_name && is_port && (host.contains(['.', ':']) || host == "localhost")
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separators = component.split(is_word).filter(|separator| !separator.is_empty());
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && separators
            .all(|separator| matches!(separator, "." | "_" | "__") || separator.chars().all(|c| c == '-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(is_word) && tag.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_what_only_looks_like_them() {
        let digest = format!("debian@sha256:{}", "0a".repeat(32));
        for valid in [
            "debian",
            "python:3.12-slim",
            "ghcr.io/a/b_c:v1.2-x",
            "localhost:30000/flyte:py3.11",
            "Registry.Example.com/a--b/c__d",
            &digest,
        ] {
            assert_eq!(problem(valid), None, "{valid}");
        }
        for wrong in [
            "",
            "ghcr.io/",
            "Debian:12",
            "a b",
            "a:",
            "a:b c",
            "a/_b",
            "a//b",
            "https://ghcr.io/a",
            "a@sha256:0",
            "-a",
        ] {
            assert!(problem(wrong).is_some(), "{wrong}");
        }
    }
}
