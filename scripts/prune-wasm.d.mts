export function pruneWasm(bytes: Uint8Array, isUsed: (name: string) => boolean): Uint8Array;
