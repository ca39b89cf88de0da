/**
 * A model written by hand: v1 released without callbacks, v2 faulty with a debugfs file, v3 the way back.
 * Going from v2 to v1 skips v2's post_unpatch, so that its debugfs file stays and points into freed memory.
 */
import type {
  PanelCell,
  PanelModel,
  PanelSource,
  PanelTransition,
  PanelVersion,
} from '../../server/src/features/panel-model';

export const MANIFEST = 'file:///lineage/livepatch.yaml';

export function at(file: string, line: number): PanelSource {
  return { uri: `file:///lineage/${file}`, line, column: 1 };
}

const FUNCTIONS = [
  'eth_validate_addr',
  'eth_prepare_mac_addr_change',
  'eth_header_parse',
  'eth_header_parse_protocol',
];

function functions(version: string, names: readonly string[], added: readonly string[]) {
  return names.map((old, i) => ({
    old,
    new: `livepatch_${old}`,
    change: added.includes(old) ? ('added' as const) : ('kept' as const),
    source: at(`${version}/livepatch_net_${version}.c`, 20 + i * 10),
  }));
}

const PLAIN: PanelVersion = {
  version: 'v1',
  module: 'livepatch_net_v1',
  status: 'released',
  note: null,
  restores: null,
  cleansUpAfter: [],
  replace: true,
  complete: true,
  source: at('livepatch.yaml', 5),
  objects: [{ name: null, functions: functions('v1', FUNCTIONS, FUNCTIONS), callbacks: [] }],
  states: [],
  shadow: [],
  installed: null,
  givesBack: [],
  effects: [],
};

export const V1 = PLAIN;

export const V2: PanelVersion = {
  ...PLAIN,
  version: 'v2',
  module: 'livepatch_net_v2',
  status: 'faulty',
  note: 'hangs under load',
  source: at('livepatch.yaml', 9),
  objects: [
    {
      name: null,
      functions: functions(
        'v2',
        [...FUNCTIONS, 'eth_commit_mac_addr_change'],
        ['eth_commit_mac_addr_change'],
      ),
      callbacks: [
        {
          callback: 'pre_patch',
          function: 'livepatch_net_pre_patch',
          source: at('v2/livepatch_net_v2.c', 74),
        },
        {
          callback: 'post_unpatch',
          function: 'livepatch_net_post_unpatch',
          source: at('v2/livepatch_net_v2.c', 84),
        },
      ],
    },
  ],
  effects: [
    {
      noun: 'debugfs file',
      key: 'net_status',
      api: 'debugfs_create_file',
      source: at('v2/livepatch_net_v2.c', 76),
    },
  ],
};

export const V3: PanelVersion = {
  ...PLAIN,
  version: 'v3',
  module: 'livepatch_net_v3',
  status: 'draft',
  restores: 'v1',
  cleansUpAfter: ['v2'],
  source: at('livepatch.yaml', 14),
  objects: [
    {
      name: null,
      functions: functions('v3', FUNCTIONS, []),
      callbacks: [
        {
          callback: 'post_patch',
          function: 'livepatch_net_post_patch',
          source: at('v3/livepatch_net_v3.c', 60),
        },
      ],
    },
  ],
  installed: null,
  givesBack: [{ object: null, function: 'eth_commit_mac_addr_change' }],
};

export const REHEARSED = {
  release: '6.1.0-18-amd64',
  when: '2026-01-02T03:04:05.000Z',
  same: true,
  crash: null,
};

function cell(from: string, to: string): PanelCell {
  return { from, to, verdict: 'clean', certainty: 'must', because: 'nothing stays behind', rehearsed: null };
}

export const MODEL: PanelModel = {
  schema: 1,
  lineage: 'net-fixes',
  kernel: '6.1',
  manifestUri: MANIFEST,
  findings: 2,
  versions: [V1, V2, V3],
  matrix: [
    cell('none', 'v1'),
    cell('none', 'v2'),
    cell('none', 'v3'),
    cell('v1', 'v2'),
    cell('v1', 'v3'),
    {
      from: 'v2',
      to: 'v1',
      verdict: 'unsafe',
      certainty: 'must',
      because: 'post_unpatch of v2 is not called: the debugfs file net_status stays',
      rehearsed: REHEARSED,
    },
    cell('v2', 'v3'),
    cell('v3', 'v1'),
    cell('v3', 'v2'),
  ],
  notices: [],
};

