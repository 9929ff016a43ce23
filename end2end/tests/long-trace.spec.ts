// A trace of ten thousand spans, sent over OTLP: its page weighs little, holds few elements, and all of it can be reached (C5, H12).
import { TracePage } from '../pages/trace.ts';
import { send, traceId } from '../support/otlp.ts';
import { expect, open, test } from '../support/test.ts';
import { LONG_TRACE_SPANS, longTrace } from '../support/world.ts';

/** More than a screen needs, far less than ten thousand rows have. */
const MOST_ROWS = 250;
const MOST_ELEMENTS = 5_000;
/** As text, before compression; ten thousand spans in full take ten times as much. */
const MOST_HTML_BYTES = 1_500_000;
const MOST_TRANSFERRED_BYTES = 350 * 1024;

const name = `long ${Date.now()} ${process.pid}`;
const path = `/traces/${traceId(name)}`;

test.beforeAll(async () => {
  await send(JSON.parse(process.env.SEEDED_SERVER ?? '{}').otlpHttp, [longTrace(name)]);
});

test('the document holds the first rows and the details of one span only', async ({ request }) => {
  const response = await request.get(path, { headers: { 'accept-encoding': 'identity' } });
  const html = await response.text();
  expect(html).toContain('10\u202f000');
  expect(html.length).toBeLessThan(MOST_HTML_BYTES);
  expect(html.match(/class="wf-row/g)?.length ?? 0).toBeLessThan(MOST_ROWS);
  expect([...new Set(html.match(/item-\d+-\d+/g))]).toEqual(['item-60-5']);
});

test('what is transferred for the document stays small', async ({ page }) => {
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  const documents: string[] = [];
  const sizes = new Map<string, number>();
  network.on('Network.responseReceived', ({ requestId, type }) => type === 'Document' && documents.push(requestId));
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
  await open(page, path);
  expect(documents.length).toBe(1);
  await expect.poll(() => sizes.get(documents[0]) ?? Infinity).toBeLessThan(MOST_TRANSFERRED_BYTES);
});

test('few elements exist wherever one scrolls, and the end is the last span', async ({ page }) => {
  await open(page, path);
  const trace = new TracePage(page);
  const few = async () => {
    expect(await trace.rows.count()).toBeLessThan(MOST_ROWS);
    expect(await page.locator('main *').count()).toBeLessThan(MOST_ELEMENTS);
  };
  // The failure, in the middle, is what one sees first.
  await expect(trace.selected).toBeInViewport();
  await expect(trace.details).toContainText('no price');
  await few();
  await trace.scrollToStart();
  await expect(page.locator('.wf-link', { hasText: 'import' }).first()).toBeInViewport();
  await few();
  await trace.scrollToEnd();
  const last = trace.rows.last();
  await expect(last).toBeInViewport();
  await few();
  await last.locator('a').click();
  await expect(trace.details).toContainText('item-100-97');
  const height = await trace.frame.evaluate((frame) => frame.scrollHeight);
  expect(height).toBeGreaterThanOrEqual(LONG_TRACE_SPANS * 28);
});

test('a selection asks for its span alone and builds nothing anew', async ({ page }) => {
  await open(page, path);
  const trace = new TracePage(page);
  const asked: string[] = [];
  page.on('request', (request) => request.url().includes('/_app/') && asked.push(Object.keys(request.postDataJSON().question).join()));
  await trace.frame.evaluate((frame) => frame.setAttribute('data-seen', ''));
  await page.keyboard.press('j');
  await expect(trace.details).toContainText('item-60-6');
  await page.keyboard.press('z');
  await expect(page.locator('main')).toContainText('Zoomed to');
  await page.keyboard.press('k');
  await expect(trace.details).toContainText('item-60-5');
  expect(asked).toEqual(['span', 'span']);
  await expect(trace.frame).toHaveAttribute('data-seen');
});

test('a click on the overview scrolls there', async ({ page }) => {
  await open(page, path);
  const trace = new TracePage(page);
  const place = () => trace.frame.evaluate((frame) => frame.scrollTop / frame.scrollHeight);
  await page.locator('.wf-map').click({ position: { x: 20, y: 50 } });
  await expect.poll(place).toBeGreaterThan(0.8);
  await page.locator('.wf-map').click({ position: { x: 20, y: 4 } });
  await expect.poll(place).toBeLessThan(0.1);
});

test('keys select, fold and zoom', async ({ page }) => {
  await open(page, path);
  const trace = new TracePage(page);
  await expect(trace.details).toContainText('item-60-5');
  await page.keyboard.press('j');
  await expect(trace.details).toContainText('item-60-6');
  await expect(trace.selected).toBeInViewport();
  for (let i = 0; i < 40; i += 1) await page.keyboard.press('j');
  await expect(trace.details).toContainText('item-60-46');
  await expect(trace.selected).toBeInViewport();
  await page.keyboard.press('k');
  await expect(trace.details).toContainText('item-60-45');

  await page.keyboard.press('z');
  await expect(page).toHaveURL(/zoom=\d+-\d+/);
  await expect(page.locator('main')).toContainText('Zoomed to');
  await expect(trace.selected.locator('.wf-track .wf-bar')).toBeVisible();
  const wide = await trace.selected.locator('.wf-track .wf-bar').boundingBox();
  expect(wide?.width ?? 0).toBeGreaterThan(100);
  await page.reload();
  await expect(page.locator('main')).toContainText('Zoomed to');
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  await page.keyboard.press('Shift+Z');
  await expect(page).not.toHaveURL(/zoom=/);
  await expect(page.locator('main')).not.toContainText('Zoomed to');
  await expect(trace.selected).toBeInViewport();

  // The root folds to one row.
  await trace.scrollToStart();
  await trace.rows.first().locator('a').click();
  await expect(trace.selected).toContainText('import');
  await page.keyboard.press('h');
  await expect(trace.rows).toHaveCount(1);
  await page.keyboard.press('l');
  await expect(trace.rows.nth(5)).toBeVisible();
});

test('a drag over the axis zooms, a double click zooms out', async ({ page }) => {
  await open(page, path);
  const trace = new TracePage(page);
  await trace.dragAxis(0.2, 0.4);
  await expect(page).toHaveURL(/zoom=\d+-\d+/);
  const [from, until] = (new URL(page.url()).searchParams.get('zoom') ?? '').split('-').map((nanos) => Number(nanos) / 1e6);
  expect(from).toBeGreaterThan(1_900);
  expect(from).toBeLessThan(2_200);
  expect(until).toBeGreaterThan(3_900);
  expect(until).toBeLessThan(4_200);
  await page.locator('.wf-axis').dblclick();
  await expect(page).not.toHaveURL(/zoom=/);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the parts of a long trace lead to each other', async ({ page }) => {
    await page.goto(`${path}?row=0`);
    await expect(page.locator('.wf-row')).toHaveCount(200);
    await page.getByRole('link', { name: 'Later rows' }).click();
    await expect(page.getByText('Rows 201 to 400 of 10000')).toBeVisible();
  });

  test('flame graph and table of a long trace are bounded', async ({ page }) => {
    await page.goto(`${path}?view=flame`);
    await expect(page.locator('.flame-frame')).toHaveCount(1 + 2 + 28);
    await expect(page.getByText('28 frames are too narrow')).toBeVisible();
    await page.goto(`${path}?view=table&sort=duration`);
    await expect(page.locator('.spans tbody tr')).toHaveCount(100);
    await page.getByRole('link', { name: 'Last' }).click();
    await expect(page.getByText('9901 to 10000 of')).toBeVisible();
  });
});
