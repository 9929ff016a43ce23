// A Slowburn server of a test run's own: free ports, a data folder of its own, stopped at the end.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const root = resolve(import.meta.dirname, '../..');
const logs = join(root, 'target/end2end');
const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 60_000;

export interface Server {
  /** Where pages and the API are. */
  url: string;
  /** OTLP over HTTP. */
  otlpHttp: string;
  /** OTLP over gRPC. */
  otlpGrpc: string;
  /** Where it stores, when the test command's cluster does. */
  databaseUrl?: string;
  /** What the server has written so far. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts a server and waits until it is ready. With the test command's database cluster it gets a fresh database there;
 * without, it starts its own from its data folder.
 */
export async function startServer(name: string, options: { demo?: boolean } = {}): Promise<Server> {
  const binary = process.env.SLOWBURN_BIN;
  if (!binary) throw new Error('SLOWBURN_BIN is not set; run `make end-to-end`');
  mkdirSync(logs, { recursive: true });
  const dataDir = mkdtempSync(join(tmpdir(), `slowburn-${name}-`));
  // As root the server's own PostgreSQL runs as another user, who must be able to pass.
  chmodSync(dataDir, 0o755);
  const [main, http, grpc] = await freePorts(3);
  const logFile = join(logs, `server-${name}.log`);
  const log = openSync(logFile, 'w');
  const environment: NodeJS.ProcessEnv = {
    ...withoutSettings(process.env),
    SLOWBURN_ADDR: `127.0.0.1:${main}`,
    SLOWBURN_OTLP_HTTP_ADDR: `127.0.0.1:${http}`,
    SLOWBURN_OTLP_GRPC_ADDR: `127.0.0.1:${grpc}`,
  };
  const cluster = process.env.SLOWBURN_TEST_DATABASE_URL;
  if (cluster) environment.DATABASE_URL = freshDatabase(cluster, `${name}_${process.pid}`);
  const serve = ['serve', '--data-dir', dataDir, ...(options.demo ? ['--demo'] : [])];
  const [program, args] = endingWithUs(binary, serve);
  const child = spawn(program, args, { cwd: root, env: environment, stdio: ['ignore', log, log] });
  closeSync(log);

  const server: Server = {
    url: `http://127.0.0.1:${main}`,
    otlpHttp: `http://127.0.0.1:${http}`,
    otlpGrpc: `http://127.0.0.1:${grpc}`,
    databaseUrl: environment.DATABASE_URL,
    log: () => readFileSync(logFile, 'utf8'),
    stop: async () => {
      await end(child);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  try {
    await ready(server, child);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

async function ready(server: Server, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    const gone = child.exitCode !== null || child.signalCode !== null;
    if (gone) throw new Error(`the server ended while starting:\n${tail(server.log())}`);
    const answer = await fetch(`${server.url}/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error(`the server was not ready after ${START_LIMIT_MS / 1000} s:\n${tail(server.log())}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGTERM');
  const late = sleep(STOP_LIMIT_MS, 'late', { ref: false });
  if ((await Promise.race([ended, late])) === 'late') {
    child.kill('SIGKILL');
    throw new Error(`the server did not end within ${STOP_LIMIT_MS / 1000} s of SIGTERM`);
  }
}

/** On Linux the kernel ends the server when this process dies, however it dies. */
function endingWithUs(program: string, args: string[]): [string, string[]] {
  return process.platform === 'linux' ? ['setpriv', ['--pdeathsig', 'TERM', '--', program, ...args]] : [program, args];
}

function freshDatabase(cluster: string, name: string): string {
  const database = name.replace(/[^a-z0-9_]/g, '_');
  execFileSync(process.env.SLOWBURN_TEST_PSQL ?? 'psql', ['--quiet', '--command', `CREATE DATABASE ${database}`, cluster]);
  const url = new URL(cluster);
  url.pathname = `/${database}`;
  return url.href;
}

/** Settings of the person who runs the tests must not reach the server under test. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = (key: string) => key === 'DATABASE_URL' || key.startsWith('SLOWBURN_') || key.startsWith('OTEL_');
  return Object.fromEntries(Object.entries(environment).filter(([key]) => !foreign(key)));
}

/** Ports that are free now; all are held until all are known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const holders = await Promise.all(
    Array.from({ length: count }, () => new Promise<ReturnType<typeof createServer>>((done, fail) => {
      const holder = createServer().once('error', fail);
      holder.listen(0, '127.0.0.1', () => done(holder));
    })),
  );
  const ports = holders.map((holder) => (holder.address() as { port: number }).port);
  await Promise.all(holders.map((holder) => new Promise((done) => holder.close(done))));
  return ports;
}

function tail(text: string): string {
  return text.split('\n').slice(-40).join('\n');
}
