// Frames a second while one scrolls and zooms (H12): `make frames`. A figure, not a test: it depends on the machine.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './support/browser.ts';

export default defineConfig({
  testDir: 'frames',
  outputDir: '../target/end2end/frames-results',
  globalSetup: './support/setup.ts',
  reporter: [['list'], ['json', { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ?? '../target/end2end/report.json' }]],
  workers: 1,
  timeout: 120_000,
  use: { browserName: 'chromium', launchOptions: launchOptions(), viewport: { width: 1440, height: 900 }, locale: 'en-GB' },
});
