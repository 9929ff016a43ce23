// The test function of all journeys: it knows the servers, waits for hydration, and fails when the browser complained.
import { expect, test as base, type ConsoleMessage, type Page, type Response } from '@playwright/test';
import type { Server } from './server.ts';

interface Fixtures {
  seeded: Server;
  empty: Server;
  /** Complaints of the browser that a test provokes on purpose. */
  allowedComplaints: RegExp[];
  complaints: string[];
}

export const test = base.extend<Fixtures>({
  seeded: async ({}, use) => use(JSON.parse(process.env.SEEDED_SERVER ?? '{}')),
  empty: async ({}, use) => use(JSON.parse(process.env.EMPTY_SERVER ?? '{}')),
  baseURL: async ({ seeded }, use) => use(seeded.url),
  allowedComplaints: [[], { option: true }],
  complaints: [
    async ({ context, allowedComplaints }, use) => {
      const complaints: string[] = [];
      context.on('page', (page) => listen(page, complaints));
      await use(complaints);
      const unexpected = complaints.filter((text) => !allowedComplaints.some((allowed) => allowed.test(text)));
      expect(unexpected, 'the browser complained').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Errors, refused resources, violations of the content policy and leptos' hydration warnings all come this way. */
function listen(page: Page, complaints: string[]): void {
  page.on('console', (message: ConsoleMessage) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
}

/** Opens a page and waits until it answers. */
export async function open(page: Page, path: string): Promise<Response> {
  const response = await page.goto(path);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  if (!response) throw new Error(`${path} gave no response`);
  return response;
}

/** The trace ids that the links of a page's content lead to, each once, sorted. */
export async function linkedTraces(page: Page): Promise<string[]> {
  const hrefs = await page.locator('main a[href*="/traces/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  const ids = hrefs.flatMap((href) => /^\/traces\/([0-9a-f]{32})/.exec(href)?.[1] ?? []);
  return [...new Set(ids)].sort();
}
