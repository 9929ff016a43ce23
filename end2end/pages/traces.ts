import type { Locator, Page } from '@playwright/test';
import { linkedTraces } from '../support/test.ts';

/** `/traces`: the search form and the list. */
export class TracesPage {
  readonly correlationId: Locator;

  constructor(readonly page: Page) {
    this.correlationId = page.locator('main').getByLabel('Correlation ID', { exact: true });
  }

  /** Searches by correlation ID, as a person does. */
  async searchId(id: string): Promise<void> {
    await this.correlationId.fill(id);
    await this.correlationId.press('Enter');
    await this.page.waitForURL((url) => url.searchParams.get('correlation_id') === id);
  }

  shown(): Promise<string[]> {
    return linkedTraces(this.page);
  }
}
