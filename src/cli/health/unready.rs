//! Why a server does not count as ready: the one line that a health check prints.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use anteroom::start::StartError;
use tokio_rustls::rustls::{self, CertificateError};

use super::PATIENCE;

/// Why it is not ready, or cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unready {
    /// It is not known whom to ask, or there is no runtime to ask with.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The certificate that it should have cannot be read.
    #[error("tls.certificate: cannot use {file}: {why}", file = file.display())]
    Certificate {
        /// Its file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// This machine cannot ask over TLS.
    #[error("cannot ask (are there root certificates to trust on this machine?): {why}", why = innermost(.0))]
    NoClient(reqwest::Error),
    /// Nothing came in time.
    #[error("{0} did not answer within {seconds} s", seconds = PATIENCE.as_secs())]
    Silent(String),
    /// Somebody else is there, or the file was replaced since the server read it.
    #[error(
        "{0} has another certificate than tls.certificate names; a server takes up a new one within 10 s, if `tls.key` fits it, or says in its log why not"
    )]
    AnotherCertificate(String),
    /// None of this machine's roots vouches for its certificate, or it has not the key of that.
    #[error("{name} has a certificate that is not trusted here: {why}")]
    Untrusted {
        /// The server.
        name: String,
        /// What is wrong with the certificate.
        why: CertificateError,
    },
    /// What answers is no TLS.
    #[error("{0} does not speak TLS")]
    NoTls(String),
    /// The connection failed, or what came over it is no HTTP.
    #[error("{name}: {why}")]
    Failed {
        /// The server.
        name: String,
        /// Why.
        why: String,
    },
    /// It says no.
    #[error("{name} answers {status}: {why}")]
    Answered {
        /// The server.
        name: String,
        /// The status.
        status: u16,
        /// Its words.
        why: String,
    },
}

impl Unready {
    /// Why a server of this name has not answered.
    pub(super) fn unanswered(name: &str, error: &reqwest::Error) -> Self {
        let name = name.to_owned();
        if error.is_timeout() {
            return Self::Silent(name);
        }
        match of_tls(error) {
            // Nothing but the check of the configured certificate says this.
            Some(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
                Self::AnotherCertificate(name)
            }
            Some(rustls::Error::InvalidCertificate(why)) => Self::Untrusted { name, why: why.clone() },
            Some(rustls::Error::InvalidMessage(_)) => Self::NoTls(name),
            Some(_) | None => Self::Failed { name, why: innermost(error) },
        }
    }
}

/// What TLS says about it, if it failed there.
fn of_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(wrapped)
}

/// What an I/O error, and perhaps another one in it, is made of. Asked for its source, it names that of what it wraps instead.
fn wrapped<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(error) => wrapped(error.get_ref()?),
        None => cause.downcast_ref(),
    }
}

/// The cause of all the others: those around it say that something failed, and this one says what.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source())
}
