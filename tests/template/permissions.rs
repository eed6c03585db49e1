//! Who may do what: the whole list, so that a permission more is a change that somebody reads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::rules::{Faults, of, texts, unless};

const SECRETS: &str =
    "arn:{AWS::Partition}:secretsmanager:{AWS::Region}:{AWS::AccountId}:secret:alchemiser/paper/*";

/// Everything that each identity may: action, then resource. None is `*`, and none needs to be.
const MAY: [(&str, &[(&str, &str)]); 4] = [
    (
        "TellPolicy",
        &[
            ("ses:SendEmail", "{identity}/me@sender.example"),
            ("ses:SendEmail", "{identity}/sender.example"),
            ("ses:SendEmail", "{identity}/you@recipient.example"),
            ("ses:SendRawEmail", "{identity}/me@sender.example"),
            ("ses:SendRawEmail", "{identity}/sender.example"),
            ("ses:SendRawEmail", "{identity}/you@recipient.example"),
            ("sqs:SendMessage", "{FailedEvents.Arn}"),
        ],
    ),
    (
        "TraderRole",
        &[
            ("logs:CreateLogStream", "{TraderLogs.Arn}"),
            ("logs:PutLogEvents", "{TraderLogs.Arn}"),
            ("s3:GetObject", "{Records.Arn}/config/paper/*"),
            ("s3:GetObject", "{Records.Arn}/control/paper/*"),
            ("s3:GetObject", "{Records.Arn}/refusals/*"),
            ("s3:GetObject", "{Records.Arn}/reports/paper/*"),
            ("s3:GetObject", "{Records.Arn}/runs/paper/*"),
            ("s3:GetObject", "{Records.Arn}/strategies/*"),
            ("s3:ListBucket", "{Records.Arn}"),
            ("s3:PutObject", "{Records.Arn}/previews/paper/*"),
            ("s3:PutObject", "{Records.Arn}/refusals/*"),
            ("s3:PutObject", "{Records.Arn}/reports/paper/*"),
            ("s3:PutObject", "{Records.Arn}/runs/paper/*"),
            ("secretsmanager:GetSecretValue", SECRETS),
        ],
    ),
    (
        "WatcherRole",
        &[
            ("logs:CreateLogStream", "{WatcherLogs.Arn}"),
            ("logs:PutLogEvents", "{WatcherLogs.Arn}"),
            ("s3:GetObject", "{Records.Arn}/control/paper/*"),
            ("s3:GetObject", "{Records.Arn}/refusals/*"),
            ("s3:GetObject", "{Records.Arn}/reports/paper/*"),
            ("s3:GetObject", "{Records.Arn}/runs/paper/*"),
            ("s3:GetObject", "{Records.Arn}/watch/paper/*"),
            ("s3:ListBucket", "{Records.Arn}"),
            ("s3:PutObject", "{Records.Arn}/refusals/*"),
            ("s3:PutObject", "{Records.Arn}/reports/paper/*"),
            ("s3:PutObject", "{Records.Arn}/watch/paper/*"),
        ],
    ),
    (
        "SchedulerRole",
        &[
            ("lambda:InvokeFunction", "{Trader.Arn}"),
            ("lambda:InvokeFunction", "{Watcher.Arn}"),
            ("sqs:SendMessage", "{UndeliveredEvents.Arn}"),
        ],
    ),
];

/// Every statement that allows something, by the role or policy that holds it.
fn allowed(template: &Value) -> Vec<(&str, &Value)> {
    let mut statements = Vec::new();
    for (name, policy) in of(template, "AWS::IAM::ManagedPolicy") {
        let found = policy["PolicyDocument"]["Statement"].as_array().unwrap();
        statements.extend(found.iter().map(|statement| (name, statement)));
    }
    for (name, role) in of(template, "AWS::IAM::Role") {
        for policy in role["Policies"].as_array().unwrap() {
            let found = policy["PolicyDocument"]["Statement"].as_array().unwrap();
            statements.extend(found.iter().map(|statement| (name, statement)));
        }
    }
    statements
}

