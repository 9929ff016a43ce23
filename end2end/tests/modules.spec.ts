// The packs of the pages' own WebAssembly, when the network does not bring them.
import { expect, open, test } from '../support/test.ts';

test.use({ allowedComplaints: [/ERR_FAILED|Failed to fetch|preload/] });

test('without its pack a page stays as it was rendered, and its links work', async ({ page }) => {
  await page.route('**/objectives.pack', (route) => route.abort());
  const refused = page.waitForEvent('requestfailed', (request) => request.url().endsWith('objectives.pack'));
  await page.goto('/slos');
  await refused;
  await expect(page.locator('main')).toContainText('Checkout availability');
  await expect(page.locator('html')).not.toHaveAttribute('data-hydrated', /.*/);
  await page.locator('main a[href="/slos/checkout-availability"]').first().click();
  await expect(page).toHaveURL(/checkout-availability$/);
  // Whose pack comes.
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
});

test('a link to a page whose pack does not come says so, and loading again helps', async ({ page }) => {
  await page.route('**/traces.pack', (route) => route.abort());
  await open(page, '/slos');
  await page.getByRole('link', { name: 'Traces' }).first().click();
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('could not be loaded');
  await page.unroute('**/traces.pack');
  await alert.getByRole('link', { name: 'Load it again' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  await expect(page).toHaveURL(/\/traces/);
  await expect(page.locator('main h1')).toHaveText('Traces');
});

test('a pack that comes after the reader has gone on makes no page and asks for nothing', async ({ page }) => {
  await open(page, '/traces?correlation_id=ord-1001');
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await page.route('**/spans.pack', async (route) => {
    await held;
    await route.continue();
  });
  const asked = page.waitForRequest('**/spans.pack');
  const arrived = page.waitForResponse('**/spans.pack');
  await page.locator('main [data-row]').first().click();
  await asked;
  await page.getByRole('link', { name: 'Settings' }).first().click();
  release();
  await expect(page.locator('main h1')).toHaveText('Settings');
  await (await arrived).finished();
  // A question about a trace without id would be answered by 404, and that would be a complaint of the browser.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
});
