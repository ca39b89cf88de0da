/** Which transition the panel shows first. Pure. */
import type { PanelModel, VerdictWord } from '../../../server/src/features/panel-model';

export interface Pair {
  readonly from: string;
  readonly to: string;
}

const WORST: Readonly<Record<VerdictWord, number>> = { unsafe: 3, refused: 2, leaves: 1, clean: 0 };

/** `wanted` if the lineage still has it; else the worst step between neighbours, newest first; null without versions. */
export function pairToShow(model: PanelModel, wanted: Pair | null): Pair | null {
  const names = model.versions.map((version) => version.version);
  const has = (name: string): boolean => names.includes(name);
  if (
    wanted !== null &&
    wanted.from !== wanted.to &&
    has(wanted.to) &&
    (wanted.from === 'none' || has(wanted.from))
  )
    return { from: wanted.from, to: wanted.to };
  const steps: Pair[] = [];
  for (let i = names.length - 1; i >= 0; i--) {
    const above = names[i];
    const below = names[i - 1];
    if (above === undefined) continue;
    steps.push({ from: below ?? 'none', to: above });
    if (below !== undefined) steps.push({ from: above, to: below });
  }
  let worst: Pair | null = null;
  let rank = -1;
  for (const step of steps) {
    const cell = model.matrix.find((one) => one.from === step.from && one.to === step.to);
    const at = cell === undefined ? -0.5 : WORST[cell.verdict];
    if (at > rank) {
      worst = step;
      rank = at;
    }
  }
  return worst;
}
