import { GUEST_SUPPORT_SOURCE } from './guest-support';

/**
 * The guest's only program, as C source. It reads /script, carries out one step per line and reports on the second
 * serial port; see transcript.ts for what the reports mean.
 *
 * Script lines are TAB separated: verb, milliseconds to wait for transitions, first word, second word.
 */
export const GUEST_INIT_SOURCE = `${GUEST_SUPPORT_SOURCE}${String.raw`
static int flag(const char *patch, const char *name)
{
	char path[512], text[16];

	snprintf(path, sizeof(path), LIVEPATCH "/%s/%s", patch, name);
	return get(path, text, sizeof(text)) > 0 ? text[0] - '0' : -1;
}

static int change(const char *patch, const char *name, const char *value)
{
	char path[512];

	snprintf(path, sizeof(path), LIVEPATCH "/%s/%s", patch, name);
	return put(path, value);
}

static void each_patch(void (*visit)(const char *patch))
{
	DIR *folder = opendir(LIVEPATCH);
	struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			visit(entry->d_name);
	closedir(folder);
}

static int listed, pending, dying;

static void count_patch(const char *patch)
{
	int moving = flag(patch, "transition"), enabled = flag(patch, "enabled");

	listed++;
	if (moving == 1)
		pending++;
	else if (enabled != 1)
		dying++;
}

static void look(void)
{
	listed = pending = dying = 0;
	each_patch(count_patch);
}

