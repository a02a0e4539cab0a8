//! What the role lacks, and SQL for a role that has what it needs and no more.

use super::survey::Answer;
use crate::{Problem, ProblemKind};

/// A finding names this many things; the whole list stands beside it.
const NAMED: usize = 5;
/// The first version with the predefined role `pg_read_all_data`.
const READ_ALL_DATA: u32 = 14;

/// The findings about rights.
pub(super) fn problems(answer: &Answer) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !answer.unreadable.is_empty() {
        problems.push(Problem {
            kind: ProblemKind::Unreadable,
            text: format!(
                "the role {} may not read {}, so the backup would not be whole",
                ident(&answer.role),
                first_few(&answer.unreadable)
            ),
            hint: Some(format!("run as an administrator of the server: {}", mend(answer))),
        });
    }
    // Who may not read a table at all has nothing hidden in it.
    if !answer.filtered.is_empty() {
        problems.push(Problem {
            kind: ProblemKind::RowSecurity,
            text: format!(
                "row-level security would hide rows of {} from the role {}, so the backup would \
                 not be whole",
                first_few(&answer.filtered),
                ident(&answer.role)
            ),
            hint: Some(format!(
                "run as an administrator of the server: ALTER ROLE {} BYPASSRLS;",
                ident(&answer.role)
            )),
        });
    }
    problems
}

/// The statements that give the role what it lacks.
fn mend(answer: &Answer) -> String {
    let mut text = Vec::new();
    let is_large_object = |name: &&String| name.starts_with("large object ");
    if answer.unreadable.iter().any(|name| !is_large_object(&name)) {
        text.push(read_everything(answer, &ident(&answer.role)).join(" "));
    }
    let objects: Vec<&String> = answer.unreadable.iter().filter(is_large_object).collect();
    for name in objects.iter().take(NAMED) {
        text.push(format!(
            "GRANT SELECT ON {} TO {};",
            name.replace("large object", "LARGE OBJECT"),
            ident(&answer.role)
        ));
    }
    if objects.len() > NAMED {
        text.push("-- and so on for each large object".to_owned());
    }
    text.join(" ")
}

/// SQL that makes a role for backups of this database, to be run by an
/// administrator of the server.
pub(super) fn sql(answer: &Answer) -> String {
    let role = "cofferdam_backup";
    let bypass = if answer.filtered.is_empty() { "" } else { " BYPASSRLS" };
    let mut lines = vec![
        format!("CREATE ROLE {role} LOGIN{bypass};"),
        format!("-- In psql, set its password: \\password {role}"),
        format!("GRANT CONNECT ON DATABASE {} TO {role};", ident(&answer.database)),
    ];
    lines.extend(read_everything(answer, role));
    if answer.large_objects {
        lines.push(
            "-- Large objects have rights of their own; new ones need this again.".to_owned(),
        );
        lines.push(format!(
            "DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP \
             EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO {role}', o); END LOOP; END $$;"
        ));
    }
    lines.join("\n")
}

/// The statements that let a role read every table and sequence.
fn read_everything(answer: &Answer, role: &str) -> Vec<String> {
    if answer.major() >= READ_ALL_DATA {
        return vec![format!("GRANT pg_read_all_data TO {role};")];
    }
    let mut lines = Vec::new();
    for schema in &answer.schemas {
        lines.push(format!("GRANT USAGE ON SCHEMA {schema} TO {role};"));
        lines.push(format!("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};"));
        lines.push(format!("GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};"));
    }
    lines
}

fn first_few(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A name as SQL reads it: quoted unless it is plain. Keywords are quoted by
/// being not plain enough: only names with a digit or `_` go unquoted.
fn ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.contains(|c: char| c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::ident;

    #[test]
    fn names_are_quoted_where_they_could_mean_something_else() {
        assert_eq!(ident("backup_role"), "backup_role");
        assert_eq!(ident("user"), "\"user\"");
        assert_eq!(ident("a\"; DROP"), "\"a\"\"; DROP\"");
    }
}
