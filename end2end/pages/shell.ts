import type { Locator, Page } from '@playwright/test';

/** What surrounds every page. */
export class Shell {
  readonly search: Locator;
  readonly help: Locator;

  constructor(readonly page: Page) {
    this.search = page.getByRole('banner').getByRole('searchbox');
    this.help = page.getByRole('dialog');
  }

  /** Types into the search box and submits it. */
  async find(text: string): Promise<void> {
    await this.search.fill(text);
    await this.search.press('Enter');
  }
}
