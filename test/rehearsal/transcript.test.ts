import { expect, test } from 'vitest';
import {
  consoleSince,
  crashOf,
  readTranscript,
  warningsIn,
} from '../../server/src/host/rehearsal/transcript';

test('a report is read step by step', () => {
  const text = [
    '@ready',
    '@scenario 0',
    '@step 0',
    '@kmsg 7,200,1,-;klp-rehearsal: scenario 0 step 0',
    '@kmsg 6,201,2,-;v1: hello',
    '@kmsg 4,202,3,-;first\\x0asecond \\x5c \\xc3\\xa9',
    '@patch v2 1 1',
    '@patch v1 1 0',
    '@module v2 1',
    '@module v1 0',
    '@result 0',
    '@step 1',
    '@content a\\x09b\\x0a',
    '@lost',
    '@result -2',
    '@end last',
    '@done',
    '',
  ].join('\r\n');
  expect(readTranscript(text)).toEqual({
    ready: true,
    done: true,
    scenarios: [
      {
        end: 'last',
        unfinished: null,
        steps: [
          {
            result: 0,
            content: null,
            lost: false,
            log: [
              { text: 'v1: hello', level: 6 },
              { text: 'first', level: 4 },
              { text: 'second \\ é', level: 4 },
            ],
            patches: [
              { name: 'v1', enabled: true, transition: false },
              { name: 'v2', enabled: true, transition: true },
            ],
            modules: [
              { name: 'v1', references: 0 },
              { name: 'v2', references: 1 },
            ],
          },
          { result: -2, content: 'a\tb\n', lost: true, log: [], patches: [], modules: [] },
        ],
      },
    ],
  });
});

test('a step that never ended is told apart', () => {
  const { done, scenarios } = readTranscript(
    '@ready\n@scenario 0\n@step 0\n@result 0\n@end clean\n@scenario 1\n@step 0\n@kmsg 6,1,1,-;v1: x\n@kms',
  );
  expect(done).toBe(false);
  expect(scenarios.map(({ end, steps }) => [end, steps.length])).toEqual([
    ['clean', 1],
    [null, 0],
  ]);
  expect(scenarios[1]?.unfinished).toEqual([{ text: 'v1: x', level: 6 }]);
});

test('nonsense is passed over', () => {
  expect(readTranscript('')).toEqual({ ready: false, done: false, scenarios: [] });
  expect(readTranscript('@step 0\n@kmsg x\n@result 0\n\0\n@scenario\n@result\n@kmsg ;\n').scenarios).toEqual([
    { end: null, steps: [], unfinished: null },
  ]);
});

const BOOT = '[    0.1] booting\r\n';
const STEP = '[    1.000000] klp-rehearsal: scenario 0 step 3\r\n';

test('the console since the last step', () => {
  expect(
    consoleSince(`${BOOT}${STEP}old\n${STEP}[    1.2] v1: x\r\n[    1.3][    T1] v1: y\r\n\r\n`),
  ).toEqual(['v1: x', 'v1: y']);
  expect(consoleSince(BOOT)).toEqual(['booting']);
});

test('how a guest ended', () => {
  const oops = 'BUG: unable to handle page fault for address: ffffffffc0001000\n';
  const panic = 'Kernel panic - not syncing: Fatal exception\n';
  expect(crashOf(STEP + oops + panic, false)).toMatchObject({ kind: 'oops', headline: oops.trim() });
  expect(crashOf(STEP + panic, false)).toMatchObject({ kind: 'panic', headline: panic.trim() });
  expect(crashOf(STEP, true).kind).toBe('hang');
  expect(crashOf(STEP, false).kind).toBe('stopped');
  // What an earlier step said is not this one's fault.
  expect(crashOf(oops + STEP, true).kind).toBe('hang');
});

test('warnings among the lines', () => {
  const log = ['x', 'WARNING: CPU: 0 PID: 1 at kernel/livepatch/shadow.c:177 y', 'Kernel WARNING: no'];
  expect(warningsIn(log.map((text) => ({ text, level: 4 })))).toEqual([log[1]]);
});
