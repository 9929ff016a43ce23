"""Sends one trace of a service of one's own, with the OpenTelemetry SDK as it comes.

    pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    OTEL_SERVICE_NAME=greeter python examples/send_trace.py order-1234

The argument is the correlation ID. The exporter sends to http://localhost:4318, where Slowburn listens, unless
OTEL_EXPORTER_OTLP_ENDPOINT says otherwise. The id of the trace is printed once the server has stored it.
"""

import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

correlation_id = sys.argv[1] if len(sys.argv) > 1 else "order-1234"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("send_trace.py")

with tracer.start_as_current_span("GET /greeting", kind=trace.SpanKind.SERVER) as span:
    span.set_attribute("correlation_id", correlation_id)
    with tracer.start_as_current_span("look up the name", attributes={"user.language": "en"}):
        pass

# Waits until what was sent is acknowledged.
provider.shutdown()
print(trace.format_trace_id(span.get_span_context().trace_id))
