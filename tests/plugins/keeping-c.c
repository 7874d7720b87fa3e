/* A plugin in C that does everything kv/1, cache/1 and audit/1 offer, in both forms of
 * each slot, and much that they forbid. All routes are public GETs.
 *
 *     cc -std=c11 -Wall -Wextra -Wpedantic -fvisibility=hidden -fPIC -pthread
 *        -Iplugin-api/include -shared -o libkeeping-c.so tests/plugins/keeping-c.c
 *
 * wait, complete   pool; [["step",status],...] of the slots that block, and of those
 *                  that call back; -1 is a wrong result
 * cache            inline; the same of cache/1
 * misuse           pool; [["what was misused",status],...]
 * misuse-inline    inline; the same of the slots that block
 * faults           completions that broke their contract: "0" */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* kv/1, cache/1 and audit/1 came with API 1.1. */
#define EXTHOST_API_NEEDED "1.1.0"
#include "exthost.h"

EXTHOST_META("keeping-c", "0.1.0",
    EXTHOST_KEY("needs", "routes/1,db/1,kv/1,cache/1,audit/1"));

struct keeping {
    const void *ctx;
    const exthost_routes_table *routes;
    const exthost_db_table *db;
    const exthost_kv_table *kv;
    const exthost_cache_table *cache;
    const exthost_audit_table *audit;
    /* Completions that broke their contract. */
    atomic_uint faults;
};

