//! The way out to addresses that others have named, and in whose name what is sent there is signed, as configuration and database say.

use std::sync::Arc;

use ipnet::IpNet;

use super::{key, mixed};
use crate::app::push::{Sender, secret_of};
use crate::app::webhook::Seals;
use crate::config::Config;
use crate::outbound::Outbound;
use crate::outbound::address::Rules;
use crate::outbound::guarded::{Guarded, SystemLookup};
use crate::start::StartError;
use crate::store::Store;

/// What is needed to send.
pub(super) struct WayOut {
    pub(super) outbound: Arc<dyn Outbound>,
    pub(super) pushes: Sender,
    pub(super) seals: Seals,
}

impl WayOut {
    /// That of a configuration and a database.
    ///
    /// # Errors
    /// Certificates or keys cannot be had.
    pub(super) async fn of(config: &Config, store: &dyn Store) -> Result<Self, StartError> {
        let seals = Seals::new(mixed(config, &key(store, "webhooks").await?));
        Ok(Self { outbound: outbound(config)?, pushes: sender(config, store).await?, seals })
    }
}

/// With the development secret only this machine reaches the server, and receivers on it can be tried out.
fn outbound(config: &Config) -> Result<Arc<dyn Outbound>, StartError> {
    let is_development = config.auth.is_development();
    let mut rules = Rules { allowed: config.outbound.allow.clone(), is_plain_allowed: is_development };
    if is_development {
        let this_machine = ["127.0.0.0/8", "::1/128"].map(|network| network.parse::<IpNet>());
        rules.allowed.extend(this_machine.into_iter().flatten());
    }
    let ca = config.outbound.ca.as_ref().map(|path| {
        std::fs::read(path).map_err(|error| StartError::configuration(format!("outbound.ca: {error}")))
    });
    let guarded = Guarded::new(rules, SystemLookup, ca.transpose()?.as_deref());
    let failed = |error| StartError::configuration(format!("cannot prepare to post to others: {error}"));
    Ok(Arc::new(guarded.map_err(failed)?))
}

/// In whose name is pushed. The key is the database's own: another one would cut off every browser, so no secret of the configuration is in it. With the
/// development secret, this machine may pass for a push service.
async fn sender(config: &Config, store: &dyn Store) -> Result<Sender, StartError> {
    let fresh = std::iter::repeat_with(rand::random).find(|bytes| secret_of(bytes).is_some());
    let kept = store.key("push", fresh.unwrap_or_default()).await;
    let kept = kept.map_err(|error| StartError::other(format!("cannot use the database's keys: {error}")))?;
    let mut services = config.push.services.clone();
    if config.auth.is_development() {
        services.extend(["127.0.0.1", "localhost"].map(str::to_owned));
    }
    Sender::new(&kept, config.push.contact.clone(), services).map_err(StartError::other)
}
