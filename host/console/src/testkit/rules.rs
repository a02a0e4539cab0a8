//! The clauses, and what the contract asks in each of them. `wit/README.md`
//! has the same list for authors; a test holds the two together.

/// A clause of the contract.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is called.
    pub name: &'static str,
    /// What it asks of a component.
    pub asks: &'static str,
}

macro_rules! rules {
    ($($constant:ident: $name:literal, $asks:literal;)+) => {
        $(pub const $constant: Rule = Rule { name: $name, asks: $asks };)+
        /// All of them, in the order in which they are tried.
        #[cfg(test)]
        pub const ALL: &[&Rule] = &[$(&$constant),+];
    };
}

rules! {
    LOAD: "load", "a component that imports only what the console has, and exports plugin and at least one role";
    DESCRIBE: "describe", "the same description every time, with nothing granted, within a second";
    FORM: "schema.form", "a schema whose fields a form can show: each with a type and a title, known marks, and a default that fits";
    SECRETS: "schema.secrets", "settings that hold secrets are marked secret, and have no default";
    PLACES: "schema.places", "grants are asked for what is used: hosts and folders are named by settings that are marked so";
    BAD_SETTINGS: "check.bad-settings", "settings that do not fit are answered with invalid-config and the JSON pointer of a setting, before anything is reached";
    GOOD_SETTINGS: "check.good-settings", "good settings are answered with a sentence, twice over, and nothing is left behind";
    STORE: "storage.store", "the whole file is stored, and the receipt says where, without a secret";
    OPEN: "storage.open", "a stored file is fetched byte for byte";
    RANGE: "storage.range", "a part of a stored file is fetched from its offset on, as long as was asked for";
    LIST: "storage.list", "a stored file is listed, with its location, name and size; a place without a list answers permanent";
    AGAIN: "storage.again", "the same backup stored again is found or overwritten, never doubled";
    LARGE: "storage.large", "a large file is stored within the limits of memory and computing";
    SHORT: "storage.short", "a file that ends early is not called stored, and what is left of it is not taken for whole";
    STOPPED: "storage.stopped", "a call may be stopped at any moment: nothing is taken for whole, and the next attempt succeeds";
    BOUNDED: "storage.bounded", "a call that a limit of memory or computing stops leaves nothing that is taken for whole, and the next attempt succeeds";
    REMOVE: "storage.remove", "a stored file is removed with its sidecar; that it is gone already is a success";
    GONE: "storage.gone", "fetching what is not there is answered with not-found";
    KINDS: "notifier.kinds", "every kind of event is passed on, or passed over, with a sentence";
    UNKNOWN: "notifier.unknown", "an event of a kind that came later is treated by its severity";
    TEXTS: "notifier.texts", "an event may hold any text, have no backup and no address, and come twice";
    NEWEST: "retention.newest", "neither the newest backup nor a pinned one is ever named, however old it is";
    SELECT: "retention.select", "only given backups are named, each once; the same question has the same answer";
    MANY: "retention.many", "no backup, one backup and 10,000 backups are judged within the limits";
    DENIED: "failure.denied", "what the console denies is answered with denied, and not tried again";
    REFUSED: "failure.refused", "a server or relay that cannot be reached now is answered with temporary";
    BUSY: "failure.busy", "a server that answers 503 is answered with temporary";
    FORBIDDEN: "failure.forbidden", "a server that answers 403 is not answered with temporary: it will not change its mind by itself";
    QUIET: "texts.secrets", "no text for people holds a secret: no sentence, failure, receipt or log line";
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

    use super::*;

    /// `UPDATE_README=1 cargo test -p cofferdam readme` writes it.
    #[test]
    fn the_readme_of_the_contract_has_every_clause() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/README.md");
        let readme = fs::read_to_string(&path).expect("wit/README.md");
        let (before, rest) = readme.split_once("<!-- clauses -->\n").expect("the table's begin");
        let (now, after) = rest.split_once("<!-- /clauses -->").expect("the table's end");
        let mut table = String::from("| clause | it asks for |\n| --- | --- |\n");
        for rule in ALL {
            writeln!(table, "| `{}` | {} |", rule.name, rule.asks).expect("text is written");
        }
        if std::env::var_os("UPDATE_README").is_some() {
            let text = format!("{before}<!-- clauses -->\n{table}<!-- /clauses -->{after}");
            fs::write(&path, text).expect("wit/README.md is written");
            return;
        }
        assert_eq!(now, table, "UPDATE_README=1 writes it");
    }

    #[test]
    fn each_clause_has_a_name_of_its_own_and_asks_for_something() {
        let names: BTreeSet<_> = ALL.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|rule| rule.asks.len() > 20));
    }
}
