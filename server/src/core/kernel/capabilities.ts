/**
 * Differences between kernel releases, derived here from the release and the vendor's `has`/`lacks` and nowhere
 * else: no other file compares versions.
 */
export interface Capabilities {
  /** As given in the manifest. */
  readonly release: string;
  /** False where the release could not be read; everything then counts as present. */
  readonly known: boolean;
  /** Vendor kernels backport: what only the number decides is uncertain for them. */
  readonly vendor: boolean;
  has(capability: Capability): Certain;
  /** Whether an API with these bounds (`since` inclusive, `until` exclusive, as "6.2") exists; 'unknown' for vendor kernels. */
  api(since: string | null, until: string | null): Certain;
  /** The address of the kernel's own documentation page (path below Documentation/, as "livepatch/callbacks") for this release. */
  documentation(page: string, anchor?: string): string;
}

export type Certain = 'yes' | 'no' | 'unknown';

export type Capability =
  | 'consistency-model'
  | 'callbacks'
  | 'shadow-variables'
  | 'shadow-constructor'
  | 'replace'
  | 'simple-enable'
  | 'register-patch'
  | 'states'
  | 'sympos-0-is-1'
  | 'force-marks-only-removed'
  | 'relocations-cleared-on-removal'
  | 'object-patched-attribute'
  | 'replace-attribute'
  | 'stack-order-attribute'
  | 'klp-build'
  | 'check-patch-up-front'
  | 'unpatch-any-order'
  | 'reliable-stack'
  | 'stack-warning-only';

interface Bounds {
  readonly since: string;
  /** Exclusive. */
  readonly until?: string;
  /** Stable branches of earlier releases that got it in some update: not decided by major and minor number. */
  readonly backported?: readonly string[];
}

/** The release in which each capability came; where one went, that too. */
const BOUNDS: Readonly<Record<Capability, Bounds>> = {
  'consistency-model': { since: '4.12' },
  callbacks: { since: '4.15' },
  'shadow-variables': { since: '4.15' },
  'shadow-constructor': { since: '4.17' },
  replace: { since: '5.1' },
  'simple-enable': { since: '5.1' },
  'unpatch-any-order': { since: '5.1' },
  'register-patch': { since: '4.0', until: '5.1' },
  // Commit 31adf2308f33; before it klp_enable_patch() answered -EOPNOTSUPP.
  'stack-warning-only': { since: '5.2' },
  states: { since: '5.5' },
  'force-marks-only-removed': { since: '5.19' },
  'object-patched-attribute': { since: '6.1' },
  'relocations-cleared-on-removal': { since: '6.3' },
  'replace-attribute': { since: '6.11' },
  'stack-order-attribute': { since: '6.14' },
  'klp-build': { since: '6.19' },
  // Commit 139560e8b973, in the stable branches since December 2025.
  'sympos-0-is-1': { since: '6.19', backported: ['5.10', '5.15', '6.1', '6.6', '6.12', '6.18'] },
  'check-patch-up-front': { since: '7.3' },
  // HAVE_RELIABLE_STACKTRACE, where the manifest names no architecture that came to it later.
  'reliable-stack': { since: '4.12' },
};

/** The release in which an architecture, as `uname -m` names it, got reliable stack traces. */
const RELIABLE_STACKS: Readonly<Record<string, string>> = {
  x86_64: '4.12',
  ppc64le: '4.18',
  s390x: '5.5',
  aarch64: '6.17',
};

/** Every capability, in the order of the releases that brought them: the words that `has` and `lacks` may hold. */
export const CAPABILITIES = Object.keys(BOUNDS) as readonly Capability[];

interface Release {
  readonly major: number;
  readonly minor: number;
}

function parseRelease(text: string): Release | null {
  const match = /^\s*v?(\d{1,3})\.(\d{1,3})(?!\d)/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : null;
}

function atLeast(release: Release, bound: string): boolean {
  const other = parseRelease(bound);
  if (!other) return true;
  return release.major > other.major || (release.major === other.major && release.minor >= other.minor);
}

/** Names in a release that enterprise vendors use: RHEL and its kin, Amazon, Oracle, SUSE, openEuler, Anolis, Tencent. */
const VENDOR =
  /[.\-_](?:el\d|amzn\d|uek|oe\d|an\d|al\d|tl\d|default|azure|rt_debug|lp\d)|\d(?:el\d+uek|default)/i;

/** Releases whose pages www.kernel.org keeps in the reStructuredText form begin here. */
const FIRST_DOCUMENTED = '5.3';

/**
 * What a kernel can do, from `uname -r` ("6.1", "5.14.0-427.el9") and the manifest's corrections; words that are no
 * capability are ignored.
 */
export function capabilitiesOf(spec: {
  readonly release: string;
  readonly has: readonly string[];
  readonly lacks: readonly string[];
  /** As `uname -m` prints it. */
  readonly arch?: string;
}): Capabilities {
  const release = parseRelease(spec.release);
  const vendor = spec.has.length > 0 || spec.lacks.length > 0 || VENDOR.test(spec.release);
  const has = new Set(spec.has);
  const lacks = new Set(spec.lacks);

  const api = (since: string | null, until: string | null): Certain => {
    if (!release) return until === null ? 'yes' : 'no';
    const came = since === null || atLeast(release, since);
    const went = until !== null && atLeast(release, until);
    if (!vendor) return came && !went ? 'yes' : 'no';
    // A vendor adds what is newer and, seldom, takes away what upstream took away later.
    return came && until === null ? 'yes' : 'unknown';
  };

  return {
    release: spec.release,
    known: release !== null,
    vendor,
    has(capability) {
      if (lacks.has(capability)) return 'no';
      if (has.has(capability)) return 'yes';
      const { since, until, backported } = BOUNDS[capability];
      if (capability === 'reliable-stack') return api(RELIABLE_STACKS[spec.arch ?? ''] ?? since, null);
      if (release && backported?.some((branch) => branch === `${release.major}.${release.minor}`))
        return 'unknown';
      return api(since, until ?? null);
    },
    api,
    documentation(page, anchor) {
      const version =
        release && atLeast(release, FIRST_DOCUMENTED) ? `v${release.major}.${release.minor}` : 'latest';
      return `https://www.kernel.org/doc/html/${version}/${page}.html${anchor === undefined ? '' : `#${anchor}`}`;
    },
  };
}
