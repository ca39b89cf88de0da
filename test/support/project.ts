import type { Analysis } from '../../server/src/features/analysis';
import { Disk } from '../../server/src/host/files';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { MemoryFiles } from './memory-files';

/** The analysis of a lineage on disk. */
export async function analyseFolder(manifest: string, root: string): Promise<Analysis> {
  await startParser();
  return new Project(manifest, root, new Disk()).analyse();
}

/** The analysis of a lineage whose files are given as texts by path relative to a made-up folder. */
export async function analyseTexts(texts: Readonly<Record<string, string>>): Promise<Analysis> {
  return (await projectOfTexts(texts)).project.analyse();
}

export async function projectOfTexts(
  texts: Readonly<Record<string, string>>,
): Promise<{ project: Project; files: MemoryFiles }> {
  await startParser();
  const files = new MemoryFiles('/lineage', texts);
  const manifest =
    Object.keys(texts).find((name) => name.endsWith('.yaml') || name.endsWith('.yml')) ?? 'livepatch.yaml';
  return { project: new Project(`/lineage/${manifest}`, '/lineage', files), files };
}
