//! What a component asks of the console, in plain words.

use wasmtime::{Engine, component::Component};

use crate::{Refusal, version};

/// One interface that a component imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// As it is written in the component: `wasi:http/outgoing-handler@0.2.12`.
    pub name: String,
    /// What that lets it do, for people.
    pub words: &'static str,
}

/// The longest name of an import; versions may have any text behind a `+`.
const LONGEST: usize = 200;

/// Longer beginnings first: the first that fits counts.
const WORDS: &[(&str, &str)] = &[
    ("wasi:http/", "Requests over HTTP, to the hosts that are granted"),
    ("wasi:filesystem/", "Files, in the folder that is granted"),
    ("wasi:sockets/", "Network sockets, which are always refused"),
    ("wasi:clocks/", "The time"),
    ("wasi:random/", "Random numbers"),
    ("wasi:io/", "Streams of bytes, and waiting for them"),
    ("wasi:cli/environment", "Arguments and environment variables, which are empty"),
    ("wasi:cli/exit", "Ending itself"),
    ("wasi:cli/stdin", "Standard input, which is empty"),
    ("wasi:cli/", "Standard output and error, kept as log lines"),
    ("cofferdam:plugin/types", "The words of the contract"),
    ("cofferdam:plugin/artifact", "The file of the backup that it is given to store"),
    ("cofferdam:plugin/sink", "Handing over a file that it has fetched"),
    ("cofferdam:plugin/log", "Log lines"),
    ("cofferdam:plugin/mail", "Mail through the console's relay, if that is granted"),
];

/// The imports, or the first that the console does not know.
pub(crate) fn of(engine: &Engine, component: &Component) -> Result<Vec<Import>, Refusal> {
    let kind = component.component_type();
    let mut imports = Vec::new();
    for (name, _) in kind.imports(engine) {
        let known = WORDS.iter().find(|(start, _)| name.starts_with(start));
        let fits = name.len() <= LONGEST && version::is_offered(name);
        let Some((_, words)) = known.filter(|_| fits) else {
            return Err(Refusal::Import { name: crate::text::clean(name, 200, false) });
        };
        imports.push(Import { name: name.to_owned(), words });
    }
    Ok(imports)
}
