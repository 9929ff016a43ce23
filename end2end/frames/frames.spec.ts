// What a reader does with a trace of ten thousand spans and with a chart, frame by frame: each step is taken when the browser
// asks for the next frame, and the frame lasts until it asks again. A browser without work asks sixty times a second.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { SloPage } from '../pages/slo.ts';
import { send, traceId } from '../support/otlp.ts';
import { root } from '../support/server.ts';
import { expect, open, test } from '../support/test.ts';
import { longTrace } from '../support/world.ts';

const FRAMES = 240;
/** A frame that lasts longer than this and a half has been missed: 60 a second. */
const FRAME_MS = 1_000 / 60;

interface Figure {
  name: string;
  framesPerSecond: number;
  p95Ms: number;
  longestMs: number;
  missed: number;
}

const figures: Figure[] = [];
const name = `frames ${Date.now()} ${process.pid}`;

test.beforeAll(async () => {
  await send(JSON.parse(process.env.SEEDED_SERVER ?? '{}').otlpHttp, [longTrace(name)]);
});

test.afterAll(() => {
  const folder = join(root, 'target/bench');
  mkdirSync(folder, { recursive: true });
  const machine = { cores: cpus().length, processor: cpus()[0]?.model, load: loadavg()[0] };
  writeFileSync(join(folder, 'frames.json'), `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  console.table(figures);
});

/** Takes a step in each frame; `step` runs in the page. */
async function measure(page: Page, name: string, step: (frame: number) => void): Promise<void> {
  const lengths = await page.evaluate(
    ([frames, source]) =>
      new Promise<number[]>((done) => {
        const take = new Function(`return (${source})`)() as (frame: number) => void;
        const times: number[] = [];
        const next = (time: number) => {
          times.push(time);
          if (times.length > Number(frames)) return done(times.slice(1).map((time, i) => time - (times[i] ?? time)));
          take(times.length);
          requestAnimationFrame(next);
        };
        requestAnimationFrame(next);
      }),
    [FRAMES, step.toString()] as const,
  );
  const sorted = lengths.toSorted((a, b) => a - b);
  const together = lengths.reduce((sum, length) => sum + length, 0);
  const round = (value: number) => Math.round(value * 10) / 10;
  figures.push({
    name,
    framesPerSecond: round((1_000 * lengths.length) / together),
    p95Ms: round(sorted[Math.floor(sorted.length * 0.95)] ?? 0),
    longestMs: round(sorted.at(-1) ?? 0),
    missed: lengths.filter((length) => length > 1.5 * FRAME_MS).length,
  });
}

test('nothing to do, for comparison', async ({ page }) => {
  await open(page, '/settings');
  await measure(page, 'an idle page', () => {});
});

test('a trace of 10 000 spans', async ({ page }) => {
  await open(page, `/traces/${traceId(name)}`);
  await expect(page.locator('.wf-row.selected')).toBeInViewport();
  await measure(page, 'trace of 10 000 spans, scrolled by 120 pixels a frame', (frame) => {
    const rows = document.querySelector('.wf-frame');
    if (rows) rows.scrollTop = frame * 120;
  });
  await measure(page, 'trace of 10 000 spans, scrolled by 1 000 pixels a frame', (frame) => {
    const rows = document.querySelector('.wf-frame');
    if (rows) rows.scrollTop = frame * 1_000;
  });
  // What is measured must have happened.
  expect(await page.locator('.wf-frame').evaluate((frame) => frame.scrollTop)).toBeGreaterThan(200_000);
  const zoomed: string[] = [];
  page.on('framenavigated', (frame) => zoomed.push(frame.url()));
  await measure(page, 'trace of 10 000 spans, zoomed in or out every tenth frame', (frame) => {
    const key = frame % 20 === 0 ? 'Z' : 'z';
    if (frame % 10 === 0) window.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey: key === 'Z', bubbles: true }));
  });
  expect(zoomed.length).toBeGreaterThan(10);
  expect(page.url()).not.toContain('span=');
  await measure(page, 'trace of 10 000 spans, the next span selected every fifth frame', (frame) => {
    if (frame % 5 === 0) window.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
  });
  await expect(page).toHaveURL(/span=/);
});

test('the charts of an SLO', async ({ page }) => {
  await open(page, '/slos/checkout-availability');
  await expect(page.locator('.chart canvas').first()).toBeVisible();
  await measure(page, 'charts of an SLO of 240 steps at most, the pointer moved over them', (frame) => {
    const plot = document.querySelector('.chart canvas');
    const box = plot?.getBoundingClientRect();
    if (!plot || !box) return;
    const at = { clientX: box.left + ((frame * 7) % box.width), clientY: box.top + box.height / 2, bubbles: true };
    plot.dispatchEvent(new PointerEvent('pointermove', at));
  });
  await expect(new SloPage(page).tooltip().first()).toContainText(/\d/);
});
