//! The part of the port that is also had beside a server that writes, of a database that is only read.

use anteroom_protocol::id::RoomId;
use anteroom_protocol::signature::PublicKey;
use async_trait::async_trait;

use super::dialect::{Adapter, Pool};
use super::{contract, log, transcript};
use crate::domain::log::{Log, LogEntry};
use crate::store::{Archive, PageSize, Range, StoreError, Subject};

/// A database that is only read.
pub(super) struct Readers(pub(super) Pool);

macro_rules! archive {
    ($archive:ty, $readers:tt) => {
        #[async_trait]
        impl Archive for $archive {
            async fn subject(&self, room: RoomId) -> Result<Option<Subject>, StoreError> {
                transcript::subject(&self.$readers, room).await
            }

            async fn entries(
                &self,
                log: &Log,
                range: Range,
                size: PageSize,
            ) -> Result<Vec<LogEntry>, StoreError> {
                log::entries(&self.$readers, log, range, size).await
            }

            async fn kept_key(&self, name: &str) -> Result<Option<[u8; 32]>, StoreError> {
                Ok(contract::kept_key(&mut *self.$readers.acquire().await?, name).await?)
            }

            async fn kept_public_keys(&self) -> Result<Vec<PublicKey>, StoreError> {
                Ok(contract::kept_keys(&mut *self.$readers.acquire().await?).await?)
            }
        }
    };
}
archive!(Adapter, readers);
archive!(Readers, 0);
