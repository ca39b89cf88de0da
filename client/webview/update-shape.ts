/** Is this a message the page understands? Everything else is dropped: the page draws nothing it has not checked. */
import type {
  PanelCallback,
  PanelCell,
  PanelDeed,
  PanelDeeds,
  PanelFunction,
  PanelLane,
  PanelModel,
  PanelObject,
  PanelSource,
  PanelSpan,
  PanelTransition,
  PanelUpdate,
  PanelVersion,
  Rehearsed,
} from '../../server/src/features/panel-model';
import { isCount, isFlag, isOneOf, isText, isWhole, listOf, orNull, record, type Shape } from './shape';

const isVerdict = isOneOf('clean', 'leaves', 'unsafe', 'refused');
const isCertainty = isOneOf('must', 'may');

export const isSource: Shape<PanelSource> = record<PanelSource>({
  uri: isText,
  line: isCount,
  column: isCount,
});
const isPlace = orNull(isSource);

const isRehearsed = orNull(
  record<Rehearsed>({ release: isText, when: isText, same: isFlag, crash: orNull(isText) }),
);

const isObject = record<PanelObject>({
  name: orNull(isText),
  functions: listOf(
    record<PanelFunction>({ old: isText, new: isText, change: isOneOf('added', 'kept'), source: isPlace }),
  ),
  callbacks: listOf(record<PanelCallback>({ callback: isText, function: isText, source: isPlace })),
});

const isVersion = record<PanelVersion>({
  version: isText,
  module: isText,
  status: isOneOf('draft', 'released', 'faulty', 'withdrawn'),
  note: orNull(isText),
  restores: orNull(isText),
  cleansUpAfter: listOf(isText),
  replace: orNull(isFlag),
  complete: isFlag,
  source: isPlace,
  objects: listOf(isObject),
  states: listOf(record<PanelVersion['states'][number]>({ id: isText, version: isText, source: isPlace })),
  shadow: listOf(record<PanelVersion['shadow'][number]>({ id: isText, api: isText, source: isPlace })),
  installed: orNull(isText),
  givesBack: listOf(record<PanelVersion['givesBack'][number]>({ object: orNull(isText), function: isText })),
  effects: listOf(
    record<PanelVersion['effects'][number]>({ noun: isText, key: isText, api: isText, source: isPlace }),
  ),
});

export const isPanelModel: Shape<PanelModel> = record<PanelModel>({
  schema: isOneOf(1),
  lineage: isText,
  kernel: isText,
  manifestUri: isText,
  findings: isCount,
  versions: listOf(isVersion),
  matrix: listOf(
    record<PanelCell>({
      from: isText,
      to: isText,
      verdict: isVerdict,
      certainty: isCertainty,
      because: isText,
      rehearsed: isRehearsed,
    }),
  ),
  notices: listOf(isText),
});

const isSpans = listOf(
  record<PanelSpan>({
    first: isCount,
    last: isCount,
    state: isOneOf('old-code', 'mixed', 'new-code', 'owned', 'no-owner', 'freed', 'in-memory'),
    label: isText,
  }),
);

type Lane<K extends PanelLane['k']> = Extract<PanelLane, { k: K }>;

const isCallbackLane = record<Lane<'callbacks'>>({
  k: isOneOf('callbacks'),
  version: isText,
  object: orNull(isText),
  marks: listOf(
    record<Lane<'callbacks'>['marks'][number]>({
      moment: isCount,
      callback: isText,
      state: isOneOf('ran', 'absent', 'skipped'),
      because: orNull(isText),
      source: isPlace,
    }),
  ),
});
const isTaskLane = record<Lane<'tasks'>>({ k: isOneOf('tasks'), spans: isSpans });
const isEffectLane = record<Lane<'effect'>>({
  k: isOneOf('effect'),
  key: isText,
  noun: isText,
  spans: isSpans,
  source: isPlace,
});
const isModuleLane = record<Lane<'module'>>({
  k: isOneOf('module'),
  version: isText,
  module: isText,
  spans: isSpans,
});

function isLane(value: unknown): value is PanelLane {
  return isCallbackLane(value) || isTaskLane(value) || isEffectLane(value) || isModuleLane(value);
}

export const isPanelTransition: Shape<PanelTransition> = record<PanelTransition>({
  schema: isOneOf(1),
  from: isText,
  to: isText,
  verdict: isVerdict,
  certainty: isCertainty,
  sentence: isText,
  unknown: listOf(isText),
  steps: listOf(
    record<PanelTransition['steps'][number]>({
      step: isText,
      result: isWhole,
      first: isCount,
      last: isCount,
    }),
  ),
  moments: listOf(record<PanelTransition['moments'][number]>({ title: isText })),
  lanes: listOf(isLane),
  callbacks: listOf(
    record<PanelDeeds>({
      version: isText,
      object: orNull(isText),
      callback: isText,
      source: isPlace,
      deeds: listOf(
        record<PanelDeed>({
          does: isOneOf('makes', 'undoes'),
          noun: isText,
          key: isText,
          certainty: isCertainty,
          source: isPlace,
          undoneBy: listOf(record<PanelDeed['undoneBy'][number]>({ callback: isText, source: isPlace })),
          left: orNull(isText),
        }),
      ),
    }),
  ),
  log: listOf(
    record<PanelTransition['log'][number]>({
      text: isText,
      kind: isOneOf('command', 'core', 'module', 'fault'),
      moment: isCount,
    }),
  ),
  rehearsed: isRehearsed,
  leftovers: listOf(
    record<PanelTransition['leftovers'][number]>({
      effect: isText,
      key: isText,
      hazard: isText,
      certainty: isCertainty,
      version: isText,
      source: isPlace,
    }),
  ),
  actions: listOf(
    record<PanelTransition['actions'][number]>({ command: isText, title: isText, arguments: listOf(isText) }),
  ),
});

const isModelUpdate = record<Extract<PanelUpdate, { type: 'model' }>>({
  type: isOneOf('model'),
  model: isPanelModel,
  transition: orNull(isPanelTransition),
});
const isTransitionUpdate = record<Extract<PanelUpdate, { type: 'transition' }>>({
  type: isOneOf('transition'),
  transition: isPanelTransition,
});
const isExportUpdate = record<Extract<PanelUpdate, { type: 'export' }>>({
  type: isOneOf('export'),
  format: isOneOf('svg', 'png'),
});
const isTroubleUpdate = record<Extract<PanelUpdate, { type: 'trouble' }>>({
  type: isOneOf('trouble'),
  message: isText,
});

/** True for the messages of the extension, whole and well-formed. */
export function isPanelUpdate(value: unknown): value is PanelUpdate {
  return isModelUpdate(value) || isTransitionUpdate(value) || isExportUpdate(value) || isTroubleUpdate(value);
}
