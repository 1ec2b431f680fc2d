//! Jobs: what candidacies are about.

use anteroom_protocol::id::{JobId, UserId};
use anteroom_protocol::job::{JobPosting, JobStatus, JobSummary};
use anteroom_protocol::limits;

use crate::domain::refusal::Refusal;
use crate::domain::text;

/// A job as the rules need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub client: UserId,
    /// Its title.
    pub title: String,
    /// Its page on the marketplace.
    pub url: Option<String>,
    /// Whether it takes candidates.
    pub status: JobStatus,
}

impl Job {
    /// Refuses what needs a job that takes candidates.
    pub fn must_be_open(&self) -> Result<(), Refusal> {
        if self.status == JobStatus::Open { Ok(()) } else { Err(Refusal::JobNotOpen) }
    }

    /// The job inside another thing.
    pub fn summary(&self) -> JobSummary {
        JobSummary { id: self.id.clone(), title: self.title.clone(), url: self.url.clone() }
    }
}

/// Checks what the marketplace tells about a job. The posting as it is kept.
pub fn check(posting: JobPosting) -> Result<JobPosting, Refusal> {
    let title = text::name("title", &posting.title, limits::TITLE_BYTES)?;
    if !posting.description.is_empty() {
        text::prose("description", &posting.description, limits::DESCRIPTION_BYTES)?;
    }
    if let Some(category) = &posting.category {
        text::line("category", category, limits::NAME_BYTES)?;
    }
    text::optional_link("url", posting.url.as_deref())?;
    Ok(JobPosting { title, ..posting })
}
