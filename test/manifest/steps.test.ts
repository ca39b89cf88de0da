import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatErrno, parseErrno } from '../../server/src/core/manifest/errno';
import {
  checkStepNames,
  formatStep,
  parseStep,
  parseSteps,
  type Step,
} from '../../server/src/core/manifest/steps';
import { unmark } from './marked';

test.each<[string, Step]>([
  ['load v1', { k: 'load', name: 'v1', params: [] }],
  ['  load   v1  ', { k: 'load', name: 'v1', params: [] }],
  [
    'load v1 a=1 b= c="x y;z"',
    {
      k: 'load',
      name: 'v1',
      params: [
        { name: 'a', value: '1' },
        { name: 'b', value: '' },
        { name: 'c', value: 'x y;z' },
      ],
    },
  ],
  ['load v1 a=b=c', { k: 'load', name: 'v1', params: [{ name: 'a', value: 'b=c' }] }],
  ['disable v1', { k: 'disable', name: 'v1' }],
  ['enable v1', { k: 'enable', name: 'v1' }],
  ['unload livepatch_net_v1', { k: 'unload', name: 'livepatch_net_v1' }],
  ['stall', { k: 'stall' }],
  ['hold', { k: 'hold' }],
  ['resume', { k: 'resume' }],
  ['force v1.2-rc1', { k: 'force', name: 'v1.2-rc1' }],
  ['set v1 debug=1', { k: 'set', name: 'v1', param: 'debug', value: '1' }],
  ['fail v1 kzalloc', { k: 'fail', name: 'v1', function: 'kzalloc', errno: null }],
  [
    'fail v1 register_netdevice_notifier=EBUSY',
    { k: 'fail', name: 'v1', function: 'register_netdevice_notifier', errno: -16 },
  ],
  ['fail v1 kzalloc#2', { k: 'fail', name: 'v1', function: 'kzalloc#2', errno: null }],
  ['fail v1 f=-EBUSY', { k: 'fail', name: 'v1', function: 'f', errno: -16 }],
  ['fail v1 f=-16', { k: 'fail', name: 'v1', function: 'f', errno: -16 }],
  ['fail v1 f=16', { k: 'fail', name: 'v1', function: 'f', errno: -16 }],
  ['fail nf_tables init', { k: 'fail', name: 'nf_tables', function: 'init', errno: null }],
])('%s', (text, step) => {
  expect(parseStep(text)).toEqual(step);
});

describe('what is no step, at the place of the fault', () => {
  test.each([
    ['«»', 'A step is missing'],
    ['«lod» v1', 'Did you mean "load"?'],
    ['«LOAD» v1', 'Did you mean "load"?'],
    ['«rmmod» v1', 'is not a step'],
    ['«load»', '"load" lacks a name: load NAME [param=value …]'],
    ['«disable»', '"disable" lacks a name'],
    ['disable v1 «v2»', '"v2" is too much here: disable NAME'],
    ['stall «v1»', '"v1" is too much here: stall'],
    ['load «a=b»', '"a=b" is not a name'],
    ['load v1 «debug»', 'not of the form param=value'],
    ['load v1 «1x=2»', 'not of the form param=value'],
    ['«set v1»', '"set" lacks the parameter'],
    ['set v1 a=1 «b=2»', '"b=2" is too much here'],
    ['«fail v1»', '"fail" lacks the function'],
    ['fail v1 «f#1»', '"f#1" is not a function name'],
    ['fail v1 «f()=3»', '"f()" is not a function name'],
    ['fail v1 f=«0»', '"0" is not an errno'],
    ['fail v1 f=«4096»', '"4096" is not an errno'],
    ['fail v1 f=«EBUZY»', 'Did you mean EBUSY?'],
    ['load v1 a=«"x y»', 'The quote that starts here is not closed'],
    ['load v1«; load v2»', 'write one step per entry'],
  ])('%s', (marked, message) => {
    const { text, spans } = unmark(marked);
    const result = parseStep(text);
    expect(result).toEqual({ problem: expect.stringContaining(message), place: spans[0] });
  });
});

test('several steps are split at semicolons and line ends, with places', () => {
  const text = 'load v1; load v2 a="1;2"\n\n# not a step\r\n unload v1;;';
  const { steps, problems } = parseSteps(text, 10);
  expect(problems).toEqual([]);
  expect(steps.map((s) => text.slice(s.place.start - 10, s.place.end - 10))).toEqual([
    'load v1',
    'load v2 a="1;2"',
    'unload v1',
  ]);
  expect(steps.map((s) => text.slice((s.namePlace?.start ?? 0) - 10, (s.namePlace?.end ?? 0) - 10))).toEqual([
    'v1',
    'v2',
    'v1',
  ]);
});

