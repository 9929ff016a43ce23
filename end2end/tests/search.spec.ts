// One box for every kind of name.
import { Shell } from '../pages/shell.ts';
import { expect, open, test } from '../support/test.ts';
import { goodTrace } from '../support/world.ts';

const names: [what: string, typed: string, path: string][] = [
  ['a correlation ID', 'ord-1001', '/c/ord-1001'],
  ['a difficult correlation ID', 'ü/&', '/c/%C3%BC%2F%26'],
  ['a trace id', goodTrace, `/traces/${goodTrace}`],
  ['a trace id in capitals', goodTrace.toUpperCase(), `/traces/${goodTrace}`],
  ['a service', 'payment', '/services/payment'],
  ["an SLO's name", 'checkout-availability', '/slos/checkout-availability'],
];

for (const [what, typed, path] of names) {
  test(`${what} leads to its page`, async ({ page }) => {
    await open(page, '/');
    await new Shell(page).find(typed);
    await page.waitForURL((url) => url.pathname === path);
    await expect(page.locator('main h1')).toBeVisible();
  });
}
