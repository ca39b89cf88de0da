import type { Target } from './target';
import { c } from './targets/c';
import { diffs } from './targets/diffs';
import { edits } from './targets/edits';
import { elf } from './targets/elf';
import { lineage } from './targets/lineage';
import { manifest } from './targets/manifest';
import { table } from './targets/table';

/** Everything that is fuzzed. */
export const TARGETS: readonly Target[] = [c, manifest, diffs, table, elf, edits, lineage];
