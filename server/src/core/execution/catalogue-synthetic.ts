import type { EffectRow } from './catalogue-row';

/** Effects that no API call makes, or whose calls have models of their own. */

/** `console_loglevel = 15`: undone by writing the original back. */
export const VALUE_WRITE: EffectRow = {
  family: 'kernel write',
  do: '=',
  undo: [{ name: '=', identity: [] }],
  header: '',
  key: 'value',
  identity: [],
  holds: [],
  hazards: ['stuck-value'],
  fails: 'never',
  repeated: 'harmless',
  synthetic: true,
  noun: 'kernel variable',
};

/** `tcp_prot.connect = klpp_connect`: as VALUE_WRITE, and the kernel now reaches into the module. */
export const HOOK_WRITE: EffectRow = {
  ...VALUE_WRITE,
  hazards: ['use-after-free', 'stuck-value'],
  noun: 'kernel pointer',
};

/** A shadow variable, by object and id; models/shadow.ts holds its calls. */
export const SHADOW: EffectRow = {
  family: 'shadow variable',
  do: 'klp_shadow_alloc',
  undo: [
    { name: 'klp_shadow_free', identity: [{ arg: 0 }, { arg: 1 }] },
    { name: 'klp_shadow_free_all', identity: [{ arg: 0 }] },
  ],
  header: 'linux/livepatch.h',
  key: 'name',
  identity: [{ arg: 0 }, { arg: 1 }],
  holds: [],
  hazards: ['leak'],
  fails: 'null',
  repeated: 'errno',
  since: '4.15',
  synthetic: true,
  noun: 'shadow variable',
};

/** `klp_get_state(&patch, ID)->data = kzalloc(…)`: what hangs from a state is freed by whoever has it last. */
export const STATE_DATA: EffectRow = {
  family: 'state data',
  do: 'klp_state.data =',
  undo: [{ name: 'kfree', identity: [] }],
  header: 'linux/livepatch.h',
  key: 'handle',
  identity: [],
  holds: [],
  hazards: ['leak'],
  fails: 'never',
  since: '5.5',
  synthetic: true,
  noun: 'state data',
};

/** A static key that was off and is on, or the other way round. */
export const STATIC_KEY: EffectRow = {
  family: 'static key',
  do: 'static_branch_enable',
  undo: [{ name: 'static_branch_disable', identity: [{ arg: 0 }] }],
  header: 'linux/jump_label.h',
  key: 'value',
  identity: [{ arg: 0 }],
  holds: [],
  hazards: ['stuck-value'],
  fails: 'never',
  repeated: 'harmless',
  synthetic: true,
  noun: 'static key',
};

/** A count in kernel memory (atomic_t, refcount_t) that was raised. */
export const COUNTER: EffectRow = {
  family: 'counter',
  do: 'atomic_inc',
  undo: [
    { name: 'atomic_dec', identity: [{ arg: 0 }] },
    { name: 'refcount_dec', identity: [{ arg: 0 }] },
  ],
  header: 'linux/atomic.h',
  key: 'count',
  identity: [{ arg: 0 }],
  holds: [],
  hazards: ['stuck-value'],
  fails: 'never',
  repeated: 'counts',
  synthetic: true,
  noun: 'kernel counter',
};
