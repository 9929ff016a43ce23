// One promise on its page: the figures, the chart, the value under the pointer.
import { SloPage } from '../pages/slo.ts';
import { expect, open, test } from '../support/test.ts';
import { CHECKOUTS, FAILED_CHECKOUTS } from '../support/world.ts';

test('the budget left is shown as a percentage, and is the right one', async ({ page, request }) => {
  const answer = await request.get('/api/v1/slos/checkout-availability');
  expect(answer.status()).toBe(200);
  const slo = await answer.json();
  expect(slo.target).toBe(0.9);
  expect(slo.error_budget.consumed).toBe(FAILED_CHECKOUTS);
  expect(slo.error_budget.total).toBeCloseTo(CHECKOUTS * 0.1, 6);
  expect(slo.error_budget.remaining_ratio).toBeCloseTo(1 - FAILED_CHECKOUTS / (CHECKOUTS * 0.1), 6);

  await open(page, '/slos/checkout-availability');
  const percent = slo.error_budget.remaining_ratio * 100;
  await expect(page.locator('main')).toContainText(new RegExp(`${Math.floor(percent)}(\\.\\d+)?\\s?%`));
});

test('the chart answers to the pointer, with another value elsewhere', async ({ page }) => {
  await open(page, '/slos/checkout-availability');
  const slo = new SloPage(page);
  const box = await slo.biggestChart();
  expect(box.width).toBeGreaterThan(300);
  expect(box.height).toBeGreaterThan(80);
  await slo.pointAt(0.98);
  await expect(slo.tooltip().first()).toContainText(/\d/);
  const right = await slo.tooltip().first().textContent();
  await slo.pointAt(0.3);
  await expect(slo.tooltip().first()).not.toHaveText(right ?? '');
});

test('the list leads to every SLO, worst first', async ({ page, request }) => {
  await open(page, '/slos');
  const { items } = await (await request.get('/api/v1/slos')).json();
  expect(items.map((item: { name: string }) => item.name).sort()).toEqual(['checkout-availability', 'live-availability', 'payment-latency', 'shop', 'signup-availability']);
  for (const { name } of items) await expect(page.locator(`main a[href="/slos/${name}"]`).first()).toBeVisible();
  await page.locator('main a[href="/slos/payment-latency"]').first().click();
  await page.waitForURL('**/slos/payment-latency');
  await expect(page.locator('main h1')).toContainText('Payment latency');
});

test('B4: an objective made of others says what each of them took', async ({ page, request }) => {
  const of = async (name: string) => (await request.get(`/api/v1/slos/${name}`)).json();
  const [shop, checkout, payment] = await Promise.all(['shop', 'checkout-availability', 'payment-latency'].map(of));
  expect(shop.parts.map((part: { sli: number }) => part.sli)).toEqual([checkout.sli, payment.sli]);
  // Three parts of the one, one of the other; time without news of one is left to the other.
  const weights = [3 * shop.parts[0].coverage, shop.parts[1].coverage];
  expect(shop.sli).toBeCloseTo((weights[0] * checkout.sli + weights[1] * payment.sli) / (weights[0] + weights[1]), 9);
  await open(page, '/slos/shop');
  const parts = page.getByRole('region', { name: 'What it is made of' });
  await expect(parts.getByRole('row')).toHaveCount(3);
  await expect(parts.getByRole('row', { name: 'checkout-availability' })).toContainText('75 %');
  await parts.getByRole('link', { name: 'payment-latency' }).click();
  await expect(page).toHaveURL(/\/slos\/payment-latency$/);
});

test('B4: each value has a budget of its own, and the list tells of them', async ({ page, request }) => {
  const { items } = await (await request.get('/api/v1/slos?group_of=payment-latency&sort=name')).json();
  expect(items.map((item: { name: string }) => item.name)).toEqual(['payment-latency@201', 'payment-latency@502']);
  const whole = await (await request.get('/api/v1/slos/payment-latency')).json();
  expect(whole.grouping).toEqual({ by: 'attributes["http.response.status_code"]', cap: 100, values: ['201', '502'] });
  expect(items[0].events + items[1].events).toBe(whole.events);
  await open(page, '/slos');
  await expect(page.locator('.slo-table tr', { hasText: 'Payment latency' })).toContainText('2 groups, 1 in trouble');
  await open(page, '/slos/payment-latency');
  const groups = page.getByRole('region', { name: 'Groups, worst first' });
  await expect(groups.locator('tbody th a')).toHaveText(['502', '201']);
  await groups.getByRole('link', { name: '502' }).click();
  await expect(page).toHaveURL(/\/slos\/payment-latency%40502$/);
  await expect(page.locator('main h1')).toHaveText('Payment latency · 502');
  await expect(page.getByRole('navigation', { name: 'Breadcrumb' })).toHaveText('SLOs / payment-latency / 502');
  await expect(page.getByRole('region', { name: 'Bad traces, newest first' }).getByRole('row')).toHaveCount(2);
  await expect(page.getByRole('link', { name: 'Edit' })).toHaveAttribute('href', '/slo-editor?edit=payment-latency');
  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'payment-latency' }).click();
  await expect(page).toHaveURL(/\/slos\/payment-latency$/);
  await open(page, '/slos?group_of=payment-latency&q=502');
  await expect(page.getByText('1 of 2 groups of payment-latency.')).toBeVisible();
});
