/* A plugin in C that publishes on request, rightly and wrongly. All routes are
 * public.
 *
 *     cc -std=c11 -Wall -Wextra -Wpedantic -fvisibility=hidden -fPIC
 *        -Iplugin-api/include -shared -o libbroadcast-c.so tests/plugins/broadcast-c.c
 *
 * POST publish/{channel}/{event}  inline; publishes the body; {"status":0,"value":N},
 *                                 the number in the channel
 * POST publish/{channel}          the same without an event
 * POST burst/{channel}/{n}        pool; publishes {"n":1} to {"n":N}, each with the
 *                                 body beside it; {"status":0,"value":N}
 * GET  count/{channel}            inline; {"status":0,"value":N}, those who listen
 * GET  misuse                     inline; [["what was misused",status],...] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "exthost.h"

EXTHOST_META("broadcast-c", "0.1.0",
    EXTHOST_KEY("needs", "routes/1,broadcast/1"));

struct plugin {
    const void *ctx;
    const exthost_routes_table *routes;
    const exthost_broadcast_table *broadcast;
};

static exthost_status answer(struct plugin *self, uint64_t request, const char *body)
{
    static const exthost_header JSON = {
        EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"application/json", 16}};
    exthost_response response = {.status = 200, .headers = &JSON, .headers_len = 1};
    response.body = exthost_buffer_of(body, strlen(body));
    return self->routes->respond(self->ctx, request, &response);
}

static exthost_status answer_value(struct plugin *self, uint64_t request, exthost_status status,
                                   uint64_t value)
{
    char body[80];
    snprintf(body, sizeof body, "{\"status\":%" PRId32 ",\"value\":%" PRIu64 "}", status, value);
    return answer(self, request, body);
}

/* A parameter of the path; empty when the route has none of this name. */
static exthost_str param(const exthost_request *request, const char *name)
{
    for (size_t i = 0; i < request->params_len; i++)
        if (exthost_str_equal(request->params[i].name, exthost_str_from(name)))
            return request->params[i].value;
    return exthost_str_of(NULL, 0);
}

static exthost_str body_of(const exthost_request *request)
{
    return exthost_str_of((const char *)request->body.ptr, request->body.len);
}

static exthost_status post_publish(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    exthost_publication publication = {
        .channel = param(request, "channel"),
        .event = param(request, "event"),
        .payload = body_of(request),
    };
    uint64_t sequence = 0;
    exthost_status status =
        self->broadcast->publish(self->ctx, cause, &publication, &sequence);
    return answer_value(self, cause, status, sequence);
}

static exthost_status post_burst(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    exthost_str n = param(request, "n"), beside = body_of(request);
    uint64_t count = 0, sequence = 0;
    for (size_t i = 0; i < n.len && n.ptr[i] >= '0' && n.ptr[i] <= '9'; i++)
        count = count * 10 + (uint64_t)(n.ptr[i] - '0');
    char *payload = malloc(beside.len + 40);
    if (payload == NULL)
        return EXTHOST_INTERNAL;
    exthost_publication publication = {.channel = param(request, "channel")};
    exthost_status status = EXTHOST_OK;
    for (uint64_t i = 1; status == EXTHOST_OK && i <= count; i++) {
        int len = snprintf(payload, beside.len + 40, "{\"n\":%" PRIu64 ",\"beside\":\"%.*s\"}",
                           i, (int)beside.len, beside.ptr);
        publication.payload = exthost_str_of(payload, (size_t)len);
        status = self->broadcast->publish(self->ctx, cause, &publication, &sequence);
    }
    free(payload);
    return answer_value(self, cause, status, sequence);
}

static exthost_status get_count(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    uint64_t count = 0;
    exthost_status status =
        self->broadcast->subscriber_count(self->ctx, cause, param(request, "channel"), &count);
    return answer_value(self, cause, status, count);
}

/* ---- Misuse ----------------------------------------------------------- */

/* Lines of the form `["what",status]`. */
struct report {
    char text[4096];
    size_t len;
};

static void note(struct report *report, const char *what, exthost_status status)
{
    size_t room = sizeof report->text - report->len;
    int len = snprintf(report->text + report->len, room, "%s[\"%s\",%" PRId32 "]",
                       report->len > 0 ? "," : "[", what, status);
    /* A report that is cut is no JSON, and so fails its test. */
    report->len += (size_t)len < room ? (size_t)len : room - 1;
}

