/** Words that stand for the two halves of one thing in function names. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['lock', 'unlock'],
  ['alloc', 'free'],
  ['alloc', 'release'],
  ['alloc', 'destroy'],
  ['get', 'put'],
  ['ref', 'unref'],
  ['hold', 'put'],
  ['init', 'exit'],
  ['init', 'fini'],
  ['init', 'destroy'],
  ['init', 'uninit'],
  ['init', 'cleanup'],
  ['setup', 'cleanup'],
  ['setup', 'teardown'],
  ['open', 'close'],
  ['open', 'release'],
  ['create', 'destroy'],
  ['create', 'delete'],
  ['create', 'remove'],
  ['add', 'del'],
  ['add', 'remove'],
  ['insert', 'remove'],
  ['register', 'unregister'],
  ['register', 'deregister'],
  ['map', 'unmap'],
  ['pin', 'unpin'],
  ['acquire', 'release'],
  ['attach', 'detach'],
  ['bind', 'unbind'],
  ['link', 'unlink'],
  ['enqueue', 'dequeue'],
  ['push', 'pop'],
  ['begin', 'end'],
  ['start', 'stop'],
  ['start', 'end'],
  ['enable', 'disable'],
  ['suspend', 'resume'],
  ['connect', 'disconnect'],
  ['probe', 'remove'],
  ['inc', 'dec'],
  ['charge', 'uncharge'],
  ['enter', 'leave'],
  ['enter', 'exit'],
  ['prepare', 'unprepare'],
  ['prepare', 'finish'],
  ['mount', 'umount'],
  ['join', 'leave'],
];

/** The names that the other half of a function could have: acme_buf_alloc gives acme_buf_free and others. */
export function partnersOf(name: string): string[] {
  const words = name.split('_');
  const partners = new Set<string>();
  words.forEach((word, at) => {
    for (const [one, other] of PAIRS) {
      const swapped = word === one ? other : word === other ? one : null;
      if (swapped !== null) partners.add([...words.slice(0, at), swapped, ...words.slice(at + 1)].join('_'));
    }
  });
  return [...partners];
}
