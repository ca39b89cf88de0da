import { arg, type RowDetails, rowsOf, text, undo, undoHandle } from './catalogue-builders';
import type { EffectRow, UndoCall } from './catalogue-row';

/** sysctl, procfs, debugfs, sysfs: what user space sees as a file. */

const sysctl = rowsOf({
  noun: 'sysctl table',
  header: 'linux/sysctl.h',
  key: 'handle',
  hazards: 'UE',
  fails: 'null',
  repeated: 'errno',
});
const unregisterSysctl = undoHandle('unregister_sysctl_table', { acceptsNull: true });

const SYSCTL: readonly EffectRow[] = [
  sysctl('register_sysctl', [unregisterSysctl], { identity: [text(0), text(1, '[0].procname')], holds: [1] }),
  sysctl('register_sysctl_sz', [unregisterSysctl], {
    identity: [text(0), text(1, '[0].procname')],
    holds: [1],
    since: '6.6',
  }),
  sysctl('register_sysctl_table', [unregisterSysctl], { identity: [text(0, '[0].procname')], until: '6.6' }),
  sysctl('register_sysctl_paths', [unregisterSysctl], {
    identity: [text(1, '[0].procname')],
    holds: [1],
    until: '6.6',
  }),
  {
    ...sysctl('register_net_sysctl', [undoHandle('unregister_net_sysctl_table', { acceptsNull: true })], {
      identity: [arg(0), text(1), text(2, '[0].procname')],
      label: text(1),
      holds: [2],
      header: 'net/net_namespace.h',
    }),
    family: 'net sysctl table',
  },
];

const proc = rowsOf({
  noun: 'proc entry',
  family: 'proc',
  header: 'linux/proc_fs.h',
  key: 'name',
  hazards: 'UE',
  fails: 'null',
  repeated: 'errno',
});

function procEntry(name: string, parent: number, holds: readonly number[]): EffectRow {
  return proc(
    name,
    [
      undo('remove_proc_entry', [text(0), arg(1)]),
      undoHandle('proc_remove', { acceptsNull: true, recursive: true }),
      undo('remove_proc_subtree', [text(0), arg(1)], { recursive: true }),
    ],
    { identity: [text(0), arg(parent)], parent: 1, holds },
  );
}

const PROC: readonly EffectRow[] = [
  procEntry('proc_create', 2, [3]),
  procEntry('proc_create_data', 2, [3, 4]),
  procEntry('proc_create_single', 2, [3]),
  procEntry('proc_create_single_data', 2, [3, 4]),
  procEntry('proc_create_seq', 2, [3]),
  procEntry('proc_create_seq_data', 2, [3, 4]),
  procEntry('proc_create_seq_private', 2, [3, 5]),
  procEntry('proc_create_net_data', 2, [3, 5]),
  procEntry('proc_create_net_single', 2, [3, 4]),
  procEntry('proc_mkdir', 1, []),
  procEntry('proc_mkdir_mode', 2, []),
  procEntry('proc_mkdir_data', 2, [3]),
  procEntry('proc_symlink', 1, []),
];

const debugfs = rowsOf({
  noun: 'debugfs file',
  family: 'debugfs',
  header: 'linux/debugfs.h',
  key: 'name',
  hazards: 'UE',
  fails: 'errptr',
  repeated: 'errno',
});

const DEBUGFS_UNDO: readonly UndoCall[] = [
  undoHandle('debugfs_remove', { acceptsNull: true, recursive: true }),
  undoHandle('debugfs_remove_recursive', { acceptsNull: true, recursive: true }),
  undo('debugfs_lookup_and_remove', [text(0), arg(1)], {
    absent: 'harmless',
    recursive: true,
    since: '6.1',
  }),
];

function debugfsEntry(
  name: string,
  parent: number,
  holds: readonly number[],
  details: RowDetails = {},
): EffectRow {
  return debugfs(name, DEBUGFS_UNDO, { identity: [text(0), arg(parent)], parent: 1, holds, ...details });
}

