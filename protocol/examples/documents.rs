//! Writes the published documents: `cargo run -p anteroom-protocol --example documents`.

use std::error::Error;
use std::fs;
use std::path::Path;

use anteroom_protocol::documents::{self, Examples};

fn main() -> Result<(), Box<dyn Error>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schemas = package.join("schema");
    if schemas.exists() {
        fs::remove_dir_all(&schemas)?;
    }
    for (path, text) in documents::all(&examples(&package.join("golden"))?) {
        let path = package.join(path);
        fs::create_dir_all(path.parent().unwrap_or(package))?;
        fs::write(path, text)?;
    }
    let readme = package.join("README.md");
    fs::write(&readme, documents::with_tables(&fs::read_to_string(&readme)?))?;
    Ok(())
}

fn examples(golden: &Path) -> Result<Examples, Box<dyn Error>> {
    let mut examples = Examples::new();
    for folder in fs::read_dir(golden)? {
        let folder = folder?;
        for file in fs::read_dir(folder.path())? {
            let path = file?.path();
            // A transcript is many lines, and no example of one thing.
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("{}/{stem}", folder.file_name().to_string_lossy());
            examples.insert(name, serde_json::from_str(&fs::read_to_string(&path)?)?);
        }
    }
    Ok(examples)
}
