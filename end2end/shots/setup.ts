// Before the pictures: a server with the demo shop, its history complete, and one that has seen nothing.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root, startServer, type Server } from '../support/server.ts';

const HISTORY_LIMIT_MS = 240_000;
/** What the demo logs when its history is in. */
const HISTORY_SENT = "sent the demo shop's history";

export default async function setup(): Promise<() => Promise<void>> {
  rmSync(join(root, 'target/shots'), { recursive: true, force: true });
  const servers: Server[] = [];
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    const demo = await startServer('shots-demo', { demo: true });
    servers.push(demo);
    const empty = await startServer('shots-empty');
    servers.push(empty);
    const deadline = Date.now() + HISTORY_LIMIT_MS;
    while (!demo.log().includes(HISTORY_SENT)) {
      if (Date.now() > deadline) throw new Error(`the demo's history was not in after ${HISTORY_LIMIT_MS / 1000} s`);
      await sleep(500);
    }
    process.env.SHOTS_PAGES = JSON.stringify(await pagesOf(demo, empty));
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** Every page of the demo, with a trace and a correlation ID that tell something, and the pages of an empty server. */
async function pagesOf(demo: Server, empty: Server): Promise<[name: string, url: string][]> {
  const json = async (path: string) => (await fetch(demo.url + path)).json();
  const failed = (await json('/api/v1/traces?status=error&limit=50')).items;
  const trace = failed.toSorted((a: { spans: number }, b: { spans: number }) => b.spans - a.spans)[0];
  const root = new URLSearchParams({ service: trace.root.service, operation: trace.root.operation, status: 'ok' });
  const others = [...(await json(`/api/v1/traces?${root}`)).items, ...failed];
  const alike = others.find((other: { trace_id: string }) => other.trace_id !== trace.trace_id);
  const id: string = failed.flatMap((item: { correlation_ids: string[] }) => item.correlation_ids)[0];
  const slos: { name: string }[] = (await json('/api/v1/slos')).items;
  const groups: { name: string }[] = (await json('/api/v1/slos?group_of=catalog-availability')).items;
  return [
    ['overview', `${demo.url}/`],
    ['slos', `${demo.url}/slos`],
    ...slos.map(({ name }): [string, string] => [`slo-${name}`, `${demo.url}/slos/${encodeURIComponent(name)}`]),
    ['slos-looked-for', `${demo.url}/slos?service=checkout&sort=budget`],
    ['slos-in-groups', `${demo.url}/slos?group_of=catalog-availability`],
    ['slo-of-a-group', `${demo.url}/slos/${encodeURIComponent(groups[0].name)}`],
    ['incidents', `${demo.url}/incidents`],
    ['settings', `${demo.url}/settings`],
    ['slos-none', `${demo.url}/slos?q=nothing`],
    ...['incidents', 'history', 'definition'].map((tab): [string, string] => [`slo-${tab}`, `${demo.url}/slos/${slos[0].name}?tab=${tab}`]),
    ['slo-editor', `${demo.url}/slo-editor`],
    ['slo-editor-document', `${demo.url}/slo-editor?face=yaml`],
    ['traces', `${demo.url}/traces`],
    ['traces-of-an-id', `${demo.url}/traces?correlation_id=${encodeURIComponent(id)}`],
    ['traces-live', `${demo.url}/traces?live=1`],
    ['trace', `${demo.url}/traces/${trace.trace_id}`],
    ['trace-zoomed', `${demo.url}/traces/${trace.trace_id}?zoom=20000000-${Math.round(trace.duration_ms * 5e5)}`],
    ['trace-flame', `${demo.url}/traces/${trace.trace_id}?view=flame`],
    ['trace-table', `${demo.url}/traces/${trace.trace_id}?view=table&sort=self`],
    ['trace-by-operation', `${demo.url}/traces/${trace.trace_id}?view=table&by=operation&sort=duration`],
    ['trace-compare', `${demo.url}/traces/${trace.trace_id}?view=compare`],
    ['traces-compared', `${demo.url}/traces/${trace.trace_id}?compare=${alike.trace_id}`],
    ['services', `${demo.url}/services`],
    ['service-map', `${demo.url}/service-map?from=-6h`],
    ['service', `${demo.url}/services/payment`],
    ['logs', `${demo.url}/logs`],
    ['logs-of-errors', `${demo.url}/logs?severity=error&q=authorizations`],
    ['metrics', `${demo.url}/metrics-explorer`],
    ['metric', `${demo.url}/metrics-explorer?name=http.server.request.duration&group_by=http.route`],
    ['metric-rate', `${demo.url}/metrics-explorer?name=shop.orders&group_by=order.result&from=-6h`],
    ['metric-faults', `${demo.url}/metrics-explorer?name=shop.orders&aggregate=p95&step=soon`],
    ['events', `${demo.url}/events`],
    ['logs-none', `${demo.url}/logs?q=nothing`],
    ['correlation', `${demo.url}/c/${encodeURIComponent(id)}`],
    ['not-found', `${demo.url}/traces/00000000000000000000000000000abc`],
    ['empty-overview', `${empty.url}/`],
    ['empty-slos', `${empty.url}/slos`],
    ['empty-slo-editor', `${empty.url}/slo-editor`],
    ['empty-traces', `${empty.url}/traces`],
    ['empty-events', `${empty.url}/events`],
    ['empty-logs', `${empty.url}/logs`],
    ['empty-metrics', `${empty.url}/metrics-explorer`],
  ];
}
