import type { Analysis } from './analysis';

/** A lineage as a quick pick shows it. */
export function lineagesOf(
  analysis: Analysis,
  manifest: string,
): {
  readonly manifest: string;
  readonly lineage: string;
  readonly versions: readonly {
    readonly version: string;
    readonly module: string;
    readonly status: string;
  }[];
} {
  return {
    manifest,
    lineage: analysis.lineage.name,
    versions: analysis.lineage.versions.map((version) => ({
      version: version.name,
      module: version.module,
      status: version.entry.status.value,
    })),
  };
}