const DEBUGFS: readonly EffectRow[] = [
  { ...debugfsEntry('debugfs_create_dir', 1, []), noun: 'debugfs folder' },
  debugfsEntry('debugfs_create_file', 2, [3, 4]),
  debugfsEntry('debugfs_create_file_unsafe', 2, [3, 4]),
  debugfsEntry('debugfs_create_file_size', 2, [3, 4], { fails: 'never' }),
  debugfsEntry('debugfs_create_symlink', 1, []),
  debugfsEntry('debugfs_create_blob', 2, [3]),
  ...['u8', 'u16', 'u32', 'u64', 'x8', 'x16', 'x32', 'x64', 'ulong', 'size_t', 'atomic_t', 'bool', 'str'].map(
    (kind) => debugfsEntry(`debugfs_create_${kind}`, 2, [3], { fails: 'never' }),
  ),
];

const sysfs = rowsOf({
  noun: 'sysfs file',
  header: 'linux/sysfs.h',
  key: 'name',
  hazards: 'UE',
  fails: 'errno',
  repeated: 'errno',
});

function sysfsPair(
  family: string,
  name: string,
  undoName: string,
  member: string,
  absent: UndoCall['absent'],
  details: RowDetails = {},
): EffectRow {
  const identity = [arg(0), text(1, member)];
  return {
    ...sysfs(name, [undo(undoName, identity, absent ? { absent } : {})], {
      identity,
      label: text(1, member),
      holds: [1],
      parent: 0,
      ...details,
    }),
    family,
  };
}

const SYSFS: readonly EffectRow[] = [
  sysfsPair('sysfs file', 'sysfs_create_file', 'sysfs_remove_file', '.name', 'harmless'),
  sysfsPair('sysfs file', 'sysfs_create_file_ns', 'sysfs_remove_file_ns', '.name', 'harmless'),
  sysfsPair('sysfs files', 'sysfs_create_files', 'sysfs_remove_files', '[0]->name', 'harmless'),
  // A group without a name puts its attributes straight into the folder: the first of them names it.
  sysfsPair('sysfs group', 'sysfs_create_group', 'sysfs_remove_group', '.name|.attrs->[0]->name', 'warns'),
  sysfsPair(
    'sysfs groups',
    'sysfs_create_groups',
    'sysfs_remove_groups',
    '[0]->name|[0]->attrs->[0]->name',
    'warns',
  ),
  sysfsPair(
    'merged sysfs group',
    'sysfs_merge_group',
    'sysfs_unmerge_group',
    '.name|.attrs->[0]->name',
    'harmless',
  ),
  {
    ...sysfsPair(
      'sysfs group file',
      'sysfs_add_file_to_group',
      'sysfs_remove_file_from_group',
      '.name',
      'harmless',
    ),
    identity: [arg(0), text(1, '.name'), text(2)],
    undo: [undo('sysfs_remove_file_from_group', [arg(0), text(1, '.name'), text(2)], { absent: 'harmless' })],
  },
  sysfsPair('sysfs binary file', 'sysfs_create_bin_file', 'sysfs_remove_bin_file', '.attr.name', 'harmless'),
  {
    ...sysfs('sysfs_create_link', [undo('sysfs_remove_link', [arg(0), text(1)], { absent: 'harmless' })], {
      identity: [arg(0), text(2)],
      label: text(2),
      holds: [],
      parent: 0,
      hazards: 'L',
    }),
    family: 'sysfs link',
    noun: 'sysfs link',
  },
  {
    ...sysfsPair('device attribute', 'device_create_file', 'device_remove_file', '.attr.name', 'harmless'),
    header: 'linux/device.h',
    noun: 'device attribute',
  },
  {
    ...sysfsPair('driver attribute', 'driver_create_file', 'driver_remove_file', '.attr.name', 'harmless'),
    header: 'linux/device.h',
    noun: 'driver attribute',
  },
];

export const FILE_ROWS: readonly EffectRow[] = [...SYSCTL, ...PROC, ...DEBUGFS, ...SYSFS];
