import { arg, pairs, RESULT, type RowKind, rowsOf, text, undo, undoHandle } from './catalogue-builders';
import type { EffectRow } from './catalogue-row';

/** kobjects, devices, classes, device numbers. */

const KOBJECT: RowKind = {
  noun: 'kobject',
  header: 'linux/kobject.h',
  key: 'handle',
  hazards: 'L',
  fails: 'null',
  repeated: 'errno',
};
const kobject = rowsOf(KOBJECT);

const KOBJECTS: readonly EffectRow[] = [
  kobject(
    'kobject_create_and_add',
    [
      undoHandle('kobject_put', { acceptsNull: true, recursive: true }),
      undoHandle('kobject_del', { acceptsNull: true, recursive: true }),
    ],
    { identity: [text(0), arg(1)], parent: 1, holds: [] },
  ),
  {
    ...kobject(
      'kobject_init_and_add',
      [
        undo('kobject_put', [arg(0)], { recursive: true }),
        undo('kobject_del', [arg(0)], { recursive: true }),
      ],
      { label: text(3), holds: [0, 1], fails: 'errno', hazards: 'UL' },
    ),
    key: 'pointer',
  },
  {
    ...kobject(
      'kset_create_and_add',
      [undoHandle('kset_unregister', { acceptsNull: true, recursive: true })],
      {
        identity: [text(0), arg(2)],
        parent: 1,
        holds: [1],
      },
    ),
    family: 'kset',
    noun: 'kset',
  },
];

const device = rowsOf({
  noun: 'device',
  header: 'linux/device.h',
  key: 'pointer',
  hazards: 'U',
  fails: 'errno',
  repeated: 'corrupts',
});

const chrdev = rowsOf({
  noun: 'character device',
  header: 'linux/fs.h',
  key: 'handle',
  hazards: 'U',
  fails: 'errno',
  repeated: 'errno',
  repeatedErrno: 16,
});

const DEVICES: readonly EffectRow[] = [
  device(
    'device_create',
    [undo('device_destroy', [arg(0), arg(1)], { absent: 'harmless' }), undoHandle('device_unregister')],
    {
      identity: [arg(0), arg(2)],
      label: text(4),
      holds: [3],
      fails: 'errptr',
      hazards: 'L',
      repeated: 'errno',
    },
  ),
  device('device_register', [undo('device_unregister'), undo('device_del')]),
  device('device_add', [undo('device_del'), undo('device_unregister')]),
  {
    ...device('class_create', [undoHandle('class_destroy', { acceptsNull: true })], {
      // The owner argument in front of the name went with 6.4; the name is whichever of the two is a string.
      identity: [RESULT],
      label: text(0),
      holds: [],
      fails: 'errptr',
      hazards: 'L',
      header: 'linux/device/class.h',
      repeated: 'errno',
    }),
    family: 'class',
    noun: 'device class',
    key: 'handle',
  },
  ...pairs(
    {
      noun: 'misc device',
      header: 'linux/miscdevice.h',
      key: 'pointer',
      hazards: 'U',
      fails: 'errno',
      repeated: 'corrupts',
      label: text(0, '.name'),
      unique: true,
    },
    [['misc_register', 'misc_deregister']],
  ),
  {
    ...device('cdev_add', [undo('cdev_del')], { identity: [arg(0)], header: 'linux/cdev.h' }),
    family: 'cdev',
    noun: 'character device',
  },
  chrdev('register_chrdev', [undo('unregister_chrdev', [text(1)], { absent: 'harmless' })], {
    identity: [text(1)],
    holds: [2],
  }),
  {
    ...chrdev('alloc_chrdev_region', [undo('unregister_chrdev_region', [arg(0)], { absent: 'harmless' })], {
      identity: [{ arg: 0, member: '' }],
      label: text(3),
      holds: [],
      hazards: 'L',
    }),
    family: 'device numbers',
    noun: 'device number region',
  },
  {
    ...chrdev(
      'register_chrdev_region',
      [undo('unregister_chrdev_region', [arg(0)], { absent: 'harmless' })],
      {
        identity: [arg(0)],
        label: text(2),
        holds: [],
        hazards: 'L',
      },
    ),
    family: 'device numbers',
    noun: 'device number region',
  },
  {
    ...chrdev('register_blkdev', [undo('unregister_blkdev', [text(1)], { absent: 'warns' })], {
      identity: [text(1)],
      holds: [],
      hazards: 'L',
      header: 'linux/blkdev.h',
    }),
    family: 'block device number',
    noun: 'block device number',
  },
];

export const DEVICE_ROWS: readonly EffectRow[] = [...KOBJECTS, ...DEVICES];
