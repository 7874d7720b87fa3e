/* A plugin in C that does everything routes/1, tasks/1, log/1 and config/1
 * offer, and much that they forbid. All routes are public GETs, but for the two
 * uploads, which are POSTs.
 *
 *     cc -std=c11 -Wall -Wextra -Wpedantic -fvisibility=hidden -fPIC -pthread
 *        -Iplugin-api/include -shared -o libfaulty-c.so tests/plugins/faulty-c.c
 *
 * sleep?ms=N              inline; answers {"slept_ms":N} from a timer
 * spawn?polls=N           inline; answers "polled N" from a future woken N times
 * blocking                inline; answers "blocked" from the plugin's pool
 * cancel                  inline; cancels a timer, answers "released" from its release
 * thread                  pool; answers "thread" from a thread of its own
 * stream?chunks=N&ms=M    inline; "chunk 0\n" ... in completing chunks between timers
 * stream-blocking?chunks=N  pool; the same with blocking chunks
 * upload, upload-async    {"bytes":N,"fnv1a":"<16 hex digits>"} of a body up to 1 GiB
 * never                   never answers; deadline 300 ms
 * leave, left             a stream that counts clients who leave; the count
 * twice, twice-status     answers "first" and again; the status of the second
 * fail?status=N           returns N, with the code "asked" and "asked to fail with N"
 * big-deadline            {"deadline_ms":N,"remaining_ms":N}; asks for a day
 * option?pointer=P        the option at P as JSON; P is not decoded
 * log                     writes a line with five fields; {"status":0,"enabled":1}
 * misuse                  [["what was misused",status],...]
 * tables                  the same of one slot of each of four tables, if it is granted
 *
 * Options: `mark`, a file to which stop and destroy append a line. With
 * -DMARK='"FILE"' the file is made as soon as code of the library runs. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exthost.h"

EXTHOST_META("faulty-c", "0.1.0",
    EXTHOST_KEY("needs", "routes/1,log/1,config/1,tasks/1")
    EXTHOST_KEY("wants", "db/1,events/1,broadcast/1"));

struct faulty {
    const exthost_services *services;
    const void *ctx;
    const exthost_routes_table *routes;
    const exthost_tasks_table *tasks;
    const exthost_log_table *log;
    const exthost_config_table *config;
    atomic_uint left;
    atomic_int twice_status;
    char mark[1024];
};

/* Work on one request that outlives its handler. Each callback that the host
 * owes holds one reference. */
struct job {
    struct faulty *self;
    uint64_t request;
    uint64_t done, total, ms;
    uint64_t bytes, hash;
    atomic_uint references;
};

#ifdef MARK
__attribute__((constructor)) static void mark_that_code_ran(void)
{
    FILE *file = fopen(MARK, "w");
    if (file)
        fclose(file);
}
#endif

/* ---- Answers ---------------------------------------------------------- */

static exthost_response head(uint32_t status, const exthost_header *header)
{
    exthost_response response = {
        .status = status, .headers = header, .headers_len = header ? 1 : 0};
    return response;
}

static const exthost_header TEXT = {
    EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"text/plain", 10}};
static const exthost_header JSON = {
    EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"application/json", 16}};

static exthost_status answer(struct faulty *self, uint64_t request, const exthost_header *type,
                             const char *body)
{
    exthost_response response = head(200, type);
    response.body = exthost_buffer_of(body, strlen(body));
    return self->routes->respond(self->ctx, request, &response);
}

static exthost_str query_text(const exthost_request *request, const char *key)
{
    exthost_str query = request->query;
    size_t len = strlen(key);
    for (size_t at = 0, end; at < query.len; at = end + 1) {
        for (end = at; end < query.len && query.ptr[end] != '&';)
            end++;
        if (end - at > len && memcmp(query.ptr + at, key, len) == 0 && query.ptr[at + len] == '=')
            return exthost_str_of(query.ptr + at + len + 1, end - at - len - 1);
    }
    return exthost_str_of("", 0);
}

static uint64_t query_number(const exthost_request *request, const char *key)
{
    exthost_str text = query_text(request, key);
    uint64_t number = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    return number;
}

static struct job *job_new(struct faulty *self, uint64_t request, uint64_t total)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        abort();
    job->self = self;
    job->request = request;
    job->total = total;
    job->hash = 0xcbf29ce484222325u;
    atomic_init(&job->references, 1);
    return job;
}

