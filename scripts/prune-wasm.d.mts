export function pruneWasm(
  bytes: Uint8Array,
  isUsed: (name: string) => boolean,
  unentered?: ReadonlySet<number>,
): Uint8Array;
