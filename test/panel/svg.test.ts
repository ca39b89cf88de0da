import { describe, expect, test } from 'vitest';
import { layout } from '../../client/webview/layout';
import { DARK, LIGHT } from '../../client/webview/paint';
import { escapeMarkup, sceneToHtml, sceneToSvg } from '../../client/webview/svg';
import { DOWNGRADE, HOSTILE_NAMES, hostile, MODEL } from './fixture';

/** What our drawings are made of; anything else in one came out of a name. */
const TAGS = ['circle', 'defs', 'desc', 'line', 'path', 'pattern', 'rect', 'svg', 'text', 'title'];

/** Reads markup strictly: every tag closed, attributes quoted, no loose `<`. Returns the tags and attribute names. */
function readMarkup(markup: string): { tags: Set<string>; attributes: Set<string> } {
  const tags = new Set<string>();
  const attributes = new Set<string>();
  const open: string[] = [];
  const token = /<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  while (token.lastIndex < markup.length) {
    const at = token.lastIndex;
    const match = token.exec(markup);
    if (match === null) throw new Error(`not well-formed at ${at}: ${markup.slice(at, at + 60)}`);
    const [, closing, tag, list, empty, words] = match;
    if (words !== undefined) {
      if (/&(?!amp;|lt;|gt;|quot;|#39;)/.test(words)) throw new Error(`loose & in ${words}`);
      continue;
    }
    if (tag === undefined) continue;
    tags.add(tag);
    for (const [, name] of (list ?? '').matchAll(/ ([a-zA-Z:-]+)="/g)) attributes.add(name ?? '');
    if (closing === '/') expect(open.pop()).toBe(tag);
    else if (empty !== '/') open.push(tag);
  }
  expect(open).toEqual([]);
  return { tags, attributes };
}

describe('svg', () => {
  test('is well-formed, names itself and refers to nothing outside', () => {
    const svg = sceneToSvg(layout(MODEL, DOWNGRADE, { width: 1200, cursor: 4 }), LIGHT);
    const { tags, attributes } = readMarkup(svg);
    expect([...tags].sort()).toEqual(TAGS);
    expect(attributes.has('href')).toBe(false);
    expect([...attributes].filter((name) => name.startsWith('on'))).toEqual([]);
    expect(svg).toContain('<title id="k-title">Livepatch lineage net-fixes</title>');
    expect(svg).toContain('post_unpatch skipped: replaced');
    expect(svg.match(/url\([^)]*\)/g)?.every((reference) => reference === 'url(#k-hatch)')).toBe(true);
  });

  test('is the same text every time and differs by theme in colours alone', () => {
    const scene = layout(MODEL, DOWNGRADE, { width: 1200 });
    expect(sceneToSvg(scene, DARK)).toBe(sceneToSvg(structuredClone(scene), DARK));
    const plain = (svg: string): string => svg.replace(/#[0-9a-f]{6}/g, '#');
    expect(plain(sceneToSvg(scene, DARK))).toBe(plain(sceneToSvg(scene, LIGHT)));
  });

  test.each(HOSTILE_NAMES.map((name, i) => [i, name] as const))(
    'keeps hostile name %i as text',
    (_, name) => {
      const { model, transition } = hostile(name);
      const { tags, attributes } = readMarkup(
        sceneToSvg(layout(model, transition, { width: 1000, cursor: 1 })),
      );
      expect([...tags].filter((tag) => !TAGS.includes(tag))).toEqual([]);
      expect([...attributes].filter((attribute) => attribute.startsWith('on'))).toEqual([]);
      const html = sceneToHtml(layout(model, transition, { width: 1000 }));
      expect(html).not.toMatch(/<(?:img|script)/i);
      expect(html).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
    },
  );

  test('does not grow with the length of a name', () => {
    const { model, transition } = hostile('x'.repeat(10_000));
    expect(sceneToSvg(layout(model, transition, { width: 1000 })).length).toBeLessThan(60_000);
  });
});

test('html follows the colour scheme, forbids scripts and says the picture in words', () => {
  const html = sceneToHtml(layout(MODEL, DOWNGRADE, { width: 1000 }));
  expect(html).toContain("default-src 'none'");
  expect(html).toContain('prefers-color-scheme:dark');
  expect(html).toContain('Newest first: v3 (draft), v2 (faulty), v1 (released)');
  expect(html).not.toContain('<script');
});

test('what XML cannot hold is replaced, what it reserves is escaped', () => {
  expect(escapeMarkup('a<b>&"\'')).toBe('a&lt;b&gt;&amp;&quot;&#39;');
  expect(escapeMarkup('\u0000\u001b\uFFFF\uD800')).toBe('\uFFFD\uFFFD\uFFFD\uFFFD');
  expect(escapeMarkup('\t\n\u{1F600}')).toBe('\t\n\u{1F600}');
});