/* Lines of the form `["what",status]`. */
struct report {
    char text[16384];
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

static exthost_status answer(struct keeping *self, uint64_t request, const char *body)
{
    exthost_response response = {.status = 200};
    response.body = exthost_buffer_of(body, strlen(body));
    return self->routes->respond(self->ctx, request, &response);
}

static exthost_status answer_report(struct keeping *self, uint64_t request, struct report *report)
{
    if (report->len + 1 < sizeof report->text)
        memcpy(report->text + report->len, "]", 2);
    return answer(self, request, report->text);
}

static exthost_bytes bytes_of(const char *text)
{
    exthost_bytes bytes = {(const uint8_t *)text, strlen(text)};
    return bytes;
}

/* ---- Entries and completions ------------------------------------------ */

/* What a call has come to: its entries as "key=value;", its number, its end. */
struct outcome {
    struct keeping *self;
    char entries[1024];
    size_t len;
    uint64_t ttl_ms;
    int64_t number;
    exthost_status status;
    int is_done;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
};

static void begin(struct outcome *outcome, struct keeping *self)
{
    memset(outcome, 0, sizeof *outcome);
    outcome->self = self;
    pthread_mutex_init(&outcome->mutex, NULL);
    pthread_cond_init(&outcome->ended, NULL);
}

static void on_entry(void *data, const exthost_kv_entry *entry)
{
    struct outcome *outcome = data;
    if (outcome->is_done)
        atomic_fetch_add(&outcome->self->faults, 1);
    size_t room = sizeof outcome->entries - outcome->len;
    int len = snprintf(outcome->entries + outcome->len, room, "%.*s=%.*s;", (int)entry->key.len,
                       (const char *)entry->key.ptr, (int)entry->value.len,
                       (const char *)entry->value.ptr);
    outcome->len += (size_t)len < room ? (size_t)len : room - 1;
    outcome->ttl_ms = entry->ttl_ms;
}

static void on_number(void *data, exthost_status status, const exthost_error *error,
                      int64_t number)
{
    struct outcome *outcome = data;
    pthread_mutex_lock(&outcome->mutex);
    if (outcome->is_done || (status == EXTHOST_OK) != (error == NULL)
        || (status != EXTHOST_OK && number != 0))
        atomic_fetch_add(&outcome->self->faults, 1);
    outcome->status = status;
    outcome->number = number;
    outcome->is_done = 1;
    pthread_cond_signal(&outcome->ended);
    pthread_mutex_unlock(&outcome->mutex);
}

static void on_done(void *data, exthost_status status, const exthost_error *error)
{
    on_number(data, status, error, 0);
}

/* Waits for the completion of a slot that was accepted; returns how it went. */
static exthost_status end(struct outcome *outcome, exthost_status accepted)
{
    if (accepted == EXTHOST_OK) {
        pthread_mutex_lock(&outcome->mutex);
        while (!outcome->is_done)
            pthread_cond_wait(&outcome->ended, &outcome->mutex);
        accepted = outcome->status;
        pthread_mutex_unlock(&outcome->mutex);
    }
    pthread_cond_destroy(&outcome->ended);
    pthread_mutex_destroy(&outcome->mutex);
    return accepted;
}

/* ---- The slots of kv/1 and audit/1, by either form -------------------- */

/* Whom calls are made for, and by which form. */
struct way {
    struct keeping *self;
    uint64_t cause, tx;
    int completes;
    struct outcome last;
};

static exthost_status get(struct way *way, const exthost_str *keys, size_t len)
{
    const exthost_kv_table *kv = way->self->kv;
    uint64_t op = 0;
    begin(&way->last, way->self);
    if (!way->completes) {
        exthost_status status =
            kv->get(way->self->ctx, way->cause, way->tx, keys, len, &way->last, on_entry);
        way->last.status = status;
        way->last.is_done = 1;
        return end(&way->last, status);
    }
    return end(&way->last, kv->get_async(way->self->ctx, way->cause, way->tx, keys, len,
                                         &way->last, on_entry, on_done, &op));
}

static exthost_status list(struct way *way, const char *prefix, const char *after, uint32_t limit,
                           uint32_t flags)
{
    const exthost_kv_table *kv = way->self->kv;
    exthost_kv_query query = {exthost_str_from(prefix), exthost_str_from(after), limit, flags};
    uint64_t op = 0;
    uint32_t more = 7;
    begin(&way->last, way->self);
    if (!way->completes) {
        exthost_status status =
            kv->list(way->self->ctx, way->cause, way->tx, &query, &way->last, on_entry, &more);
        way->last.status = status;
        way->last.is_done = 1;
        way->last.number = more;
        return end(&way->last, status);
    }
    return end(&way->last, kv->list_async(way->self->ctx, way->cause, way->tx, &query, &way->last,
                                          on_entry, on_number, &op));
}

static exthost_status write_all(struct way *way, const exthost_kv_write *writes, size_t len)
{
    const exthost_kv_table *kv = way->self->kv;
    uint64_t op = 0;
    begin(&way->last, way->self);
    if (!way->completes) {
        way->last.is_done = 1;
        way->last.status =
            kv->write(way->self->ctx, way->cause, way->tx, writes, len, &way->last.number);
        return end(&way->last, way->last.status);
    }
    return end(&way->last, kv->write_async(way->self->ctx, way->cause, way->tx, writes, len,
                                           &way->last, on_number, &op));
}

static exthost_kv_write a_write(const char *key, const char *value)
{
    exthost_kv_write write;
    memset(&write, 0, sizeof write);
    write.key = exthost_str_from(key);
    write.value = bytes_of(value);
    return write;
}

static exthost_status set(struct way *way, const char *key, const char *value, uint64_t ttl_ms,
                          uint32_t when, const char *expected)
{
    exthost_kv_write write = a_write(key, value);
    write.ttl_ms = ttl_ms;
    write.when = when;
    write.expected = bytes_of(expected);
    return write_all(way, &write, 1);
}

static exthost_status add(struct way *way, const char *key, int64_t amount, uint64_t ttl_ms)
{
    const exthost_kv_table *kv = way->self->kv;
    exthost_str name = exthost_str_from(key);
    uint64_t op = 0;
    begin(&way->last, way->self);
    if (!way->completes) {
        way->last.is_done = 1;
        way->last.status = kv->add(way->self->ctx, way->cause, way->tx, name, amount, ttl_ms,
                                   &way->last.number);
        return end(&way->last, way->last.status);
    }
    return end(&way->last, kv->add_async(way->self->ctx, way->cause, way->tx, name, amount, ttl_ms,
                                         &way->last, on_number, &op));
}

static exthost_status expire(struct way *way, const char *key, uint64_t ttl_ms)
{
    const exthost_kv_table *kv = way->self->kv;
    exthost_str name = exthost_str_from(key);
    uint64_t op = 0;
    begin(&way->last, way->self);
    if (!way->completes) {
        way->last.is_done = 1;
        way->last.status = kv->expire(way->self->ctx, way->cause, way->tx, name, ttl_ms);
        return end(&way->last, way->last.status);
    }
    return end(&way->last, kv->expire_async(way->self->ctx, way->cause, way->tx, name, ttl_ms,
                                            &way->last, on_done, &op));
}

static exthost_status flush(struct way *way, const char *prefix)
{
    const exthost_kv_table *kv = way->self->kv;
    exthost_str name = exthost_str_from(prefix);
    uint64_t op = 0;
    begin(&way->last, way->self);
    if (!way->completes) {
        way->last.is_done = 1;
        way->last.status =
            kv->flush(way->self->ctx, way->cause, way->tx, name, &way->last.number);
        return end(&way->last, way->last.status);
    }
    return end(&way->last, kv->flush_async(way->self->ctx, way->cause, way->tx, name, &way->last,
                                           on_number, &op));
}

static exthost_audit_record a_record(const char *action, const char *detail)
{
    exthost_audit_record record;
    memset(&record, 0, sizeof record);
    record.action = exthost_str_from(action);
    record.target_kind = EXTHOST_STR("thing");
    record.target_id = EXTHOST_STR("7");
    record.detail = bytes_of(detail);
    return record;
}

static exthost_status record(struct way *way, const char *action, const char *detail)
{
    const exthost_audit_table *audit = way->self->audit;
    exthost_audit_record record = a_record(action, detail);
    uint64_t op = 0;
    record.tx = way->tx;
    begin(&way->last, way->self);
    if (!way->completes) {
        way->last.is_done = 1;
        way->last.status = audit->record(way->self->ctx, way->cause, &record);
        return end(&way->last, way->last.status);
    }
    return end(&way->last, audit->record_async(way->self->ctx, way->cause, &record, &way->last,
                                               on_done, &op));
}

/* Notes that a call succeeded with these entries and this number. */
static void step(struct report *report, const char *what, struct way *way, exthost_status status,
                 const char *entries, int64_t number)
{
    if (status == EXTHOST_OK
        && (strcmp(way->last.entries, entries) != 0 || way->last.number != number))
        status = -1;
    note(report, what, status);
}

static exthost_status drive(struct keeping *self, uint64_t cause, int completes)
{
    struct way way = {.self = self, .cause = cause, .completes = completes};
    struct report *report = calloc(1, sizeof *report);
    const exthost_str some[] = {EXTHOST_STR("b"), EXTHOST_STR("none"), EXTHOST_STR("a")};
    exthost_kv_write writes[2];
    exthost_tx_spec spec = {0, 0, 0, 0};
    exthost_status status;
    if (report == NULL)
        return EXTHOST_INTERNAL;

    step(report, "flush", &way, flush(&way, "") == EXTHOST_OK ? flush(&way, "") : -1, "", 0);
    step(report, "set", &way, set(&way, "a", "1", 0, EXTHOST_KV_ALWAYS, ""), "", 1);
    step(report, "absent", &way, set(&way, "b", "2", 60000, EXTHOST_KV_IF_ABSENT, ""), "", 1);
    step(report, "get", &way, get(&way, some, 3), "b=2;a=1;", 0);
    step(report, "get none", &way, get(&way, some + 1, 1), "", 0);
    step(report, "get of nothing", &way, get(&way, NULL, 0), "", 0);
    status = get(&way, some, 1);
    if (status == EXTHOST_OK && (way.last.ttl_ms == 0 || way.last.ttl_ms > 60000))
        status = -1;
    note(report, "time left", status);

    status = set(&way, "a", "x", 0, EXTHOST_KV_IF_ABSENT, "");
    note(report, "absent, of one there", status == EXTHOST_CONFLICT ? EXTHOST_OK : -1);
    status = set(&way, "none", "x", 0, EXTHOST_KV_IF_PRESENT, "");
    note(report, "present, of none", status == EXTHOST_CONFLICT ? EXTHOST_OK : -1);
    status = set(&way, "a", "x", 0, EXTHOST_KV_IF_EQUAL, "2");
    note(report, "equal, of another", status == EXTHOST_CONFLICT ? EXTHOST_OK : -1);
    step(report, "present", &way, set(&way, "a", "3", 0, EXTHOST_KV_IF_PRESENT, ""), "", 1);
    step(report, "equal", &way, set(&way, "a", "4", 0, EXTHOST_KV_IF_EQUAL, "3"), "", 1);

    /* All or none: the second fails, so the first is not done. */
    writes[0] = a_write("c", "5");
    writes[1] = a_write("a", "6");
    writes[1].when = EXTHOST_KV_IF_ABSENT;
    status = write_all(&way, writes, 2);
    note(report, "two, of which one fails", status == EXTHOST_CONFLICT ? EXTHOST_OK : -1);
    step(report, "neither", &way, list(&way, "", "", 0, 0), "a=4;b=2;", 0);
    writes[1].when = EXTHOST_KV_ALWAYS;
    writes[1].value = bytes_of("");
    writes[1].flags = EXTHOST_KV_DELETE;
    step(report, "two", &way, write_all(&way, writes, 2), "", 2);
    writes[1].key = EXTHOST_STR("none");
    step(report, "deleted none", &way, write_all(&way, writes + 1, 1), "", 0);
    writes[0] = a_write("b", "7");
    writes[0].flags = EXTHOST_KV_KEEP_TTL;
    step(report, "keep the time", &way, write_all(&way, writes, 1), "", 1);
    status = get(&way, some, 1);
    note(report, "kept", status == EXTHOST_OK && way.last.ttl_ms > 0 ? EXTHOST_OK : -1);
    step(report, "for ever", &way, expire(&way, "b", 0), "", 0);
    status = get(&way, some, 1);
    note(report, "no time", status == EXTHOST_OK && way.last.ttl_ms == 0 ? EXTHOST_OK : -1);
    status = expire(&way, "none", 1000);
    note(report, "expire none", status == EXTHOST_NOT_FOUND ? EXTHOST_OK : -1);

    step(report, "add", &way, add(&way, "n", 5, 60000), "", 5);
    step(report, "subtract", &way, add(&way, "n", -8, 0), "", -3);
    step(report, "a page", &way, list(&way, "", "", 2, 0), "b=7;c=5;", 1);
    step(report, "the next", &way, list(&way, "", "c", 2, 0), "n=-3;", 0);
    step(report, "keys", &way, list(&way, "", "", 0, EXTHOST_KV_KEYS_ONLY), "b=;c=;n=;", 0);
    step(report, "a prefix", &way, list(&way, "n", "", 0, 0), "n=-3;", 0);
    step(report, "flush a prefix", &way, flush(&way, "n"), "", 1);
    step(report, "record", &way, record(&way, "thing.done", "{\"how\":1}"), "", 0);
    step(report, "record nothing more", &way, record(&way, "thing.done", ""), "", 0);

    /* What is in a transaction goes with it. */
    status = self->db->begin(self->ctx, cause, &spec, &way.tx);
    note(report, "begin", status);
    step(report, "set inside", &way, set(&way, "t", "1", 0, EXTHOST_KV_ALWAYS, ""), "", 1);
    step(report, "seen inside", &way, list(&way, "t", "", 0, 0), "t=1;", 0);
    step(report, "record inside", &way, record(&way, "thing.undone", ""), "", 0);
    note(report, "rollback", self->db->rollback(self->ctx, cause, way.tx));
    way.tx = 0;
    step(report, "gone", &way, list(&way, "t", "", 0, 0), "", 0);
    status = self->db->begin(self->ctx, cause, &spec, &way.tx);
    step(report, "add inside", &way, status == EXTHOST_OK ? add(&way, "t", 2, 0) : status, "", 2);
    step(report, "record there", &way, record(&way, "thing.committed", ""), "", 0);
    note(report, "commit", self->db->commit(self->ctx, cause, way.tx));
    way.tx = 0;
    step(report, "there", &way, list(&way, "t", "", 0, 0), "t=2;", 0);

    status = answer_report(self, cause, report);
    free(report);
    return status;
}

static exthost_status get_wait(void *data, uint64_t cause, const exthost_request *request)
{
    (void)request;
    return drive(data, cause, 0);
}

static exthost_status get_complete(void *data, uint64_t cause, const exthost_request *request)
{
    (void)request;
    return drive(data, cause, 1);
}

/* ---- cache/1 ---------------------------------------------------------- */

static exthost_status get_cache(void *data, uint64_t cause, const exthost_request *request)
{
    struct keeping *self = data;
    const exthost_cache_table *cache = self->cache;
    const void *ctx = self->ctx;
    const exthost_str both[] = {EXTHOST_STR("b"), EXTHOST_STR("a")};
    exthost_kv_write writes[2] = {a_write("a", "1"), a_write("b", "2")};
    struct way way = {.self = self, .cause = cause};
    struct report report = {"", 0};
    exthost_status status;
    (void)request;

    begin(&way.last, self);
    note(&report, "flush", cache->flush(ctx, cause, EXTHOST_STR(""), NULL));
    writes[1].ttl_ms = 60000;
    status = cache->write(ctx, cause, writes, 2, &way.last.number);
    step(&report, "write", &way, status, "", 2);
    way.last.number = 0;
    status = cache->get(ctx, cause, both, 2, &way.last, on_entry);
    step(&report, "get", &way, status, "b=2;a=1;", 0);
    writes[0].when = EXTHOST_KV_IF_ABSENT;
    status = cache->write(ctx, cause, writes, 1, NULL);
    note(&report, "condition", status == EXTHOST_CONFLICT ? EXTHOST_OK : -1);
    status = cache->add(ctx, cause, EXTHOST_STR("a"), 41, 0, &way.last.number);
    way.last.entries[0] = '\0';
    step(&report, "add", &way, status, "", 42);
    note(&report, "expire", cache->expire(ctx, cause, EXTHOST_STR("a"), 0));
    status = cache->expire(ctx, cause, EXTHOST_STR("none"), 0);
    note(&report, "expire none", status == EXTHOST_NOT_FOUND ? EXTHOST_OK : -1);
    status = cache->flush(ctx, cause, EXTHOST_STR("a"), &way.last.number);
    step(&report, "flush a prefix", &way, status, "", 1);
    end(&way.last, EXTHOST_INVALID);
    return answer_report(self, cause, &report);
}

/* ---- Misuse ----------------------------------------------------------- */

static exthost_status get_misuse(void *data, uint64_t cause, const exthost_request *request)
{
    struct keeping *self = data;
    const exthost_kv_table *kv = self->kv;
    const exthost_cache_table *cache = self->cache;
    const void *ctx = self->ctx;
    static char large[(1 << 20) + 2];
    static exthost_str many[1001];
    const exthost_str a = EXTHOST_STR("a");
    const exthost_str wide = {large, 1025};
    const exthost_str null_text = {NULL, 3};
    const exthost_str not_utf8 = {"\xff\xfe", 2};
    const exthost_str endless = {"x", SIZE_MAX};
    const struct {
        const char *what;
        exthost_str key;
    } keys[] = {
        {"an empty key", {NULL, 0}},
        {"a key of 1025 bytes", wide},
        {"a null key", null_text},
        {"a key that is not UTF-8", not_utf8},
        {"an endless key", endless},
    };
    struct way way = {.self = self, .cause = cause};
    struct report *report = calloc(1, sizeof *report);
    exthost_kv_write write;
    exthost_kv_query query = {{NULL, 0}, {NULL, 0}, 0, 0};
    exthost_audit_record record;
    exthost_tx_spec spec = {0, 0, 0, 0};
    exthost_status status;
    uint64_t tx = 0, op = 0;
    char what[96];
    (void)request;
    if (report == NULL)
        return EXTHOST_INTERNAL;
    memset(large, 'x', sizeof large - 1);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = a;
    begin(&way.last, self);

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const exthost_str key = keys[i].key;
        write = a_write("", "1");
        write.key = key;
#define OF_KEY(slot, call)                                                                      \
    do {                                                                                        \
        snprintf(what, sizeof what, "%s in %s", keys[i].what, slot);                            \
        note(report, what, call);                                                               \
    } while (0)
        OF_KEY("get", kv->get(ctx, cause, 0, &key, 1, &way.last, on_entry));
        OF_KEY("write", kv->write(ctx, cause, 0, &write, 1, NULL));
        OF_KEY("add", kv->add(ctx, cause, 0, key, 1, 0, NULL));
        OF_KEY("expire", kv->expire(ctx, cause, 0, key, 1));
        OF_KEY("cache get", cache->get(ctx, cause, &key, 1, &way.last, on_entry));
        OF_KEY("cache write", cache->write(ctx, cause, &write, 1, NULL));
        OF_KEY("cache add", cache->add(ctx, cause, key, 1, 0, NULL));
        OF_KEY("cache expire", cache->expire(ctx, cause, key, 1));
    }

