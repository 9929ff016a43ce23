// Many readers at once: every one of them gets a whole page.
import { pages } from '../support/paths.ts';
import { expect, test } from '../support/test.ts';

const READERS = 25;
const ROUNDS = 8;

for (const [name, path] of pages) {
  test(`${name}: ${READERS} readers at once all get it`, async ({ seeded }) => {
    const read = async () => {
      const response = await fetch(seeded.url + path);
      return `${response.status} ${(await response.text()).includes('</html>') ? 'whole' : 'cut'}`;
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await Promise.all(Array.from({ length: READERS }, read));
      expect([...new Set(answers)]).toEqual(['200 whole']);
    }
  });
}
