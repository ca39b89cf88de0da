/** The picture in words: what the text view shows, and what a drawing carries as its description. Pure. */
import type {
  PanelCell,
  PanelDeed,
  PanelDeeds,
  PanelLane,
  PanelModel,
  PanelSource,
  PanelTransition,
} from '../../server/src/features/panel-model';
import { shown } from './shown-text';
import { laneName, markName } from './timeline-layout';
import {
  count,
  objectName,
  rehearsalWords,
  summary,
  VERDICTS,
  verdictTitle,
  verdictWords,
  versionWord,
} from './words';

/** The lineage in one sentence or three. */
export function describeModel(model: PanelModel): string {
  const verdicts = VERDICTS.map((verdict) => {
    const n = model.matrix.filter((cell) => cell.verdict === verdict).length;
    return n === 0 ? '' : `${n} ${verdict}`;
  }).filter((words) => words !== '');
  const stack = [...model.versions]
    .reverse()
    .map((version) => `${shown(version.version)} (${version.status})`);
  return `${shown(model.lineage)}: ${summary(model)}. Newest first: ${stack.join(', ')}. Of ${count(model.matrix.length, 'transition')}: ${verdicts.join(', ')}.`;
}

/** One transition as sentences: verdict, then what each lane shows. */
export function describeTransition(transition: PanelTransition): string[] {
  return [
    `From ${shown(versionWord(transition.from))} to ${shown(versionWord(transition.to))}: ${verdictTitle(transition.verdict, transition.certainty)}. ${shown(transition.sentence, 2000)}`,
    ...transition.lanes.map((lane) => `${laneWords(lane)}.`),
    ...transition.callbacks.map(
      (one) => `${deedsTitle(one)}: ${one.deeds.map(deedWords).join('; ') || NO_DEEDS}.`,
    ),
  ];
}

export const NO_DEEDS = 'nothing that outlives the call';

/** `v2 · vmlinux pre_patch` */
export function deedsTitle({ version, object, callback }: PanelDeeds): string {
  return `${shown(version)} · ${shown(objectName(object))} ${shown(callback)}`;
}

/** `makes debugfs file net_status, undone by post_unpatch, left over: use-after-free` */
export function deedWords(deed: PanelDeed): string {
  const undo = deed.undoneBy.map((one) => shown(one.callback)).join(', ') || 'nobody';
  return [
    `${deed.does} ${shown(deed.noun)} ${shown(deed.key)}${deed.certainty === 'may' ? ' (perhaps)' : ''}`,
    ...(deed.does === 'makes' ? [`undone by ${undo}`] : []),
    ...(deed.left === null ? [] : [`left over: ${shown(deed.left)}`]),
  ].join(', ');
}

function laneWords(lane: PanelLane): string {
  const { name, kind } = laneName(lane);
  const title = kind === '' ? shown(name) : `${shown(kind)} ${shown(name)}`;
  const parts =
    lane.k === 'callbacks'
      ? lane.marks.map((mark) => `${shown(markName(mark))} (${mark.moment + 1})`)
      : lane.spans.map((span) => `${shown(span.label)} (${range(span.first, span.last)})`);
  return `${title}: ${parts.length === 0 ? 'nothing' : parts.join(', ')}`;
}

function range(first: number, last: number): string {
  return first === last ? String(first + 1) : `${first + 1} to ${last + 1}`;
}

export interface MomentEntry {
  readonly text: string;
  readonly source: PanelSource | null;
}

export interface MomentWords {
  readonly title: string;
  readonly step: string | null;
  readonly entries: readonly MomentEntry[];
}

/** Moment by moment: what is called, what is not, what changes and what the kernel prints. */
export function describeMoments(transition: PanelTransition): MomentWords[] {
  const entries: MomentEntry[][] = transition.moments.map(() => []);
  const add = (moment: number, text: string, source: PanelSource | null): void => {
    entries[moment]?.push({ text, source });
  };
  for (const lane of transition.lanes) {
    const { name, kind } = laneName(lane);
    const title = kind === '' ? name : `${kind} ${name}`;
    if (lane.k === 'callbacks')
      for (const mark of lane.marks) add(mark.moment, `${title}: ${markName(mark)}`, mark.source);
    else
      for (const span of lane.spans)
        add(span.first, `${title}: ${span.label}`, lane.k === 'effect' ? lane.source : null);
  }
  return transition.moments.map((moment, i) => {
    const step = transition.steps.find((one) => one.first === i);
    const result = step === undefined || step.result === 0 ? '' : `, result ${step.result}`;
    return {
      title: shown(moment.title),
      step: step === undefined ? null : `${shown(step.step)}${result}`,
      entries: entries[i] ?? [],
    };
  });
}

/** What a cell of the matrix says when read out. */
export function describeCell(cell: PanelCell): string {
  const because = cell.because === '' ? '' : `. ${shown(cell.because)}`;
  const seen = cell.rehearsed === null ? '' : `. ${rehearsalWords(cell.rehearsed)}`;
  return `${shown(cell.from)} to ${shown(cell.to)}: ${verdictWords(cell.verdict, cell.certainty)}${because}${seen}`;
}
