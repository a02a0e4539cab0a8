//! Time, memory, and everything else of which there is only so much.

use std::{fmt, hint::black_box, time::Duration};

use cofferdam_plugin::{
    Failure, Result,
    artifact::{Algorithm, Range},
    bindings::imports::wasi::{http::types::Fields, random::random::get_random_bytes},
    log,
};

use crate::Settings;

/// As much as a text can ask for at a time.
const GIGABYTE: usize = 1_000_000_000;

#[expect(clippy::print_stderr, reason = "that is the harm")]
pub(crate) fn act(mode: &str, settings: &Settings) -> Option<Result<String>> {
    Some(match mode {
        "loop" => endless(),
        "sleep" => {
            std::thread::sleep(Duration::from_hours(1));
            Ok("slept".to_owned())
        }
        // Half the time in the component, half of it in the host.
        "sleep-often" => loop {
            std::thread::sleep(Duration::from_millis(1));
        },
        "memory" => memory(),
        "stack" => Ok(deeper(1).to_string()),
        "trap" => panic!("the component has given up"),
        "trap-huge" => panic!("{}", Huge(GIGABYTE)),
        "words-huge" => {
            eprint!("{}", Huge(length(settings)));
            std::process::abort()
        }
        "exit" => std::process::exit(3),
        "stderr" => stderr(),
        "log" => Ok(flood(settings)),
        "log-line" => {
            log::info("<b>long</b> ".repeat(length(settings) / 12));
            Ok("written".to_owned())
        }
        "message-huge" => Err(Failure::permanent("x".repeat(length(settings)))),
        "message-odd" => Err(Failure::permanent(
            "\u{1b}[2J\u{1b}[31mred\r\n<script>alert(1)</script>\u{202e}desrever\0",
        )),
        "resources" => Ok(resources(settings)),
        "streams" => streams(settings),
        "digests" => digests(settings),
        "random" => {
            let length = if settings.bytes == 0 { 1 << 30 } else { settings.bytes };
            Ok(format!("{} random bytes", get_random_bytes(length).len()))
        }
        _ => return None,
    })
}

fn endless() -> ! {
    let mut number = 0_u64;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}

/// Takes memory and writes to it until there is none.
fn memory() -> ! {
    let mut all = Vec::new();
    loop {
        all.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Calls itself, with something on the stack that is needed afterwards.
#[expect(unconditional_recursion, reason = "that is the harm")]
fn deeper(number: u64) -> u64 {
    let here = black_box([number; 64]);
    let below = deeper(number + 1);
    here.iter().sum::<u64>() + below
}

/// How long a text is to be: as long as the settings say, or a gigabyte.
pub(crate) fn length(settings: &Settings) -> usize {
    if settings.bytes == 0 {
        return GIGABYTE;
    }
    usize::try_from(settings.bytes).unwrap_or(usize::MAX)
}

/// A text of so many bytes that is written piece by piece, without the memory
/// for all of it.
struct Huge(usize);

impl fmt::Display for Huge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let piece = "panic ".repeat(1_000);
        (0..self.0 / piece.len()).try_for_each(|_| f.write_str(&piece))
    }
}

#[expect(clippy::print_stderr, clippy::print_stdout, reason = "that is the harm")]
fn stderr() -> ! {
    loop {
        eprintln!("\u{1b}[31m<img src=x onerror=alert(1)> error");
        println!("{}", "out ".repeat(1_000));
    }
}

fn flood(settings: &Settings) -> String {
    let times = if settings.times == 0 { 1_000_000 } else { settings.times };
    for number in 0..times {
        log::warning(format_args!("\u{1b}[31m<script>alert({number})</script>\r\n\0\u{202e}"));
    }
    format!("{times} lines")
}

/// Things that the host keeps for the component.
fn resources(settings: &Settings) -> String {
    let times = if settings.times == 0 { 10_000 } else { settings.times };
    let all: Vec<_> = (0..times).map(|_| Fields::new()).collect();
    format!("{} resources", black_box(all).len())
}

/// The artifact, opened again and again; only while a backup is stored.
fn streams(settings: &Settings) -> Result<String> {
    let times = if settings.times == 0 { 10_000 } else { settings.times };
    let all: Result<Vec<_>> = (0..times).map(|_| Range::whole().open()).collect();
    Ok(format!("{} streams", all?.len()))
}

/// Work for the host, which costs the component nothing.
fn digests(settings: &Settings) -> Result<String> {
    let times = if settings.times == 0 { 1_000_000 } else { settings.times };
    for _ in 0..times {
        Range::whole().digest(Algorithm::Sha256)?;
    }
    Ok(format!("{times} digests"))
}
