import { type Lineage, type LineageVersion, versionByName } from '../core/lineage/lineage';
import { Failure } from './failure';

/** What an option says. Throws a Failure where it is left out: `what` is what it stands for. */
export function required(
  value: string | boolean | undefined,
  option: string,
  what: string,
  { usage }: { readonly usage: string },
): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Failure(`${option} is missing: ${what}; usage: klp-lineage ${usage}`);
}

/** What `--format` of a command with two of them says. Throws a Failure. */
export function textOrJson(option: string | boolean | undefined): 'text' | 'json' {
  const format = option ?? 'text';
  if (format === 'text' || format === 'json') return format;
  throw new Failure(`--format is text or json, not "${String(format)}"`);
}

/** The two versions of a transition; null for the clean kernel, which "none" stands for. Throws a Failure. */
export function versionPair(
  lineage: Lineage,
  from: string,
  to: string,
): { readonly origin: LineageVersion | null; readonly target: LineageVersion } {
  const target = versionByName(lineage, to);
  const origin = from === 'none' ? null : versionByName(lineage, from);
  if (!target || origin === undefined) throw new Failure(`no version is called "${target ? from : to}"`);
  if (target === origin) throw new Failure('the two versions are the same');
  return { origin, target };
}
