/** Words that some YAML reader takes for something else than text. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n|\.inf|\.nan)$/i;
const SAFE = /^[A-Za-z_][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*$/;

/**
 * A text as a YAML scalar on one line that every YAML reader takes for that text, also inside `[ ]` and `{ }`:
 * plain where that is beyond doubt, else in double quotes with escapes.
 */
export function yamlText(text: string): string {
  if (SAFE.test(text) && !RESERVED.test(text)) return text;
  // oxlint-disable-next-line no-control-regex -- what JSON leaves unescaped and YAML does not print
  const invisible = /[\u007f-\u00a0\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;
  return JSON.stringify(text).replace(
    invisible,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A value as it stands in a manifest, in flow style: text, number, boolean, list or map. */
export type YamlValue =
  | string
  | number
  | boolean
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue };

export function yamlFlow(value: YamlValue): string {
  if (typeof value === 'string') return yamlText(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(yamlFlow).join(', ')}]`;
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  return `{ ${entries.map(([key, item]) => `${yamlText(key)}: ${yamlFlow(item)}`).join(', ')} }`;
}

function isList(value: object): value is readonly YamlValue[] {
  return Array.isArray(value);
}
