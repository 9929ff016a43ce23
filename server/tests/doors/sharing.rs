//! H9: readers who ask the same at the same time share answers, of pages and of the API.

use std::time::Duration;

use axum::body::Body;
use futures::future::join_all;
use http::Request;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::app::{App, Port, Reply};

const READERS: usize = 20;
/// Answers that are found at once for each question.
const AT_ONCE: i64 = 2;

/// More than sharing readers need, fewer than readers there are.
async fn connections(database: PgConnectOptions) -> PgPool {
    PgPoolOptions::new().max_connections(12).connect_with(database).await.expect("the database answers")
}

async fn waiting(pool: &PgPool) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sqlx::query_scalar(waiting).fetch_one(pool).await.expect("it can be counted")
}

/// Lets readers ask while incidents cannot be read, and says how many statements waited at most.
async fn readers_at_once(pool: &PgPool, app: &App, questions: &[(&str, &str)]) -> (Vec<Reply>, i64) {
    let mut hindrance = pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE").execute(&mut *hindrance).await.expect("it is locked");
    let ask = async |&(path, encoding): &(&str, &str)| {
        let request = Request::get(path).header("accept-encoding", encoding).body(Body::empty()).expect("a request");
        app.send(Port::Main, request).await
    };
    let readers = join_all((0..READERS).flat_map(|_| questions).map(ask));
    let watch = async {
        let expected = AT_ONCE * i64::try_from(questions.len()).expect("few questions");
        while waiting(pool).await < expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Time for all who would not share to come forward.
        let mut most = 0;
        for _ in 0..20 {
            most = most.max(waiting(pool).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        hindrance.commit().await.expect("it is over");
        most
    };
    tokio::join!(readers, watch)
}

#[sqlx::test(migrations = "../migrations")]
async fn h9_readers_who_ask_the_same_at_once_share_answers(_: PgPoolOptions, database: PgConnectOptions) {
    let pool = connections(database).await;
    let app = App::new(pool.clone()).await;
    for path in ["/api/v1/incidents", "/incidents"] {
        let alone = app.get(path).await;
        let (replies, most) = readers_at_once(&pool, &app, &[(path, "identity")]).await;
        assert_eq!(most, AT_ONCE, "{path}");
        assert_eq!(replies.len(), READERS, "{path}");
        for reply in replies {
            assert_eq!((reply.status, reply.header("content-type")), (alone.status, alone.header("content-type")), "{path}");
            assert!(reply.text().contains(if path.starts_with("/api") { alone.text() } else { "</html>" }), "{path}");
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn h9_what_is_asked_or_read_otherwise_is_not_shared(_: PgPoolOptions, database: PgConnectOptions) {
    let pool = connections(database).await;
    let app = App::new(pool.clone()).await;
    let questions = [("/api/v1/incidents", "identity"), ("/api/v1/incidents", "gzip"), ("/api/v1/incidents?limit=7", "identity")];
    let (replies, most) = readers_at_once(&pool, &app, &questions).await;
    assert_eq!(most, AT_ONCE * 3);
    let ids: std::collections::HashSet<_> = replies.iter().map(|reply| reply.header("x-correlation-id").expect("an ID")).collect();
    assert_eq!(ids.len(), replies.len(), "every request has an ID of its own");
}
