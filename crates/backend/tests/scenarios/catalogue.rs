//! DESIGN decision 6, read from the catalogue: telemetry tables can be distributed by `bucket`.

use sqlx::PgPool;

use crate::Scene;

const COORDINATION: [&str; 15] = [
    "sli_estimates",
    "saved_views",
    "agents",
    "budget_exclusions",
    "sli_progress",
    "document_versions",
    "leases",
    "sli_set",
    "documents",
    "slos",
    "slo_groups",
    "incidents",
    "incident_changes",
    "alert_states",
    "_sqlx_migrations",
];

#[sqlx::test(migrations = "../../migrations")]
async fn telemetry_tables_begin_with_the_bucket_and_have_no_keys_triggers_or_sequences(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.backend.keep_slots().await.expect("slots");
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::text, (SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum = 1)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')",
    )
    .fetch_all(&pool)
    .await
    .expect("tables");
    let telemetry: Vec<_> = tables.iter().filter(|(name, _)| !COORDINATION.contains(&name.as_str())).collect();
    assert!(telemetry.len() > 20, "{telemetry:?}");
    for (name, first) in telemetry {
        assert_eq!(first, "bucket", "first column of {name}");
    }
    let indexes: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT t.relname::text, i.relname::text, a.attname::text FROM pg_index x
         JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
         JOIN pg_namespace n ON n.oid = t.relnamespace
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
         WHERE n.nspname = 'public'",
    )
    .fetch_all(&pool)
    .await
    .expect("indexes");
    for (table, index, first) in indexes.iter().filter(|(table, ..)| !COORDINATION.contains(&table.as_str())) {
        assert_eq!(first, "bucket", "first column of {index} on {table}");
    }
    for (what, query) in [
        ("foreign keys", "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"),
        ("triggers", "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"),
        ("sequences", "SELECT count(*) FROM pg_class WHERE relkind = 'S'"),
    ] {
        let count: i64 = sqlx::query_scalar(query).fetch_one(&pool).await.expect("counted");
        assert_eq!(count, 0, "{what}");
    }
}
