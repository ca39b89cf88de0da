import { expect, test } from 'vitest';
import { type KernelTree, objectOf } from '../../server/src/core/csource/dialects/kernel-object';
import { analyseTexts, projectOfTexts } from '../support/project';
import { changed } from './diff-text';

/** Kbuild files by folder, written in the ways in which the kernel's are. */
const KBUILD: Readonly<Record<string, string>> = {
  'net/netfilter': `# SPDX-License-Identifier: GPL-2.0
netfilter-objs := core.o nf_log.o nf_queue.o

nf_tables-objs := nf_tables_core.o nf_tables_api.o nft_chain_filter.o \\
		  nf_tables_trace.o # and more

obj-$(CONFIG_NETFILTER) = netfilter.o
obj-$(CONFIG_NF_TABLES)	+= nf_tables.o
obj-$(CONFIG_NFT_CT) += nft_ct.o
`,
  'fs/xfs': `obj-$(CONFIG_XFS_FS)		+= xfs.o
xfs-y				+= xfs_trace.o
xfs-y				+= $(addprefix libxfs/, \\
				   xfs_ag.o \\
				   xfs_alloc.o)
xfs-$(CONFIG_XFS_QUOTA)		+= xfs_dquot.o
`,
  'drivers/acme': 'obj-m += acme-usb.o\nobj-y += always.o\nobj-$(CONFIG_OFF) += off.o\n',
  lib: 'lib-y := ctype.o\nobj-$(CONFIG_CRC) += crc.o\n',
};
const CONFIG: Readonly<Record<string, string>> = {
  CONFIG_NETFILTER: 'y',
  CONFIG_NF_TABLES: 'm',
  CONFIG_XFS_FS: 'm',
};

const tree = (config: boolean): KernelTree => ({
  makefile: (folder) => KBUILD[folder],
  config: (name) => (config ? (CONFIG[name] ?? 'n') : undefined),
});

test.each([
  ['net/netfilter/nf_tables_api.c', 'nf_tables'],
  ['net/netfilter/nf_tables_trace.c', 'nf_tables'],
  ['net/netfilter/core.c', null],
  ['fs/xfs/xfs_trace.c', 'xfs'],
  ['fs/xfs/xfs_dquot.c', 'xfs'],
  ['fs/xfs/libxfs/xfs_alloc.c', 'xfs'],
  ['drivers/acme/acme-usb.c', 'acme_usb'],
  ['drivers/acme/always.c', null],
  ['lib/ctype.c', null],
])('%s is part of %s by its Kbuild file and the configuration', (path, name) => {
  expect(objectOf(path, tree(true))).toEqual({ name, guess: null });
});

test.each([
  // Without a configuration the name is known, and whether it is a module is not.
  ['net/netfilter/nft_ct.c', 'nft_ct', 'CONFIG_NFT_CT'],
  ['fs/xfs/libxfs/xfs_ag.c', 'xfs', 'CONFIG_XFS_FS'],
])('%s: %s, a guess where no configuration decides %s', (path, name, config) => {
  const found = objectOf(path, tree(false));
  expect(found.name).toBe(name);
  expect(found.guess).toContain(config);
});

test.each([
  ['kernel/fork.c', null],
  ['mm/mmap.c', null],
  ['init/main.c', null],
  ['fs/proc/base.c', null],
])('%s is always part of vmlinux', (path, name) => {
  expect(objectOf(path, undefined)).toEqual({ name, guess: null });
});

test.each([
  ['fs/exec.c', null],
  ['net/socket.c', null],
  ['net/ipv4/tcp_input.c', null],
  ['net/core/dev.c', null],
  ['arch/x86/kernel/traps.c', null],
  ['block/blk-core.c', null],
  ['lib/vsprintf.c', null],
  ['mm/zsmalloc.c', 'zsmalloc'],
  ['kernel/rcu/rcutorture.c', 'rcutorture'],
  ['fs/ext4/inode.c', 'ext4'],
  ['net/sctp/input.c', 'sctp'],
  ['net/sched/sch_fq.c', 'sch_fq'],
  ['drivers/net/ethernet/intel/e1000/e1000_main.c', 'e1000'],
  ['drivers/usb/serial/cp210x.c', 'cp210x'],
  ['sound/usb/mixer-quirks.c', 'mixer_quirks'],
  ['arch/x86/kvm/vmx/vmx.c', 'kvm_intel'],
  ['arch/x86/kvm/x86.c', 'kvm'],
])('%s is taken to be part of %s, and that is a guess', (path, name) => {
  const found = objectOf(path, undefined);
  expect(found.name).toBe(name);
  expect(found.guess).toContain('no Kbuild file tells');
});

const manifest = (kernel: string): string =>
  `lineage: l\nkernel: ${kernel}\nversions:\n  - version: v1\n    module: m_v1\n    sources: v1/a.patch\n`;
const DIFF = changed('net/netfilter/nf_tables_api.c', 'nft_delchain');

test('a guess is said once for each object, and not where tree and configuration decide', async () => {
  const guessed = await analyseTexts({ 'livepatch.yaml': manifest('"6.1"'), 'v1/a.patch': DIFF });
  expect(guessed.lineage.versions[0]?.facts?.patch?.objects?.map(({ name }) => name)).toEqual([
    'nf_tables_api',
  ]);
  expect(guessed.findings().map(({ code, severity, message }) => [code, severity, message])).toEqual([
    [
      'manifest-invalid',
      'information',
      expect.stringContaining('is taken to be part of the module nf_tables_api'),
    ],
  ]);
  const known = await analyseTexts({
    'livepatch.yaml': manifest('{ release: "6.1", tree: linux, config: linux/.config }'),
    'v1/a.patch': DIFF,
    'linux/net/netfilter/Makefile': KBUILD['net/netfilter'] ?? '',
    'linux/.config': 'CONFIG_NF_TABLES=m\n# CONFIG_NFT_CT is not set\n',
  });
  expect(known.lineage.versions[0]?.facts?.patch?.objects?.map(({ name }) => name)).toEqual(['nf_tables']);
  expect(known.findings()).toEqual([]);
});

test('when the configuration changes, the object does', async () => {
  const { project, files } = await projectOfTexts({
    'livepatch.yaml': manifest('{ release: "6.1", tree: linux, config: linux/.config }'),
    'v1/a.patch': DIFF,
    'linux/net/netfilter/Makefile': KBUILD['net/netfilter'] ?? '',
    'linux/.config': 'CONFIG_NF_TABLES=m\n',
  });
  const names = (): unknown =>
    project.analyse().lineage.versions[0]?.facts?.patch?.objects?.map(({ name }) => name);
  expect(names()).toEqual(['nf_tables']);
  files.write('/lineage/linux/.config', 'CONFIG_NF_TABLES=y\n');
  expect(names()).toEqual([null]);
});
