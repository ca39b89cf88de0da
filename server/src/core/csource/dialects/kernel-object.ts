/** What is known of the kernel that a livepatch is for, beside its release. Bounded by the host. */
export interface KernelTree {
  /** The Kbuild file of a folder (`fs/ext4`), else its Makefile; undefined where there is none or no tree is named. */
  makefile(folder: string): string | undefined;
  /** `y`, `m` or `n` of a CONFIG_ name; undefined where no configuration is named. */
  config(name: string): string | undefined;
}

/** The object that a file of the kernel tree is linked into: null for vmlinux. */
export interface KernelObject {
  readonly name: string | null;
  /** Why it was taken to be this one, where neither tree nor place decide it. */
  readonly guess: string | null;
}

/** Folders whose files are always part of vmlinux; what of them may be a module has a name that says so. */
const BUILT_IN =
  /^(?:init|ipc|io_uring|kernel|mm)\/|^fs\/(?:proc|sysfs|kernfs|notify|iomap)\/|^drivers\/base\//;
const MAY_BE_MODULE = /test|torture|scale|bench|sample|inject|zsmalloc|configs\.c|kheaders|rcutorture/;
/** Folders most of whose files are built in; some are modules in some configurations. */
const MOSTLY_BUILT_IN =
  /^(?:block|lib|security|certs)\/|^arch\/[^/]+\/(?:kernel|mm|entry|lib|events)\/|^fs\/[^/]+$|^net\/(?:core|ethernet|netlink)\/|^net\/[^/]+$|^net\/ipv4\/(?:tcp|udp|ip|route|fib|inet|af_|raw|arp|icmp|igmp|dev|syn)|^drivers\/(?:tty|pci|clk|acpi|char)\/[^/]+$/;

/** Finds the object of `fs/ext4/inode.c` by the tree's Kbuild files, and by its place where they do not tell. */
export function objectOf(path: string, tree: KernelTree | undefined): KernelObject {
  const stem = path.replace(/\.c$/, '');
  const found = tree && inMakefiles(stem, tree);
  if (found) {
    const { composite, kind } = found;
    if (kind === 'y') return { name: null, guess: null };
    if (kind === 'm') return { name: moduleName(composite), guess: null };
    if (BUILT_IN.test(path) && !MAY_BE_MODULE.test(path)) return { name: null, guess: null };
    const name = MOSTLY_BUILT_IN.test(path) || BUILT_IN.test(path) ? null : moduleName(composite);
    return { name, guess: `the Kbuild file leaves it to ${kind}, and no configuration decides that` };
  }
  if (BUILT_IN.test(path) && !MAY_BE_MODULE.test(path)) return { name: null, guess: null };
  const guess = 'no Kbuild file tells';
  if (MOSTLY_BUILT_IN.test(path)) return { name: null, guess };
  return { name: moduleByPlace(path), guess };
}

/** `e1000/e1000_main.c` is part of e1000, `fs/ext4/inode.c` of ext4, any other file its own module. */
function moduleByPlace(path: string): string {
  const vendor = /^arch\/x86\/kvm\/(vmx|svm)\//.exec(path)?.[1];
  if (vendor !== undefined) return vendor === 'vmx' ? 'kvm_intel' : 'kvm_amd';
  if (/^(?:virt|arch\/[^/]+)\/kvm\//.test(path)) return 'kvm';
  const folder = /^fs\/([^/]+)\//.exec(path)?.[1];
  if (folder !== undefined) return moduleName(folder);
  const protocol = /^net\/(ipv6|sctp|tipc|bluetooth|sunrpc|rds|can|vmw_vsock|mac80211|wireless|unix)\//.exec(
    path,
  )?.[1];
  if (protocol !== undefined) return moduleName(protocol === 'wireless' ? 'cfg80211' : protocol);
  const parts = path.replace(/\.c$/, '').split('/');
  const [base = '', parent = ''] = parts.reverse();
  return moduleName(base.startsWith(`${parent}_`) || base.startsWith(`${parent}-`) ? parent : base);
}

function moduleName(object: string): string {
  return (object.split('/').pop() ?? object).replace(/[-,]/g, '_');
}

interface Entry {
  /** Prefix of the variable: `obj`, or the name of a composite object. */
  readonly of: string;
  /** `y`, `m`, `objs` or the CONFIG_ name. */
  readonly when: string;
  readonly objects: readonly string[];
}

const MAX_MAKEFILE = 400_000;
const MAX_NESTING = 6;

/** What the object is part of, and what decides whether that is built in (`y`), a module (`m`) or either (a name). */
function inMakefiles(stem: string, tree: KernelTree): { composite: string; kind: string } | null {
  const parts = stem.split('/');
  for (let up = 1; up <= Math.min(3, parts.length - 1); up++) {
    const text = tree.makefile(parts.slice(0, -up).join('/'));
    if (text === undefined) continue;
    const entries = entriesOf(text.slice(0, MAX_MAKEFILE));
    const found = linked(parts.slice(-up).join('/'), entries, tree, 0);
    if (found) return found;
  }
  return null;
}

function linked(
  object: string,
  entries: readonly Entry[],
  tree: KernelTree,
  depth: number,
): { composite: string; kind: string } | null {
  if (depth > MAX_NESTING) return null;
  const holders = entries.filter((entry) => entry.objects.includes(object));
  let undecided: { composite: string; kind: string } | null = null;
  for (const { of, when } of holders) {
    if (of !== 'obj' && of !== 'lib') {
      const outer = linked(of, entries, tree, depth + 1);
      if (outer) return outer;
      continue;
    }
    const kind = when.startsWith('CONFIG_') ? (tree.config(when) ?? when) : when;
    if (kind === 'n') continue;
    if (kind === 'y' || kind === 'm') return { composite: object, kind };
    undecided ??= { composite: object, kind };
  }
  return undecided;
}

/** The assignments of object files in a Kbuild file; conditionals are read through. */
function entriesOf(text: string): Entry[] {
  const entries: Entry[] = [];
  const joined = text.replace(/\\\r?\n/g, ' ').replace(/#.*$/gm, '');
  for (const [, of = '', when = '', value = ''] of joined.matchAll(
    /^[ \t]*([\w-]+?)-(\$\([A-Z]\w*\)|y|m|objs)[ \t]*[+:]?=(.*)$/gm,
  )) {
    const objects: string[] = [];
    const flat = value.replace(
      /\$\(addprefix[ \t]+([^,)\s]+)[ \t]*,([^)]*)\)/g,
      (_, prefix: string, list: string) =>
        list
          .split(/\s+/)
          .map((name) => (name === '' ? '' : prefix + name))
          .join(' '),
    );
    for (const word of flat.split(/\s+/)) if (word.endsWith('.o')) objects.push(word.slice(0, -2));
    if (objects.length > 0) entries.push({ of, when: when.replace(/^\$\((\w+)\)$/, '$1'), objects });
  }
  return entries;
}
