// Real OpenTelemetry SDKs, with their exporters' defaults, deliver everything.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { APIRequestContext } from '@playwright/test';
import { expect, test } from '../support/test.ts';

const run = promisify(execFile);
const sdk = join(import.meta.dirname, '../sdk');
const python = process.env.SLOWBURN_TEST_PYTHON ?? 'python3';

// Node's SDK is told its protocol by the standard variable; nothing else is set.
const senders: [name: string, program: string, args: string[], port: 'http' | 'grpc', protocol?: string][] = [
  ['Python over HTTP', python, [join(sdk, 'send.py'), 'http/protobuf'], 'http'],
  ['Python over gRPC', python, [join(sdk, 'send.py'), 'grpc'], 'grpc'],
  ['Node over HTTP', process.execPath, [join(sdk, 'send.mjs')], 'http'],
  ['Node over HTTP in JSON', process.execPath, [join(sdk, 'send.mjs')], 'http', 'http/json'],
  ['Node over gRPC', process.execPath, [join(sdk, 'send.mjs')], 'grpc', 'grpc'],
];

for (const [name, program, args, port, protocol] of senders) {
  test(`${name}: what was sent is found, all of it and nothing else`, async ({ request, seeded }) => {
    const id = `sdk ${name} ${Date.now()}`;
    const endpoint = port === 'grpc' ? seeded.otlpGrpc : seeded.otlpHttp;
    const set = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...(protocol && { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }) };
    const { stdout, stderr } = await run(program, [...args, id], { env: { ...process.env, ...set } });
    const sent: { trace_ids: string[]; spans_per_trace: number } = JSON.parse(stdout);
    expect(stderr).toBe('');
    expect(sent.trace_ids.length).toBeGreaterThan(0);

    const answer = await request.get(`/api/v1/traces?limit=1000&correlation_id=${encodeURIComponent(id)}`);
    const { items, next } = await answer.json();
    expect(next).toBeNull();
    expect(items.map((item: { trace_id: string }) => item.trace_id).sort()).toEqual(sent.trace_ids.sort());
    expect(items.map((item: { spans: number }) => item.spans)).toEqual(sent.trace_ids.map(() => sent.spans_per_trace));

    // The page as it comes, without JavaScript.
    const html = await (await request.get(`/traces?limit=1000&correlation_id=${encodeURIComponent(id)}`)).text();
    const listed = [...html.matchAll(/href="\/traces\/([0-9a-f]{32})"/g)].map((match) => match[1]);
    expect([...new Set(listed)].sort()).toEqual(sent.trace_ids);

    const trace = await (await request.get(`/api/v1/traces/${sent.trace_ids[0]}`)).json();
    expect(trace.spans.length).toBe(sent.spans_per_trace);
    expect(new Set(trace.spans.map((span: { service: string }) => span.service)).size).toBe(1);
  });
}

