import type { TokenList } from './expand';
import { PUNCTUATOR } from './lexer';
import { names } from './names';

/** Two running 32-bit hashes: together a fingerprint that is the same in every process. */
export class Fingerprint {
  private a = 0x811c9dc5 | 0;
  private b = 0x1b873593;

  add(value: number): void {
    this.a = Math.imul(this.a ^ value, 0x01000193);
    this.b = (Math.imul(this.b, 31) + value + (this.a >>> 15)) | 0;
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i));
    this.add(-1);
  }

  tokens(list: TokenList, count: number): void {
    for (let i = 0; i < count; i++) {
      const id = list.id[i] as number;
      this.add(list.kind[i] === PUNCTUATOR ? id : names.hash(id));
    }
  }

  get value(): string {
    return (this.a >>> 0).toString(36).padStart(7, '0') + (this.b >>> 0).toString(36).padStart(7, '0');
  }
}