static void job_release(void *data)
{
    struct job *job = data;
    if (atomic_fetch_sub(&job->references, 1) == 1)
        free(job);
}

/* Hands one reference to `started`, which takes it back when it failed. */
static exthost_status keep(struct job *job, exthost_status started)
{
    if (started != EXTHOST_OK)
        job_release(job);
    return started;
}

/* ---- Tasks ------------------------------------------------------------ */

static exthost_status start_timer(struct job *job, uint64_t ms, exthost_run_fn fire,
                                  exthost_release_fn release, uint64_t *timer)
{
    struct faulty *self = job->self;
    exthost_timer_spec spec = {
        .delay_ms = ms, .flags = EXTHOST_TIMER_INLINE, .name = EXTHOST_STR("faulty-c timer")};
    return self->tasks->timer(self->ctx, job->request, &spec, job, fire, release, timer);
}

static void slept(void *data, uint64_t id)
{
    struct job *job = data;
    char text[48];
    (void)id;
    snprintf(text, sizeof text, "{\"slept_ms\":%" PRIu64 "}", job->ms);
    answer(job->self, job->request, &JSON, text);
}

static exthost_status get_sleep(void *data, uint64_t cause, const exthost_request *request)
{
    struct job *job = job_new(data, cause, 0);
    uint64_t timer;
    job->ms = query_number(request, "ms");
    return keep(job, start_timer(job, job->ms, slept, job_release, &timer));
}

static uint32_t polled(void *data, uint64_t task)
{
    struct job *job = data;
    char text[48];
    if (job->done++ < job->total) {
        job->self->tasks->wake(job->self->ctx, task);
        return EXTHOST_POLL_PENDING;
    }
    snprintf(text, sizeof text, "polled %" PRIu64, job->total);
    answer(job->self, job->request, &TEXT, text);
    return EXTHOST_POLL_READY;
}

static exthost_status get_spawn(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    struct job *job = job_new(self, cause, query_number(request, "polls"));
    uint64_t task;
    return keep(job, self->tasks->spawn(self->ctx, cause, 0, EXTHOST_STR("faulty-c future"), job,
                                        polled, job_release, &task));
}

static void blocked(void *data, uint64_t id)
{
    struct job *job = data;
    (void)id;
    answer(job->self, job->request, &TEXT, "blocked");
}

static exthost_status get_blocking(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    struct job *job = job_new(self, cause, 0);
    uint64_t task;
    (void)request;
    return keep(job, self->tasks->blocking(self->ctx, cause, 0, EXTHOST_STR("faulty-c work"), job,
                                           blocked, job_release, &task));
}

static void cancelled_release(void *data)
{
    struct job *job = data;
    answer(job->self, job->request, &TEXT, "released");
    job_release(job);
}

static exthost_status get_cancel(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    struct job *job = job_new(self, cause, 0);
    uint64_t timer = 0;
    (void)request;
    exthost_status status =
        keep(job, start_timer(job, 3600000, slept, cancelled_release, &timer));
    return status == EXTHOST_OK ? self->tasks->cancel(self->ctx, timer) : status;
}

static void *answer_from_thread(void *data)
{
    struct job *job = data;
    struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
    answer(job->self, job->request, &TEXT, "thread");
    job_release(job);
    return NULL;
}

static exthost_status get_thread(void *data, uint64_t cause, const exthost_request *request)
{
    struct job *job = job_new(data, cause, 0);
    pthread_t thread;
    (void)request;
    if (pthread_create(&thread, NULL, answer_from_thread, job) != 0)
        return keep(job, EXTHOST_INTERNAL);
    pthread_detach(thread);
    return EXTHOST_OK;
}

/* ---- Streams ---------------------------------------------------------- */

static void stream_fire(void *data, uint64_t id);

/* Ends the stream, or starts the timer before its next chunk. */
static void stream_next(struct job *job)
{
    struct faulty *self = job->self;
    uint64_t timer;
    if (job->done == job->total) {
        self->routes->respond_end(self->ctx, job->request, NULL, 0);
        return;
    }
    atomic_fetch_add(&job->references, 1);
    if (keep(job, start_timer(job, job->ms, stream_fire, job_release, &timer)) != EXTHOST_OK)
        self->routes->respond_abort(self->ctx, job->request);
}

