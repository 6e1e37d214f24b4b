//! The reference of the command line names what there is.

use crate::cli::arguments::command;
use crate::config::keys::KEYS;

#[test]
fn every_command_and_its_own_flags_are_in_the_reference() {
    let reference = include_str!("../../../docs/cli.md");
    for sub in command().get_subcommands() {
        let heading = format!("\n## `pgvitals {}`\n", sub.get_name());
        let section = reference.split_once(&heading).unwrap_or_else(|| panic!("no section {heading}")).1;
        let section = section.split("\n## ").next().unwrap();
        let keys: Vec<String> = KEYS.iter().map(|key| key.flag()).collect();
        for flag in sub.get_arguments().filter_map(|argument| argument.get_long()) {
            let is_own = flag != "config" && !keys.iter().any(|key| key == flag);
            assert!(!is_own || section.contains(&format!("`--{flag}")), "--{flag} of {}", sub.get_name());
        }
    }
    // And nothing else.
    for heading in reference.lines().filter_map(|line| line.strip_prefix("## `pgvitals ")) {
        let name = heading.trim_end_matches('`');
        assert!(command().find_subcommand(name).is_some(), "{name} is no command");
    }
}
