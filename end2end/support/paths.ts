// Every page, with something on it.
import { failedTrace, goodTrace } from './world.ts';

export const pages: [name: string, path: string][] = [
  ['overview', '/'],
  ['slos', '/slos'],
  ['slo', '/slos/checkout-availability'],
  ['slo made of others', '/slos/shop'],
  ['slo in groups', '/slos/payment-latency'],
  ['group of an slo', '/slos/payment-latency%40502'],
  ['groups of an slo', '/slos?group_of=payment-latency'],
  ['slos looked for', '/slos?q=availability&sort=name'],
  ['slos that are not there', '/slos?q=nothing'],
  ['incidents of an slo', '/slos/signup-availability?tab=incidents'],
  ['history of an slo', '/slos/signup-availability?tab=history'],
  ['definition of an slo', '/slos/signup-availability?tab=definition'],
  ['new objective', '/slo-editor?service=checkout'],
  ['edited objective', '/slo-editor?edit=payment-latency'],
  ['new objective as a document', '/slo-editor?face=yaml'],
  ['traces', '/traces'],
  ['traces of an id', '/traces?correlation_id=ord-1001'],
  ['trace', `/traces/${failedTrace}`],
  ['trace as a flame graph', `/traces/${failedTrace}?view=flame`],
  ['trace as a table', `/traces/${failedTrace}?view=table&sort=duration`],
  ['trace by operation', `/traces/${failedTrace}?view=table&by=operation`],
  ['trace zoomed', `/traces/${failedTrace}?zoom=10000000-500000000`],
  ['choosing a trace to compare with', `/traces/${failedTrace}?view=compare`],
  ['traces compared', `/traces/${goodTrace}?compare=${failedTrace}`],
  ['services', '/services'],
  ['service', '/services/payment'],
  ['service map', '/service-map'],
  ['logs', '/logs'],
  ['logs looked for', '/logs?q=declined&severity=warn'],
  ['logs with columns', '/logs?service=worker&columns=batch.size,nothing'],
  ['logs that are not there', '/logs?q=nothing&from=-1h'],
  ['metrics', '/metrics-explorer'],
  ['metrics looked for', '/metrics-explorer?q=orders'],
  ['metrics that are not there', '/metrics-explorer?q=nothing'],
  ['metric', '/metrics-explorer?name=http.server.request.duration&group_by=http.route'],
  ['metric with a gap', '/metrics-explorer?name=shop.queue.depth'],
  ['metric asked wrongly', '/metrics-explorer?name=shop.orders&aggregate=p95&step=soon&filter=service+%3D%3D'],
  ['events', '/events'],
  ['events looked for', '/events?type=order.*&q=van'],
  ['agents', '/agents'],
  ['correlation', '/c/ord-1001'],
  ['incidents', '/incidents'],
  ['settings', '/settings'],
];

/** Addresses of things that are not there. */
export const missing = ['/services/no-such-service', '/traces/00000000000000000000000000000abc', '/slos/no-such-slo', '/c/no-such-id', '/incidents/no-such-incident', '/no-such-page'];

/** What a browser says about their status, and about asking again when news comes: it may be there by then. Their files must not be missing. */
export const saysMissing = new RegExp(`status of 404.*(${missing.join('|')}|/_app/load)\\)$`);
