//! What must be true of the template, each as a list of what is wrong.

use std::collections::BTreeMap;

use alchemiser::domain::policy::Policy;
use alchemiser::infrastructure::keys;
use alchemiser::interface::event::Event;
use alchemiser::interface::settings::Settings;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What is wrong, in words.
pub(crate) type Faults = Vec<String>;
/// A rule about the transformed template with its references written out.
pub(crate) type Rule = fn(&Value) -> Faults;

/// What starts which function when, in New York.
const CLOCK: [(&str, &str, &str); 6] = [
    ("cron(35 9 ? * MON-FRI *)", "trade", "{Trader.Arn}"),
    ("cron(41,47,55 9 ? * MON-FRI *)", "resume", "{Trader.Arn}"),
    ("cron(0 10 * * ? *)", "watch", "{Watcher.Arn}"),
    ("cron(15 16 * * ? *)", "watch", "{Watcher.Arn}"),
    ("cron(30 8 ? * SAT *)", "report", "{Watcher.Arn}"),
    ("cron(45 8 1 * ? *)", "report", "{Watcher.Arn}"),
];

/// Name, metric, statistic with comparison and threshold, seconds times periods, missing data.
const ALARMS: [(&str, &str, &str, &str, &str); 10] = [
    ("BadRecord", "GoodFinalRecord", "Minimum < 1", "300 x 1", "ignore"),
    ("NoGoodRecord", "GoodFinalRecord", "Maximum < 1", "3600 x 19", "breaching"),
    ("UnknownOrders", "UnknownOrders", "Maximum >= 1", "300 x 1", "notBreaching"),
    ("MailFailed", "MailFailed", "Maximum >= 1", "300 x 1", "notBreaching"),
    ("TraderErrors", "Errors Trader", "Maximum >= 1", "300 x 1", "notBreaching"),
    ("TraderThrottles", "Throttles Trader", "Maximum >= 1", "300 x 1", "notBreaching"),
    ("TraderSlow", "Duration Trader", "Maximum >= 240000", "300 x 1", "notBreaching"),
    ("WatcherErrors", "Errors Watcher", "Maximum >= 1", "300 x 1", "notBreaching"),
    ("EventsFailed", "Visible FailedEvents", "Maximum >= 1", "300 x 1", "notBreaching"),
    ("EventsUndelivered", "Visible UndeliveredEvents", "Maximum >= 1", "300 x 1", "notBreaching"),
];

/// Variables that are blank in the cloud: they point the function at this machine.
const LOCAL: [&str; 3] = ["ALCHEMISER_OUTBOX", "ALCHEMISER_SECRET_FILE", "ALCHEMISER_BROKER_URL"];

/// Properties that give a thing a name of its own, which two stacks would quarrel about.
const OWN_NAMES: [&str; 8] = [
    "AlarmName",
    "BucketName",
    "FunctionName",
    "LogGroupName",
    "ManagedPolicyName",
    "QueueName",
    "RoleName",
    "TopicName",
];

/// Resources of one kind by name.
pub(crate) fn of<'a>(template: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let resources = template["Resources"].as_object().unwrap();
    let found = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    found.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect()
}

/// A fault unless it is so.
pub(crate) fn unless(right: bool, fault: impl Into<String>) -> Option<String> {
    (!right).then(|| fault.into())
}

/// One or several texts.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    let single = std::slice::from_ref(value);
    let list = value.as_array().map_or(single, Vec::as_slice);
    list.iter().filter_map(Value::as_str).collect()
}

