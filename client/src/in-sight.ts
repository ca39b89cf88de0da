import * as vscode from 'vscode';
import { MANIFEST_GLOB } from './documents';

/**
 * The context key that package.json's `when` clauses ask: `known` where a manifest is in sight, `none` where there are
 * livepatch sources and no manifest, and not set in a workspace that has nothing to do with livepatches.
 */
export const LINEAGE_CONTEXT = 'livepatch.lineage';

/** What of livepatches is in sight. */
export class InSight {
  #manifest = false;
  #sources = false;

  /** A manifest is open, was made, or has been analysed. */
  manifest(): void {
    this.#manifest = true;
    this.#tell();
  }

  /** A source that includes linux/livepatch.h is open. */
  sources(): void {
    this.#sources = true;
    this.#tell();
  }

  /** Looks through the workspace; resolves with whether a manifest is there that the server can read. */
  async look(): Promise<boolean> {
    const found = await vscode.workspace.findFiles(MANIFEST_GLOB, '**/{node_modules,.git}/**', 20);
    this.#manifest = found.length > 0;
    this.#tell();
    return found.some(({ scheme }) => scheme === 'file');
  }

  #tell(): void {
    const value = this.#manifest ? 'known' : this.#sources ? 'none' : undefined;
    void vscode.commands.executeCommand('setContext', LINEAGE_CONTEXT, value);
  }
}