static void stream_sent(void *data, exthost_status status, const exthost_error *error)
{
    struct job *job = data;
    (void)error;
    if (status == EXTHOST_OK)
        stream_next(job);
    job_release(job);
}

static void stream_fire(void *data, uint64_t id)
{
    struct job *job = data;
    struct faulty *self = job->self;
    char line[40];
    int len = snprintf(line, sizeof line, "chunk %" PRIu64 "\n", job->done++);
    exthost_buffer chunk = exthost_buffer_of(line, (size_t)len);
    (void)id;
    atomic_fetch_add(&job->references, 1);
    keep(job, self->routes->respond_chunk_async(self->ctx, job->request, &chunk, job,
                                                stream_sent, NULL));
}

static exthost_status get_stream(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    exthost_response response = head(200, &TEXT);
    exthost_status status = self->routes->respond_start(self->ctx, cause, &response);
    if (status != EXTHOST_OK)
        return status;
    struct job *job = job_new(self, cause, query_number(request, "chunks"));
    job->ms = query_number(request, "ms");
    stream_next(job);
    job_release(job);
    return EXTHOST_OK;
}

static exthost_status get_stream_blocking(void *data, uint64_t cause,
                                          const exthost_request *request)
{
    struct faulty *self = data;
    uint64_t total = query_number(request, "chunks");
    exthost_response response = head(200, &TEXT);
    exthost_status status = self->routes->respond_start(self->ctx, cause, &response);
    for (uint64_t i = 0; status == EXTHOST_OK && i < total; i++) {
        char line[40];
        int len = snprintf(line, sizeof line, "chunk %" PRIu64 "\n", i);
        exthost_buffer chunk = exthost_buffer_of(line, (size_t)len);
        status = self->routes->respond_chunk(self->ctx, cause, &chunk);
    }
    if (status == EXTHOST_OK)
        status = self->routes->respond_end(self->ctx, cause, NULL, 0);
    return status;
}

static void left(void *data, exthost_status status, const exthost_error *error)
{
    struct job *job = data;
    struct faulty *self = job->self;
    (void)error;
    if (status == EXTHOST_CANCELLED)
        atomic_fetch_add(&self->left, 1);
    if (status == EXTHOST_STOPPED)
        self->routes->respond_end(self->ctx, job->request, NULL, 0);
    job_release(job);
}

static exthost_status get_leave(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    exthost_response response = head(200, &TEXT);
    (void)request;
    response.body = exthost_buffer_of("waiting\n", 8);
    exthost_status status = self->routes->respond_start(self->ctx, cause, &response);
    if (status != EXTHOST_OK)
        return status;
    struct job *job = job_new(self, cause, 0);
    return keep(job, self->routes->cancelled_async(self->ctx, cause, 0, job, left, NULL));
}

static exthost_status get_left(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    char text[24];
    (void)request;
    snprintf(text, sizeof text, "{\"left\":%u}", atomic_load(&self->left));
    return answer(self, cause, &JSON, text);
}

/* ---- Uploads ---------------------------------------------------------- */

static void hash_chunk(struct job *job, exthost_buffer *chunk)
{
    for (size_t i = 0; i < chunk->len; i++)
        job->hash = (job->hash ^ chunk->ptr[i]) * 0x100000001b3u;
    job->bytes += chunk->len;
    exthost_buffer_release(chunk);
}

static exthost_status answer_upload(const struct job *job)
{
    char text[80];
    snprintf(text, sizeof text, "{\"bytes\":%" PRIu64 ",\"fnv1a\":\"%016" PRIx64 "\"}", job->bytes,
             job->hash);
    return answer(job->self, job->request, &JSON, text);
}

static exthost_status post_upload(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    struct job *job = job_new(self, cause, 0);
    exthost_buffer chunk;
    exthost_status status;
    (void)request;
    while ((status = self->routes->body_next(self->ctx, cause, &chunk)) == EXTHOST_OK)
        hash_chunk(job, &chunk);
    if (status == EXTHOST_END)
        status = answer_upload(job);
    job_release(job);
    return status;
}

