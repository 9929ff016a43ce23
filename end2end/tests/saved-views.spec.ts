// Searches kept under a name (C4): for everybody, with and without JavaScript. On the server that nobody else reads.
import AxeBuilder from '@axe-core/playwright';
import { expect, open, test } from '../support/test.ts';

test('a search is saved, found again on its page alone, and forgotten', async ({ page, empty }) => {
  const search = '/logs?q=declined&severity=warn';
  await open(page, `${empty.url}${search}`);
  const views = page.getByRole('list', { name: 'Saved views' });
  await expect(views).toBeHidden();
  await page.getByText('Save this search').click();
  await page.getByLabel('Its name').fill('Declined “cards” <b>');
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
  await page.getByLabel('Its name').press('Enter');
  await expect(views.getByRole('link', { name: 'Declined “cards” <b>' })).toHaveAttribute('aria-current', 'true');
  await expect(page).toHaveURL(`${empty.url}${search}`);

  await open(page, `${empty.url}/events?type=order.*`);
  await expect(views).toBeHidden();
  await expect(page.getByText('Save this search')).toBeVisible();
  await open(page, `${empty.url}/logs`);
  await expect(page.getByText('Save this search'), 'the newest lines are no search').toBeHidden();
  await views.getByRole('link', { name: 'Declined “cards” <b>' }).click();
  await expect(page).toHaveURL(`${empty.url}${search}`);
  await expect(page.getByLabel('Words')).toHaveValue('declined');
  await page.getByRole('button', { name: 'Forget' }).click();
  await expect(page.getByText('Save this search')).toBeVisible();
  await expect(views).toBeHidden();
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  for (const [name, path] of [['Traces', '/traces?service=shop&status=error'], ['Metrics', '/metrics-explorer?q=queue%20depth'], ['Events', '/events?source=%2Fci']]) {
    test(`${name} keeps a search`, async ({ page, empty }) => {
      await page.goto(`${empty.url}${path}`);
      await page.getByText('Save this search').click();
      await page.getByLabel('Its name').fill(`of ${name}`);
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await expect(page).toHaveURL(`${empty.url}${path}`);
      const views = page.getByRole('list', { name: 'Saved views' });
      await expect(views.getByRole('link')).toHaveAttribute('href', path);
      await page.getByRole('button', { name: 'Forget' }).click();
      await expect(views).toBeHidden();
    });
  }
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test('a search form shows what is filled, and the rest on demand', async ({ page, empty }) => {
    for (const [path, first, other] of [['/logs?service=shop', 'Words', 'Correlation ID'], ['/traces?service=shop', 'Correlation ID', 'Operation'], ['/events?type=a', 'Words', 'Subject']]) {
      await open(page, `${empty.url}${path}`);
      const form = page.locator('main [role=search]');
      await expect(form.getByLabel(first, { exact: true })).toBeVisible();
      await expect(form.getByLabel(path.includes('type') ? 'Type' : 'Service', { exact: true }), 'what is filled stays').toBeVisible();
      await expect(form.getByLabel(other, { exact: true })).toBeHidden();
      await form.getByLabel('All fields').check();
      await expect(form.getByLabel(other, { exact: true })).toBeVisible();
    }
  });
});
