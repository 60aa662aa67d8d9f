//! How Python writes values as text: the identity of an image takes some of them in that form.
//!
//! ```python
//! repr("it's")                 # "it's", in double quotes
//! str(Secret(key="TOKEN"))     # Secret(key='TOKEN', group=None, mount=None, as_env_var='TOKEN')
//! ```

use super::Secret;

/// `repr(text)`
pub(crate) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if c == quote => {
                written.push('\\');
                written.push(c);
            }
            c if is_printable(c) => written.push(c),
            c if u32::from(c) < 0x100 => written.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => written.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => written.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    written.push(quote);
    written
}

/// `str.isprintable` of one character, but for those that no version of Unicode has assigned yet.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let is_format = matches!(
        u32::from(c),
        0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E
            | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFEFF | 0xFFF9..=0xFFFB | 0xE0000..=0x10_FFFF
    );
    !is_format && !c.is_control() && !c.is_whitespace()
}

/// `repr` of a text or `None`.
pub(super) fn repr_option(text: Option<&str>) -> String {
    text.map_or_else(|| "None".to_owned(), repr)
}

/// `repr` of a list of texts.
pub(super) fn repr_list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| repr(item)).collect();
    format!("[{}]", items.join(", "))
}

/// `str(secret)`
pub(super) fn secret(secret: &Secret) -> String {
    if secret.is_plain {
        return secret.key.clone();
    }
    let mount = secret.mount.as_ref().map(|mount| repr(&mount.to_string_lossy()));
    let mount = match mount {
        None => "None".to_owned(),
        Some(mount) if secret.is_mount_plain => mount,
        Some(mount) => format!("PosixPath({mount})"),
    };
    format!(
        "Secret(key={}, group={}, mount={mount}, as_env_var={})",
        repr(&secret.key),
        repr_option(secret.group.as_deref()),
        repr_option(secret.as_env_var.as_deref()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        for (text, written) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("a\\b\n\u{7f}é\u{a0}", "'a\\\\b\\n\\x7fé\\xa0'"),
            ("\u{200b}", "'\\u200b'"),
        ] {
            assert_eq!(repr(text), written);
        }
    }

    #[test]
    fn a_secret_is_written_with_its_fields() {
        let token = Secret::new("my-token".into(), None, None, None);
        assert_eq!(secret(&token), "Secret(key='my-token', group=None, mount=None, as_env_var='MY_TOKEN')");
        let mounted = Secret::new("k".into(), Some("g".into()), Some("/etc/flyte/secrets".into()), None);
        assert_eq!(
            secret(&mounted),
            "Secret(key='k', group='g', mount=PosixPath('/etc/flyte/secrets'), as_env_var=None)"
        );
        assert_eq!(secret(&Secret::plain("k".into())), "k");
    }
}