/** load v1 over v2, then unload v2: seven moments, numbered from 0. */
export const DOWNGRADE: PanelTransition = {
  schema: 1,
  from: 'v2',
  to: 'v1',
  verdict: 'unsafe',
  certainty: 'must',
  sentence:
    "When v1 replaces v2, v2's `post_unpatch` is not called: its debugfs file `net_status` stays. As soon as v2 is removed, reading it runs freed memory.",
  unknown: [],
  steps: [
    { step: 'load v1', result: 0, first: 0, last: 5 },
    { step: 'unload v2', result: 0, first: 6, last: 6 },
  ],
  moments: [
    { title: 'load v1' },
    { title: 'initializing patching transition' },
    { title: 'starting patching transition' },
    { title: 'completing patching transition' },
    { title: 'callbacks after the transition' },
    { title: 'patching complete' },
    { title: 'unload v2' },
  ],
  lanes: [
    {
      k: 'callbacks',
      version: 'v1',
      object: null,
      marks: [
        { moment: 1, callback: 'pre_patch', state: 'absent', because: null, source: null },
        { moment: 4, callback: 'post_patch', state: 'absent', because: null, source: null },
      ],
    },
    {
      k: 'callbacks',
      version: 'v2',
      object: null,
      marks: [
        { moment: 2, callback: 'pre_unpatch', state: 'absent', because: null, source: null },
        {
          moment: 4,
          callback: 'post_unpatch',
          state: 'skipped',
          because: 'replaced',
          source: at('v2/livepatch_net_v2.c', 84),
        },
      ],
    },
    {
      k: 'tasks',
      spans: [
        { first: 0, last: 1, state: 'old-code', label: "in v2's code" },
        { first: 2, last: 3, state: 'mixed', label: 'moving' },
        { first: 4, last: 6, state: 'new-code', label: "in v1's code" },
      ],
    },
    {
      k: 'effect',
      key: 'net_status',
      noun: 'debugfs file',
      source: at('v2/livepatch_net_v2.c', 76),
      spans: [
        { first: 0, last: 3, state: 'owned', label: 'owner: v2' },
        { first: 4, last: 5, state: 'no-owner', label: 'no owner' },
        { first: 6, last: 6, state: 'freed', label: 'use-after-free' },
      ],
    },
    {
      k: 'module',
      version: 'v2',
      module: 'livepatch_net_v2',
      spans: [
        { first: 0, last: 5, state: 'in-memory', label: 'in memory' },
        { first: 6, last: 6, state: 'freed', label: 'freed' },
      ],
    },
  ],
  log: [
    { text: '% load v1', kind: 'command', moment: 0 },
    { text: "livepatch: enabling patch 'livepatch_net_v1'", kind: 'core', moment: 0 },
    { text: "livepatch: 'livepatch_net_v1': initializing patching transition", kind: 'core', moment: 1 },
    { text: "livepatch: 'livepatch_net_v1': starting patching transition", kind: 'core', moment: 2 },
    { text: "livepatch: 'livepatch_net_v1': completing patching transition", kind: 'core', moment: 3 },
    { text: "livepatch: 'livepatch_net_v1': patching complete", kind: 'core', moment: 5 },
    { text: '% unload v2', kind: 'command', moment: 6 },
    { text: 'read of debugfs net_status: file operations in freed memory', kind: 'fault', moment: 6 },
  ],
  callbacks: [
    {
      version: 'v2',
      object: null,
      callback: 'pre_patch',
      source: at('v2/livepatch_net_v2.c', 74),
      deeds: [
        {
          does: 'makes',
          noun: 'debugfs file',
          key: 'net_status',
          certainty: 'must',
          source: at('v2/livepatch_net_v2.c', 76),
          undoneBy: [{ callback: 'post_unpatch', source: at('v2/livepatch_net_v2.c', 85) }],
          left: 'use-after-free',
        },
      ],
    },
    {
      version: 'v2',
      object: null,
      callback: 'post_unpatch',
      source: at('v2/livepatch_net_v2.c', 84),
      deeds: [
        {
          does: 'undoes',
          noun: 'debugfs file',
          key: 'net_status',
          certainty: 'may',
          source: at('v2/livepatch_net_v2.c', 85),
          undoneBy: [],
          left: null,
        },
      ],
    },
  ],
  rehearsed: null,
  leftovers: [
    {
      effect: 'debugfs_create_file',
      key: 'net_status',
      hazard: 'use-after-free',
      certainty: 'must',
      version: 'v2',
      source: at('v2/livepatch_net_v2.c', 76),
    },
  ],
  actions: [
    {
      command: 'livepatch.generateCleanupPatch',
      title: 'Generate v3 = v1 + cleanup after v2',
      arguments: ['v1', 'v2'],
    },
    {
      command: 'livepatch.runbook',
      title: 'Runbook: disable v2, then load v1',
      arguments: ['v2', 'v1'],
    },
  ],
};

