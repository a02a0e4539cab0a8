//! Tells the secret that it was given.

use cofferdam_plugin::{Failure, Result, log};

use crate::Settings;

#[expect(clippy::print_stderr, reason = "that is the harm")]
pub(crate) fn act(mode: &str, settings: &Settings) -> Option<Result<String>> {
    let secret = &settings.secret;
    let encoded = secret.replace('/', "%2F").replace(' ', "%20").replace('+', "%2B");
    Some(match mode {
        "leak" => {
            log::info(format_args!("the secret is {secret}"));
            eprintln!("the secret is {secret}");
            eprintln!("\u{1b}[31m{}{secret}", "x".repeat(1_980));
            Ok(format!("{secret} was told"))
        }
        "leak-failure" => Err(Failure::temporary(format!("refused: user:{secret} {encoded}"))),
        "leak-panic" => panic!("wrong password: {secret}"),
        _ => return None,
    })
}
