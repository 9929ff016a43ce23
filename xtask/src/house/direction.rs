//! Who may depend on whom: `frontend → app → domain` and `server → app → backend → storage → domain`.

use serde_json::Value;

/// Each package of the workspace with those of it that it may use. Tests may use `slowburn-test-support` besides.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("slowburn-domain", &[]),
    ("slowburn-storage", &["slowburn-domain"]),
    ("slowburn-backend", &["slowburn-domain", "slowburn-storage"]),
    ("slowburn-app", &["slowburn-domain", "slowburn-backend"]),
    ("slowburn-frontend", &["slowburn-app", "slowburn-domain"]),
    ("slowburn", &["slowburn-app", "slowburn-backend", "slowburn-domain", "slowburn-storage"]),
    ("slowburn-client", &[]),
    ("slowburn-test-support", &["slowburn", "slowburn-app", "slowburn-backend", "slowburn-domain", "slowburn-storage"]),
    ("slowburn-bench", &["slowburn", "slowburn-backend", "slowburn-client", "slowburn-domain", "slowburn-storage"]),
    ("slowburn-example", &["slowburn-client"]),
    ("xtask", &[]),
];

/// What a crate that does no I/O and runs in the browser has no use for.
const IMPURE: [&str; 10] = ["axum", "chrono", "getrandom", "jiff", "leptos", "log", "rand", "sqlx", "tokio", "tracing"];

/// Faults of the arrows between our own packages.
pub(super) fn check(packages: &[Value]) -> Vec<String> {
    let own: Vec<&str> = packages.iter().filter(|package| package["source"].is_null()).map(name).collect();
    let mut faults = Vec::new();
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let user = name(package);
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == user) else {
            faults.push(format!("{user} is new: say in xtask/src/house/direction.rs what it may use"));
            continue;
        };
        for dependency in dependencies(package) {
            let used = name(dependency);
            let for_tests = dependency["kind"] == "dev" && used == "slowburn-test-support";
            if own.contains(&used) && !allowed.contains(&used) && !for_tests {
                faults.push(format!("{user} may not use {used}"));
            }
        }
    }
    faults
}

/// Faults of `domain`: I/O, clocks or randomness among its direct dependencies.
pub(super) fn check_domain(packages: &[Value]) -> Vec<String> {
    let domain = packages.iter().find(|package| name(package) == "slowburn-domain");
    let used = domain.into_iter().flat_map(dependencies).filter(|dependency| dependency["kind"] != "dev").map(name);
    used.filter(|used| IMPURE.contains(used)).map(|used| format!("slowburn-domain may not use {used}")).collect()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<_> = dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "name": name, "source": null, "dependencies": dependencies })
    }

    #[test]
    fn an_arrow_that_turns_back_is_a_fault() {
        let packages =
            [package("slowburn-domain", &[("slowburn-storage", None)]), package("slowburn-storage", &[("slowburn-domain", None)])];
        assert_eq!(check(&packages), ["slowburn-domain may not use slowburn-storage"]);
    }

    #[test]
    fn tests_may_use_the_support_crate_and_the_product_may_not() {
        let packages = [
            package("slowburn-test-support", &[]),
            package("slowburn-storage", &[("slowburn-test-support", Some("dev"))]),
            package("slowburn-backend", &[("slowburn-test-support", None)]),
        ];
        assert_eq!(check(&packages), ["slowburn-backend may not use slowburn-test-support"]);
    }

    #[test]
    fn an_unknown_package_must_be_placed() {
        assert_eq!(check(&[package("slowburn-extra", &[])]).len(), 1);
    }

    #[test]
    fn domain_may_not_reach_for_a_runtime() {
        let packages = [package("slowburn-domain", &[("serde", None), ("tokio", None), ("rand", Some("dev"))])];
        assert_eq!(check_domain(&packages), ["slowburn-domain may not use tokio"]);
    }
}