/** A lineage of `n` versions in which every pair has a verdict. */
export function long(n: number): PanelModel {
  const versions = Array.from({ length: n }, (_, i) => ({
    ...(i % 3 === 0 ? V1 : i % 3 === 1 ? V2 : V3),
    version: `v${i + 1}`,
    module: `livepatch_net_v${i + 1}`,
  }));
  const names = versions.map((version) => version.version);
  const matrix = ['none', ...names].flatMap((from) =>
    names.filter((to) => to !== from).map((to) => cell(from, to)),
  );
  return { ...MODEL, versions, matrix };
}

export const HOSTILE_NAMES = [
  '</script><img src=x onerror="document.title=\'owned\'">',
  '\u202Egnp.exe\u202C\u2066',
  '\'"><svg onload=alert(1)>',
  ']]>&lt;',
  '\u0000\u0007\uD800',
  'x'.repeat(10_000),
] as const;

/** The fixture with every text replaced by `name`. */
export function hostile(name: string): { model: PanelModel; transition: PanelTransition } {
  const version: PanelVersion = {
    ...V2,
    version: name,
    module: name,
    note: name,
    restores: name,
    cleansUpAfter: [name],
  };
  return {
    model: {
      ...MODEL,
      lineage: name,
      kernel: name,
      versions: [V1, version],
      matrix: [
        {
          from: 'v1',
          to: name,
          verdict: 'unsafe',
          certainty: 'may',
          because: name,
          rehearsed: { ...REHEARSED, release: name, when: name, crash: name },
        },
      ],
      notices: [name],
    },
    transition: {
      ...DOWNGRADE,
      from: name,
      to: 'v1',
      sentence: name,
      unknown: [name],
      moments: DOWNGRADE.moments.map(() => ({ title: name })),
      steps: DOWNGRADE.steps.map((step) => ({ ...step, step: name })),
      log: DOWNGRADE.log.map((line) => ({ ...line, text: name })),
      lanes: [
        {
          k: 'callbacks',
          version: name,
          object: name,
          marks: [
            {
              moment: 4,
              callback: name,
              state: 'skipped',
              because: name,
              source: { uri: name, line: 1, column: 1 },
            },
          ],
        },
        {
          k: 'effect',
          key: name,
          noun: name,
          source: null,
          spans: [{ first: 0, last: 6, state: 'no-owner', label: name }],
        },
      ],
      callbacks: DOWNGRADE.callbacks.map((one) => ({
        ...one,
        version: name,
        object: name,
        callback: name,
        deeds: one.deeds.map((deed) => ({
          ...deed,
          noun: name,
          key: name,
          left: name,
          undoneBy: [{ callback: name, source: null }],
        })),
      })),
      rehearsed: { ...REHEARSED, release: name, when: name, crash: name },
      leftovers: DOWNGRADE.leftovers.map((left) => ({
        ...left,
        effect: name,
        key: name,
        hazard: name,
        version: name,
      })),
      actions: [{ command: name, title: name, arguments: [name] }],
    },
  };
}
