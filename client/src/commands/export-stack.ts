import type { PictureFormat } from '../../../server/src/features/panel-model';
import { chooseLineage } from '../lineages';
import type { StackPanels } from '../panel/stack-panels';
import type { ServerHandle } from '../server-handle';

/** Livepatch: Export Stack as SVG, as PNG. The panel's page draws the picture, so the panel is shown. */
export async function exportStack(
  server: ServerHandle,
  panels: StackPanels,
  format: PictureFormat,
  manifest?: unknown,
): Promise<void> {
  const lineage = await chooseLineage(server, typeof manifest === 'string' ? manifest : undefined);
  if (lineage !== undefined) panels.show(lineage.manifest, lineage.lineage).export(format);
}
