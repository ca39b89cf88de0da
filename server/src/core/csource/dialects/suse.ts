import type { Dialect, DialectInput, Reading, ReadingProblem, SourceFile } from './dialect';
import { readPatchedFuncs } from './patched-funcs';
import { type Fix, fillTemplate, isTemplate } from './suse-template';

const MAIN = 'livepatch_main.c';
const TABLE = 'patched_funcs.csv';
/** Folders of the tree that hold no fix. */
const OTHERS = new Set(['rpm', 'scripts', 'uname_patch']);

/**
 * A tree of SUSE's kernel-livepatch: a template beside one folder for each fix. The template is filled in, and every
 * other .c file is a translation unit as it stands.
 */
export const suseDialect: Dialect = {
  name: 'suse',
  recognises: (files) => {
    const text = mainOf(files)?.text();
    return text !== undefined && isTemplate(text);
  },
  read,
};

function read({ module, files }: DialectInput): Reading {
  const main = mainOf(files);
  const [first] = files;
  if (main === undefined || first === undefined) {
    const message = `no ${MAIN} is among the sources: name the folder of the whole tree`;
    const place = { file: first?.file ?? '', start: 0, end: 0 };
    return { units: [], texts: new Map(), problems: first ? [{ message, place }] : [] };
  }
  const root = main.file.slice(0, -MAIN.length);
  // Another tree below this one is one that was prepared for a build, or another version.
  const nested = files
    .filter(({ file }) => file.endsWith(`/${MAIN}`) && file !== main.file)
    .map(({ file }) => file.slice(0, -MAIN.length));
  const inTree = files.filter(
    ({ file }) => file.startsWith(root) && !nested.some((folder) => file.startsWith(folder)),
  );
  const problems: ReadingProblem[] = [];
  const fixes = fixesOf(root, inTree, problems);
  const made = fillTemplate(main.file, main.text() ?? '', fixes);
  const name = `${MAIN} of ${module}`;
  const units = inTree.map(({ file }) => file).filter((file) => isUnit(file.slice(root.length)));
  return {
    units: [name, ...units],
    texts: new Map([[name, made.text]]),
    relocate: (place) => (place.file === name ? (made.original(place.start, place.end) ?? place) : place),
    problems,
    include: [root],
  };
}

/** The template nearest to the top. */
export function mainOf(files: readonly SourceFile[]): SourceFile | undefined {
  let found: SourceFile | undefined;
  for (const file of files) {
    if (!file.file.endsWith(`/${MAIN}`) && file.file !== MAIN) continue;
    if (found === undefined || depth(file) < depth(found)) found = file;
  }
  return found;
}

function depth({ file }: SourceFile): number {
  return file.split('/').length;
}

function isUnit(path: string): boolean {
  const [top = ''] = path.split('/');
  return path.endsWith('.c') && !path.endsWith(MAIN) && top !== 'rpm' && top !== 'scripts';
}

function fixesOf(root: string, files: readonly SourceFile[], problems: ReadingProblem[]): Fix[] {
  const inFolder = new Map<string, SourceFile[]>();
  for (const file of files) {
    const [folder = '', ...rest] = file.file.slice(root.length).split('/');
    if (rest.length !== 1 || OTHERS.has(folder) || folder.startsWith('.')) continue;
    inFolder.set(folder, [...(inFolder.get(folder) ?? []), file]);
  }
  // Names of headers say something only where headers are among the sources.
  const headers = files.some(({ file }) => file.endsWith('.h'));
  const fixes: Fix[] = [];
  for (const folder of [...inFolder.keys()].sort()) {
    const own = inFolder.get(folder) ?? [];
    const named = (name: string): SourceFile | undefined =>
      own.find(({ file }) => file === `${root}${folder}/${name}`);
    const table = named(TABLE);
    const header = named(`livepatch_${folder}.h`);
    const problem = (missing: string): void => {
      const place = { file: (table ?? header ?? own[0])?.file ?? '', start: 0, end: 0 };
      const message = `${folder} has no ${missing}: the build stops at a fix without it`;
      problems.push({ message, place });
    };
    if (table === undefined) {
      if (header) problem(TABLE);
      continue;
    }
    if (headers && header === undefined) problem(`livepatch_${folder}.h`);
    const { rows, problems: wrong } = readPatchedFuncs(table.text() ?? '');
    for (const { message, place } of wrong) problems.push({ message, place: { file: table.file, ...place } });
    fixes.push({ name: folder, file: table.file, rows });
  }
  return fixes;
}
