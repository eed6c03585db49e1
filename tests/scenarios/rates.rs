//! How the last thirty days went.

use alchemiser::simulator::exchange::OrderTrouble;
use jiff::civil::date;

use crate::stage::Stage;

#[tokio::test(flavor = "current_thread")]
async fn rates_are_counted_over_thirty_days_and_said_where_they_are_low() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let mut said = 0;
    for day in 0..12 {
        stage.wants("a", if day % 2 == 0 { "SPY 0.5, BIL 0.5" } else { "QQQ 0.5, GLD 0.5" });
        if day == 7 {
            stage.troubles("GLD", 4, OrderTrouble::NeverFilled);
            stage.troubles("QQQ", 4, OrderTrouble::NeverFilled);
        }
        let told = stage.run().await;
        let codes = told.incidents();
        let is_said = codes.iter().any(|code| code == "WARNING few-filled");
        let total = told.report().rates.total();
        let is_low = total.planned >= 20 && total.filled * 100 < total.planned * 95;
        assert_eq!(is_said, is_low, "{day}: {total:?} {codes:?}");
        said += u32::from(is_said);
        if day == 6 {
            assert_eq!((total.planned, total.filled, total.good, total.runs), (26, 26, 7, 7));
        }
        stage.next_session();
    }
    assert!(said > 0, "two orders of thirty were not filled");
    let letter = stage.post.last();
    assert!(letter.contains("The last 30 days: 11 of 12 runs good, "), "{letter}");
    stage.goes_to(date(2026, 12, 31));
    let told = stage.run().await;
    let days = &told.report().rates.0;
    assert!(days.len() < 12 && days[0].0 > date(2026, 12, 1), "{days:?}");
}
