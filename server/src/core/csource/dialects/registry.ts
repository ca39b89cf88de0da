import type { Dialect, SourceFile } from './dialect';
import { klpBuildDialect } from './klp-build';
import { kpatchDialect } from './kpatch';
import { moduleDialect } from './module';
import { suseDialect } from './suse';

/** Every dialect that is read, in the order in which `dialect: auto` asks them; the last one takes what is left. */
const DIALECTS: readonly Dialect[] = [suseDialect, klpBuildDialect, kpatchDialect, moduleDialect];

/** The dialect that the manifest names, or the one that recognises the files. */
export function dialectFor(name: string, files: readonly SourceFile[], kernelRelease: string): Dialect {
  return (
    DIALECTS.find((dialect) => dialect.name === name) ??
    DIALECTS.find((dialect) => dialect.recognises(files, kernelRelease)) ??
    moduleDialect
  );
}
