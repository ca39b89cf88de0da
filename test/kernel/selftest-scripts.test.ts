import { expect, test } from 'vitest';
import { announcement, modprobeError, readScenarios } from '../support/selftest-scripts';

const SCRIPT = `#!/bin/bash
. $(dirname $0)/functions.sh

MOD_LP=klp_one
MOD_TARGET=target

setup_config

# a comment, with an "open quote
start_test "first one"

load_mod $MOD_TARGET block=Y
load_lp_nowait $MOD_LP
loop_until 'grep -q '^1$' /sys/x' ||
	die "no"
if [[ "$(cat /proc/x)" != "$MOD_LP: y" ]] ; then
	die "not this"
fi
set_pre_patch_ret \${MOD_LP} -19
check_sysfs_value "$MOD_LP" "$MOD_TARGET/patched" "0"
MOD_LP=klp_two
load_failing_mod $MOD_LP
disable_lp $MOD_LP
unload_lp $MOD_LP

check_result "% modprobe $MOD_LP
livepatch: '$MOD_LP': \${MOD_TARGET}_init
livepatch: key \\"a.b\\": no"

start_test "second"
set_ftrace_enabled --fail 0
check_result "nothing"
exit 0
`;

test('steps, expanded, and expected logs', () => {
  expect(readScenarios(SCRIPT)).toEqual([
    {
      name: 'first one',
      steps: [
        { k: 'load', module: 'target', params: ['block=Y'], completes: true, fails: false },
        { k: 'load', module: 'klp_one', params: [], completes: false, fails: false },
        { k: 'other', text: expect.stringContaining('loop_until') },
        { k: 'other', text: expect.stringContaining('if [[') },
        { k: 'set', module: 'klp_one', param: 'pre_patch_ret', value: '-19' },
        { k: 'sysfs', module: 'klp_one', path: 'target/patched', value: '0' },
        { k: 'load', module: 'klp_two', params: [], completes: false, fails: true },
        { k: 'disable', module: 'klp_two' },
        { k: 'unload', module: 'klp_two' },
      ],
      expected: ['% modprobe klp_two', "livepatch: 'klp_two': target_init", 'livepatch: key "a.b": no'],
    },
    { name: 'second', steps: [{ k: 'ftrace-enabled', enabled: false, fails: true }], expected: ['nothing'] },
  ]);
});

test('announcements', () => {
  expect(
    announcement({ k: 'load', module: 'm', params: ['a=1', 'b=2'], completes: true, fails: false }),
  ).toBe('% modprobe m a=1 b=2');
  expect(announcement({ k: 'disable', module: 'm' })).toBe('% echo 0 > /sys/kernel/livepatch/m/enabled');
  expect(announcement({ k: 'other', text: 'x' })).toBeNull();
  expect(modprobeError('m', -22)).toBe("modprobe: ERROR: could not insert 'm': Invalid argument");
});
