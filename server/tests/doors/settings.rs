//! Where settings come from: the file, over it the environment, over that flags. Seen from outside, by what the program
//! says about settings that make no sense.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the program in a folder of its own, with nothing of this process's environment.
fn slowburn(folder: &str, file: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("doors-settings").join(folder);
    std::fs::create_dir_all(&folder).expect("a folder for tests");
    std::fs::write(folder.join("slowburn.toml"), file).expect("written");
    Command::new(env!("CARGO_BIN_EXE_slowburn"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .expect("the program runs")
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn without_file_and_environment_the_defaults_are_sound() {
    let output = slowburn("defaults", "", &[], &["config", "check"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_file_counts_over_defaults_the_environment_over_the_file_and_flags_over_both() {
    let file = "addr = 'from the file'\nbuckets = 0\nretention = '1h'\n";
    let told = complaint(&slowburn("file", file, &[], &["config", "check"]));
    assert!(told.contains("\"from the file\"") && told.contains("buckets: must lie between 1 and 256, got 0"), "{told}");

    let environment =
        [("SLOWBURN_ADDR", "from the environment"), ("SLOWBURN_BUCKETS", "300"), ("DATABASE_URL", "mysql://ada:secret@host/db")];
    let told = complaint(&slowburn("environment", file, &environment, &["config", "check"]));
    assert!(told.contains("\"from the environment\"") && !told.contains("from the file"), "{told}");
    assert!(told.contains("got 300") && told.contains("database_url: "), "all faults together: {told}");
    assert!(!told.contains("secret"), "{told}");

    let told = complaint(&slowburn("flags", file, &environment, &["serve", "--addr", "from the flag"]));
    assert!(told.contains("\"from the flag\"") && !told.contains("from the environment"), "{told}");
}

#[test]
fn settings_that_do_not_exist_or_have_another_type_are_refused_by_name() {
    for (folder, file, word) in
        [("unknown", "adress = '127.0.0.1:1'", "adress"), ("type", "buckets = 'two'", "buckets"), ("syntax", "addr = ", "TOML")]
    {
        let told = complaint(&slowburn(folder, file, &[], &["config", "check"]));
        assert!(told.contains(word), "{folder}: {told}");
    }
    let output = slowburn("missing", "", &[], &["config", "check", "--config", "nowhere.toml"]);
    assert!(complaint(&output).contains("nowhere.toml"));
}

#[test]
fn what_kubernetes_puts_into_the_environment_of_a_service_named_slowburn_is_no_setting() {
    let environment = [
        ("SLOWBURN_SERVICE_HOST", "10.0.0.1"),
        ("SLOWBURN_SERVICE_PORT", "3000"),
        ("SLOWBURN_SERVICE_PORT_HTTP", "3000"),
        ("SLOWBURN_PORT", "tcp://10.0.0.1:3000"),
        ("SLOWBURN_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
        ("SLOWBURN_PORT_3000_TCP_ADDR", "10.0.0.1"),
    ];
    let output = slowburn("kubernetes", "", &environment, &["config", "check"]);
    assert!(output.status.success(), "{output:?}");
    let told = complaint(&slowburn("typo", "", &[("SLOWBURN_ADRESS", "127.0.0.1:1")], &["config", "check"]));
    assert!(told.contains("adress"), "{told}");
}
