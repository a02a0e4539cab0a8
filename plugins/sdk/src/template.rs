//! Paths made from what is known of a backup:
//! `backups/{database}/{yyyy}/{mm}/{filename}`.

use std::fmt::Write as _;

use crate::Backup;

/// What may stand between braces.
const PLACEHOLDERS: [&str; 8] = ["database", "engine", "yyyy", "mm", "dd", "hh", "filename", "id"];

/// Longer paths are refused by many places that keep files.
const LONGEST: usize = 900;

/// A path with placeholders. What it makes never begins with a slash, has no
/// empty part and no `.` or `..`, and is another one for each backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(&'static str),
}

impl Template {
    /// Reads it, or says what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            if start > 0 {
                pieces.push(Piece::Text(rest[..start].to_owned()));
            }
            let (name, after) = rest[start..]
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'))
                .ok_or("a brace stands alone: write a placeholder as {filename}")?;
            let known = PLACEHOLDERS.iter().find(|known| **known == name).ok_or_else(|| {
                format!("there is no {{{name}}}: there are {{{}}}", PLACEHOLDERS.join("} {"))
            })?;
            pieces.push(Piece::Placeholder(known));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let template = Self(pieces);
        template.verify()?;
        Ok(template)
    }

    /// Tells the faults of every path that it could make.
    fn verify(&self) -> Result<(), String> {
        let names_one = |piece: &Piece| matches!(piece, Piece::Placeholder("filename" | "id"));
        if !self.0.iter().any(names_one) {
            return Err(
                "it must contain {filename} or {id}, or backups would overwrite each other".into(),
            );
        }
        // No placeholder stands for a slash, so one sample shows all of them.
        let sample = self.fill(|_| "x");
        if sample.chars().any(|c| c.is_control() || c == '\\') {
            return Err("it must not contain control characters or backslashes".into());
        }
        if sample.starts_with('/') {
            return Err("it must not begin with a slash".into());
        }
        if sample.split('/').any(|part| matches!(part.trim(), "" | "." | "..")) {
            return Err("no part of it may be empty, a dot or two dots".into());
        }
        if sample.len() > LONGEST - 300 {
            return Err(format!("it must have at most {} characters", LONGEST - 300));
        }
        Ok(())
    }

    fn fill<'a>(&'a self, value: impl Fn(&'static str) -> &'a str) -> String {
        let mut path = String::new();
        for piece in &self.0 {
            path.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Placeholder(name) => value(name),
            });
        }
        path
    }

    /// The path of a backup. Its moments are those at which it was asked for, in UTC.
    pub fn path(&self, backup: &Backup) -> Result<String, String> {
        let at = |range: std::ops::Range<usize>| backup.created_at.get(range).unwrap_or_default();
        let path = self.fill(|name| match name {
            "database" => &backup.database,
            "engine" => &backup.engine,
            "yyyy" => at(0..4),
            "mm" => at(5..7),
            "dd" => at(8..10),
            "hh" => at(11..13),
            "filename" => &backup.filename,
            _ => &backup.id,
        });
        let odd =
            path.len() > LONGEST || path.split('/').any(|part| matches!(part, "" | "." | ".."));
        if odd { Err(format!("the path {path:?} cannot be used")) } else { Ok(path) }
    }

    /// What every path begins with, up to the last slash before the first
    /// placeholder: where to look for what is stored. Perhaps empty.
    pub fn prefix(&self) -> &str {
        match self.0.first() {
            Some(Piece::Text(text)) => &text[..text.rfind('/').map_or(0, |slash| slash + 1)],
            _ => "",
        }
    }

    /// How many parts, between slashes, its paths have.
    pub fn depth(&self) -> usize {
        self.fill(|_| "x").split('/').count()
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Placeholder(name) => write!(f, "{{{name}}}"),
        })
    }
}

impl<'de> serde::Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Text with each byte that is not plain in a URL's path or query as `%XX`.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The reverse of [`percent_encode`]. What is no `%XX` is left as it is.
pub fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digits = others.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &others[2..];
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backup() -> Backup {
        Backup {
            id: "018f".into(),
            database: "shop".into(),
            engine: "postgres".into(),
            filename: "backup_shop_20260131_020000.sql.gz".into(),
            size: 1,
            sha256: String::new(),
            created_at: "2026-01-31T02:00:00.000Z".into(),
            completed_at: "2026-01-31T02:00:01.000Z".into(),
            document: "{}".into(),
            sidecar: "{}".into(),
        }
    }

    #[test]
    fn every_placeholder_is_filled() {
        let text = "{database}/{engine}/{yyyy}-{mm}-{dd}T{hh}/{id}/{filename}";
        let template = Template::parse(text).expect("it is good");
        let path = template.path(&backup()).expect("it makes a path");
        assert_eq!(path, "shop/postgres/2026-01-31T02/018f/backup_shop_20260131_020000.sql.gz");
        assert_eq!(template.to_string(), text);
    }

    #[test]
    fn what_cannot_be_a_template_is_refused_with_a_reason() {
        for (text, reason) in [
            ("backups/{database}", "{filename} or {id}"),
            ("{filname}", "there is no {filname}"),
            ("{filename", "a brace"),
            ("filename}", "a brace"),
            ("/{filename}", "slash"),
            ("a//{filename}", "empty"),
            ("../{filename}", "two dots"),
            ("a/./{filename}", "dot"),
            ("{filename}/", "empty"),
            ("a\\{filename}", "backslash"),
            ("a\n{filename}", "control"),
            ("", "{filename} or {id}"),
        ] {
            let error = Template::parse(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn the_prefix_ends_with_the_last_slash_before_a_placeholder() {
        for (text, prefix) in [
            ("backups/{database}/{filename}", "backups/"),
            ("a/b-{filename}", "a/"),
            ("x-{filename}", ""),
            ("{filename}", ""),
        ] {
            assert_eq!(Template::parse(text).expect("it is good").prefix(), prefix);
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_inside(text in "[a-z./{} \\\\]{0,20}(\\{filename\\})?[a-z./]{0,5}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(template.to_string(), text);
                if let Ok(path) = template.path(&backup()) {
                    prop_assert!(path.starts_with(template.prefix()));
                    prop_assert!(!path.starts_with('/'));
                    prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
                }
            }
        }

        #[test]
        fn encoding_is_undone_by_decoding(text in ".{0,40}") {
            prop_assert_eq!(percent_decode(&percent_encode(&text)), text);
        }

        #[test]
        fn decoding_takes_any_text(text in "[%0-9a-zA-Zé]{0,20}") {
            let _ = percent_decode(&text);
        }
    }
}
