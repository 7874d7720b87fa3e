/* Greets by name, and whoever is asking.
 *
 *     GET /api/ext/plugin-name/hello?name=Ada  ->  {"message":"hello Ada"}
 *     GET /api/ext/plugin-name/whoami          ->  {"message":"hello developer"}
 */
#include <stdlib.h>

#include "exthost.h"

/* What the host reads from the file before any of this code runs. */
EXTHOST_META("plugin-name", "0.1.0",
    EXTHOST_KEY("needs", "routes/1,config/1")
    EXTHOST_KEY("description", "Greets by name, and whoever is asking."));

/* The options, where the operator sets no others in `[plugin.plugin-name.options]`. */
#define DEFAULTS "{\"greeting\":\"hello\"}"

/* What the host refuses to start with otherwise. */
#define SCHEMA                                                                      \
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"             \
    "\"greeting\":{\"type\":\"string\",\"minLength\":1}}}"

/* Text that grows; `failed` once memory ran out. */
struct text {
    char *ptr;
    size_t len, capacity;
    int failed;
};

static void put(struct text *text, char c)
{
    if (text->failed)
        return;
    if (text->len == text->capacity) {
        size_t capacity = text->capacity ? 2 * text->capacity : 128;
        char *ptr = realloc(text->ptr, capacity);
        if (ptr == NULL) {
            text->failed = 1;
            return;
        }
        text->ptr = ptr;
        text->capacity = capacity;
    }
    text->ptr[text->len++] = c;
}

static void put_all(struct text *text, exthost_str more)
{
    for (size_t i = 0; i < more.len; i++)
        put(text, more.ptr[i]);
}

/* Puts the inside of a JSON string. */
static void put_json(struct text *text, exthost_str value)
{
    static const char HEX[] = "0123456789abcdef";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c == '"' || c == '\\') {
            put(text, '\\');
            put(text, (char)c);
        } else if (c < 0x20) {
            put_all(text, EXTHOST_STR("\\u00"));
            put(text, HEX[c >> 4]);
            put(text, HEX[c & 15]);
        } else {
            put(text, (char)c);
        }
    }
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Puts a value of the query as the client meant it: `+` and `%20` are spaces. */
static void put_decoded(struct text *text, exthost_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        int percent = value.ptr[i] == '%' && i + 2 < value.len;
        int high = percent ? hex(value.ptr[i + 1]) : -1;
        int low = percent ? hex(value.ptr[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            put(text, (char)(high << 4 | low));
            i += 2;
        } else {
            put(text, value.ptr[i] == '+' ? ' ' : value.ptr[i]);
        }
    }
}

/* The first value of `key` in `a=1&b=2`, as sent; null when it is not there. */
static exthost_str query_value(exthost_str query, exthost_str key)
{
    for (size_t at = 0, end; at < query.len; at = end + 1) {
        for (end = at; end < query.len && query.ptr[end] != '&';)
            end++;
        exthost_str name = exthost_str_of(query.ptr + at, key.len);
        if (end - at > key.len && name.ptr[key.len] == '=' && exthost_str_equal(name, key))
            return exthost_str_of(name.ptr + key.len + 1, end - at - key.len - 1);
    }
    return exthost_str_of(NULL, 0);
}

/* The instance: one for each time the host loads the plugin. */
struct greeter {
    const void *ctx;
    const exthost_routes_table *routes;
    struct text greeting; /* the option, as JSON: in quotes */
};

/* Answers `{"message":"<greeting> <name>"}`. The host frees the body: it calls
 * `release` with `owner` when the last byte has left, on whichever thread. */
