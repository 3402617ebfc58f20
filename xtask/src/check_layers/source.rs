//! Just enough of Rust's grammar to tell code from comments and texts, and to read imports.

/// The same text, line by line, with every comment and every string's content as spaces.
pub(super) fn blank_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            end_after(rest, 2, "*/")
        } else if let Some(hashes) = raw_string(rest, code.chars().next_back()) {
            let close = format!("\"{}", "#".repeat(hashes));
            end_after(rest, hashes + 2, &close)
        } else if first == '"' {
            end_of_string(rest)
        } else if let Some(length) = char_literal(rest) {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    code
}

fn end_after(text: &str, from: usize, close: &str) -> usize {
    text[from..].find(close).map_or(text.len(), |at| from + at + close.len())
}

/// How many hashes the raw string that begins here has.
fn raw_string(text: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| is_word(c) && c != 'b') {
        return None;
    }
    let hashes = text.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    hashes[count..].starts_with('"').then_some(count)
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'x'` and `'\n'`, but not the lifetime `'a`.
fn char_literal(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let escaped = inside.starts_with('\\');
    let content = if escaped { 2 } else { inside.chars().next()?.len_utf8() };
    let close = inside.get(content..)?.find('\'')?;
    (escaped || close == 0).then_some(1 + content + close + 1)
}

/// Every imported path in full, with the line where its statement begins.
pub(super) fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut statement: Option<(usize, String)> = None;
    for (index, line) in code.lines().enumerate() {
        let begins = line.split_whitespace().find(|word| !word.starts_with("pub")) == Some("use");
        if statement.is_none() && begins {
            let tree = line.split_once("use ").map_or("", |(_, tree)| tree);
            statement = Some((index + 1, tree.to_owned()));
        } else if let Some((_, tree)) = &mut statement {
            tree.push(' ');
            tree.push_str(line);
        }
        if line.contains(';')
            && let Some((at, tree)) = statement.take()
        {
            let tree = tree.split(';').next().unwrap_or_default();
            expand("", tree, &mut |path| found.push((at, path)));
        }
    }
    found
}

/// `a::{b, c::{d, e as f}}` → `a::b`, `a::c::d`, `a::c::e`.
fn expand(prefix: &str, tree: &str, found: &mut dyn FnMut(String)) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        if let Some(path) = tree.split_whitespace().next() {
            found(format!("{prefix}{path}"));
        }
        return;
    };
    let prefix = format!("{prefix}{head}");
    let group = group.strip_suffix('}').unwrap_or(group);
    let mut depth = 0_usize;
    let at_top_level = |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    for branch in group.split(at_top_level) {
        expand(&prefix, branch, found);
    }
}

/// Whether the line names the path, or calls the method, as a whole word.
pub(super) fn mentions(line: &str, mention: &str) -> bool {
    line.match_indices(mention).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + mention.len()..].chars().next();
        mention.starts_with('.')
            || (!before.is_some_and(|c| is_word(c) || c == ':') && !after.is_some_and(is_word))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_in_full() {
        let code = "use a::b;\npub(crate) use c::{\n    d,\n    e::{f, g as h},\n};\nfn use_it() {}\n";
        let paths: Vec<_> = imports(code).into_iter().map(|(line, path)| format!("{line} {path}")).collect();
        assert_eq!(paths, ["1 a::b", "2 c::d", "2 c::e::f", "2 c::e::g"]);
    }

    #[test]
    fn words_are_whole() {
        assert!(mentions("use tokio::time", "tokio"));
        assert!(mentions("let x = tokio::spawn(f)", "tokio"));
        assert!(!mentions("use tokio_util::sync", "tokio"));
        assert!(!mentions("self.my_tokio", "tokio"));
        assert!(!mentions("crate::axum::x", "axum"));
        assert!(mentions("tx.commit().await", ".commit()"));
    }

    #[test]
    fn lifetimes_are_not_characters() {
        let code =
            blank_comments_and_strings("fn f<'a>(x: &'a str) -> char { '\\'' } // end\nlet q = '\"'; tokio");
        assert!(code.contains("&'a str") && code.contains("tokio") && !code.contains("end"), "{code}");
        assert_eq!(code.lines().count(), 2);
    }
}
