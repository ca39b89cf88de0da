import type { Plugin } from 'esbuild';

export const UNUSED_FEATURES: Readonly<Record<string, string>>;
export const leaveOutUnusedFeatures: Plugin;
