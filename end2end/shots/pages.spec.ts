// Every page, wide and phone, dark and light, with JavaScript and without. The pages are known once the servers run, so
// one test walks them all for each way of looking.
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { root } from '../support/server.ts';

const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ['dark', 'light'] as const) {
    for (const javaScriptEnabled of [true, false]) {
      const look = `${size}-${colorScheme}${javaScriptEnabled ? '' : '-no-js'}`;
      test(look, async ({ browser }) => {
        const pages: [name: string, url: string][] = JSON.parse(process.env.SHOTS_PAGES ?? '[]');
        expect(pages.length).toBeGreaterThan(0);
        const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled });
        const page = await context.newPage();
        for (const [name, url] of pages) {
          await page.goto(url);
          if (javaScriptEnabled) await page.locator('html[data-hydrated]').waitFor();
          await page.screenshot({ path: join(root, 'target/shots', `${name}-${look}.png`), fullPage: true });
        }
        await context.close();
      });
    }
  }
}
