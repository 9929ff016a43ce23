//! C4: searches kept under a name, for everybody.

use slowburn_backend::Error;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::saved_view::SearchPage;
use sqlx::PgPool;

use crate::{NOON, Scene};

#[sqlx::test(migrations = "../../migrations")]
async fn c4_a_view_is_kept_for_its_page_replaced_by_its_name_and_forgotten(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let other = Scene::new(pool).await;
    let saved =
        scene.backend.save_view(SearchPage::Logs, " Declined cards ", "q=declined&severity=warn&cursor=1.ff.2").await.expect("saved");
    assert_eq!((saved.name.as_str(), saved.href.as_str()), ("Declined cards", "/logs?q=declined&severity=warn"));
    scene.backend.save_view(SearchPage::Logs, "a first one", "q=x&live=1").await.expect("saved");
    scene.backend.save_view(SearchPage::Traces, "Declined cards", "status=error").await.expect("saved");
    let names = async |page| other.backend.saved_views(page).await.expect("read").into_iter().map(|view| view.name).collect::<Vec<_>>();
    assert_eq!(names(SearchPage::Logs).await, ["a first one", "Declined cards"]);
    assert_eq!(names(SearchPage::Events).await, [] as [String; 0]);
    other.backend.save_view(SearchPage::Logs, "Declined cards", "q=refused").await.expect("replaced");
    let page = scene.backend.logs_page(LogQuery::default(), Vec::new(), NOON).await.expect("read");
    assert_eq!(page.views.iter().map(|view| view.href.as_str()).collect::<Vec<_>>(), ["/logs?q=x&live=1", "/logs?q=refused"]);
    scene.backend.remove_view(SearchPage::Logs, "Declined cards").await.expect("removed");
    assert!(matches!(scene.backend.remove_view(SearchPage::Logs, "Declined cards").await, Err(Error::NotFound { .. })));
    assert_eq!(names(SearchPage::Traces).await, ["Declined cards"], "another page's view stays");
}

#[sqlx::test(migrations = "../../migrations")]
async fn c4_views_without_name_or_search_are_refused_and_their_number_is_bounded(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let long = "x".repeat(9_000);
    for (name, query, field) in [
        ("", "q=a", "name"),
        ("  ", "q=a", "name"),
        (&"n".repeat(81), "q=a", "name"),
        ("line\nbreak", "q=a", "name"),
        ("all", "", "query"),
        ("nothing understood", "x=1", "query"),
        ("long", &format!("q={long}"), "query"),
    ] {
        match scene.backend.save_view(SearchPage::Logs, name, query).await {
            Err(Error::Invalid(faults)) => {
                assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), [field], "{name:?}");
            }
            other => panic!("{name:?}: {other:?}"),
        }
    }
    for number in 0..100 {
        scene.backend.save_view(SearchPage::Events, &format!("view {number}"), "q=a").await.expect("saved");
    }
    assert!(matches!(scene.backend.save_view(SearchPage::Events, "one more", "q=a").await, Err(Error::Conflict(_))));
    scene.backend.save_view(SearchPage::Events, "view 7", "q=b").await.expect("one that is there can change");
}
