import { expect, test } from 'vitest';
import { escapeMarkdown } from '../../server/src/features/markdown';

// CommonMark, "Emphasis and strong emphasis": `_` between letters or digits neither opens nor closes any.
test.each([
  ['eth_validate_addr', 'eth_validate_addr'],
  ['_a b_', '\\_a b\\_'],
  ['a__b', 'a\\_\\_b'],
  ['__init v1_', '\\_\\_init v1\\_'],
  ['é_b', 'é\\_b'],
  ['_', '\\_'],
  ['*a* `b` [c](d) <e> f|g ~h~ &amp; \\', '\\*a\\* \\`b\\` \\[c\\](d) \\<e\\> f\\|g \\~h\\~ \\&amp; \\\\'],
  ['two\n# lines', 'two # lines'],
])('%j stays text', (text, expected) => {
  expect(escapeMarkdown(text)).toBe(expected);
});