/// The schedules run on New York's clock, give up soon, and say what the function understands.
pub(crate) fn schedules(template: &Value) -> Faults {
    let mut faults = Vec::new();
    let mut clock = Vec::new();
    for (name, schedule) in of(template, "AWS::Scheduler::Schedule") {
        let target = &schedule["Target"];
        let input = target["Input"].as_str().unwrap_or_default();
        let input = input.replace("<aws.scheduler.scheduled-time>", "2026-11-20T14:35:00Z");
        let event: Value = serde_json::from_str(&input).unwrap_or_default();
        clock.push((
            texts(&schedule["ScheduleExpression"]).concat(),
            texts(&event["action"]).concat(),
            texts(&target["Arn"]).concat(),
        ));
        let parsed = Event::parse(event.clone(), Timestamp::UNIX_EPOCH);
        let retry = &target["RetryPolicy"];
        faults.extend([
            unless(
                schedule["ScheduleExpressionTimezone"] == "America/New_York",
                format!("{name}: time zone"),
            ),
            unless(schedule["FlexibleTimeWindow"]["Mode"] == "OFF", format!("{name}: flexible")),
            unless(
                retry["MaximumRetryAttempts"].as_u64().is_some_and(|n| n <= 3),
                format!("{name}: attempts"),
            ),
            unless(
                target["DeadLetterConfig"]["Arn"] == "{UndeliveredEvents.Arn}",
                format!("{name}: undelivered"),
            ),
            unless(target["RoleArn"] == "{SchedulerRole.Arn}", format!("{name}: role")),
            unless(schedule["GroupName"] == "{ScheduleGroup}", format!("{name}: group")),
            unless(schedule["State"] == "ENABLED", format!("{name}: state")),
            unless(parsed.is_ok(), format!("{name}: {parsed:?}")),
            unless(
                event["scheduled_for"] == "2026-11-20T14:35:00Z",
                format!("{name}: scheduled time"),
            ),
            unless(
                event["account"] == "main" && event["mode"] == "paper",
                format!("{name}: account"),
            ),
        ]);
    }
    clock.sort();
    let mut wanted =
        CLOCK.map(|(when, what, whom)| (when.to_owned(), what.to_owned(), whom.to_owned()));
    wanted.sort();
    faults.push(unless(clock == wanted, format!("the clock is {clock:?}")));
    faults.into_iter().flatten().collect()
}

/// Lambda repeats nothing by itself, hands over what failed, and keeps no event until it is stale.
pub(crate) fn invocations(template: &Value) -> Faults {
    let mut faults = Vec::new();
    let configs = of(template, "AWS::Lambda::EventInvokeConfig");
    for name in of(template, "AWS::Lambda::Function").keys() {
        let own = configs.values().filter(|config| config["FunctionName"] == format!("{{{name}}}"));
        faults.push(unless(own.count() == 1, format!("{name}: no configuration of its events")));
    }
    let age = |value: &Value| value["MaximumEventAgeInSeconds"].as_u64();
    let mut waits = 0;
    for (name, config) in configs {
        let failed = &config["DestinationConfig"]["OnFailure"]["Destination"];
        faults.push(unless(config["MaximumRetryAttempts"] == 0, format!("{name}: retries")));
        faults.push(unless(failed == "{FailedEvents.Arn}", format!("{name}: failure destination")));
        waits = waits.max(age(config).unwrap_or(u64::MAX));
    }
    for schedule in of(template, "AWS::Scheduler::Schedule").values() {
        let both = age(&schedule["Target"]["RetryPolicy"]).and_then(|age| age.checked_add(waits));
        let lateness = u64::from(Policy::compiled_in().timing.lateness_max_seconds);
        faults
            .push(unless(both.is_some_and(|both| both <= lateness), "an event may wait too long"));
    }
    faults.into_iter().flatten().collect()
}

/// The functions are what the build makes, keep their logs, reserve nothing unless asked, carry no
/// secret, and are reached by no address.
pub(crate) fn functions(template: &Value) -> Faults {
    let mut faults = Vec::new();
    let functions = of(template, "AWS::Lambda::Function");
    faults.push(unless(functions.keys().eq(["Trader", "Watcher"].iter()), "the functions"));
    for (name, function) in functions {
        let variables = function["Environment"]["Variables"].as_object().unwrap();
        let variables: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .map(|(name, value)| (name, value.replace("{Records}", "records-1a2b3c")))
            .collect();
        let settings = Settings::from_variables(&variables);
        let secret = ["KEY", "SECRET", "TOKEN", "PASSWORD"];
        for (variable, text) in &variables {
            let secretive = secret.iter().any(|word| variable.to_uppercase().contains(word));
            let local = LOCAL.contains(&variable.as_str());
            faults.push(unless(text.is_empty() || !secretive, format!("{name}: {variable}")));
            faults.push(unless(text.is_empty() == local, format!("{name}: {variable} is {text}")));
            faults.push(unless(variable.starts_with("ALCHEMISER_"), format!("{name}: {variable}")));
        }
        let logs = function["LoggingConfig"]["LogGroup"].as_str().unwrap_or_default();
        let logs = &of(template, "AWS::Logs::LogGroup")
            .remove(logs.trim_matches(['{', '}']))
            .map_or(json!(null), |group| group["RetentionInDays"].clone());
        let build = &template["Resources"][name]["Metadata"];
        faults.extend([
            unless(settings.is_ok(), format!("{name}: {settings:?}")),
            unless(function["Runtime"] == "provided.al2023", format!("{name}: runtime")),
            unless(function["Handler"] == "bootstrap", format!("{name}: handler")),
            unless(function["Architectures"] == json!(["x86_64"]), format!("{name}: architecture")),
            unless(function["MemorySize"] == 256 && function["Timeout"] == 300, format!("{name}: size")),
            unless(function["LoggingConfig"]["LogFormat"] == "JSON", format!("{name}: log format")),
            unless(function["LoggingConfig"]["ApplicationLogLevel"] == "INFO", format!("{name}: log level")),
            unless(logs == "90", format!("{name}: its logs are kept for {logs}")),
            unless(function["Role"] == format!("{{{name}Role.Arn}}"), format!("{name}: role")),
            unless(
                *build == json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": "lambda"}}),
                format!("{name}: build"),
            ),
        ]);
    }
    let reserved = &template["Resources"]["Trader"]["Properties"]["ReservedConcurrentExecutions"];
    let optional = json!({"Fn::If": ["Reserves", "0", "{AWS::NoValue}"]});
    faults.push(unless(*reserved == optional, format!("reserved concurrency is {reserved}")));
    for kind in ["AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::ApiGateway::RestApi"] {
        faults.push(unless(of(template, kind).is_empty(), kind));
    }
    faults.into_iter().flatten().collect()
}

