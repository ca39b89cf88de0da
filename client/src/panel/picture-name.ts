import type { PictureFormat } from '../../../server/src/features/panel-model';
import type { Pair } from './default-pair';

/** The name that is offered for a picture: letters, digits, `.`, `_` and `-`, since versions are named by other people. */
export function pictureName(lineage: string, pair: Pair | null, format: PictureFormat): string {
  const words = pair === null ? [lineage] : [lineage, pair.from, 'to', pair.to];
  const name = words.map((word) => word.slice(0, 40).replace(/[^\w.-]+/g, '-')).join('-');
  return `${name.replace(/^[.-]+/, '') || 'stack'}.${format}`;
}
