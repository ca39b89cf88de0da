import { expect, test } from 'vitest';
import { versionDiff } from '../../client/webview/version-diff';
import { V1, V2 } from './fixture';

const told = (...versions: Parameters<typeof versionDiff>) =>
  versionDiff(...versions).map((one) => `${one.change} ${one.text}`);

test('a version differs in nothing from itself', () => {
  expect(versionDiff(V2, V2)).toEqual([]);
});

test('an upgrade adds what the way back removes', () => {
  const up = versionDiff(V1, V2);
  expect(up.map((one) => one.text)).toEqual([
    'vmlinux: eth_commit_mac_addr_change',
    'vmlinux: pre_patch',
    'vmlinux: post_unpatch',
    'debugfs file net_status',
  ]);
  expect(up.every((one) => one.change === 'added')).toBe(true);
  expect(versionDiff(V2, V1)).toEqual(up.map((one) => ({ ...one, change: 'removed' })));
});

test('against no livepatch everything is added', () => {
  expect(told(null, V1)).toHaveLength(4);
});

test('a state whose version grew is changed, not removed and added', () => {
  const states = (version: string) => [{ id: '7', version, source: null }];
  expect(told({ ...V1, states: states('1') }, { ...V1, states: states('2') })).toEqual([
    'changed state 7: version 1 → version 2',
  ]);
});

test('one name patched at two positions counts twice', () => {
  const [object] = V1.objects;
  if (object === undefined) throw new Error('the fixture has an object');
  const twice = { ...V1, objects: [{ ...object, functions: [...object.functions, ...object.functions] }] };
  expect(versionDiff(V1, twice)).toHaveLength(4);
});