static void upload_read(void *data, exthost_status status, const exthost_error *error,
                        exthost_buffer *chunk)
{
    struct job *job = data;
    struct faulty *self = job->self;
    (void)error;
    if (status == EXTHOST_OK) {
        hash_chunk(job, chunk);
        atomic_fetch_add(&job->references, 1);
        status = keep(job, self->routes->body_next_async(self->ctx, job->request, job,
                                                         upload_read, NULL));
    } else if (status == EXTHOST_END) {
        status = answer_upload(job);
    }
    if (status != EXTHOST_OK)
        self->routes->respond_abort(self->ctx, job->request);
    job_release(job);
}

static exthost_status post_upload_async(void *data, uint64_t cause,
                                        const exthost_request *request)
{
    struct faulty *self = data;
    struct job *job = job_new(self, cause, 0);
    (void)request;
    return keep(job,
                self->routes->body_next_async(self->ctx, cause, job, upload_read, NULL));
}

/* ---- Faults and the small services ------------------------------------ */

static exthost_status get_never(void *data, uint64_t cause, const exthost_request *request)
{
    (void)data, (void)cause, (void)request;
    return EXTHOST_OK;
}

static exthost_status get_twice(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    (void)request;
    exthost_status status = answer(self, cause, &TEXT, "first");
    atomic_store(&self->twice_status, answer(self, cause, &TEXT, "second"));
    return status;
}

static exthost_status get_twice_status(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    char text[24];
    (void)request;
    snprintf(text, sizeof text, "%d", atomic_load(&self->twice_status));
    return answer(self, cause, &TEXT, text);
}

static exthost_status get_fail(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    exthost_status status = (exthost_status)query_number(request, "status");
    char message[48];
    (void)cause;
    snprintf(message, sizeof message, "asked to fail with %" PRId32, status);
    self->services->fail(self->ctx, EXTHOST_STR("asked"), exthost_str_from(message),
                         EXTHOST_STR("{\"asked\":true}"));
    return status;
}

static exthost_status get_big_deadline(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    uint64_t remaining_ms = 0;
    char text[80];
    exthost_status status = self->tasks->remaining(self->ctx, cause, &remaining_ms);
    if (status != EXTHOST_OK)
        return status;
    snprintf(text, sizeof text, "{\"deadline_ms\":%" PRIu64 ",\"remaining_ms\":%" PRIu64 "}",
             request->deadline_ms, remaining_ms);
    return answer(self, cause, &JSON, text);
}

struct value {
    char text[4096];
};

static void copy_value(void *data, exthost_bytes bytes)
{
    struct value *value = data;
    size_t len = bytes.len < sizeof value->text ? bytes.len : sizeof value->text - 1;
    memcpy(value->text, bytes.ptr, len);
    value->text[len] = '\0';
}

static exthost_status get_option(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    struct value value = {""};
    exthost_status status = self->config->read(
        self->ctx, cause, query_text(request, "pointer"), &value, copy_value);
    return status == EXTHOST_OK ? answer(self, cause, &JSON, value.text) : status;
}

/* A call that fails, one that does not, and the status of the first. */
static exthost_status get_cleaned_up(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    struct value value = {""};
    uint64_t remaining_ms = 0;
    exthost_status status =
        self->config->read(self->ctx, cause, EXTHOST_STR("/nowhere"), &value, copy_value);
    (void)request;
    if (self->tasks->remaining(self->ctx, cause, &remaining_ms) != EXTHOST_OK)
        return EXTHOST_INTERNAL;
    return status;
}

static exthost_status get_log(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    const exthost_field fields[] = {
        {EXTHOST_STR("nothing"), exthost_value_null()},
        {EXTHOST_STR("answer"), exthost_value_integer(42)},
        {EXTHOST_STR("half"), exthost_value_real(0.5)},
        {EXTHOST_STR("path"), exthost_value_text(request->path)},
        {EXTHOST_STR("blob"), exthost_value_blob(exthost_bytes_of("\x00\x01", 2))},
    };
    uint32_t enabled = 0;
    char text[48];
    exthost_status status = self->log->write(self->ctx, cause, EXTHOST_LEVEL_WARN,
                                             EXTHOST_STR("a line from C"), fields, 5);
    self->log->enabled(self->ctx, cause, EXTHOST_LEVEL_WARN, &enabled);
    snprintf(text, sizeof text, "{\"status\":%" PRId32 ",\"enabled\":%" PRIu32 "}", status,
             enabled);
    return answer(self, cause, &JSON, text);
}

