/** Addresses of the documents that tell a run or a transition: all that they are made from stands in them. Pure. */

export const RUN_SCHEME = 'livepatch-run';

export type RunAddress =
  | { readonly k: 'simulate'; readonly manifest: string; readonly steps: string }
  | {
      readonly k: 'explain' | 'runbook';
      readonly manifest: string;
      readonly from: string;
      readonly to: string;
    };

/** The parts of the address: `path` gives the tab its name and the text its language, `query` says what it is. */
export function addressParts(
  lineage: string,
  address: RunAddress,
): { readonly path: string; readonly query: string } {
  const name =
    address.k === 'simulate'
      ? `${lineage} run.log`
      : `${lineage} ${address.k === 'runbook' ? 'runbook ' : ''}${address.from} to ${address.to}.md`;
  return { path: `/${name.replaceAll(/[/\\?#]/g, '-')}`, query: JSON.stringify(address) };
}

/** What an address stands for; null for one that was not made here. */
export function readAddress(query: string): RunAddress | null {
  let value: unknown;
  try {
    value = JSON.parse(query);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { k, manifest, steps, from, to } = value as Record<string, unknown>;
  if (typeof manifest !== 'string') return null;
  if (k === 'simulate' && typeof steps === 'string') return { k, manifest, steps };
  if ((k === 'explain' || k === 'runbook') && typeof from === 'string' && typeof to === 'string')
    return { k, manifest, from, to };
  return null;
}
