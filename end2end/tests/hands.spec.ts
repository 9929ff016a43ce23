// C8: the palette of commands and the keys. What the sheet of keys promises, the page does.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { Shell } from '../pages/shell.ts';
import { expect, open, test } from '../support/test.ts';
import { failedTrace } from '../support/world.ts';

const palette = (page: Page) => page.getByRole('dialog', { name: 'Commands' });
const field = (page: Page) => palette(page).getByRole('combobox', { name: 'Command or name' });
const chosen = (page: Page) => palette(page).getByRole('option', { selected: true });

async function openPalette(page: Page, path = '/'): Promise<void> {
  await open(page, path);
  await page.keyboard.press('Control+k');
  await expect(field(page)).toBeFocused();
}

test('C8 Ctrl-K opens the palette, arrows choose, Enter opens a page without a new document', async ({ page }) => {
  await openPalette(page, '/traces');
  const documents: string[] = [];
  page.on('request', (request) => request.resourceType() === 'document' && documents.push(request.url()));
  await expect(chosen(page)).toHaveText(/Overview/);
  await page.keyboard.press('ArrowDown');
  await expect(chosen(page)).toHaveText(/SLOs/);
  await expect(field(page)).toHaveAttribute('aria-activedescendant', (await chosen(page).getAttribute('id')) ?? '');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(palette(page).getByRole('option').last()).toHaveAttribute('aria-selected', 'true');
  await field(page).fill('incid');
  await expect(chosen(page)).toHaveText(/Incidents/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL((url) => url.pathname === '/incidents');
  await expect(palette(page)).toHaveCount(0);
  expect(documents).toEqual([]);
});

test('C8 the palette closes by Escape and by its key, and gives the focus back', async ({ page }) => {
  await open(page, '/traces');
  const { search } = new Shell(page);
  for (const closing of ['Escape', 'Control+k']) {
    await search.focus();
    await page.keyboard.press('Control+k');
    await expect(field(page)).toBeFocused();
    await page.keyboard.press(closing);
    await expect(palette(page)).toHaveCount(0);
    await expect(search).toBeFocused();
  }
});

test('C8 the palette finds an objective, a service, a metric, an agent page and a trace by what was typed', async ({ page }) => {
  await openPalette(page);
  const cases: [text: string, kind: string, path: string][] = [
    ['yment-laten', 'SLO', '/slos/payment-latency'],
    ['PAYM', 'Service', '/services/payment'],
    ['shop.ord', 'Metric', '/metrics-explorer?name=shop.orders'],
    [failedTrace, 'Trace', `/traces/${failedTrace}`],
    ['agen', 'Page', '/agents'],
    ['ord-1001', 'Search', '/search?q=ord-1001'],
  ];
  for (const [text, kind, path] of cases) {
    await field(page).fill(text);
    const found = palette(page).locator(`[role=option][href="${path}"]`);
    await expect(found).toHaveText(new RegExp(`${kind}$`));
  }
  await field(page).fill('ord-1001');
  await expect(chosen(page)).toHaveText(/Search$/);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/c/ord-1001');
  await expect(page.locator('main')).toContainText('ord-1001');
});

test('C8 a later key press cancels what an earlier one asked, and its answer is never shown', async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/search/suggestions?q=payment', async (route) => {
    await held;
    await route.fulfill({ json: [{ kind: 'Service', name: 'too late', href: '/services/too-late' }] }).catch(() => {});
  });
  await openPalette(page);
  const cancelled = page.waitForEvent('requestfailed', (request) => request.url().endsWith('q=payment'));
  await field(page).fill('payment');
  await field(page).fill('payment-l');
  await cancelled;
  release();
  await expect(palette(page).getByRole('option', { name: /payment-latency/ })).toBeVisible();
  await expect(palette(page).getByText('too late')).toHaveCount(0);
});