    note(report, "get of null keys", kv->get(ctx, cause, 0, NULL, 2, &way.last, on_entry));
    note(report, "get of 1001 keys", kv->get(ctx, cause, 0, many, 1001, &way.last, on_entry));
    note(report, "get for nobody", kv->get(ctx, cause, 0, &a, 1, &way.last, NULL));
    note(report, "get_async for nobody",
         kv->get_async(ctx, cause, 0, &a, 1, &way.last, NULL, on_done, &op));
    note(report, "get_async without done",
         kv->get_async(ctx, cause, 0, &a, 1, &way.last, on_entry, NULL, &op));
    note(report, "cache get of 1001 keys", cache->get(ctx, cause, many, 1001, &way.last, on_entry));
    note(report, "cache get for nobody", cache->get(ctx, cause, &a, 1, &way.last, NULL));
    note(report, "get in no transaction", kv->get(ctx, cause, 99, &a, 1, &way.last, on_entry));

    note(report, "write of null", kv->write(ctx, cause, 0, NULL, 1, NULL));
    note(report, "cache write of null", cache->write(ctx, cause, NULL, 1, NULL));
#define WRITE(what, change)                                                                     \
    do {                                                                                        \
        write = a_write("m", "1");                                                              \
        change;                                                                                 \
        note(report, what, kv->write(ctx, cause, 0, &write, 1, NULL));                          \
        note(report, "cache " what, cache->write(ctx, cause, &write, 1, NULL));                 \
    } while (0)
    WRITE("write of a null value", write.value.ptr = NULL);
    WRITE("write of more than 1 MiB", write.value = bytes_of(large));
    WRITE("write with a strange flag", write.flags = 8);
    WRITE("write with a strange condition", write.when = 9);
    WRITE("write that expects without a condition", write.expected = bytes_of("1"));
    WRITE("delete with a value", write.flags = EXTHOST_KV_DELETE);
    WRITE("delete with a time",
          (write.flags = EXTHOST_KV_DELETE, write.value.len = 0, write.ttl_ms = 1));
    WRITE("delete that keeps the time",
          (write.flags = EXTHOST_KV_DELETE | EXTHOST_KV_KEEP_TTL, write.value.len = 0));

