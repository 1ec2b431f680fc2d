//! From the configuration to the issuers that are believed: what is missing or contradicts itself is refused here, by the name of its key.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::app::identity::Identity;
use crate::app::identity::issuer::Issuer;
use crate::app::identity::jwks::KeyAlgorithm;
use crate::app::identity::ring::KeyRing;
use crate::config::{self, Algorithm, Auth, SECRET_BYTES};
use crate::jwks;

/// Everybody who is configured.
///
/// # Errors
/// An issuer without keys, with keys that do not fit its algorithm, or named twice; the text says which key to change.
pub fn believed(auth: &Auth) -> anyhow::Result<Identity> {
    let configured = auth.configured();
    let mut names = HashSet::new();
    for issuer in &configured {
        ensure!(names.insert(&issuer.issuer), "auth.issuers: {} is named twice", issuer.issuer);
    }
    let stale = Duration::from_secs(auth.jwks_stale_seconds);
    let issuers = configured.iter().map(|issuer| {
        one(issuer, stale).with_context(|| format!("auth: the issuer {} cannot be believed", issuer.issuer))
    });
    Ok(Identity::new(issuers.collect::<anyhow::Result<_>>()?))
}

fn one(issuer: &config::Issuer, stale: Duration) -> anyhow::Result<Issuer> {
    let (name, audience) = (&issuer.issuer, &issuer.audience);
    match (issuer.secret(), &issuer.jwks_url) {
        (Some(_), Some(_)) => bail!("secret and jwks_url: one of them"),
        (None, None) => bail!("needs a secret or a jwks_url"),
        (Some(secret), None) => {
            ensure!(
                matches!(issuer.algorithm, None | Some(Algorithm::Hs256)),
                "algorithm: with a secret, HS256"
            );
            ensure!(
                secret.len() >= SECRET_BYTES,
                "auth.secret is shorter than {SECRET_BYTES} bytes; make a longer one"
            );
            Ok(Issuer::with_secret(name, audience, secret))
        }
        (None, Some(url)) => {
            let algorithm = match issuer.algorithm {
                Some(Algorithm::EdDsa) => KeyAlgorithm::EdDsa,
                Some(Algorithm::Es256) => KeyAlgorithm::Es256,
                Some(Algorithm::Rs256) => KeyAlgorithm::Rs256,
                None | Some(Algorithm::Hs256) => bail!("algorithm: with jwks_url, EdDSA, ES256 or RS256"),
            };
            jwks::check_url(url).with_context(|| format!("jwks_url: {url}"))?;
            let ring = KeyRing::new(url.clone(), algorithm, stale);
            Ok(Issuer::with_keys(name, audience, Arc::new(ring)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Auth)) -> String {
        let mut auth = Auth::default();
        change(&mut auth);
        believed(&auth).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_the_name_of_its_key() {
        let secret = || Some("a secret of more than thirty-two bytes".into());
        let url = || Some("https://market.example/jwks.json".to_owned());
        let cases: [(&str, String); 6] = [
            ("secret and jwks_url", refusal(|auth| (auth.secret, auth.jwks_url) = (secret(), url()))),
            ("algorithm: with jwks_url", refusal(|auth| auth.jwks_url = url())),
            (
                "algorithm: with jwks_url",
                refusal(|auth| (auth.jwks_url, auth.algorithm) = (url(), Some(Algorithm::Hs256))),
            ),
            (
                "algorithm: with a secret",
                refusal(|auth| (auth.secret, auth.algorithm) = (secret(), Some(Algorithm::Rs256))),
            ),
            (
                "jwks_url: http://market.example/",
                refusal(|auth| {
                    auth.jwks_url = Some("http://market.example/".into());
                    auth.algorithm = Some(Algorithm::EdDsa);
                }),
            ),
            (
                "named twice",
                refusal(|auth| {
                    auth.secret = secret();
                    auth.issuers = auth.configured();
                }),
            ),
        ];
        for (expected, said) in cases {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        assert_eq!(refusal(|auth| auth.secret = secret()), "");
    }
}
