// Real OpenTelemetry SDKs, with their exporters' defaults, deliver everything.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
