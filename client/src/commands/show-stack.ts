import { chooseLineage } from '../lineages';
import type { StackPanels } from '../panel/stack-panels';
import type { ServerHandle } from '../server-handle';

/** Livepatch: Show Version Stack. `manifest` is a URI, where the caller knows which lineage it means. */
export async function showStack(
  server: ServerHandle,
  panels: StackPanels,
  manifest?: unknown,
): Promise<void> {
  const lineage = await chooseLineage(server, typeof manifest === 'string' ? manifest : undefined);
  if (lineage !== undefined) panels.show(lineage.manifest, lineage.lineage);
}
