import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendVersion } from '../../server/src/core/manifest/edit';
import { containerAt, nodeAt } from '../../server/src/core/manifest/node-at';
import { parseManifest } from '../../server/src/core/manifest/parse';

const PIECES = [
  'versions:',
  '\n',
  '\r\n',
  '  ',
  '- ',
  'version: v1',
  'module: m1',
  '\n  - version: v2\n    module: m2',
  ': ',
  '{',
  '}',
  '[',
  ']',
  ',',
  '"',
  "'",
  '|',
  '>',
  '&a',
  '*a',
  '!t',
  '<<',
  '---',
  '...',
  '%YAML 1.1',
  '#',
  '\t',
  '\uFEFF',
  '\u{1F600}',
  '\ud800',
  '\0',
  '\u0002',
  '\u0018',
  '\u001f',
  'kernel: 6.1',
  'steps: [load v1]',
  '__proto__',
  '?',
  '\\',
  'scenarios:',
  'rules:',
  'sources: ',
];
const soup = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 80 }),
);

/** A valid manifest with a stretch cut out and something else put in. */
const VALID =
  'lineage: l\nkernel: "6.1"\ndefaults: { status: draft }\nversions:\n  - version: v1\n    module: m1\n    sources: [a.c, "*.c"]\n  - version: v2\n    module: m2\n    restores: v1\n    note: |\n      text\ntargets: [t]\nscenarios:\n  - name: s\n    steps: [load v1, "fail v1 f=EBUSY"]\n    expect: clean\nrules: { lost-object: off }\n';
const damaged = fc
  .tuple(fc.nat(VALID.length), fc.nat(30), soup)
  .map(([at, cut, more]) => VALID.slice(0, at) + more + VALID.slice(at + cut));

test('any text gives a manifest and problems whose places lie inside it', () => {
  fc.assert(
    fc.property(fc.oneof(soup, damaged), (text) => {
      const parsed = parseManifest('f', text, { ruleCodes: ['lost-object'], capabilities: ['replace'] });
      for (const { place, related, fix, message } of parsed.problems) {
        for (const span of [place, ...(related ?? []).map((r) => r.place), ...(fix?.edits ?? [])]) {
          expect(span.start, message).toBeGreaterThanOrEqual(0);
          expect(span.end, message).toBeGreaterThanOrEqual(span.start);
          expect(span.end, message).toBeLessThanOrEqual(text.length);
        }
        expect(message).not.toBe('');
        expect(message).not.toContain('cannot be read:');
      }
      const names = parsed.manifest.versions.flatMap((v) =>
        v.version.value === v.module.value ? [v.version.value] : [v.version.value, v.module.value],
      );
      expect(new Set(names).size).toBe(names.length);
      for (let offset = 0; offset <= text.length; offset += 7) {
        const node = nodeAt(parsed, offset);
        if (node !== null) expect(node.place.start <= offset && offset <= node.place.end).toBe(true);
        expect(Array.isArray(containerAt(parsed, text, offset))).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test('an entry is appended as it was given or not at all, and nothing else changes', () => {
  const entry = fc.record({
    version: fc.oneof(
      fc.constantFrom('yes', '1.0', 'null', 'v9', '*x', 'a b', ''),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
    module: fc.constantFrom('m9', 'on', '07'),
    note: fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
  });
  let done = 0;
  fc.assert(
    fc.property(
      fc.oneof({ arbitrary: fc.constant(VALID), weight: 2 }, { arbitrary: damaged, weight: 1 }),
      entry,
      (text, added) => {
        const result = appendVersion(text, added);
        if (!result.ok) {
          expect(result.reason).not.toBe('');
          return;
        }
        done++;
        const [edit] = result.edits;
        expect(result.edits.length).toBe(1);
        expect(edit?.start).toBe(edit?.end);
        const after = parseManifest(
          'f',
          text.slice(0, edit?.start) + (edit?.text ?? '') + text.slice(edit?.end),
        ).manifest.versions;
        const before = parseManifest('f', text).manifest.versions;
        expect(after.slice(0, -1).map((v) => v.version.value)).toEqual(before.map((v) => v.version.value));
        const last = after[after.length - 1];
        expect([last?.version.value, last?.module.value, last?.note?.value]).toEqual([
          added.version,
          added.module,
          added.note,
        ]);
      },
    ),
    { numRuns: 600 },
  );
  expect(done).toBeGreaterThan(50);
});
