// What the seeded server knows: three promises, an hour of orders, and correlation IDs that are hard on URLs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogSpec, type MetricPoint, type MetricSpec, send, sendLogs, sendMetrics, type SpanSpec, type TraceSpec, traceId } from './otlp.ts';
import type { Server } from './server.ts';

/** How the id of a request is spelled by the team that sends it. */
type Spelling = (id: string) => SpanSpec['attributes'];
const spellings: Spelling[] = [
  (id) => ({ correlation_id: id }),
  (id) => ({ correlationId: id }),
  (id) => ({ 'http.request.header.x-correlation-id': [id] }),
];

/**
 * Correlation IDs with the names of their traces. Beside each difficult one stands the ID that a careless decoder would
 * make of it.
 */
export const correlations: Record<string, string[]> = {
  'ord-1001': ['order 1001', 'order 1001, paid', 'order 1001, shipped'],
  'ord-1002': ['order 1002'],
  '%41': ['percent 1', 'percent 2'],
  A: ['letter'],
  'a+b': ['plus 1', 'plus 2'],
  'a b': ['space'],
  'ü/&': ['umlaut 1', 'umlaut 2'],
  'ü/': ['umlaut, cut'],
};

/** The trace that failed. */
export const failedTrace = traceId('order 1001, paid');
/** An ordinary trace. */
export const goodTrace = traceId('order 1001');

/** Checkouts without an ID, one a minute; every fifteenth fails. */
export const CHECKOUTS = 60;
export const FAILED_CHECKOUTS = 4;

/** Signups, one a minute; the last ones all fail, which is an incident. */
const SIGNUPS = 180;
const FAILED_SIGNUPS = 30;

export const slos = readFileSync(join(import.meta.dirname, 'slos.yaml'), 'utf8');

/** Applies the SLOs and sends the hour. */
export async function seed(server: Server): Promise<void> {
  await applySlos(server, slos);
  const now = Date.now();
  const minutesAgo = (minutes: number) => new Date(now - minutes * 60_000);
  const traces: TraceSpec[] = [];
  Object.entries(correlations).forEach(([id, names], i) => {
    names.forEach((name, j) => traces.push(order(name, minutesAgo(40 - 4 * i - j), spellings[j % spellings.length](id))));
  });
  for (let i = 0; i < CHECKOUTS; i++) traces.push(checkout(`checkout ${i}`, minutesAgo(i + 0.5), i % 15 === 7));
  for (let i = 0; i < SIGNUPS; i++) traces.push(signup(`signup ${i}`, minutesAgo(i + 0.5), i < FAILED_SIGNUPS));
  await send(server.otlpHttp, traces);
  await sendLogs(server.otlpHttp, logs(minutesAgo, traces.find(({ name }) => traceId(name) === failedTrace)!.start));
  await sendMetrics(server.otlpHttp, metrics(minutesAgo));
  await ecsLine(server, { '@timestamp': minutesAgo(3).toISOString(), 'log.level': 'info', message: 'courier booked', 'service.name': 'shipping', labels: { correlation_id: 'ord-1001' } });
  await cloudEvent(server, { specversion: '1.0', id: 'shipped-1001', source: '/shipping', type: 'order.shipped', subject: 'ord-1001', time: minutesAgo(2).toISOString(), correlationid: 'ord-1001', data: { carrier: 'van' } });
  await registerAgent(server, 'settlement-worker', '7d');
  await registerAgent(server, 'invoice-worker', '1s');
  await incidentOf(server, 'signup-availability');
  await mapped(server);
}