/* ---- Misuse ----------------------------------------------------------- */

struct report {
    char text[8192];
    size_t len;
};

static void note(struct report *report, const char *what, exthost_status status)
{
    int len = snprintf(report->text + report->len, sizeof report->text - report->len,
                       "%s[\"%s\",%" PRId32 "]", report->len > 1 ? "," : "", what, status);
    report->len += (size_t)len;
}

static void misuse_log_and_config(struct faulty *self, uint64_t cause, struct report *report)
{
    const exthost_log_table *log = self->log;
    const exthost_config_table *config = self->config;
    const void *ctx = self->ctx;
    const exthost_str fine = EXTHOST_STR("fine"), bad = EXTHOST_STR("\xff\xfe");
    exthost_field field = {fine, exthost_value_null()};
    struct value value;
    field.value.kind = 77;
    note(report, "log null with length", log->write(ctx, cause, 3, exthost_str_of(NULL, 1), NULL, 0));
    note(report, "log huge length",
         log->write(ctx, cause, 3, exthost_str_of("x", SIZE_MAX), NULL, 0));
    note(report, "log bad utf-8", log->write(ctx, cause, 3, bad, NULL, 0));
    note(report, "log level 0", log->write(ctx, cause, 0, fine, NULL, 0));
    note(report, "log level 99", log->write(ctx, cause, 99, fine, NULL, 0));
    note(report, "log null fields", log->write(ctx, cause, 3, fine, NULL, 1));
    note(report, "log unknown kind", log->write(ctx, cause, 3, fine, &field, 1));
    field.value.kind = EXTHOST_VALUE_NULL;
    field.value.reserved = 1;
    note(report, "log reserved", log->write(ctx, cause, 3, fine, &field, 1));
    note(report, "log stale cause", log->write(ctx, UINT64_MAX, 3, fine, NULL, 0));
    note(report, "log null result", log->enabled(ctx, cause, 3, NULL));
    note(report, "config declare late",
         config->declare(ctx, cause, EXTHOST_STR("{}"), EXTHOST_STR("")));
    note(report, "config no slash", config->read(ctx, cause, fine, &value, copy_value));
    note(report, "config null callback", config->read(ctx, cause, EXTHOST_STR(""), NULL, NULL));
    note(report, "config nothing there",
         config->read(ctx, cause, EXTHOST_STR("/no/such"), &value, copy_value));
}

static void misuse_routes(struct faulty *self, uint64_t cause, struct report *report)
{
    const exthost_routes_table *routes = self->routes;
    const void *ctx = self->ctx;
    exthost_route_spec spec = {.method = EXTHOST_STR("GET"), .pattern = EXTHOST_STR("late")};
    exthost_response good = head(200, &TEXT), wrong;
    exthost_header header = TEXT;
    exthost_buffer chunk = exthost_buffer_of("x", 1);
    exthost_error failure = {.status = EXTHOST_CONFLICT};
    note(report, "add late", routes->add(ctx, 0, &spec, self, get_never, NULL));
    note(report, "respond null", routes->respond(ctx, cause, NULL));
    note(report, "respond to 0", routes->respond(ctx, 0, &good));
    note(report, "respond to nobody", routes->respond(ctx, UINT64_MAX, &good));
    wrong = head(99, &TEXT);
    note(report, "respond status 99", routes->respond(ctx, cause, &wrong));
    wrong = good;
    wrong.flags = 0x80000000u;
    note(report, "respond unknown flag", routes->respond(ctx, cause, &wrong));
    wrong = good;
    wrong.headers_len = SIZE_MAX;
    note(report, "respond huge headers", routes->respond(ctx, cause, &wrong));
    wrong = good;
    wrong.body = exthost_buffer_of("x", SIZE_MAX);
    note(report, "respond huge body", routes->respond(ctx, cause, &wrong));
    header.name = EXTHOST_STR("a b");
    wrong = head(200, &header);
    note(report, "respond bad header name", routes->respond(ctx, cause, &wrong));
    header = TEXT;
    header.value = exthost_bytes_of("a\r\nb: c", 7);
    note(report, "respond header injection", routes->respond(ctx, cause, &wrong));
    failure.reserved = 1;
    note(report, "error reserved", routes->respond_error(ctx, cause, &failure));
    note(report, "chunk before the head", routes->respond_chunk(ctx, cause, &chunk));
    note(report, "end before the head", routes->respond_end(ctx, cause, NULL, 0));
    note(report, "body of a collected route", routes->body_next(ctx, cause, &chunk));
    note(report, "body null", routes->body_next(ctx, cause, NULL));
    note(report, "cancelled null callback", routes->cancelled_async(ctx, cause, 0, NULL, NULL, NULL));
    note(report, "cancelled nobody", routes->cancelled(ctx, UINT64_MAX));
    note(report, "abort nobody", routes->respond_abort(ctx, UINT64_MAX));
}

