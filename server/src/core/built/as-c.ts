import type { BuiltModule, BuiltObject, BuiltPatch } from './built-module';

const KINDS = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'] as const;

/**
 * A built module as C to read: its tables in full, its functions declared only. What its callbacks do is not known,
 * and a run that calls one says so.
 */
export function builtAsC(module: BuiltModule): string {
  const lines: string[] = [];
  const { patch, init, exit } = module;
  if (patch) lines.push(...patchText(patch));
  if (init !== null) {
    lines.push(
      `static int ${name(init)}(void)`,
      '{',
      ...(patch?.replace === null ? [`\t${name(patch.variable)}.replace = read_when_loaded();`] : []),
      // Without a table of its own it makes one at load, and what that holds is not known.
      patch ? `\treturn klp_enable_patch(&${name(patch.variable)});` : '\treturn made_when_loaded();',
      '}',
      `module_init(${name(init)});`,
    );
  }
  if (exit !== null) lines.push(`static void ${name(exit)}(void)`, '{', '}', `module_exit(${name(exit)});`);
  if (module.license !== null) lines.push(`MODULE_LICENSE("${quoted(module.license)}");`);
  if (module.livepatchInfo) lines.push('MODULE_INFO(livepatch, "Y");');
  return `${lines.join('\n')}\n`;
}

function patchText(patch: BuiltPatch): string[] {
  const lines = patch.objects.flatMap((object, index) => [
    ...declarations(object),
    `static struct klp_func functions_${index}[] = {`,
    ...object.functions.map(
      (fn) =>
        `\t{ .old_name = "${quoted(fn.old)}", .new_func = ${name(fn.new)}, .old_sympos = ${fn.sympos} },`,
    ),
    ...(object.terminated ? ['\t{ }'] : []),
    '};',
  ]);
  lines.push('static struct klp_object objects[] = {');
  for (const [index, object] of patch.objects.entries()) {
    const callbacks = KINDS.flatMap((kind, at) => {
      const called = object.callbacks[at];
      return called ? [`.${kind} = ${name(called)}, `] : [];
    });
    const named = object.name === null ? '' : `.name = "${quoted(object.name)}", `;
    lines.push(`\t{ ${named}.funcs = functions_${index}, .callbacks = { ${callbacks.join('')}} },`);
  }
  lines.push(...(patch.terminated ? ['\t{ }'] : []), '};');
  if (patch.states.length > 0) {
    lines.push('static struct klp_state states[] = {');
    for (const { id, version } of patch.states) lines.push(`\t{ .id = ${id}UL, .version = ${version} },`);
    lines.push('\t{ }', '};');
  }
  lines.push(
    `static struct klp_patch ${name(patch.variable)} = {`,
    '\t.mod = THIS_MODULE, .objs = objects,',
    ...(patch.states.length > 0 ? ['\t.states = states,'] : []),
    ...(patch.replace ? ['\t.replace = true,'] : []),
    '};',
  );
  return lines;
}

function declarations(object: BuiltObject): string[] {
  return [
    ...object.functions.map((fn) => `extern void ${name(fn.new)}(void);`),
    ...object.callbacks.flatMap((called, at) =>
      called ? [`extern ${at === 0 ? 'int' : 'void'} ${name(called)}(struct klp_object *obj);`] : [],
    ),
  ];
}

/** Symbols of compilers may hold dots (`f.isra.0`), which C does not. */
function name(symbol: string): string {
  return symbol.replace(/[^A-Za-z0-9_]/g, '_') || 'unnamed';
}

/** A text of the module inside a C string, whatever it holds. */
function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- a line end would end the string
  return text.replace(/[\\"]/g, '\\$&').replace(/[\0-\x1f]/g, '?');
}
