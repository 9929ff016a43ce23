//! The shop's processes: which services there are, in which version, zone and language, and what each says of itself.

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::SdkProvidedResourceDetector;

/// One process of the shop, as an index into [`FLEET`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process(usize);

/// Where a process runs. A request stays in the zone where it came in, as long as the next service is there too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// First zone.
    A,
    /// Second zone.
    B,
}

impl Zone {
    /// The letter in names.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// What is fixed about a process.
struct Entry {
    service: &'static str,
    version: &'static str,
    zone: Zone,
    /// Instrumentation library, which tells the language its team writes in.
    scope: (&'static str, &'static str),
    criticality: &'static str,
}

const NODE: (&str, &str) = ("@opentelemetry/instrumentation-http", "0.208.0");
const JAVA: (&str, &str) = ("io.opentelemetry.tomcat-10.0", "2.22.0");
const GO: (&str, &str) = ("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.63.0");
const PYTHON: (&str, &str) = ("opentelemetry.instrumentation.fastapi", "0.59b0");

const FLEET: [Entry; 12] = [
    Entry { service: "storefront", version: "5.12.0", zone: Zone::A, scope: NODE, criticality: "high" },
    Entry { service: "storefront", version: "5.12.0", zone: Zone::B, scope: NODE, criticality: "high" },
    Entry { service: "catalog", version: "2.4.0", zone: Zone::A, scope: JAVA, criticality: "high" },
    Entry { service: "catalog", version: "2.4.0", zone: Zone::B, scope: JAVA, criticality: "high" },
    Entry { service: "catalog", version: "2.4.1", zone: Zone::B, scope: JAVA, criticality: "high" },
    Entry { service: "cart", version: "1.9.3", zone: Zone::A, scope: GO, criticality: "high" },
    Entry { service: "cart", version: "1.9.3", zone: Zone::B, scope: GO, criticality: "high" },
    Entry { service: "checkout", version: "3.2.7", zone: Zone::A, scope: JAVA, criticality: "critical" },
    Entry { service: "payment", version: "4.0.2", zone: Zone::A, scope: GO, criticality: "critical" },
    Entry { service: "inventory", version: "1.15.1", zone: Zone::A, scope: PYTHON, criticality: "medium" },
    Entry { service: "shipping", version: "2.0.5", zone: Zone::B, scope: PYTHON, criticality: "medium" },
    Entry { service: "notifications", version: "1.3.0", zone: Zone::B, scope: NODE, criticality: "low" },
];

pub(super) const CATALOG_CANARY: Process = Process(4);
pub(super) const CHECKOUT: Process = Process(7);
pub(super) const PAYMENT: Process = Process(8);
pub(super) const INVENTORY: Process = Process(9);
pub(super) const SHIPPING: Process = Process(10);
pub(super) const NOTIFICATIONS: Process = Process(11);

/// The storefront of a zone.
pub(super) const fn storefront(zone: Zone) -> Process {
    Process(in_zone(0, zone))
}

/// The catalogue of a zone.
pub(super) const fn catalog(zone: Zone) -> Process {
    Process(in_zone(2, zone))
}

/// The carts of a zone.
pub(super) const fn cart(zone: Zone) -> Process {
    Process(in_zone(5, zone))
}

const fn in_zone(first: usize, zone: Zone) -> usize {
    match zone {
        Zone::A => first,
        Zone::B => first + 1,
    }
}

impl Process {
    /// All processes, in the order of their indices.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..FLEET.len()).map(Self)
    }

    /// Its place in lists made from [`Process::all`].
    pub(super) const fn index(self) -> usize {
        self.0
    }

    /// `service.name`.
    pub(super) const fn service(self) -> &'static str {
        FLEET[self.0].service
    }

    /// The zone it runs in.
    pub(super) const fn zone(self) -> Zone {
        FLEET[self.0].zone
    }

    /// Name under which the others call it.
    pub(super) fn address(self) -> String {
        format!("{}.shop.internal", self.service())
    }

    /// The instrumentation that makes its spans.
    pub(super) fn scope(self) -> InstrumentationScope {
        let (name, version) = FLEET[self.0].scope;
        InstrumentationScope::builder(name).with_version(version).build()
    }

    /// What it says of itself.
    pub(super) fn resource(self) -> Resource {
        let Entry { service, version, zone, criticality, .. } = &FLEET[self.0];
        let zone = zone.letter();
        let suffix = version.replace('.', "");
        Resource::builder_empty()
            .with_detector(Box::new(SdkProvidedResourceDetector))
            .with_service_name(*service)
            .with_attributes([
                KeyValue::new("service.namespace", "shop"),
                KeyValue::new("service.version", *version),
                KeyValue::new("service.instance.id", format!("{service}-{suffix}-{zone}-0")),
                KeyValue::new("service.criticality", *criticality),
                KeyValue::new("deployment.environment.name", "production"),
                KeyValue::new("cloud.region", "north-1"),
                KeyValue::new("cloud.availability_zone", zone),
                KeyValue::new("host.name", format!("node-{zone}{}", 1 + self.0 % 3)),
                KeyValue::new("process.pid", 41 + 17 * i64::try_from(self.0).expect("the fleet is small")),
            ])
            .build()
    }
}
