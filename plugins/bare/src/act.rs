//! Deeds that need no file.

use std::{fs, hint::black_box};

use crate::{
    bindings::{
        cofferdam::plugin::{artifact, log, mail, sink, types::Failure},
        wasi::{
            clocks::monotonic_clock::subscribe_duration,
            http::types::Fields,
            sockets::{
                instance_network::instance_network,
                network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress},
                tcp_create_socket::create_tcp_socket,
            },
        },
    },
    request, setting,
};

pub(crate) fn act(settings: &str) -> Result<String, Failure> {
    match setting(settings, "do") {
        "nothing" => {}
        "fail" => return Err(Failure::Permanent("\u{1b}[31mno\u{1b}[0m".to_owned())),
        "spin" => loop {
            black_box(());
        },
        "sleep" => subscribe_duration(3_600_000_000_000).block(),
        "grow" => {
            let mut kept = Vec::new();
            loop {
                kept.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        "recurse" => return Ok(deeper(0).to_string()),
        "panic" => panic!("this is how it ends"),
        "exit" => std::process::exit(3),
        "get" => return request::get(setting(settings, "url")),
        "get-twice" => {
            let first = request::get(setting(settings, "url"))?;
            return Ok(format!("{first} {}", request::get(setting(settings, "url"))?));
        }
        "post-forever" => return request::post_forever(setting(settings, "url")),
        "log" => log_much(),
        "shout" => log::write(log::Level::Info, &"x".repeat(17 << 20)),
        "long-answer" => return Ok("\u{1b}]0;x\u{7}<b>".repeat(1 << 20)),
        "handles" => {
            let mut kept = Vec::new();
            loop {
                kept.push(Fields::new());
            }
        }
        "environment" => {
            return Ok(format!("{} {}", std::env::vars().count(), std::env::args().count()));
        }
        "socket" => return Ok(format!("{:?}", connect())),
        "read-file" => return Ok(format!("{:?}", fs::read_to_string(setting(settings, "path")))),
        "write-file" => {
            return Ok(format!("{:?}", fs::write(setting(settings, "path"), "written")));
        }
        "long-method" => return Ok(request::long_method().to_string()),
        "unsent" => return Ok(request::unsent().to_string()),
        "write-much" => request::write_much(),
        "artifact" => return artifact::open(0, None).map(|_| String::new()),
        "sink" => return sink::begin(None).map(|_| String::new()),
        "mail" => {
            let message = mail::Message {
                to: vec!["ops@example.org".to_owned()],
                subject: "Hello".to_owned(),
                text: "There".to_owned(),
                html: None,
            };
            mail::send(&message)?;
        }
        other => return Err(Failure::Permanent(format!("cannot do {other:?}"))),
    }
    Ok("done".to_owned())
}

fn connect() -> Result<(), ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    let to = Ipv4SocketAddress { port: 80, address: (127, 0, 0, 1) };
    socket.start_connect(&instance_network(), IpSocketAddress::Ipv4(to))
}

fn log_much() {
    log::write(log::Level::Warning, "\u{1b}[31mred\u{1b}[0m\nsecond");
    println!("to standard output");
    eprint!("to standard error, without an end");
    for number in 0..2000 {
        log::write(log::Level::Info, &format!("line {number} {}", "x".repeat(5000)));
    }
}

#[expect(unconditional_recursion, reason = "that is the deed")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1)) + 1)
}
