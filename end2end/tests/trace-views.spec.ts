// One trace in several ways, with JavaScript and without: flame graph, table of spans, and beside another trace.
import { TracePage } from '../pages/trace.ts';
import { expect, open, test } from '../support/test.ts';
import { failedTrace, goodTrace } from '../support/world.ts';

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'hydrated' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });
    const go = (page: Parameters<typeof open>[0], path: string) => (javaScriptEnabled ? open(page, path) : page.goto(path));

    test('C5 tabs lead from one way of looking to another and keep the span', async ({ page }) => {
      await go(page, `/traces/${failedTrace}`);
      const trace = new TracePage(page);
      await trace.rows.first().locator('a').click();
      await expect(page).toHaveURL(/span=/);
      const span = new URL(page.url()).searchParams.get('span');
      for (const [name, view] of [['Flame graph', 'flame'], ['Spans', 'table'], ['Compare', 'compare']]) {
        await trace.tab(name).click();
        await expect(page).toHaveURL((url) => url.searchParams.get('view') === view && url.searchParams.get('span') === span);
        await expect(trace.tab(name)).toHaveAttribute('aria-current', 'page');
      }
      await trace.tab('Waterfall').click();
      await expect(trace.selected).toContainText('POST /orders');
    });

    test('C5 a frame is zoomed to by a click, and the trail leads out', async ({ page }) => {
      await go(page, `/traces/${failedTrace}?view=flame`);
      await expect(page.locator('.flame-frame')).toHaveCount(3);
      await expect(page.locator('.flame-graph')).toContainText('✕ 1/1 payment POST /authorizations');
      await page.getByRole('link', { name: /payment POST \/authorizations 900 ms/ }).click();
      await expect(page).toHaveURL(/frame=[0-9a-f]{16}/);
      await expect(page.getByRole('heading', { name: 'payment POST /authorizations' })).toBeVisible();
      await expect(page.locator('.flame-frame')).toHaveCount(2);
      await page.getByRole('navigation', { name: 'Zoomed to' }).getByRole('link', { name: 'All frames' }).click();
      await expect(page.locator('.flame-frame')).toHaveCount(3);
      await expect(page).not.toHaveURL(/frame=/);
    });

    test('C5 the table is sorted by its heads, narrowed to errors and grouped', async ({ page }) => {
      await go(page, `/traces/${failedTrace}?view=table`);
      const operations = page.locator('.spans .s-operation');
      await expect(operations).toHaveText(['POST /orders', 'POST /reservations', 'POST /authorizations']);
      await page.getByRole('columnheader', { name: 'Self time' }).getByRole('link').click();
      await expect(page).toHaveURL(/sort=self/);
      await expect(operations).toHaveText(['POST /authorizations', 'POST /orders', 'POST /reservations']);
      await page.getByRole('link', { name: 'Errors only' }).click();
      await expect(operations).toHaveText(['POST /authorizations']);
      await page.getByRole('link', { name: 'By operation' }).click();
      await expect(page.locator('.spans caption')).toHaveText('Spans by service and operation');
      await operations.getByRole('link').click();
      await expect(new TracePage(page).details).toContainText('card declined');
    });

    test('C5 another trace is chosen from those alike, and the difference told', async ({ page }) => {
      await go(page, `/traces/${goodTrace}?view=compare`);
      const choices = page.locator('.alike a');
      await expect(choices.first()).toBeVisible();
      await page.getByLabel('Compare with trace ID').fill(failedTrace);
      await page.getByRole('button', { name: 'Compare' }).click();
      await expect(page).toHaveURL((url) => url.searchParams.get('compare') === failedTrace);
      const comparison = page.getByRole('region', { name: 'Comparison' });
      await expect(comparison).toContainText('B took 780 ms longer (4.55 ×); 780 ms of it in payment POST /authorizations.');
      await expect(comparison.getByRole('row', { name: /POST \/authorizations/ })).toContainText('+780 ms');
      await page.getByRole('link', { name: 'Choose another trace' }).click();
      await choices.first().click();
      await expect(page.getByRole('region', { name: 'Comparison' })).toBeVisible();
    });

    test('C5 what cannot be compared with is said', async ({ page }) => {
      for (const [id, fault] of [['nonsense', '32 hex digits'], [goodTrace, 'same trace'], ['0'.repeat(31) + '1', 'no such trace']]) {
        await go(page, `/traces/${goodTrace}?compare=${id}`);
        await expect(page.locator('#fault-compare')).toContainText(fault);
      }
    });
  });
}

test('C5 a span selected in the table says everything about itself', async ({ page }) => {
  await open(page, `/traces/${failedTrace}?view=table`);
  const { details } = new TracePage(page);
  await expect(details).toContainText('northbank');
  await page.locator('.spans').getByRole('link', { name: 'POST /orders' }).click();
  await expect(details.getByRole('heading')).toHaveText('POST /orders');
  await expect(details).not.toContainText('northbank');
  await page.locator('.spans').getByRole('link', { name: 'POST /authorizations' }).click();
  await expect(details).toContainText('northbank');
});

test.describe('with the server away', () => {
  test.use({ allowedComplaints: [/ERR_FAILED/] });

  test('C5 details that cannot be read say so, and another try helps', async ({ page }) => {
    await open(page, `/traces/${failedTrace}`);
    const trace = new TracePage(page);
    await page.route('**/_app/load*', (route) => route.abort());
    await trace.rows.first().locator('a').click();
    const again = trace.details.getByRole('button', { name: 'Try again' });
    await expect(again).toBeVisible();
    await page.unroute('**/_app/load*');
    await again.click();
    await expect(again).toBeHidden();
    await expect(trace.details).toContainText('Resource');
  });
});
