//! A stranger with a client: this crate reaches the server only through its wire, as any other client author would.
//!
//! - [`client`]: a WebSocket client ([`client::Socket`]) and an HTTP client ([`client::Http`]) in Rust. The server's own
//!   black-box tests speak through them.
//! - [`token`]: mints the tokens of the marketplace from the shared secret.
//! - [`marketplace`]: plays the marketplace: tells the server of people and jobs, and opens rooms.
//! - [`server`]: starts a server binary on a data directory, and ends it as gently or as hard as asked.
//! - [`private`]: a PostgreSQL and a Redis of one's own, to be killed and started again.
//! - [`proxy`]: stands between a client and a server and does to their connections what networks do.
//! - [`cluster`]: several nodes, and one address before them.
//! - [`machine`]: what the operating system knows: memory, processor time, limits.
//! - [`history`]: what every client did and was told, written down, and the judge of it.
//! - [`scenario`]: the loads. [`report`]: what they found, as text or JSON.
//!
//! What never lives here: anything of the server but its wire (`anteroom-protocol`).

pub mod client;
pub mod cluster;
pub mod floor;
pub mod history;
pub mod machine;
pub mod marketplace;
mod port;
pub mod private;
pub mod proxy;
pub mod report;
pub mod scenario;
pub mod server;
pub mod token;
