//! The command line.

mod args;
mod audit;
mod backup;
mod client;
mod config;
mod database;
mod delivering;
mod delivery;
mod destination;
mod download;
mod output;
mod plugin;
mod plugin_new;
mod plugin_test;
mod problem;
mod remote;
mod retention;
mod user;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Parser as _;
use cofferdam_model::Failure;

use crate::{
    config::{Config, Layers, environment},
    service::Error,
};
use args::{Cli, Command, Global};
use problem::Problem;

/// Understands the command line, does it, and says how it went: 0 done,
/// 1 failed, 2 wrong usage, 3 done but a delivery failed.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error),
    };
    if let Command::CompileComponent = cli.command {
        // A child of a console: it reads no settings and opens nothing.
        return cofferdam_runtime::compile_child();
    }
    let as_json = cli.global.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let problem = Problem::of(&error);
            output::problem(&problem, as_json);
            ExitCode::from(problem.exit)
        }
    }
}

/// Help, the version, or a command line that is none. A program gets the
/// mistake as JSON, although the flag that asks for it could not be parsed.
fn not_parsed(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if wants_json && error.use_stderr() {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        output::problem(&Problem::usage(text.trim_end()), true);
        return ExitCode::from(Problem::USAGE);
    }
    // A reader that has gone has seen what it wanted.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Problem::USAGE))
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let mut layers = Layers::read(cli.global.config.as_deref(), &environment());
    if let Some(folder) = &cli.global.data_dir {
        layers.set_flag("data_dir", "--data-dir", folder.display().to_string());
    }
    if let Command::Serve { listen: Some(listen) } = &cli.command {
        layers.set_flag("listen", "--listen", listen.clone());
    }
    if let Command::Config(args::Config::Check) = cli.command {
        return config::check(&layers, &cli.global);
    }
    let config = Config::from_layers(&layers)?;
    let serving = matches!(cli.command, Command::Serve { .. });
    start_log(&config, serving);
    for warning in config.warnings.iter().filter(|_| serving) {
        tracing::warn!("{warning}");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(dispatch(cli, config));
    // A blocked helper thread must not keep a finished command alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

async fn dispatch(cli: Cli, config: Config) -> anyhow::Result<()> {
    let Cli { command, global } = cli;
    let begins = command.begins();
    match command {
        Command::Serve { .. } => crate::serve::serve(config).await,
        Command::Backup(command) => {
            backup::run(command, &open(&global, config, begins).await?, global.json).await
        }
        Command::Database(command) => {
            database::run(command, &open(&global, config, begins).await?, global.json).await
        }
        // Neither needs a catalog, and so none is opened.
        Command::Plugin(args::Plugin::New(wish)) => plugin_new::run(&wish, global.json),
        Command::Plugin(args::Plugin::Test(wish)) => {
            plugin_test::run(wish, &config, global.json).await
        }
        Command::Plugin(command) => {
            plugin::run(command, &open(&global, config, begins).await?, global.json).await
        }
        Command::Destination(command) => {
            destination::run(command, &open(&global, config, begins).await?, global.json).await
        }
        Command::Delivery(command) => {
            delivery::run(command, &open(&global, config, begins).await?, global.json).await
        }
        Command::User(command) => {
            user::run(command, &open(&global, config, begins).await?, global.json).await
        }
        Command::Audit(args::Audit::Verify) => {
            audit::verify(&open(&global, config, begins).await?, global.json).await
        }
        Command::Config(_) | Command::CompileComponent => Ok(()),
    }
}

async fn open(global: &Global, config: Config, begins: bool) -> anyhow::Result<client::Client> {
    if global.token.is_some() && global.server.is_none() {
        // Carried out here, the command would do something else than was meant.
        return Err(Error::BadRequest("--token needs --server as well".to_owned()).into());
    }
    match &global.server {
        Some(server) => {
            // Exported for good, the variable must not keep local commands from working.
            let token = global.token.clone().or_else(|| std::env::var("COFFERDAM_TOKEN").ok());
            Ok(client::Client::Remote(remote::Remote::new(server, token.as_deref())?))
        }
        None => client::Client::local(config, begins, !global.json).await,
    }
}

/// Libraries at their debug level would print queries and requests; a stream
/// that is cut off because its backup failed is no error.
const QUIET: &str = "sqlx=warn,actix_server=warn,actix_http=off,hyper=warn,rustls=warn,ureq=warn";

/// The console logs its work; other commands only what they must.
fn start_log(config: &Config, serving: bool) {
    use tracing_subscriber::EnvFilter;
    let level = if serving { config.log.as_str() } else { "error" };
    // Libraries at their debug level would print queries and requests.
    let filter = format!("{level},{QUIET}");
    let filter =
        EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(format!("info,{QUIET}")));
    tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}

/// A run's failure as this program's error.
fn failed(failure: Failure) -> anyhow::Error {
    Error::Failed(failure).into()
}
