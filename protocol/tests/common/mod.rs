//! The committed examples in `golden/`.

#![allow(dead_code, reason = "each file of tests uses a part of this")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// One file of `golden/`.
#[derive(Clone)]
pub(crate) struct Golden {
    /// Its name without `.json`: a type, or a type and what is special about this example.
    pub(crate) stem: String,
    /// Its text.
    pub(crate) text: String,
    /// The same as a value.
    pub(crate) value: Value,
}

impl Golden {
    /// A field of the value that is a string.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.value.get(name).and_then(Value::as_str)
    }
}

/// The path of a file or folder of this package.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every file of one folder of `golden/`, by name.
pub(crate) fn golden(folder: &str) -> Vec<Golden> {
    let mut paths: Vec<PathBuf> = fs::read_dir(path("golden").join(folder))
        .expect("the folder is there")
        .map(|file| file.expect("a file").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let stem = name.strip_suffix(".json").unwrap_or_else(|| panic!("{name} is not a .json file"));
            let text = fs::read_to_string(&path).expect("text");
            let value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
            Golden { stem: stem.to_owned(), text, value }
        })
        .collect()
}
