/* --------------------------------------------------------------------------
 * Text, bytes and values. */

/* The `len` bytes at `text`; `text` may be null when `len` is 0. */
static inline exthost_str exthost_str_of(const char *text, size_t len)
{
    exthost_str str = {text, len};
    return str;
}

/* A string literal as text. */
#define EXTHOST_STR(literal) exthost_str_of("" literal, sizeof(literal) - 1)

/* The same where C wants a constant, as in a static array. */
#define EXTHOST_STR_INIT(literal) {"" literal, sizeof(literal) - 1}

/* A zero-terminated string as text; null is the empty text. */
static inline exthost_str exthost_str_from(const char *string)
{
    return exthost_str_of(string, string ? strlen(string) : 0);
}

/* Whether two texts are equal, byte by byte. */
static inline int exthost_str_equal(exthost_str a, exthost_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Whether a text is UTF-8, as the host demands of every exthost_str. */
static inline int exthost_str_is_utf8(exthost_str text)
{
    size_t at = 0;
    while (at < text.len) {
        unsigned char first = (unsigned char)text.ptr[at++];
        uint32_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        uint32_t least = more == 0 ? 0 : more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
        uint32_t point = more == 0 ? first : first & (0x3fu >> more);
        if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || text.len - at < more)
            return 0;
        while (more-- > 0) {
            unsigned char next = (unsigned char)text.ptr[at++];
            if ((next & 0xc0) != 0x80)
                return 0;
            point = point << 6 | (next & 0x3f);
        }
        if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
            return 0;
    }
    return 1;
}

/* The `len` bytes at `data`. */
static inline exthost_bytes exthost_bytes_of(const void *data, size_t len)
{
    exthost_bytes bytes = {(const uint8_t *)data, len};
    return bytes;
}

/* The bytes of a text. */
static inline exthost_bytes exthost_bytes_from(exthost_str text)
{
    return exthost_bytes_of(text.ptr, text.len);
}

/* A buffer that is borrowed for one call: the host copies it. */
static inline exthost_buffer exthost_buffer_of(const void *data, size_t len)
{
    exthost_buffer buffer = {(const uint8_t *)data, len, NULL, NULL};
    return buffer;
}

/* Frees a buffer that the host handed over, and forgets it. */
static inline void exthost_buffer_release(exthost_buffer *buffer)
{
    if (buffer->release)
        buffer->release(buffer->owner);
    *buffer = exthost_buffer_of(NULL, 0);
}

/* A value of each kind, for fields of a log line and parameters of SQL. */
static inline exthost_value exthost_value_null(void)
{
    exthost_value value = {EXTHOST_VALUE_NULL, 0, 0, 0.0, {NULL, 0}};
    return value;
}

static inline exthost_value exthost_value_integer(int64_t integer)
{
    exthost_value value = {EXTHOST_VALUE_INTEGER, 0, integer, 0.0, {NULL, 0}};
    return value;
}

static inline exthost_value exthost_value_real(double real)
{
    exthost_value value = {EXTHOST_VALUE_REAL, 0, 0, real, {NULL, 0}};
    return value;
}

static inline exthost_value exthost_value_text(exthost_str text)
{
    exthost_value value = {EXTHOST_VALUE_TEXT, 0, 0, 0.0, {NULL, 0}};
    value.data = exthost_bytes_from(text);
    return value;
}

static inline exthost_value exthost_value_blob(exthost_bytes blob)
{
    exthost_value value = {EXTHOST_VALUE_BLOB, 0, 0, 0.0, {NULL, 0}};
    value.data = blob;
    return value;
}

/* --------------------------------------------------------------------------
 * The two symbols that a plugin exports. Each macro stands once, in one file,
 * at file scope, and is followed by a semicolon. */

#ifdef __cplusplus
#define EXTHOST_EXTERN extern "C"
#else
#define EXTHOST_EXTERN extern
#endif

#if defined(_WIN32)
#define EXTHOST_EXPORT EXTHOST_EXTERN __declspec(dllexport)
#else
#define EXTHOST_EXPORT EXTHOST_EXTERN __attribute__((visibility("default")))
#endif

#if defined(_MSC_VER)
#pragma section(".exthost", read)
#define EXTHOST_META_SECTION __declspec(allocate(".exthost"))
#elif defined(__APPLE__)
#define EXTHOST_META_SECTION __attribute__((section("__DATA,__exthost")))
#else
#define EXTHOST_META_SECTION __attribute__((section(".exthost")))
#endif

/* The lowest API version that the plugin needs. Define it before the include
 * when something you use says "Since: API 1.N" with an N above 0. */
#ifndef EXTHOST_API_NEEDED
#define EXTHOST_API_NEEDED "1.0.0"
#endif

/* One entry of the meta. */
#define EXTHOST_KEY(key, value) key "=" value "\0"

/* What the plugin is: its name, its version, and further entries one after the
 * other, without commas ("" for none):
 *
 *     EXTHOST_META("hello", "1.0.0",
 *         EXTHOST_KEY("needs", "routes/1")
 *         EXTHOST_KEY("license", "MIT"));
 *
 * `needs` lists the tables without which it will not start, `wants` those it can
 * do without. docs/abi.md names all keys. */
#define EXTHOST_META(name, version, entries)                                   \
    EXTHOST_EXPORT const char exthost_meta[];                                  \
    EXTHOST_META_SECTION const char exthost_meta[] =                           \
        "EXTHOST1\0" EXTHOST_KEY("name", name) EXTHOST_KEY("version", version) \
        EXTHOST_KEY("api", EXTHOST_API_NEEDED) EXTHOST_KEY("sdk", "c/1.0.0")   \
        EXTHOST_KEY("panic", "none") EXTHOST_KEY("tables", EXTHOST_TABLES)     \
        entries

/* The plugin's hooks; all but `init` may be NULL. */
#define EXTHOST_DOOR(init, start, stop, destroy, extension)                    \
    EXTHOST_EXPORT const exthost_plugin_table exthost_plugin;                  \
    const exthost_plugin_table exthost_plugin = {                              \
        EXTHOST_ABI, 0u, init, start, stop, destroy, extension}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* EXTHOST_H */
