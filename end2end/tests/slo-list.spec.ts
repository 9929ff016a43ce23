// The list of objectives: looking for some of them, with the search in the address.
import { expect, open, test } from '../support/test.ts';
import type { Page } from '@playwright/test';

const field = (page: Page, label: string) => page.getByRole('main').getByLabel(label, { exact: true });
const names = (page: Page) => page.locator('.slo-table tbody th a');

test('typing narrows the list at once, and the address says how', async ({ page }) => {
  await open(page, '/slos');
  await expect(names(page)).toHaveCount(5);
  await field(page, 'Search').fill('payment');
  await expect(names(page)).toHaveText(['Payment latency']);
  await expect(page).toHaveURL(/\/slos\?q=payment$/);
  await expect(page.getByText('1 of 5 objectives.')).toBeVisible();
  await field(page, 'Search').fill('');
  await expect(names(page)).toHaveCount(5);
  await field(page, 'Service').selectOption('checkout');
  await expect(names(page)).toHaveText(['Checkout availability']);
  await expect(page).toHaveURL(/\?service=checkout$/);
  await page.reload();
  await expect(field(page, 'Service')).toHaveValue('checkout');
});

test('a state is chosen by its chip and left by it', async ({ page }) => {
  await open(page, '/slos');
  const critical = page.locator('.state-chip', { hasText: 'critical' });
  await critical.click();
  await expect(page).toHaveURL(/\?state=critical$/);
  for (const badge of await page.locator('.slo-table .state-word').allTextContents()) expect(badge).toBe('critical');
  await critical.click();
  await expect(names(page)).toHaveCount(5);
});

test('an order is kept beside a search, and an empty result leads back', async ({ page }) => {
  await open(page, '/slos?sort=name');
  await expect(names(page).first()).toHaveText('Checkout availability');
  await field(page, 'Search').fill('nothing of this kind');
  await expect(page.getByRole('heading', { name: 'No objective matches' })).toBeVisible();
  await expect(page.locator('.empty')).toContainText('“nothing of this kind”');
  await page.getByRole('link', { name: 'Show them all' }).click();
  await expect(names(page)).toHaveCount(5);
  await expect(page).toHaveURL(/\?sort=name$/);
  await expect(field(page, 'Search')).toHaveValue('');
});

test('the API narrows by the same words', async ({ request }) => {
  const found = await (await request.get('/api/v1/slos?q=payment&sort=name')).json();
  expect(found.items.map((item: { name: string }) => item.name)).toEqual(['payment-latency']);
  const refused = await request.get('/api/v1/slos?state=fine');
  expect(refused.status()).toBe(400);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the search is a form', async ({ page }) => {
    await page.goto('/slos');
    await field(page, 'Search').fill('checkout');
    await field(page, 'Order').selectOption('name');
    await page.getByRole('main').getByRole('button', { name: 'Search' }).click();
    await expect(names(page)).toHaveText(['Checkout availability']);
    await expect(page).toHaveURL(/q=checkout/);
  });

  test('the parts of an objective are links', async ({ page }) => {
    await page.goto('/slos/signup-availability');
    const tabs = page.getByRole('navigation', { name: 'Parts of this page' });
    await tabs.getByRole('link', { name: 'History' }).click();
    await expect(page.getByText('An incident began')).toBeVisible();
    await tabs.getByRole('link', { name: 'Definition' }).click();
    await expect(page).toHaveURL(/\?tab=definition$/);
    await expect(page.locator('main')).toContainText('apiVersion: openslo/v1');
    await tabs.getByRole('link', { name: 'Incidents' }).click();
    await expect(page.locator('main table')).toBeVisible();
  });
});
