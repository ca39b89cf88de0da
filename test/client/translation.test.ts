import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { placeholders, shownStrings } from './shown-strings';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const texts = (file: string): Record<string, string> => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));

describe('the strings that the client shows', () => {
  const shown = shownStrings(join(ROOT, 'client', 'src'));
  const bundle = texts('l10n/bundle.l10n.de.json');

  test('are literals, which a translator can find', () => {
    expect(shown.length).toBeGreaterThan(50);
    expect(shown.filter(({ text }) => text === null)).toEqual([]);
  });

  test('are all in German, and nothing else is', () => {
    const wanted = [...new Set(shown.map(({ text }) => text))].sort();
    expect(Object.keys(bundle).sort()).toEqual(wanted);
  });

  test.each(Object.entries(bundle))('%j keeps its placeholders and icons', (english, german) => {
    expect(german.trim()).not.toBe('');
    expect(placeholders(german)).toEqual(placeholders(english));
    const icons = (text: string): string[] => text.match(/\$\(\w+\)/g) ?? [];
    expect(icons(german)).toEqual(icons(english));
  });

  test('no message is shown that cannot be translated', () => {
    const files = readdirSync(join(ROOT, 'client', 'src'), { recursive: true, encoding: 'utf8' });
    const bare = files
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const source = readFileSync(join(ROOT, 'client', 'src', file), 'utf8');
        const shows =
          /(?:show(?:Information|Warning|Error)Message\(|setStatusBarMessage\(|\b(?:title|prompt|placeHolder|detail): )\s*(['"`][^'"`]*)/g;
        return [...source.matchAll(shows)].map(([, text]) => `${file}: ${text}`);
      })
      // Templates of names and signs alone say the same in every language.
      .filter((line) => /: ['"`].*[A-Za-z]{3}/.test(line));
    expect(bare).toEqual([]);
  });
});

describe('the strings of package.json', () => {
  const manifest = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const english = texts('package.nls.json');
  const german = texts('package.nls.de.json');

  test('stand in both languages, and each is used', () => {
    const used = [...manifest.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key).sort();
    expect(used.length).toBeGreaterThan(30);
    expect(Object.keys(english).sort()).toEqual([...new Set(used)]);
    expect(Object.keys(german).sort()).toEqual(Object.keys(english).sort());
  });

  test.each(Object.keys(english))('%s leads to the same commands, settings and code', (key) => {
    const fixed = (text = ''): string[] => text.match(/\(command:[\w.]+\)|`[^`]+`/g) ?? [];
    expect(german[key]?.trim()).not.toBe('');
    expect(fixed(german[key])).toEqual(fixed(english[key]));
  });

  test('no markup stands where the editor shows none: in the walkthrough and in empty views', () => {
    const plain = Object.keys(english).filter((key) => /^(?:step|welcome)\./.test(key));
    expect(plain.length).toBeGreaterThan(10);
    for (const key of plain) for (const texts of [english, german]) expect(texts[key]).not.toMatch(/[`*]/);
  });

  test('whatever a person reads in package.json is such a string', () => {
    const { displayName: _name, ...rest } = JSON.parse(manifest) as Record<string, unknown>;
    const bare: string[] = [];
    const visit = (value: unknown, key: string): void => {
      if (typeof value === 'string') {
        const read = ['title', 'description', 'markdownDescription', 'contents', 'altText'].includes(key);
        if (read && !/^%[\w.]+%$/.test(value)) bare.push(`${key}: ${value}`);
      } else if (typeof value === 'object' && value !== null)
        for (const [name, inner] of Object.entries(value)) visit(inner, name);
    };
    visit(rest, '');
    // The product's name is the same everywhere.
    expect(bare).toEqual(['title: Livepatch Lineage']);
  });
});
