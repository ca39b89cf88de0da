import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CAPABILITIES, capabilitiesOf } from '../../server/src/core/kernel/capabilities';
import { architectures } from '../support/linux-source';

const of = (release: string, has: string[] = [], lacks: string[] = []) =>
  capabilitiesOf({ release, has, lacks });

describe('mainline', () => {
  test.each([
    ['4.14', 'callbacks', 'no'],
    ['4.15', 'callbacks', 'yes'],
    ['5.0', 'replace', 'no'],
    ['5.1', 'replace', 'yes'],
    ['5.0', 'register-patch', 'yes'],
    ['5.1', 'register-patch', 'no'],
    ['5.4', 'states', 'no'],
    ['5.5', 'states', 'yes'],
    ['6.1', 'relocations-cleared-on-removal', 'no'],
    ['6.12', 'relocations-cleared-on-removal', 'yes'],
    ['6.9', 'replace-attribute', 'no'],
    ['6.11', 'replace-attribute', 'yes'],
    ['6.1', 'stack-order-attribute', 'no'],
    ['6.14', 'stack-order-attribute', 'yes'],
    ['6.18', 'klp-build', 'no'],
    ['6.19', 'klp-build', 'yes'],
    ['5.10', 'force-marks-only-removed', 'no'],
    ['6.1', 'force-marks-only-removed', 'yes'],
    ['6.13', 'sympos-0-is-1', 'no'],
    ['6.19', 'sympos-0-is-1', 'yes'],
    ['6.1', 'sympos-0-is-1', 'unknown'],
    ['7.2', 'check-patch-up-front', 'no'],
    ['7.3', 'check-patch-up-front', 'yes'],
  ] as const)('%s: %s: %s', (release, capability, expected) => {
    expect(of(release).has(capability)).toBe(expected);
  });

  test('6.10 is later than 6.9 and 6.1, and local suffixes do not matter', () => {
    expect(of('6.10').api('6.9', null)).toBe('yes');
    expect(of('6.1').api('6.9', null)).toBe('no');
    expect(of('6.1.192-2-amd64').api('6.1', '6.2')).toBe('yes');
    expect(of('7.3-rc7').api('7.3', null)).toBe('yes');
    expect(of('6.2').api(null, '6.2')).toBe('no');
    expect(of('6.2').api(null, null)).toBe('yes');
  });
});

describe('reliable stack traces', () => {
  test.each([
    ['6.1', 'x86_64', 'yes'],
    ['4.11', 'x86_64', 'no'],
    ['6.1', 'ppc64le', 'yes'],
    ['4.17', 'ppc64le', 'no'],
    ['5.4', 's390x', 'no'],
    ['5.5', 's390x', 'yes'],
    ['6.16', 'aarch64', 'no'],
    ['6.17', 'aarch64', 'yes'],
    ['5.10.0-216.0.0.115.oe2203sp4', 'aarch64', 'unknown'],
    ['6.1', 'riscv64', 'yes'],
    ['next', 'aarch64', 'yes'],
  ] as const)('%s on %s: %s', (release, arch, expected) => {
    expect(capabilitiesOf({ release, arch, has: [], lacks: [] }).has('reliable-stack')).toBe(expected);
  });

  test('the manifest has the last word', () => {
    expect(of('6.1', [], ['reliable-stack']).has('reliable-stack')).toBe('no');
    const ported = { release: '6.1', arch: 'aarch64', has: ['reliable-stack'], lacks: [] };
    expect(capabilitiesOf(ported).has('reliable-stack')).toBe('yes');
  });

  test("as the Kconfig files of 6.1 have it, where a livepatch's architecture is named there", async () => {
    const source = await architectures();
    if (source === null) return console.warn('SKIPPED: architectures against the kernel sources');
    const folders = { x86_64: 'x86', ppc64le: 'powerpc', s390x: 's390', aarch64: 'arm64' };
    for (const [arch, folder] of Object.entries(folders)) {
      const kconfig = await readFile(join(source, 'arch', folder, 'Kconfig'), 'utf8');
      const selected = /^\s+select HAVE_RELIABLE_STACKTRACE\b/m.test(kconfig);
      const claimed = capabilitiesOf({ release: '6.1', arch, has: [], lacks: [] }).has('reliable-stack');
      expect(claimed, arch).toBe(selected ? 'yes' : 'no');
    }
  });
});

describe('vendor kernels', () => {
  test.each([
    ['5.14.0-427.el9.x86_64', true],
    ['4.18.0-553.el8_10.x86_64', true],
    ['5.3.18-150300.59.161-default', true],
    ['5.10.0-216.0.0.115.oe2203sp4', true],
    ['5.4.17-2136.338.4.2.el8uek', true],
    ['6.1.112-122.189.amzn2023', true],
    ['6.1.0-31-amd64', false],
    ['6.8.0-52-generic', false],
    ['6.1', false],
  ])('%s: %s', (release, vendor) => expect(of(release).vendor).toBe(vendor));

  test('what is newer than the number may have been backported', () => {
    const rhel8 = of('4.18.0-553.el8');
    expect(rhel8.has('callbacks')).toBe('yes');
    expect(rhel8.has('replace')).toBe('unknown');
    expect(rhel8.has('register-patch')).toBe('unknown');
    expect(rhel8.api('5.8', null)).toBe('unknown');
    expect(rhel8.api('4.0', '5.8')).toBe('unknown');
  });

  test('has and lacks decide, lacks first, and make it a vendor kernel', () => {
    const kernel = of('4.18', ['replace', 'states', 'no such word'], ['states']);
    expect(kernel.vendor).toBe(true);
    expect(kernel.has('replace')).toBe('yes');
    expect(kernel.has('states')).toBe('no');
  });
});

describe('a release that cannot be read', () => {
  test.each(['', 'next', '6', 'v', '6.1234'])('%s: everything present', (release) => {
    const kernel = of(release);
    expect(kernel.known).toBe(false);
    for (const capability of CAPABILITIES) {
      expect(kernel.has(capability), capability).toBe(capability === 'register-patch' ? 'no' : 'yes');
    }
    expect(kernel.api('99.0', null)).toBe('yes');
  });
});

test('documentation of the release, or the latest where that was another format', () => {
  expect(of('6.1.5').documentation('livepatch/callbacks')).toBe(
    'https://www.kernel.org/doc/html/v6.1/livepatch/callbacks.html',
  );
  expect(of('6.1').documentation('livepatch/system-state', 'livepatch-compatibility')).toBe(
    'https://www.kernel.org/doc/html/v6.1/livepatch/system-state.html#livepatch-compatibility',
  );
  expect(of('4.19').documentation('livepatch/livepatch')).toContain('/html/latest/');
  expect(of('?').documentation('livepatch/livepatch')).toContain('/html/latest/');
});
