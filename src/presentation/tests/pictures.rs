//! The charts of letters and pages: what reaches the reader.

use html5gum::{StartTag, Token, Tokenizer};
use mail_parser::{MessageParser, MimeHeaders};
use tiny_skia::Pixmap;

use crate::domain::report::RunReport;
use crate::presentation::chart::picture::Picture;
use crate::presentation::chart::{Chart, images};
use crate::presentation::letter::sheet;
use crate::presentation::sample::{
    self, bad_day, closed_day, failed_day, key, quiet_day, trading_day,
};
use crate::presentation::sheet::{Block, Room, Sheet};
use crate::presentation::tests::safe::overflowing_day;
use crate::presentation::tests::{text_of, utf8};
use crate::presentation::{Mail, MailParts, alert, letter, mail_html, mime, page_html};

/// Largest mail: the specification's bound.
const MAIL_BYTES_MAX: usize = 300_000;

pub(crate) fn sent(mail: &Mail) -> Vec<u8> {
    mime(&MailParts {
        from: "run@example.com".to_owned(),
        to: vec!["operator@example.com".to_owned()],
        subject: mail.subject.clone(),
        text: mail.text.clone(),
        html: mail.html.clone(),
        images: mail.images.clone(),
        date: sample::at("14:36:00"),
        message_id: "id@example.com".to_owned(),
        boundary: "seed".to_owned(),
    })
}

fn tags(html: &str, name: &str) -> Vec<StartTag<()>> {
    let tags = Tokenizer::new(html).filter_map(|token| match token {
        Ok(Token::StartTag(tag)) if utf8(&tag.name) == name => Some(tag),
        Ok(_) => None,
    });
    tags.collect()
}

fn attribute(tag: &StartTag<()>, name: &str) -> String {
    utf8(&tag.attributes[name.as_bytes()])
}

fn charts(sheet: &Sheet) -> Vec<&Chart> {
    let blocks = sheet.sections.iter().flat_map(|section| &section.blocks);
    blocks
        .filter_map(|block| match block {
            Block::Chart(chart) => Some(chart),
            Block::Prose(_)
            | Block::Facts(_)
            | Block::Rows(_)
            | Block::Note(_)
            | Block::Table(_)
            | Block::Fold(..) => None,
        })
        .collect()
}

#[test]
fn the_mail_comes_back_with_every_image_that_its_html_shows() {
    for report in [trading_day(), quiet_day(), bad_day()] {
        let bytes = sent(&letter(&report));
        let message = MessageParser::default().parse(&bytes).unwrap();
        let html = message.body_html(0).unwrap();
        let shown = tags(&html, "img");
        assert_eq!(shown.len(), 4);
        for tag in &shown {
            let source = attribute(tag, "src");
            let id = source.strip_prefix("cid:").unwrap();
            let parts: Vec<_> =
                message.parts.iter().filter(|part| part.content_id() == Some(id)).collect();
            let [part] = parts.as_slice() else { panic!("{} parts of {id}", parts.len()) };
            let kind = part.content_type().unwrap();
            assert_eq!((kind.ctype(), kind.subtype()), ("image", Some("png")));
            assert!(part.content_disposition().unwrap().is_inline());
            let chart = id.split('.').next().unwrap();
            assert_eq!(part.attachment_name(), Some(format!("{chart}.png").as_str()));
            let pixels = Pixmap::decode_png(part.contents()).unwrap();
            let shown = [attribute(tag, "width"), attribute(tag, "height")];
            assert_eq!(shown, [pixels.width() / 2, pixels.height() / 2].map(|n| n.to_string()));
            assert_eq!(pixels.width(), 1120, "sharp on a screen of two pixels to the point");
        }
        assert_eq!(message.parts.len(), 4 + shown.len(), "no image that is not shown");
    }
}

#[test]
fn the_alternative_text_says_the_figures_that_the_picture_shows() {
    let html = letter(&trading_day()).html;
    let alts: Vec<String> = tags(&html, "img").iter().map(|tag| attribute(tag, "alt")).collect();
    assert_eq!(
        alts,
        [
            "Dots for how far each decision was from turning. nuclear: nearest 8.3%, clear; \
             0 of 3 decisions close or nearer. tecl: nearest 0.1%, on the edge; 1 of 3 decisions \
             close or nearer. klm: nearest 17.6%, clear; 0 of 2 decisions close or nearer.",
            "Line of the equity after 20 runs up to 12 Nov 2026. First $98,120.00 on 24 Oct, \
             lowest $97,950.00 on 28 Oct, highest $104,231.00 on 12 Nov, \
             last $104,231.00 on 12 Nov.",
            "Bars of the allocation now against the plan's target. TECL 50.7%, target 54.1%; \
             SMR 11.0%, target 10.7%; BWXT 10.0%, target 9.7%; LEU 8.4%, target 8.2%; \
             SOXL 6.5%, target 6.4%; SVIX 0.0%, target 6.4%; AAPL 2.6%, target 2.5%; \
             BTAL 0.2%, target 0.0%; cash 3.0%, target 1.9%.",
            "Bars of the distance from the targets, in parts of equity. TQQQ +14.1% before, \
             0.0% now; TECL −11.9% before, −3.5% now; SMR −10.7% before, +0.3% now; BIL +10.3% \
             before, 0.0% now; BWXT −9.7% before, +0.3% now; LEU −8.2% before, +0.2% now; SOXL \
             −6.4% before, +0.1% now; SVIX −6.4% before, −6.4% now; UVXY +1.0% before, 0.0% now; \
             BTAL +0.2% before, +0.2% now.",
        ]
    );
}

