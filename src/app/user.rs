//! People, as the marketplace tells them.

use anteroom_protocol::id::UserId;
use anteroom_protocol::user::{UserProfile, UserView};

use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::refusal::Refusal;
use crate::domain::user;
use crate::store::Moment;

/// Makes or replaces a person.
pub async fn put(app: &App, id: UserId, profile: UserProfile) -> Result<UserView, AppError> {
    user::check(&profile)?;
    let moment = Moment { now: app.clock.now(), policy: app.policy.version };
    let appended = app.store.put_user(&id, &profile, moment).await?;
    app.hub.deliver(&appended);
    Ok(UserView { user: id, profile })
}

/// The reader.
pub async fn me(app: &App, actor: &Actor) -> Result<UserView, AppError> {
    let profile = app.store.user(&actor.user).await?.ok_or(AppError::Refused(Refusal::NotFound))?;
    Ok(UserView { user: actor.user.clone(), profile })
}