/// Every alarm measures what it should and reaches the topic that mails, and calls, a person.
pub(crate) fn alarms(template: &Value) -> Faults {
    let mut faults = Vec::new();
    let alarms = of(template, "AWS::CloudWatch::Alarm");
    faults.push(unless(alarms.len() == ALARMS.len(), "there are other alarms"));
    for (name, metric, test, window, missing) in ALARMS {
        let Some(alarm) = alarms.get(name) else {
            faults.push(Some(format!("{name} is missing")));
            continue;
        };
        let sign = match texts(&alarm["ComparisonOperator"])[..] {
            ["LessThanThreshold"] => "<",
            ["GreaterThanOrEqualToThreshold"] => ">=",
            _ => "?",
        };
        let said = format!("{} {sign} {}", texts(&alarm["Statistic"]).concat(), alarm["Threshold"]);
        let over = format!("{} x {}", alarm["Period"], alarm["EvaluationPeriods"]);
        let needed = alarm.get("DatapointsToAlarm");
        faults.extend([
            unless(measured(alarm) == metric, format!("{name} measures {}", measured(alarm))),
            unless(said == test, format!("{name} asks {said}")),
            unless(over == window, format!("{name} looks over {over}")),
            unless(
                needed.is_none_or(|n| *n == alarm["EvaluationPeriods"]),
                format!("{name}: datapoints"),
            ),
            unless(alarm["TreatMissingData"] == missing, format!("{name}: missing data")),
            unless(alarm["AlarmActions"] == json!(["{Alarms}"]), format!("{name} calls nobody")),
            unless(alarm["ActionsEnabled"] != false, format!("{name} is silenced")),
        ]);
    }
    let told = of(template, "AWS::SNS::Subscription");
    let mail = json!({"Fn::If": ["HasAlarmMail", "", "you@recipient.example"]});
    let [by_mail, by_phone] =
        ["AlarmMailSubscription", "AlarmPhoneSubscription"].map(|name| told.get(name).copied());
    let by = |way: Option<&Value>, protocol: &str| {
        way.is_some_and(|way| way["TopicArn"] == "{Alarms}" && way["Protocol"] == protocol)
    };
    let only_if = &template["Resources"]["AlarmPhoneSubscription"]["Condition"];
    let always = &template["Resources"]["AlarmMailSubscription"]["Condition"];
    faults.extend([
        unless(
            by(by_mail, "email") && by_mail.is_some_and(|way| way["Endpoint"] == mail),
            "alarm mail",
        ),
        unless(always.is_null(), "alarm mail is optional"),
        unless(by(by_phone, "sms") && only_if == "HasAlarmPhone", "alarm phone"),
    ]);
    faults.into_iter().flatten().collect()
}