/** Sends a CloudEvent. */
export async function cloudEvent(server: Server, event: object): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/events`, { method: 'POST', headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(event) });
  const { accepted } = await answer.json();
  if (accepted !== 1) throw new Error(`the event was refused: ${answer.status}`);
}

/** Registers an agent that is to be heard of every so often, and is heard of now. */
async function registerAgent(server: Server, name: string, interval: string): Promise<void> {
  const url = `${server.url}/api/v1/agents/${name}`;
  const registered = await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ interval }) });
  const heard = await fetch(`${url}/heartbeat`, { method: 'POST' });
  if (!registered.ok || !heard.ok) throw new Error(`the agent was refused: ${registered.status} ${heard.status}`);
}

/** Lines of a worker, one a minute, and what the failed order's payment said. */
export const WORKER_LINES = 70;

function logs(minutesAgo: (minutes: number) => Date, failedAt: Date): LogSpec[] {
  const lines = Array.from({ length: WORKER_LINES }, (_, i): LogSpec => {
    const isSlow = i % 10 === 3;
    return { service: 'worker', at: minutesAgo(i + 0.2), severity: isSlow ? 13 : 9, body: isSlow ? `batch ${i} was slow` : `batch ${i} done`, attributes: { 'batch.size': i } };
  });
  const at = (ms: number) => new Date(failedAt.getTime() + ms);
  lines.push({ service: 'payment', at: at(100), severity: 9, body: 'asking northbank', trace: 'order 1001, paid' });
  lines.push({ service: 'payment', at: at(950), severity: 17, body: 'card declined by northbank\n<b>code 51</b>', trace: 'order 1001, paid', attributes: { 'bank.code': 51 } });
  return lines;
}

/** Durations of requests by route, a minute each, orders, and a queue that was not read for a while. */
function metrics(minutesAgo: (minutes: number) => Date): MetricSpec[] {
  const minutes = Array.from({ length: 50 }, (_, i) => 50 - i);
  const routes: [route: string, seconds: number][] = [['/orders', 0.22], ['/carts/{id}', 0.04], ['/search', 0.12]];
  const durations = minutes.flatMap((minute) => routes.map(([route, seconds]): MetricPoint => {
    // The failed order took a second, the others about what their route takes.
    const isFailed = route === '/orders' && minute === 20;
    const values = [seconds, seconds * 0.9, seconds * 1.1, ...(isFailed ? [0.98] : [])];
    return { at: minutesAgo(minute), attributes: { 'http.route': route }, values, trace: isFailed ? 'order 1001, paid' : undefined };
  }));
  const orders = minutes.map((minute): MetricPoint => ({ at: minutesAgo(minute), values: [3] }));
  const depths = minutes.filter((minute) => minute < 20 || minute > 30).map((minute): MetricPoint => ({ at: minutesAgo(minute), values: [minute % 5] }));
  return [
    { service: 'storefront', name: 'http.server.request.duration', unit: 's', description: 'Duration of HTTP server requests', kind: 'histogram', points: durations },
    { service: 'checkout', name: 'shop.orders', unit: '{order}', description: 'Orders placed', kind: 'counter', points: orders },
    { service: 'shipping', name: 'shop.queue.depth', unit: '{message}', description: 'Messages that wait', kind: 'gauge', points: depths },
  ];
}

/** Sends a line in the Elastic Common Schema. */
export async function ecsLine(server: Server, line: object): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: JSON.stringify(line) });
  const { accepted } = await answer.json();
  if (accepted !== 1) throw new Error(`the line was refused: ${answer.status}`);
}

/** Waits for the incident of an SLO, which is judged every ten seconds. */
async function incidentOf(server: Server, slo: string): Promise<void> {
  for (;;) {
    const { items } = await (await fetch(`${server.url}/api/v1/incidents?state=open&slo=${slo}`)).json();
    if (items.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Until the service map has been counted: a while after the minutes of its calls. */
async function mapped(server: Server): Promise<void> {
  for (;;) {
    const { items } = await (await fetch(`${server.url}/api/v1/service-map?from=-6h`)).json();
    if (items.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export async function applySlos(server: Server, yaml: string): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/openslo`, {
    method: 'PUT',
    headers: { 'content-type': 'application/yaml' },
    body: yaml,
  });
  if (!answer.ok) throw new Error(`the SLOs were refused: ${answer.status} ${await answer.text()}`);
}

/** An order over several services; its ID stands on one inner span and marks the whole trace. */
function order(name: string, start: Date, id: SpanSpec['attributes']): TraceSpec {
  const failed = traceId(name) === failedTrace;
  const pay: SpanSpec = {
    service: 'payment',
    operation: 'POST /authorizations',
    startMs: 60,
    durationMs: failed ? 900 : 120,
    error: failed ? 'card declined' : undefined,
    attributes: { 'http.response.status_code': failed ? 502 : 201, 'payment.provider': 'northbank' },
  };
  const reserve: SpanSpec = { service: 'inventory', operation: 'POST /reservations', startMs: 20, durationMs: 30, attributes: id };
  return {
    name,
    start,
    root: { service: 'storefront', operation: 'POST /orders', durationMs: failed ? 1_000 : 220, children: [reserve, pay] },
  };
}

function checkout(name: string, start: Date, failed: boolean): TraceSpec {
  return {
    name,
    start,
    root: { service: 'checkout', operation: 'POST /checkout', durationMs: 80, error: failed ? 'out of stock' : undefined },
  };
}

function signup(name: string, start: Date, failed: boolean): TraceSpec {
  return {
    name,
    start,
    root: { service: 'signup', operation: 'POST /signups', durationMs: 40, error: failed ? 'no mail server' : undefined },
  };
}

/** Requests to the service that one journey keeps for itself. */
export function liveRequest(name: string, failed: boolean): TraceSpec {
  return {
    name,
    start: new Date(Date.now() - 1_000),
    root: { service: 'live', operation: 'GET /', durationMs: 5, error: failed ? 'broken' : undefined },
  };
}

/** Spans of a long trace. */
export const LONG_TRACE_SPANS = 10_000;

/** A trace of ten thousand spans: a root, 101 batches on it one after the other, 98 items in each. */
export function longTrace(name: string): TraceSpec {
  const services = ['catalogue', 'pricing', 'stock', 'search'];
  const item = (batch: number, i: number): SpanSpec => ({
    service: services[i % services.length],
    operation: `item of kind ${i % 7}`,
    startMs: batch * 100 + i,
    durationMs: 1,
    error: batch === 60 && i === 5 ? 'no price' : undefined,
    attributes: { 'item.number': `item-${batch}-${i}` },
  });
  const batches = Array.from({ length: 101 }, (_, batch): SpanSpec => ({
    service: 'importer',
    operation: batch === 100 ? 'last batch' : 'batch',
    startMs: batch * 100,
    durationMs: 99,
    children: Array.from({ length: 98 }, (_, i) => item(batch, i)),
  }));
  return { name, start: new Date(Date.now() - 60_000), root: { service: 'importer', operation: 'import', durationMs: 10_100, children: batches } };
}
