// The main job: every trace of one correlation ID, and no other.
import { TracesPage } from '../pages/traces.ts';
import { traceId } from '../support/otlp.ts';
import { expect, linkedTraces, open, test } from '../support/test.ts';
import { correlations } from '../support/world.ts';

for (const [id, names] of Object.entries(correlations)) {
  const expected = names.map(traceId).sort();

  test(`/traces filtered by the ID ${id} lists exactly its traces`, async ({ page }) => {
    await open(page, '/traces');
    const traces = new TracesPage(page);
    await traces.searchId(id);
    await expect.poll(() => traces.shown()).toEqual(expected);
    await page.reload();
    await expect(traces.correlationId).toHaveValue(id);
    expect(await traces.shown()).toEqual(expected);
  });

  test(`/c/ tells the story of the ID ${id}, from a link and after a reload`, async ({ page }) => {
    await open(page, `/traces?correlation_id=${encodeURIComponent(id)}`);
    await page.locator('main').getByRole('link', { name: id, exact: true }).first().click();
    await page.waitForURL((url) => url.pathname === `/c/${encodeURIComponent(id)}`);
    await expect(page.locator('main h1')).toContainText(id);
    await expect.poll(() => linkedTraces(page)).toEqual(expected);
    await page.reload();
    await expect(page.locator('main h1')).toContainText(id);
    expect(await linkedTraces(page)).toEqual(expected);
  });

  test(`the API answers the ID ${id} with exactly its traces`, async ({ request }) => {
    const answer = await request.get(`/api/v1/traces?correlation_id=${encodeURIComponent(id)}`);
    expect(answer.status()).toBe(200);
    const { items } = await answer.json();
    expect(items.map((item: { trace_id: string }) => item.trace_id).sort()).toEqual(expected);
    expect(items.every((item: { correlation_ids: string[] }) => item.correlation_ids.includes(id))).toBe(true);
  });
}

test('a row opens its trace, which names the failure', async ({ page }) => {
  await open(page, '/traces?correlation_id=ord-1001&status=error');
  await page.locator('main a[href^="/traces/"]').first().click();
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
  await expect(page.locator('main')).toContainText('card declined');
  await expect(page.locator('main')).toContainText('ord-1001');
});
