/** `bytes` with its tables packed and a first line that says so; null where the file is not known. */
export function packTables(bytes: Buffer): Buffer | null;
