import { afterEach, beforeEach, vi } from 'vitest';

/** What the program prints while a test runs; `begin` forgets what came before. */
export interface Captured {
  out: string;
  err: string;
  begin(): void;
}

/** Keeps what every test of this file makes the program print, instead of printing it. */
export function captureOutput(): Captured {
  const captured: Captured = {
    out: '',
    err: '',
    begin() {
      captured.out = '';
      captured.err = '';
    },
  };
  beforeEach(() => {
    captured.begin();
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      captured.out += String(text);
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      captured.err += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  return captured;
}
