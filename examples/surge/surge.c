// A plugin in C that renders subscriptions for Surge: the text of an external policy list, one proxy per line. Surge has
// no VLESS and no gRPC; what it can not use is left out. There is no library below this: no allocator, no libc, only the
// four exports that ABI 1 wants and as much protobuf as the request needs.
#include <stdint.h>

typedef struct { const uint8_t *p; uint32_t n; } str; // a piece of the request, never copied

#define LIT(s) ((str){(const uint8_t *)(s), sizeof(s) - 1})
#define EXPORT(name) __attribute__((export_name(#name))) name

static uint8_t *input, output[1 << 20];
static uint32_t capacity, size; // of the input buffer, and of what is in output
static int full;                // something did not fit into output

extern uint8_t __heap_base; // the linker's: the first byte behind the data

// Protobuf: a cursor over fields. key is 0 at the end; a length-delimited field is in value, a varint in number.

typedef struct { const uint8_t *p, *end; uint32_t key; str value; uint64_t number; } fields;

static uint64_t varint(fields *f) {
  uint64_t v = 0;
  for (int shift = 0; f->p < f->end && shift < 64; shift += 7) {
    uint8_t c = *f->p++;
    v |= (uint64_t)(c & 127) << shift;
    if (c < 128) break;
  }
  return v;
}

static fields within(str s) { return (fields){.p = s.p, .end = s.p + s.n}; }

static int next(fields *f) {
  if (f->p >= f->end) return 0;
  f->key = (uint32_t)varint(f);
  f->number = varint(f);
  f->value = (str){f->p, 0};
  if ((f->key & 7) == 2) { // fixed-width fields are not in this schema
    uint64_t rest = (uint64_t)(f->end - f->p);
    f->value.n = (uint32_t)(f->number < rest ? f->number : rest);
    f->p += f->value.n;
  }
  return 1;
}

#define BYTES(number) ((number) << 3 | 2)

// Output. A line that does not fit any more is left out: a megabyte is some ten thousand of them.

static void put(str s) {
  full |= s.n > sizeof output - size;
  if (full) return;
  __builtin_memcpy(output + size, s.p, s.n);
  size += s.n;
}

static void putNumber(uint32_t v) {
  uint8_t digits[10];
  uint32_t n = sizeof digits;
  do digits[--n] = (uint8_t)('0' + v % 10); while (v /= 10);
  put((str){digits + n, (uint32_t)sizeof digits - n});
}

// putName replaces what would end a name or begin a comment.
static void putName(str s) {
  for (uint32_t i = 0; i < s.n; i++) {
    uint8_t c = s.p[i];
    put(c < ' ' || c == ',' || c == '=' || c == '"' || c == '#' ? LIT(" ") : (str){s.p + i, 1});
  }
}

// option adds ", name=value" if there is a value.
static void option(str name, str value) {
  if (value.n == 0) return;
  put(LIT(", ")), put(name), put(LIT("=\"")), put(value), put(LIT("\""));
}

static int equal(str a, str b) {
  if (a.n != b.n) return 0;
  for (uint32_t i = 0; i < a.n; i++)
    if (a.p[i] != b.p[i]) return 0;
  return 1;
}

// fit says that a value can stand in quotes on a line; Surge knows no escapes.
static int fit(str s) {
  for (uint32_t i = 0; i < s.n; i++)
    if (s.p[i] < ' ' || s.p[i] == '"') return 0;
  return 1;
}

// The parts of the messages that matter here; numbers as in plugin.proto.

typedef struct { str remark, id, password, method; } account;
typedef struct { str protocol, address, network, path, host, header, kind, sni, alpn, pin, method, serverKey; uint32_t port; } endpoint;

static account readAccount(str s) {
  account a = {0};
  for (fields f = within(s); next(&f);)
    switch (f.key) {
    case BYTES(1): a.remark = f.value; break;
    case BYTES(2): a.id = f.value; break;
    case BYTES(3): a.password = f.value; break;
    case BYTES(5): a.method = f.value; break;
    }
  return a;
}

static void readTransport(endpoint *e, str s) {
  for (fields f = within(s); next(&f);)
    switch (f.key) {
    case BYTES(1): e->network = f.value; break;
    case BYTES(2): e->path = f.value; break;
    case BYTES(3): e->host = f.value; break;
    case BYTES(5): e->header = f.value; break;
    }
}

static void readSecurity(endpoint *e, str s) {
  for (fields f = within(s); next(&f);)
    switch (f.key) {
    case BYTES(1): e->kind = f.value; break;
    case BYTES(2): e->sni = f.value; break;
    case BYTES(7): e->pin = f.value; break;
    }
}

static void readShadowsocks(endpoint *e, str s) {
  for (fields f = within(s); next(&f);)
    switch (f.key) {
    case BYTES(1): e->method = f.value; break;
    case BYTES(2): e->serverKey = f.value; break;
    }
}

