import type { RunDocuments } from '../run-documents';
import type { ServerHandle } from '../server-handle';
import { choosePair } from './choose-pair';

/** Livepatch: Write Runbook. The safest way for an operator from one version to another, as a Markdown document. */
export async function runbook(
  server: ServerHandle,
  documents: RunDocuments,
  argument?: unknown,
): Promise<void> {
  const pair = await choosePair(server, argument);
  if (pair === undefined) return;
  const { lineage, manifest, from, to } = pair;
  await documents.show(lineage, { k: 'runbook', manifest, from, to });
}