    note(report, "list of null", kv->list(ctx, cause, 0, NULL, &way.last, on_entry, NULL));
    query.flags = 2;
    note(report, "list with a strange flag",
         kv->list(ctx, cause, 0, &query, &way.last, on_entry, NULL));
    query.flags = 0;
    query.prefix = not_utf8;
    note(report, "list of what is not UTF-8",
         kv->list(ctx, cause, 0, &query, &way.last, on_entry, NULL));
    note(report, "flush of null", kv->flush(ctx, cause, 0, null_text, NULL));
    note(report, "cache flush of null", cache->flush(ctx, cause, null_text, NULL));

    write = a_write("words", "one two");
    status = kv->write(ctx, cause, 0, &write, 1, NULL);
    note(report, "add to words",
         status == EXTHOST_OK ? kv->add(ctx, cause, 0, EXTHOST_STR("words"), 1, 0, NULL) : -1);
    status = kv->add(ctx, cause, 0, EXTHOST_STR("full"), INT64_MAX, 0, NULL);
    note(report, "add beyond 64 bits",
         status == EXTHOST_OK ? kv->add(ctx, cause, 0, EXTHOST_STR("full"), 1, 0, NULL) : -1);
    status = kv->flush(ctx, cause, 0, EXTHOST_STR("full"), NULL);

