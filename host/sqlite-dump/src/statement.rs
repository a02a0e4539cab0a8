//! The texts in `sqlite_schema`, made fit to be run by a program that reads
//! SQL line by line.
//!
//! SQLite keeps the text of each CREATE statement as it was written. Put into
//! a script unchanged, some of them come out different or do harm: the
//! `sqlite3` shell drops the carriage return from a CR LF pair, takes a line
//! that holds only `/` or `go` for the end of the statement, and would run
//! whatever a prepared file has behind a semicolon, its own `.shell` command
//! included. Such a text is written in an equivalent form and, afterwards,
//! corrected in the schema to the letter.

/// A statement ready to be run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Executable {
    /// One statement, without its semicolon.
    pub(crate) text: String,
    /// Whether running it makes SQLite keep the original text.
    pub(crate) exact: bool,
}

/// A text as it arrives where line ends are made uniform on the way.
pub(crate) fn by_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// A name in double quotes, the doubled ones inside it included.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What a piece of SQL is to this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    LineComment,
    BlockComment,
    Quoted,
    Word,
    Semicolon,
    Other,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

impl Token<'_> {
    fn is_filler(self) -> bool {
        matches!(self.kind, Kind::Space | Kind::LineComment | Kind::BlockComment)
    }

    fn is_word(self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// Makes the text of a CREATE statement fit to be run. `stored_as` are the
/// beginnings SQLite itself gives to texts of this kind, such as
/// `CREATE TABLE `. Nothing if the text is not such a statement at all.
pub(crate) fn executable(sql: &str, stored_as: &[&str]) -> Option<Executable> {
    let mut tokens = tokens(sql)?;
    if !stored_as.iter().any(|start| begins_with(&tokens, start)) {
        return None;
    }
    let is_trigger = stored_as == ["CREATE TRIGGER "];
    let whole = tokens.len();
    tokens.truncate(end_of_statement(&tokens, is_trigger));

    let open_comment = |t: &Token<'_>| {
        t.kind == Kind::BlockComment && (t.text.len() < 4 || !t.text.ends_with("*/"))
    };
    let harmless = tokens.len() == whole
        && !sql.contains("\r\n")
        && !tokens.last().is_some_and(open_comment)
        && !tokens.windows(2).any(|pair| pair[0].is_filler() && starts_terminator_line(pair))
        && !has_terminator_line(sql);
    if !harmless {
        return Some(Executable { text: compact(&tokens), exact: false });
    }
    let exact = stored_as.iter().any(|start| sql.starts_with(start));
    let ends_in_comment = tokens.last().is_some_and(|t| t.kind == Kind::LineComment);
    Some(Executable { text: format!("{sql}{}", if ends_in_comment { "\n" } else { "" }), exact })
}

/// Whether the word occurs outside strings, names and comments.
pub(crate) fn has_word(sql: &str, word: &str) -> bool {
    tokens(sql).is_some_and(|tokens| tokens.iter().any(|token| token.is_word(word)))
}

