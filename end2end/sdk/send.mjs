// Sends a known set of traces by the OpenTelemetry SDK for Node, with its defaults.
//
//     send.mjs CORRELATION_ID
//
// The endpoint comes from the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT). Writes the ids of the traces as JSON.
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';

const TRACES = 40;
const CHILDREN = 4;
const [correlationId] = process.argv.slice(2);

const sdk = new NodeSDK({ serviceName: 'node-http', instrumentations: [] });
sdk.start();
const tracer = trace.getTracer('send.mjs');

const traceIds = [];
for (let number = 0; number < TRACES; number++) {
  tracer.startActiveSpan('GET /items', { kind: SpanKind.SERVER, attributes: { correlationId } }, (root) => {
    traceIds.push(root.spanContext().traceId);
    for (let child = 0; child < CHILDREN; child++) {
      tracer.startActiveSpan(`step ${child}`, { attributes: { step: child, tags: ['a', 'b'] } }, (span) => span.end());
    }
    if (number % 10 === 0) root.setStatus({ code: SpanStatusCode.ERROR, message: 'every tenth fails' });
    root.end();
  });
}
await sdk.shutdown();
console.log(JSON.stringify({ trace_ids: traceIds, spans_per_trace: 1 + CHILDREN }));
