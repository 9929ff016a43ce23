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

test('C7 the overview tells which calls fail', async ({ page }) => {
  await open(page, '/');
  const calls = page.getByRole('region', { name: 'Calls that fail' });
  await expect(calls.getByRole('listitem').filter({ hasText: 'storefront → payment' })).toHaveText([/%/]);
  await calls.getByRole('link', { name: 'storefront → payment' }).click();
  await expect(page.locator(`main a[href="/traces/${failedTrace}"]`).first()).toBeVisible();
});

test('C7 the service map draws who calls whom, and leads to the services and to the traces of a call', async ({ page, request }) => {
  await open(page, '/services?from=-6h');
  await page.getByRole('navigation', { name: 'View' }).getByRole('link', { name: 'map' }).click();
  await expect(page).toHaveURL('/service-map?from=-6h');
  // Other journeys send traces of theirs, so it is asked for those of one caller.
  const known: { caller: string; callee: string }[] = (await (await request.get('/api/v1/service-map?from=-6h&service=storefront')).json()).items;
  expect(known.map(({ caller, callee }) => `${caller} ${callee}`).sort()).toEqual(['storefront inventory', 'storefront payment']);
  const drawing = page.getByRole('region', { name: 'Drawing of the calls' });
  await expect(drawing.getByRole('link', { name: /^storefront to / })).toHaveCount(known.length);
  const unlabelled = () => drawing.evaluate((region) => region.querySelectorAll('path.edge').length - region.querySelectorAll('.edge-label').length);
  await expect.poll(unlabelled).toBe(0);
  const boxes = await Promise.all(['storefront', 'inventory', 'payment'].map((name) => drawing.getByRole('link', { name: `${name} service` }).boundingBox()));
  const [storefront, inventory, payment] = boxes.map((box) => box!);
  expect(storefront.x + storefront.width).toBeLessThan(Math.min(inventory.x, payment.x));
  expect(Math.abs(inventory.y - payment.y)).toBeGreaterThanOrEqual(payment.height);

  await expect(page.locator('.lead')).toContainText(/from .* to .* fails most/);
  await expect(page.locator('main tbody tr').filter({ hasText: 'storefront' })).toHaveCount(known.length);
  await drawing.getByRole('link', { name: /storefront to payment/ }).click();
  await expect(page.locator(`main a[href="/traces/${failedTrace}"]`).first()).toBeVisible();

  await page.goBack();
  await drawing.getByRole('link', { name: 'payment service' }).click();
  await expect(page).toHaveURL('/services/payment?from=-6h');
  const calls = page.getByRole('region', { name: 'Who asks it, and whom it asks' });
  await expect(calls.locator('tbody tr')).toHaveCount(1);
  await expect(calls.locator('tbody tr')).toContainText('storefront');
});