test('a step that cannot be read is a problem, and the others are kept', () => {
  const text = 'load v1; lod v2; unload v1';
  const { steps, problems } = parseSteps(text);
  expect(steps.map((s) => s.value.k)).toEqual(['load', 'unload']);
  expect(problems.map((p) => [p.severity, text.slice(p.place.start, p.place.end)])).toEqual([
    ['error', 'lod'],
  ]);
});

test('names are checked where a step has one', () => {
  const text = 'load v1; stall; force vv2; resume; unload zzzzzzz';
  const found = checkStepNames(parseSteps(text).steps, new Set(['v1', 'v2']));
  expect(found.map((p) => [text.slice(p.place.start, p.place.end), p.message])).toEqual([
    ['vv2', 'No version, module or target is called "vv2". Did you mean "v2"?'],
    [
      'zzzzzzz',
      'No version, module or target is called "zzzzzzz". Name a version, its module, or a target module.',
    ],
  ]);
  expect(found[0]?.fix?.edits[0]?.text).toBe('v2');
});

test('errno names have the numbers of the kernel', () => {
  // From include/uapi/asm-generic/errno-base.h and errno.h.
  const numbers = {
    EPERM: 1,
    ENOENT: 2,
    ECHILD: 10,
    EAGAIN: 11,
    ENOMEM: 12,
    EBUSY: 16,
    ENODEV: 19,
    EINVAL: 22,
    ENOSPC: 28,
    ERANGE: 34,
    ELOOP: 40,
    ENOMSG: 42,
    ENODATA: 61,
    EPROTO: 71,
    EOVERFLOW: 75,
    EILSEQ: 84,
    EPROTOTYPE: 91,
    ENOPROTOOPT: 92,
    EOPNOTSUPP: 95,
    EADDRINUSE: 98,
    ECONNRESET: 104,
    ENOBUFS: 105,
    ETIMEDOUT: 110,
    EHOSTDOWN: 112,
    EHOSTUNREACH: 113,
    EREMOTEIO: 121,
    EDQUOT: 122,
    EKEYREJECTED: 129,
    EHWPOISON: 133,
  };
  for (const [name, number] of Object.entries(numbers)) {
    expect([name, parseErrno(name), formatErrno(-number)]).toEqual([name, -number, name]);
  }
  expect(parseErrno('EWOULDBLOCK')).toBe(-11);
});

const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,12}$/);
const identifier = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const value = fc.stringMatching(/^[^"\n\r\0]{0,12}$/);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    k: fc.constant('load' as const),
    name,
    params: fc.array(fc.record({ name: identifier, value }), { maxLength: 3 }),
  }),
  fc.record({
    k: fc.constantFrom('disable' as const, 'enable' as const, 'unload' as const, 'force' as const),
    name,
  }),
  fc.record({ k: fc.constantFrom('stall' as const, 'hold' as const, 'resume' as const) }),
  fc.record({ k: fc.constant('set' as const), name, param: identifier, value }),
  fc.record({
    k: fc.constant('fail' as const),
    name,
    function: identifier,
    errno: fc.option(fc.integer({ min: -4095, max: -1 })),
  }),
);

test('what is formatted is read back, alone and in a row', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 5 }), (steps) => {
      for (const one of steps) expect(parseStep(formatStep(one))).toEqual(one);
      const read = parseSteps(steps.map(formatStep).join('; '));
      expect(read.problems).toEqual([]);
      expect(read.steps.map((s) => s.value)).toEqual(steps);
    }),
  );
});

test('any text gives steps and problems whose places lie inside it', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('load', ' v1', ' ', ';', '"', '=', 'fail', '\n', 'x', '\u{1F600}', '-', '#'),
        maxLength: 20,
      }),
      (text) => {
        const { steps, problems } = parseSteps(text);
        for (const { place } of [...steps, ...problems]) {
          expect(place.start).toBeGreaterThanOrEqual(0);
          expect(place.end).toBeGreaterThanOrEqual(place.start);
          expect(place.end).toBeLessThanOrEqual(text.length);
        }
      },
    ),
  );
});