/// Each identity may exactly what the table says: no `*` for a resource, none in an action.
pub(crate) fn permissions(template: &Value) -> Faults {
    let mut faults = Vec::new();
    let mut may: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for (name, statement) in allowed(template) {
        faults.push(unless(statement["Effect"] == "Allow", format!("{name}: effect")));
        for action in texts(&statement["Action"]) {
            faults.push(unless(!action.contains('*'), format!("{name}: {action}")));
            for resource in texts(&statement["Resource"]) {
                faults.push(unless(!resource.starts_with('*'), format!("{name}: {action} on all")));
                let short = resource.replace(
                    "arn:{AWS::Partition}:ses:{AWS::Region}:{AWS::AccountId}:identity",
                    "{identity}",
                );
                may.entry(name).or_default().push((action.to_owned(), short));
            }
        }
    }
    for (name, wanted) in MAY {
        let mut found = may.remove(name).unwrap_or_default();
        found.sort();
        let same = found.iter().map(|(a, r)| (a.as_str(), r.as_str())).eq(wanted.iter().copied());
        faults.push(unless(same, format!("{name} may {found:#?}")));
    }
    faults.push(unless(may.is_empty(), format!("others may {may:?}")));
    for (name, role) in of(template, "AWS::IAM::Role") {
        let policies = role.get("ManagedPolicyArns");
        let ours = policies.is_none_or(|policies| *policies == json!(["{TellPolicy}"]));
        faults.push(unless(ours, format!("{name} has policies of others")));
    }
    faults.extend(narrowed(template));
    faults.into_iter().flatten().collect()
}

/// The conditions: mail to and from the operator, lists of our own prefixes, a clock of our own.
fn narrowed(template: &Value) -> Vec<Option<String>> {
    let with = |name: &str, action: &str| {
        let mut found = allowed(template).into_iter().filter(|(holder, statement)| {
            *holder == name && texts(&statement["Action"]).contains(&action)
        });
        found.next().map(|(_, statement)| statement["Condition"].clone()).unwrap_or_default()
    };
    let mail = json!({
        "StringEquals": {"ses:FromAddress": "me@sender.example"},
        "ForAllValues:StringEquals": {"ses:Recipients": ["you@recipient.example"]},
        "Null": {"ses:Recipients": "false"},
    });
    let lists = |prefixes: &[&str]| {
        let all: Vec<&str> = ["runs/paper/*"].iter().chain(prefixes).copied().collect();
        json!({"StringLikeIfExists": {"s3:prefix": all}})
    };
    let role = |name: &str| &template["Resources"][name]["Properties"]["AssumeRolePolicyDocument"];
    let clock = json!({"StringEquals": {
        "aws:SourceAccount": "{AWS::AccountId}",
        "aws:SourceArn": "{ScheduleGroup.Arn}",
    }});
    let mut faults = vec![
        unless(with("TellPolicy", "ses:SendEmail") == mail, "mail goes anywhere"),
        unless(
            with("TraderRole", "s3:ListBucket") == lists(&["control/paper/*", "strategies/*"]),
            "the trader lists all",
        ),
        unless(
            with("WatcherRole", "s3:ListBucket") == lists(&["watch/paper/*"]),
            "the watcher lists all",
        ),
        unless(
            role("SchedulerRole")["Statement"][0]["Condition"] == clock,
            "any schedule may start",
        ),
    ];
    for (name, service) in
        [("TraderRole", "lambda"), ("WatcherRole", "lambda"), ("SchedulerRole", "scheduler")]
    {
        let trusted = &role(name)["Statement"];
        let right = trusted.as_array().is_some_and(|statements| statements.len() == 1)
            && trusted[0]["Principal"] == json!({"Service": format!("{service}.amazonaws.com")});
        faults.push(unless(right, format!("{name} trusts {trusted}")));
    }
    faults
}
