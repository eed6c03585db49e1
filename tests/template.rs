//! The template as AWS reads it: transformed to its plain form, linted, and held against the rules
//! that keep money, keys and records safe.
#![expect(clippy::unwrap_used, reason = "a broken expectation ends a test")]

#[path = "template/permissions.rs"]
mod permissions;
#[path = "template/plain.rs"]
mod plain;
#[path = "python/mod.rs"]
mod python;
#[path = "template/rules.rs"]
mod rules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use alchemiser::domain::hash::sha256_hex;
use alchemiser::domain::run::Mode;
use alchemiser::infrastructure::hosts::Hosts;
use alchemiser::interface::settings::Settings;
use permissions::permissions;
use rules::{Rule, alarms, bucket, functions, invocations, kept, names, schedules};
use serde_json::{Value, json};

const GIVEN: [(&str, &str); 2] =
    [("Sender", "me@sender.example"), ("Recipient", "you@recipient.example")];
/// A page that one can still hold in mind.
const LINES_MAX: usize = 400;

/// A tool of the Python environment, kept from calling home.
fn tool(name: &str) -> Command {
    let mut command = Command::new(python::environment("cloud").join(name));
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("SAM_CLI_TELEMETRY", "0");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", python::shown(&output));
}

/// What AWS makes of the template, made once for each text of it.
fn transform() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made_of = ["template.yaml", "tests/template/transform.py", "tests/python/cloud.txt"];
    let made_of: Vec<u8> =
        made_of.iter().flat_map(|name| fs::read(root.join(name)).unwrap()).collect();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let output = target.join(format!("template-{}.json", &sha256_hex(&made_of)[..16]));
    if !output.exists() {
        let folder = tempfile::tempdir_in(target).unwrap();
        let mine = folder.path().join("template.json");
        let mut python = tool("python");
        python.args(["tests/template/transform.py", "template.yaml"]).arg(&mine);
        succeed(python.args(GIVEN.map(|(name, value)| format!("{name}={value}"))));
        fs::rename(mine, &output).unwrap(); // whole or not at all: others may be at it too
    }
    output
}

/// The transformed template, its references written out.
fn transformed() -> Value {
    let template = serde_json::from_slice(&fs::read(transform()).unwrap()).unwrap();
    plain::plain(&template, &GIVEN)
}

fn hold(rule: Rule) {
    let faults = rule(&transformed());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_template_is_valid_and_stays_readable() {
    succeed(tool("sam").args(["validate", "--lint", "--template", "template.yaml"]));
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).unwrap();
    assert!(text.lines().count() <= LINES_MAX, "{} lines", text.lines().count());
}

#[test]
fn what_aws_makes_of_the_template_has_no_fault_the_linter_knows() {
    succeed(tool("cfn-lint").arg("--template").arg(transform()));
    let broken = fs::read_to_string(transform()).unwrap();
    let broken = broken.replace("ScheduleExpressionTimezone", "ScheduleTimezone");
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    fs::write(file.path(), broken).unwrap();
    let linted = tool("cfn-lint").arg("--template").arg(file.path()).output().unwrap();
    assert!(!linted.status.success(), "the linter would pass over a wrong property");
}

#[test]
fn every_schedule_keeps_new_york_time_gives_up_soon_and_is_understood() {
    hold(schedules);
}

#[test]
fn an_event_is_never_repeated_by_itself_nor_kept_until_it_is_stale() {
    hold(invocations);
}

#[test]
fn the_functions_keep_their_logs_and_carry_no_secret_and_have_no_address() {
    hold(functions);
}

#[test]
fn every_alarm_reaches_a_person_and_silence_is_one() {
    hold(alarms);
}

#[test]
fn each_role_may_what_it_needs_and_nothing_more() {
    hold(permissions);
}

#[test]
fn records_are_private_stay_and_are_written_once() {
    hold(bucket);
}

#[test]
fn stacks_stand_side_by_side() {
    hold(names);
}

#[test]
fn the_first_secret_is_refused_and_what_failed_is_kept() {
    hold(kept);
}