for (const protocol of ['http/protobuf', 'grpc']) {
  test(`A1 logs of Python's SDK over ${protocol} arrive, all of them and once`, async ({ request, seeded }) => {
    const id = `sdk logs ${protocol} ${Date.now()}`;
    const endpoint = protocol === 'grpc' ? seeded.otlpGrpc : seeded.otlpHttp;
    const { stdout, stderr } = await run(python, [join(sdk, 'send_logs.py'), protocol, id], { env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
    const sent: { lines: number; errors: number } = JSON.parse(stdout);
    expect(stderr).toBe('');
    const { items, next } = await (await request.get(`/api/v1/logs?limit=1000&correlation_id=${encodeURIComponent(id)}`)).json();
    expect(next).toBeNull();
    expect(new Set(items.map((item: { body: string }) => item.body)).size).toBe(sent.lines);
    expect(items.length).toBe(sent.lines);
    const errors = await (await request.get(`/api/v1/logs?limit=1000&severity=error&correlation_id=${encodeURIComponent(id)}`)).json();
    expect(errors.items.length).toBe(sent.errors);
  });
}

// What a metric of one run showed in all, or last.
async function shown(request: APIRequestContext, run: string, name: string, aggregate: string, filter = '') {
  const query = new URLSearchParams({ name, aggregate, filter: `attributes.run == ${JSON.stringify(run)}${filter}`, from: '-10m', step: '1m' });
  const answer = await (await request.get(`/api/v1/metrics/query?${query}`)).json();
  const known: number[] = answer.items[0].values.filter((value: number | null) => value !== null);
  return aggregate === 'increase' ? Math.round(known.reduce((sum, value) => sum + value, 0) * 1000) / 1000 : known.at(-1);
}

for (const protocol of ['http/protobuf', 'grpc']) {
  test(`A1 metrics of Python's SDK over ${protocol} show what was counted and observed`, async ({ request, seeded }) => {
    const run_id = `sdk metrics ${protocol} ${Date.now()}`;
    const endpoint = protocol === 'grpc' ? seeded.otlpGrpc : seeded.otlpHttp;
    const { stdout, stderr } = await run(python, [join(sdk, 'send_metrics.py'), protocol, run_id], { env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
    const sent: { orders: number; paid: number } = JSON.parse(stdout);
    expect(stderr).toBe('');
    expect(await shown(request, run_id, 'sdk.orders', 'increase')).toBe(sent.orders);
    expect(await shown(request, run_id, 'sdk.orders', 'increase', ' && attributes.paid')).toBe(sent.paid);
    expect(await shown(request, run_id, 'sdk.latency', 'increase')).toBe(sent.orders);
    expect(await shown(request, run_id, 'sdk.depth', 'avg')).toBe(7);
    expect(await shown(request, run_id, 'sdk.waiting', 'sum')).toBe(0);
    const median = await shown(request, run_id, 'sdk.sizes', 'p50');
    expect(median).toBeGreaterThan(1100);
    expect(median).toBeLessThan(1200);
    const { items } = await (await request.get('/api/v1/metrics?q=sdk.sizes')).json();
    expect(items[0]).toMatchObject({ name: 'sdk.sizes', unit: 'By', kind: 'exponential_histogram', temporality: 'cumulative' });
  });
}

for (const protocol of [undefined, 'http/json', 'grpc']) {
  test(`A1 logs and metrics of Node's SDK arrive over ${protocol ?? 'HTTP'}`, async ({ request, seeded }) => {
    const run_id = `sdk others ${protocol} ${Date.now()}`;
    const endpoint = protocol === 'grpc' ? seeded.otlpGrpc : seeded.otlpHttp;
    const set = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_LOGS_EXPORTER: 'otlp', OTEL_METRICS_EXPORTER: 'otlp', ...(protocol && { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }) };
    const { stdout, stderr } = await run(process.execPath, [join(sdk, 'send_others.mjs'), run_id], { env: { ...process.env, ...set } });
    const sent: { lines: number; errors: number; orders: number; paid: number } = JSON.parse(stdout);
    expect(stderr).toBe('');
    const { items, next } = await (await request.get(`/api/v1/logs?limit=1000&correlation_id=${encodeURIComponent(run_id)}`)).json();
    expect(next).toBeNull();
    expect(new Set(items.map((item: { body: string }) => item.body)).size).toBe(sent.lines);
    expect(items.length).toBe(sent.lines);
    expect(items.filter((item: { severity: string }) => item.severity === 'error').length).toBe(sent.errors);
    expect(await shown(request, run_id, 'sdk.orders', 'increase', ' && attributes.paid')).toBe(sent.paid);
    expect(await shown(request, run_id, 'sdk.latency', 'increase')).toBe(sent.orders);
    expect(await shown(request, run_id, 'sdk.depth', 'avg')).toBe(7);
  });
}

test('A4 lines of ecs-logging for Python are understood', async ({ request }) => {
  const id = `ecs ${Date.now()}`;
  const { stdout } = await run(python, [join(sdk, 'send_logs.py'), 'ecs', id]);
  const answer = await request.post('/api/v1/logs', { headers: { 'content-type': 'application/x-ndjson' }, data: stdout });
  expect(await answer.json()).toEqual({ accepted: 21, rejected: [] });
  const { items } = await (await request.get(`/api/v1/logs?q=payment&correlation_id=${encodeURIComponent(id)}`)).json();
  expect(items.length).toBe(1);
  expect(items[0]).toMatchObject({ severity: 'error', service: 'python-ecs', body: 'payment failed' });
  expect(items[0].attributes['error.message']).toBe('no such card');
});
