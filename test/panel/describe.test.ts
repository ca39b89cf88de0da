import { describe, expect, test } from 'vitest';
import { pairToShow } from '../../client/src/panel/default-pair';
import { pageHtml } from '../../client/src/panel/page-html';
import { describeCell, describeMoments, describeTransition } from '../../client/webview/describe';
import { fit, shown, textWidth, wrap } from '../../client/webview/shown-text';
import { versionFacts } from '../../client/webview/version-facts';
import { rehearsalLegend, verdictShort, verdictTitle } from '../../client/webview/words';
import { DOWNGRADE, MODEL, V1, V2, V3 } from './fixture';

test('the text view says every mark, every span and where each begins', () => {
  const moments = describeMoments(DOWNGRADE);
  expect(moments).toHaveLength(7);
  expect(moments[4]?.entries.map((entry) => entry.text)).toEqual([
    'v1 · vmlinux: no post_patch',
    'v2 · vmlinux: post_unpatch skipped: replaced',
    "tasks: in v1's code",
    'debugfs file net_status: no owner',
  ]);
  expect(moments[6]?.step).toBe('unload v2');
  expect(moments[6]?.entries.map((entry) => entry.text)).toContain('debugfs file net_status: use-after-free');
  expect(moments[4]?.entries[1]?.source?.line).toBe(84);
});

test('a transition is described with its verdict and every lane', () => {
  const words = describeTransition(DOWNGRADE);
  expect(words[0]).toMatch(/^From v2 to v1: Unsafe\. When v1 replaces v2/);
  expect(words).toHaveLength(1 + DOWNGRADE.lanes.length + DOWNGRADE.callbacks.length);
  expect(words).toContain(
    'debugfs file net_status: owner: v2 (1 to 4), no owner (5 to 6), use-after-free (7).',
  );
  expect(words.slice(-2)).toEqual([
    'v2 · vmlinux pre_patch: makes debugfs file net_status, undone by post_unpatch, left over: use-after-free.',
    'v2 · vmlinux post_unpatch: undoes debugfs file net_status (perhaps).',
  ]);
});

test('what a callback leaves to nobody is said, and that it does nothing', () => {
  const [make] = DOWNGRADE.callbacks;
  const deeds = make?.deeds.map((deed) => ({ ...deed, undoneBy: [], left: null })) ?? [];
  const callbacks = [
    { ...DOWNGRADE.callbacks[0], deeds },
    { ...DOWNGRADE.callbacks[1], deeds: [] },
  ] as typeof DOWNGRADE.callbacks;
  expect(describeTransition({ ...DOWNGRADE, callbacks }).slice(-2)).toEqual([
    'v2 · vmlinux pre_patch: makes debugfs file net_status, undone by nobody.',
    'v2 · vmlinux post_unpatch: nothing that outlives the call.',
  ]);
});

test('a rehearsal is told by a sign and in words, and the signs are explained', () => {
  const cell = MODEL.matrix.find((one) => one.from === 'v2' && one.to === 'v1');
  if (cell?.rehearsed == null) throw new Error('the fixture rehearsed v2 to v1');
  expect(verdictShort(cell)).toBe('✕ unsafe •');
  expect(describeCell(cell)).toContain('rehearsed on 6.1.0-18-amd64, 2026-01-02, equal');
  const other = { ...cell, rehearsed: { ...cell.rehearsed, same: false } };
  const ended = { ...cell, rehearsed: { ...cell.rehearsed, crash: 'Kernel panic' } };
  expect([verdictShort(other), verdictShort(ended)]).toEqual(['✕ unsafe ≠', '✕ unsafe †']);
  expect(describeCell(ended)).toContain('the kernel ended: Kernel panic');
  expect(verdictShort({ ...cell, certainty: 'may', rehearsed: null })).toBe('✕ unsafe?');
  expect(rehearsalLegend({ ...MODEL, matrix: [cell, other, ended, cell] })).toEqual([
    '≠ different',
    '† the kernel ended',
    '• rehearsed, equal',
  ]);
  expect(rehearsalLegend({ ...MODEL, matrix: [] })).toEqual([]);
});

test('a certainty of may is said in words', () => {
  expect(verdictTitle('clean', 'may')).toBe('Clean as far as read');
  expect(verdictTitle('unsafe', 'may')).toBe('May be unsafe');
  expect(verdictTitle('unsafe', 'must')).toBe('Unsafe');
});

