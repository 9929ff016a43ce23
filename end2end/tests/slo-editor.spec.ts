// Creating and changing an objective, by a form or by its document. Each on the server that has no other objectives, so that
// the lists of the other journeys stay as they are.
import AxeBuilder from '@axe-core/playwright';
import { expect, open, test } from '../support/test.ts';

test('a new objective: named by itself, previewed while typing, saved with its alert', async ({ page, request, empty }) => {
  await open(page, `${empty.url}/slos`);
  await page.getByRole('link', { name: 'New objective' }).first().click();
  await expect(page.getByRole('heading', { name: 'New objective' })).toBeVisible();
  await page.getByLabel('Service', { exact: true }).fill('basket');
  await expect(page.getByLabel('Name', { exact: true })).toHaveAttribute('placeholder', 'basket-availability');
  const preview = page.getByRole('complementary', { name: 'Preview' });
  await expect(preview).toContainText('Pages when 2 % of the 30-day budget burns within 1 h');
  await expect(preview).toContainText('basket-availability is new');
  await page.getByLabel('Good, percent').fill('ninety');
  await expect(page.getByText('a percentage between 0 and 100')).toBeVisible();
  await page.getByLabel('Good, percent').fill('99');
  await expect(page.getByText('a percentage between 0 and 100')).toBeHidden();
  await page.getByRole('button', { name: 'Create objective' }).click();
  await expect(page).toHaveURL(/\/slos\/basket-availability$/);

  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Good, percent').fill('99.5');
  await expect(page.getByRole('complementary')).toContainText('target: 99 % → 99.5 %');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page).toHaveURL(/\/slos\/basket-availability$/);
  expect((await (await request.get(`${empty.url}/api/v1/slos/basket-availability`)).json()).target).toBe(0.995);
});

test('the preview counts real spans and shows some of them', async ({ page }) => {
  await open(page, '/slo-editor?service=checkout');
  const preview = page.getByRole('complementary', { name: 'Preview' });
  await expect(preview.locator('.examples li').first()).toBeVisible();
  await expect(preview).toContainText('bad');
  await page.getByLabel('It is fast enough', { exact: true }).check();
  await page.getByLabel('Faster than, ms').fill('1');
  await expect(preview.locator('.verdict.is-good')).toHaveCount(0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
});

test('B2: log lines, a metric, events and heartbeats are promised by the form too', async ({ page, request, empty }) => {
  await open(page, '/slo-editor?service=worker');
  const preview = page.getByRole('complementary', { name: 'Preview' });
  const records = page.getByLabel('Records');
  await records.selectOption('logs');
  await expect(page.getByLabel('Kind')).toBeHidden();
  await expect(page.getByLabel('Its severity is neither error nor fatal')).toBeVisible();
  await expect(preview).toContainText('worker-logs is new');
  await page.getByRole('radio', { name: 'A condition of my own says what is bad' }).check();
  await page.locator('[name=good_filter]').fill('severity == "warn"');
  await expect(preview.locator('.examples .verdict.is-bad').first()).toBeVisible();

  await records.selectOption('metrics');
  await page.getByLabel('Service', { exact: true }).fill('storefront');
  await page.getByLabel('Metric of the service').fill('http.server.request.duration');
  await page.getByLabel("Limit, in the metric's unit").fill('0.3');
  await expect(preview).toContainText('does not tell values between 0.2 and 0.5 apart');
  await page.getByLabel("Limit, in the metric's unit").fill('0.2');
  await expect(preview).not.toContainText('does not tell values');
  await expect(preview).toContainText('From all that is stored of the window');
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);

  await records.selectOption('events');
  await page.getByLabel('Type of the events').fill('order.shipped');
  await page.getByRole('radio', { name: 'A condition of my own says what is good' }).check();
  await page.locator('[name=good_filter]').fill('data.carrier == "van"');
  await expect(preview).toContainText('Once saved, it counts what comes from then on');

  // A choice of another signal is as it was.
  await records.selectOption('spans');
  await expect(page.getByLabel('It ends without an error')).toBeChecked();

  await request.put(`${empty.url}/api/v1/agents/form-batch`, { data: { interval: '1h' } });
  await open(page, `${empty.url}/slo-editor`);
  await page.getByLabel('Service', { exact: true }).fill('batch');
  await page.getByLabel('Records').selectOption('heartbeats');
  await page.getByLabel('Agent').fill('form-batch');
  await expect(preview).toContainText('Heartbeats are counted from when it is saved on');
  await page.getByRole('button', { name: 'Create objective' }).click();
  await expect(page).toHaveURL(/\/slos\/batch-form-batch-heartbeats$/);
  await page.getByRole('link', { name: 'Edit' }).click();
  await expect(page.getByLabel('Agent')).toHaveValue('form-batch');
  await request.delete(`${empty.url}/api/v1/agents/form-batch`);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a log line is promised without JavaScript too', async ({ page, empty }) => {
    await page.goto(`${empty.url}/slo-editor`);
    await page.getByLabel('Service', { exact: true }).fill('printer');
    await page.getByLabel('Records').selectOption('logs');
    await expect(page.getByLabel('Kind')).toBeHidden();
    await page.getByRole('button', { name: 'Create objective' }).click();
    await expect(page).toHaveURL(/\/slos\/printer-logs$/);
  });

  test('a fault keeps all that was typed, and the objective is saved once it is mended', async ({ page, empty }) => {
    await page.goto(`${empty.url}/slo-editor`);
    await page.getByLabel('Service', { exact: true }).fill('mail');
    await page.getByLabel('Description').fill('It is “sent”\nin time');
    await page.getByRole('radio', { name: 'A condition of my own says what is good' }).check();
    await page.locator('[name=good_filter]').fill('duration_ms <');
    await page.getByRole('button', { name: 'Create objective' }).click();
    await expect(page.getByRole('heading', { name: 'New objective' })).toBeVisible();
    await expect(page.locator('#fault-good_filter')).not.toBeEmpty();
    await expect(page.getByLabel('Description')).toHaveValue('It is “sent”\nin time');
    await page.locator('[name=good_filter]').fill('duration_ms < 500');
    await page.getByRole('button', { name: 'Preview' }).last().click();
    await expect(page.getByRole('complementary')).toContainText('mail-objective is new');
    await page.getByRole('button', { name: 'Edit as OpenSLO' }).click();
    await expect(page.getByLabel('OpenSLO document')).toHaveValue(/name: mail-objective/);
    await page.getByRole('button', { name: 'Create objective' }).click();
    await expect(page).toHaveURL(/\/slos\/mail-objective$/);
  });
});
