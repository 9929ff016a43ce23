// B9: time left out of a budget, and taken back, by the forms of the page alone.
import { expect, test } from '../support/test.ts';

test.use({ javaScriptEnabled: false });

test('somebody excludes time with a reason, and takes it back', async ({ page }) => {
  await page.goto('/slos/payment-latency?tab=history');
  const history = page.getByRole('region', { name: 'What happened' }).getByRole('listitem');
  const before = await history.count();
  const form = page.locator('form[action$="/exclusions"]');
  await form.getByLabel('From').fill('2020-01-05T02:00');
  await form.getByLabel('To').fill('2020-01-05T03:00');
  await form.getByLabel('Comes again').fill('FREQ=YEARLY;COUNT=2');
  await form.getByLabel('Reason').fill('<b>the database</b> moves');
  await form.getByLabel('Your name').fill('Ada');
  await form.getByRole('button', { name: 'Exclude it' }).click();
  await page.waitForURL('**/slos/payment-latency?tab=history');
  await expect(history).toHaveCount(before + 1);
  await expect(history.first()).toContainText('Time was excluded by Ada');
  await expect(history.first()).toContainText('<b>the database</b> moves');
  await expect(history.first()).toContainText('2020-01-05T02:00:00Z to 2020-01-05T03:00:00Z, again by FREQ=YEARLY;COUNT=2 in UTC');
  await expect(history.first()).toContainText(/% of the budget left before, .*% after/);
  await history.first().getByLabel('Your name').fill('Grace');
  await history.first().getByRole('button', { name: 'Take it back' }).click();
  await expect(history).toHaveCount(before + 2);
  await expect(history.first()).toContainText('An exclusion was taken back by Grace');
  await expect(page.getByRole('button', { name: 'Take it back' })).toHaveCount(0);
});
