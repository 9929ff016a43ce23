// The browser under test: the system's Chromium, not one that Playwright would download.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Launch options for every configuration. */
export function launchOptions() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const executablePath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  if (!executablePath) throw new Error('Chromium is missing: xtask/setup.sh test');
  // Chromium's sandbox refuses root. Everything loaded here is our own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return { executablePath, args };
}
