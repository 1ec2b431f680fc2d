//! Search: messages found by their words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::EntryFrame;

/// The answer of `GET /v1/search`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchPage {
    /// The entries that were found, newest first. A message that was edited is found by each of its versions.
    pub items: Vec<EntryFrame>,
    /// What the next page is asked for with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
