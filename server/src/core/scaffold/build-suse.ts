import { workTreePath } from '../blob-names';
import { mainOf } from '../csource/dialects/suse';
import { appendVersion } from '../manifest/edit';
import type { Place } from '../place';
import { type Built, licenseOf, manifestEntry } from './build';
import { slug } from './c-text';
import type { Cast } from './checks';
import { cleanupHeader, cleanupSource } from './emit-c';
import { dirname, join, relativePath } from './layout';
import { applyChanges } from './merge';
import { includedHeaders } from './own-text';
import type { Remedy } from './remedy';
import type { StatePlan } from './states';
import type { NewFile, Subject } from './subject';

/**
 * The cleanup version in SUSE's layout: the good version's tree with one fix folder more. The cleanup is a post_patch of
 * vmlinux, which no row of a patched_funcs.csv can name: the copy of livepatch_main.c gets one line that does. An init of
 * the fix would be too early, as the faulty version is still in force then, and a failed load would leave it dismantled.
 */
export function buildSuse(
  subject: Subject,
  cast: Cast,
  states: StatePlan,
  remedies: readonly Remedy[],
  out: string | null,
  where: (place: Place) => string,
): Built | readonly string[] {
  const { good, faulty, names } = cast;
  const inTree = treeOf(subject, cast);
  if (inTree === null) return [`${good.name}: its livepatch_main.c could not be read.`];
  const { main, root, copies } = inTree;
  const at = (file: string): string => where({ file, start: 0, end: 0 }).replace(/:1$/, '');
  if (states.states.some((state) => state.own === null))
    return [
      `${at(main)}: the template has no table of states, which the cleanup needs: write it by hand with a struct klp_state table and \`.states\`.`,
    ];
  const home = dirname(subject.manifestFile);
  const top = root === home || !root.startsWith(`${home}/`) ? home : dirname(root);
  const folder = out ?? join(top, names.folder);
  const fix = `klp_cleanup_${faulty.map((version) => slug(version.name)).join('_')}`;
  const callback = `${fix}_post_patch`;
  const template = subject.text(main);
  const wired = remedies.length > 0 ? wire(template, callback, `${names.version}: cleanup`) : template;
  if (typeof wired !== 'string') return [`${at(main)}: ${wired.reason}`];
  const files: NewFile[] = copies.map(({ from, path }) => ({
    path: join(folder, path),
    text: from === main ? wired : subject.text(from),
  }));
  const broken = copies.find(({ from }) => subject.text(from).includes('\ufffd'));
  if (broken) return [`${at(broken.from)}: the file is not UTF-8 and cannot be copied byte for byte.`];
  if (remedies.length > 0)
    files.push(...fixFiles(subject, cast, remedies, `${folder}/${fix}`, fix, callback, where));
  const blocked = files.filter((file) => subject.exists(file.path)).map((file) => at(file.path));
  if (blocked.length > 0)
    return [`${blocked.join(', ')}: exists already and is not overwritten. Choose another name or folder.`];
  const manifest = subject.text(subject.manifestFile);
  const sources = relativePath(home, folder);
  if (/[*?[\]{}()!]/.test(sources))
    return [`${sources}: the folder's name would be read as a pattern: choose another.`];
  const edit = appendVersion(manifest, { ...manifestEntry(cast, sources), dialect: 'suse' });
  if (!edit.ok) return [edit.reason];
  const bump = `Raise \`Version:\` in ${sources}/rpm/kernel-livepatch.spec before you build it.`;
  return {
    files,
    units: files.map((file) => file.path),
    layout: {
      folder,
      copies: [],
      outside: [],
      objects: [],
      cleanupSource: '',
      cleanupHeader: '',
      kbuild: '',
    },
    manifestText: applyChanges(manifest, edit.edits),
    manifestEdits: edit.edits,
    notes:
      remedies.length > 0
        ? [`livepatch_main.c of ${names.version} is a marked copy: one line sets the callback. ${bump}`]
        : [bump],
  };
}

/** The files of the good version's tree, by their path in it. */
function treeOf(
  subject: Subject,
  { good }: Cast,
): { main: string; root: string; copies: readonly { from: string; path: string }[] } | null {
  const files = subject.filesOf(good).filter((file) => subject.text(file) !== '' || subject.exists(file));
  const byPath = new Map(files.map((file) => [workTreePath(file), file]));
  const main = mainOf([...byPath.keys()].map((file) => ({ file, text: () => undefined })));
  if (main === undefined) return null;
  const root = dirname(main.file);
  const copies = [...byPath]
    .filter(([path]) => path.startsWith(`${root}/`) && path !== subject.manifestFile)
    .map(([path, from]) => ({ from, path: path.slice(root.length + 1) }));
  return { main: byPath.get(main.file) ?? main.file, root, copies };
}

/** The template with one statement behind the fixes' init calls; the table's name is the template's own. */
function wire(template: string, callback: string, mark: string): string | { readonly reason: string } {
  const table = /\bstruct\s+klp_object\s+(\w+)\s*\[\s*\]\s*=\s*\{\s*@@KLP_PATCHES_OBJS@@/.exec(template)?.[1];
  const calls = /^([ \t]*)@@KLP_PATCHES_INIT_CALLS@@;?[ \t]*(\r?\n)/m.exec(template);
  if (table === undefined || calls === null)
    return {
      reason:
        'the template does not hold its table of objects and the init calls as usual, so no callback can be wired in: write the cleanup by hand.',
    };
  if (/\.callbacks\b/.test(template))
    return { reason: 'the template sets callbacks of its own already: write the cleanup by hand.' };
  const [line = '', indent = '', end = '\n'] = calls;
  const at = calls.index + line.length;
  const added = [
    `${indent}/* ${mark}. vmlinux is the first object. */`,
    `${indent}${table}[0].callbacks.post_patch = ${callback};`,
    '',
  ].join(end);
  return `${template.slice(0, at)}${end}${added}${template.slice(at)}`;
}

function fixFiles(
  subject: Subject,
  { good, faulty, names }: Cast,
  remedies: readonly Remedy[],
  folder: string,
  fix: string,
  callback: string,
  where: (place: Place) => string,
): NewFile[] {
  const text = (file: string): string => subject.text(file);
  const foreign = faulty.flatMap((version) =>
    subject.unitsOf(version).flatMap((unit) => includedHeaders(unit, text)),
  );
  const header = `livepatch_${fix}.h`;
  const file = {
    restore: good.name,
    after: faulty.map((version) => version.name),
    as: names.version,
    license: licenseOf(subject, good),
    names: { header, cleanup: callback, wrapper: '', states: '', noFuncs: '' },
    remedies,
    states: [],
    noFuncs: false,
    foreignHeaders: [...new Set(foreign)],
    where: (remedy: Remedy) => (remedy.place ? where(remedy.place) : null),
  };
  const nothing = `static inline int livepatch_${fix}_init(void) { return 0; }\nstatic inline void livepatch_${fix}_cleanup(void) {}\n\n#endif /*`;
  return [
    { path: `${folder}/Kbuild.inc`, text: `CFLAGS_livepatch_${fix}.o += -Werror\n` },
    { path: `${folder}/${header}`, text: cleanupHeader(file).replace('#endif /*', () => nothing) },
    { path: `${folder}/livepatch_${fix}.c`, text: cleanupSource(file) },
    { path: `${folder}/patched_funcs.csv`, text: '' },
  ];
}
