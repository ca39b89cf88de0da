/** Goes in front of the functions in both readings. */
export const PRELUDE = `
#define CAT(a, b) a##b
#define XCAT(a, b) CAT(a, b)
#define STR(x) #x
#define XSTR(x) STR(x)
#define BIGGER(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define SHOW(x) pr_info("%s=%lld\\n", #x, (long long)(x))
#define LOG(fmt, ...) pr_info("log: " fmt "\\n", ##__VA_ARGS__)
#define TWICE(x) ((x) + (x))
#define SEVEN 7
#define ORDER(...) __VA_ARGS__

enum colour { RED, GREEN = 5, BLUE, LAST = BLUE + 10 };

struct point { s16 x; s32 y; };
struct packet {
	u8 kind;
	struct point at;
	u16 length;
	s64 total;
	u8 data[5];
	struct { s8 low; u32 high; } inner;
	const char *name;
};
struct flags { unsigned int a : 3; unsigned int b : 5; int c : 4; u8 d; };
union word { u32 whole; u16 half[2]; u8 byte[4]; struct { u16 lo, hi; } pair; };
struct node { int value; struct node *next; };
struct mixed { char tag; union { u64 wide; u8 raw[8]; }; u16 tail; };

static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static u32 mix(u32 a, u32 b) { a ^= b * 2654435761u; a = (a << 13) | (a >> 19); return a + 77; }
static int counter(int by) { static int n = 3; n += by; return n; }
static struct point shift_point(struct point p, int by) { p.x += by; p.y -= by; return p; }
static void bump(int *p, int by) { *p += by; }
static void fill(u8 *p, int n, int with) { int i; for (i = 0; i < n; i++) p[i] = with + i; }
static int apply(int (*fn)(int), int n) { return fn(n); }
static int square(int n) { return n * n; }
static int length(const char *s) { const char *p = s; while (*p) p++; return p - s; }
static int sum_list(struct node *n) { int s = 0; for (; n; n = n->next) s += n->value; return s; }
`;
