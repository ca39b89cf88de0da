import { type Catalogue, catalogueWith, effectRowsOf } from '../core/execution/catalogue';
import { ownEffect } from '../core/lineage/assemble';
import type { Manifest } from '../core/manifest/manifest';
import type { RuleContext } from './context';

const KNOWN = new WeakMap<Manifest, Catalogue>();

/** The catalogue of side effects with the lineage's own pairs. */
export function catalogueOf(context: RuleContext): Catalogue {
  const { manifest } = context.lineage;
  let known = KNOWN.get(manifest);
  if (!known) {
    known = catalogueWith(effectRowsOf(manifest.effects.map(ownEffect)));
    KNOWN.set(manifest, known);
  }
  return known;
}