static void misuse_tasks_and_services(struct faulty *self, uint64_t cause, struct report *report)
{
    const exthost_tasks_table *tasks = self->tasks;
    const exthost_services *services = self->services;
    const void *ctx = self->ctx;
    exthost_timer_spec spec = {.delay_ms = 1, .flags = 0x80000000u};
    exthost_error error;
    uint64_t id;
    note(report, "timer null spec", tasks->timer(ctx, cause, NULL, NULL, slept, NULL, &id));
    note(report, "timer unknown flag", tasks->timer(ctx, cause, &spec, NULL, slept, NULL, &id));
    spec.flags = 0;
    spec.reserved = 1;
    note(report, "timer reserved", tasks->timer(ctx, cause, &spec, NULL, slept, NULL, &id));
    spec.reserved = 0;
    note(report, "timer null callback", tasks->timer(ctx, cause, &spec, NULL, NULL, NULL, &id));
    note(report, "spawn null callback",
         tasks->spawn(ctx, cause, 0, EXTHOST_STR(""), NULL, NULL, NULL, &id));
    note(report, "wake nothing", tasks->wake(ctx, UINT64_MAX));
    note(report, "cancel nothing", tasks->cancel(ctx, UINT64_MAX));
    note(report, "remaining nothing", tasks->remaining(ctx, UINT64_MAX, &id));
    note(report, "remaining null result", tasks->remaining(ctx, cause, NULL));
    note(report, "service unknown",
         services->service(ctx, EXTHOST_STR("nonsense"), 1) ? EXTHOST_INTERNAL : EXTHOST_OK);
    note(report, "last error of it", services->last_error(ctx, &error));
    note(report, "service null id",
         services->service(ctx, exthost_str_of(NULL, 9), 1) ? EXTHOST_INTERNAL : EXTHOST_OK);
    note(report, "fail bad utf-8",
         services->fail(ctx, EXTHOST_STR("\xff"), EXTHOST_STR(""), EXTHOST_STR("")));
    note(report, "last error null", services->last_error(ctx, NULL));
    note(report, "null ctx", tasks->wake(NULL, 1));
}

static exthost_status get_tables(void *data, uint64_t cause, const exthost_request *request)
{
    struct faulty *self = data;
    struct report report = {"[", 1};
    uint32_t dialect, listeners;
    uint64_t count;
    (void)request;
    note(&report, "db", exthost_db(self->services)->dialect(self->ctx, cause, &dialect));
    note(&report, "events", exthost_events(self->services)->has_listeners(
        self->ctx, cause, EXTHOST_STR("a"), &listeners));
    note(&report, "broadcast", exthost_broadcast(self->services)->subscriber_count(
        self->ctx, cause, EXTHOST_STR("a"), &count));
    note(&report, "webhooks", exthost_webhooks(self->services) ? EXTHOST_OK : EXTHOST_DENIED);
    report.text[report.len++] = ']';
    report.text[report.len] = '\0';
    return answer(data, cause, &JSON, report.text);
}

static exthost_status get_misuse(void *data, uint64_t cause, const exthost_request *request)
{
    struct report report = {"[", 1};
    (void)request;
    misuse_log_and_config(data, cause, &report);
    misuse_routes(data, cause, &report);
    misuse_tasks_and_services(data, cause, &report);
    report.text[report.len++] = ']';
    report.text[report.len] = '\0';
    return answer(data, cause, &JSON, report.text);
}

/* ---- The door --------------------------------------------------------- */

