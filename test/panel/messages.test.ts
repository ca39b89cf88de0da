import { describe, expect, test } from 'vitest';
import { isPanelRequest } from '../../client/src/panel/request-shape';
import { readPageState } from '../../client/webview/page-state';
import { isPanelUpdate } from '../../client/webview/update-shape';
import { DOWNGRADE, HOSTILE_NAMES, hostile, long, MODEL } from './fixture';

/** Every value below `value`, as a path. */
function paths(value: unknown, path: readonly string[] = []): string[][] {
  const here = path.length === 0 ? [] : [[...path]];
  if (typeof value !== 'object' || value === null) return here;
  return [...here, ...Object.entries(value).flatMap(([key, child]) => paths(child, [...path, key]))];
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  const last = path[path.length - 1] ?? '';
  if (by === undefined) delete at[last];
  else at[last] = by;
  return copy;
}

describe('messages to the page', () => {
  test('all that the extension sends are known', () => {
    expect(isPanelUpdate({ type: 'model', model: MODEL, transition: DOWNGRADE })).toBe(true);
    expect(isPanelUpdate({ type: 'model', model: long(50), transition: null })).toBe(true);
    expect(isPanelUpdate({ type: 'transition', transition: DOWNGRADE })).toBe(true);
    expect(isPanelUpdate({ type: 'trouble', message: 'no lineage' })).toBe(true);
    expect(isPanelUpdate({ type: 'export', format: 'png' })).toBe(true);
    for (const name of HOSTILE_NAMES) expect(isPanelUpdate({ type: 'model', ...hostile(name) })).toBe(true);
  });

  test('a message with any one field of the wrong type is not', () => {
    const message = { type: 'model', model: MODEL, transition: DOWNGRADE };
    const all = paths(message);
    expect(all.length).toBeGreaterThan(400);
    for (const path of all) {
      expect(isPanelUpdate(replaced(message, path, Symbol.iterator)), path.join('.')).toBe(false);
      expect(isPanelUpdate(replaced(message, path, { toString: 'x' })), path.join('.')).toBe(false);
    }
  });

  test('a message with any one field missing is not', () => {
    const message = { type: 'model', model: MODEL, transition: DOWNGRADE };
    // Without an element a list is still a list.
    for (const path of paths(message).filter((one) => !/^\d+$/.test(one[one.length - 1] ?? '')))
      expect(isPanelUpdate(replaced(message, path, undefined)), path.join('.')).toBe(false);
  });

  test('fields that a newer server adds do no harm', () => {
    expect(isPanelUpdate({ type: 'transition', transition: { ...DOWNGRADE, later: true } })).toBe(true);
  });

  test.each([
    [null],
    [undefined],
    [0],
    ['model'],
    [[]],
    [{}],
    [{ type: 'eval' }],
    [{ type: 'export', format: 'pdf' }],
  ])('%o is none', (value) => {
    expect(isPanelUpdate(value)).toBe(false);
  });
});

describe('messages from the page', () => {
  test('the five requests are known', () => {
    expect(isPanelRequest({ type: 'ready' })).toBe(true);
    expect(isPanelRequest({ type: 'select', from: 'none', to: 'v1' })).toBe(true);
    expect(isPanelRequest({ type: 'open', source: { uri: 'file:///a.c', line: 1, column: 1 } })).toBe(true);
    expect(isPanelRequest({ type: 'action', command: 'livepatch.showStack', arguments: ['v1'] })).toBe(true);
    expect(isPanelRequest({ type: 'exported', format: 'svg', data: 'x'.repeat(1_000_000) })).toBe(true);
    expect(isPanelRequest({ type: 'exported', format: 'png', data: null })).toBe(true);
  });

  test.each([
    [null],
    [[]],
    ['ready'],
    [{ type: 'readY' }],
    [{ type: 'select', from: 'v1' }],
    [{ type: 'select', from: 1, to: 'v1' }],
    [{ type: 'open', source: { uri: 'file:///a.c', line: 0, column: 1 } }],
    [{ type: 'open', source: { uri: 'file:///a.c', line: 1.5, column: 1 } }],
    [{ type: 'open', source: { uri: 'file:///a.c', line: Number.NaN, column: 1 } }],
    [{ type: 'open', source: null }],
    [{ type: 'open', source: Object.create({ uri: 'file:///a.c', line: 1, column: 1 }) }],
    [{ type: 'action', command: 'x', arguments: 'y' }],
    [{ type: 'exported', format: '../svg', data: '' }],
    [{ type: 'exported', format: 'svg', data: 1 }],
    [{ type: 'exported', format: 'svg' }],
    [{ type: 'action', command: 'x', arguments: [1] }],
    [{ type: 'action', command: 'x', arguments: Array.from({ length: 101 }, () => '') }],
    [{ type: 'select', from: 'x'.repeat(20_001), to: 'v1' }],
  ])('%o is none', (value) => {
    expect(isPanelRequest(value)).toBe(false);
  });
});

test('a remembered state is read field by field', () => {
  const whole = { manifest: 'file:///l/livepatch.yaml', from: 'v2', to: 'v1', cursor: 4, text: true };
  expect(readPageState(whole)).toEqual(whole);
  const empty = { manifest: null, from: null, to: null, cursor: null, text: false };
  for (const value of [undefined, null, 3, 'x', [], {}]) expect(readPageState(value)).toEqual(empty);
  expect(readPageState({ manifest: 1, from: [], to: {}, cursor: -1, text: 'yes' })).toEqual(empty);
  expect(readPageState({ cursor: 1.5 }).cursor).toBeNull();
});
