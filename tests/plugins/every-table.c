/* A plugin in C that uses every slot of every table of API 1.0.
 *
 *     cc -std=c99 -Wall -Wextra -Wpedantic -fvisibility=hidden -fPIC -pthread
 *        -Iplugin-api/include -shared -o libevery-table.so tests/plugins/every-table.c
 *
 * Its twin in Rust is the crate every-table; both answer the same. All routes are
 * public but `guarded`, and answer text. Where a path begins with WAY there are two
 * routes: `wait` uses the slots that block, `complete` those that call back.
 *
 * GET  host                        the API version of the host: "1.0.0"
 * *    WAY/echo/{first}/{*rest}    what was asked, a line each, with status 201
 * POST WAY/upload                  "N bytes, fnv1a H" of a body of 1 MiB at most
 * GET  WAY/download?chunks=N       "chunk 0\n" ... in chunks
 * GET  WAY/leave                   a stream without an end
 * GET  left                        how many clients left it: "N wait, N complete"
 * GET  later                       answers from a thread of its own: "later"
 * GET  silent                      does not answer; deadline 200 ms
 * GET  twice                       "once", and tries to answer again
 * GET  refused?how=return|answer   409 with the code `asked-for`
 * GET  given-up, broken            ends before the head, and amid the body
 * GET  guarded                     asks for the scope `every.thing`
 * GET  config?at=POINTER           the option there, as JSON
 * POST log?level=N                 writes the body: "enabled N"
 * GET  logged                      the last line it has written, as `core.log` told it
 * GET  tasks                       what futures, timers and blocking work came to
 * POST emit?to=all|self            emits the body, JSON, as `told`
 * GET  told                        the last it heard: "N PAYLOAD from PLUGIN as TYPE"
 * POST WAY/ask?policy=open|closed  asks two filters: "passed P" or "vetoed by P: WHY"
 * GET  listeners                   "told 1, nothing 0, subscribed 1, unsubscribed 0"
 * GET  WAY/migrate                 migrates again: "migrated"
 * POST WAY/items                   stores the body: its number
 * GET  WAY/items                   a line each, "N NAME"
 * DEL  WAY/items                   removes them: "removed"
 * GET  WAY/kinds                   a value of each kind, there and back
 * GET  WAY/first                   three rows of an endless statement
 * POST WAY/batch                   stores BODY-1 and BODY-2, or neither: "2 results"
 * POST WAY/transaction?end=commit|rollback
 *                                  stores BODY and BODY-nested, fires `item.stored`:
 *                                  "N inside, msg_..."
 * GET  cancel                      cancels an endless statement: "cancelled"
 * GET  dialect                     "sqlite"
 * GET  denied?what=table|event     what the host says of it: the code of its error
 * POST publish                     publishes the body, JSON, on `news`: its number
 * GET  subscribers                 how many listen to `news`
 * POST WAY/fire                    fires the body, text, as `body.told`: "msg_..."
 * GET  faults                      breaches of the contract that it noticed: "0"
 *
 * Options: `greeting` and `number`, to be read; `life`, a file to which start, stop
 * and destroy append a line each. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exthost.h"

#define NAME "every-table-c"
#define ITEMS "ext_every_table_c_items"

EXTHOST_META(NAME, "1.0.0",
    EXTHOST_KEY("needs", "log/1,config/1,routes/1,tasks/1,events/1,db/1,broadcast/1,webhooks/1")
    EXTHOST_KEY("description", "Uses every slot of every table, in C")
    EXTHOST_KEY("license", "MIT OR Apache-2.0"));

/* Text that grows. */
struct text {
    size_t len, room;
    char *chars;
};

/* One of the two ways to do what may take its time; the data of most routes. */
struct way {
    struct plugin *self;
    int completes;
};

/* The instance: one for each time the host loads the plugin. */
struct plugin {
    const exthost_services *services;
    const void *ctx;
    const exthost_log_table *log;
    const exthost_config_table *config;
    const exthost_routes_table *routes;
    const exthost_tasks_table *tasks;
    const exthost_events_table *events;
    const exthost_db_table *db;
    const exthost_broadcast_table *broadcast;
    const exthost_webhooks_table *webhooks;
    struct way ways[2];
    char life[1024];

