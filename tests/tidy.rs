//! The house rules as tests: who may name whom, how large a file may be, what words are banned.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a source file before its tests.
const FILE_LINES_MAX: usize = 400;
const EXECUTOR_LINES_MAX: usize = 200;
const EXECUTOR_AND_ORDER_LIFE_LINES_MAX: usize = 400;

/// The packages that the product was asked to be made of.
const PACKAGES: [&str; 10] = [
    "lambda_runtime",
    "aws-config",
    "aws-sdk-secretsmanager",
    "aws-sdk-s3",
    "aws-sdk-sesv2",
    "tokio",
    "reqwest",
    "serde_json",
    "rust_decimal",
    "tracing",
];

/// Type names ending in a role instead of a thing.
const ROLES: [&str; 11] = [
    "Manager",
    "Service",
    "Facade",
    "Helper",
    "Handler",
    "Processor",
    "Util",
    "Utils",
    "Data",
    "Info",
    "Impl",
];

/// The layers and the paths each must not name. The table of the architecture, read from the right.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    (
        "src/domain/",
        &[
            "crate::application",
            "crate::presentation",
            "crate::infrastructure",
            "crate::simulator",
            "crate::interface",
            "tokio",
            "reqwest",
            "tracing",
            "std::env",
            "std::fs",
            "std::time::Instant",
            "std::time::SystemTime",
            "async fn",
            "aws_",
        ],
    ),
    (
        "src/presentation/",
        &[
            "crate::application",
            "crate::infrastructure",
            "crate::simulator",
            "crate::interface",
            "tokio",
            "reqwest",
            "std::env",
            "std::fs",
            "async fn",
        ],
    ),
    (
        "src/application/",
        &[
            "crate::infrastructure",
            "crate::simulator",
            "crate::interface",
            "reqwest",
            "aws_",
            "std::fs",
            "std::env",
        ],
    ),
    ("src/infrastructure/", &["crate::simulator", "crate::interface", "crate::presentation"]),
    (
        "src/simulator/",
        &[
            "crate::infrastructure::alpaca",
            "crate::infrastructure::local",
            "crate::interface",
            "crate::presentation",
        ],
    ),
    ("src/interface/lambda.rs", &["simulator"]),
    (
        "src/bin/",
        &[
            "alchemiser::domain",
            "alchemiser::application",
            "alchemiser::infrastructure",
            "alchemiser::simulator",
        ],
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
}

/// Every Rust source by its path from the root, its tests cut off.
fn sources() -> BTreeMap<String, String> {
    let mut found = Vec::new();
    files(&root().join("src"), "rs", &mut found);
    let is_test = |path: &Path| {
        let inner = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        inner.contains("/tests/") || inner.ends_with("/tests.rs") || inner.contains("/sample/")
    };
    found
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
            (path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(), text)
        })
        .collect()
}

/// The code without comments and without line breaks, because a `use` may span lines.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let joined = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    joined.replace("{ ", "{").replace(" }", "}")
}

/// Whether some code names a path, also inside `use crate::{a, b}`.
fn names(code: &str, path: &str) -> bool {
    if code.contains(path) {
        return true;
    }
    let Some(module) = path.strip_prefix("crate::") else { return false };
    code.split("use crate::{").skip(1).any(|rest| {
        let list = rest.split(';').next().unwrap_or_default();
        list.split([',', '{', '}', ' ']).any(|item| item.starts_with(module))
    })
}