#[test]
fn the_readme_says_what_each_alarm_means() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, alarms) = readme.split_once("### Reading an alarm").unwrap();
    let (alarms, _) = alarms.split_once("\n### ").unwrap();
    let paragraphs: Vec<&str> = alarms.split("\n\n").filter(|p| p.starts_with("**")).collect();
    for (name, resource) in transformed()["Resources"].as_object().unwrap() {
        if resource["Type"] == "AWS::CloudWatch::Alarm" {
            let title = |paragraph: &&&str| paragraph.split("**").nth(1).unwrap().contains(name);
            let explained = paragraphs.iter().find(title);
            assert!(explained.is_some_and(|p| p.contains("*Do:*")), "{name} is not explained");
        }
    }
}

/// `sam local invoke` passes over a variable that the template does not name, without a word.
#[test]
fn what_points_the_function_at_this_machine_is_named_by_the_template_and_understood() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/events/env.json")).unwrap();
    let given: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&text).unwrap();
    assert_eq!(given.keys().collect::<Vec<_>>(), ["Trader"]);
    let template = transformed();
    let named = &template["Resources"]["Trader"]["Properties"]["Environment"]["Variables"];
    for name in given["Trader"].keys() {
        assert!(named.get(name).is_some(), "{name} would be passed over");
    }
    let settings = Settings::from_variables(&given["Trader"]).unwrap();
    assert!(settings.outbox.is_some() && settings.secret_file.is_some(), "{settings:?}");
    let broker = settings.broker_url.unwrap();
    assert!(Hosts::local(Mode::Paper, &broker).is_ok(), "{broker}");
}

