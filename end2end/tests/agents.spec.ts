// Agents: who promised to be heard of, who is overdue, and the way to what was told of it (E3).
import { expect, open, test } from '../support/test.ts';

test('E3 an overdue agent stands first, and its silence is an event', async ({ page }) => {
  await expect(async () => {
    await open(page, '/agents');
    await expect(page.locator('main tbody tr').first()).toContainText('overdue', { timeout: 1000 });
  }).toPass();
  await expect(page.locator('.lead')).toContainText('2 agents; invoice-worker is overdue');
  await expect(page.locator('main tbody tr')).toContainText([/invoice-worker.*overdue.*every 1 s/, /settlement-worker.*alive.*every 7 d/]);
  await page.getByRole('link', { name: 'invoice-worker' }).click();
  await expect(page).toHaveURL(/\/events\?type=dev\.slowburn\.agent\.%2A&subject=invoice-worker/);
  await expect(page.locator('.log')).toHaveCount(2);
  await expect(page.locator('main')).toContainText('dev.slowburn.agent.overdue');
});