    note(report, "record of null", self->audit->record(ctx, cause, NULL));
#define RECORD(what, change)                                                                    \
    do {                                                                                        \
        record = a_record("thing.done", "");                                                    \
        change;                                                                                 \
        note(report, what, self->audit->record(ctx, cause, &record));                           \
    } while (0)
    RECORD("record of nothing", record.action.len = 0);
    RECORD("record of what is no action", record.action = EXTHOST_STR("thing done"));
    RECORD("record of 129 bytes", (record.action = wide, record.action.len = 129));
    RECORD("record of a long kind", (record.target_kind = wide, record.target_kind.len = 129));
    RECORD("record of a long id", record.target_id = wide);
    RECORD("record of no JSON", record.detail = bytes_of("{"));
    RECORD("record of more than 64 KiB", (record.detail = bytes_of(large)));
    RECORD("record with a flag", record.flags = 1);
    RECORD("record with something reserved", record.reserved = 1);
    RECORD("record in no transaction", record.tx = 99);
    record = a_record("thing.done", "");
    note(report, "record_async without done",
         self->audit->record_async(ctx, cause, &record, &way.last, NULL, &op));

    /* A write beside the transaction that the same cause holds open. */
    status = self->db->begin(ctx, cause, &spec, &tx);
    write = a_write("m", "1");
    note(report, "write beside its own transaction",
         status == EXTHOST_OK ? kv->write(ctx, cause, 0, &write, 1, NULL) : -1);
    status = self->db->rollback(ctx, cause, tx);
    note(report, "write in an ended transaction",
         status == EXTHOST_OK ? kv->write(ctx, cause, tx, &write, 1, NULL) : -1);

