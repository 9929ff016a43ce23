// Pictures of every page, to look at: `make shots`. Not a test of how they look.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './support/browser.ts';

export default defineConfig({
  testDir: 'shots',
  outputDir: '../target/end2end/shots-results',
  globalSetup: './shots/setup.ts',
  reporter: [['list'], ['json', { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ?? '../target/end2end/report.json' }]],
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  use: { browserName: 'chromium', launchOptions: launchOptions(), locale: 'en-GB', timezoneId: 'Europe/Berlin' },
});
