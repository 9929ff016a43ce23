// Logs: found by what they say, opened in place, and the way from a line to its trace and to everything of its ID (A4, C4, C6).
import { expect, open, test } from '../support/test.ts';
import { failedTrace } from '../support/world.ts';

test('C4 words narrow the list, and the URL holds the search', async ({ page }) => {
  await open(page, '/logs');
  await expect(page.locator('.log')).toHaveCount(50);
  await page.getByLabel('Words').fill('"card declined" -accepted');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/q=%22card/);
  await expect(page.locator('.log')).toHaveCount(1);
  await expect(page.getByLabel('Words')).toHaveValue('"card declined" -accepted');
  await page.goBack();
  await expect(page.locator('.log')).toHaveCount(50);
});

test('A4 a line opens to all that it says, as text, and leads to its trace', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, '/logs?q=declined');
  await page.locator('.log summary').click();
  await expect(page.locator('.log-full pre')).toHaveText('card declined by northbank\n<b>code 51</b>');
  await expect(page.locator('.log-full')).toContainText('bank.code');
  await page.getByRole('button', { name: 'Copy what it says' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('card declined by northbank\n<b>code 51</b>');
  await page.getByRole('link', { name: 'Its trace' }).click();
  await expect(page).toHaveURL(`/traces/${failedTrace}`);
  await expect(page.getByRole('heading', { name: 'What was logged in it' })).toBeVisible();
  await expect(page.locator('.log')).toHaveCount(2);
});

test('C4 a line opens to the record as JSON, types and all, and back to its text', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, '/logs?q=declined');
  await page.locator('.log summary').click();
  await page.getByRole('link', { name: 'As JSON' }).click();
  const shown = JSON.parse((await page.locator('.log-json').textContent()) ?? '');
  expect(shown.body).toBe('card declined by northbank\n<b>code 51</b>');
  expect(shown.trace_id).toBe(failedTrace);
  expect(Object.keys(shown.attributes)).toContain('bank.code');
  await expect(page.locator('.log-full dl')).toBeHidden();
  await page.getByRole('button', { name: 'Copy what it says' }).click();
  expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toEqual(shown);
  await page.getByRole('link', { name: 'As text' }).click();
  await expect(page.locator('.log-json')).toHaveCount(0);
  await expect(page.locator('.log-full pre')).toContainText('card declined');
  await open(page, '/events?type=order.*');
  await page.locator('.log summary').click();
  await page.getByRole('link', { name: 'As JSON' }).click();
  expect(JSON.parse((await page.locator('.log-json').textContent()) ?? '').type).toMatch(/^order\./);
});

test('C4 severities, pages and faults of a search', async ({ page }) => {
  await open(page, '/logs?service=worker');
  await page.getByLabel('Severity').selectOption('warn');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.locator('.log')).toHaveCount(7);
  await open(page, '/logs?service=worker&limit=40');
  await page.getByRole('link', { name: 'Older log lines' }).click();
  await expect(page.locator('.log')).toHaveCount(30);
  await expect(page.getByRole('link', { name: 'Older log lines' })).toHaveCount(0);
  await open(page, '/logs?filter=severity+%3D%3D+%22loud%22+%26%26&trace_id=abc');
  await expect(page.locator('.fault')).toHaveText([/./, 'expected 32 hex digits']);
  await expect(page.getByRole('textbox', { name: 'Trace ID' }), 'what was typed stays').toHaveValue('abc');
});

test('C4 attributes stand beside the lines as columns of choice, and the URL holds them', async ({ page }) => {
  await open(page, '/logs?service=worker');
  const columns = page.getByRole('navigation', { name: 'Columns' });
  await columns.getByText('choose').click();
  await columns.getByRole('link', { name: 'batch.size' }).click();
  await expect(page).toHaveURL(/service=worker&columns=batch\.size/);
  await expect(page.locator('.log .log-columns').first()).toHaveText(/^\d+$/);
  await expect(page.locator('.log-head')).toHaveText('batch.size');
  await page.getByLabel('Words').fill('slow');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.locator('.log')).toHaveCount(7);
  await expect(page.locator('.log .log-columns')).toHaveText([/3$/, /3$/, /3$/, /3$/, /3$/, /3$/, /3$/]);
  await columns.getByRole('link', { name: 'batch.size' }).click();
  await expect(page.locator('.log .log-columns')).toHaveCount(0);
  await expect(page).not.toHaveURL(/columns/);
});

test('C6 what was logged stands in the story of an ID, in its lanes and in order', async ({ page, request }) => {
  await open(page, '/c/ord-1001');
  await expect(page.locator('.lead')).toContainText('3 log lines, 1 event');
  await expect(page.locator('.log-body')).toHaveText([/asking northbank/, /card declined/, /courier booked/, /order.shipped/]);
  await expect(page.locator('.tl-log')).toHaveCount(4);
  await expect(page.locator('.tl-log.is-error')).toHaveCount(1);
  const story = await (await request.get('/api/v1/correlations/ord-1001')).json();
  expect(story.counts).toEqual({ trace: 3, log: 3, event: 1 });
  const times = story.items.map((item: { time: string }) => Date.parse(item.time));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect((await request.get('/api/v1/correlations/no-such-id')).status()).toBe(404);
});

test('D1 events are found by type and words, incidents among them', async ({ page }) => {
  await open(page, '/events?type=order.*');
  await expect(page.locator('.log')).toHaveCount(1);
  await page.locator('.log summary').click();
  await page.getByRole('link', { name: 'Everything of ord-1001' }).click();
  await expect(page).toHaveURL('/c/ord-1001');
  await open(page, '/events?q=signup-availability');
  await expect(page.locator('.log').first()).toContainText('dev.slowburn.');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the search is a form, and lines open', async ({ page }) => {
    await page.goto('/logs');
    await page.getByLabel('Words').fill('declined');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect(page.locator('.log')).toHaveCount(1);
    await page.locator('.log summary').click();
    await expect(page.locator('.log-full')).toBeVisible();
    // Not opened: a browser asks for the icon of a page that is JSON alone.
    const href = await page.getByRole('link', { name: 'As JSON' }).getAttribute('href');
    expect((await (await page.request.get(href ?? '')).json()).items).toHaveLength(1);
  });
});

test.describe('an ID that nothing has', () => {
  test.use({ allowedComplaints: [/status of 404/] });
  test('C6 an unknown ID says what was searched, and offers those that resemble it', async ({ page, request }) => {
    expect((await open(page, '/c/odr-1001')).status()).toBe(404);
    await expect(page.locator('main h1')).toHaveText('Nothing has this correlation ID');
    await expect(page.locator('.lead')).toContainText('Searched for “odr-1001”: every stored event, and every trace and log line of the last 6 h.');
    const problem = await (await request.get('/api/v1/correlations/odr-1001')).json();
    expect(problem.near[0]).toBe('ord-1001');
    await page.getByRole('link', { name: 'ord-1001', exact: true }).click();
    await expect(page.locator('main h1')).toHaveText('ord-1001');
  });
});
