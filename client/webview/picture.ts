/** The picture of `graph`, made in the page: as SVG, or drawn from that as PNG. */
import type { PanelModel, PanelTransition } from '../../server/src/features/panel-model';
import { svgElement } from './dom';
import { drawScene } from './drawing';
import { layout } from './layout';
import { LIGHT } from './paint';

/** As wide as that of `graph`. */
const WIDTH = 1280;
/** More pixels than this take more memory than a picture is worth. */
const MOST_PIXELS = 2 ** 26;
const PNG = 'data:image/png;base64,';

/** In the colours of `graph`, whatever the editor's theme is: a picture is for other places than the editor. */
export function svgPicture(model: PanelModel, transition: PanelTransition | null): string {
  const scene = layout(model, transition, { width: WIDTH });
  return new XMLSerializer().serializeToString(svgElement(drawScene(scene, LIGHT)));
}

/** `svg` as PNG in Base64, twice as fine where that is not too large; null where it is too large as it is. */
export async function pngPicture(svg: string): Promise<string | null> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  for (const scale of [2, 1]) {
    const canvas = document.createElement('canvas');
    canvas.width = image.width * scale;
    canvas.height = image.height * scale;
    if (canvas.width * canvas.height > MOST_PIXELS) continue;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    // What the browser cannot draw answers with an empty one.
    const url = canvas.toDataURL();
    if (url.startsWith(PNG)) return url.slice(PNG.length);
  }
  return null;
}
