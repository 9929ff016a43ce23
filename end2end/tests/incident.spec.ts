// One outage on its pages: from the overview to the story, taken on by hand, with and without JavaScript.
import AxeBuilder from '@axe-core/playwright';
import { expect, open, test } from '../support/test.ts';

test('an incident is met on every page that it concerns, and tells its story', async ({ page, request }) => {
  for (const path of ['/', '/incidents', '/slos/signup-availability']) {
    await open(page, path);
    await expect(page.locator('main a[href^="/incidents/"]', { hasText: 'Signup availability' }).first()).toBeVisible();
  }
  await page.locator('main a[href^="/incidents/"]').first().click();
  await page.waitForURL('**/incidents/*');
  await expect(page.locator('main h1')).toHaveText('Signup availability');
  const id = page.url().split('/').pop();
  const incident = await (await request.get(`/api/v1/incidents/${id}`)).json();
  expect(incident.state).toBe('open');
  expect(incident.worst_tier).toBe('page');
  expect(incident.changes[0].step).toBe('opened');
  const story = page.getByRole('region', { name: 'What happened' }).getByRole('listitem');
  await expect(story.first()).toContainText('Began as a page');
  await expect(story.first()).toContainText(incident.changes[0].reason);
  await expect(page.locator('main a[href^="/traces/"]').first()).toBeVisible();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target).join(' ')}`)).toEqual([]);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overhang).toBeLessThanOrEqual(0);
});

test.describe('by hand', () => {
  test.use({ javaScriptEnabled: false });

  test('somebody takes it on and writes a note, as text and nothing else', async ({ page }) => {
    await page.goto('/incidents');
    await page.locator('main a[href^="/incidents/"]').first().click();
    const takeOn = page.locator('form[action$="/acknowledge"]');
    if (await takeOn.count()) {
      await takeOn.getByLabel('Your name').fill('Ada');
      await takeOn.getByRole('button', { name: 'Take it on' }).click();
    }
    await expect(page.locator('main .lead')).toContainText('Ada has taken it on');
    const note = page.locator('form[action$="/notes"]');
    await note.getByLabel('Your name').fill('Ada');
    await note.getByLabel('Note').fill('<b>the mail server</b> is down');
    await note.getByRole('button', { name: 'Add the note' }).click();
    await expect(page.getByRole('region', { name: 'What happened' }).getByRole('listitem').last()).toContainText('<b>the mail server</b> is down');
  });
});
