// Metrics: found by words, asked by a form and by links, read at the pointer, and the way from a dot to its trace (C1).
import AxeBuilder from '@axe-core/playwright';
import { expect, open, test } from '../support/test.ts';
import { failedTrace } from '../support/world.ts';

const DURATION = 'http.server.request.duration';
const question = `/metrics-explorer?name=${DURATION}&group_by=http.route`;

test('C1 a metric is found by words, opened, grouped and asked for another percentile', async ({ page }) => {
  await open(page, '/metrics-explorer');
  await expect(page.locator('.metric-list tbody tr')).toHaveCount(3);
  await page.getByLabel('Words').fill('duration http');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/q=duration/);
  await expect(page.locator('.metric-list tbody tr')).toHaveCount(1);
  await page.getByRole('link', { name: DURATION }).click();
  await expect(page.locator('.lead')).toHaveText(`95th percentile of ${DURATION}, over the last hour; 3 series.`);
  await expect(page.locator('.metric-lines tbody tr')).toHaveCount(1);
  await page.getByRole('navigation', { name: 'Group by' }).getByRole('link', { name: 'http.route' }).click();
  await expect(page.locator('.metric-lines tbody th')).toHaveText(['/orders', '/search', '/carts/{id}']);
  await page.getByLabel('Show').selectOption('p99');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/aggregate=p99/);
  await expect(page.locator('.lead')).toContainText(`99th percentile of ${DURATION}, by http.route`);
  await expect(page.getByLabel('Show')).toHaveValue('p99');
  await page.goBack();
  await expect(page.locator('.lead')).toContainText('95th percentile');
});

test('C1 values stand with their units, in the table and at the pointer, by mouse and by keyboard', async ({ page }) => {
  await open(page, question);
  await expect(page.locator('.metric-lines tbody tr').first()).toContainText(/\d+ ms/);
  const plot = page.locator('.chart-plot');
  await plot.hover({ position: { x: 400, y: 100 } });
  const tooltip = page.getByRole('tooltip');
  await expect(tooltip).toContainText(/\d+ ms \/orders/);
  await expect(tooltip.locator('.chart-said')).toHaveCount(3);
  await page.mouse.move(0, 0);
  await expect(tooltip).toHaveCount(0);
  await plot.focus();
  for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowLeft');
  await expect(tooltip).toContainText('/search');
  await page.keyboard.press('Escape');
  await expect(tooltip).toHaveCount(0);
});

test('C1 dragging over the chart narrows the range and keeps the question, a double click goes back', async ({ page }) => {
  await open(page, question);
  const box = (await page.locator('.chart-plot').boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.3, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/name=http.*group_by=http.route.*from=\d{4}.*to=\d{4}/);
  await expect(page.locator('.lead')).toContainText(/from \d{4}-/);
  await page.locator('.chart-plot').dblclick();
  await expect(page).toHaveURL(question);
});

test('C1 a dot on the chart and a link below it lead to the trace that was observed', async ({ page }) => {
  await open(page, question);
  const dots = page.locator('.chart-links a');
  await expect(dots).toHaveCount(1);
  const listed = page.getByRole('region', { name: 'Traces behind it' }).getByRole('link');
  await expect(listed).toHaveAttribute('href', `/traces/${failedTrace}`);
  await expect(listed).toContainText('980 ms');
  await dots.click();
  await expect(page).toHaveURL(`/traces/${failedTrace}`);
  await page.goBack();
  await listed.focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`/traces/${failedTrace}`);
});

test('C1 counters are told as rates, gauges keep their gaps', async ({ page }) => {
  await open(page, '/metrics-explorer?name=shop.orders');
  await expect(page.locator('.lead')).toContainText('Rate of shop.orders');
  await expect(page.locator('.metric-lines tbody tr')).toContainText('3 /min');
  await open(page, '/metrics-explorer?name=shop.queue.depth');
  await expect(page.locator('.lead')).toContainText('Mean of shop.queue.depth');
  const runs = await page.request.get('/metrics-explorer?name=shop.queue.depth').then((answer) => answer.text());
  const path = /<path class="k8"[^>]* d="([^"]+)"/.exec(runs)?.[1] ?? '';
  expect(path.match(/M/g)?.length).toBe(2);
});

test('C1 faults stand at their fields, with what was typed', async ({ page }) => {
  await open(page, '/metrics-explorer?name=shop.orders&step=soon');
  await expect(page.getByLabel('Step')).toHaveValue('soon');
  await expect(page.locator('.field', { has: page.getByLabel('Step') }).locator('.fault')).toContainText('duration');
  await open(page, '/metrics-explorer?name=shop.orders&aggregate=p95&filter=service+%3D%3D');
  await expect(page.locator('.field', { has: page.getByLabel('Filter') }).locator('.fault')).toBeVisible();
  await open(page, '/metrics-explorer?name=no.such.metric');
  await expect(page.getByLabel('Metric', { exact: true })).toHaveValue('no.such.metric');
  await expect(page.locator('.fault')).toHaveText('no metric of this name in this range');
});

test('C1 a phone shows the whole question', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, question);
  const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overhang).toBeLessThanOrEqual(0);
  await page.locator('.chart-plot').hover({ position: { x: 150, y: 80 } });
  await expect(page.getByRole('tooltip')).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
});

test('C1 where nothing has come, the command that sends a metric is copied with the real address', async ({ page, empty, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `${empty.url}/metrics-explorer`);
  await expect(page.locator('.empty')).toContainText(`${empty.otlpHttp}/v1/metrics`);
  await page.locator('.empty .copy').last().click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('"gauge"');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('C1 the question is a form, groups are links, the chart is drawn and leads to traces', async ({ page }) => {
    await page.goto('/metrics-explorer');
    await page.getByLabel('Words').fill('duration');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('link', { name: DURATION }).click();
    await page.getByRole('navigation', { name: 'Group by' }).getByRole('link', { name: 'http.route' }).click();
    await page.getByLabel('Show').selectOption('p99');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect(page).toHaveURL(/group_by=http.route&.*aggregate=p99|aggregate=p99.*group_by=http.route/);
    await expect(page.locator('.chart-geometry path[class="k10"]')).toHaveCount(1);
    await expect(page.locator('.metric-lines tbody tr')).toHaveCount(3);
    await page.getByRole('region', { name: 'Traces behind it' }).getByRole('link').click();
    await expect(page).toHaveURL(`/traces/${failedTrace}`);
  });

  test('C1 the command that sends a metric can be read', async ({ page, empty }) => {
    await page.goto(`${empty.url}/metrics-explorer`);
    await expect(page.locator('.empty')).toContainText('/v1/metrics');
  });
});
