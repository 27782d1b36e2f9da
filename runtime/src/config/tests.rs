//! Loads configurations from tables of variables and from files of their own.

use std::path::PathBuf;

use super::{Config, ConfigErrors};

mod backends;
mod documents;
mod functions;
mod settings;

fn environment(table: &[(&str, &str)]) -> Vec<(String, String)> {
    table.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A directory with a module and, if given, a `tarmac.json`.
struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new(tarmac_json: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("hello.wasm"), "\0asm").unwrap();
        if let Some(text) = tarmac_json {
            let text = text.replace("DIR", directory.path().to_str().unwrap());
            std::fs::write(directory.path().join("tarmac.json"), text).unwrap();
        }
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Loads with these files; `DIR` in a value is their directory, and `(unset)` takes one of the
    /// variables that are always set away.
    fn load(&self, table: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        let directory = self.directory.path().to_str().unwrap();
        let mut variables = vec![
            ("APP_ENABLE_TLS".to_owned(), "false".to_owned()),
            ("APP_WASM_FUNCTION".to_owned(), "DIR/hello.wasm".to_owned()),
            ("HOME".to_owned(), "/home/pilot".to_owned()),
        ];
        if self.path("tarmac.json").exists() {
            variables[1] = ("APP_WASM_FUNCTION_CONFIG".to_owned(), "DIR/tarmac.json".to_owned());
        }
        for (name, value) in environment(table) {
            variables.retain(|(known, _)| *known != name);
            variables.push((name, value));
        }
        variables.retain(|(_, value)| value != "(unset)");
        for (_, value) in &mut variables {
            *value = value.replace("DIR", directory);
        }
        Config::load(variables)
    }

    /// Errors and warnings of [`Files::load`], a line each, with `DIR` for the directory.
    fn problems(&self, table: &[(&str, &str)]) -> (String, Vec<String>) {
        let directory = self.directory.path().to_str().unwrap();
        let (errors, warnings) = match self.load(table) {
            Ok(config) => (String::new(), config.warnings),
            Err(errors) => (errors.to_string(), errors.warnings),
        };
        let plain = |text: String| text.replace(directory, "DIR");
        (plain(errors), warnings.into_iter().map(plain).collect())
    }
}

#[track_caller]
fn check_errors(table: &[(&str, &str)], expected: &[&str]) {
    let (errors, _) = Files::new(None).problems(table);
    assert_eq!(errors, expected.join("\n"));
}

#[track_caller]
fn check_warnings(table: &[(&str, &str)], expected: &[&str]) {
    let (errors, warnings) = Files::new(None).problems(table);
    assert_eq!(errors, "");
    assert_eq!(warnings, expected);
}
