import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import {
  blockingTasks,
  fileWord,
  parameterWord,
  shellWord,
  waitFor,
} from '../../server/src/features/runbook-shell';

/** What a POSIX shell makes of one word. */
function asShellReads(word: string): string {
  return spawnSync('sh', ['-c', `printf %s ${word}`], { encoding: 'utf8', env: { HOME: '/nowhere' } }).stdout;
}

test.each([
  'plain',
  '',
  'a b',
  "it's",
  "''",
  '$(id)',
  '`id`',
  '$HOME',
  '~/x',
  '*',
  'a;b&c|d>e',
  '"x"',
  'back\\slash',
  '!history',
  '#comment',
  '-rf',
  'ümlaut',
  '{a,b}',
])('the shell reads %j back as it is', (text) => {
  const word = shellWord(text);
  expect(word).not.toBeNull();
  expect(asShellReads(`-- ${word ?? ''}`.slice(3))).toBe(text);
});

test.each(['a\nb', 'a\rb', '\u001b[2J', '\u202egnp', '\u0000', 'a\u2028b', '\u200bx'])(
  'no word is written for %j, which a person could not read',
  (text) => {
    expect(shellWord(text)).toBeNull();
    expect(parameterWord('p', text)).toBeNull();
    expect(fileWord(text)).toBeNull();
  },
);

test('a parameter with blanks is quoted for the kernel and for the shell', () => {
  expect(asShellReads(parameterWord('mode', 'fast') ?? '')).toBe('mode=fast');
  expect(asShellReads(parameterWord('mode', "a 'b' $c") ?? '')).toBe(`mode="a 'b' $c"`);
  // The kernel's parser has no escape for a quote inside a value.
  expect(parameterWord('mode', 'a"b')).toBeNull();
});

test('a file is never an option nor a name to be looked up', () => {
  expect(fileWord('x.ko')).toBe('./x.ko');
  expect(fileWord('-x.ko')).toBe('./-x.ko');
  expect(fileWord('../build/x.ko')).toBe('../build/x.ko');
  expect(fileWord('/lib/x.ko')).toBe('/lib/x.ko');
  expect(fileWord('my folder/x.ko')).toBe("'./my folder/x.ko'");
});

test('the loops are valid and end', () => {
  for (const command of [waitFor('[ ! -e /nowhere ]'), blockingTasks(0), blockingTasks(1)])
    expect(spawnSync('sh', ['-n', '-c', command]).status).toBe(0);
  // The condition holds at once.
  expect(spawnSync('sh', ['-c', waitFor('[ ! -e /nowhere ]')], { timeout: 5_000 }).status).toBe(0);
});
