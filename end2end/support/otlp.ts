// Traces as OTLP/JSON, with ids that follow from their names, so that every run sends the same.
import { createHash } from 'node:crypto';

export interface SpanSpec {
  service: string;
  operation: string;
  /** OTLP's SpanKind; a server span unless said otherwise. */
  kind?: number;
  /** After the start of the trace. */
  startMs?: number;
  durationMs: number;
  error?: string;
  attributes?: Record<string, string | number | string[]>;
  children?: SpanSpec[];
}

export interface TraceSpec {
  /** The trace id follows from it. */
  name: string;
  start: Date;
  root: SpanSpec;
}

const KIND_SERVER = 2;
const STATUS_ERROR = 2;

/** 32 hex digits. */
export function traceId(name: string): string {
  return createHash('sha256').update(`trace ${name}`).digest('hex').slice(0, 32);
}

function spanId(name: string): string {
  return createHash('sha256').update(`span ${name}`).digest('hex').slice(0, 16);
}

/** One export request with all spans of the traces, a resource per service. */
export function exportRequest(traces: TraceSpec[]) {
  const byService = new Map<string, object[]>();
  const walk = (trace: TraceSpec, span: SpanSpec, path: string, parentSpanId: string) => {
    const id = spanId(`${trace.name}/${path}`);
    const start = BigInt(trace.start.getTime()) * 1_000_000n + nanos(span.startMs ?? 0);
    const spans = byService.get(span.service) ?? [];
    byService.set(span.service, spans);
    spans.push({
      traceId: traceId(trace.name),
      spanId: id,
      parentSpanId,
      name: span.operation,
      kind: span.kind ?? KIND_SERVER,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + nanos(span.durationMs)),
      attributes: attributes(span.attributes ?? {}),
      status: span.error ? { code: STATUS_ERROR, message: span.error } : {},
    });
    span.children?.forEach((child, i) => walk(trace, child, `${path}.${i}`, id));
  };
  for (const trace of traces) walk(trace, trace.root, '0', '');
  return {
    resourceSpans: [...byService].map(([service, spans]) => ({
      resource: { attributes: attributes({ 'service.name': service }) },
      scopeSpans: [{ scope: { name: 'end2end' }, spans }],
    })),
  };
}

/** Sends traces and waits until they are acknowledged, which means stored and searchable. */
export async function send(otlpHttp: string, traces: TraceSpec[]): Promise<void> {
  const answer = await fetch(`${otlpHttp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(exportRequest(traces)),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`OTLP: ${answer.status} ${text}`);
  if (JSON.parse(text).partialSuccess) throw new Error(`OTLP refused spans: ${text}`);
}

export interface LogSpec {
  service: string;
  at: Date;
  /** OTLP's severity number. */
  severity: number;
  body: string;
  /** The trace that it was said in, by its name. */
  trace?: string;
  attributes?: Record<string, string | number | string[]>;
}

/** Sends log records and waits until they are acknowledged. */
export async function sendLogs(otlpHttp: string, logs: LogSpec[]): Promise<void> {
  const record = ({ at, severity, body, trace, attributes: own }: LogSpec) => ({
    timeUnixNano: String(BigInt(at.getTime()) * 1_000_000n),
    severityNumber: severity,
    body: { stringValue: body },
    traceId: trace ? traceId(trace) : '',
    spanId: trace ? spanId(`${trace}/0`) : '',
    attributes: attributes(own ?? {}),
  });
  const resourceLogs = logs.map((log) => ({
    resource: { attributes: attributes({ 'service.name': log.service }) },
    scopeLogs: [{ scope: { name: 'end2end' }, logRecords: [record(log)] }],
  }));
  const answer = await fetch(`${otlpHttp}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceLogs }),
  });
  const text = await answer.text();
  if (!answer.ok || JSON.parse(text).partialSuccess) throw new Error(`OTLP logs: ${answer.status} ${text}`);
}

export interface MetricSpec {
  service: string;
  name: string;
  unit: string;
  description: string;
  /** What was counted in the minute before, or observed, in seconds; readings otherwise. */
  kind: 'counter' | 'histogram' | 'gauge';
  points: MetricPoint[];
}

export interface MetricPoint {
  at: Date;
  attributes?: Record<string, string | number>;
  /** The number; of a histogram every observation. */
  values: number[];
  /** The trace of the greatest observation, by its name. */
  trace?: string;
}

const BOUNDS = [0.05, 0.1, 0.2, 0.5, 1];
const TEMPORALITY_DELTA = 1;

/** Sends metrics and waits until they are acknowledged. */
export async function sendMetrics(otlpHttp: string, metrics: MetricSpec[]): Promise<void> {
  const resourceMetrics = metrics.map((metric) => ({
    resource: { attributes: attributes({ 'service.name': metric.service }) },
    scopeMetrics: [{ scope: { name: 'end2end' }, metrics: [metricOf(metric)] }],
  }));
  const answer = await fetch(`${otlpHttp}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics }),
  });
  const text = await answer.text();
  if (!answer.ok || JSON.parse(text).partialSuccess) throw new Error(`OTLP metrics: ${answer.status} ${text}`);
}

function metricOf({ name, unit, description, kind, points }: MetricSpec): object {
  const dataPoints = points.map((point) => {
    const time = BigInt(point.at.getTime()) * 1_000_000n;
    const timeUnixNano = String(time);
    const startTimeUnixNano = kind === 'gauge' ? '0' : String(time - nanos(60_000));
    const common = { startTimeUnixNano, timeUnixNano, attributes: attributes(point.attributes ?? {}) };
    if (kind !== 'histogram') return { ...common, asDouble: point.values[0] };
    const greatest = Math.max(...point.values);
    const bucket = (value: number) => BOUNDS.filter((bound) => bound < value).length;
    return {
      ...common,
      count: String(point.values.length),
      sum: point.values.reduce((sum, value) => sum + value, 0),
      explicitBounds: BOUNDS,
      bucketCounts: [...BOUNDS, Infinity].map((_, i) => String(point.values.filter((value) => bucket(value) === i).length)),
      exemplars: point.trace ? [{ timeUnixNano, asDouble: greatest, traceId: traceId(point.trace), spanId: spanId(`${point.trace}/0`) }] : [],
    };
  });
  const data = {
    gauge: { gauge: { dataPoints } },
    counter: { sum: { dataPoints, aggregationTemporality: TEMPORALITY_DELTA, isMonotonic: true } },
    histogram: { histogram: { dataPoints, aggregationTemporality: TEMPORALITY_DELTA } },
  }[kind];
  return { name, unit, description, ...data };
}

function nanos(ms: number): bigint {
  return BigInt(Math.round(ms * 1_000_000));
}

function attributes(values: Record<string, string | number | string[]>) {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number | string[]): object {
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'string') return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
