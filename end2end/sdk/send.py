"""Sends a known set of traces by the OpenTelemetry SDK, with the exporters' defaults.

    send.py http/protobuf|grpc CORRELATION_ID

The endpoint comes from the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT). Writes the ids of the traces as JSON.
"""

import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

TRACES = 60
CHILDREN = 11


def main(protocol: str, correlation_id: str) -> None:
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(resource=Resource.create({"service.name": f"python-{protocol.partition('/')[0]}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("send.py")

    trace_ids = []
    for number in range(TRACES):
        with tracer.start_as_current_span("GET /items", kind=SpanKind.SERVER) as root:
            trace_ids.append(trace.format_trace_id(root.get_span_context().trace_id))
            root.set_attribute("correlation_id", correlation_id)
            for child in range(CHILDREN):
                with tracer.start_as_current_span(f"step {child}", attributes={"step": child, "ratio": 0.5, "done": True, "tags": ["a", "b"]}) as span:
                    span.add_event("checked", {"attempt": 1})
            if number % 10 == 0:
                root.set_status(Status(StatusCode.ERROR, "every tenth fails"))

    provider.shutdown()
    print(json.dumps({"trace_ids": trace_ids, "spans_per_trace": 1 + CHILDREN}))


main(*sys.argv[1:])