/// A rule, where a fault is planted, and the fault; `null` takes the property away.
fn planted() -> Vec<(Rule, &'static str, Value)> {
    let statement = |which: u8, what: &str| -> &'static str {
        format!("TraderRole/Properties/Policies/0/PolicyDocument/Statement/{which}/{what}").leak()
    };
    vec![
        (schedules, "TraderOpen/Properties/ScheduleExpressionTimezone", json!("UTC")),
        (schedules, "WatcherMorning/Properties/ScheduleExpressionTimezone", json!(null)),
        (schedules, "TraderOpen/Properties/ScheduleExpression", json!("cron(35 9 ? * * *)")),
        (schedules, "TraderResume/Properties/FlexibleTimeWindow/Mode", json!("FLEXIBLE")),
        (schedules, "TraderOpen/Properties/Target/RetryPolicy/MaximumRetryAttempts", json!(185)),
        (schedules, "TraderOpen/Properties/Target/RetryPolicy", json!(null)),
        (schedules, "WatcherEvening/Properties/Target/DeadLetterConfig", json!(null)),
        (schedules, "WatcherEvening/Properties/Target/Arn", json!("{Trader.Arn}")),
        (schedules, "TraderOpen/Properties/Target/Input", json!("{\"action\":\"trade\"}")),
        (schedules, "WatcherEvening", json!(null)),
        (invocations, "TraderEventInvokeConfig/Properties/MaximumRetryAttempts", json!(2)),
        (invocations, "WatcherEventInvokeConfig/Properties/DestinationConfig", json!(null)),
        (invocations, "TraderEventInvokeConfig", json!(null)),
        (invocations, "TraderEventInvokeConfig/Properties/MaximumEventAgeInSeconds", json!(21600)),
        (invocations, "TraderOpen/Properties/Target/RetryPolicy", json!(null)),
        (functions, "Trader/Properties/Environment/Variables/ALCHEMISER_STOER", json!("x")),
        (functions, "Trader/Properties/Environment/Variables/ALCHEMISER_SECRET_FILE", json!("x")),
        (functions, "Watcher/Properties/Environment/Variables/APCA_API_KEY_ID", json!("x")),
        (functions, "Trader/Properties/Environment/Variables/ALCHEMISER_OUTBOX", json!("/tmp")),
        (functions, "Trader/Properties/Environment/Variables/ALCHEMISER_STORE", json!("")),
        (functions, "TraderLogs/Properties/RetentionInDays", json!(null)),
        (functions, "Trader/Properties/LoggingConfig/LogGroup", json!("/aws/lambda/other")),
        (functions, "Trader/Properties/ReservedConcurrentExecutions", json!(1)),
        (functions, "Watcher/Properties/Role", json!("{TraderRole.Arn}")),
        (functions, "Watcher/Metadata/BuildProperties/Binary", json!("alchemiser")),
        (functions, "Address", json!({"Type": "AWS::Lambda::Url"})),
        (alarms, "TraderErrors/Properties/AlarmActions", json!(null)),
        (alarms, "NoGoodRecord/Properties/TreatMissingData", json!("notBreaching")),
        (alarms, "NoGoodRecord/Properties/Statistic", json!("Minimum")),
        (alarms, "MailFailed/Properties/Dimensions/1/Value", json!("other")),
        (alarms, "UnknownOrders/Properties/MetricName", json!("UnknownOrder")),
        (alarms, "EventsFailed/Properties/Dimensions/0/Value", json!("{Other.QueueName}")),
        (alarms, "TraderSlow/Properties/Threshold", json!(400_000)),
        (alarms, "WatcherErrors", json!(null)),
        (alarms, "AlarmMailSubscription/Properties/TopicArn", json!("{Other}")),
        (alarms, "AlarmMailSubscription/Condition", json!("HasAlarmMail")),
        (permissions, statement(0, "Resource"), json!("*")),
        (permissions, statement(2, "Action"), json!("s3:*")),
        (permissions, statement(3, "Resource/1"), json!("{Records.Arn}/control/paper/*")),
        (permissions, statement(4, "Condition"), json!(null)),
        (
            permissions,
            "WatcherRole/Properties/Policies/0/PolicyDocument/Statement/1/Action",
            json!(["s3:GetObject", "secretsmanager:GetSecretValue"]),
        ),
        (permissions, "WatcherRole/Properties/ManagedPolicyArns/0", json!("AdministratorAccess")),
        (
            permissions,
            "TellPolicy/Properties/PolicyDocument/Statement/0/Condition/Null",
            json!(null),
        ),
        (
            permissions,
            "TraderRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
            json!("*"),
        ),
        (
            permissions,
            "SchedulerRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition",
            json!(null),
        ),
        (bucket, "Records/DeletionPolicy", json!("Delete")),
        (bucket, "Records/Properties/VersioningConfiguration/Status", json!("Suspended")),
        (
            bucket,
            "Records/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy",
            json!(false),
        ),
        (bucket, "Records/Properties/LifecycleConfiguration/Rules/0/Prefix", json!("runs/")),
        (bucket, "RecordsPolicy/Properties/PolicyDocument/Statement/0/Condition", json!(null)),
        (bucket, "RecordsPolicy/Properties/PolicyDocument/Statement/1/Resource/0", json!("x")),
        (bucket, "RecordsPolicy", json!(null)),
        (names, "Records/Properties/BucketName", json!("alchemiser")),
        (names, "Trader/Properties/FunctionName", json!("alchemiser")),
        (names, "ScheduleGroup/Properties/Name", json!("alchemiser")),
        (kept, "KeyPair/Properties/SecretString", json!("{\"key_id\":\"a\",\"secret_key\":\"b\"}")),
        (kept, "KeyPair/Properties/Name", json!("alchemiser/paper/other")),
        (kept, "FailedEvents/Properties/SqsManagedSseEnabled", json!(false)),
    ]
}

#[test]
fn every_planted_fault_is_found_by_its_rule() {
    let template = transformed();
    for (rule, place, fault) in planted() {
        let mut broken = template.clone();
        let (parent, last) = place.rsplit_once('/').unwrap_or(("", place));
        let parent = format!("/Resources/{parent}");
        let parent = broken.pointer_mut(parent.trim_end_matches('/')).unwrap();
        match (parent, &fault) {
            (Value::Object(fields), Value::Null) => {
                assert!(fields.remove(last).is_some(), "nothing to take away at {place}");
            }
            (parent, _) if parent.is_array() => parent[last.parse::<usize>().unwrap()] = fault,
            (parent, _) => parent[last] = fault,
        }
        assert!(!rule(&broken).is_empty(), "not noticed: {place}");
    }
}
