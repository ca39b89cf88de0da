/** The log's open line: what was printed without a newline. */
export class Printer {
  private open: string | null = null;

  constructor(private readonly line: (text: string) => void) {}

  /** printk(): ends an open line; every newline ends one. `continued`: pr_cont, which goes on with the open line. */
  print(text: string, continued: boolean): void {
    let rest = withoutLevel(text);
    if (this.open !== null) {
      if (continued) rest = this.open + rest;
      else this.line(this.open);
      this.open = null;
    }
    const lines = rest.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) this.line(line);
    if (last !== '') this.open = last;
    else if (lines.length === 0 && !continued) this.line('');
  }

  /** Ends an open line: nothing will be added to it. */
  flush(): void {
    if (this.open === null) return;
    const text = this.open;
    this.open = null;
    this.line(text);
  }
}

/** Drops KERN_INFO and its kin: SOH and a digit or letter. */
function withoutLevel(text: string): string {
  let start = 0;
  while (text.charCodeAt(start) === 1 && start + 1 < text.length) start += 2;
  return start === 0 ? text : text.slice(start);
}