    /* Guards what follows, and tells of its changes. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned faults, left[2], subscriptions, told;
    struct text last_told, last_logged;
    struct errand *errands;
    int is_stopping;
    pthread_t worker;
};

/* Counts what the host should not have done. */
static void expect(struct plugin *self, int holds)
{
    pthread_mutex_lock(&self->mutex);
    self->faults += !holds;
    pthread_mutex_unlock(&self->mutex);
}

/* ---- Text --------------------------------------------------------------- */

static void *allocate(size_t size)
{
    void *made = calloc(1, size);
    if (made == NULL)
        abort();
    return made;
}

static void add(struct text *text, const void *chars, size_t len)
{
    if (text->room - text->len <= len) {
        text->room = 2 * text->room + len + 64;
        text->chars = realloc(text->chars, text->room);
        if (text->chars == NULL)
            abort();
    }
    if (len > 0)
        memcpy(text->chars + text->len, chars, len);
    text->len += len;
    text->chars[text->len] = '\0';
}

static void add_str(struct text *text, exthost_str str)
{
    add(text, str.ptr, str.len);
}

/* Adds what printf makes of the format, 256 bytes at most. */
static void say(struct text *text, const char *format, ...)
{
    char line[256];
    va_list values;
    va_start(values, format);
    int len = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    add(text, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

static exthost_str str_of_bytes(exthost_bytes bytes)
{
    return exthost_str_of((const char *)bytes.ptr, bytes.len);
}


static int contains(exthost_str text, const char *part)
{
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.ptr + i, part, len) == 0)
            return 1;
    return 0;
}

/* The value of a key of the query, as the client sent it. */
static exthost_str query_value(const exthost_request *request, const char *key)
{
    exthost_str query = request->query;
    size_t len = strlen(key), begin = 0;
    while (begin < query.len) {
        size_t end = begin;
        while (end < query.len && query.ptr[end] != '&')
            end++;
        if (end - begin > len && query.ptr[begin + len] == '='
            && memcmp(query.ptr + begin, key, len) == 0)
            return exthost_str_of(query.ptr + begin + len + 1, end - begin - len - 1);
        begin = end + 1;
    }
    return exthost_str_of(NULL, 0);
}

static int query_is(const exthost_request *request, const char *key, const char *value)
{
    return exthost_str_equal(query_value(request, key), exthost_str_from(value));
}

static uint32_t query_number(const exthost_request *request, const char *key)
{
    exthost_str digits = query_value(request, key);
    uint32_t number = 0;
    for (size_t i = 0; i < digits.len && digits.ptr[i] >= '0' && digits.ptr[i] <= '9'; i++)
        number = number * 10 + (uint32_t)(digits.ptr[i] - '0');
    return number;
}

/* ---- Answers ------------------------------------------------------------ */

static const exthost_header TEXT_PLAIN = {EXTHOST_STR_INIT("content-type"),
                                          {(const uint8_t *)"text/plain", 10}};

/* Answers with the text, which the host frees when it was sent. */
static exthost_status answer_text(struct plugin *self, uint64_t request, struct text *text)
{
    exthost_response response = {.status = 200, .headers = &TEXT_PLAIN, .headers_len = 1};
    response.body.ptr = (const uint8_t *)text->chars;
    response.body.len = text->len;
    response.body.owner = text->chars;
    response.body.release = free;
    text->chars = NULL;
    return self->routes->respond(self->ctx, request, &response);
}

/* Answers with a few words, which the host copies. */
static exthost_status answer(struct plugin *self, uint64_t request, const char *format, ...)
{
    char words[160];
    exthost_response response = {.status = 200, .headers = &TEXT_PLAIN, .headers_len = 1};
    va_list values;
    va_start(values, format);
    vsnprintf(words, sizeof words, format, values);
    va_end(values);
    response.body = exthost_buffer_of(words, strlen(words));
    return self->routes->respond(self->ctx, request, &response);
}

/* The text on success; otherwise the status, which the host answers with what
 * `last_error` or `fail` have said. */
static exthost_status conclude(struct plugin *self, uint64_t request, exthost_status status,
                               struct text *text)
{
    if (status == EXTHOST_OK)
        return answer_text(self, request, text);
    free(text->chars);
    return status;
}

/* ---- A thread of its own, from start to stop ----------------------------- */

/* What the thread is to do: for the request, event or task `id`. */
struct errand {
    struct errand *next;
    void (*run)(struct plugin *self, struct errand *errand);
    uint64_t id;
    struct text text;
};

static void *work(void *data)
{
    struct plugin *self = data;
    pthread_mutex_lock(&self->mutex);
    while (self->errands || !self->is_stopping) {
        struct errand *errand = self->errands;
        if (errand == NULL) {
            pthread_cond_wait(&self->changed, &self->mutex);
            continue;
        }
        self->errands = errand->next;
        pthread_mutex_unlock(&self->mutex);
        errand->run(self, errand);
        free(errand->text.chars);
        free(errand);
        pthread_mutex_lock(&self->mutex);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

static void send(struct plugin *self, void (*run)(struct plugin *, struct errand *), uint64_t id,
                 exthost_str text)
{
    struct errand *errand = allocate(sizeof *errand);
    errand->run = run;
    errand->id = id;
    add_str(&errand->text, text);
    pthread_mutex_lock(&self->mutex);
    errand->next = self->errands;
    self->errands = errand;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

/* ---- Waiting for what completes ------------------------------------------ */

/* What a completing slot has come to; waited for on a thread that may block. */
struct wait {
    struct plugin *self;
    int is_done;
    exthost_status status;
    uint64_t id;
    exthost_run_result result;
    struct text text;
    uint64_t results;
    char code[64], message[256];
};

static struct wait wait_of(struct plugin *self)
{
    struct wait wait;
    memset(&wait, 0, sizeof wait);
    wait.self = self;
    return wait;
}

static void keep(char *to, size_t room, exthost_str from)
{
    size_t len = from.len < room ? from.len : room - 1;
    if (len > 0)
        memcpy(to, from.ptr, len);
    to[len] = '\0';
}

/* Whatever it is that completes. Once the mutex is free, `wait` may be no more. */
static void wait_ended(struct wait *wait, exthost_status status, const exthost_error *error)
{
    struct plugin *self = wait->self;
    pthread_mutex_lock(&self->mutex);
    self->faults += wait->is_done || (error == NULL) != (status == EXTHOST_OK);
    wait->is_done = 1;
    wait->status = status;
    if (error) {
        keep(wait->code, sizeof wait->code, error->code);
        keep(wait->message, sizeof wait->message, error->message);
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

static void done(void *data, exthost_status status, const exthost_error *error)
{
    wait_ended(data, status, error);
}

static void id_done(void *data, exthost_status status, const exthost_error *error, uint64_t id)
{
    ((struct wait *)data)->id = id;
    wait_ended(data, status, error);
}

static void run_done(void *data, exthost_status status, const exthost_error *error,
                     const exthost_run_result *result)
{
    if (result)
        ((struct wait *)data)->result = *result;
    wait_ended(data, status, error);
}

/* Waits when the slot has accepted, and tells the host why it failed, as a blocking
 * slot does by itself. The host completes in any case, so this ends. */
static exthost_status wait_for(struct wait *wait, exthost_status accepted)
{
    struct plugin *self = wait->self;
    if (accepted != EXTHOST_OK)
        return accepted;
    pthread_mutex_lock(&self->mutex);
    while (!wait->is_done)
        pthread_cond_wait(&self->changed, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
    if (wait->status != EXTHOST_OK)
        self->services->fail(self->ctx, exthost_str_from(wait->code),
                             exthost_str_from(wait->message), EXTHOST_STR(""));
    return wait->status;
}

/* ---- log/1 and config/1 -------------------------------------------------- */

static exthost_status post_log(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    uint32_t level = query_number(request, "level"), enabled = 0;
    const exthost_field fields[] = {
        {EXTHOST_STR_INIT("word"), exthost_value_text(EXTHOST_STR("word"))},
        {EXTHOST_STR_INIT("number"), exthost_value_integer(-7)},
        {EXTHOST_STR_INIT("half"), exthost_value_real(0.5)},
        {EXTHOST_STR_INIT("nothing"), exthost_value_null()},
        {EXTHOST_STR_INIT("bytes"), exthost_value_blob(exthost_bytes_of("\0\xff", 2))},
    };
    exthost_status status = self->log->enabled(self->ctx, cause, level, &enabled);
    if (status == EXTHOST_OK)
        status = self->log->write(self->ctx, cause, level, str_of_bytes(request->body), fields,
                                  sizeof fields / sizeof *fields);
    return status == EXTHOST_OK ? answer(self, cause, "enabled %" PRIu32, enabled) : status;
}

static void add_bytes(void *data, exthost_bytes bytes)
{
    add(data, bytes.ptr, bytes.len);
}

static exthost_status get_config(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    struct text value = {0, 0, NULL};
    exthost_status status =
        self->config->read(self->ctx, cause, query_value(request, "at"), &value, add_bytes);
    return conclude(self, cause, status, &value);
}

/* ---- routes/1 ------------------------------------------------------------ */

static exthost_status get_host(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    const exthost_services *services = self->services;
    exthost_error error;
    (void)request;
    expect(self, services->abi == EXTHOST_ABI
        && services->service(self->ctx, EXTHOST_STR("no-such"), 1) == NULL
        && services->last_error(self->ctx, &error) == EXTHOST_OK
        && exthost_str_equal(error.code, EXTHOST_STR("no-such-table")));
    return answer(self, cause, "%" PRIu32 ".%" PRIu32 ".%" PRIu32, services->api.major,
                  services->api.minor, services->api.patch);
}

static void add_line(struct text *text, const char *name, exthost_str value)
{
    say(text, "%s: ", name);
    add_str(text, value);
    add(text, "\n", 1);
}

static exthost_status any_echo(void *data, uint64_t cause, const exthost_request *request)
{
    static const exthost_header HEADERS[] = {
        {EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"text/plain", 10}},
        {EXTHOST_STR_INIT("x-echo"), {(const uint8_t *)"every", 5}},
    };
    struct plugin *self = ((struct way *)data)->self;
    struct text text = {0, 0, NULL};
    exthost_response response = {.status = 201, .headers = HEADERS, .headers_len = 2};
    add_line(&text, "method", request->method);
    add_line(&text, "path", request->path);
    add_line(&text, "query", request->query);
    add_line(&text, "mount", request->mount);
    for (size_t i = 0; i < request->params_len; i++) {
        add_str(&text, request->params[i].name);
        add_line(&text, "", request->params[i].value);
    }
    for (size_t i = 0; i < request->headers_len; i++)
        if (exthost_str_equal(request->headers[i].name, EXTHOST_STR("x-say")))
            add_line(&text, "x-say", str_of_bytes(request->headers[i].value));
    say(&text, "actor: %s\n", request->actor->kind == EXTHOST_ACTOR_ANONYMOUS ? "anonymous" : "?");
    say(&text, "known: %d\n", request->peer.len > 0 && request->request_id.len > 0);
    add_line(&text, "body", str_of_bytes(request->body));
    expect(self, request->route != 0 && request->deadline_ms > 0);
    response.body = exthost_buffer_of(text.chars, text.len);
    exthost_status status = self->routes->respond(self->ctx, cause, &response);
    free(text.chars);
    return status;
}

/* A body that is read, or written, chunk by chunk. */
struct stream {
    struct way *way;
    uint64_t request, bytes, hash;
    uint32_t at, chunks;
};

static struct stream *stream_new(struct way *way, uint64_t request)
{
    struct stream *stream = allocate(sizeof *stream);
    stream->way = way;
    stream->request = request;
    stream->hash = UINT64_C(0xcbf29ce484222325);
    return stream;
}

static void take(struct stream *stream, exthost_buffer *chunk)
{
    stream->bytes += chunk->len;
    for (size_t i = 0; i < chunk->len; i++)
        stream->hash = (stream->hash ^ chunk->ptr[i]) * UINT64_C(0x100000001b3);
    exthost_buffer_release(chunk);
}

static exthost_status uploaded(struct stream *stream, exthost_status status)
{
    exthost_status answered = status;
    if (status == EXTHOST_END)
        answered = answer(stream->way->self, stream->request,
                          "%" PRIu64 " bytes, fnv1a %016" PRIx64, stream->bytes, stream->hash);
    free(stream);
    return answered;
}

/* Takes a chunk and asks for the next. */
static void body_done(void *data, exthost_status status, const exthost_error *error,
                      exthost_buffer *chunk)
{
    struct stream *stream = data;
    struct plugin *self = stream->way->self;
    exthost_error failure = {.status = status};
    if (status == EXTHOST_OK) {
        take(stream, chunk);
        status = self->routes->body_next_async(self->ctx, stream->request, stream, body_done, NULL);
        if (status == EXTHOST_OK)
            return;
        failure.status = status;
    } else if (error) {
        failure = *error;
    }
    if (status != EXTHOST_END)
        self->routes->respond_error(self->ctx, stream->request, &failure);
    uploaded(stream, status);
}

static exthost_status post_upload(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct plugin *self = way->self;
    struct stream *stream = stream_new(way, cause);
    exthost_buffer chunk;
    exthost_status status;
    (void)request;
    if (way->completes) {
        status = self->routes->body_next_async(self->ctx, cause, stream, body_done, NULL);
        return status == EXTHOST_OK ? EXTHOST_OK : uploaded(stream, status);
    }
    while ((status = self->routes->body_next(self->ctx, cause, &chunk)) == EXTHOST_OK)
        take(stream, &chunk);
    return uploaded(stream, status);
}

/* The next chunk, which the host copies. */
static exthost_buffer next_chunk(struct stream *stream, char *room, size_t len)
{
    int wrote = snprintf(room, len, "chunk %" PRIu32 "\n", stream->at);
    return exthost_buffer_of(room, (size_t)wrote);
}

static void end_download(struct stream *stream)
{
    const exthost_header trailer = {EXTHOST_STR_INIT("x-end"), {(const uint8_t *)"whole", 5}};
    struct plugin *self = stream->way->self;
    expect(self, self->routes->respond_end(self->ctx, stream->request, &trailer, 1) == EXTHOST_OK);
    free(stream);
}

/* Sends what there is room for at once, and the next one when there is. */
static void chunk_done(void *data, exthost_status status, const exthost_error *error)
{
    struct stream *stream = data;
    struct plugin *self = stream->way->self;
    char room[32];
    (void)error;
    while (status == EXTHOST_OK && stream->at < stream->chunks) {
        exthost_buffer chunk = next_chunk(stream, room, sizeof room);
        status = self->routes->respond_chunk_try(self->ctx, stream->request, &chunk);
        stream->at += status == EXTHOST_OK;
        if (status != EXTHOST_BUSY)
            continue;
        stream->at++;
        status = self->routes->respond_chunk_async(self->ctx, stream->request, &chunk, stream,
                                                   chunk_done, NULL);
        if (status == EXTHOST_OK)
            return;
    }
    /* Any other status says that nobody reads it any more. */
    if (status == EXTHOST_OK)
        end_download(stream);
    else
        free(stream);
}

static exthost_status get_download(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct plugin *self = way->self;
    struct stream *stream = stream_new(way, cause);
    exthost_response head = {.status = 200, .headers = &TEXT_PLAIN, .headers_len = 1};
    char room[32];
    stream->chunks = query_number(request, "chunks");
    head.body = next_chunk(stream, room, sizeof room);
    stream->at = 1;
    exthost_status status = self->routes->respond_start(self->ctx, cause, &head);
    if (status == EXTHOST_OK && way->completes) {
        exthost_buffer chunk = next_chunk(stream, room, sizeof room);
        stream->at = 2;
        status = self->routes->respond_chunk_async(self->ctx, cause, &chunk, stream, chunk_done,
                                                   NULL);
        if (status == EXTHOST_OK)
            return EXTHOST_OK;
    }
    for (; status == EXTHOST_OK && stream->at < stream->chunks; stream->at++) {
        exthost_buffer chunk = next_chunk(stream, room, sizeof room);
        status = self->routes->respond_chunk(self->ctx, cause, &chunk);
    }
    if (status == EXTHOST_OK)
        end_download(stream);
    else
        free(stream);
    return status;
}

static void client_left(struct way *way)
{
    struct plugin *self = way->self;
    pthread_mutex_lock(&self->mutex);
    self->left[way->completes]++;
    pthread_mutex_unlock(&self->mutex);
}

static void cancelled_done(void *data, exthost_status status, const exthost_error *error)
{
    (void)error;
    if (status == EXTHOST_CANCELLED)
        client_left(data);
}

static exthost_status get_leave(void *data, uint64_t cause, const exthost_request *request)
{
    static const struct timespec PAUSE = {0, 5000000};
    struct way *way = data;
    struct plugin *self = way->self;
    exthost_response head = {.status = 200, .headers = &TEXT_PLAIN, .headers_len = 1};
    exthost_buffer chunk = exthost_buffer_of("still here\n", 11);
    (void)request;
    head.body = chunk;
    exthost_status status = self->routes->respond_start(self->ctx, cause, &head);
    if (status != EXTHOST_OK)
        return status;
    if (way->completes)
        return self->routes->cancelled_async(self->ctx, cause, EXTHOST_CANCELLED_NOT_BY_DRAIN, way,
                                             cancelled_done, NULL);
    while ((status = self->routes->cancelled(self->ctx, cause)) == EXTHOST_OK) {
        self->routes->respond_chunk(self->ctx, cause, &chunk);
        nanosleep(&PAUSE, NULL);
    }
    /* A client that left has ended the request, which may be gone by now. */
    if (status == EXTHOST_CANCELLED || status == EXTHOST_GONE)
        client_left(way);
    return status;
}

static exthost_status get_left(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    (void)request;
    pthread_mutex_lock(&self->mutex);
    unsigned wait = self->left[0], complete = self->left[1];
    pthread_mutex_unlock(&self->mutex);
    return answer(self, cause, "%u wait, %u complete", wait, complete);
}

static void answer_errand(struct plugin *self, struct errand *errand)
{
    expect(self, answer_text(self, errand->id, &errand->text) == EXTHOST_OK);
}

static exthost_status get_later(void *data, uint64_t cause, const exthost_request *request)
{
    (void)request;
    send(((struct way *)data)->self, answer_errand, cause, EXTHOST_STR("later"));
    return EXTHOST_OK;
}

static exthost_status get_silent(void *data, uint64_t cause, const exthost_request *request)
{
    (void)data, (void)cause, (void)request;
    return EXTHOST_OK;
}

static exthost_status get_twice(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    (void)request;
    exthost_status status = answer(self, cause, "once");
    expect(self, answer(self, cause, "twice") == EXTHOST_GONE);
    return status;
}

static exthost_status get_refused(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    const exthost_error error = {EXTHOST_CONFLICT, 0, EXTHOST_STR_INIT("asked-for"),
                                 EXTHOST_STR_INIT("a conflict was asked for"),
                                 EXTHOST_STR_INIT("{\"by\":\"you\"}")};
    if (query_is(request, "how", "answer"))
        return self->routes->respond_error(self->ctx, cause, &error);
    self->services->fail(self->ctx, error.code, error.message, error.detail);
    return error.status;
}

static exthost_status get_given_up(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    (void)request;
    return self->routes->respond_abort(self->ctx, cause);
}

static exthost_status get_broken(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    exthost_response head = {.status = 200, .headers = &TEXT_PLAIN, .headers_len = 1};
    head.body = exthost_buffer_of("a part", 6);
    exthost_status status = self->routes->respond_start(self->ctx, cause, &head);
    return status == EXTHOST_OK ? get_given_up(data, cause, request) : status;
}

static exthost_status get_faults(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    (void)request;
    pthread_mutex_lock(&self->mutex);
    unsigned faults = self->faults;
    pthread_mutex_unlock(&self->mutex);
    return answer(self, cause, "%u", faults);
}

/* ---- tasks/1 ------------------------------------------------------------- */

/* What is under way for one request. Each part ends with its release, and the last
 * one answers. */
struct job {
    struct plugin *self;
    uint64_t request;
    unsigned open, polled, once, fired, ran, never;
};

static void wake_errand(struct plugin *self, struct errand *errand)
{
    expect(self, self->tasks->wake(self->ctx, errand->id) == EXTHOST_OK);
}

/* Is woken twice, by the plugin's own thread. */
static uint32_t poll_thrice(void *data, uint64_t task)
{
    struct job *job = data;
    if (++job->polled == 3)
        return EXTHOST_POLL_READY;
    send(job->self, wake_errand, task, EXTHOST_STR(""));
    return EXTHOST_POLL_PENDING;
}

static void fire_once(void *data, uint64_t timer)
{
    (void)timer;
    ((struct job *)data)->once++;
}

static void fire_often(void *data, uint64_t timer)
{
    struct job *job = data;
    if (++job->fired == 3)
        expect(job->self, job->self->tasks->cancel(job->self->ctx, timer) == EXTHOST_OK);
}

static void fire_never(void *data, uint64_t timer)
{
    (void)timer;
    ((struct job *)data)->never++;
}

static void run_blocking(void *data, uint64_t task)
{
    (void)task;
    ((struct job *)data)->ran++;
}

static void job_released(void *data)
{
    struct job *job = data;
    struct plugin *self = job->self;
    pthread_mutex_lock(&self->mutex);
    int is_last = --job->open == 0;
    pthread_mutex_unlock(&self->mutex);
    if (!is_last)
        return;
    answer(self, job->request, "polled %u, once %u, often %u, ran %u, never %u", job->polled,
           job->once, job->fired, job->ran, job->never);
    free(job);
}

/* Starts everything that has a release; the answer follows the last of them. */
static exthost_status get_tasks(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    const exthost_tasks_table *tasks = self->tasks;
    const void *ctx = self->ctx;
    exthost_timer_spec once = {.delay_ms = 1, .flags = EXTHOST_TIMER_INLINE};
    exthost_timer_spec often = {.delay_ms = 1, .period_ms = 1, .name = EXTHOST_STR("often")};
    exthost_timer_spec never = {.delay_ms = 86400000};
    uint64_t remaining = 0, bound = 0, id = 0;
    struct job *job = allocate(sizeof *job);
    (void)request;
    job->self = self;
    job->request = cause;
    job->open = 6;
    expect(self, tasks->remaining(ctx, cause, &remaining) == EXTHOST_OK && remaining <= 30000);
    expect(self, tasks->remaining(ctx, 0, &bound) == EXTHOST_OK && bound == UINT64_MAX);
    exthost_status started[] = {
        tasks->spawn(ctx, cause, EXTHOST_TASK_ENDS_WITH_CAUSE, EXTHOST_STR("thrice"), job,
                     poll_thrice, job_released, NULL),
        tasks->timer(ctx, cause, &once, job, fire_once, job_released, NULL),
        tasks->timer(ctx, cause, &often, job, fire_often, job_released, NULL),
        tasks->blocking(ctx, cause, 0, EXTHOST_STR("block"), job, run_blocking, job_released, NULL),
        tasks->timer(ctx, cause, &never, job, fire_never, job_released, &id),
    };
    expect(self, tasks->cancel(ctx, id) == EXTHOST_OK);
    for (size_t i = 0; i < sizeof started / sizeof *started; i++)
        if (started[i] != EXTHOST_OK) {
            expect(self, 0);
            job_released(job);
        }
    /* The sixth part is this handler. */
    job_released(job);
    return EXTHOST_OK;
}

/* ---- events/1 ------------------------------------------------------------ */

static void decide(struct plugin *self, uint64_t event, uint32_t kind, const char *text)
{
    exthost_verdict verdict = {.kind = kind};
    if (kind == EXTHOST_VERDICT_REPLACE)
        verdict.payload = exthost_bytes_of(text, strlen(text));
    else
        verdict.reason = exthost_str_from(text);
    expect(self, self->events->answer(self->ctx, event, &verdict) == EXTHOST_OK);
}

static void pass_errand(struct plugin *self, struct errand *errand)
{
    decide(self, errand->id, EXTHOST_VERDICT_PASS, "");
}

/* Observes `told`; the next one waits until this one was answered. */
static exthost_status on_told(void *data, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = data;
    expect(self, event->subscription != 0 && event->emitted_at_ms > 0 && event->lost == 0);
    pthread_mutex_lock(&self->mutex);
    self->told++;
    self->last_told.len = 0;
    add_str(&self->last_told, str_of_bytes(event->payload));
    say(&self->last_told, " from ");
    add_str(&self->last_told, event->emitter);
    say(&self->last_told, " as ");
    add_str(&self->last_told, event->content_type);
    pthread_mutex_unlock(&self->mutex);
    send(self, pass_errand, cause, EXTHOST_STR(""));
    return EXTHOST_OK;
}

/* Observes `core.log`, of which it keeps its own lines. */
static exthost_status on_logged(void *data, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = data;
    (void)cause;
    if (!contains(str_of_bytes(event->payload), "\"plugin\":\"" NAME "\""))
        return EXTHOST_OK;
    pthread_mutex_lock(&self->mutex);
    self->last_logged.len = 0;
    add_str(&self->last_logged, str_of_bytes(event->payload));
    pthread_mutex_unlock(&self->mutex);
    return EXTHOST_OK;
}

/* The first filter: vetoes, fails in two ways, or passes. */
static exthost_status on_ask(void *data, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = data;
    exthost_str payload = str_of_bytes(event->payload);
    if (contains(payload, "worse"))
        return EXTHOST_INTERNAL;
    if (contains(payload, "broken"))
        decide(self, cause, EXTHOST_VERDICT_FAIL, "it is broken");
    else if (contains(payload, "bad"))
        decide(self, cause, EXTHOST_VERDICT_VETO, "bad is refused");
    else
        decide(self, cause, EXTHOST_VERDICT_PASS, "");
    return EXTHOST_OK;
}

static void exclaim_errand(struct plugin *self, struct errand *errand)
{
    /* The payload is a JSON string; before its last quote there is room for more. */
    errand->text.len -= errand->text.len > 0;
    add(&errand->text, "!\"", 2);
    decide(self, errand->id, EXTHOST_VERDICT_REPLACE, errand->text.chars);
}

/* The second filter: replaces the payload, later and from another thread. */
static exthost_status on_ask_later(void *data, uint64_t cause, const exthost_event *event)
{
    send(data, exclaim_errand, cause, str_of_bytes(event->payload));
    return EXTHOST_OK;
}

static exthost_status on_nothing(void *data, uint64_t cause, const exthost_event *event)
{
    (void)cause, (void)event;
    expect(data, 0);
    return EXTHOST_OK;
}

static void subscription_released(void *data)
{
    struct plugin *self = data;
    pthread_mutex_lock(&self->mutex);
    self->subscriptions--;
    pthread_mutex_unlock(&self->mutex);
}

static exthost_status subscribe(struct plugin *self, const char *pattern,
                                exthost_subscription_spec spec, exthost_event_handle_fn handle,
                                uint64_t *id)
{
    spec.pattern = exthost_str_from(pattern);
    exthost_status status =
        self->events->subscribe(self->ctx, 0, &spec, self, handle, subscription_released, id);
    pthread_mutex_lock(&self->mutex);
    self->subscriptions += status == EXTHOST_OK;
    pthread_mutex_unlock(&self->mutex);
    return status;
}

static exthost_message message_of(const char *name, exthost_bytes payload)
{
    exthost_message message = {.payload = payload};
    message.name = exthost_str_from(name);
    return message;
}

static exthost_status post_emit(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    exthost_message message = message_of(NAME ".told", request->body);
    exthost_status status;
    if (query_is(request, "to", "self"))
        status = self->events->emit_to(self->ctx, cause, EXTHOST_STR(NAME), &message);
    else
        status = self->events->emit(self->ctx, cause, &message);
    return status == EXTHOST_OK ? answer(self, cause, "emitted") : status;
}

/* Answers with what an observer has kept. */
static exthost_status answer_kept(struct plugin *self, uint64_t cause, const unsigned *count,
                                  const struct text *kept)
{
    struct text text = {0, 0, NULL};
    pthread_mutex_lock(&self->mutex);
    if (count)
        say(&text, "%u ", *count);
    add(&text, kept->chars, kept->len);
    pthread_mutex_unlock(&self->mutex);
    return answer_text(self, cause, &text);
}

static exthost_status get_told(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    (void)request;
    return answer_kept(self, cause, &self->told, &self->last_told);
}

static exthost_status get_logged(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    (void)request;
    return answer_kept(self, cause, NULL, &self->last_logged);
}

static void event_done(void *data, exthost_status status, const exthost_error *error,
                       const exthost_event_result *result)
{
    struct wait *wait = data;
    if (result && status == EXTHOST_OK) {
        say(&wait->text, "passed ");
        add_str(&wait->text, str_of_bytes(result->payload));
    } else if (result) {
        say(&wait->text, "vetoed by ");
        add_str(&wait->text, result->vetoed_by);
        say(&wait->text, ": ");
        add_str(&wait->text, result->reason);
    }
    wait_ended(wait, status, error);
}

static exthost_status post_ask(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct plugin *self = way->self;
    struct wait wait = wait_of(self);
    exthost_event_request ask = {.policy = EXTHOST_POLICY_FAIL_OPEN, .deadline_ms = 10000};
    exthost_status status;
    ask.message = message_of(NAME ".ask", request->body);
    if (query_is(request, "policy", "closed"))
        ask.policy = EXTHOST_POLICY_FAIL_CLOSED;
    if (way->completes)
        status = wait_for(&wait, self->events->request_async(self->ctx, cause, &ask, &wait,
                                                             event_done, NULL));
    else
        status = self->events->request(self->ctx, cause, &ask, &wait, event_done);
    if (status == EXTHOST_VETOED)
        status = EXTHOST_OK;
    return conclude(self, cause, status, &wait.text);
}

static uint32_t listeners(struct plugin *self, uint64_t cause, const char *name)
{
    uint32_t count = 9;
    self->events->has_listeners(self->ctx, cause, exthost_str_from(name), &count);
    return count;
}

static exthost_status get_listeners(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    exthost_subscription_spec spec = {.queue_max = 1};
    uint64_t id = 0;
    (void)request;
    uint32_t told = listeners(self, cause, NAME ".told");
    uint32_t nothing = listeners(self, cause, NAME ".nothing");
    exthost_status status = subscribe(self, NAME ".for-now.*", spec, on_nothing, &id);
    uint32_t subscribed = listeners(self, cause, NAME ".for-now.one");
    if (status == EXTHOST_OK)
        status = self->events->unsubscribe(self->ctx, cause, id);
    uint32_t unsubscribed = listeners(self, cause, NAME ".for-now.one");
    if (status != EXTHOST_OK)
        return status;
    return answer(self, cause,
                  "told %" PRIu32 ", nothing %" PRIu32 ", subscribed %" PRIu32
                  ", unsubscribed %" PRIu32, told, nothing, subscribed, unsubscribed);
}

/* ---- db/1 ---------------------------------------------------------------- */

static const exthost_migration MIGRATIONS[] = {
    {1, EXTHOST_STR_INIT("CREATE TABLE " ITEMS " (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")},
    {2, EXTHOST_STR_INIT("ALTER TABLE " ITEMS " ADD COLUMN note TEXT")},
};
#define MIGRATIONS_LEN (sizeof MIGRATIONS / sizeof *MIGRATIONS)

#define INSERT "INSERT INTO " ITEMS " (name) VALUES (?1)"
#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"

/* A statement in a transaction, or in none, with one parameter, or none. */
static exthost_query query_of(const char *sql, uint64_t tx, const exthost_param *param)
{
    exthost_query query = {.tx = tx, .params = param, .params_len = param != NULL};
    query.sql = exthost_str_from(sql);
    return query;
}

static exthost_param param_of(exthost_str text)
{
    exthost_param param = {.value = exthost_value_text(text)};
    return param;
}

/* The slots in either way. The `wait` has what they were asked for. */

static exthost_status db_prepare(struct way *way, uint64_t cause, const char *sql,
                                 struct wait *wait)
{
    struct plugin *self = way->self;
    exthost_str text = exthost_str_from(sql);
    *wait = wait_of(self);
    if (!way->completes)
        return self->db->prepare(self->ctx, cause, text, &wait->id);
    return wait_for(wait, self->db->prepare_async(self->ctx, cause, text, wait, id_done, NULL));
}

static exthost_status db_exec(struct way *way, uint64_t cause, uint64_t tx, const char *sql)
{
    struct plugin *self = way->self;
    struct wait wait = wait_of(self);
    exthost_str text = exthost_str_from(sql);
    if (!way->completes)
        return self->db->exec(self->ctx, cause, tx, text);
    return wait_for(&wait, self->db->exec_async(self->ctx, cause, tx, text, &wait, done, NULL));
}

static exthost_status db_run(struct way *way, uint64_t cause, const exthost_query *query,
                             struct wait *wait)
{
    struct plugin *self = way->self;
    *wait = wait_of(self);
    if (!way->completes)
        return self->db->run(self->ctx, cause, query, &wait->result);
    return wait_for(wait, self->db->run_async(self->ctx, cause, query, wait, run_done, NULL));
}

static exthost_status db_rows(struct way *way, uint64_t cause, const exthost_query *query,
                              exthost_on_row_fn on_row, struct wait *wait)
{
    struct plugin *self = way->self;
    *wait = wait_of(self);
    if (!way->completes)
        return self->db->rows(self->ctx, cause, query, wait, on_row, &wait->result);
    return wait_for(wait,
                    self->db->rows_async(self->ctx, cause, query, wait, on_row, run_done, NULL));
}

static void on_result(void *data, size_t index, const exthost_run_result *result)
{
    struct wait *wait = data;
    expect(wait->self, index == wait->results && result->changes == 1);
    wait->results++;
}

static exthost_status db_batch(struct way *way, uint64_t cause, const exthost_query *queries,
                               size_t len, struct wait *wait)
{
    struct plugin *self = way->self;
    *wait = wait_of(self);
    if (!way->completes)
        return self->db->batch(self->ctx, cause, queries, len, wait, on_result);
    return wait_for(wait, self->db->batch_async(self->ctx, cause, queries, len, wait, on_result,
                                                done, NULL));
}

/* Begins a transaction in `parent`, or by itself, and stores its id in `tx`. */
static exthost_status db_begin(struct way *way, uint64_t cause, uint64_t parent, uint64_t *tx)
{
    struct plugin *self = way->self;
    struct wait wait = wait_of(self);
    exthost_tx_spec spec = {.parent = parent, .deadline_ms = 5000};
    exthost_status status;
    if (!way->completes)
        return self->db->begin(self->ctx, cause, &spec, tx);
    status = wait_for(&wait, self->db->begin_async(self->ctx, cause, &spec, &wait, id_done, NULL));
    *tx = wait.id;
    return status;
}

static exthost_status db_end(struct way *way, uint64_t cause, uint64_t tx, int commits)
{
    struct plugin *self = way->self;
    const exthost_db_table *db = self->db;
    struct wait wait = wait_of(self);
    if (!way->completes)
        return (commits ? db->commit : db->rollback)(self->ctx, cause, tx);
    return wait_for(&wait, (commits ? db->commit_async : db->rollback_async)(
                               self->ctx, cause, tx, &wait, done, NULL));
}

static void add_value(struct text *text, const exthost_value *value)
{
    switch (value->kind) {
    case EXTHOST_VALUE_INTEGER:
        say(text, "%" PRId64, value->integer);
        break;
    case EXTHOST_VALUE_REAL:
        say(text, "%g", value->real);
        break;
    case EXTHOST_VALUE_TEXT:
        add_str(text, str_of_bytes(value->data));
        break;
    case EXTHOST_VALUE_BLOB:
        for (size_t i = 0; i < value->data.len; i++)
            say(text, "%02x", value->data.ptr[i]);
        break;
    default:
        say(text, "null");
    }
}

static void add_row(struct text *text, const exthost_row *row)
{
    for (size_t i = 0; i < row->len; i++) {
        add(text, " ", i > 0);
        add_value(text, &row->values[i]);
    }
    add(text, "\n", 1);
}

static uint32_t on_row(void *data, const exthost_row *row)
{
    add_row(&((struct wait *)data)->text, row);
    return EXTHOST_DB_ROW_NEXT;
}

static uint32_t on_three_rows(void *data, const exthost_row *row)
{
    struct wait *wait = data;
    on_row(data, row);
    return ++wait->results == 3 ? EXTHOST_DB_ROW_STOP : EXTHOST_DB_ROW_NEXT;
}

static uint32_t ignore_row(void *data, const exthost_row *row)
{
    (void)data, (void)row;
    return EXTHOST_DB_ROW_NEXT;
}

/* Says why the handler will fail, before a further call of it makes that forgotten. */
static void tell_failure(struct plugin *self)
{
    exthost_error error;
    struct wait copy;
    if (self->services->last_error(self->ctx, &error) != EXTHOST_OK)
        return;
    keep(copy.code, sizeof copy.code, error.code);
    keep(copy.message, sizeof copy.message, error.message);
    self->services->fail(self->ctx, exthost_str_from(copy.code), exthost_str_from(copy.message),
                         EXTHOST_STR(""));
}

static exthost_status get_migrate(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct plugin *self = way->self;
    struct wait wait = wait_of(self);
    exthost_status status;
    (void)request;
    if (way->completes)
        status = wait_for(&wait, self->db->migrate_async(self->ctx, cause, MIGRATIONS,
                                                         MIGRATIONS_LEN, &wait, done, NULL));
    else
        status = self->db->migrate(self->ctx, cause, MIGRATIONS, MIGRATIONS_LEN, NULL);
    return status == EXTHOST_OK ? answer(self, cause, "migrated") : status;
}

static exthost_status post_items(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct plugin *self = way->self;
    struct wait prepared, run;
    exthost_param param = param_of(str_of_bytes(request->body));
    exthost_status status = db_prepare(way, cause, INSERT, &prepared);
    if (status != EXTHOST_OK)
        return status;
    exthost_query query = query_of(NULL, 0, &param);
    query.statement = prepared.id;
    status = db_run(way, cause, &query, &run);
    if (status == EXTHOST_OK)
        status = answer(self, cause, "%" PRId64, run.result.last_insert_rowid);
    else if (!way->completes)
        tell_failure(self);
    expect(self, self->db->close(self->ctx, cause, prepared.id) == EXTHOST_OK);
    return status;
}

/* A list that is under way while nobody waits. */
struct listing {
    struct plugin *self;
    uint64_t request;
    struct text text;
};

static uint32_t on_listed(void *data, const exthost_row *row)
{
    add_row(&((struct listing *)data)->text, row);
    return EXTHOST_DB_ROW_NEXT;
}

static void listed(void *data, exthost_status status, const exthost_error *error,
                   const exthost_run_result *result)
{
    struct listing *listing = data;
    struct plugin *self = listing->self;
    (void)result;
    if (status == EXTHOST_OK)
        answer_text(self, listing->request, &listing->text);
    else
        self->routes->respond_error(self->ctx, listing->request, error);
    free(listing->text.chars);
    free(listing);
}

/* The one whose completing form is inline: no thread waits for the rows. */
static exthost_status get_items(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct plugin *self = way->self;
    exthost_query query = query_of("SELECT id, name FROM " ITEMS " ORDER BY id", 0, NULL);
    struct wait wait;
    (void)request;
    query.on = EXTHOST_DB_ON_WRITER;
    if (!way->completes) {
        exthost_status status = db_rows(way, cause, &query, on_row, &wait);
        return conclude(self, cause, status, &wait.text);
    }
    struct listing *listing = allocate(sizeof *listing);
    listing->self = self;
    listing->request = cause;
    exthost_status status =
        self->db->rows_async(self->ctx, cause, &query, listing, on_listed, listed, NULL);
    if (status != EXTHOST_OK)
        free(listing);
    return status;
}

static exthost_status delete_items(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    (void)request;
    exthost_status status = db_exec(way, cause, 0, "DELETE FROM " ITEMS "; DELETE FROM " ITEMS);
    return status == EXTHOST_OK ? answer(way->self, cause, "removed") : status;
}

/* Parameters by name, in another order than that of the statement. */
static exthost_status get_kinds(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    const exthost_param params[] = {
        {EXTHOST_STR_INIT("$nothing"), exthost_value_null()},
        {EXTHOST_STR_INIT("@blob"), exthost_value_blob(exthost_bytes_of("\0\xff", 2))},
        {EXTHOST_STR_INIT(":text"), exthost_value_text(EXTHOST_STR("gr\xc3\xbc\xc3\x9f" "e"))},
        {EXTHOST_STR_INIT(":real"), exthost_value_real(0.5)},
        {EXTHOST_STR_INIT(":integer"), exthost_value_integer(INT64_MIN)},
    };
    exthost_query query = query_of("SELECT :integer, :real, :text, @blob, $nothing", 0, params);
    struct wait wait;
    (void)request;
    query.params_len = sizeof params / sizeof *params;
    query.on = EXTHOST_DB_ON_READER;
    exthost_status status = db_rows(way, cause, &query, on_row, &wait);
    return conclude(way->self, cause, status, &wait.text);
}

static exthost_status get_first(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    exthost_query query = query_of(ENDLESS, 0, NULL);
    struct wait wait;
    (void)request;
    exthost_status status = db_rows(way, cause, &query, on_three_rows, &wait);
    return conclude(way->self, cause, status, &wait.text);
}

static exthost_status post_batch(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    const exthost_param param = param_of(str_of_bytes(request->body));
    const exthost_query queries[] = {
        query_of("INSERT INTO " ITEMS " (name) VALUES (?1 || '-1')", 0, &param),
        query_of("INSERT INTO " ITEMS " (name) VALUES (?1 || '-2')", 0, &param),
    };
    struct wait wait;
    exthost_status status = db_batch(way, cause, queries, 2, &wait);
    return status == EXTHOST_OK ? answer(way->self, cause, "%" PRIu64 " results", wait.results)
                                : status;
}

static void fired(void *data, exthost_status status, const exthost_error *error, exthost_str id)
{
    add_str(&((struct wait *)data)->text, id);
    wait_ended(data, status, error);
}

/* Fires a webhook in a transaction, or by itself; its id is the text of `wait`. */
static exthost_status fire(struct way *way, uint64_t cause, const exthost_webhook *webhook,
                           struct wait *wait)
{
    struct plugin *self = way->self;
    *wait = wait_of(self);
    if (!way->completes)
        return self->webhooks->fire(self->ctx, cause, webhook, wait, fired);
    return wait_for(wait, self->webhooks->fire_async(self->ctx, cause, webhook, wait, fired, NULL));
}

/* All that is done in the transaction; `text` is the answer. */
static exthost_status in_transaction(struct way *way, uint64_t cause, uint64_t tx,
                                     exthost_str name, struct text *text)
{
    const exthost_param param = param_of(name);
    exthost_query insert = query_of(INSERT, tx, &param);
    exthost_query count = query_of("SELECT count(*) FROM " ITEMS, tx, NULL);
    exthost_webhook webhook = {.tx = tx, .event_type = EXTHOST_STR("item.stored")};
    uint64_t nested = 0;
    struct wait wait;
    /* A nested one that is rolled back, and one that is not. */
    exthost_status status = db_run(way, cause, &insert, &wait);
    if (status == EXTHOST_OK)
        status = db_begin(way, cause, tx, &nested);
    if (status == EXTHOST_OK)
        status = db_exec(way, cause, nested, "DELETE FROM " ITEMS);
    if (status == EXTHOST_OK)
        status = db_end(way, cause, nested, 0);
    if (status == EXTHOST_OK)
        status = db_begin(way, cause, tx, &nested);
    insert = query_of("INSERT INTO " ITEMS " (name) VALUES (?1 || '-nested')", nested, &param);
    if (status == EXTHOST_OK)
        status = db_batch(way, cause, &insert, 1, &wait);
    if (status == EXTHOST_OK)
        status = db_end(way, cause, nested, 1);
    if (status == EXTHOST_OK)
        status = db_rows(way, cause, &count, on_row, &wait);
    if (status != EXTHOST_OK)
        return status;
    /* The row ends with a line feed, of which nothing is wanted. */
    add(text, wait.text.chars, wait.text.len - 1);
    free(wait.text.chars);
    struct text payload = {0, 0, NULL};
    say(&payload, "{\"name\":\"");
    add_str(&payload, name);
    say(&payload, "\"}");
    webhook.payload = exthost_bytes_of(payload.chars, payload.len);
    status = fire(way, cause, &webhook, &wait);
    free(payload.chars);
    say(text, " inside, ");
    add(text, wait.text.chars, wait.text.len);
    free(wait.text.chars);
    return status;
}

static exthost_status post_transaction(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct text text = {0, 0, NULL};
    uint64_t tx = 0;
    exthost_status status = db_begin(way, cause, 0, &tx);
    if (status != EXTHOST_OK)
        return status;
    status = in_transaction(way, cause, tx, str_of_bytes(request->body), &text);
    if (status != EXTHOST_OK)
        tell_failure(way->self);
    exthost_status ended =
        db_end(way, cause, tx, status == EXTHOST_OK && query_is(request, "end", "commit"));
    return conclude(way->self, cause, status == EXTHOST_OK ? ended : status, &text);
}

static exthost_status get_cancel(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    struct wait wait = wait_of(self);
    exthost_query query = query_of(ENDLESS, 0, NULL);
    uint64_t op = 0;
    (void)request;
    exthost_status status =
        self->db->rows_async(self->ctx, cause, &query, &wait, ignore_row, run_done, &op);
    if (status == EXTHOST_OK)
        expect(self, self->tasks->cancel(self->ctx, op) == EXTHOST_OK);
    status = wait_for(&wait, status);
    return status == EXTHOST_CANCELLED ? answer(self, cause, "cancelled") : EXTHOST_INTERNAL;
}

static exthost_status get_dialect(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    uint32_t dialect = 0;
    (void)request;
    exthost_status status = self->db->dialect(self->ctx, cause, &dialect);
    if (status != EXTHOST_OK)
        return status;
    return answer(self, cause, dialect == EXTHOST_DIALECT_SQLITE ? "sqlite" : "another");
}

static exthost_status get_denied(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    struct plugin *self = way->self;
    exthost_message message = message_of("core.host.ready", exthost_bytes_of("{}", 2));
    exthost_query query = query_of("SELECT * FROM ext_another_items", 0, NULL);
    struct wait wait;
    exthost_status status;
    exthost_error error;
    if (query_is(request, "what", "event"))
        status = self->events->emit(self->ctx, cause, &message);
    else
        status = db_rows(way, cause, &query, ignore_row, &wait);
    if (status != EXTHOST_DENIED || self->services->last_error(self->ctx, &error) != EXTHOST_OK)
        return EXTHOST_INTERNAL;
    return answer(self, cause, "%.*s", (int)error.code.len, error.code.ptr);
}

/* ---- broadcast/1 and webhooks/1 ------------------------------------------ */

static exthost_status post_publish(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    exthost_publication publication = {
        .channel = EXTHOST_STR("news"),
        .event = EXTHOST_STR("said"),
        .payload = str_of_bytes(request->body),
    };
    uint64_t sequence = 0;
    exthost_status status = self->broadcast->publish(self->ctx, cause, &publication, &sequence);
    return status == EXTHOST_OK ? answer(self, cause, "%" PRIu64, sequence) : status;
}

static exthost_status get_subscribers(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = ((struct way *)data)->self;
    uint64_t count = 0;
    (void)request;
    exthost_status status =
        self->broadcast->subscriber_count(self->ctx, cause, EXTHOST_STR("news"), &count);
    return status == EXTHOST_OK ? answer(self, cause, "%" PRIu64, count) : status;
}

static exthost_status post_fire(void *data, uint64_t cause, const exthost_request *request)
{
    struct way *way = data;
    exthost_webhook webhook = {
        .event_type = EXTHOST_STR("body.told"),
        .content_type = EXTHOST_STR("text/plain"),
        .payload = request->body,
    };
    struct wait wait;
    exthost_status status = fire(way, cause, &webhook, &wait);
    return conclude(way->self, cause, status, &wait.text);
}

/* ---- The door ------------------------------------------------------------ */

#define PUBLIC EXTHOST_ROUTE_PUBLIC
#define INLINE (EXTHOST_ROUTE_PUBLIC | EXTHOST_ROUTE_INLINE)

struct route {
    const char *method, *pattern;
    uint32_t flags;
    exthost_route_handle_fn handle;
};

/* One route each. */
static const struct route ROUTES[] = {
    {"GET", "host", INLINE, get_host},
    {"GET", "left", INLINE, get_left},
    {"GET", "later", INLINE, get_later},
    {"GET", "silent", INLINE, get_silent},
    {"GET", "twice", INLINE, get_twice},
    {"GET", "refused", INLINE, get_refused},
    {"GET", "given-up", INLINE, get_given_up},
    {"GET", "broken", INLINE, get_broken},
    {"GET", "guarded", EXTHOST_ROUTE_INLINE, get_host},
    {"GET", "config", INLINE, get_config},
    {"POST", "log", INLINE, post_log},
    {"GET", "logged", INLINE, get_logged},
    {"GET", "tasks", INLINE, get_tasks},
    {"POST", "emit", INLINE, post_emit},
    {"GET", "told", INLINE, get_told},
    {"GET", "listeners", INLINE, get_listeners},
    {"GET", "cancel", PUBLIC, get_cancel},
    {"GET", "dialect", INLINE, get_dialect},
    {"GET", "denied", PUBLIC, get_denied},
    {"POST", "publish", INLINE, post_publish},
    {"GET", "subscribers", INLINE, get_subscribers},
    {"GET", "faults", INLINE, get_faults},
};

/* One for each way. Of those that complete only some are inline; the others have a
 * thread that waits, as it suits a plugin that asks one thing after the other. */
static const struct route WAYS[][2] = {
    {{"*", "wait/echo/{first}/{*rest}", PUBLIC, any_echo},
     {"*", "complete/echo/{first}/{*rest}", INLINE, any_echo}},
    {{"POST", "wait/upload", PUBLIC | EXTHOST_ROUTE_STREAM_BODY, post_upload},
     {"POST", "complete/upload", INLINE | EXTHOST_ROUTE_STREAM_BODY, post_upload}},
    {{"GET", "wait/download", PUBLIC, get_download},
     {"GET", "complete/download", INLINE, get_download}},
    {{"GET", "wait/leave", PUBLIC, get_leave}, {"GET", "complete/leave", INLINE, get_leave}},
    {{"POST", "wait/ask", PUBLIC, post_ask}, {"POST", "complete/ask", PUBLIC, post_ask}},
    {{"GET", "wait/migrate", PUBLIC, get_migrate}, {"GET", "complete/migrate", PUBLIC, get_migrate}},
    {{"POST", "wait/items", PUBLIC, post_items}, {"POST", "complete/items", PUBLIC, post_items}},
    {{"GET", "wait/items", PUBLIC, get_items}, {"GET", "complete/items", INLINE, get_items}},
    {{"DELETE", "wait/items", PUBLIC, delete_items},
     {"DELETE", "complete/items", PUBLIC, delete_items}},
    {{"GET", "wait/kinds", PUBLIC, get_kinds}, {"GET", "complete/kinds", PUBLIC, get_kinds}},
    {{"GET", "wait/first", PUBLIC, get_first}, {"GET", "complete/first", PUBLIC, get_first}},
    {{"POST", "wait/batch", PUBLIC, post_batch}, {"POST", "complete/batch", PUBLIC, post_batch}},
    {{"POST", "wait/transaction", PUBLIC, post_transaction},
     {"POST", "complete/transaction", PUBLIC, post_transaction}},
    {{"POST", "wait/fire", PUBLIC, post_fire}, {"POST", "complete/fire", PUBLIC, post_fire}},
};

static exthost_status add_route(struct plugin *self, const struct route *route, struct way *way)
{
    static const exthost_str SCOPE = EXTHOST_STR_INIT("every.thing");
    exthost_route_spec spec = {
        .flags = route->flags,
        .body_bytes_max = 1 << 20,
        .idle_timeout_ms = 30000,
    };
    uint64_t id = 0;
    spec.method = exthost_str_from(route->method);
    spec.pattern = exthost_str_from(route->pattern);
    if (route->handle == get_silent)
        spec.deadline_ms = 200;
    if (!(route->flags & EXTHOST_ROUTE_PUBLIC)) {
        spec.scopes = &SCOPE;
        spec.scopes_len = 1;
    }
    return self->routes->add(self->ctx, 0, &spec, way, route->handle, &id);
}

static exthost_status add_routes(struct plugin *self)
{
    exthost_status status = EXTHOST_OK;
    for (size_t i = 0; status == EXTHOST_OK && i < sizeof ROUTES / sizeof *ROUTES; i++)
        status = add_route(self, &ROUTES[i], &self->ways[0]);
    for (size_t i = 0; status == EXTHOST_OK && i < 2 * (sizeof WAYS / sizeof *WAYS); i++)
        status = add_route(self, &WAYS[i / 2][i % 2], &self->ways[i % 2]);
    return status;
}

static exthost_status subscribe_all(struct plugin *self)
{
    const exthost_subscription_spec told = {.flags = EXTHOST_SUBSCRIBE_ANSWERS,
                                            .deadline_ms = 10000};
    const exthost_subscription_spec logged = {.flags = EXTHOST_SUBSCRIBE_INLINE
                                                  | EXTHOST_SUBSCRIBE_NOT_OWN};
    const exthost_subscription_spec first = {.mode = EXTHOST_EVENT_MODE_FILTER, .priority = -1,
                                             .flags = EXTHOST_SUBSCRIBE_INLINE};
    const exthost_subscription_spec second = {.mode = EXTHOST_EVENT_MODE_FILTER, .priority = 1};
    exthost_status status = subscribe(self, NAME ".told", told, on_told, NULL);
    if (status == EXTHOST_OK)
        status = subscribe(self, "core.log", logged, on_logged, NULL);
    if (status == EXTHOST_OK)
        status = subscribe(self, NAME ".ask", second, on_ask_later, NULL);
    if (status == EXTHOST_OK)
        status = subscribe(self, NAME ".ask", first, on_ask, NULL);
    return status;
}

/* Appends a line to the file of the option `life`, if there is one. */
static void note(struct plugin *self, const char *line)
{
    FILE *file = self->life[0] ? fopen(self->life, "a") : NULL;
    if (file == NULL)
        return;
    fputs(line, file);
    fclose(file);
}

/* Keeps the option `life`, a JSON string without escapes. */
static void keep_life(void *data, exthost_bytes json)
{
    struct plugin *self = data;
    if (json.len >= 2 && json.ptr[0] == '"')
        keep(self->life, sizeof self->life,
             exthost_str_of((const char *)json.ptr + 1, json.len - 2));
}

static exthost_status configure(struct plugin *self)
{
    exthost_status status = self->config->declare(
        self->ctx, 0, EXTHOST_STR("{\"greeting\":\"hello\",\"number\":7,\"life\":\"\"}"),
        EXTHOST_STR("{\"type\":\"object\",\"properties\":{\"number\":{\"maximum\":100}}}"));
    if (status == EXTHOST_OK)
        status = self->config->read(self->ctx, 0, EXTHOST_STR("/life"), self, keep_life);
    return status;
}

static void destroy(void *instance)
{
    struct plugin *self = instance;
    char line[64];
    expect(self, self->subscriptions == 0 && self->errands == NULL);
    snprintf(line, sizeof line, "destroyed with %u faults\n", self->faults);
    note(self, line);
    free(self->last_told.chars);
    free(self->last_logged.chars);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    struct plugin *self = allocate(sizeof *self);
    self->services = services;
    self->ctx = services->ctx;
    self->log = exthost_log(services); /* `needs` says that they are there */
    self->config = exthost_config(services);
    self->routes = exthost_routes(services);
    self->tasks = exthost_tasks(services);
    self->events = exthost_events(services);
    self->db = exthost_db(services);
    self->broadcast = exthost_broadcast(services);
    self->webhooks = exthost_webhooks(services);
    self->ways[0] = (struct way){self, 0};
    self->ways[1] = (struct way){self, 1};
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->changed, NULL);
    *instance = self;
    uint64_t version = 0;
    exthost_status status = configure(self);
    if (status == EXTHOST_OK)
        status = self->db->migrate(self->ctx, 0, MIGRATIONS, MIGRATIONS_LEN, &version);
    if (status == EXTHOST_OK)
        status = add_routes(self);
    if (status == EXTHOST_OK)
        status = subscribe_all(self);
    /* On failure what was registered still knows the instance, so it is not freed. */
    return status;
}

static exthost_status start(void *instance)
{
    struct plugin *self = instance;
    if (pthread_create(&self->worker, NULL, work, self) != 0)
        return EXTHOST_INTERNAL;
    note(self, "started\n");
    return EXTHOST_OK;
}

/* Has the thread do what it was sent, and waits for its end. */
static void stop(void *instance)
{
    struct plugin *self = instance;
    pthread_mutex_lock(&self->mutex);
    self->is_stopping = 1;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->worker, NULL);
    note(self, "stopped\n");
}

/* No optional table is offered. */
static const void *extension(exthost_str id, uint32_t revision)
{
    (void)id, (void)revision;
    return NULL;
}

EXTHOST_DOOR(init, start, stop, destroy, extension);
