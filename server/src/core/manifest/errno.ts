/** Errno names and their numbers as on x86-64 (include/uapi/asm-generic/errno-base.h and errno.h). */
const NAMES: readonly (readonly [number, string])[] = [
  [1, 'EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD'],
  [11, 'EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR'],
  [21, 'EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS'],
  [31, 'EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP'],
  [42, 'ENOMSG EIDRM'],
  [60, 'ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT'],
  [70, 'ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG'],
  [83, 'ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE'],
  [92, 'ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT'],
  [98, 'EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET'],
  [105, 'ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN'],
  [113, 'EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO'],
  [122, 'EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED'],
  [130, 'EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON'],
];

const NUMBER_OF = new Map<string, number>([
  ['EWOULDBLOCK', 11],
  ['EDEADLOCK', 35],
  ['ENOTSUPP', 524],
]);
const NAME_OF = new Map<number, string>([[524, 'ENOTSUPP']]);
for (const [first, names] of NAMES) {
  let number = first;
  for (const name of names.split(' ')) {
    NUMBER_OF.set(name, number);
    NAME_OF.set(number, name);
    number++;
  }
}

/** The names that a step may write after `FUNCTION=`. */
export const ERRNO_NAMES: readonly string[] = [...NUMBER_OF.keys()];

/** `EBUSY`, `-EBUSY`, `16` or `-16` to -16; null where it is none of an errno (1 to MAX_ERRNO, 4095). */
export function parseErrno(text: string): number | null {
  const bare = text.startsWith('-') ? text.slice(1) : text;
  if (/^[0-9]{1,4}$/.test(bare)) {
    const number = Number(bare);
    return number >= 1 && number <= 4095 ? -number : null;
  }
  const number = NUMBER_OF.get(bare);
  return number === undefined ? null : -number;
}

/** -16 to `EBUSY`; a number without a name stays a number. */
export function formatErrno(errno: number): string {
  return NAME_OF.get(-errno) ?? String(-errno);
}
