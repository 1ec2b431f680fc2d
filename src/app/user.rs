//! People, as the marketplace tells them.

use anteroom_protocol::id::UserId;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Account, UserProfile, UserView};

use super::identity::Unbelieved;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::refusal::Refusal;
use crate::domain::user;
use crate::store::Moment;

/// Makes or replaces a person, and tells the person's sockets.
pub async fn put(app: &App, id: UserId, profile: UserProfile) -> Result<UserView, AppError> {
    let profile = user::check(profile)?;
    let moment = Moment { now: app.clock.now(), policy: app.policy.version };
    let kept = app.store.put_user(&id, &profile, moment).await;
    // Also after an error, behind which it may have been kept: sockets look for themselves.
    app.telling.person_changed(&id);
    app.telling.committed(&kept?);
    Ok(UserView { user: id, profile })
}

/// Takes back all tokens of a person that were issued until now, and ends the sockets that were opened with one.
pub async fn revoke(app: &App, id: UserId) -> Result<UserView, AppError> {
    let revoked = app.store.revoke_tokens(&id, app.clock.now()).await;
    app.telling.person_changed(&id);
    let person = revoked?.ok_or(AppError::Refused(Refusal::NotFound))?;
    Ok(UserView { user: id, profile: person.profile })
}

/// The account of a person who came with a token issued then.
///
/// # Errors
/// [`Unbelieved::UnknownUser`], or [`Unbelieved::Revoked`] when the token was taken back.
pub async fn account(app: &App, id: &UserId, issued_at: Option<Time>) -> Result<Account, AppError> {
    let person = app.store.user(id).await?.ok_or(AppError::Identity(Unbelieved::UnknownUser))?;
    if !user::outlives(issued_at, person.tokens_valid_after) {
        return Err(AppError::Identity(Unbelieved::Revoked));
    }
    Ok(Account::from(&person.profile))
}

/// The reader.
pub async fn me(app: &App, actor: &Actor) -> Result<UserView, AppError> {
    let person = app.store.user(&actor.user).await?.ok_or(AppError::Refused(Refusal::NotFound))?;
    Ok(UserView { user: actor.user.clone(), profile: person.profile })
}