test('C8 a command of the palette changes the theme', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await openPalette(page);
  await field(page).fill('dark or');
  await expect(chosen(page)).toHaveText(/Dark or light/);
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`C8 palette and sheet open by pointer and are accessible, ${viewport.width} px, ${colorScheme}`, async ({ page }) => {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await open(page, '/');
      await page.getByRole('banner').getByRole('button', { name: 'Commands' }).click();
      await field(page).fill('payment');
      await expect(palette(page).getByRole('option', { name: /payment-latency/ })).toBeVisible();
      const check = async () => (await new AxeBuilder({ page }).analyze()).violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].target}`);
      expect(await check()).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('banner').getByRole('button', { name: 'Keyboard help' }).click();
      await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
      expect(await check()).toEqual([]);
    });
  }
}

/** The keys that the sheet promises, with what it says of each. */
async function promised(page: Page): Promise<[keys: string, what: string][]> {
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard' });
  await expect(sheet).toBeVisible();
  const rows = await sheet.locator('dl > div').evaluateAll((all) => all.map((row) => [row.children[0].textContent ?? '', row.children[1].textContent ?? '']));
  await page.keyboard.press('?');
  await expect(sheet).toHaveCount(0);
  return rows as [string, string][];
}

test('C8 every key on the sheet does what it says, and every page of the navigation has one', async ({ page }) => {
  await open(page, '/traces?correlation_id=ord-1001');
  const rows = await promised(page);
  const going = rows.filter(([keys]) => keys.startsWith('g '));
  const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('listitem').getByRole('link');
  expect(going.map(([, what]) => what)).toEqual(await links.evaluateAll((all) => all.map((link) => link.textContent?.trim())));
  expect(new Set(rows.map(([keys]) => keys)).size).toBe(rows.length);

  const html = page.locator('html');
  const button = (key: string) => page.locator(`.topbar [data-key="${key}"]`);
  const effects: Record<string, () => Promise<void>> = {
    'Ctrl K': async () => {
      await page.keyboard.press('Control+k');
      await expect(field(page)).toBeFocused();
      await page.keyboard.press('Escape');
    },
    '/': async () => {
      await page.keyboard.press('/');
      await expect(new Shell(page).search).toBeFocused();
      await page.keyboard.press('Tab');
    },
    '?': async () => expect(await promised(page)).toEqual(rows),
    t: async () => {
      const before = await html.getAttribute('data-theme');
      await page.keyboard.press('t');
      await expect(html).not.toHaveAttribute('data-theme', before ?? '');
    },
    u: async () => {
      const before = await button('u').textContent();
      await page.keyboard.press('u');
      await expect(button('u')).not.toHaveText(before ?? '');
    },
    p: async () => {
      const before = await button('p').getAttribute('aria-pressed');
      await page.keyboard.press('p');
      await expect(button('p')).not.toHaveAttribute('aria-pressed', before ?? '');
    },
    'j k': async () => {
      const focused = page.locator('main [data-row]:focus');
      const at = page.locator('main [data-row]');
      await page.keyboard.press('j');
      await expect(at.nth(0)).toBeFocused();
      await page.keyboard.press('j');
      await page.keyboard.press('k');
      await expect(at.nth(0)).toBeFocused();
      await expect(focused).toHaveCount(1);
    },
    Enter: async () => {
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    },
  };
  const others = rows.filter(([keys]) => !keys.startsWith('g '));
  expect(others.map(([keys]) => keys).sort()).toEqual(Object.keys(effects).sort());
  for (const effect of Object.values(effects)) await effect();
  for (const [keys, what] of going) {
    const href = await links.filter({ hasText: what }).getAttribute('href');
    await page.keyboard.type(keys.replace(' ', ''));
    await expect(page).toHaveURL((url) => url.pathname === href);
    await expect(page.locator('main h1').first()).toBeVisible();
  }
});

test('C8 the waterfall adds its keys to the sheet, and other pages do not name them', async ({ page }) => {
  await open(page, `/traces/${failedTrace}`);
  expect((await promised(page)).map(([keys]) => keys)).toEqual(expect.arrayContaining(['h l', 'z Z']));
  await open(page, '/traces');
  expect((await promised(page)).map(([keys]) => keys)).not.toContain('z Z');
});
