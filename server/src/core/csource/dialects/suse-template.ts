import type { Place } from '../../place';
import { FilledText } from './filled-text';
import type { PatchedFunc } from './patched-funcs';

/** A folder of the tree that holds one fix. */
export interface Fix {
  /** The folder's name, which is part of the names of its header and of its init and cleanup. */
  readonly name: string;
  /** Its patched_funcs.csv. */
  readonly file: string;
  readonly rows: readonly PatchedFunc[];
}

const PLACEHOLDER =
  /(?<![ \t])[ \t]*@@KLP_PATCHES_(INCLUDES|OBJS|INIT_CALLS|INIT_ERR_HANDLERS|CLEANUP_CALLS)@@[,;]?/g;

/** Whether the text is a livepatch_main.c whose tables and calls are still to be filled in. */
export function isTemplate(text: string): boolean {
  return text.includes('@@KLP_PATCHES_');
}

/**
 * Fills the template in as scripts/register-patches.sh does: fixes in the order of their names, vmlinux first and always
 * there, the other objects sorted. `fixes` come sorted.
 */
export function fillTemplate(file: string, template: string, fixes: readonly Fix[]): FilledText {
  const made = new FilledText();
  // The build says it of kernels that have no klp_register_patch() any more (5.1).
  made.put(
    '#if !defined(KLP_NOREG_API) && (!defined(LINUX_VERSION_CODE) || LINUX_VERSION_CODE >= 0x50100)\n#define KLP_NOREG_API\n#endif\n',
    { file, start: 0, end: 0 },
  );
  let at = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    const name = match[0].indexOf('@@');
    made.copy(template, { file, start: at, end: match.index });
    at = match.index + match[0].length;
    const place = { file, start: match.index + name, end: at };
    if (match[1] === 'OBJS') writeObjects(made, fixes, place);
    else made.put(calls(match[1] ?? '', fixes), place);
  }
  made.copy(template, { file, start: at, end: template.length });
  return made;
}

function calls(kind: string, fixes: readonly Fix[]): string {
  const names = fixes.map(({ name }) => name);
  switch (kind) {
    case 'INCLUDES':
      return names.map((name) => `#include "${name}/livepatch_${name}.h"\n`).join('');
    case 'INIT_CALLS':
      return names
        .map((name) => `\tretval = livepatch_${name}_init();\n\tif (retval)\n\t\tgoto err_${name};\n`)
        .join('');
    case 'INIT_ERR_HANDLERS':
      return names
        .reverse()
        .map((name) => `\tlivepatch_${name}_cleanup();\nerr_${name}:\n`)
        .join('');
    default:
      return names.map((name) => `\tlivepatch_${name}_cleanup();\n`).join('');
  }
}

interface Row {
  readonly row: PatchedFunc;
  readonly file: string;
}

function writeObjects(made: FilledText, fixes: readonly Fix[], placeholder: Place): void {
  const objects = new Map<string, Row[]>([['vmlinux', []]]);
  for (const { file, rows } of fixes)
    for (const row of rows)
      objects.set(row.object.text, [...(objects.get(row.object.text) ?? []), { row, file }]);
  const names = [...objects.keys()].filter((name) => name !== 'vmlinux').sort();
  for (const name of ['vmlinux', ...names]) writeObject(made, name, objects.get(name) ?? [], placeholder);
  made.put('\t{ }\n', placeholder);
}

function writeObject(made: FilledText, name: string, rows: readonly Row[], placeholder: Place): void {
  const [first] = rows;
  const kernel = name === 'vmlinux';
  // Every livepatch replaces uname(), so vmlinux is there in any case.
  const around = kernel ? null : commonCondition(rows);
  const place = first ? placeOf(first, first.row.object) : placeholder;
  if (around !== null && first?.row.condition)
    made.put(`#if ${around}\n`, placeOf(first, first.row.condition));
  made.put('\t{\n\t\t.name = ', place);
  made.put(kernel ? 'NULL' : `"${name}"`, place);
  made.put(',\n\t\t.funcs = (struct klp_func[]) {\n', place);
  if (kernel) made.put(UNAME, placeholder);
  for (const row of rows) writeFunction(made, row, around);
  made.put('\t\t\t{ }\n\t\t}\n\t},\n', place);
  if (around !== null) made.put('#endif\n', place);
}

function writeFunction(made: FilledText, of: Row, around: string | null): void {
  const { row } = of;
  const whole = placeOf(of, row.place);
  const condition = row.condition?.text === around ? null : row.condition;
  if (condition) made.put(`#if ${condition.text}\n`, placeOf(of, condition));
  made.put('\t\t\t{ .old_name = ', whole);
  made.put(`"${row.old.text}"`, placeOf(of, row.old));
  made.put(', .new_func = ', whole);
  made.put(row.replacement.text, placeOf(of, row.replacement));
  made.put(row.sympos === null ? ', },\n' : `, .old_sympos = ${row.sympos}, },\n`, whole);
  if (condition) made.put('#endif\n', placeOf(of, condition));
}

/** The condition under which an object is there at all; null where one of its rows has none. */
function commonCondition(rows: readonly Row[]): string | null {
  const conditions = new Set(rows.map(({ row }) => row.condition?.text ?? null));
  if (conditions.has(null)) return null;
  const [only] = conditions;
  return conditions.size === 1 ? (only ?? null) : [...conditions].map((it) => `(${it})`).join(' || ');
}

function placeOf({ file }: Row, { start, end }: { readonly start: number; readonly end: number }): Place {
  return { file, start, end };
}

/** Where the tree has the header that names system calls. */
const UNAME = `#ifdef KLP_SYSCALL_SYM
			{ .old_name = __stringify(KLP_SYSCALL_SYM(newuname)), .new_func = KLP_SYSCALL_SYM(klp_newuname), },
#ifdef KLP_ARCH_HAS_SYSCALL_COMPAT_STUBS
			{ .old_name = __stringify(KLP_SYSCALL_COMPAT_STUB_SYM(newuname)), .new_func = KLP_SYSCALL_COMPAT_STUB_SYM(klp_newuname), },
#endif
#endif
`;
