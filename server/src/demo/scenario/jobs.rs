//! What the shop does without anybody asking: two jobs by the clock, each execution with its own id.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanKind;
use rand::Rng;
use rand::rngs::SmallRng;

use super::super::fleet::{SHIPPING, Zone, catalog};
use super::super::sink::{Sink, Trace};
use super::super::world::World;
use super::calls::{Statement, redis, sql};
use super::id;

/// Seconds between two rebuilds of the recommendations.
const REBUILD_SECONDS: u64 = 180;

/// Seconds between two plannings of the parcels' routes.
const PLANNING_SECONDS: u64 = 420;

const REGIONS: [&str; 3] = ["coast", "hills", "city"];

/// Plays the jobs that are due in this second.
pub(super) fn play_second(world: &World, second: u64, rng: &mut SmallRng, sink: &mut dyn Sink) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second) + Duration::from_millis(rng.random_range(0..200));
    if second.is_multiple_of(REBUILD_SECONDS) {
        let execution = id(rng, "exec-");
        rebuild_recommendations(&mut Trace::new(world, rng, sink, at), &execution);
    }
    if second.is_multiple_of(PLANNING_SECONDS) {
        let execution = id(rng, "exec-");
        let mut at = at;
        for region in REGIONS {
            at = plan_routes(&mut Trace::new(world, rng, sink, at), &execution, region) + Duration::from_secs(2);
        }
    }
}

fn rebuild_recommendations(trace: &mut Trace<'_>, execution: &str) {
    let mut job = trace.root(catalog(Zone::B), SpanKind::Internal, "rebuild recommendations");
    job.set("project_id", "prj-recommendations");
    job.set("execution_id", execution.to_owned());

    let mut at = job.start() + trace.about(3.0, 0.4);
    let load = trace.child(&job, SpanKind::Internal, "load purchases", at);
    let text = "SELECT user_id, product_id, count(*) FROM purchases WHERE at > now() - interval '30 days' GROUP BY 1, 2";
    let statement = Statement { host: "catalog-db-b".to_owned(), database: "catalog", operation: "SELECT", table: "purchases", text };
    let took = trace.about(1_300.0, 0.3);
    at = sql(trace, &load, at, statement, took);
    trace.close(load, at);

    let mut train = trace.child(&job, SpanKind::Internal, "factorise", at);
    at += trace.about(2_400.0, 0.25);
    let failed = trace.happens(0.03);
    if failed {
        train.exception(at, "java.lang.ArithmeticException", "the factors do not converge", "");
        train.fail("java.lang.ArithmeticException", "the factors do not converge");
        job.fail("java.lang.ArithmeticException", "the factors do not converge");
    }
    trace.close(train, at);

    if !failed {
        let publish = redis(trace, &job, at, "catalog-cache-b", "MSET", "MSET related:? ? …");
        at += trace.about(35.0, 0.5);
        trace.close(publish, at);
    }
    at += trace.about(2.0, 0.4);
    trace.close(job, at);
}

/// One region of an execution; the regions are traces of their own. Returns when it was done.
fn plan_routes(trace: &mut Trace<'_>, execution: &str, region: &'static str) -> SystemTime {
    let mut job = trace.root(SHIPPING, SpanKind::Internal, "plan routes");
    job.set("projectId", "prj-parcels");
    job.set("executionId", execution.to_owned());
    job.set("region", region);
    let mut at = job.start() + trace.about(4.0, 0.4);
    let text = "SELECT id, place FROM shipments WHERE state = 'new' AND region = $1";
    let statement = Statement { host: "shipping-db".to_owned(), database: "shipping", operation: "SELECT", table: "shipments", text };
    let took = trace.about(45.0, 0.5);
    at = sql(trace, &job, at, statement, took);
    let solve = trace.child(&job, SpanKind::Internal, "solve", at);
    at += trace.about(900.0, 0.5);
    trace.close(solve, at);
    at += trace.about(3.0, 0.4);
    trace.close(job, at);
    at
}
