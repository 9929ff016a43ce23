// New bad events change the figures of an open page, without a reload.
import { send } from '../support/otlp.ts';
import { expect, open, test } from '../support/test.ts';
import { liveRequest } from '../support/world.ts';

test('an open SLO page follows what arrives', async ({ page, seeded }) => {
  const run = Date.now();
  await send(seeded.otlpHttp, Array.from({ length: 10 }, (_, i) => liveRequest(`live good ${run} ${i}`, false)));
  await open(page, '/slos/live-availability');
  const main = page.locator('main');
  await expect(main).toContainText('100');
  const before = (await percentages(main.innerText())).join();
  await page.evaluate(() => Object.assign(window, { untouched: true }));

  await send(seeded.otlpHttp, Array.from({ length: 3 }, (_, i) => liveRequest(`live bad ${run} ${i}`, true)));
  await expect.poll(async () => (await percentages(main.innerText())).join()).not.toBe(before);
  expect(await page.evaluate(() => 'untouched' in window), 'the page was not loaded again').toBe(true);

  const slo = await (await fetch(`${seeded.url}/api/v1/slos/live-availability`)).json();
  expect(slo.error_budget.consumed % 3).toBe(0);
});

async function percentages(text: Promise<string>): Promise<string[]> {
  return (await text).match(/-?\d+(\.\d+)?\s?%/g) ?? [];
}
