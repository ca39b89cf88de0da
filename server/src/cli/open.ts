import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Places } from '../core/places';
import { Disk, reasonOf } from '../host/files';
import { manifestsIn, nearestManifests, rootOf } from '../host/locate';
import { placesOf } from '../host/places-of';
import { type Analysis, Project } from '../host/project';
import { startParser } from '../host/start-parser';
import { Failure } from './failure';

export interface Opened {
  readonly manifest: string;
  readonly project: Project;
  readonly analysis: Analysis;
  readonly places: Places;
}

/** The manifest that PATH means: a manifest, a folder that holds one, or (without PATH) the nearest one upward. */
export function findManifest(path: string | undefined): string {
  const disk = new Disk();
  if (path === undefined) {
    return only(
      nearestManifests(disk, process.cwd()),
      'here or in a folder above; name one, or write a livepatch.yaml',
    );
  }
  const full = resolve(path);
  try {
    if (!statSync(full).isDirectory()) return full;
  } catch (error) {
    throw new Failure(`${path}: ${reasonOf(error)}`);
  }
  return only(manifestsIn(disk, full), `in ${path}; write a livepatch.yaml there`);
}

function only(found: readonly string[], where: string): string {
  const [first, second] = found;
  if (first === undefined) throw new Failure(`no manifest ${where}`);
  if (second !== undefined) {
    const names = found.map((path) => relative(process.cwd(), path)).join(', ');
    throw new Failure(`several manifests: ${names}; name one of them`);
  }
  return first;
}

/** Opens and analyses a lineage. A manifest that cannot be read at all ends the program with exit code 2. */
export async function openLineage(path: string | undefined): Promise<Opened> {
  const manifest = findManifest(path);
  await startParser();
  const disk = new Disk();
  const text = disk.read(manifest);
  if (typeof text !== 'string') throw new Failure(`${relative(process.cwd(), manifest)}: ${text.reason}`);
  const project = new Project(manifest, rootOf(manifest), disk);
  const analysis = project.analyse();
  return { manifest, project, analysis, places: placesOf(project) };
}

/** For commands that run the lineage: a manifest whose errors leave nothing to run is unusable input. */
export function requireUsable(opened: Opened): void {
  const { analysis, places } = opened;
  const problem = analysis.parsed.problems.find((item) => item.severity === 'error');
  if (analysis.lineage.versions.length > 0 && !problem) return;
  if (!problem) throw new Failure(`${places.file(opened.manifest)}: it names no version`);
  const line = places.line({ file: opened.manifest, ...problem.place });
  throw new Failure(`${places.file(opened.manifest)}:${line}: ${problem.message}`);
}
