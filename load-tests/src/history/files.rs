//! Logs as files: every `*.jsonl` of a directory, or one file. A file holds whole logs, one after the other; a log begins with its
//! `start`. What belongs to no client (`run`, `fault`, `repairs`, `member`, `before`) may stand before the first `start`.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::record::{Names, Record, What};
use super::{History, Logs, line};

/// The logs of a directory.
#[derive(Debug, Clone)]
pub struct Files(Vec<PathBuf>);

impl Files {
    /// Finds the logs.
    ///
    /// # Errors
    /// There is no such directory, or no log in it.
    pub fn find(path: &Path) -> io::Result<Self> {
        if path.is_file() {
            return Ok(Self(vec![path.to_owned()]));
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                files.push(path);
            }
        }
        if files.is_empty() {
            let problem = format!("no *.jsonl in {}", path.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, problem));
        }
        files.sort();
        Ok(Self(files))
    }
}

impl History for Files {
    fn names(&self) -> Names {
        Names::default()
    }

    fn parts(&self) -> usize {
        self.0.len()
    }

    fn visit(&self, part: usize, names: &mut Names, see: &mut dyn FnMut(&Record)) -> Result<(), String> {
        let Some(path) = self.0.get(part) else { return Ok(()) };
        let told = |line: usize, problem: &dyn std::fmt::Display| {
            format!("{}, line {line}: {problem}", path.display())
        };
        let mut file =
            BufReader::with_capacity(64 * 1024, File::open(path).map_err(|error| told(0, &error))?);
        let mut text = String::new();
        for number in 1.. {
            text.clear();
            if file.read_line(&mut text).map_err(|error| told(number, &error))? == 0 {
                break;
            }
            let trimmed = text.trim();
            if trimmed.is_empty() {
                continue;
            }
            if let Some(record) = line::read(trimmed, names).map_err(|problem| told(number, &problem))? {
                see(&record);
            }
        }
        Ok(())
    }
}

/// Writes logs into a directory, one file for each.
///
/// # Errors
/// The directory cannot be written.
pub fn keep(logs: &Logs, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for (number, log) in logs.logs.iter().enumerate() {
        let kind = match log.first().map(|record| &record.what) {
            Some(What::Start { client, .. }) => logs.names.text(*client).to_owned(),
            _ => "run".to_owned(),
        };
        let name: String =
            kind.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' }).collect();
        let mut out = BufWriter::new(File::create(directory.join(format!("{number:05}-{name}.jsonl")))?);
        for record in log {
            line::write(&mut out, record, &logs.names)?;
        }
        out.flush()?;
    }
    Ok(())
}