static exthost_status add_routes(struct faulty *self)
{
    const uint32_t inlined = EXTHOST_ROUTE_INLINE, body = EXTHOST_ROUTE_STREAM_BODY;
    const struct {
        const char *method, *pattern;
        uint32_t flags;
        uint64_t deadline_ms;
        exthost_route_handle_fn handle;
    } routes[] = {
        {"GET", "sleep", inlined, 0, get_sleep},
        {"GET", "spawn", inlined, 0, get_spawn},
        {"GET", "blocking", inlined, 0, get_blocking},
        {"GET", "cancel", inlined, 0, get_cancel},
        {"GET", "thread", 0, 0, get_thread},
        {"GET", "stream", inlined, 0, get_stream},
        {"GET", "stream-blocking", 0, 0, get_stream_blocking},
        {"POST", "upload", body, 0, post_upload},
        {"POST", "upload-async", inlined | body, 0, post_upload_async},
        {"GET", "never", inlined, 300, get_never},
        {"GET", "leave", inlined, 0, get_leave},
        {"GET", "left", inlined, 0, get_left},
        {"GET", "twice", inlined, 0, get_twice},
        {"GET", "twice-status", inlined, 0, get_twice_status},
        {"GET", "fail", inlined, 0, get_fail},
        {"GET", "big-deadline", inlined, 86400000, get_big_deadline},
        {"GET", "option", inlined, 0, get_option},
        {"GET", "cleaned-up", inlined, 0, get_cleaned_up},
        {"GET", "log", inlined, 0, get_log},
        {"GET", "misuse", 0, 0, get_misuse},
        {"GET", "tables", 0, 0, get_tables},
    };
    exthost_status status = EXTHOST_OK;
    for (size_t i = 0; status == EXTHOST_OK && i < sizeof routes / sizeof *routes; i++) {
        exthost_route_spec spec = {
            .method = exthost_str_from(routes[i].method),
            .pattern = exthost_str_from(routes[i].pattern),
            .flags = EXTHOST_ROUTE_PUBLIC | routes[i].flags,
            .body_bytes_max = routes[i].flags & body ? 1u << 30 : 0,
            .deadline_ms = routes[i].deadline_ms,
        };
        /* What says 0 is 0, or nothing is registered. */
        spec.reserved = 1;
        status = self->routes->add(self->ctx, 0, &spec, self, routes[i].handle, NULL);
        if (status != EXTHOST_INVALID)
            return EXTHOST_INTERNAL;
        spec.reserved = 0;
        status = self->routes->add(self->ctx, 0, &spec, self, routes[i].handle, NULL);
    }
    return status;
}

/* Remembers the option `mark`, a JSON string without escapes. */
static void keep_mark(void *data, exthost_bytes json)
{
    struct faulty *self = data;
    if (json.len < 2 || json.ptr[0] != '"' || json.len - 2 >= sizeof self->mark)
        return;
    memcpy(self->mark, json.ptr + 1, json.len - 2);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    struct faulty *self = calloc(1, sizeof *self);
    if (self == NULL)
        return EXTHOST_INTERNAL;
    self->services = services;
    self->ctx = services->ctx;
    self->routes = exthost_routes(services);
    self->tasks = exthost_tasks(services);
    self->log = exthost_log(services);
    self->config = exthost_config(services);
    exthost_status status =
        self->config->declare(self->ctx, 0, EXTHOST_STR("{\"greeting\":\"hello\"}"),
                              EXTHOST_STR("{\"type\":\"object\"}"));
    if (status == EXTHOST_OK)
        status = add_routes(self);
    if (status != EXTHOST_OK) {
        free(self);
        return status;
    }
    self->config->read(self->ctx, 0, EXTHOST_STR("/mark"), self, keep_mark);
    *instance = self;
    return EXTHOST_OK;
}

static void append_to_mark(const struct faulty *self, const char *line)
{
    FILE *file = self->mark[0] ? fopen(self->mark, "a") : NULL;
    if (file) {
        fputs(line, file);
        fclose(file);
    }
}

static void stop(void *instance)
{
    append_to_mark(instance, "stop\n");
}

static void destroy(void *instance)
{
    append_to_mark(instance, "destroy\n");
    free(instance);
}

EXTHOST_DOOR(init, NULL, stop, destroy, NULL);