static int insert(const char *module, const char *params)
{
	char path[256];
	int fd, result;

	snprintf(path, sizeof(path), "/modules/%s.ko", module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = syscall(SYS_finit_module, fd, params, 0) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static int remove_module(const char *module)
{
	char path[512];
	int tries, result = 0;

	snprintf(path, sizeof(path), LIVEPATCH "/%s", module);
	for (tries = 0; tries < 30; tries++) {
		result = syscall(SYS_delete_module, module, O_NONBLOCK) < 0 ? -errno : 0;
		/* The folder of a livepatch goes a moment before its module reference. */
		if (result != -EAGAIN || access(path, F_OK) == 0)
			break;
		sleep_ms(10);
	}
	return result;
}

/* Waits until what is on its way has arrived. */
static void settle(int wait, int quiet)
{
	long end = now_ms() + wait;
	int before;

	look();
	before = listed;
	while (pending || dying) {
		if ((quiet && !dying) || now_ms() > end)
			break;
		sleep_ms(5);
		look();
	}
	if (listed < before)
		sleep_ms(20);
}

static void forward_log(int silent)
{
	static char record[16384];
	ssize_t length;

	for (;;) {
		length = read(kmsg, record, sizeof(record) - 1);
		if (length < 0 && errno == EPIPE) {
			say("@lost\n");
			continue;
		}
		if (length <= 0)
			return;
		record[length] = 0;
		if (silent)
			continue;
		report("@kmsg ", 6);
		length = strcspn(record, "\n");
		record[length++] = '\n';
		report(record, length);
	}
}

static void show_patch(const char *patch)
{
	say("@patch %s %d %d\n", patch, flag(patch, "enabled"), flag(patch, "transition"));
}

static void each_module(int show, int drop)
{
	static char text[65536];
	char *line, *rest = text, name[128];
	int references;

	if (get("/proc/modules", text, sizeof(text)) <= 0)
		return;
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%100s %*s %d", name, &references) != 2)
			continue;
		if (show && strcmp(name, STALL))
			say("@module %s %d\n", name, references);
		if (drop)
			remove_module(name);
	}
}

static void show_content(const char *text, int length)
{
	static char line[4 * CONTENT_MAX + 16];
	char *to = line + sprintf(line, "@content ");
	int i;

	for (i = 0; i < length; i++) {
		unsigned char c = text[i];

		if (c < 32 || c > 126 || c == '\\')
			to += sprintf(to, "\\x%02x", c);
		else
			*to++ = c;
	}
	*to++ = '\n';
	report(line, to - line);
}

static int step(const char *verb, const char *a, const char *b, int *turned)
{
	static char content[CONTENT_MAX];
	char path[1024];
	int result = 0;

	if (!strcmp(verb, "load"))
		return insert(a, b);
	if (!strcmp(verb, "unload"))
		return remove_module(a);
	if (!strcmp(verb, "disable") || !strcmp(verb, "enable")) {
		int moving = flag(a, "transition") == 1;

		result = change(a, "enabled", verb[0] == 'e' ? "1" : "0");
		*turned = moving && result == 0;
		return result;
	}
	if (!strcmp(verb, "force")) {
		result = change(a, "force", "1");
		*turned = result == 0;
		return result;
	}
	if (!strcmp(verb, "set")) {
		char *value = strchr(b, '=');

		if (!value)
			return -EINVAL;
		*value++ = 0;
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", a, b);
		return put(path, *value ? value : "\n");
	}
	if (!strcmp(verb, "stall")) {
		if (!stalled)
			result = insert(STALL, "");
		stalled = stalled || result == 0;
		return result;
	}
	if (!strcmp(verb, "resume")) {
		if (stalled)
			result = remove_module(STALL);
		stalled = stalled && result != 0;
		return result;
	}
	if (!strcmp(verb, "write"))
		return put(a, b);
	if (!strcmp(verb, "read")) {
		result = get(a, content, sizeof(content));
		if (result >= 0)
			show_content(content, result);
		return result < 0 ? result : 0;
	}
	return -ENOSYS;
}

static void take_away(const char *patch)
{
	if (flag(patch, "enabled") == 1)
		change(patch, "enabled", "0");
}

/* Back to a kernel without livepatches and modules. 0 if that could be had. */
static int tidy(void)
{
	long end = now_ms() + 25000;
	int turned, tries;

	step("resume", "", "", &turned);
	for (look(); listed && now_ms() < end; look()) {
		each_patch(take_away);
		sleep_ms(5);
	}
	for (tries = 0; tries < 4; tries++)
		each_module(0, 1);
	forward_log(1);
	{
		char text[64];

		return listed || get("/proc/modules", text, sizeof(text)) > 0;
	}
}

static void note(const char *format, int a, int b)
{
	char text[128];

	snprintf(text, sizeof(text), format, a, b);
	put("/dev/kmsg", text);
}

static void finish(void)
{
	/* What is on its way to the serial port would be lost. */
	tcdrain(out);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void run(char *script)
{
	int scenario = -1, number = 0, turned, result, quiet;
	char *line;

	while ((line = strsep(&script, "\n")) && *line) {
		char *verb = strsep(&line, "\t"), *wait = strsep(&line, "\t");
		char *a = strsep(&line, "\t"), *b = strsep(&line, "\t");

		if (!strcmp(verb, "scenario")) {
			if (scenario >= 0) {
				result = tidy();
				say("@end %s\n", result ? "dirty" : "clean");
				if (result)
					finish();
			}
			scenario++;
			number = 0;
			put("/sys/kernel/debug/clear_warn_once", "1");
			forward_log(1);
			say("@scenario %d\n", scenario);
			continue;
		}
		say("@step %d\n", number);
		/* The step may end the kernel; what was said before it must not go down with it. */
		tcdrain(out);
		note("<7>klp-rehearsal: scenario %d step %d\n", scenario, number);
		turned = 0;
		result = step(verb, a ? a : "", b ? b : "", &turned);
		quiet = stalled && !turned;
		settle(wait ? atoi(wait) : 0, quiet);
		forward_log(0);
		each_patch(show_patch);
		each_module(1, 0);
		say("@result %d\n", result);
		number++;
	}
	say("@end last\n@done\n");
	finish();
}

int main(void)
{
	static char script[1 << 20], seconds[16];
	struct termios raw;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	out = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	if (out >= 0 && tcgetattr(out, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(out, TCSANOW, &raw);
	}
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	put("/proc/sys/kernel/printk_devkmsg", "on\n");
	put("/proc/sys/kernel/printk", "8\n");
	put("/proc/dynamic_debug/control", "file kernel/livepatch/* +p");
	put("/proc/dynamic_debug/control", "func klp_try_switch_task -p");
	if (get("/seconds", seconds, sizeof(seconds)) > 0 && fork() == 0) {
		/* Whoever watches from outside may be gone. */
		sleep(atoi(seconds));
		reboot(RB_AUTOBOOT);
	}
	if (get("/script", script, sizeof(script)) < 0)
		finish();
	say("@ready\n");
	run(script);
	return 0;
}
`}`;
