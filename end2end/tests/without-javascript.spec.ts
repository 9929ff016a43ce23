// Every page is complete as the server sends it.
import { traceId } from '../support/otlp.ts';
import { missing, pages, saysMissing } from '../support/paths.ts';
import { expect, linkedTraces, test } from '../support/test.ts';
import { correlations, failedTrace } from '../support/world.ts';

test.use({ javaScriptEnabled: false });

for (const [name, path] of pages) {
  test(`${name}: has its content`, async ({ page }) => {
    const response = await page.goto(path);
    expect(response?.status()).toBe(200);
    await expect(page.locator('main h1').first()).toBeVisible();
    await expect(page.locator('main')).not.toContainText(/loading/i);
  });
}

test('the SLO page has its budget as a percentage and its chart as SVG', async ({ page }) => {
  await page.goto('/slos/checkout-availability');
  await expect(page.locator('main')).toContainText(/\d+(\.\d+)?\s?%/);
  const drawn = await page.locator('main svg').evaluateAll((drawings) => drawings.filter((svg) => {
    const box = svg.getBoundingClientRect();
    return box.width > 300 && box.height > 80 && svg.querySelector('path, polyline, rect, line, polygon');
  }).length);
  expect(drawn).toBeGreaterThan(0);
});

test('the search form finds the traces of an ID', async ({ page }) => {
  await page.goto('/traces');
  const field = page.locator('main').getByLabel('Correlation ID', { exact: true });
  await field.fill('%41');
  await field.press('Enter');
  await page.waitForURL(/correlation_id=%2541/);
  expect(await linkedTraces(page)).toEqual(correlations['%41'].map(traceId).sort());
});

test('the search box of the top bar leads on', async ({ page }) => {
  await page.goto('/');
  const search = page.getByRole('banner').getByRole('searchbox');
  await search.fill('ord-1001');
  await search.press('Enter');
  await page.waitForURL('**/c/ord-1001');
  expect(await linkedTraces(page)).toEqual(correlations['ord-1001'].map(traceId).sort());
});

test('the trace page tells every span and the failure', async ({ page }) => {
  await page.goto(`/traces/${failedTrace}`);
  for (const text of ['POST /orders', 'POST /authorizations', 'POST /reservations', 'card declined']) {
    await expect(page.locator('main')).toContainText(text);
  }
});

test.describe('what is not there', () => {
  test.use({ allowedComplaints: [saysMissing] });
  for (const path of missing) {
    test(`${path} answers 404`, async ({ page }) => {
      expect((await page.goto(path))?.status()).toBe(404);
      await expect(page.locator('main h1').first()).toBeVisible();
    });
  }
});
