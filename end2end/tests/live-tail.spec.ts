// The live tail of a search: what arrives slides in on top, waits while the reader is busy in the list, and is searched once
// for all who follow (C4).
import { send, sendLogs, traceId } from '../support/otlp.ts';
import { expect, linkedTraces, open, test } from '../support/test.ts';
import { cloudEvent, liveRequest } from '../support/world.ts';

const run = `${Date.now()} ${process.pid}`;
/** A service of this run's own, so that no other journey's traces match. */
const service = (name: string) => `tail ${name} ${run}`;
const search = (name: string) => `service=${encodeURIComponent(service(name))}`;

function request(name: string, number: number) {
  const spec = liveRequest(`${service(name)} ${number}`, false);
  return { ...spec, root: { ...spec.root, service: service(name) } };
}

const id = (name: string, number: number) => traceId(`${service(name)} ${number}`);

test('with the tail on, new matching traces slide in on top, and only those', async ({ page, seeded }) => {
  await send(seeded.otlpHttp, [request('on', 1)]);
  await open(page, `/traces?${search('on')}&live=1`);
  const first = page.locator('.traces tbody tr').first();
  await expect(page.getByRole('link', { name: 'Live tail on' })).toBeVisible();
  await page.evaluate(() => Object.assign(window, { untouched: true }));
  await send(seeded.otlpHttp, [request('on', 2), request('other', 1)]);
  await expect(first.getByRole('link').first()).toHaveAttribute('href', `/traces/${id('on', 2)}`);
  await expect(first).toHaveClass(/arrived/);
  expect(await linkedTraces(page)).toEqual([id('on', 1), id('on', 2)].sort());
  expect(await page.evaluate(() => 'untouched' in window), 'the page was not loaded again').toBe(true);
});

test('the list waits while the pointer rests on it, and tells what is new', async ({ page, seeded }) => {
  await send(seeded.otlpHttp, [request('held', 1)]);
  await open(page, `/traces?${search('held')}&live=1`);
  await page.locator('.traces tbody tr').first().hover();
  await expect(page.getByRole('link', { name: 'Live tail paused' })).toBeVisible();
  await send(seeded.otlpHttp, [request('held', 2), request('held', 3)]);
  await expect(page.getByText('2 new traces')).toBeVisible();
  expect(await linkedTraces(page)).toEqual([id('held', 1)]);
  await page.mouse.move(5, 5);
  await expect.poll(() => linkedTraces(page)).toEqual([1, 2, 3].map((number) => id('held', number)).sort());
  await expect(page.getByText('2 new traces')).toBeHidden();
});

test('with the tail off the list stays as it was found until new traces are asked for', async ({ page, seeded }) => {
  await send(seeded.otlpHttp, [request('off', 1)]);
  await open(page, `/traces?${search('off')}`);
  await send(seeded.otlpHttp, [request('off', 2)]);
  await expect(page.getByText('1 new trace')).toBeVisible();
  expect(await linkedTraces(page)).toEqual([id('off', 1)]);
  await page.getByRole('button', { name: 'Show them' }).click();
  await expect.poll(() => linkedTraces(page)).toEqual([id('off', 1), id('off', 2)].sort());
});

test('the switch stands in the URL and stays with any filter', async ({ page }) => {
  await open(page, '/traces?status=error');
  await page.getByRole('link', { name: 'Live tail off' }).click();
  await expect(page).toHaveURL((url) => url.searchParams.get('live') === '1' && url.searchParams.get('status') === 'error');
  await page.locator('main').getByLabel('Service', { exact: true }).fill('checkout');
  await page.locator('main').getByLabel('Service', { exact: true }).press('Enter');
  await expect(page).toHaveURL((url) => url.searchParams.get('live') === '1' && url.searchParams.get('service') === 'checkout');
  await page.mouse.move(5, 5);
  await page.getByRole('link', { name: /^Live tail/ }).click();
  await expect(page).toHaveURL((url) => !url.searchParams.has('live') && url.searchParams.get('service') === 'checkout');
});

test('more than fits are told as skipped', async ({ page, seeded }) => {
  await send(seeded.otlpHttp, [request('many', 0)]);
  await open(page, `/traces?${search('many')}&live=1&limit=5`);
  await send(seeded.otlpHttp, Array.from({ length: 12 }, (_, i) => request('many', i + 1)));
  await expect(page.getByText('some were skipped')).toBeVisible();
  expect((await linkedTraces(page)).length).toBe(5);
});

test('log lines slide in too, wait while one is read, and what is typed stays', async ({ page, seeded }) => {
  const line = (body: string) => ({ service: service('lines'), at: new Date(), severity: 9, body });
  await sendLogs(seeded.otlpHttp, [line('the first')]);
  await open(page, `/logs?${search('lines')}`);
  await page.getByRole('link', { name: 'Live tail off' }).click();
  await expect(page).toHaveURL(/live=1/);
  await page.getByLabel('Words').fill('half a wor');
  await sendLogs(seeded.otlpHttp, [line('the second'), { ...line('of another'), service: service('others') }]);
  await expect(page.locator('.log-body').first()).toHaveText('the second');
  await expect(page.locator('.log').first()).toHaveClass(/arrived/);
  await expect(page.locator('.log')).toHaveCount(2);
  await expect(page.getByLabel('Words')).toHaveValue('half a wor');

  await page.locator('.log summary').first().click();
  await page.mouse.move(5, 5);
  await expect(page.getByRole('link', { name: 'Live tail paused' })).toBeVisible();
  await sendLogs(seeded.otlpHttp, [line('the third')]);
  await expect(page.getByText('1 new log line')).toBeVisible();
  await expect(page.locator('.log details[open]')).toHaveCount(1);
  await page.getByRole('button', { name: 'Show them' }).click();
  await expect(page.locator('.log-body').first()).toHaveText('the third');
});

test('events slide in too', async ({ page, seeded }) => {
  const source = `/tail/${run}`;
  const event = (id: string) => ({ specversion: '1.0', id, source, type: 'tail.event', subject: id });
  await cloudEvent(seeded, event('one'));
  await open(page, `/events?source=${encodeURIComponent(source)}&live=1`);
  await expect(page.locator('.log')).toHaveCount(1);
  await cloudEvent(seeded, event('two'));
  await expect(page.locator('.log')).toHaveCount(2);
  await expect(page.locator('.log').first()).toContainText('two');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a page with the tail on is complete', async ({ page, seeded }) => {
    await send(seeded.otlpHttp, [request('plain', 1)]);
    await page.goto(`/traces?${search('plain')}&live=1`);
    expect(await linkedTraces(page)).toEqual([id('plain', 1)]);
    await page.getByRole('link', { name: /^Live tail/ }).click();
    await expect(page).not.toHaveURL(/live=1/);
  });
});