/// What an alarm measures: the function's or queue's metric with its name, or ours of the account.
fn measured(alarm: &Value) -> String {
    let metric = texts(&alarm["MetricName"]).concat();
    let metric = metric.replace("ApproximateNumberOfMessagesVisible", "Visible");
    let dimensions = alarm["Dimensions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let dimensions: Vec<(&str, &str)> = dimensions
        .iter()
        .map(|pair| (texts(&pair["Name"])[0], texts(&pair["Value"])[0].trim_matches(['{', '}'])))
        .collect();
    match (texts(&alarm["Namespace"])[..].first(), &dimensions[..]) {
        (Some(&"Alchemiser"), [("Mode", "paper"), ("Account", "main")]) => metric,
        (Some(&"AWS/Lambda"), [("FunctionName", function)]) => format!("{metric} {function}"),
        (Some(&"AWS/SQS"), [("QueueName", queue)]) => {
            format!("{metric} {}", queue.trim_end_matches(".QueueName"))
        }
        other => format!("{metric} of {other:?}"),
    }
}

/// The bucket stays, is private and encrypted, takes no record twice and loses none.
pub(crate) fn bucket(template: &Value) -> Faults {
    let resource = &template["Resources"]["Records"];
    let records = &resource["Properties"];
    let shut =
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    let encryption = &records["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    let mut faults = vec![
        unless(of(template, "AWS::S3::Bucket").len() == 1, "one bucket"),
        unless(resource["DeletionPolicy"] == "Retain", "the bucket goes with the stack"),
        unless(resource["UpdateReplacePolicy"] == "Retain", "the bucket goes when replaced"),
        unless(records["VersioningConfiguration"]["Status"] == "Enabled", "no versions"),
        unless(
            records["OwnershipControls"]["Rules"][0]["ObjectOwnership"] == "BucketOwnerEnforced",
            "objects of others",
        ),
        unless(
            shut.iter().all(|way| records["PublicAccessBlockConfiguration"][way] == true),
            "the bucket can be made public",
        ),
        unless(
            encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256",
            "not encrypted",
        ),
    ];
    for rule in records["LifecycleConfiguration"]["Rules"].as_array().unwrap() {
        let kept = rule.get("ExpirationInDays").is_none() || rule["Prefix"] == "previews/";
        let history = &rule["NoncurrentVersionExpiration"]["NoncurrentDays"];
        let history = history.is_null() || history.as_u64().is_some_and(|days| days >= 365);
        faults.push(unless(kept && history, format!("{} ends records", rule["Id"])));
    }
    let once = json!(["{Records.Arn}/runs/*", "{Records.Arn}/refusals/*", "{Records.Arn}/watch/*"]);
    let denied = json!([
        {"Sid": "OnlyEncryptedConnections", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
         "Resource": ["{Records.Arn}", "{Records.Arn}/*"],
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "RecordsAreWrittenOnce", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
         "Resource": once, "Condition": {"Null": {"s3:if-none-match": "true"}}},
        {"Sid": "RecordsAreNotDeleted", "Effect": "Deny", "Principal": "*",
         "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"], "Resource": once},
    ]);
    let policies = of(template, "AWS::S3::BucketPolicy");
    let statements =
        policies.get("RecordsPolicy").map(|policy| &policy["PolicyDocument"]["Statement"]);
    faults.push(unless(statements == Some(&denied) && policies.len() == 1, "the bucket's policy"));
    faults.into_iter().flatten().collect()
}

/// Two stacks can stand side by side: only the secret is named, by mode and account.
pub(crate) fn names(template: &Value) -> Faults {
    let mut faults = Vec::new();
    for (name, resource) in template["Resources"].as_object().unwrap() {
        for property in OWN_NAMES {
            let named = resource["Properties"].get(property);
            let own = named.is_none_or(|named| {
                *named == format!("{{{}}}", name.trim_end_matches("EventInvokeConfig"))
            });
            faults.push(unless(own, format!("{name} has a name of its own: {named:?}")));
        }
    }
    let groups = of(template, "AWS::Scheduler::ScheduleGroup");
    let by_stack = groups.values().all(|group| group["Name"] == "{AWS::StackName}");
    faults.push(unless(by_stack, "a schedule group with a name of its own"));
    faults.into_iter().flatten().collect()
}

/// The secret is where the function looks, and what it holds at first is refused by name. The
/// queues keep what fell into them.
pub(crate) fn kept(template: &Value) -> Faults {
    let mut faults = Vec::new();
    let secrets = of(template, "AWS::SecretsManager::Secret");
    faults.push(unless(secrets.len() == 1, "one secret"));
    for (name, secret) in secrets {
        let text = secret["SecretString"].as_str().unwrap_or_default();
        let read = keys::parse("the secret", text.as_bytes()).map(|_| ());
        let said = read.err().map(|refusal| refusal.to_string()).unwrap_or_default();
        faults.push(unless(secret["Name"] == "alchemiser/paper/main", format!("{name}: name")));
        faults
            .push(unless(said.ends_with("key_id is blank"), format!("{name} holds a key: {said}")));
    }
    for (name, queue) in of(template, "AWS::SQS::Queue") {
        let long = queue["MessageRetentionPeriod"] == 1_209_600;
        faults.push(unless(
            long && queue["SqsManagedSseEnabled"] == true,
            format!("{name}: keeping"),
        ));
    }
    faults.into_iter().flatten().collect()
}
