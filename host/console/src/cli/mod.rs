//! The command line.

mod args;
mod backup;
mod client;
mod config;
mod database;
mod download;
mod output;
mod remote;
mod user;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Parser as _;
use cofferdam_model::Failure;

use crate::{
    config::{Config, Layers},
    service::Error,
};
use args::{Cli, Command, Global};

/// Understands the command line, does it, and says how it went: 0 done,
/// 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Error>() {
        Some(Error::Invalid(_) | Error::BadRequest(_)) => 2,
        _ => 1,
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let mut layers = Layers::read(cli.global.config.as_deref(), &|name| std::env::var(name).ok())?;
    if let Some(folder) = &cli.global.data_dir {
        layers.set_flag("data_dir", folder.display().to_string());
    }
    if let Command::Serve { listen: Some(listen) } = &cli.command {
        layers.set_flag("listen", listen.clone());
    }
    if let Command::Config(args::Config::Check) = cli.command {
        return config::check(&layers, cli.global.json);
    }
    let config = Config::from_layers(&layers)?;
    start_log(&config, matches!(cli.command, Command::Serve { .. }));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(dispatch(cli, config));
    // A blocked helper thread must not keep a finished command alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

async fn dispatch(cli: Cli, config: Config) -> anyhow::Result<()> {
    let Cli { command, global } = cli;
    match command {
        Command::Serve { .. } => crate::serve::serve(config).await,
        Command::Backup(command) => {
            backup::run(command, &open(&global, config).await?, global.json).await
        }
        Command::Database(command) => {
            database::run(command, &open(&global, config).await?, global.json).await
        }
        Command::User(command) => {
            user::run(command, &open(&global, config).await?, global.json).await
        }
        Command::Config(_) => Ok(()),
    }
}

async fn open(global: &Global, config: Config) -> anyhow::Result<client::Client> {
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
        None => client::Client::local(config).await,
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
