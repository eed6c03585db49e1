//! The offline twins, and the real transport against a loopback port.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use alchemiser::application::ports::{
    Credentials, CredentialsError, Freshness, Letter, Mailer, Put, Store, StoreError,
};
use alchemiser::domain::run::Mode;
use alchemiser::infrastructure::hosts::Hosts;
use alchemiser::infrastructure::http::{Host, Method, Request, Transport, TransportError};
use alchemiser::infrastructure::https::{ReqwestTransport, Tls, Trust};
use alchemiser::infrastructure::local::mail::Outbox;
use alchemiser::infrastructure::local::secrets::SecretFile;
use alchemiser::infrastructure::local::store::FolderStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_record_is_written_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path().join("deep/er"));
    assert_eq!(store.get("runs/a.json").await, Ok(None));
    let Put::Stored { at } = store.put_once("runs/a.json", b"first").await.unwrap() else {
        panic!("the first writer stores");
    };
    let Put::Exists(record) = store.put_once("runs/a.json", b"second").await.unwrap() else {
        panic!("the second writer does not");
    };
    assert_eq!((record.bytes.as_slice(), record.at), (&b"first"[..], at));
    assert_eq!(store.get("runs/a.json").await.unwrap().unwrap(), record);
}

#[test]
fn of_many_writers_exactly_one_stores_and_the_others_get_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let gate = Arc::new(Barrier::new(8));
        let writers: Vec<_> = (0..8)
            .map(|nth| {
                let (store, gate) = (FolderStore::new(folder.path()), Arc::clone(&gate));
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    let bytes = format!("writer {nth} {}", "x".repeat(10_000));
                    gate.wait();
                    let key = format!("r/{round}.json");
                    let put = runtime.block_on(store.put_once(&key, bytes.as_bytes())).unwrap();
                    (bytes, put)
                })
            })
            .collect();
        let puts: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        let stored: Vec<_> =
            puts.iter().filter(|(_, put)| matches!(put, Put::Stored { .. })).collect();
        assert_eq!(stored.len(), 1);
        for (_, put) in &puts {
            if let Put::Exists(record) = put {
                assert_eq!(record.bytes, stored[0].0.as_bytes());
            }
        }
    }
    let strays = walk(folder.path());
    assert_eq!(strays.len(), 20, "{strays:?}");
}

fn walk(folder: &std::path::Path) -> BTreeSet<std::path::PathBuf> {
    std::fs::read_dir(folder.join("r")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_view_may_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path());
    for bytes in [&b"one"[..], b"two"] {
        store.put_view("index.html", bytes).await.unwrap();
        assert_eq!(store.get("index.html").await.unwrap().unwrap().bytes, bytes);
    }
}

#[tokio::test]
async fn keys_are_listed_by_their_beginning_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path());
    assert_eq!(store.list("").await, Ok(vec![]));
    for key in ["runs/p/b.json", "runs/p/a/x.json", "runs/p2/c.json", "other.json"] {
        store.put_once(key, b"{}").await.unwrap();
    }
    std::fs::write(folder.path().join("runs/p/.new-1-1"), b"half").unwrap();
    let list = |prefix: &'static str| {
        let store = store.clone();
        async move { store.list(prefix).await.unwrap() }
    };
    assert_eq!(list("runs/p").await, ["runs/p/a/x.json", "runs/p/b.json", "runs/p2/c.json"]);
    assert_eq!(list("runs/p/").await, ["runs/p/a/x.json", "runs/p/b.json"]);
    assert_eq!(list("runs/p/b").await, ["runs/p/b.json"]);
    assert_eq!(list("").await.len(), 4);
    assert_eq!(list("nothing/here/").await, Vec::<String>::new());
}

#[tokio::test]
async fn no_key_leaves_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path().join("store"));
    let long = "k".repeat(300);
    for key in [
        "",
        "/etc/x",
        "../x",
        "a/../x",
        "a/./x",
        "a//x",
        "a/",
        ".new-1",
        "a/.hidden",
        "a\\x",
        "a b",
        "a\0b",
        "ü",
        long.as_str(),
    ] {
        for answer in [
            store.put_once(key, b"x").await.map(drop),
            store.put_view(key, b"x").await,
            store.get(key).await.map(drop),
        ] {
            assert!(matches!(answer, Err(StoreError::Denied { .. })), "{key:?}: {answer:?}");
        }
    }
    assert!(store.list("../").await.is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn letters_are_numbered_and_named_by_their_subject() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(folder.path().join("outbox"));
    let letter = |subject: &str| Letter {
        from: "a@example.com".to_owned(),
        to: vec!["b@example.com".to_owned()],
        subject: subject.to_owned(),
        raw: b"Subject: x\r\n\r\nhello".to_vec(),
    };
    let first = outbox.send(&letter("[PAPER OK] 20 Nov open: 5/5 filled, +0.4%")).await.unwrap();
    assert!(first.ends_with("/outbox/0001-paper-ok-20-nov-open-5-5-filled-0-4.eml"), "{first}");
    assert_eq!(std::fs::read(&first).unwrap(), letter("").raw);
    let second = outbox.send(&letter("../../ ☃")).await.unwrap();
    assert!(second.ends_with("/outbox/0002-letter.eml"), "{second}");
    let again = Outbox::new(folder.path().join("outbox"));
    let third = again.send(&letter(&"word ".repeat(40))).await.unwrap();
    assert!(third.contains("/outbox/0003-word-word") && third.len() < second.len() + 80);
}

