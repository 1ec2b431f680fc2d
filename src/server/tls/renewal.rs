//! A certificate that is replaced in its files is shown to whoever comes from then on, without a restart: certificates are renewed by
//! night, by programs.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::files::Files;

/// How often the files are read.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Sees to it that the newest certificate is the one that is shown.
pub(super) struct Renewal {
    files: Files,
    acceptor: watch::Sender<TlsAcceptor>,
    looked: Looked,
}

/// By what is known again what was found, usable or not: the log tells of each once.
type Looked = Result<[u8; 32], String>;

impl Renewal {
    /// With what is in the files now, which is in the receiver.
    pub(super) fn of(files: Files) -> anyhow::Result<(Self, watch::Receiver<TlsAcceptor>)> {
        let found = files.read()?;
        let (acceptor, receiver) = watch::channel(files.acceptor(&found)?);
        Ok((Self { files, acceptor, looked: Ok(found.digest()) }, receiver))
    }

    /// Looks again and again.
    pub(super) async fn keep_up(mut self) {
        loop {
            sleep(LOOK_EVERY).await;
            let (files, before) = (self.files.clone(), self.looked.clone());
            let Ok((looked, newer)) = spawn_blocking(move || look(&files, before)).await else { continue };
            self.looked = looked;
            match newer {
                None => {}
                Some(Ok(newer)) => {
                    self.acceptor.send_replace(newer);
                    tracing::info!(
                        "the certificate was replaced; whoever comes from now on is shown the new one"
                    );
                }
                // Two files are not replaced in one moment: the next look may find them together.
                Some(Err(error)) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the certificate was replaced by one that cannot be used; the one before stays"
                    );
                }
            }
        }
    }
}

/// What is found now, and what serves by it when it is something else.
fn look(files: &Files, before: Looked) -> (Looked, Option<anyhow::Result<TlsAcceptor>>) {
    let found = files.read();
    let now = found.as_ref().map_or_else(|error| Err(format!("{error:#}")), |found| Ok(found.digest()));
    if now == before {
        return (before, None);
    }
    (now, Some(found.and_then(|found| files.acceptor(&found))))
}
