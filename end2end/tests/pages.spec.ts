// Every page: hydrates without a complaint, keeps to the content policy, is accessible, fits a phone.
import AxeBuilder from '@axe-core/playwright';
import { missing, pages, saysMissing } from '../support/paths.ts';
import { expect, open, test } from '../support/test.ts';

const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

for (const [name, path] of pages) {
  test(`${name}: hydrates in silence`, async ({ page }) => {
    const response = await open(page, path);
    expect(response.status()).toBe(200);
    await expect(page.locator('main')).toHaveCount(1);
    await expect(page).toHaveTitle(/Slowburn/);
  });

  test(`${name}: the policy allows no inline code, and the HTML has none`, async ({ request }) => {
    const response = await request.get(path);
    const policy = response.headers()['content-security-policy'] ?? '';
    const directive = (key: string) => policy.split(';').map((part) => part.trim()).find((part) => part.startsWith(`${key} `)) ?? '';
    expect(directive('script-src')).toMatch(/^script-src 'self' 'nonce-[^']+' 'wasm-unsafe-eval'$/);
    expect(directive('style-src')).toMatch(/^style-src 'self' 'nonce-[^']+'$/);
    const html = await response.text();
    expect(html).not.toMatch(/<[^>]+\sstyle=/);
    expect(html).not.toMatch(/<[^>]+\son[a-z]+=/);
  });

  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(`${name}: accessible, ${size}, ${colorScheme}`, async ({ page }) => {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        await open(page, path);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const told = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.slice(0, 5).map((node) => `${node.target}: ${node.failureSummary}`) }));
        expect(told).toEqual([]);
      });
    }
  }

  test(`${name}: nothing hangs over the edge of a phone`, async ({ page }) => {
    await page.setViewportSize(sizes.phone);
    await open(page, path);
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overhang).toBeLessThanOrEqual(0);
  });
}

test.describe('what is not there', () => {
  test.use({ allowedComplaints: [saysMissing] });
  for (const path of missing) {
    test(`${path} answers 404 with a page that works`, async ({ page }) => {
      const response = await open(page, path);
      expect(response.status()).toBe(404);
      await expect(page.locator('main h1')).toBeVisible();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
    });
  }
});

test.describe('a server that has seen nothing', () => {
  for (const path of ['/', '/slos', '/traces', '/logs', '/metrics-explorer', '/events', '/agents', '/services']) {
    test(`${path} complains about nothing`, async ({ page, empty }) => {
      const response = await open(page, empty.url + path);
      expect(response.status()).toBe(200);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
    });
  }

  test('says where telemetry goes', async ({ page, empty }) => {
    await page.goto(`${empty.url}/`);
    await expect(page.locator('main')).toContainText(new URL(empty.otlpHttp).host);
  });
});
