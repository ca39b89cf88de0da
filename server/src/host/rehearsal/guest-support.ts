/** The first half of the guest's program, as C source: reports, time, and small files read and written. */
export const GUEST_SUPPORT_SOURCE = String.raw`#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LIVEPATCH "/sys/kernel/livepatch"
#define STALL "klp_rehearsal_stall"
#define CONTENT_MAX 16384

static int out = 2, kmsg = -1, stalled;

static void report(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = write(out, text, length);

		if (done <= 0)
			return;
		text += done;
		length -= done;
	}
}

static void say(const char *format, ...)
{
	char line[1024];
	va_list args;
	int length;

	__builtin_va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	__builtin_va_end(args);
	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	report(line, length);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&t, NULL);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		result = -errno;
	close(fd);
	return result;
}

static int get(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t length = 0;
	ssize_t got = 0;

	to[0] = 0;
	if (fd < 0)
		return -errno;
	while (length + 1 < size && (got = read(fd, to + length, size - 1 - length)) > 0)
		length += got;
	if (got < 0)
		length = -errno;
	close(fd);
	if ((ssize_t)length >= 0)
		to[length] = 0;
	return length;
}
`;
