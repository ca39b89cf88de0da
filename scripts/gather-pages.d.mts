import type { Plugin } from 'esbuild';

/** The text of a rule's file without its page, and the page as it is written there; null where there is none. */
export function withoutPage(
  text: string,
  name: string,
): { readonly page: string; readonly text: string } | null;

export function gatherPages(root: string): Plugin;
