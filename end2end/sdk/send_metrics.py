"""Sends a known set of metrics by the OpenTelemetry SDK, with the exporters' defaults.

    send_metrics.py http/protobuf|grpc RUN

The endpoint comes from the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT). Every point has the attribute `run`. Writes what it
sent as JSON.
"""

import json
import sys

from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

ORDERS = 300

protocol, run = sys.argv[1:]
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
else:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

provider = MeterProvider(
    resource=Resource.create({"service.name": f"python-metrics-{protocol.partition('/')[0]}"}),
    metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())],
    views=[View(instrument_type=Histogram, instrument_name="sdk.sizes", aggregation=ExponentialBucketHistogramAggregation())],
)
meter = provider.get_meter("send_metrics.py")
orders = meter.create_counter("sdk.orders", unit="{order}", description="Orders taken")
latency = meter.create_histogram("sdk.latency", unit="s")
sizes = meter.create_histogram("sdk.sizes", unit="By")
waiting = meter.create_up_down_counter("sdk.waiting")
meter.create_observable_gauge("sdk.depth", callbacks=[lambda _: [Observation(7, {"run": run})]])
for number in range(ORDERS):
    orders.add(1, {"run": run, "paid": number % 3 == 0})
    latency.record(0.05 if number % 10 else 2.0, {"run": run})
    sizes.record(1000 + number, {"run": run})
    waiting.add(1 if number % 2 else -1, {"run": run})
provider.shutdown()
print(json.dumps({"orders": ORDERS, "paid": ORDERS // 3}))
