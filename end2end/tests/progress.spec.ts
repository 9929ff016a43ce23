// C9: counting the past of an objective, told in the page by server-sent events and on a terminal by a bar. It is kept from going on
// as another instance would keep it: by locks on the segments that it is to count.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { send } from '../support/otlp.ts';
import { startServer, type Server } from '../support/server.ts';
import { expect, open, test } from '../support/test.ts';
import { applySlos } from '../support/world.ts';

const TRACES = 40;
const SLOW = 5;

// How long spans last is not in the rollups, so the past is counted from segments.
const objective = (name: string) => `apiVersion: openslo/v1
kind: SLO
metadata: {name: ${name}}
spec:
  service: shop
  indicator:
    metadata: {name: ${name}-sli}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: slowburn, spec: {signal: spans, filter: 'duration_ms < 100'}}}
        total: {metricSource: {type: slowburn, spec: {signal: spans, filter: 'service == "shop"'}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
`;

/** Locks every segment; the answer unlocks them. */
async function hold(server: Server): Promise<() => Promise<void>> {
  const psql = spawn(process.env.SLOWBURN_TEST_PSQL ?? 'psql', ['--quiet', '--no-psqlrc', '--tuples-only', server.databaseUrl ?? ''], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done) => psql.once('exit', () => done()));
  const locked = new Promise<void>((done, fail) => {
    let said = '';
    psql.stdout.on('data', (part) => {
      said += part;
      if (said.includes('locked')) done();
    });
    psql.once('exit', () => fail(new Error('psql ended')));
  });
  psql.stdin.write("BEGIN;\nSELECT count(*) FROM (SELECT FROM segments FOR UPDATE) AS held;\n\\echo locked\n");
  await locked;
  return async () => {
    psql.stdin.end();
    await ended;
  };
}

// One server for both.
test.describe.configure({ mode: 'serial' });
let server: Server;
test.beforeAll(async () => {
  server = await startServer('progress');
  const start = new Date(Date.now() - 120_000);
  const traces = Array.from({ length: TRACES }, (_, i) => ({
    name: `progress ${i}`,
    start,
    root: { service: 'shop', operation: 'GET /', durationMs: i < SLOW ? 500 : 20 },
  }));
  await send(server.otlpHttp, traces);
});
test.afterAll(async () => server.stop());

test('C9 the page tells how far counting the past has come, and that it is done', async ({ page }) => {
  const release = await hold(server);
  await applySlos(server, objective('in-the-page'));
  await open(page, `${server.url}/slos/in-the-page`);
  const documents: string[] = [];
  page.on('request', (request) => request.resourceType() === 'document' && documents.push(request.url()));
  const notice = page.getByRole('status').filter({ hasText: 'Counting the past' });
  await expect(notice).toContainText(`0 of ${TRACES} stored spans`);
  await expect(notice.getByRole('progressbar', { name: 'Spans counted' })).toHaveAttribute('max', String(TRACES));
  await release();
  await expect(notice).toHaveCount(0);
  await expect(page.locator('.lead')).not.toContainText('is new');
  await expect(page.locator('main')).toContainText(String(TRACES));
  expect(documents).toEqual([]);
});

test('C9 on a terminal a bar tells it, and the command ends when it is done', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slowburn-progress-'));
  const file = join(folder, 'slo.yaml');
  writeFileSync(file, objective('on-a-terminal'));
  const release = await hold(server);
  const command = `${process.env.SLOWBURN_BIN} --server ${server.url} slo apply --wait ${file}`;
  // `script` gives it a terminal: elsewhere there is no bar.
  const terminal = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm', COLUMNS: '120' },
  });
  let said = '';
  terminal.stdout.on('data', (part) => (said += part));
  const ended = new Promise<number | null>((done) => terminal.once('exit', done));
  await expect.poll(() => said).toMatch(new RegExp(`counting the past of on-a-terminal .*0 of ${TRACES} spans`));
  await release();
  expect(await ended).toBe(0);
  const slo = await (await fetch(`${server.url}/api/v1/slos/on-a-terminal`)).json();
  expect([slo.backfill, slo.events, slo.good]).toEqual([null, TRACES, TRACES - SLOW]);
  rmSync(folder, { recursive: true });
});