#[test]
fn layers_name_only_what_the_table_allows() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let code = code(&text);
        for (layer, forbidden) in FORBIDDEN {
            for word in forbidden {
                if path.starts_with(layer) && names(&code, word) {
                    broken.push(format!("{path} names {word}"));
                }
            }
        }
        if code.contains("super::super") {
            broken.push(format!("{path} names super::super"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_forbidden_name_is_found_over_line_breaks_and_in_lists() {
    let spread = code("use crate::{\n    domain::money,\n    application::run,\n};\n");
    assert!(names(&spread, "crate::application"));
    assert!(!names(&spread, "crate::infrastructure"));
    assert!(!names(&code("// crate::application is not named here\n"), "crate::application"));
}

#[test]
fn adapters_do_not_know_each_other() {
    let adapters = ["alpaca", "aws", "local"];
    for (path, text) in sources() {
        for own in adapters {
            for other in adapters.iter().filter(|other| **other != own) {
                if path.starts_with(&format!("src/infrastructure/{own}")) {
                    let named = names(&code(&text), &format!("crate::infrastructure::{other}"));
                    assert!(!named, "{path} names {other}");
                }
            }
        }
    }
}

#[test]
fn the_packages_that_were_asked_for_are_direct_and_used() {
    let manifest: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let code: String = sources().values().map(|text| code(text)).collect();
    for package in PACKAGES {
        assert!(dependencies.contains_key(package), "{package} is no direct dependency");
        let name = package.replace('-', "_");
        assert!(code.contains(&format!("{name}::")), "{package} is not used");
    }
}

#[test]
fn the_clouds_packages_are_named_by_their_adapters_alone() {
    for (path, text) in sources() {
        let code = code(&text);
        let at_home = path.starts_with("src/infrastructure/aws/");
        assert!(at_home || !names(&code, "aws_sdk") && !names(&code, "aws_config"), "{path}");
        assert!(path == "src/bin/lambda.rs" || !names(&code, "lambda_runtime::"), "{path}");
    }
}

#[test]
fn the_records_schema_is_carried_by_the_command_line_and_not_by_the_function() {
    let carries =
        |(path, text): (String, String)| code(&text).contains(".schema.json\"").then_some(path);
    let found: Vec<String> = sources().into_iter().filter_map(carries).collect();
    assert_eq!(found, ["src/interface/cli/report.rs"]);
}

#[test]
fn files_stay_readable() {
    let length = |text: &str| text.lines().count();
    let sources = sources();
    for (path, text) in &sources {
        assert!(length(text) <= FILE_LINES_MAX, "{path} has {} lines", length(text));
    }
    let executor = length(&sources["src/application/execute.rs"]);
    let order_life = length(&sources["src/application/order_life.rs"]);
    assert!(executor <= EXECUTOR_LINES_MAX, "the executor has {executor} lines");
    assert!(executor + order_life <= EXECUTOR_AND_ORDER_LIFE_LINES_MAX);
}

#[test]
fn types_are_named_for_things_not_roles() {
    for (path, text) in sources() {
        for word in ["struct ", "enum ", "trait "] {
            for rest in code(&text).split(word).skip(1) {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                let role = ROLES.iter().find(|role| name.ends_with(**role));
                assert!(role.is_none() || name == "MarketData", "{path}: {name}");
            }
        }
    }
}

#[test]
fn no_mark_of_unfinished_work_is_left() {
    for (path, text) in sources() {
        for mark in ["todo!", "unimplemented!", "FIXME", "XXX"] {
            assert!(!text.contains(mark), "{path}: {mark}");
        }
        for line in text.lines().filter(|line| line.contains("TODO")) {
            assert!(line.contains("TODO("), "{path}: a TODO needs a name: {line}");
        }
    }
}

#[test]
fn every_event_file_is_understood() {
    let mut found = Vec::new();
    files(&root().join("events"), "json", &mut found);
    found.retain(|path| !path.ends_with("env.json")); // variables for `sam local invoke`
    assert!(found.len() >= 5, "an event file for each action");
    for path in found {
        let event = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let parsed = alchemiser::interface::event::Event::parse(event, jiff::Timestamp::UNIX_EPOCH);
        assert!(parsed.is_ok(), "{}: {parsed:?}", path.display());
    }
}

#[test]
fn every_path_and_target_that_the_readme_names_exists() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    for quoted in readme.split('`').skip(1).step_by(2) {
        let is_path =
            ["src/", "tests/", "events/", "benches/"].iter().any(|top| quoted.starts_with(top));
        if is_path && !quoted.contains(['*', '{', ' ', ':']) {
            assert!(root().join(quoted).exists(), "README names {quoted}");
        }
        if let Some(target) = quoted.strip_prefix("make ") {
            let target = target.split(' ').next().unwrap();
            assert!(makefile.contains(&format!("\n{target}:")), "README names make {target}");
        }
    }
}

/// What makes two runs of the same seed differ: chance and time from outside, orders of iteration
/// that change with every process, tasks that the machine schedules, and a choice among what is
/// ready. Simulated days are the same every time only while none of it is used.
const UNSTEADY: [&str; 8] = [
    "SystemTime::now",
    "Instant::now",
    "thread_rng",
    "HashMap",
    "HashSet",
    "tokio::spawn",
    "spawn_blocking",
    "RandomState",
];

/// Where a real port is served, outside of any simulated day.
const REAL_TIME: [&str; 2] = ["src/simulator/server/", "src/infrastructure/"];

#[test]
fn nothing_makes_two_runs_of_one_seed_differ() {
    let layers = ["src/domain/", "src/application/", "src/presentation/", "src/simulator/"];
    let mut broken = Vec::new();
    for (path, text) in sources() {
        if !layers.iter().any(|layer| path.starts_with(layer)) && !path.contains("/simulate/") {
            continue;
        }
        if REAL_TIME.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        let code = code(&text);
        // The tree's reader looks its nodes up by hash and never walks them in that order.
        let looks_up = |word: &str| word == "HashMap" && path == "src/domain/symphony/tree.rs";
        broken.extend(
            UNSTEADY
                .iter()
                .filter(|word| code.contains(**word) && !looks_up(word))
                .map(|word| format!("{path} uses {word}")),
        );
        for choice in code.split("select! {").skip(1).chain(code.split("select!{").skip(1)) {
            if !choice.trim_start().starts_with("biased;") {
                broken.push(format!("{path} has a select! that is not biased"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn planted_faults_are_kept_out_of_a_release_build() {
    let text = fs::read_to_string(root().join("src/domain/mutant.rs")).unwrap();
    assert!(
        text.contains("#[cfg(all(feature = \"mutants\", not(debug_assertions)))]\ncompile_error!")
    );
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let default = manifest["features"]["default"].as_array().unwrap();
    assert!(!default.iter().any(|feature| feature.as_str() == Some("mutants")));
}

#[test]
fn the_top_level_holds_what_it_should_and_nothing_else() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "Makefile",
        "README.md",
        "benches",
        "events",
        "fuzz",
        "out",
        "samconfig.toml", // left by a first deployment, not kept
        "secret.json",    // an operator's key pair, not kept
        "src",
        "target",
        "template.yaml",
        "tests",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.starts_with('.') || allowed.contains(&name.as_str()), "{name}");
    }
}
