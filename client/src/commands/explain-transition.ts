import type { RunDocuments } from '../run-documents';
import type { ServerHandle } from '../server-handle';
import { choosePair } from './choose-pair';

/** Livepatch: Explain Transition. Asks for two versions and tells in prose what one does when it replaces the other. */
export async function explainTransition(
  server: ServerHandle,
  documents: RunDocuments,
  argument?: unknown,
): Promise<void> {
  const pair = await choosePair(server, argument);
  if (pair === undefined) return;
  const { lineage, manifest, from, to } = pair;
  await documents.show(lineage, { k: 'explain', manifest, from, to });
}