#[tokio::test]
async fn a_secret_file_is_read_or_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paper-main.json");
    let file = SecretFile::new(&path);
    let error = file.keys(Freshness::Remembered).await.unwrap_err();
    assert!(matches!(error, CredentialsError::Missing { .. }));
    std::fs::write(&path, r#"{"key_id":"PKA","secret_key":""}"#).unwrap();
    let error = file.keys(Freshness::Remembered).await.unwrap_err();
    assert!(error.to_string().ends_with("malformed: secret_key is blank"), "{error}");
    std::fs::write(&path, r#"{"key_id":"PKA","secret_key":"hidden"}"#).unwrap();
    let pair = file.keys(Freshness::Fresh).await.unwrap();
    assert_eq!((pair.id.expose(), pair.secret.expose()), ("PKA", "hidden"));
    assert_eq!(format!("{pair:?}"), "KeyPair { id: Secret, secret: Secret }");
    let error = SecretFile::new(folder.path()).keys(Freshness::Fresh).await.unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable { .. }), "{error:?}");
}

/// A transport to a port that answers one request with these bytes, and what it was sent.
async fn answered_with(answer: Vec<u8>) -> (ReqwestTransport, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut request = vec![0_u8; 8192];
        let count = tcp.read(&mut request).await.unwrap();
        let _ = tcp.write_all(&answer).await;
        String::from_utf8_lossy(&request[..count]).into_owned()
    });
    let transport = ReqwestTransport::new(
        Hosts::local(Mode::Paper, &origin).unwrap(),
        &Tls::new(Trust::Compiled),
    )
    .unwrap();
    (transport, task)
}

fn request(target: &str) -> Request {
    Request {
        method: Method::Post,
        host: Host::Trading,
        target: target.to_owned(),
        headers: vec![("apca-api-key-id", "PKA".to_owned())],
        body: b"{}".to_vec(),
        timeout: Duration::from_secs(5),
    }
}

#[tokio::test]
async fn the_transport_carries_a_request_as_it_is_and_follows_no_redirect() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nX-Request-ID: f00d\r\nContent-Length: 2\r\n\r\nno";
    let (transport, task) = answered_with(answer.to_vec()).await;
    let answer =
        transport.carry(request("/v2/orders:by?client_order_id=a%2Fb&x=1,2")).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (302, &b"no"[..]));
    assert_eq!(answer.header("x-request-id"), Some("f00d"));
    let sent = task.await.unwrap().to_lowercase();
    let line = "post /v2/orders:by?client_order_id=a%2fb&x=1,2 http/1.1\r\n";
    assert!(sent.starts_with(line), "{sent}");
    for header in
        ["apca-api-key-id: pka\r\n", "accept-encoding: gzip\r\n", "user-agent: alchemiser/"]
    {
        assert!(sent.contains(header), "{sent}");
    }
}

#[tokio::test]
async fn an_answer_cut_off_or_endless_is_none() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this".to_vec();
    let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    endless.resize(17 * 1024 * 1024, b' ');
    for answer in [Vec::new(), cut, endless] {
        let (transport, _task) = answered_with(answer).await;
        let silence = transport.carry(request("/v2/orders")).await.unwrap_err();
        assert!(matches!(silence, TransportError::NoAnswer(_)), "{silence}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_none_and_no_listener_proves_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let hosts = Hosts::local(Mode::Paper, &origin).unwrap();
    let transport = ReqwestTransport::new(hosts, &Tls::new(Trust::Compiled)).unwrap();
    let mut hasty = request("/v2/orders");
    hasty.timeout = Duration::from_millis(100);
    let silence = transport.carry(hasty.clone()).await.unwrap_err();
    assert!(matches!(silence, TransportError::NoAnswer(_)), "{silence}");
    drop(listener);
    let silence = transport.carry(hasty).await.unwrap_err();
    assert!(matches!(silence, TransportError::NotSent(_)), "{silence}");
    let mut split = request("/v2/orders");
    split.headers.push(("x", "a\r\nb: c".to_owned()));
    let silence = transport.carry(split).await.unwrap_err();
    assert!(matches!(silence, TransportError::NotSent(_)), "{silence}");
}
