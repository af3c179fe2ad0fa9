//! Parsing the command line with the settings file below it.
//!
//! Values of the file become clap's defaults, so flags and environment outrank them and one place validates all three.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches};
use firesteel_service::settings::{self, SettingsError};

use crate::args::Cli;

/// Why the command line or settings file is refused.
#[derive(Debug)]
pub(crate) enum ParseError {
    /// clap's own, including help and version.
    Clap(clap::Error),
    /// The settings file.
    Settings(SettingsError),
}

impl From<clap::Error> for ParseError {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

/// Parses arguments, environment and settings file.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, ParseError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut command = Cli::command();
    if let Some(path) = config_path(&arguments) {
        command = with_file(command, &path, &arguments).map_err(ParseError::Settings)?;
    }
    let matches = command.try_get_matches_from(arguments)?;
    Ok(Cli::from_arg_matches(&matches)?)
}

fn config_path(arguments: &[OsString]) -> Option<PathBuf> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        if text == "--config" {
            return rest.next().map(PathBuf::from);
        }
        if let Some(path) = text.strip_prefix("--config=") {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("FIRESTEEL_CONFIG").map(PathBuf::from)
}

fn with_file(
    command: clap::Command,
    path: &std::path::Path,
    arguments: &[OsString],
) -> Result<clap::Command, SettingsError> {
    let sections: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_string()).collect();
    let Some(section) = arguments.iter().skip(1).filter_map(|a| a.to_str()).find(|a| sections.iter().any(|s| s == a))
    else {
        return Ok(command);
    };
    let own = command.find_subcommand(section).into_iter().flat_map(clap::Command::get_arguments);
    let known: Vec<String> =
        own.chain(command.get_arguments()).filter_map(|a| a.get_long().map(str::to_string)).collect();
    let names: Vec<&str> = sections.iter().map(String::as_str).collect();
    let values = settings::from_file(path, section, &names, &known)?;
    let section = section.to_string();
    Ok(values.into_iter().fold(command, |command, (name, value)| {
        let id = name.replace('-', "_");
        let set = |argument: clap::Arg| match argument.get_action() {
            clap::ArgAction::SetTrue => argument
                .action(clap::ArgAction::Set)
                .num_args(0..=1)
                .default_missing_value("true")
                .default_value(value.clone()),
            _ => argument.default_value(value.clone()),
        };
        if command.get_arguments().any(|a| a.get_id() == id.as_str()) {
            command.mut_arg(&id, set)
        } else {
            command.mut_subcommand(&section, |c| c.mut_arg(&id, set))
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Command;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn flags_outrank_the_file_and_the_file_outranks_defaults() {
        let file = std::env::temp_dir().join(format!("firesteel-{}.toml", std::process::id()));
        std::fs::write(&file, "warehouse = 's3://b/w'\n[server]\nconnect-port = 1234\ninsecure = true\n").unwrap();
        let parsed = parse(words(&format!("firesteel server --config {} --rest-port 9", file.display()))).unwrap();
        std::fs::remove_file(file).unwrap();
        let Command::Server(server) = parsed.command else { panic!("not the server") };
        assert_eq!((server.doors.connect_port, server.doors.rest_port), (1234, 9));
        assert!(server.doors.insecure);
        assert_eq!(server.engine.warehouse, "s3://b/w");
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