static endpoint readEndpoint(str s) {
  endpoint e = {0};
  for (fields f = within(s); next(&f);)
    switch (f.key) {
    case BYTES(3): e.protocol = f.value; break;
    case BYTES(4): e.address = f.value; break;
    case 5 << 3: e.port = (uint32_t)f.number; break;
    case BYTES(6): readTransport(&e, f.value); break;
    case BYTES(7): readSecurity(&e, f.value); break;
    case BYTES(9): readShadowsocks(&e, f.value); break;
    }
  return e;
}

static void head(account *a, endpoint *e, str type) {
  putName(a->remark), put(LIT(" = ")), put(type), put(LIT(", ")), put(e->address), put(LIT(", ")), putNumber(e->port);
}

// tls adds what a vmess or trojan line says about its certificate and its WebSocket.
static void transport(endpoint *e) {
  option(LIT("sni"), e->sni);
  option(LIT("server-cert-fingerprint-sha256"), e->pin);
  if (!equal(e->network, LIT("ws"))) return;
  put(LIT(", ws=true"));
  option(LIT("ws-path"), e->path);
  if (e->host.n) put(LIT(", ws-headers=Host:\"")), put(e->host), put(LIT("\""));
}

static void line(account a, endpoint e) {
  int plain = equal(e.network, LIT("raw")) && e.header.n == 0, ws = equal(e.network, LIT("ws"));
  int tls = equal(e.kind, LIT("tls")), known = tls || e.kind.n == 0 || equal(e.kind, LIT("none"));
  if (!known || !fit(a.id) || !fit(a.password) || !fit(e.path) || !fit(e.host) || !fit(e.sni)) return;
  str method = a.method.n ? a.method : e.method;
  if (equal(e.protocol, LIT("shadowsocks")) && !tls) {
    head(&a, &e, LIT("ss"));
    option(LIT("encrypt-method"), method);
    put(LIT(", password=\""));
    if (e.serverKey.n) put(e.serverKey), put(LIT(":"));
    put(a.password), put(LIT("\", udp-relay=true\n"));
  } else if (equal(e.protocol, LIT("trojan")) && tls && (plain || ws)) {
    head(&a, &e, LIT("trojan"));
    option(LIT("password"), a.password);
    transport(&e), put(LIT("\n"));
  } else if (equal(e.protocol, LIT("vmess")) && (plain || ws)) {
    head(&a, &e, LIT("vmess"));
    option(LIT("username"), a.id);
    put(tls ? LIT(", vmess-aead=true, tls=true") : LIT(", vmess-aead=true"));
    transport(&e), put(LIT("\n"));
  }
}

// The ABI.

static uint64_t reply(const void *p, uint32_t n, int failed) {
  return (uint64_t)(uintptr_t)p << 32 | (uint64_t)failed << 31 | n;
}

uint32_t EXPORT(sluice_abi)(void) { return 1 << 16; }

// sluice_alloc gives out the memory behind the data. It is called only for more than before, and the old is not needed.
void *EXPORT(sluice_alloc)(uint32_t n) {
  uint64_t end = (uint64_t)(uintptr_t)&__heap_base + n, now = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  if (end > now && __builtin_wasm_memory_grow(0, (end - now + 65535) >> 16) == (uintptr_t)-1) return 0;
  capacity = n;
  return input = &__heap_base;
}

uint64_t EXPORT(sluice_manifest)(void) {
  static const char manifest[] =
      "{\"abi\":1,\"name\":\"surge\",\"version\":\"1.0.0\",\"provides\":[{\"kind\":\"format\",\"id\":\"surge\","
      "\"title\":\"Surge policy list\",\"content_type\":\"text/plain; charset=utf-8\",\"user_agents\":[\"surge\"],"
      "\"cache\":\"revision\"}]}";
  return reply(manifest, sizeof manifest - 1, 0);
}

uint64_t EXPORT(sluice_call)(uint32_t op, uint32_t n) {
  static const uint8_t unimplemented[] = {1 << 3, 2};
  if (op != 3 || n > capacity) return reply(unimplemented, sizeof unimplemented, 1);
  // Endpoints and accounts are two lists of one length; both are walked at the same time. The body is put behind room for
  // its own length, which is known only afterwards.
  enum { room = 6 };
  size = room, full = 0;
  fields endpoints = within((str){input, n}), accounts = endpoints;
  while (next(&endpoints)) {
    if (endpoints.key != BYTES(6)) continue;
    while (next(&accounts) && accounts.key != BYTES(7)) {}
    uint32_t before = size;
    line(readAccount(accounts.value), readEndpoint(endpoints.value));
    if (full) size = before;
  }
  uint8_t prefix[room] = {BYTES(1)}, used = 1;
  for (uint32_t left = size - room; left || used == 1; left >>= 7) prefix[used++] = (uint8_t)(left | (left > 127 ? 128 : 0));
  uint32_t start = room - used;
  __builtin_memcpy(output + start, prefix, used);
  return reply(output + start, size - start, 0);
}
