import { expect, test } from 'vitest';
import { lifecyclePage } from './document.ts';

/** `vitest run -u` writes the page anew. */
test('docs/reference/lifecycle.md says what the table says', async () => {
  await expect(lifecyclePage()).toMatchFileSnapshot('../../../../docs/reference/lifecycle.md');
});
