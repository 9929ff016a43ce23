// The journeys, against two servers that the run starts itself (support/setup.ts). `make end-to-end` builds and calls it.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './support/browser.ts';

export default defineConfig({
  testDir: 'tests',
  outputDir: '../target/end2end/results',
  globalSetup: './support/setup.ts',
  reporter: [['list'], ['json', { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ?? '../target/end2end/report.json' }]],
  // Flaky means broken: nothing is tried twice.
  retries: 0,
  // When much is broken, the first faults tell as much as all.
  maxFailures: 25,
  fullyParallel: true,
  workers: 2,
  // What hangs must end; both are far above what a slow machine needs, for speed is the bench's to judge.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  use: {
    browserName: 'chromium',
    launchOptions: launchOptions(),
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
});
