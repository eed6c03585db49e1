//! What a run's time goes to.

use alchemiser::domain::report::{Marks, RunReport};

use crate::stage::Stage;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_marks_the_end_of_each_stage_in_their_order() {
    let stage = stage();
    let told = stage.run().await;
    let report = told.report();
    let Marks { observed_at, decided_at, acted_at } = report.marks;
    let (observed_at, decided_at) = (observed_at.unwrap(), decided_at.unwrap());
    let acted_at = acted_at.unwrap();
    assert!(report.started_at < observed_at && observed_at <= decided_at);
    assert!(decided_at < acted_at && acted_at <= report.finished_at);
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_without_marks_still_reads() {
    let stage = stage();
    stage.run().await;
    let mut record = serde_json::to_value(stage.record().unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("marks").unwrap();
    let read: RunReport = serde_json::from_value(record).unwrap();
    assert_eq!(read.marks, Marks::default());
}