describe('a card', () => {
  test('names objects, callbacks, states, shadow variables, effects and functions', () => {
    expect(versionFacts(V1).map((fact) => fact.text)).toEqual(['replace', 'no callbacks', '4 functions']);
    expect(versionFacts(V2).map((fact) => fact.text)).toEqual([
      'replace',
      'vmlinux: pre_patch, post_unpatch',
      'debugfs file net_status',
      '5 functions, 1 new',
    ]);
    expect(versionFacts(V3).map((fact) => fact.text)).toEqual([
      'replace',
      'vmlinux: post_patch',
      '4 functions',
      'gives back 1',
    ]);
  });

  test('does not call callbacks absent where the sources could not be read', () => {
    const facts = versionFacts({ ...V1, complete: false, replace: null }).map((fact) => fact.text);
    expect(facts).not.toContain('no callbacks');
    expect(facts).toEqual(['replace: not known', '4 functions', 'not all of it could be read']);
  });

  test('leads each callback to its own source', () => {
    const callbacks = versionFacts(V2).find((fact) => fact.parts !== undefined);
    expect(callbacks?.parts?.map((part) => part.source?.line)).toEqual([74, 84]);
  });
});

describe('the pair shown first', () => {
  test('is the worst step between neighbours', () => {
    expect(pairToShow(MODEL, null)).toEqual({ from: 'v2', to: 'v1' });
  });

  test('is the one that was chosen, as long as both versions are there', () => {
    expect(pairToShow(MODEL, { from: 'none', to: 'v3' })).toEqual({ from: 'none', to: 'v3' });
    expect(pairToShow(MODEL, { from: 'v9', to: 'v1' })).toEqual({ from: 'v2', to: 'v1' });
    expect(pairToShow(MODEL, { from: 'v1', to: 'v1' })).toEqual({ from: 'v2', to: 'v1' });
    expect(pairToShow(MODEL, { from: 'v1', to: 'none' })).toEqual({ from: 'v2', to: 'v1' });
  });

  test('is the load of a single version, and nothing in an empty lineage', () => {
    expect(pairToShow({ ...MODEL, versions: [V1], matrix: [] }, null)).toEqual({ from: 'none', to: 'v1' });
    expect(pairToShow({ ...MODEL, versions: [], matrix: [] }, null)).toBeNull();
  });
});

describe('shown text', () => {
  test('has no invisible or reordering characters', () => {
    expect(shown('a\u202Eb\u0000c\u200Bd')).toBe('a\uFFFDb\uFFFDc\uFFFDd');
    expect(shown('ä漢😀')).toBe('ä漢😀');
  });

  test('is cut to fit, with an ellipsis, or not shown at all', () => {
    const cut = fit('livepatch_net_v1', 60, 12);
    expect(cut.endsWith('…')).toBe(true);
    expect(textWidth(cut, 12)).toBeLessThanOrEqual(60);
    expect(fit('abc', 2, 12)).toBe('');
    expect(fit('abc', 100, 12)).toBe('abc');
  });

  test('wraps into the lines it may have', () => {
    const lines = wrap('one two three four five six seven eight', 80, 12, 2);
    expect(lines).toHaveLength(2);
    expect(lines[1]?.endsWith('…')).toBe(true);
    expect(wrap('one two', 500, 12, 2)).toEqual(['one two']);
  });
});

test("the page's shell allows one script and one style sheet by nonce and nothing else", () => {
  const html = pageHtml({
    script: 'if (1<!0 || 2</x/) a = "</script><script>b()</SCRIPT><!--";',
    style: 'a::before { content: "</style><p>" }',
    nonce: 'n0nce',
  });
  const policy = /content="([^"]+)"/.exec(html)?.[1] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'nonce-n0nce'");
  expect(policy).not.toContain('unsafe');
  expect(policy).toContain("style-src 'nonce-n0nce'");
  expect(html.match(/<\/script>/gi)).toHaveLength(1);
  expect(html.match(/<\/style>/g)).toHaveLength(1);
  expect(html).toContain('\\x3c/SCRIPT>\\x3c!--');
  expect(html).toContain('if (1<!0 || 2</x/)');
  expect(html).not.toContain('<!--');
  expect(html).not.toMatch(/style=|onload|onclick|src=|href=/);
});
