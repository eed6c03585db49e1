//! The days of an account, as the artefact lives them.

use crate::stage::Stage;

#[test]
fn the_stage_stands() {
    let stage = Stage::new();
    assert_eq!(stage.moto.mails().len(), 0);
    assert_eq!(stage.moto.keys("").len(), 4);
    let _ = stage.emulator();
    let _ = stage.function("x");
}
