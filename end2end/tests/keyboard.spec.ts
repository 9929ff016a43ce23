// The keys that every page knows.
import { Shell } from '../pages/shell.ts';
import { expect, open, test } from '../support/test.ts';

test('/ goes to the search, and letters typed there stay letters', async ({ page }) => {
  await open(page, '/traces');
  const { search } = new Shell(page);
  await page.keyboard.press('/');
  await expect(search).toBeFocused();
  await page.keyboard.type('jk?t');
  await expect(search).toHaveValue('jk?t');
});

test('j and k walk the rows, Enter opens one', async ({ page }) => {
  await open(page, '/traces?correlation_id=ord-1001');
  const rows = page.locator('main [data-row]');
  await page.keyboard.press('j');
  await expect(rows.nth(0)).toBeFocused();
  await page.keyboard.press('j');
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press('k');
  await expect(rows.nth(0)).toBeFocused();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
});

test('? opens the help, Escape closes it', async ({ page }) => {
  await open(page, '/');
  const { help } = new Shell(page);
  await page.keyboard.press('?');
  await expect(help).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
});

test('the navigation opens every page without loading the document again', async ({ page }) => {
  await open(page, '/');
  const documents: string[] = [];
  page.on('request', (request) => request.resourceType() === 'document' && documents.push(request.url()));
  for (const [name, path] of [['SLOs', '/slos'], ['Incidents', '/incidents'], ['Services', '/services'], ['Traces', '/traces'], ['Logs', '/logs'], ['Metrics', '/metrics-explorer'], ['Events', '/events'], ['Settings', '/settings'], ['Overview', '/']]) {
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click();
    await expect(page).toHaveURL((url) => url.pathname === path);
    await expect(page.locator('main h1').first()).toBeVisible();
  }
  expect(documents).toEqual([]);
});
