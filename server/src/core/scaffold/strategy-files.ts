import type { CallPart } from '../execution/catalogue-row';
import type { Effect } from '../execution/effects';
import { commentText, cString } from './c-text';
import { type Answer, type Patient, type Refusal, stateGuard, whatOf } from './patient';
import { isPortable, type Portable } from './portable';
import type { Guard, Remedy } from './remedy';

/** Files that another module finds again by their name: debugfs, proc, sysfs. */

const FAMILIES = new Set(['debugfs', 'proc', 'sysfs file', 'sysfs link', 'sysfs binary file']);

/** The first release whose debugfs_remove() takes a folder's content along. */
const RECURSIVE_REMOVE = '5.6';

/** `holdsOthers`: files of the same version stand below this one. */
export function fileRemedy(patient: Patient, effect: Effect, holdsOthers: boolean): Answer {
  const { family } = effect.row;
  if (!FAMILIES.has(family)) return null;
  const name = nameOf(effect);
  if (name === null) return null;
  const folder = argumentOf(
    patient,
    effect,
    effect.row.identity[family === 'debugfs' || family === 'proc' ? 1 : 0],
  );
  if ('because' in folder)
    return { because: `its folder cannot be named from another module: ${folder.because}` };
  const own: Guard = stateGuard(patient, folder.state, folder.data) ?? { k: 'itself' };
  if (folder.state !== null && own.k === 'itself')
    return { because: 'its folder stands in a state that the good version declares too' };
  const remedy = (part: Partial<Remedy> & Pick<Remedy, 'body' | 'explanation' | 'headers'>): Remedy => ({
    strategy: 'name',
    what: whatOf(effect),
    version: patient.version,
    place: effect.by.place,
    guard: own,
    verb: 'remove',
    object: effect.key,
    declarations: [],
    definitions: new Map(),
    foreign: folder.names.length > 0,
    last: false,
    ...part,
  });
  const said = report(effect, patient);
  switch (family) {
    case 'debugfs': {
      const remove =
        patient.capabilities.api(RECURSIVE_REMOVE, null) === 'yes'
          ? 'debugfs_remove'
          : 'debugfs_remove_recursive';
      return remedy({
        declarations: [`struct dentry *entry = debugfs_lookup(${cString(name)}, ${folder.text});`],
        body: ['if (!entry)', '\treturn;', '', `${remove}(entry);`, 'dput(entry);', said],
        explanation: `It is looked up by its name: one of that name is taken for that of ${patient.version.name}, and where there is none there is nothing to do.`,
        headers: ['linux/dcache.h', 'linux/debugfs.h', 'linux/printk.h'],
      });
    }
    case 'proc': {
      if (own.k !== 'state') {
        return {
          because:
            'the kernel has no lookup for proc entries and warns when one is removed that is not there, and ' +
            `${patient.version.name} declares no klp_state of its own that would tell whether it was installed`,
        };
      }
      const remove = holdsOthers ? 'remove_proc_subtree' : 'remove_proc_entry';
      return remedy({
        body: [`${remove}(${cString(name)}, ${folder.text});`, said],
        explanation: 'It is removed by its name; the state tells that it is there.',
        headers: ['linux/printk.h', 'linux/proc_fs.h'],
      });
    }
    case 'sysfs link':
      return remedy({
        body: [`sysfs_remove_link(${folder.text}, ${cString(name)});`],
        explanation: 'It is removed by its name; where there is none nothing happens.',
        headers: ['linux/sysfs.h'],
      });
    case 'sysfs binary file':
      return remedy({
        declarations: [`const struct bin_attribute file = { .attr = { .name = ${cString(name)} } };`],
        body: [`sysfs_remove_bin_file(${folder.text}, &file);`],
        explanation:
          'sysfs finds it by the name of the attribute alone; where there is none nothing happens.',
        headers: ['linux/sysfs.h'],
      });
    default:
      return remedy({
        declarations: [`const struct attribute file = { .name = ${cString(name)} };`],
        body: [`sysfs_remove_file(${folder.text}, &file);`],
        explanation:
          'sysfs finds it by the name of the attribute alone; where there is none nothing happens.',
        headers: ['linux/sysfs.h'],
      });
  }
}

/** A log line for what was there and is removed. */
export function report(effect: Effect, patient: Patient, done = 'removed'): string {
  const text = commentText(`${done} ${whatOf(effect)} of ${patient.version.name}`);
  return `pr_info(${cString(`${text.replaceAll('%', '%%')}\n`)});`;
}

/** The file's name: the only part of the identity that is a text. */
function nameOf(effect: Effect): string | null {
  for (const part of effect.identity) {
    if (typeof part === 'object' && part.k === 'string') return part.text.slice(part.offset);
  }
  return null;
}

/** An argument of the call that made the effect, in the words of another module. */
export function argumentOf(patient: Patient, effect: Effect, part: CallPart | undefined): Portable | Refusal {
  const found = patient.code.at(effect.by.place, effect.by.function);
  if (!found || found.expr.k !== 'call' || !part || !('arg' in part))
    return { because: 'the call that made it could not be read' };
  const argument = found.expr.args[part.arg];
  if (argument === undefined) return { because: 'the call that made it has too few arguments' };
  const translated = patient.translator.translate(found.unit, found.fn, argument);
  if (!isPortable(translated)) return translated;
  const isNull = /^\(void \*\)0$|^0$/.test(translated.text);
  return isNull ? { ...translated, text: 'NULL', level: 3 } : translated;
}