#[test]
fn page_and_mail_show_the_same_charts_and_the_text_twin_their_figures() {
    for (name, report) in sample::all() {
        let page = page_html(&report);
        let descriptions: Vec<String> =
            tags(&page, "svg").iter().map(|tag| attribute(tag, "aria-label")).collect();
        let sheet = sheet(&report, Room::PAGE);
        let charts = charts(&sheet);
        let alts: Vec<&str> = charts.iter().map(|chart| chart.alt.as_str()).collect();
        assert_eq!(descriptions, alts, "{name}");
        let text = letter(&report).text;
        if !letter(&report).images.is_empty() {
            for fact in charts.iter().flat_map(|chart| &chart.figures) {
                let line = format!("{}: {}", fact.name.as_str(), fact.value.as_str());
                assert!(text.contains(&line), "{name}: {line}");
            }
        }
    }
}

#[test]
fn a_picture_that_cannot_be_drawn_leaves_its_figures_and_no_dangling_image() {
    let report = trading_day();
    let mut sheet = sheet(&report, Room::LETTER);
    for block in sheet.sections.iter_mut().flat_map(|section| &mut section.blocks) {
        if let Block::Chart(chart) = block
            && chart.name == "equity"
        {
            chart.picture = Picture { height: i16::MAX, shapes: chart.picture.shapes.clone() };
        }
    }
    let images = images(&sheet);
    assert_eq!(
        images.iter().map(|image| image.name).collect::<Vec<_>>(),
        ["ribbon", "allocation", "drift"]
    );
    let html = mail_html::html(&sheet, &images);
    assert_eq!(tags(&html, "img").len(), 3);
    assert!(text_of(&html).contains("12 Nov $104,231.00"), "the curve's last figure");
}

#[test]
fn a_closed_day_an_alert_and_a_run_that_knew_nothing_carry_no_image_in_vain() {
    assert_eq!(letter(&closed_day()).images, []);
    assert_eq!(alert(&bad_day().incidents, Some(&key())).images, []);
    let names: Vec<_> = letter(&failed_day()).images.iter().map(|image| image.name).collect();
    assert_eq!(names, ["equity"], "the curve is on record, the account is not");
}

#[test]
fn a_first_run_has_every_chart_but_a_curve_needs_a_point() {
    let mut report = trading_day();
    report.equity_curve.drain(..19);
    assert_eq!(letter(&report).images.len(), 4);
    report.equity_curve.clear();
    assert_eq!(letter(&report).images.len(), 3);
    assert_eq!(tags(&letter(&report).html, "img").len(), 3);
}

#[test]
fn the_largest_mail_stays_below_its_bound() {
    let mut report = overflowing_day();
    let year = full_year();
    report.equity_curve = year.equity_curve;
    report.account = year.account;
    let mail = letter(&report);
    let images: Vec<usize> = mail.images.iter().map(|image| image.png.len()).collect();
    assert_eq!(images.len(), 4);
    assert!(images.iter().all(|bytes| *bytes < 40_000), "{images:?}");
    let bytes = sent(&mail);
    assert!(bytes.len() <= MAIL_BYTES_MAX, "{}", bytes.len());
    assert!(bytes.is_ascii());
    assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
}

/// The trading day after a year of runs that go up and down as far as they can, and as many bars as there is room for.
fn full_year() -> RunReport {
    let mut report = trading_day();
    let template = report.equity_curve[0];
    report.equity_curve = (0..260)
        .map(|day| {
            let mut point = template;
            point.session = point.session.checked_add(jiff::Span::new().days(day)).unwrap();
            point.equity = sample::usd(if day % 2 == 0 { "1" } else { "999999999999" });
            point
        })
        .collect();
    let account = report.account.as_mut().unwrap();
    let held = account.positions[0].clone();
    account.positions = (0..60)
        .map(|number| {
            let mut held = held.clone();
            held.symbol = sample::symbol(&format!("WWWWWWWWWW{number}"));
            held
        })
        .collect();
    report
}

#[test]
fn the_same_report_gives_the_same_picture_and_another_report_another_name() {
    let (one, again) = (letter(&trading_day()), letter(&trading_day()));
    assert_eq!(one.images, again.images);
    let mut other = trading_day();
    other.equity_curve[3].equity = sample::usd("99000");
    let other = letter(&other);
    for (image, was) in other.images.iter().zip(&one.images) {
        assert_eq!(image.content_id == was.content_id, image.name != "equity", "{}", image.name);
    }
}

#[test]
fn the_drawings_of_a_trading_day_look_like_this() {
    let page = page_html(&trading_day());
    let drawings: Vec<&str> =
        page.split("<svg").skip(1).map(|rest| rest.split("</svg>").next().unwrap()).collect();
    insta::assert_snapshot!(drawings.join("\n").replace("><", ">\n<"));
}
