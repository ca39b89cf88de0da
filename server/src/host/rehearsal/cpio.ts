/** An initramfs archive ("newc" format of cpio, as Documentation/driver-api/early-userspace/buffer-format.rst has it). */

export interface ArchiveFile {
  /** Without a leading slash. */
  readonly path: string;
  /** File type and permissions, as in st_mode. */
  readonly mode: number;
  readonly content: Uint8Array;
  /** Of a device node. */
  readonly device?: { readonly major: number; readonly minor: number };
}

export const MODE = {
  folder: 0o040755,
  program: 0o100755,
  file: 0o100644,
  characterDevice: 0o020600,
} as const;

/** The archive; folders have to be listed before what is in them. */
export function archive(files: readonly ArchiveFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  [...files, { path: 'TRAILER!!!', mode: 0, content: new Uint8Array() }].forEach((file, index) => {
    parts.push(header(file, index + 1), padding(110 + Buffer.byteLength(file.path) + 1));
    parts.push(file.content, padding(file.content.length));
  });
  return Buffer.concat(parts);
}

function header(file: ArchiveFile, inode: number): Uint8Array {
  const fields = [
    inode,
    file.mode,
    0,
    0,
    1,
    0,
    file.content.length,
    0,
    0,
    file.device?.major ?? 0,
    file.device?.minor ?? 0,
    Buffer.byteLength(file.path) + 1,
    0,
  ];
  const digits = fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('');
  return Buffer.from(`070701${digits}${file.path}\0`);
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
