//! The tables of the README that are the code's own: close codes and errors.

use crate::close::CloseCode;
use crate::error::ErrorCode;

/// How the tables begin.
const CLOSE_CODES: &str = "| close code | reason | come back | |\n|---|---|---|---|\n";
const ERRORS: &str = "| error | HTTP | retry | |\n|---|---|---|---|\n";

/// The README with the rows of these tables as the code has them. What is not there stays away.
pub fn with_tables(readme: &str) -> String {
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let closes = CloseCode::ALL.iter().map(|code| {
        let (number, come_back) = (code.code(), yes(code.comes_back()));
        format!("| {number} | `{}` | {come_back} | {} |\n", code.reason(), code.meaning())
    });
    let errors = ErrorCode::ALL.iter().map(|code| {
        let (status, retry) = (code.http_status(), yes(code.retryable()));
        format!("| `{}` | {status} | {retry} | {} |\n", code.as_str(), code.meaning())
    });
    with_table(&with_table(readme, CLOSE_CODES, closes), ERRORS, errors)
}

fn with_table(readme: &str, head: &str, rows: impl Iterator<Item = String>) -> String {
    let Some((before, after)) = readme.split_once(head) else { return readme.to_owned() };
    let old: usize = after.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    format!("{before}{head}{}{}", rows.collect::<String>(), &after[old..])
}