static exthost_status greet(struct greeter *greeter, uint64_t request, const struct text *name)
{
    static const exthost_header HEADERS[] = {
        {EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"application/json", 16}},
    };
    exthost_str who = exthost_str_of(name->ptr, name->len);
    if (!exthost_str_is_utf8(who))
        return EXTHOST_INVALID; /* 400: `?name=%ff` */
    struct text body = {NULL, 0, 0, name->failed};
    put_all(&body, EXTHOST_STR("{\"message\":"));
    put_all(&body, exthost_str_of(greeter->greeting.ptr, greeter->greeting.len - 1));
    put(&body, ' ');
    put_json(&body, who);
    put_all(&body, EXTHOST_STR("\"}"));
    if (body.failed) {
        free(body.ptr);
        return EXTHOST_INTERNAL;
    }
    exthost_response response = {
        .status = 200,
        .headers = HEADERS,
        .headers_len = 1,
        .body = {(const uint8_t *)body.ptr, body.len, body.ptr, free},
    };
    return greeter->routes->respond(greeter->ctx, request, &response);
}

static exthost_status get_hello(void *data, uint64_t cause, const exthost_request *request)
{
    exthost_str value = query_value(request->query, EXTHOST_STR("name"));
    struct text name = {NULL, 0, 0, 0};
    put_decoded(&name, value.ptr ? value : EXTHOST_STR("world"));
    exthost_status status = greet(data, cause, &name);
    free(name.ptr);
    return status;
}

/* Whoever asks is authenticated, as for every route that is not public. */
static exthost_status get_whoami(void *data, uint64_t cause, const exthost_request *request)
{
    const exthost_actor *actor = request->actor;
    struct text name = {NULL, 0, 0, 0};
    put_all(&name, actor->name.len ? actor->name : actor->id);
    if (actor->on_behalf_of != NULL) {
        put_all(&name, EXTHOST_STR(" on behalf of "));
        put_all(&name, actor->on_behalf_of->name);
    }
    exthost_status status = greet(data, cause, &name);
    free(name.ptr);
    return status;
}

/* Keeps an option, which is lent for the call. */
static void keep(void *data, exthost_bytes value)
{
    put_all(data, exthost_str_of((const char *)value.ptr, value.len));
}

/* Reads the options; the schema says what they are. */
static exthost_status configure(struct greeter *greeter, const exthost_config_table *config)
{
    exthost_status status =
        config->declare(greeter->ctx, 0, EXTHOST_STR(DEFAULTS), EXTHOST_STR(SCHEMA));
    if (status == EXTHOST_OK)
        status = config->read(greeter->ctx, 0, EXTHOST_STR("/greeting"), &greeter->greeting, keep);
    return greeter->greeting.failed ? EXTHOST_INTERNAL : status;
}

/* Registers one route. Inline: it runs on the thread that read the request, so
 * it must never wait. */
static exthost_status add(struct greeter *greeter, exthost_str pattern, uint32_t flags,
                          exthost_route_handle_fn handle)
{
    exthost_route_spec spec = {
        .method = EXTHOST_STR("GET"),
        .pattern = pattern,
        .flags = EXTHOST_ROUTE_INLINE | flags,
    };
    return greeter->routes->add(greeter->ctx, 0, &spec, greeter, handle, NULL);
}

static void destroy(void *instance)
{
    struct greeter *greeter = instance;
    free(greeter->greeting.ptr);
    free(greeter);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    struct greeter *greeter = calloc(1, sizeof *greeter);
    if (greeter == NULL)
        return EXTHOST_INTERNAL;
    greeter->ctx = services->ctx;
    greeter->routes = exthost_routes(services); /* `needs` says that both are there */

    exthost_status status = configure(greeter, exthost_config(services));
    if (status == EXTHOST_OK)
        status = add(greeter, EXTHOST_STR("hello"), EXTHOST_ROUTE_PUBLIC, get_hello);
    if (status == EXTHOST_OK)
        status = add(greeter, EXTHOST_STR("whoami"), 0, get_whoami);
    if (status != EXTHOST_OK) {
        destroy(greeter);
        return status;
    }
    *instance = greeter;
    return EXTHOST_OK;
}

/* What the host calls: init, start, stop, destroy, extension. */
EXTHOST_DOOR(init, NULL, NULL, destroy, NULL);
