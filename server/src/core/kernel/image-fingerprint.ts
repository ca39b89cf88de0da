import type { PatchImage } from './types';

const known = new WeakMap<PatchImage, string>();

/** A short text that is equal for equal images. Worked out once for each image object. */
export function imageFingerprint(image: PatchImage): string {
  const found = known.get(image);
  if (found !== undefined) return found;
  const objects = image.objects?.map((object) => [
    object.name,
    object.functions?.map((fn) => [fn.oldName, fn.newName, fn.sympos]) ?? null,
    [...object.callbacks].sort(),
  ]);
  const states = image.states.map((state) => [state.id, state.version]);
  const text = JSON.stringify([
    image.replace,
    objects ?? null,
    states,
    image.hasModule,
    image.relocations ?? [],
  ]);
  const fingerprint = hash(text);
  known.set(image, fingerprint);
  return fingerprint;
}

/** Two 32-bit FNV-1a hashes with different starts, and the length: long images would make long keys. */
function hash(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ (unit + 0x9e37), 0x01000193) ^ (b >>> 15);
  }
  return `${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}${text.length.toString(36)}`;
}
