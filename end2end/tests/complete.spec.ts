// Completions of conditions (C4): names, and keys and values of what is stored, by keyboard and by pointer.
import AxeBuilder from '@axe-core/playwright';
import { expect, open, test } from '../support/test.ts';

test('a filter is written by completions alone, and finds what it says', async ({ page }) => {
  await open(page, '/traces');
  const filter = page.getByLabel('Filter (CEL)');
  const options = page.getByRole('listbox', { name: 'Completions' }).getByRole('option');
  await filter.click();
  await filter.pressSequentially('att');
  await expect(options).toHaveText([/^attributes/]);
  await expect(filter).toHaveAttribute('aria-expanded', 'true');
  await filter.press('ArrowDown');
  await expect(options.first()).toHaveAttribute('aria-selected', 'true');
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
  await filter.press('Enter');
  await expect(filter).toHaveValue('attributes["');
  await filter.pressSequentially('payment.pro');
  await expect(options).toHaveText([/^payment\.provider/]);
  await options.first().click();
  await expect(filter).toHaveValue('attributes["payment.provider"]');
  await filter.pressSequentially(' == "');
  await expect(options).toHaveText([/"northbank"/]);
  await filter.press('ArrowUp');
  await filter.press('Tab');
  await expect(filter).toHaveValue('attributes["payment.provider"] == "northbank"');
  await expect(options).toHaveCount(0);
  await filter.press('Enter');
  await expect(page).toHaveURL(/filter=attributes/);
  await expect(page.locator('.traces tbody tr').first()).toBeVisible();
});

test('the list goes with Escape and with the focus, and comes with Ctrl-Space', async ({ page }) => {
  await open(page, '/logs');
  const filter = page.getByLabel('Filter (CEL)');
  const options = page.getByRole('listbox', { name: 'Completions' }).getByRole('option');
  await filter.fill('severity == ');
  await expect(options.first()).toBeVisible();
  await filter.press('Escape');
  await expect(options).toHaveCount(0);
  await expect(filter).toHaveValue('severity == ');
  await filter.press('Control+Space');
  await expect(options.first()).toBeVisible();
  await page.getByLabel('Words').focus();
  await expect(options).toHaveCount(0);
});

test('in the editor the completions are of the records chosen', async ({ page }) => {
  await open(page, '/slo-editor?service=worker');
  await page.getByLabel('Records').selectOption('logs');
  await page.getByLabel('By a condition of my own').check();
  const total = page.locator('[name=total]');
  const options = page.getByRole('listbox', { name: 'Completions' }).getByRole('option');
  await total.fill('attributes["batch');
  await expect(options).toHaveText([/^batch\.size/]);
  await options.first().click();
  await expect(total).toHaveValue('attributes["batch.size"]');
  await page.getByLabel('Records').selectOption('heartbeats');
  await total.fill('agent == ');
  await expect(options).toContainText(['settlement-worker']);
});
