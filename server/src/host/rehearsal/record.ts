import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { versionByName } from '../../core/lineage/lineage';
import { formatStep, type Step } from '../../core/manifest/steps';
import type { Analysis } from '../../features/analysis';
import type { Rehearsed } from '../../features/panel-model';

/** What is kept of one rehearsal: enough to say when, on which kernel, and whether the prediction held. */
interface RehearsalRecord extends Rehearsed {
  readonly steps: readonly string[];
  /** Of the sources that were built: another text, and the record is of something else. */
  readonly sources: string;
}

/** Records kept for one manifest. */
const MOST_RECORDS = 200;

/** Where records are kept, outside of everybody's sources: LIVEPATCH_LINEAGE_STATE, or the XDG state folder. */
function stateFolder(): string {
  const { LIVEPATCH_LINEAGE_STATE: named, XDG_STATE_HOME: xdg } = process.env;
  if (named) return resolve(named);
  return join(xdg ? resolve(xdg) : join(homedir(), '.local', 'state'), 'livepatch-lineage');
}

function recordFile(manifest: string): string {
  const name = createHash('sha256').update(manifest).digest('hex').slice(0, 24);
  return join(stateFolder(), `rehearsals-${name}.json`);
}

/** Hash over the text of every file that the modules named by the steps are built from. */
function sourcesKey(analysis: Analysis, steps: readonly Step[]): string {
  const hash = createHash('sha256');
  const names = new Set(steps.flatMap((step) => ('name' in step ? [step.name] : [])));
  for (const name of [...names].sort()) {
    const version = versionByName(analysis.lineage, name);
    const target = analysis.lineage.targets.find((it) => it.module === name);
    const files = version
      ? analysis.filesOf(version)
      : (target?.program?.units ?? []).flatMap((unit) => unit.files);
    const defines = [...(version?.entry.defines ?? [])].map(([key, { value }]) => [key, value]);
    hash.update(JSON.stringify([name, version?.module, defines]));
    for (const file of files) hash.update(`\0${analysis.text(file)}`);
  }
  return hash.digest('hex');
}

/** Keeps what a rehearsal showed. A folder that cannot be written costs the record and nothing else. */
export function keepRecord(analysis: Analysis, steps: readonly Step[], seen: Rehearsed): void {
  const file = recordFile(analysis.manifestFile);
  const texts = steps.map(formatStep);
  const record: RehearsalRecord = { ...seen, steps: texts, sources: sourcesKey(analysis, steps) };
  const others = readRecords(file).filter((it) => it.steps.join(';') !== texts.join(';'));
  try {
    mkdirSync(stateFolder(), { recursive: true });
    const beside = `${file}.${process.pid}.tmp`;
    writeFileSync(beside, JSON.stringify([record, ...others].slice(0, MOST_RECORDS)));
    renameSync(beside, file);
  } catch {
    // A rehearsal is worth showing even where nothing can be kept.
  }
}

/**
 * Tells what steps showed when they were rehearsed with the sources as they are now; null where they were not. What is
 * kept is read once, here.
 */
export function recordsOf(analysis: Analysis): (steps: readonly Step[]) => Rehearsed | null {
  const records = new Map(
    readRecords(recordFile(analysis.manifestFile)).map((it) => [it.steps.join(';'), it]),
  );
  return (steps) => {
    const found = records.get(steps.map(formatStep).join(';'));
    if (!found || found.sources !== sourcesKey(analysis, steps)) return null;
    const { release, when, same, crash } = found;
    return { release, when, same, crash };
  };
}

function readRecords(file: string): RehearsalRecord[] {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(value) ? value.filter(isRecord) : [];
  } catch {
    return [];
  }
}

function isRecord(value: unknown): value is RehearsalRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { release, when, same, crash, steps, sources } = value as Record<string, unknown>;
  return (
    typeof release === 'string' &&
    typeof when === 'string' &&
    typeof same === 'boolean' &&
    (crash === null || typeof crash === 'string') &&
    Array.isArray(steps) &&
    typeof sources === 'string'
  );
}
