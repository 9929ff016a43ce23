import { expect, type Locator, type Page } from '@playwright/test';

/** `/slos/{name}`. */
export class SloPage {
  readonly main: Locator;
  readonly charts: Locator;

  constructor(readonly page: Page) {
    this.main = page.locator('main');
    this.charts = page.locator('main').locator('canvas, svg');
  }

  /** The biggest drawing on the page, whoever drew it. */
  async biggestChart(): Promise<{ x: number; y: number; width: number; height: number }> {
    // All at one moment: news may draw the page anew in between.
    const boxes = await this.charts.evaluateAll((drawings) => drawings.map((drawing) => drawing.getBoundingClientRect().toJSON() as DOMRect));
    const sorted = boxes.sort((a, b) => b.width * b.height - a.width * a.height);
    expect(sorted.length, 'the page shows a chart').toBeGreaterThan(0);
    return sorted[0];
  }

  /** Rests the pointer on the chart, so many parts of its width from the left. */
  async pointAt(share: number): Promise<void> {
    const chart = this.charts.first();
    await chart.scrollIntoViewIfNeeded();
    const box = await this.biggestChart();
    await this.page.mouse.move(box.x + box.width * share, box.y + box.height / 2, { steps: 4 });
  }

  /** What is shown for the value under the pointer. */
  tooltip(): Locator {
    return this.page.locator('[role="tooltip"]:visible');
  }
}
