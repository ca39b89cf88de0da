import type { Plugin } from 'esbuild';

export interface ClassStyle {
  /** The line that opens a class whose members are looked through. */
  readonly opens: RegExp;
  /** The line that closes it. */
  readonly closes: string;
  /** What its members are indented by. */
  readonly indent: string;
}

/** The texts of a library without the methods that neither `users` nor what stays of it name. */
export function withoutUnusedMembers(
  texts: readonly string[],
  users: readonly string[],
  style: ClassStyle,
): string[];

export const leanLibraries: Plugin;