    end(&way.last, EXTHOST_INVALID);
    status = answer_report(self, cause, report);
    free(report);
    return status;
}

static exthost_status get_misuse_inline(void *data, uint64_t cause, const exthost_request *request)
{
    struct keeping *self = data;
    const exthost_kv_table *kv = self->kv;
    const void *ctx = self->ctx;
    const exthost_str a = EXTHOST_STR("a");
    struct way way = {.self = self, .cause = cause};
    struct report report = {"", 0};
    exthost_kv_write write = a_write("a", "1");
    exthost_kv_query query = {{NULL, 0}, {NULL, 0}, 0, 0};
    exthost_audit_record record = a_record("thing.done", "");
    (void)request;

    begin(&way.last, self);
    note(&report, "get", kv->get(ctx, cause, 0, &a, 1, &way.last, on_entry));
    note(&report, "write", kv->write(ctx, cause, 0, &write, 1, NULL));
    note(&report, "add", kv->add(ctx, cause, 0, a, 1, 0, NULL));
    note(&report, "expire", kv->expire(ctx, cause, 0, a, 1));
    note(&report, "list", kv->list(ctx, cause, 0, &query, &way.last, on_entry, NULL));
    note(&report, "flush", kv->flush(ctx, cause, 0, a, NULL));
    note(&report, "record", self->audit->record(ctx, cause, &record));
    end(&way.last, EXTHOST_INVALID);
    return answer_report(self, cause, &report);
}