fn begins_with(tokens: &[Token<'_>], start: &str) -> bool {
    let mut words = tokens.iter().filter(|token| !token.is_filler());
    start.split_ascii_whitespace().all(|word| words.next().is_some_and(|token| token.is_word(word)))
}

/// The index behind the last token of the first statement. A trigger's body
/// ends with an END behind a semicolon, and has semicolons of its own.
fn end_of_statement(tokens: &[Token<'_>], is_trigger: bool) -> usize {
    let mut after_semicolon = false;
    let mut body_ended = false;
    for (index, token) in tokens.iter().enumerate() {
        if token.is_filler() {
            continue;
        }
        if token.kind == Kind::Semicolon && (!is_trigger || body_ended) {
            return index;
        }
        body_ended = after_semicolon && token.is_word("END");
        after_semicolon = token.kind == Kind::Semicolon;
    }
    tokens.len()
}

/// Whether a line begins between these two tokens with something the shell
/// may take for its own end of a statement.
fn starts_terminator_line(pair: &[Token<'_>]) -> bool {
    pair[0].text.contains('\n') && (pair[1].text.starts_with('/') || pair[1].is_word("go"))
}

/// The same, found by lines: what follows a comment's end on its last line
/// is seen here only.
fn has_terminator_line(sql: &str) -> bool {
    sql.lines().skip(1).any(|line| {
        let line = line.trim();
        line == "/" || line.eq_ignore_ascii_case("go")
    })
}

/// The statement on as few lines as it can be: comments left out, and one
/// space for each space. The text inside quotes keeps its line feeds, and
/// loses the carriage returns the shell would take away in any case.
fn compact(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        if !token.is_filler() {
            text.push_str(&by_lines(token.text));
        } else if !text.ends_with(' ') {
            text.push(' ');
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text
}

/// Cuts SQL into tokens that together are the whole text. Nothing where a
/// quote is left open, which SQLite does not accept either.
fn tokens(sql: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            _ if rest.starts_with("--") => {
                (Kind::LineComment, rest.find('\n').unwrap_or(rest.len()))
            }
            _ if rest.starts_with("/*") => {
                (Kind::BlockComment, rest[2..].find("*/").map_or(rest.len(), |end| end + 4))
            }
            '\'' | '"' | '`' => (Kind::Quoted, closing(rest, first)?),
            '[' => (Kind::Quoted, rest.find(']')? + 1),
            ';' => (Kind::Semicolon, 1),
            _ if is_space(first) => {
                (Kind::Space, rest.find(|c| !is_space(c)).unwrap_or(rest.len()))
            }
            _ if is_word(first) => (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            _ => (Kind::Other, first.len_utf8()),
        };
        let (text, behind) = rest.split_at(length);
        tokens.push(Token { kind, text });
        rest = behind;
    }
    Some(tokens)
}

/// The length of a quoted piece; a doubled quote inside stands for itself.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        if !text[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r')
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[&str] = &["CREATE TABLE "];
    const VIEW: &[&str] = &["CREATE VIEW "];
    const TRIGGER: &[&str] = &["CREATE TRIGGER "];

    fn run(sql: &str, stored_as: &[&str]) -> (String, bool) {
        let executable = executable(sql, stored_as).unwrap();
        (executable.text, executable.exact)
    }

    #[test]
    fn an_ordinary_statement_stays_as_it_is() {
        let sql = "CREATE TABLE \"a;b\"(x TEXT DEFAULT ';', -- key; \n y [odd;name] /* ; */)";
        assert_eq!(run(sql, TABLE), (sql.to_owned(), true));
        let sql = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; END";
        assert_eq!(run(sql, TRIGGER), (sql.to_owned(), true));
    }

    #[test]
    fn nothing_behind_the_first_statement_is_run() {
        let sql = "CREATE TABLE t(a);\n.shell true\n";
        assert_eq!(run(sql, TABLE), ("CREATE TABLE t(a)".to_owned(), false));
        let sql = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END ;\n.shell true";
        let kept = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END";
        assert_eq!(run(sql, TRIGGER), (kept.to_owned(), false));
    }

    #[test]
    fn lines_the_shell_takes_for_an_end_are_joined() {
        assert_eq!(
            run("CREATE VIEW v AS SELECT a -- x\n/\nb FROM t", VIEW),
            ("CREATE VIEW v AS SELECT a / b FROM t".to_owned(), false)
        );
        assert_eq!(
            run("CREATE VIEW v AS SELECT a\nGo  /* x */\nFROM t", VIEW),
            ("CREATE VIEW v AS SELECT a Go FROM t".to_owned(), false)
        );
        assert!(!run("CREATE VIEW v AS SELECT a /*\n*/ \ngo\nFROM t", VIEW).1);
    }

    #[test]
    fn carriage_returns_before_line_feeds_and_open_comments_are_corrected_afterwards() {
        assert_eq!(
            run("CREATE TABLE t(\r\n a DEFAULT 'x\r\ny')", TABLE),
            ("CREATE TABLE t( a DEFAULT 'x\ny')".to_owned(), false)
        );
        assert_eq!(
            run("CREATE VIEW v AS SELECT 1 /* open", VIEW),
            ("CREATE VIEW v AS SELECT 1".to_owned(), false)
        );
        assert_eq!(
            run("CREATE VIEW v AS SELECT 1 -- end", VIEW),
            ("CREATE VIEW v AS SELECT 1 -- end\n".to_owned(), true)
        );
        assert!(!run("create table t(a)", TABLE).1);
    }

    #[test]
    fn other_statements_are_refused() {
        assert_eq!(executable("ATTACH 'x' AS y", TABLE), None);
        assert_eq!(executable("CREATE TABLE t(a)", VIEW), None);
        assert_eq!(executable("CREATE TABLE t('a)", TABLE), None);
    }

    #[test]
    fn words_inside_quotes_and_comments_do_not_count() {
        assert!(has_word("CREATE TABLE t(a INTEGER PRIMARY KEY autoincrement)", "AUTOINCREMENT"));
        assert!(!has_word(
            "CREATE TABLE t(\"AUTOINCREMENT\" /* AUTOINCREMENT */)",
            "AUTOINCREMENT"
        ));
    }
}
