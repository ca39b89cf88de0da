/**
 * The protocol's libraries are CommonJS that TypeScript has written: each of their files begins with copies of the same
 * helpers (`__createBinding`, `__importStar`, …). While bundling, one copy takes the place of all that are the same.
 */

/** What a file exports, named at its head once more: only `__exportStar` asks whether it is there before it has a value. */
const ANNOUNCED = /^(?:exports\.\w+ = )+void 0;\n/gm;
const HELPER = /^var (__\w+) = \(this && this\.\1\) \|\| [\s\S]*?^\}.*;\n/gm;

/** The name under which the one copy is imported. */
export const HELPERS = 'ts-helpers';

/** A module with the helpers of these texts, by what they are called; of two with one name, the first. */
export function helpersIn(texts) {
  const helpers = new Map();
  for (const text of texts)
    for (const [whole, name] of text.matchAll(HELPER)) if (!helpers.has(name)) helpers.set(name, whole);
  return helpers;
}

/** `text` with those helpers taken from the one copy; a helper that is another one there stays. */
export function withSharedHelpers(text, helpers) {
  const names = [];
  const head = text.includes('__exportStar') ? text : text.replace(ANNOUNCED, '');
  const rest = head.replace(HELPER, (whole, name) => {
    if (helpers.get(name) !== whole) return whole;
    names.push(name);
    return '';
  });
  const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(rest));
  return used.length === 0 ? rest : `var { ${used.join(', ')} } = require("${HELPERS}");\n${rest}`;
}

/** The text of the one copy. */
export function helperModule(helpers) {
  return [...helpers].map(([name, text]) => `${text}exports.${name} = ${name};\n`).join('');
}