static exthost_status get_faults(void *data, uint64_t cause, const exthost_request *request)
{
    struct keeping *self = data;
    char text[16];
    (void)request;
    snprintf(text, sizeof text, "%u", atomic_load(&self->faults));
    return answer(self, cause, text);
}

/* ---- The door --------------------------------------------------------- */

static void destroy(void *instance)
{
    free(instance);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    const uint32_t inlined = EXTHOST_ROUTE_INLINE;
    const struct {
        const char *pattern;
        uint32_t flags;
        exthost_route_handle_fn handle;
    } routes[] = {
        {"wait", 0, get_wait},
        {"complete", 0, get_complete},
        {"cache", inlined, get_cache},
        {"misuse", 0, get_misuse},
        {"misuse-inline", inlined, get_misuse_inline},
        {"faults", inlined, get_faults},
    };
    exthost_status status = EXTHOST_OK;
    struct keeping *self = calloc(1, sizeof *self);
    if (self == NULL)
        return EXTHOST_INTERNAL;
    self->ctx = services->ctx;
    self->routes = exthost_routes(services);
    self->db = exthost_db(services);
    self->kv = exthost_kv(services);
    self->cache = exthost_cache(services);
    self->audit = exthost_audit(services);
    for (size_t i = 0; status == EXTHOST_OK && i < sizeof routes / sizeof *routes; i++) {
        exthost_route_spec spec = {
            .method = EXTHOST_STR("GET"),
            .pattern = exthost_str_from(routes[i].pattern),
            .flags = EXTHOST_ROUTE_PUBLIC | routes[i].flags,
        };
        status = self->routes->add(self->ctx, 0, &spec, self, routes[i].handle, NULL);
    }
    if (status != EXTHOST_OK) {
        destroy(self);
        return status;
    }
    *instance = self;
    return EXTHOST_OK;
}

EXTHOST_DOOR(init, NULL, NULL, destroy, NULL);
