//! The form of a run's record as its schema says it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// The schema as it is printed.
pub(crate) const SCHEMA: &str = include_str!("../../src/domain/record.schema.json");

static FORM: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is one")
});

/// Where a record, alone or in its envelope, is not of the form, with what is wrong there.
pub(crate) fn faults(record: &Value) -> Vec<String> {
    FORM.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
