// Services: rate, errors and duration, and the way from a service to what failed in it (C7).
import { expect, open, test } from '../support/test.ts';
import { failedTrace } from '../support/world.ts';

test('C7 services stand with their rate, failures and durations, the worst first', async ({ page, request }) => {
  await open(page, '/services?from=-6h');
  const known: { name: string; error_ratio: number }[] = (await (await request.get('/api/v1/services?from=-6h&limit=100')).json()).items;
  const rows = page.locator('main tbody tr');
  await expect(rows).toHaveCount(known.length);
  const worst = known.toSorted((a, b) => b.error_ratio - a.error_ratio)[0];
  await expect(page.locator('.lead')).toContainText(`${worst.name} fails most`);
  await expect(rows.first().getByRole('link')).toHaveText(worst.name);
});

test('C7 a service leads to its operations, objectives and failed traces', async ({ page }) => {
  await open(page, '/services?from=-6h');
  await page.getByRole('link', { name: 'payment', exact: true }).click();
  await expect(page).toHaveURL('/services/payment?from=-6h');
  await expect(page.locator('main h1')).toHaveText('payment');
  await expect(page.getByRole('heading', { name: 'Its objectives' })).toBeVisible();
  await expect(page.locator(`main a[href="/traces/${failedTrace}"]`).first()).toBeVisible();
  await page.getByRole('link', { name: 'POST /authorizations' }).first().click();
  await expect(page).toHaveURL(/\/traces\?service=payment&operation=POST/);
});
