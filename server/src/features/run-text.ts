import type { Run } from '../core/lineage/run';
import { describeEffect } from '../core/lineage/verdict';
import type { World } from '../core/lineage/world';
import { formatErrno } from '../core/manifest/errno';
import { formatStep } from '../core/manifest/steps';
import type { Places } from '../core/places';

/** A run told line by line, for a terminal: steps, callbacks, log, and what is left at the end. */
export function runText(run: Run, places: Places): string {
  return whole([...stepLines(run), '', ...verdictLines(run, places), ...notFailed(run)]);
}

/** Lines as a text. Names may hold line ends of their own, which begin no line here. */
function whole(lines: readonly string[]): string {
  return lines.map((line) => `${line.replaceAll('\n', '\\n')}\n`).join('');
}

/** The same as a document of its own: the verdict first, the whole predicted log at the end. */
export function runDocument(run: Run, places: Places): string {
  const { lineage } = run.end;
  const lines = [
    `${lineage.name} on kernel ${lineage.capabilities.release}`,
    `steps: ${run.steps.map(formatStep).join('; ')}`,
    ...verdictLines(run, places),
    ...notFailed(run),
    '',
    'what happens ("+" called, "-" skipped, "!" fault, indented: kernel log)',
    '',
    ...stepLines(run),
    '',
    'predicted kernel log, with dynamic debug on for kernel/livepatch',
    '',
    ...predictedLog(run),
  ];
  return whole(lines);
}

/** Failures that were asked for and did not come: the name may be misspelt. */
function notFailed({ end }: Run): string[] {
  return end.pendingFailures().map((it) => {
    const version = end.lineage.versions.find(({ module }) => module === it.module);
    const name = version?.name ?? it.module;
    const [called = '', count] = it.function.split('#');
    const why = count === undefined ? 'made no such call' : 'did not call it that often';
    return `  did not happen: fail ${name} ${called} (after that step ${name} ${why})`;
  });
}

/** The predicted kernel log, as dmesg without time stamps; lines of dynamic debug included. */
function predictedLog(run: Run): string[] {
  return run.outcomes.flatMap((outcome) =>
    outcome.happenings.flatMap((happening) => (happening.k === 'log' ? [happening.text] : [])),
  );
}

/** "0" or "-16 (EBUSY)" */
export function resultText(result: number): string {
  if (result >= 0) return String(result);
  const name = formatErrno(result);
  return /^\d+$/.test(name) ? String(result) : `${result} (${name})`;
}

function stepLines(run: Run): string[] {
  const lines: string[] = [];
  for (const outcome of run.outcomes) {
    const result = outcome.result === 0 ? '' : `  -> ${resultText(outcome.result)}`;
    lines.push(`% ${formatStep(outcome.step)}${result}`);
    for (const it of outcome.happenings) {
      if (it.k === 'log' && !it.debug) lines.push(`    ${it.text}`);
      else if (it.k === 'calling')
        lines.push(`  + ${callText(run.end, it.call)}${run.unsure.has(it.call) ? ' (may)' : ''}`);
      else if (it.k === 'kernel' && it.event.k === 'called' && it.event.result !== 0) {
        lines.push(`    ${callText(run.end, it.event.call)} answers ${it.event.result}`);
      } else if (it.k === 'kernel' && it.event.k === 'skipped') {
        const by = it.event.by === null ? '' : ` by ${versionText(run.end, it.event.by)}`;
        lines.push(`  - ${callText(run.end, it.event.call)} is skipped: ${it.event.because}${by}`);
      } else if (it.k === 'effect' && it.event.k === 'fault') lines.push(`  ! ${it.event.text}`);
    }
    if (outcome.transition) {
      lines.push(
        `  … ${versionText(run.end, outcome.transition.patch)} is still in transition to ${outcome.transition.to}`,
      );
    }
  }
  return lines;
}

function verdictLines(run: Run, places: Places): string[] {
  const lines = [`verdict: ${run.verdict.word}${run.verdict.certainty === 'may' ? ' (may)' : ''}`];
  for (const danger of run.verdict.dangers) {
    lines.push(`  unsafe: ${danger.text}${danger.place ? ` (${placeText(danger.place, places)})` : ''}`);
  }
  for (const leftover of run.verdict.leftovers) {
    const may = leftover.certainty === 'may' ? 'may stay' : 'stays';
    lines.push(
      `  left: ${describeEffect(leftover.effect)} of ${leftover.version?.name ?? '?'} ${may}: ${leftover.hazard} (${placeText(leftover.place, places)})`,
    );
  }
  for (const effect of run.verdict.kept) lines.push(`  kept as declared: ${describeEffect(effect)}`);
  for (const reason of run.unknown) {
    lines.push(`  unknown: ${reason.text}${reason.place ? ` (${placeText(reason.place, places)})` : ''}`);
  }
  return lines;
}

function placeText(place: Parameters<Places['at']>[0], places: Places): string {
  return places.text(place);
}

export function versionText(world: World, instance: number): string {
  const name = world.nameOf(instance);
  return name.version?.name ?? name.module;
}

/** "v2 vmlinux post_unpatch" */
export function callText(
  world: World,
  call: { readonly patch: number; readonly object: number; readonly callback: string },
): string {
  const object = world.objectOf(call) ?? 'vmlinux';
  return `${versionText(world, call.patch)} ${object} ${call.callback}`;
}
