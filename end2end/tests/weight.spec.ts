// What a first visit costs, whichever page it begins with (H6).
import { pages } from '../support/paths.ts';
import { expect, open, test } from '../support/test.ts';

const BUDGET_BYTES = 350 * 1024;

/** One page of every pack. */
const heaviest = ['overview', 'slos', 'slo', 'new objective', 'incidents', 'traces', 'trace', 'services', 'logs', 'metric', 'correlation', 'settings'];

for (const [, path] of pages.filter(([name]) => heaviest.includes(name))) {
  test(`the first page ${path} stays within its budget, all that is transferred`, async ({ page }) => {
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    const urls = new Map<string, string>();
    const sizes: [url: string, bytes: number][] = [];
    network.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
    network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => sizes.push([urls.get(requestId) ?? '?', encodedDataLength]));
    await open(page, path);
    // The event stream keeps the network busy for ever; what else belongs to a first page comes at once.
    await page.waitForTimeout(1_000);
    const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    const listed = sizes.map(([url, bytes]) => `${bytes} ${new URL(url, page.url()).pathname}`).join('\n');
    expect(total, listed).toBeGreaterThan(10_000);
    expect(total, listed).toBeLessThanOrEqual(BUDGET_BYTES);
    expect(sizes.length, listed).toBeLessThanOrEqual(12);
  });
}
