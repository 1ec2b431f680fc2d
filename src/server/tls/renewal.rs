//! A certificate that is replaced in its files is shown to whoever comes from then on, without a restart: certificates are renewed by
//! night, by programs.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::files::{Files, Found};

/// How often the files are read. What two looks find alike is used: one of them can find half a file.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Sees to it that the newest certificate is the one that is shown.
pub(super) struct Renewal {
    files: Files,
    acceptor: watch::Sender<TlsAcceptor>,
    /// What is used, or could not be: the log tells of each once.
    judged: Look,
    /// What was found by the look before.
    before: Look,
}

/// By what is known again what a look has found: a digest, or why there is none.
type Look = Result<[u8; 32], String>;

impl Renewal {
    /// With what is in the files now, which is in the receiver.
    pub(super) fn of(files: Files) -> anyhow::Result<(Self, watch::Receiver<TlsAcceptor>)> {
        let found = files.read()?;
        let (acceptor, receiver) = watch::channel(files.acceptor(&found)?);
        let look = Ok(found.digest());
        Ok((Self { files, acceptor, judged: look.clone(), before: look }, receiver))
    }

    /// Looks again and again.
    pub(super) async fn keep_up(mut self) {
        loop {
            sleep(LOOK_EVERY).await;
            let files = self.files.clone();
            let Ok(found) = spawn_blocking(move || files.read()).await else { continue };
            match self.judge(found) {
                None => {}
                Some(Ok(newer)) => {
                    self.acceptor.send_replace(newer);
                    tracing::info!("the certificate was replaced; whoever comes from now on is shown it");
                }
                Some(Err(error)) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "the certificate cannot be used; the one before stays");
                }
            }
        }
    }

    /// What serves from now on by what a look has found, if that is new, and the look before has found it too.
    fn judge(&mut self, found: anyhow::Result<Found>) -> Option<anyhow::Result<TlsAcceptor>> {
        let look = found.as_ref().map_or_else(|error| Err(format!("{error:#}")), |found| Ok(found.digest()));
        let is_settled = std::mem::replace(&mut self.before, look.clone()) == look;
        if !is_settled || self.judged == look {
            return None;
        }
        self.judged = look;
        Some(found.and_then(|found| self.files.acceptor(&found)))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair};
    use tempfile::TempDir;

    use super::*;
    use crate::config::Tls as Configured;

    fn made() -> CertifiedKey<KeyPair> {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
    }

    fn write(directory: &TempDir, name: &str, tag: &str, der: &[u8]) {
        std::fs::write(directory.path().join(name), pem::encode(&pem::Pem::new(tag, der))).expect("written");
    }

    /// What comes of so many looks.
    fn looks(renewal: &mut Renewal, how_many: usize) -> Vec<&'static str> {
        let look = |_| match renewal.judge(renewal.files.read()) {
            None => "nothing",
            Some(Ok(_)) => "used",
            Some(Err(_)) => "refused",
        };
        (0..how_many).map(look).collect()
    }

    #[test]
    fn what_two_looks_find_is_used_or_told_of_once() {
        let (old, new, directory) = (made(), made(), tempfile::tempdir().expect("a directory"));
        let certificate = |of: &CertifiedKey<_>| write(&directory, "cert", "CERTIFICATE", of.cert.der());
        let key = |of: &CertifiedKey<KeyPair>| {
            write(&directory, "key", "PRIVATE KEY", &of.signing_key.serialize_der());
        };
        certificate(&old);
        key(&old);
        let file = |name| Some(directory.path().join(name));
        let configured = Configured { certificate: file("cert"), key: file("key") };
        let files = Files::of(&configured).expect("both are named");
        let (mut renewal, _receiver) = Renewal::of(files).expect("they fit");
        assert_eq!(looks(&mut renewal, 3), ["nothing", "nothing", "nothing"]);
        certificate(&new);
        assert_eq!(looks(&mut renewal, 3), ["nothing", "refused", "nothing"], "its key is not there");
        key(&new);
        assert_eq!(looks(&mut renewal, 3), ["nothing", "used", "nothing"]);
        std::fs::remove_file(directory.path().join("key")).expect("removed");
        assert_eq!(looks(&mut renewal, 3), ["nothing", "refused", "nothing"]);
        certificate(&old);
        assert_eq!(looks(&mut renewal, 1), ["nothing"], "half of a change");
        key(&old);
        assert_eq!(looks(&mut renewal, 3), ["nothing", "used", "nothing"]);
    }
}
