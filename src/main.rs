//! The command line: reads the configuration, starts the log, runs the server.

use std::path::PathBuf;
use std::process::ExitCode;

use anteroom::app::demo;
use anteroom::app::identity::{Identity, parse_scope};
use anteroom::clock::{Clock, SystemClock};
use anteroom::config::Config;
use anteroom::domain::actor::{Actor, Scope};
use anteroom::server::{Server, demo_is_on, identity};
use anteroom::telemetry;
use anteroom_protocol::id::UserId;
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// How long a link of the demo opens the door, in seconds.
const DEMO_LINK_SECONDS: u32 = 4 * 60 * 60;

/// Real-time message rooms for the interview-and-negotiate stage of a freelance marketplace.
#[derive(Parser)]
#[command(name = "anteroom", version)]
struct Cli {
    /// A TOML file with the configuration.
    #[arg(long, global = true, env = "ANTEROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database and the development secret are kept.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server (the default).
    Serve(Serve),
    /// Print a token made with the configured or the development secret.
    Token(Token),
    /// What the configuration comes to.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Args, Default)]
struct Serve {
    /// Where to serve, as ADDRESS:PORT; port 0 takes a free one.
    #[arg(long)]
    listen: Option<String>,
    /// Where to serve the figures, as ADDRESS:PORT.
    #[arg(long)]
    metrics_listen: Option<String>,
    /// Neither seed the demo nor print its links.
    #[arg(long)]
    no_demo: bool,
}

#[derive(Args)]
struct Token {
    /// Whose token: a user's id, or the name of a service.
    #[arg(long)]
    sub: UserId,
    /// What it allows: user, service or staff.
    #[arg(long, default_value = "user", value_parser = |word: &str| parse_scope(word).ok_or("user, service or staff"))]
    scope: Scope,
    /// How long it holds.
    #[arg(long, default_value_t = 3600)]
    ttl_seconds: u32,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print it as TOML, without secrets.
    Show,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("anteroom: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let command = cli.command.unwrap_or(Command::Serve(Serve::default()));
    let mut flags: Vec<(&str, String)> = cli.data_dir.map(|dir| ("data_dir", dir)).into_iter().collect();
    if let Command::Serve(serve) = &command {
        flags.extend(serve.listen.clone().map(|address| ("listen", address)));
        flags.extend(serve.metrics_listen.clone().map(|address| ("metrics_listen", address)));
        flags.extend(serve.no_demo.then(|| ("demo", "false".to_owned())));
    }
    let config = Config::load(cli.config.as_deref(), |name| std::env::var(name).ok(), &flags)
        .context("the configuration cannot be used")?;
    match command {
        Command::Serve(_) => tokio::runtime::Runtime::new()?.block_on(serve(&config)),
        Command::Token(token) => print_token(&identity(&config)?, token),
        Command::Config { command: ConfigCommand::Show } => say(&config.show()),
    }
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    telemetry::start_log(&config.log).context("log: not a filter")?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let server = Server::start(config).await?;
    announce(config, &server)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("going down");
    server.stop().await;
    Ok(())
}

/// Tells, on standard output, where the server is. Scripts read these lines.
fn announce(config: &Config, server: &Server) -> anyhow::Result<()> {
    let scheme = if config.tls.is_on() { "https" } else { "http" };
    let base = format!("{scheme}://{}", server.address);
    let mut text = format!("listening on {base}\nfigures on http://{}/metrics\n", server.metrics_address);
    if config.auth.is_development() {
        let place = config.data_dir.join("dev-secret");
        text += &format!("development secret in {}: for this machine only\n", place.display());
    }
    if demo_is_on(config) {
        text += "\nThe demo: open both links, in two windows, and let the two meet.\n";
        for (role, user) in [("client", demo::CLIENT), ("freelancer", demo::FREELANCER)] {
            let actor = Actor { user: user.parse()?, scope: Scope::User };
            let token = server.app.identity.issue(&actor, SystemClock.now(), DEMO_LINK_SECONDS)?;
            text += &format!("{role:<10} {base}/#token={token}\n");
        }
    }
    say(&text)
}

fn print_token(identity: &Identity, token: Token) -> anyhow::Result<()> {
    let actor = Actor { user: token.sub, scope: token.scope };
    say(&format!("{}\n", identity.issue(&actor, SystemClock.now(), token.ttl_seconds)?))
}

/// Writes to standard output, at once.
fn say(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
