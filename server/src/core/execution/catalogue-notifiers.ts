import { arg, pairs, type RowKind, rowsOf, text, undo } from './catalogue-builders';
import type { EffectRow } from './catalogue-row';

/** Notifier chains: the kernel keeps the notifier_block, and its function. A second registration fails. */
const NOTIFIER: RowKind = {
  noun: 'notifier',
  header: 'linux/notifier.h',
  key: 'pointer',
  hazards: 'U',
  fails: 'errno',
  repeated: 'errno',
};

const notifier = rowsOf(NOTIFIER);

function named(header: string, name: string, undoName: string, hazards = 'U', family?: string): EffectRow {
  const made = notifier(name, [undo(undoName, [arg(0)], { absent: 'errno' })], { header, hazards });
  return { ...made, family: family ?? `${name.replace(/^register_|_notifier$|_register.*$/g, '')} notifier` };
}

function chain(kind: string): EffectRow {
  const made = notifier(
    `${kind}_notifier_chain_register`,
    [undo(`${kind}_notifier_chain_unregister`, [arg(0), arg(1)], { absent: 'errno' })],
    { identity: [arg(0), arg(1)], label: arg(1), holds: [1], hazards: 'UE' },
  );
  return { ...made, family: `${kind} notifier chain` };
}

export const NOTIFIER_ROWS: readonly EffectRow[] = [
  named('linux/module.h', 'register_module_notifier', 'unregister_module_notifier', 'UE'),
  ...['blocking', 'atomic', 'raw', 'srcu'].map(chain),
  named('linux/netdevice.h', 'register_netdevice_notifier', 'unregister_netdevice_notifier'),
  named('linux/inetdevice.h', 'register_inetaddr_notifier', 'unregister_inetaddr_notifier'),
  named('net/addrconf.h', 'register_inet6addr_notifier', 'unregister_inet6addr_notifier'),
  named('net/netevent.h', 'register_netevent_notifier', 'unregister_netevent_notifier'),
  {
    ...named('net/fib_notifier.h', 'register_fib_notifier', 'unregister_fib_notifier'),
    identity: [arg(0), arg(1)],
    label: arg(1),
    holds: [1],
    undo: [undo('unregister_fib_notifier', [arg(0), arg(1)], { absent: 'errno' })],
  },
  named('net/switchdev.h', 'register_switchdev_notifier', 'unregister_switchdev_notifier'),
  named('linux/reboot.h', 'register_reboot_notifier', 'unregister_reboot_notifier'),
  named('linux/reboot.h', 'register_restart_handler', 'unregister_restart_handler', 'U', 'restart handler'),
  named('linux/suspend.h', 'register_pm_notifier', 'unregister_pm_notifier'),
  named('linux/kdebug.h', 'register_die_notifier', 'unregister_die_notifier'),
  named('linux/keyboard.h', 'register_keyboard_notifier', 'unregister_keyboard_notifier'),
  named('linux/memory.h', 'register_memory_notifier', 'unregister_memory_notifier'),
  named('linux/oom.h', 'register_oom_notifier', 'unregister_oom_notifier'),
  {
    ...named('linux/cpufreq.h', 'cpufreq_register_notifier', 'cpufreq_unregister_notifier'),
    family: 'cpufreq notifier',
    identity: [arg(0), arg(1)],
    undo: [undo('cpufreq_unregister_notifier', [arg(0), arg(1)], { absent: 'errno' })],
  },
  {
    ...named('linux/mmu_notifier.h', 'mmu_notifier_register', 'mmu_notifier_unregister'),
    family: 'mmu notifier',
    identity: [arg(0), arg(1)],
    undo: [undo('mmu_notifier_unregister', [arg(0), arg(1)])],
    repeated: 'corrupts',
  },
  {
    ...named(
      'linux/user-return-notifier.h',
      'user_return_notifier_register',
      'user_return_notifier_unregister',
    ),
    family: 'user return notifier',
    fails: 'never',
    repeated: 'corrupts',
  },
  {
    ...rowsOf({ ...NOTIFIER, noun: 'NMI handler', header: 'asm/nmi.h', key: 'name' })(
      'register_nmi_handler',
      [undo('unregister_nmi_handler', [arg(0), text(1)], { absent: 'harmless' })],
      { identity: [arg(0), text(3)], label: text(3), holds: [1] },
    ),
    repeated: 'harmless',
  },
  ...pairs(
    { ...NOTIFIER, noun: 'ACPI notifier', header: 'acpi/acpi_bus.h' },
    [['register_acpi_notifier', 'unregister_acpi_notifier']],
    { absent: 'errno' },
  ),
  rowsOf({ ...NOTIFIER, noun: 'ACPI notify handler', header: 'acpi/acpixf.h' })(
    'acpi_install_notify_handler',
    [undo('acpi_remove_notify_handler', [arg(0), arg(1), arg(2)], { absent: 'errno' })],
    { identity: [arg(0), arg(1), arg(2)], label: arg(2), holds: [2, 3] },
  ),
];
