import { expect, type Locator, type Page } from '@playwright/test';

/** `/traces/{id}`: the waterfall, the other ways of looking, the details. */
export class TracePage {
  readonly frame: Locator;
  readonly rows: Locator;
  readonly selected: Locator;
  readonly details: Locator;

  constructor(readonly page: Page) {
    this.frame = page.locator('.wf-frame');
    this.rows = page.locator('.wf-row');
    this.selected = page.locator('.wf-row.selected');
    this.details = page.getByRole('complementary', { name: 'Selected span' });
  }

  tab(name: string): Locator {
    return this.page.getByRole('navigation', { name: 'Ways of looking' }).getByRole('link', { name });
  }

  /** Scrolls to the first row and waits until it exists: rows follow the scroll with the next frame. */
  async scrollToStart(): Promise<void> {
    await this.frame.evaluate((frame) => frame.scrollTo(0, 0));
    await expect.poll(() => this.gaps().then(({ above }) => above)).toBeLessThan(2);
  }

  /** Scrolls to the last row and waits until it exists. */
  async scrollToEnd(): Promise<void> {
    await this.frame.evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
    await expect.poll(() => this.gaps().then(({ below }) => below)).toBeLessThan(2);
    await this.rows.last().scrollIntoViewIfNeeded();
  }

  /** Pixels of the frame without a row above the first and below the last that exist. */
  private gaps(): Promise<{ above: number; below: number }> {
    return this.frame.evaluate((frame) => {
      const outer = frame.getBoundingClientRect();
      const rows = [...frame.querySelectorAll('.wf-row')].map((row) => row.getBoundingClientRect());
      return { above: (rows.at(0)?.top ?? Infinity) - outer.top, below: outer.bottom - (rows.at(-1)?.bottom ?? -Infinity) };
    });
  }

  /** Drags over the axis between two shares of its width. */
  async dragAxis(from: number, to: number): Promise<void> {
    const box = await this.page.locator('.wf-axis').boundingBox();
    expect(box).not.toBeNull();
    const { x, y, width, height } = box ?? { x: 0, y: 0, width: 0, height: 0 };
    await this.page.mouse.move(x + width * from, y + height / 2);
    await this.page.mouse.down();
    await this.page.mouse.move(x + width * to, y + height / 2, { steps: 5 });
    await this.page.mouse.up();
  }
}
