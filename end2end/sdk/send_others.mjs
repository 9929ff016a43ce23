// Sends a known set of log records and metrics by the OpenTelemetry SDK for Node, with its defaults.
//
//     send_others.mjs RUN
//
// The endpoint comes from the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT). Every record carries RUN as its correlation ID, every
// point as the attribute `run`. Writes what it sent as JSON.
import { logs, metrics, SeverityNumber } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';

const LINES = 200;
const [run] = process.argv.slice(2);

const sdk = new NodeSDK({ serviceName: 'node-others', instrumentations: [] });
sdk.start();
const logger = logs.getLogger('send_others.mjs');
const meter = metrics.getMeter('send_others.mjs');
const orders = meter.createCounter('sdk.orders', { unit: '{order}' });
const latency = meter.createHistogram('sdk.latency', { unit: 's' });
meter.createObservableGauge('sdk.depth').addCallback((result) => result.observe(7, { run }));
for (let number = 0; number < LINES; number++) {
  const severityNumber = number % 10 === 0 ? SeverityNumber.ERROR : SeverityNumber.INFO;
  logger.emit({ severityNumber, body: `line ${number} of Node`, attributes: { correlation_id: run, number } });
  orders.add(1, { run, paid: number % 4 === 0 });
  latency.record(number % 10 ? 0.05 : 2, { run });
}
await sdk.shutdown();
console.log(JSON.stringify({ lines: LINES, errors: LINES / 10, orders: LINES, paid: LINES / 4 }));
