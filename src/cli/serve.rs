//! `anteroom serve`: the server as a process. Its log, its announcement, its signals, its end.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anteroom::app::demo;
use anteroom::clock::{Clock, SystemClock};
use anteroom::config::Config;
use anteroom::domain::actor::{Actor, Scope};
use anteroom::logging::Lines;
use anteroom::server::{Server, demo_is_on};
use anteroom::start::{self, StartError};
use anteroom::telemetry;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{block_on, write_within};

/// How long a link of the demo opens the door, in seconds.
const DEMO_LINK_SECONDS: u32 = 4 * 60 * 60;

#[derive(Args, Default)]
pub(super) struct Serve {
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

impl Serve {
    /// What the arguments say of the configuration.
    pub(super) fn flags(&self) -> Vec<(&'static str, String)> {
        let mut flags = Vec::new();
        flags.extend(self.listen.clone().map(|address| ("listen", address)));
        flags.extend(self.metrics_listen.clone().map(|address| ("metrics_listen", address)));
        flags.extend(self.no_demo.then(|| ("demo", "false".to_owned())));
        flags
    }

    pub(super) fn run(&self, config: &Config) -> Result<ExitCode, StartError> {
        // A filter that cannot be read is found here; the log could not say so.
        if let Some(wrong) = start::check_values(config).into_iter().next() {
            return Err(wrong);
        }
        let lines =
            telemetry::start_log(&config.log).map_err(|error| StartError::other(error.to_string()))?;
        let ended = block_on(serve(config, &lines));
        lines.flush();
        ended
    }
}

async fn serve(config: &Config, lines: &Lines) -> Result<ExitCode, StartError> {
    let mut signals = Signals::listen().map_err(StartError::other)?;
    // All three are fair: whichever comes first is acted on, and the other is given up.
    let server = tokio::select! {
        server = Server::start(config) => server?,
        // Nobody is served yet.
        signal = signals.next() => return Ok(ExitCode::from(signal.exit_code())),
    };
    // Nobody waits for it: what is at the other end of standard output may take nothing.
    write_within(Duration::ZERO, io::stdout(), announcement(config, &server)?);
    signals.next().await;
    tokio::select! {
        () = server.stop() => Ok(ExitCode::SUCCESS),
        signal = signals.next() => {
            tracing::warn!("ended in the middle of going down");
            lines.flush();
            std::process::exit(signal.exit_code().into())
        }
    }
}

/// Asked to end.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Interrupt,
    Terminate,
}

impl Asked {
    /// 128 and the signal's number, as shells have it.
    fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }
}

/// Tells where the server is. Scripts read these lines.
fn announcement(config: &Config, server: &Server) -> Result<String, StartError> {
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
            let user = user.parse().map_err(StartError::other)?;
            let actor = Actor { user, scope: Scope::User };
            let token = server
                .app
                .identity
                .issue(&actor, SystemClock.now(), DEMO_LINK_SECONDS)
                .map_err(StartError::other)?;
            text += &format!("{role:<10} {base}/#token={token}\n");
        }
    }
    Ok(text)
}