static exthost_status get_misuse(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    const exthost_broadcast_table *broadcast = self->broadcast;
    static char huge[64 * 1024 + 1];
    struct report report = {"", 0};
    uint64_t out;
    (void)request;
    memset(huge, '0', sizeof huge);
    const exthost_publication good = {.channel = EXTHOST_STR("misuse")};
    const void *ctx = self->ctx;
#define PUBLISH(what, ...)                                                     \
    do {                                                                       \
        exthost_publication bad = good;                                        \
        __VA_ARGS__;                                                           \
        note(&report, what, broadcast->publish(ctx, cause, &bad, &out));       \
    } while (0)
    note(&report, "nothing", broadcast->publish(ctx, cause, &good, &out));
    PUBLISH("null payload with a length", bad.payload.len = 1);
    PUBLISH("null channel with a length", bad.channel = exthost_str_of(NULL, 4));
    PUBLISH("no channel", bad.channel.len = 0);
    PUBLISH("a bad channel", bad.channel = EXTHOST_STR("a b"));
    PUBLISH("a wildcard", bad.channel = EXTHOST_STR("a.*"));
    PUBLISH("another plugin's channel", bad.channel = EXTHOST_STR("notes/a"));
    PUBLISH("a huge channel", bad.channel = exthost_str_of(huge, 129));
    PUBLISH("channel not utf-8", bad.channel = EXTHOST_STR("\xff"));
    PUBLISH("a bad event", bad.event = EXTHOST_STR("a..b"));
    PUBLISH("event with a line feed", bad.event = EXTHOST_STR("a\ndata: x"));
    PUBLISH("payload not utf-8", bad.payload = EXTHOST_STR("\xc3\x28"));
    PUBLISH("a payload too large", bad.payload = exthost_str_of(huge, sizeof huge));
    PUBLISH("huge payload", bad.payload = exthost_str_of(huge, SIZE_MAX));
    PUBLISH("unknown flag", bad.flags = 1);
    PUBLISH("reserved", bad.reserved = 1);
#undef PUBLISH
    note(&report, "sequence null", broadcast->publish(ctx, cause, &good, NULL));
    note(&report, "publication null", broadcast->publish(ctx, cause, NULL, &out));
    note(&report, "publication misaligned",
         broadcast->publish(ctx, cause, (const void *)((const char *)&good + 1), &out));
    note(&report, "ctx null", broadcast->publish(NULL, cause, &good, &out));
    note(&report, "a cause of nobody", broadcast->publish(ctx, UINT64_MAX, &good, &out));
    note(&report, "count null",
         broadcast->subscriber_count(ctx, cause, EXTHOST_STR("misuse"), NULL));
    note(&report, "count of a bad channel",
         broadcast->subscriber_count(ctx, cause, EXTHOST_STR("*"), &out));
    note(&report, "count of null with a length",
         broadcast->subscriber_count(ctx, cause, exthost_str_of(NULL, 1), &out));
    note(&report, "count without ctx",
         broadcast->subscriber_count(NULL, cause, EXTHOST_STR("misuse"), &out));
    if (report.len + 1 < sizeof report.text)
        memcpy(report.text + report.len, "]", 2);
    return answer(self, cause, report.text);
}

/* ---- The door --------------------------------------------------------- */

static exthost_status init(const exthost_services *services, void **instance)
{
    static const struct {
        const char *method, *pattern;
        uint32_t flags;
        exthost_route_handle_fn handle;
    } ROUTES[] = {
        {"POST", "publish/{channel}/{event}", EXTHOST_ROUTE_INLINE, post_publish},
        {"POST", "publish/{channel}", EXTHOST_ROUTE_INLINE, post_publish},
        {"POST", "burst/{channel}/{n}", 0, post_burst},
        {"GET", "count/{channel}", EXTHOST_ROUTE_INLINE, get_count},
        {"GET", "misuse", EXTHOST_ROUTE_INLINE, get_misuse},
    };
    struct plugin *self = malloc(sizeof *self);
    if (self == NULL)
        return EXTHOST_INTERNAL;
    self->ctx = services->ctx;
    self->routes = exthost_routes(services);
    self->broadcast = exthost_broadcast(services);
    exthost_status status = EXTHOST_OK;
    for (size_t i = 0; status == EXTHOST_OK && i < sizeof ROUTES / sizeof *ROUTES; i++) {
        exthost_route_spec spec = {
            .method = exthost_str_from(ROUTES[i].method),
            .pattern = exthost_str_from(ROUTES[i].pattern),
            .flags = EXTHOST_ROUTE_PUBLIC | ROUTES[i].flags,
        };
        status = self->routes->add(self->ctx, 0, &spec, self, ROUTES[i].handle, NULL);
    }
    if (status != EXTHOST_OK) {
        free(self);
        return status;
    }
    *instance = self;
    return EXTHOST_OK;
}

EXTHOST_DOOR(init, NULL, NULL, free, NULL);
