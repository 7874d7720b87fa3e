/* A plugin in C that does everything events/1 offers, from wherever it may be
 * called, and much that it forbids. All routes are public GETs.
 *
 *     cc -std=c11 -Wall -Wextra -Wpedantic -fvisibility=hidden -fPIC -pthread
 *        -Iplugin-api/include -shared -o libevents-c.so tests/plugins/events-c.c
 *
 * all?from=F&async=A     pool; [["step",0],...] of every slot; -1 is a wrong result,
 *                        any other number a status that was not expected. F is 0 for
 *                        the route, 1 for a thread of the plugin's own, 2 for a
 *                        filter, 3 for an observer, 4 for an observer that answers,
 *                        from a thread, 5 for blocking work; with A requests complete
 * all-inline             inline; the same of what may be called there
 * cancel                 pool; the same of a request whose filter is left to a task
 * misuse                 pool; [["what was misused",status],...]
 * foreign?subscription=S&cause=C
 *                        inline; the same of ids that are another plugin's
 * subscribe?as=HOW&to=NAME&priority=P&deadline=MS
 *                        inline; {"subscription":S}; HOW is one of `HOWS` below
 * last?subscription=S    inline; {"heard":N,"cause":C} of what it heard last
 * ask?name=NAME&policy=P&deadline=MS
 *                        inline; {"status":S,"payload":"","vetoed_by":"","reason":""}
 * pending?name=NAME&n=N  inline; begins N requests of a minute and leaves them
 * wait?name=NAME         pool; {"status":S} of a blocking request of a minute
 * say?text=TEXT          inline; logs a warning
 * counts                 inline; operations, subscriptions with release, and faults
 *
 * Options, all texts: `hear`, a pattern that is written to the file `journal`, a line
 * an event; `gate`, a file without which init does not return; `early`, an event that
 * init sends to the plugin itself, with the payloads 1 to 3; `mark`, a file to which
 * destroy appends the counts, and the status of each slot by then; `releases`, a file
 * to which each release appends a line. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "exthost.h"

#ifndef NAME
#define NAME "events-c"
#endif

EXTHOST_META(NAME, "0.1.0", EXTHOST_KEY("needs", "routes/1,config/1,log/1,events/1"));

/* A deadline that no test waits for. */
#define LONG_MS 60000

struct plugin {
    const exthost_services *services;
    const void *ctx;
    const exthost_routes_table *routes;
    const exthost_tasks_table *tasks;
    const exthost_log_table *log;
    const exthost_events_table *events;
    /* Operations that slots have accepted, and that have completed. */
    atomic_uint accepted, completed;
    /* Subscriptions that were made with a release, and that were released. */
    atomic_uint held, released;
    /* What broke the contract. */
    atomic_uint faults;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct sub *subs;
    struct op *ops;
    struct thread *threads;
    struct walk *walks;
    char journal[1024], mark[1024], releases[1024];
};

static void fault(struct plugin *self)
{
    atomic_fetch_add(&self->faults, 1);
}

static void *allocate(size_t size)
{
    void *made = calloc(1, size);
    if (made == NULL)
        abort();
    return made;
}

/* Waits, with the mutex held, until something changes; 0 once it has taken too
 * long. */
static int wait_changed(struct plugin *self, struct timespec *until)
{
    if (until->tv_sec == 0) {
        clock_gettime(CLOCK_REALTIME, until);
        until->tv_sec += 20;
    }
    return pthread_cond_timedwait(&self->changed, &self->mutex, until) == 0;
}

/* Waits, with the mutex held, until the condition holds or it takes too long. */
#define WAIT_UNTIL(self, condition)                                    \
    do {                                                               \
        struct timespec until = {0, 0};                                \
        while (!(condition) && wait_changed(self, &until))             \
            ;                                                          \
    } while (0)

/* ---- Threads, which are joined before the instance is freed ------------ */

struct thread {
    struct thread *next;
    pthread_t id;
};

static void spawn(struct plugin *self, void *(*run)(void *), void *data)
{
    struct thread *thread = allocate(sizeof *thread);
    if (pthread_create(&thread->id, NULL, run, data) != 0)
        abort();
    pthread_mutex_lock(&self->mutex);
    thread->next = self->threads;
    self->threads = thread;
    pthread_mutex_unlock(&self->mutex);
}

/* ---- Subscriptions ----------------------------------------------------- */

/* One subscription. It is kept until the instance is destroyed, so that a call
 * after its release is noticed rather than a crash. */
struct sub {
    struct plugin *self;
    struct sub *next;
    exthost_status (*act)(struct sub *sub, uint64_t cause, const exthost_event *event);
    /* What `act` goes by. */
    const char *text;
    void *data;
    uint32_t mode;
    /* What subscribing came to. */
    exthost_status status;
    uint64_t id;
    unsigned heard, inside, releases;
    uint64_t lost, cause;
    char name[96], payload[64], content_type[64], emitter[64];
    /* Lets those go on that wait for it. */
    int is_open;
    /* What `act` came to. */
    exthost_status acted;
};

static void keep(char *to, size_t room, const void *from, size_t len)
{
    if (len >= room)
        len = room - 1;
    if (len > 0)
        memcpy(to, from, len);
    to[len] = '\0';
}

static exthost_status on_event(void *data, uint64_t cause, const exthost_event *event)
{
    struct sub *sub = data;
    struct plugin *self = sub->self;
    pthread_mutex_lock(&self->mutex);
    if (sub->releases > 0 || event->subscription != sub->id || event->emitted_at_ms == 0)
        fault(self);
    sub->heard++;
    sub->inside++;
    sub->lost += event->lost;
    sub->cause = cause;
    keep(sub->name, sizeof sub->name, event->name.ptr, event->name.len);
    keep(sub->payload, sizeof sub->payload, event->payload.ptr, event->payload.len);
    keep(sub->content_type, sizeof sub->content_type, event->content_type.ptr,
         event->content_type.len);
    keep(sub->emitter, sizeof sub->emitter, event->emitter.ptr, event->emitter.len);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    exthost_status status = sub->act(sub, cause, event);
    pthread_mutex_lock(&self->mutex);
    sub->inside--;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    return status;
}

static void on_release(void *data)
{
    struct sub *sub = data;
    struct plugin *self = sub->self;
    pthread_mutex_lock(&self->mutex);
    if (sub->releases++ > 0 || sub->inside > 0 || sub->status != EXTHOST_OK)
        fault(self);
    FILE *file = self->releases[0] ? fopen(self->releases, "a") : NULL;
    if (file) {
        fputs("released\n", file);
        fclose(file);
    }
    atomic_fetch_add(&self->released, 1);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

static struct sub *sub_new(struct plugin *self,
                           exthost_status (*act)(struct sub *, uint64_t, const exthost_event *))
{
    struct sub *sub = allocate(sizeof *sub);
    sub->self = self;
    sub->act = act;
    pthread_mutex_lock(&self->mutex);
    sub->next = self->subs;
    self->subs = sub;
    pthread_mutex_unlock(&self->mutex);
    return sub;
}

/* Subscribes as the spec says, with the record made for it. */
static exthost_status subscribe(struct sub *sub, uint64_t cause, const char *pattern,
                                exthost_subscription_spec spec)
{
    struct plugin *self = sub->self;
    spec.pattern = exthost_str_from(pattern);
    sub->mode = spec.mode;
    exthost_status status = self->events->subscribe(self->ctx, cause, &spec, sub, on_event,
                                                    on_release, &sub->id);
    sub->status = status;
    if (status == EXTHOST_OK)
        atomic_fetch_add(&self->held, 1);
    return status;
}

static exthost_status decide(struct plugin *self, uint64_t cause, uint32_t kind, const char *text)
{
    exthost_verdict verdict = {.kind = kind};
    if (kind == EXTHOST_VERDICT_REPLACE)
        verdict.payload = exthost_bytes_of(text, strlen(text));
    if (kind == EXTHOST_VERDICT_VETO || kind == EXTHOST_VERDICT_FAIL)
        verdict.reason = exthost_str_from(text);
    return self->events->answer(self->ctx, cause, &verdict);
}

static void expect_decided(struct sub *sub, uint64_t cause, uint32_t kind, const char *text)
{
    if (decide(sub->self, cause, kind, text) != EXTHOST_OK)
        fault(sub->self);
}

/* What handlers do. */

static exthost_status record(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    (void)sub, (void)cause, (void)event;
    return EXTHOST_OK;
}

static exthost_status never(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    (void)cause, (void)event;
    fault(sub->self);
    return EXTHOST_OK;
}

static exthost_status pass(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    (void)event;
    expect_decided(sub, cause, EXTHOST_VERDICT_PASS, "");
    return EXTHOST_OK;
}

/* Goes on with its text after the payload. */
static void append_to(struct sub *sub, uint64_t cause, const char *payload)
{
    char text[128];
    snprintf(text, sizeof text, "%s%s", payload, sub->text);
    expect_decided(sub, cause, EXTHOST_VERDICT_REPLACE, text);
}

static exthost_status append(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    char payload[64];
    keep(payload, sizeof payload, event->payload.ptr, event->payload.len);
    append_to(sub, cause, payload);
    return EXTHOST_OK;
}

static exthost_status veto(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    (void)event;
    expect_decided(sub, cause, EXTHOST_VERDICT_VETO, sub->text);
    return EXTHOST_OK;
}

static exthost_status failing(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    const exthost_services *services = sub->self->services;
    (void)cause, (void)event;
    services->fail(services->ctx, EXTHOST_STR("broken"), EXTHOST_STR("it is broken"),
                   EXTHOST_STR(""));
    return EXTHOST_CONFLICT;
}

static uint32_t poll_pending(void *data, uint64_t task)
{
    (void)data, (void)task;
    return EXTHOST_POLL_PENDING;
}

static void task_ended(void *data)
{
    struct sub *sub = data;
    pthread_mutex_lock(&sub->self->mutex);
    sub->is_open = 1;
    pthread_cond_broadcast(&sub->self->changed);
    pthread_mutex_unlock(&sub->self->mutex);
}

/* Leaves its delivery to a task that would go on for ever. */
static exthost_status hang(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = sub->self;
    (void)event;
    return self->tasks->spawn(self->ctx, cause, EXTHOST_TASK_ENDS_WITH_CAUSE, EXTHOST_STR("hang"),
                              sub, poll_pending, task_ended, NULL);
}

static void *answer_later(void *data)
{
    struct sub *sub = data;
    struct plugin *self = sub->self;
    pthread_mutex_lock(&self->mutex);
    WAIT_UNTIL(self, sub->is_open);
    uint64_t cause = sub->cause;
    /* The next delivery waits for the answer of this one. */
    unsigned heard = sub->heard;
    pthread_mutex_unlock(&self->mutex);
    if (sub->mode == EXTHOST_EVENT_MODE_FILTER)
        append_to(sub, cause, sub->payload);
    else if (heard == sub->acted + 1u)
        sub->acted++, expect_decided(sub, cause, EXTHOST_VERDICT_PASS, "");
    else
        fault(self);
    return NULL;
}

static exthost_status later(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    (void)cause, (void)event;
    spawn(sub->self, answer_later, sub);
    return EXTHOST_OK;
}

static exthost_status gated(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = sub->self;
    (void)cause, (void)event;
    pthread_mutex_lock(&self->mutex);
    WAIT_UNTIL(self, sub->is_open);
    pthread_mutex_unlock(&self->mutex);
    return EXTHOST_OK;
}

/* Unsubscribes itself; its data stays until it has returned. */
static exthost_status leave(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = sub->self;
    sub->acted = self->events->unsubscribe(self->ctx, cause, event->subscription);
    if (sub->releases > 0)
        fault(self);
    return EXTHOST_OK;
}

static exthost_message message_of(const char *name, const char *payload)
{
    return (exthost_message){.name = exthost_str_from(name),
                             .payload = exthost_bytes_of(payload, strlen(payload))};
}

static exthost_status emit(struct plugin *self, uint64_t cause, const char *name,
                           const char *payload)
{
    exthost_message message = message_of(name, payload);
    return self->events->emit(self->ctx, cause, &message);
}

/* Emits what it hears, until that is refused. */
static exthost_status again(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = sub->self;
    exthost_error error;
    (void)event;
    exthost_status status = emit(self, cause, sub->name, "");
    if (status != EXTHOST_OK
        && (self->services->last_error(self->ctx, &error) != EXTHOST_OK
            || !exthost_str_equal(error.code, EXTHOST_STR("event-depth"))))
        fault(self);
    pthread_mutex_lock(&self->mutex);
    sub->acted = status;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    return EXTHOST_OK;
}

/* Writes a line to the journal, which all generations share. */
static exthost_status write_down(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    size_t room = event->payload.len + event->name.len + event->emitter.len + 128;
    char *line = allocate(room);
    (void)cause;
    int len = snprintf(line, room, "{\"name\":\"%.*s\",\"emitter\":\"%.*s\",\"lost\":%" PRIu64
                       ",\"payload\":%.*s}\n", (int)event->name.len, event->name.ptr,
                       (int)event->emitter.len, event->emitter.ptr, event->lost,
                       (int)event->payload.len, (const char *)event->payload.ptr);
    int file = open(sub->self->journal, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || write(file, line, (size_t)len) != len)
        fault(sub->self);
    if (file >= 0)
        close(file);
    free(line);
    return EXTHOST_OK;
}

static exthost_status log_line(struct plugin *self, uint64_t cause, exthost_str text)
{
    exthost_field field = {EXTHOST_STR("number"), exthost_value_integer(7)};
    return self->log->write(self->ctx, cause, EXTHOST_LEVEL_WARN, text, &field, 1);
}

/* Logs that it handles a line, and writes that down afterwards. */
static exthost_status log_and_write(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    if (log_line(sub->self, cause, EXTHOST_STR("handling")) != EXTHOST_OK)
        fault(sub->self);
    return write_down(sub, cause, event);
}

/* ---- Requests and their completions ------------------------------------ */

/* One request. Kept as long as a subscription, for the same reason. */
struct op {
    struct plugin *self;
    struct op *next;
    unsigned calls;
    exthost_status status;
    char payload[64], vetoed_by[64], reason[64];
    /* Called by the completion, with the data it was made with. */
    void (*then)(struct op *op);
    void *data;
};

/* Whether this thread is inside a completing slot. */
static _Thread_local int in_slot;

static struct op *op_new(struct plugin *self, void (*then)(struct op *), void *data)
{
    struct op *op = allocate(sizeof *op);
    op->self = self;
    op->then = then;
    op->data = data;
    pthread_mutex_lock(&self->mutex);
    op->next = self->ops;
    self->ops = op;
    pthread_mutex_unlock(&self->mutex);
    return op;
}

static void asked(void *data, exthost_status status, const exthost_error *error,
                  const exthost_event_result *result)
{
    struct op *op = data;
    struct plugin *self = op->self;
    int is_decided = status == EXTHOST_OK || status == EXTHOST_VETOED;
    int holds = !in_slot && (error == NULL) == (status == EXTHOST_OK)
        && (result != NULL) == is_decided
        && (error == NULL || (error->status == status && error->code.len > 0))
        && (result == NULL || (result->vetoed_by.len > 0) == (status == EXTHOST_VETOED));
    pthread_mutex_lock(&self->mutex);
    int is_first = op->calls++ == 0;
    op->status = status;
    if (result != NULL) {
        keep(op->payload, sizeof op->payload, result->payload.ptr, result->payload.len);
        keep(op->vetoed_by, sizeof op->vetoed_by, result->vetoed_by.ptr, result->vetoed_by.len);
        keep(op->reason, sizeof op->reason, result->reason.ptr, result->reason.len);
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    if (!is_first || !holds)
        fault(self);
    atomic_fetch_add(&self->completed, 1);
    if (is_first && op->then)
        op->then(op);
}

/* Begins a request; once it is accepted, `op` may have completed. */
static exthost_status ask_async(struct op *op, uint64_t cause, exthost_event_request request,
                                uint64_t *id)
{
    struct plugin *self = op->self;
    in_slot = 1;
    exthost_status status = self->events->request_async(self->ctx, cause, &request, op, asked, id);
    in_slot = 0;
    if (status == EXTHOST_OK)
        atomic_fetch_add(&self->accepted, 1);
    return status;
}

/* Waits for a completion, on a thread that may. */
static exthost_status wait_for(struct op *op)
{
    pthread_mutex_lock(&op->self->mutex);
    WAIT_UNTIL(op->self, op->calls > 0);
    exthost_status status = op->calls > 0 ? op->status : -2;
    pthread_mutex_unlock(&op->self->mutex);
    return status;
}

static exthost_event_request request_of(const char *name, uint32_t policy, uint64_t deadline_ms)
{
    return (exthost_event_request){.message = message_of(name, "1"), .policy = policy,
                                   .deadline_ms = deadline_ms};
}

/* Asks in either form, and waits. */
static exthost_status ask(struct op *op, uint64_t cause, int is_async,
                          exthost_event_request request)
{
    struct plugin *self = op->self;
    exthost_error error;
    if (is_async) {
        exthost_status status = ask_async(op, cause, request, NULL);
        return status == EXTHOST_OK ? wait_for(op) : status;
    }
    exthost_status status = self->events->request(self->ctx, cause, &request, op, asked);
    int is_decided = status == EXTHOST_OK || status == EXTHOST_VETOED;
    if (is_decided)
        atomic_fetch_add(&self->accepted, 1);
    if ((status == EXTHOST_VETOED
         && (self->services->last_error(self->ctx, &error) != EXTHOST_OK
             || !exthost_str_equal(error.code, EXTHOST_STR("vetoed"))))
        || (op->calls == 1) != is_decided || (is_decided && op->status != status))
        fault(self);
    return status;
}

/* In an inline handler, where nothing may wait. */
static exthost_status block(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct op *op = op_new(sub->self, NULL, NULL);
    sub->acted = ask(op, cause, 0, request_of(NAME ".nobody", EXTHOST_POLICY_FAIL_OPEN, 0));
    return sub->mode == EXTHOST_EVENT_MODE_FILTER ? pass(sub, cause, event) : EXTHOST_OK;
}

/* Asks its own filter for nothing that it knows of, so that the host does not hear
 * why. */
static exthost_status ask_again(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct op *op = op_new(sub->self, NULL, NULL);
    (void)event;
    ask(op, 0, 0, request_of(sub->name, EXTHOST_POLICY_FAIL_OPEN, 0));
    decide(sub->self, cause, EXTHOST_VERDICT_PASS, "");
    return EXTHOST_OK;
}

/* ---- Reports ----------------------------------------------------------- */

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

static exthost_status answer(struct plugin *self, uint64_t request, const char *body)
{
    static const exthost_header JSON = {
        EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"application/json", 16}};
    exthost_response response = {.status = 200, .headers = &JSON, .headers_len = 1};
    response.body = exthost_buffer_of(body, strlen(body));
    return self->routes->respond(self->ctx, request, &response);
}

static exthost_status answer_report(struct plugin *self, uint64_t request, struct report *report)
{
    if (report->len + 1 < sizeof report->text)
        memcpy(report->text + report->len, "]", 2);
    return answer(self, request, report->text);
}

/* ---- The steps, wherever they are called from -------------------------- */

#define SUBS_MAX 48

/* A run through the steps. It is kept until the instance is destroyed: what it has
 * begun may go on when it has failed. */
struct walk {
    struct plugin *self;
    struct walk *next;
    /* The request that hears of it, and what the calls are made for. */
    uint64_t request, cause;
    int is_async;
    /* Events that have caused it. */
    unsigned depth, number;
    char names[8][64];
    struct sub *subs[SUBS_MAX];
    size_t subs_len;
    struct report report;
};

static struct walk *walk_new(struct plugin *self, uint64_t request, int is_async)
{
    struct walk *walk = allocate(sizeof *walk);
    walk->self = self;
    walk->request = walk->cause = request;
    walk->is_async = is_async;
    pthread_mutex_lock(&self->mutex);
    walk->number = self->walks == NULL ? 0 : self->walks->number + 1;
    walk->next = self->walks;
    self->walks = walk;
    pthread_mutex_unlock(&self->mutex);
    return walk;
}

/* A name that only this walk uses. */
static const char *name_of(struct walk *walk, unsigned at, const char *last)
{
    snprintf(walk->names[at], sizeof *walk->names, NAME ".w%u.%s", walk->number, last);
    return walk->names[at];
}

static struct sub *hear(struct walk *walk, const char *pattern,
                        exthost_status (*act)(struct sub *, uint64_t, const exthost_event *),
                        const char *text, exthost_subscription_spec spec)
{
    struct sub *sub = sub_new(walk->self, act);
    sub->text = text;
    if (subscribe(sub, walk->cause, pattern, spec) != EXTHOST_OK || sub->id == 0
        || walk->subs_len == SUBS_MAX)
        fault(walk->self);
    else
        walk->subs[walk->subs_len++] = sub;
    return sub;
}

#define OBSERVER(...) ((exthost_subscription_spec){.mode = EXTHOST_EVENT_MODE_OBSERVE, __VA_ARGS__})
#define FILTER(...) ((exthost_subscription_spec){.mode = EXTHOST_EVENT_MODE_FILTER, __VA_ARGS__})

/* Waits until so many events were heard, and their handlers have returned. */
static int heard(struct sub *sub, unsigned count)
{
    pthread_mutex_lock(&sub->self->mutex);
    WAIT_UNTIL(sub->self, sub->heard >= count && sub->inside == 0);
    int is_so = sub->heard == count;
    pthread_mutex_unlock(&sub->self->mutex);
    return is_so;
}

/* Waits until a handler has been entered so often. */
static int entered(struct sub *sub, unsigned count)
{
    pthread_mutex_lock(&sub->self->mutex);
    WAIT_UNTIL(sub->self, sub->heard >= count);
    int is_so = sub->heard == count;
    pthread_mutex_unlock(&sub->self->mutex);
    return is_so;
}

static void open_gate(struct sub *sub)
{
    pthread_mutex_lock(&sub->self->mutex);
    sub->is_open = 1;
    pthread_cond_broadcast(&sub->self->changed);
    pthread_mutex_unlock(&sub->self->mutex);
}

static int released(struct sub *sub)
{
    pthread_mutex_lock(&sub->self->mutex);
    WAIT_UNTIL(sub->self, sub->releases > 0);
    int is_so = sub->releases == 1;
    pthread_mutex_unlock(&sub->self->mutex);
    return is_so;
}

static int is_last(const struct sub *sub, const char *payload)
{
    return strcmp(sub->payload, payload) == 0;
}

#define STEP(what, holds) note(&walk->report, what, (holds) ? 0 : -1)

static exthost_status says(struct walk *walk, const char *name, const char *payload)
{
    return emit(walk->self, walk->cause, name, payload);
}

static exthost_status unsubscribe(struct walk *walk, struct sub *sub)
{
    return walk->self->events->unsubscribe(walk->self->ctx, walk->cause, sub->id);
}

static void walk_observers(struct walk *walk)
{
    struct plugin *self = walk->self;
    const exthost_events_table *events = self->events;
    const void *ctx = self->ctx;
    const char *a = name_of(walk, 0, "a"), *b = name_of(walk, 1, "b");
    const char *any = name_of(walk, 2, "*"), *all = name_of(walk, 3, ">");
    uint32_t listeners = 7;
    exthost_status status = events->has_listeners(ctx, walk->cause, exthost_str_from(a), &listeners);
    STEP("nobody listens", status == EXTHOST_OK && listeners == 0);
    struct sub *one = hear(walk, a, record, NULL, OBSERVER(0));
    events->has_listeners(ctx, walk->cause, exthost_str_from(a), &listeners);
    STEP("somebody listens", listeners == 1);
    struct sub *star = hear(walk, any, record, NULL, OBSERVER(.priority = -1));
    struct sub *rest = hear(walk, all, record, NULL, OBSERVER(.priority = 1));
    hear(walk, all, never, NULL, OBSERVER(.flags = EXTHOST_SUBSCRIBE_NOT_OWN));
    STEP("emit", says(walk, a, "1") == EXTHOST_OK && says(walk, a, "2") == EXTHOST_OK);
    STEP("heard by name", heard(one, 2) && is_last(one, "2"));
    STEP("heard by one token", heard(star, 2) && is_last(star, "2"));
    STEP("heard by the rest", heard(rest, 2) && is_last(rest, "2"));
    STEP("whose it is", strcmp(one->emitter, NAME) == 0 && strcmp(one->name, a) == 0);
    STEP("it is JSON", strcmp(one->content_type, "application/json") == 0);
    exthost_message text = message_of(b, "words");
    text.content_type = EXTHOST_STR("text/plain");
    STEP("emit text", events->emit(ctx, walk->cause, &text) == EXTHOST_OK);
    STEP("it is text", heard(star, 3) && strcmp(star->content_type, "text/plain") == 0);
    exthost_message mine = message_of(a, "3");
    STEP("emit to itself",
         events->emit_to(ctx, walk->cause, EXTHOST_STR(NAME), &mine) == EXTHOST_OK);
    STEP("heard once", heard(one, 3) && heard(star, 4) && heard(rest, 4));
    mine.name = EXTHOST_STR(NAME ".nobody");
    STEP("emit to itself what it does not hear",
         events->emit_to(ctx, walk->cause, EXTHOST_STR(NAME), &mine) == EXTHOST_OK);
    STEP("emit to nobody", events->emit_to(ctx, walk->cause, EXTHOST_STR("no-such-plugin"), &mine)
         == EXTHOST_NOT_FOUND);
    STEP("unsubscribe", unsubscribe(walk, one) == EXTHOST_OK && released(one));
    STEP("unsubscribe again", unsubscribe(walk, one) == EXTHOST_GONE);
    STEP("emit past it", says(walk, a, "4") == EXTHOST_OK && heard(star, 5) && one->heard == 3);
    struct sub *told = hear(walk, "core.plugin.ready", record, NULL, OBSERVER(0));
    STEP("told of who was ready", entered(told, 1) && told->emitter[0] == '\0');
}

static void walk_queues(struct walk *walk)
{
    struct plugin *self = walk->self;
    const char *c = name_of(walk, 0, "c"), *d = name_of(walk, 1, "d");
    const char *e = name_of(walk, 2, "e"), *f = name_of(walk, 3, "f");
    const char *g = name_of(walk, 4, "g");
    struct sub *inlined = hear(walk, c, block, NULL, OBSERVER(.flags = EXTHOST_SUBSCRIBE_INLINE));
    STEP("emit inline", says(walk, c, "1") == EXTHOST_OK && heard(inlined, 1));
    STEP("nothing waits inline", inlined->acted == EXTHOST_MISPLACED);

    struct sub *slow = hear(walk, d, later, NULL, OBSERVER(.flags = EXTHOST_SUBSCRIBE_ANSWERS));
    STEP("emit to who answers later", says(walk, d, "1") == EXTHOST_OK && entered(slow, 1)
         && says(walk, d, "2") == EXTHOST_OK);
    open_gate(slow);
    STEP("answered in turn", heard(slow, 2) && is_last(slow, "2"));
    struct sub *silent = hear(walk, e, record, NULL, OBSERVER(
        .flags = EXTHOST_SUBSCRIBE_ANSWERS, .deadline_ms = 20));
    STEP("emit to who never answers", says(walk, e, "1") == EXTHOST_OK && entered(silent, 1));
    uint64_t first = silent->cause;
    STEP("it hears the next", says(walk, e, "2") == EXTHOST_OK && heard(silent, 2));
    STEP("an answer too late", decide(self, first, EXTHOST_VERDICT_PASS, "") == EXTHOST_GONE);

    struct sub *small = hear(walk, f, gated, NULL, OBSERVER(.queue_max = 2));
    STEP("fill the queue", says(walk, f, "0") == EXTHOST_OK && entered(small, 1));
    for (int i = 1; i <= 4; i++)
        says(walk, f, i <= 2 ? "kept" : "lost");
    open_gate(small);
    STEP("what has room is heard", heard(small, 3) && is_last(small, "kept") && small->lost == 0);
    STEP("what is lost is told", says(walk, f, "5") == EXTHOST_OK && heard(small, 4)
         && small->lost == 2);

    struct sub *leaving = hear(walk, g, leave, NULL, OBSERVER(0));
    STEP("emit to who leaves", says(walk, g, "1") == EXTHOST_OK && released(leaving));
    STEP("it has left", leaving->acted == EXTHOST_OK && says(walk, g, "2") == EXTHOST_OK
         && leaving->heard == 1);
    struct sub *dropped = hear(walk, g, gated, NULL, OBSERVER(0));
    STEP("emit to who is ended", says(walk, g, "1") == EXTHOST_OK && entered(dropped, 1)
         && says(walk, g, "2") == EXTHOST_OK && unsubscribe(walk, dropped) == EXTHOST_OK);
    STEP("it is not released within", dropped->releases == 0);
    open_gate(dropped);
    STEP("what waited is dropped", released(dropped) && dropped->heard == 1);

    const char *deep = name_of(walk, 5, "deep");
    struct sub *echo = hear(walk, deep, again, NULL, OBSERVER(0));
    STEP("emit what emits itself", says(walk, deep, "") == EXTHOST_OK);
    STEP("it is refused at depth 8", heard(echo, 8 - walk->depth)
         && echo->acted == EXTHOST_BUSY);
}

/* Asks with a payload of `1`; whether that came to what is expected. */
static int decides(struct walk *walk, const char *name, uint32_t policy, uint64_t deadline_ms,
                   exthost_status expected, const char *payload_or_reason)
{
    struct op *op = op_new(walk->self, NULL, NULL);
    exthost_status status = ask(op, walk->cause, walk->is_async,
                                request_of(name, policy, deadline_ms));
    const char *told = status == EXTHOST_VETOED ? op->reason : op->payload;
    const char *by = status == EXTHOST_VETOED ? NAME : "";
    return status == expected && strcmp(told, payload_or_reason) == 0
        && strcmp(op->vetoed_by, by) == 0;
}

static void walk_filters(struct walk *walk)
{
    const uint32_t open = EXTHOST_POLICY_FAIL_OPEN, closed = EXTHOST_POLICY_FAIL_CLOSED;
    const char *h = name_of(walk, 0, "h"), *any = name_of(walk, 1, "*");
    STEP("ask nobody", decides(walk, h, closed, 0, EXTHOST_OK, "1"));
    hear(walk, any, append, "4", FILTER(.priority = 9));
    hear(walk, h, append, "2", FILTER(.priority = -9));
    hear(walk, h, pass, NULL, FILTER(0));
    hear(walk, h, never, NULL, FILTER(.flags = EXTHOST_SUBSCRIBE_NOT_OWN));
    struct sub *slow = hear(walk, h, later, "3", FILTER(0));
    struct sub *told = hear(walk, h, record, NULL, OBSERVER(0));
    struct sub *within = hear(walk, h, block, NULL, FILTER(.flags = EXTHOST_SUBSCRIBE_INLINE));
    open_gate(slow);
    STEP("ask in order", decides(walk, h, closed, LONG_MS, EXTHOST_OK, "1234"));
    STEP("observers hear the end", heard(told, 1) && is_last(told, "1234"));
    STEP("nothing waits in an inline filter", within->acted == EXTHOST_MISPLACED);
    STEP("emit asks nobody", says(walk, h, "7") == EXTHOST_OK && heard(told, 2)
         && is_last(told, "7"));
    struct sub *no = hear(walk, h, veto, "it is evil", FILTER(.priority = 1));
    STEP("veto", decides(walk, h, open, LONG_MS, EXTHOST_VETOED, "it is evil"));
    STEP("unsubscribe veto", unsubscribe(walk, no) == EXTHOST_OK
         && decides(walk, h, open, LONG_MS, EXTHOST_OK, "1234"));
    STEP("observers hear no veto", heard(told, 3));

    const char *bad = name_of(walk, 2, "bad.x"), *mute = name_of(walk, 3, "mute.x");
    hear(walk, bad, failing, NULL, FILTER(0));
    STEP("fail open", decides(walk, bad, open, LONG_MS, EXTHOST_OK, "1"));
    STEP("fail closed", decides(walk, bad, closed, LONG_MS, EXTHOST_VETOED,
                                "its filter failed: conflict"));
    struct sub *silent = hear(walk, mute, record, NULL, FILTER(.deadline_ms = 20));
    STEP("silent open", decides(walk, mute, open, LONG_MS, EXTHOST_OK, "1"));
    STEP("silent closed", decides(walk, mute, closed, LONG_MS, EXTHOST_VETOED,
                                  "its filter failed: timeout"));
    STEP("a verdict too late", decide(walk->self, silent->cause, EXTHOST_VERDICT_PASS, "")
         == EXTHOST_GONE);
    unsubscribe(walk, silent);
    silent = hear(walk, mute, record, NULL, FILTER(0));
    STEP("silent past the request's deadline",
         decides(walk, mute, closed, 20, EXTHOST_VETOED, "its filter failed: timeout"));


    /* It may not have been asked in time. */
    unsubscribe(walk, silent);
    silent = hear(walk, mute, record, NULL, FILTER(0));
    struct op *op = op_new(walk->self, NULL, NULL);
    uint64_t id = 0;
    exthost_status status = ask_async(op, walk->cause, request_of(mute, open, LONG_MS), &id);
    STEP("begin what is cancelled", status == EXTHOST_OK && id != 0 && entered(silent, 1));
    STEP("cancel", walk->self->tasks->cancel(walk->self->ctx, id) == EXTHOST_OK
         && wait_for(op) == EXTHOST_CANCELLED);
    STEP("a verdict after the cancel",
         decide(walk->self, silent->cause, EXTHOST_VERDICT_PASS, "") == EXTHOST_GONE);
}

/* All steps; then nothing is left subscribed, and everything released. */
static void walk_all(struct walk *walk)
{
    int are_released = 1;
    walk_observers(walk);
    walk_queues(walk);
    walk_filters(walk);
    for (size_t i = 0; i < walk->subs_len; i++)
        if (walk->subs[i]->releases == 0)
            are_released &= unsubscribe(walk, walk->subs[i]) == EXTHOST_OK;
    for (size_t i = 0; i < walk->subs_len; i++)
        are_released &= released(walk->subs[i]);
    STEP("all are released", are_released);
    answer_report(walk->self, walk->request, &walk->report);
}

static void *walk_thread(void *walk)
{
    walk_all(walk);
    return NULL;
}

static void walk_work(void *walk, uint64_t cause)
{
    ((struct walk *)walk)->cause = cause;
    walk_all(walk);
}

/* Walks in a handler, which then leaves. */
static void walk_and_leave(struct sub *sub)
{
    struct walk *walk = sub->data;
    walk_all(walk);
    if (unsubscribe(walk, sub) != EXTHOST_OK)
        fault(walk->self);
}

static exthost_status walk_in_hook(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    ((struct walk *)sub->data)->cause = cause;
    walk_and_leave(sub);
    return sub->mode == EXTHOST_EVENT_MODE_FILTER ? pass(sub, cause, event) : EXTHOST_OK;
}

static void *walk_and_answer(void *data)
{
    struct sub *sub = data;
    walk_and_leave(sub);
    expect_decided(sub, sub->cause, EXTHOST_VERDICT_PASS, "");
    return NULL;
}

static exthost_status walk_after_hook(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    (void)event;
    ((struct walk *)sub->data)->cause = cause;
    spawn(sub->self, walk_and_answer, sub);
    return EXTHOST_OK;
}

/* Lets the walk be done by a handler of an event. */
static exthost_status walk_by(struct walk *walk, exthost_subscription_spec spec)
{
    struct plugin *self = walk->self;
    int answers = spec.flags & EXTHOST_SUBSCRIBE_ANSWERS;
    struct sub *sub = sub_new(self, answers ? walk_after_hook : walk_in_hook);
    char name[64];
    snprintf(name, sizeof name, NAME ".walk-%u", walk->number);
    sub->data = walk;
    walk->depth = 1;
    exthost_status status = subscribe(sub, walk->request, name, spec);
    if (status != EXTHOST_OK)
        return status;
    if (spec.mode == EXTHOST_EVENT_MODE_OBSERVE)
        return emit(self, walk->request, name, "1");
    struct op *op = op_new(self, NULL, NULL);
    return ask_async(op, walk->request, request_of(name, EXTHOST_POLICY_FAIL_CLOSED, LONG_MS), NULL);
}

static uint64_t query_number(const exthost_request *request, const char *key);

static exthost_status get_all(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    struct walk *walk = walk_new(self, cause, query_number(request, "async") != 0);
    switch (query_number(request, "from")) {
    case 0:
        walk_all(walk);
        return EXTHOST_OK;
    case 1:
        spawn(self, walk_thread, walk);
        return EXTHOST_OK;
    case 2:
        return walk_by(walk, FILTER(0));
    case 3:
        return walk_by(walk, OBSERVER(0));
    case 4:
        return walk_by(walk, OBSERVER(.flags = EXTHOST_SUBSCRIBE_ANSWERS, .deadline_ms = LONG_MS));
    default:
        return self->tasks->blocking(self->ctx, cause, 0, EXTHOST_STR("walk"), walk, walk_work,
                                     NULL, NULL);
    }
}

/* ---- A request that is cancelled while a task decides on it ------------- */

static exthost_status get_cancel(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    struct walk *walk = walk_new(self, cause, 1);
    const char *name = name_of(walk, 0, "hung");
    struct sub *hung = hear(walk, name, hang, NULL, FILTER(0));
    struct op *op = op_new(self, NULL, NULL);
    uint64_t id = 0;
    exthost_event_request held = request_of(name, EXTHOST_POLICY_FAIL_OPEN, LONG_MS);
    exthost_status status = ask_async(op, cause, held, &id);
    (void)request;
    STEP("begin", status == EXTHOST_OK && id != 0 && heard(hung, 1));
    STEP("cancel", self->tasks->cancel(self->ctx, id) == EXTHOST_OK
         && wait_for(op) == EXTHOST_CANCELLED);
    pthread_mutex_lock(&self->mutex);
    WAIT_UNTIL(self, hung->is_open);
    STEP("the task ends as well", hung->is_open);
    pthread_mutex_unlock(&self->mutex);
    STEP("unsubscribe", unsubscribe(walk, hung) == EXTHOST_OK && released(hung));
    return answer_report(self, cause, &walk->report);
}

/* ---- The same where nothing may wait ----------------------------------- */

static exthost_status nobody_asked(struct walk *walk)
{
    struct op *op = op_new(walk->self, NULL, NULL);
    return ask(op, walk->cause, 0, request_of(NAME ".nobody", EXTHOST_POLICY_FAIL_OPEN, 0));
}

static void inline_ended(struct op *op)
{
    struct walk *walk = op->data;
    STEP("completed", op->status == EXTHOST_OK && strcmp(op->payload, "12") == 0);
    STEP("nothing waits in a completion", nobody_asked(walk) == EXTHOST_MISPLACED);
    for (size_t i = 0; i < walk->subs_len; i++)
        STEP("unsubscribe", unsubscribe(walk, walk->subs[i]) == EXTHOST_OK);
    answer_report(walk->self, walk->request, &walk->report);
}

static exthost_status get_all_inline(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    const exthost_events_table *events = self->events;
    struct walk *walk = walk_new(self, cause, 1);
    const char *name = name_of(walk, 0, "i");
    uint32_t listeners = 0;
    (void)request;
    hear(walk, name, append, "2", FILTER(.flags = EXTHOST_SUBSCRIBE_INLINE));
    hear(walk, name, record, NULL, OBSERVER(0));
    STEP("has_listeners", events->has_listeners(self->ctx, cause, exthost_str_from(name),
                                                &listeners) == EXTHOST_OK && listeners == 1);
    STEP("emit", says(walk, name, "1") == EXTHOST_OK);
    exthost_message message = message_of(name, "2");
    STEP("emit_to",
         events->emit_to(self->ctx, cause, EXTHOST_STR(NAME), &message) == EXTHOST_OK);
    STEP("nothing waits", nobody_asked(walk) == EXTHOST_MISPLACED);
    struct op *op = op_new(self, inline_ended, walk);
    /* From here on the walk is the completion's. */
    return ask_async(op, cause, request_of(name, EXTHOST_POLICY_FAIL_CLOSED, LONG_MS), NULL);
}

/* ---- Misuse ------------------------------------------------------------ */

/* Room for a payload that is too large, and for what no object may lie at. */
static char large[1024 * 1024 + 1];

static void *misaligned(void *object)
{
    return (char *)object + 1;
}

static exthost_str text_of(size_t len)
{
    return exthost_str_of(large, len);
}

static exthost_str bad_text(void)
{
    return EXTHOST_STR("\xff");
}

#define NOTE(what, call) note(report, what, (call))

static void misuse_subscriptions(struct plugin *self, uint64_t cause, struct report *report)
{
    const exthost_events_table *events = self->events;
    const void *ctx = self->ctx;
    const exthost_subscription_spec good = {.pattern = EXTHOST_STR(NAME ".misuse")};
    exthost_subscription_spec wrong = good;
    union {
        exthost_subscription_spec spec;
        char bytes[2 * sizeof(exthost_subscription_spec)];
    } odd = {.bytes = {0}};
    struct sub *refused = sub_new(self, never);
    uint64_t id = 0;
    refused->status = EXTHOST_INVALID;
#define SUBSCRIBE(what) \
    NOTE(what, events->subscribe(ctx, cause, &wrong, refused, on_event, on_release, &id))
    NOTE("subscribe null ctx",
         events->subscribe(NULL, cause, &good, refused, on_event, on_release, &id));
    NOTE("subscribe null spec",
         events->subscribe(ctx, cause, NULL, refused, on_event, on_release, &id));
    NOTE("subscribe misaligned spec",
         events->subscribe(ctx, cause, misaligned(&odd), refused, on_event, on_release, &id));
    NOTE("subscribe null handle",
         events->subscribe(ctx, cause, &good, refused, NULL, on_release, &id));
    wrong.pattern = exthost_str_of(NULL, 3);
    SUBSCRIBE("subscribe null pattern");
    wrong.pattern = text_of(SIZE_MAX);
    SUBSCRIBE("subscribe huge pattern");
    wrong.pattern = bad_text();
    SUBSCRIBE("subscribe pattern not utf-8");
    wrong.pattern = EXTHOST_STR("");
    SUBSCRIBE("subscribe no pattern");
    wrong.pattern = EXTHOST_STR("a..b");
    SUBSCRIBE("subscribe empty token");
    wrong.pattern = EXTHOST_STR("a.>.b");
    SUBSCRIBE("subscribe rest in the middle");
    wrong.pattern = EXTHOST_STR("a*");
    SUBSCRIBE("subscribe part of a token");
    wrong.pattern = text_of(257);
    SUBSCRIBE("subscribe long pattern");
    wrong = good;
    wrong.mode = 2;
    SUBSCRIBE("subscribe unknown mode");
    wrong.mode = UINT32_MAX;
    SUBSCRIBE("subscribe largest mode");
    wrong = good;
    wrong.flags = 8;
    SUBSCRIBE("subscribe unknown flag");
    wrong.flags = UINT32_MAX;
    SUBSCRIBE("subscribe all flags");
    NOTE("refused subscriptions released", refused->releases == 0 && id == 0 ? 0 : -1);
#undef SUBSCRIBE
    wrong = good;
    wrong.queue_max = UINT32_MAX;
    wrong.deadline_ms = UINT64_MAX;
    wrong.flags = EXTHOST_SUBSCRIBE_ANSWERS;
    struct sub *largest = sub_new(self, record);
    NOTE("subscribe largest limits", subscribe(largest, cause, NAME ".misuse", wrong));
    NOTE("unsubscribe largest limits", events->unsubscribe(ctx, cause, largest->id));
    NOTE("subscribe without release",
         events->subscribe(ctx, cause, &good, NULL, on_event, NULL, &id));
    NOTE("unsubscribe without release", events->unsubscribe(ctx, cause, id));
    NOTE("unsubscribe twice", events->unsubscribe(ctx, cause, id));
    NOTE("unsubscribe null ctx", events->unsubscribe(NULL, cause, id));
    NOTE("unsubscribe 0", events->unsubscribe(ctx, cause, 0));
    NOTE("unsubscribe made-up", events->unsubscribe(ctx, cause, 12345));
    NOTE("unsubscribe largest", events->unsubscribe(ctx, cause, UINT64_MAX));

    /* As many as there may be; then each is ended again. */
    struct sub *first = NULL, *sub;
    size_t count = 0;
    do {
        sub = sub_new(self, record);
        sub->data = first;
        if (subscribe(sub, cause, NAME ".misuse", good) == EXTHOST_OK)
            first = sub;
    } while (sub->status == EXTHOST_OK && ++count < 20000);
    NOTE("subscribe at the limit", sub->status);
    int are_ended = 1;
    for (; first; first = first->data)
        are_ended &= events->unsubscribe(ctx, cause, first->id) == EXTHOST_OK && released(first);
    NOTE("unsubscribe at the limit", are_ended ? 0 : -1);
}

static void misuse_messages(struct plugin *self, uint64_t cause, struct report *report)
{
    const exthost_events_table *events = self->events;
    const void *ctx = self->ctx;
    const exthost_str itself = EXTHOST_STR(NAME);
    const exthost_message good = message_of(NAME ".misuse", "1");
    exthost_message wrong = good;
    union {
        exthost_message message;
        char bytes[2 * sizeof(exthost_message)];
    } odd = {.bytes = {0}};
    uint32_t listeners = 0;
#define EMIT(what)                                                        \
    do {                                                                  \
        NOTE("emit " what, events->emit(ctx, cause, &wrong));              \
        NOTE("emit_to " what, events->emit_to(ctx, cause, itself, &wrong)); \
        wrong = good;                                                     \
    } while (0)
    NOTE("emit null ctx", events->emit(NULL, cause, &good));
    NOTE("emit null", events->emit(ctx, cause, NULL));
    NOTE("emit misaligned", events->emit(ctx, cause, misaligned(&odd)));
    NOTE("emit_to null ctx", events->emit_to(NULL, cause, itself, &good));
    NOTE("emit_to null", events->emit_to(ctx, cause, itself, NULL));
    NOTE("emit_to misaligned", events->emit_to(ctx, cause, itself, misaligned(&odd)));
    wrong.name = exthost_str_of(NULL, 3);
    EMIT("null name");
    wrong.name = text_of(SIZE_MAX);
    EMIT("huge name");
    wrong.name = bad_text();
    EMIT("name not utf-8");
    wrong.name = EXTHOST_STR("");
    EMIT("no name");
    wrong.name = EXTHOST_STR("a..b");
    EMIT("empty token");
    wrong.name = EXTHOST_STR("a.*");
    EMIT("a pattern");
    wrong.name = text_of(257);
    EMIT("long name");
    wrong.name = text_of(sizeof large);
    EMIT("very long name");
    wrong.name = EXTHOST_STR("core");
    EMIT("core");
    wrong.name = EXTHOST_STR("core.log");
    EMIT("core.log");
    wrong.payload = exthost_bytes_of(NULL, 1);
    EMIT("null payload");
    wrong.payload = exthost_bytes_of(large, SIZE_MAX);
    EMIT("huge payload");
    wrong.payload = exthost_bytes_of(large, sizeof large);
    EMIT("large payload");
    wrong.payload = exthost_bytes_of(large, sizeof large - 1);
    EMIT("largest payload");
    wrong.content_type = bad_text();
    EMIT("content type not utf-8");
    wrong.content_type = text_of(257);
    EMIT("long content type");
    wrong.flags = 1;
    EMIT("unknown flag");
    wrong.reserved = 1;
    EMIT("reserved");
#undef EMIT
    NOTE("emit for a made-up cause", events->emit(ctx, 12345, &good));
    NOTE("emit for the largest cause", events->emit(ctx, UINT64_MAX, &good));
    NOTE("emit_to null plugin", events->emit_to(ctx, cause, exthost_str_of(NULL, 3), &good));
    NOTE("emit_to huge plugin", events->emit_to(ctx, cause, text_of(SIZE_MAX), &good));
    NOTE("emit_to plugin not utf-8", events->emit_to(ctx, cause, bad_text(), &good));
    NOTE("emit_to no plugin", events->emit_to(ctx, cause, EXTHOST_STR(""), &good));
    NOTE("emit_to long plugin", events->emit_to(ctx, cause, text_of(sizeof large), &good));

    struct sub *full = sub_new(self, gated);
    subscribe(full, cause, NAME ".misuse", OBSERVER(.queue_max = 1));
    NOTE("emit_to who waits", events->emit_to(ctx, cause, itself, &good));
    entered(full, 1);
    NOTE("emit_to fill", events->emit_to(ctx, cause, itself, &good));
    NOTE("emit_to full queue", events->emit_to(ctx, cause, itself, &good));
    NOTE("emit past a full queue", events->emit(ctx, cause, &good));
    open_gate(full);
    NOTE("unsubscribe full", events->unsubscribe(ctx, cause, full->id));

    NOTE("has_listeners null ctx", events->has_listeners(NULL, cause, good.name, &listeners));
    NOTE("has_listeners null name",
         events->has_listeners(ctx, cause, exthost_str_of(NULL, 3), &listeners));
    NOTE("has_listeners name not utf-8", events->has_listeners(ctx, cause, bad_text(), &listeners));
    NOTE("has_listeners a pattern",
         events->has_listeners(ctx, cause, EXTHOST_STR("a.>"), &listeners));
    NOTE("has_listeners null listeners", events->has_listeners(ctx, cause, good.name, NULL));
}

static void misuse_requests(struct plugin *self, uint64_t cause, struct report *report)
{
    const exthost_events_table *events = self->events;
    const void *ctx = self->ctx;
    const exthost_event_request good = request_of(NAME ".misuse", EXTHOST_POLICY_FAIL_OPEN, 0);
    exthost_event_request wrong = good;
    union {
        exthost_event_request request;
        char bytes[2 * sizeof(exthost_event_request)];
    } odd = {.bytes = {0}};
    struct op *op = op_new(self, NULL, NULL);
    uint64_t id = 0;
#define ASK(what, of)                                                        \
    do {                                                                     \
        NOTE("request " what, events->request(ctx, cause, of, op, asked));    \
        NOTE("request later " what,                                          \
             events->request_async(ctx, cause, of, op, asked, &id));         \
        wrong = good;                                                        \
    } while (0)
    NOTE("request null ctx", events->request(NULL, cause, &good, op, asked));
    NOTE("request later null ctx", events->request_async(NULL, cause, &good, op, asked, &id));
    NOTE("request without done", events->request(ctx, cause, &good, op, NULL));
    NOTE("request later without done", events->request_async(ctx, cause, &good, op, NULL, &id));
    ASK("null", NULL);
    ASK("misaligned", misaligned(&odd));
    wrong.policy = 0;
    ASK("no policy", &wrong);
    wrong.policy = 3;
    ASK("unknown policy", &wrong);
    wrong.reserved = 1;
    ASK("reserved", &wrong);
    wrong.message.flags = 1;
    ASK("unknown flag", &wrong);
    wrong.message.name = EXTHOST_STR("a.>");
    ASK("a pattern", &wrong);
    wrong.message.name = EXTHOST_STR("core.email.validate");
    ASK("core", &wrong);
    wrong.message.payload = exthost_bytes_of(large, sizeof large);
    ASK("large payload", &wrong);
    wrong.message.payload = exthost_bytes_of(NULL, 1);
    ASK("null payload", &wrong);
#undef ASK
    NOTE("calls of refused requests", op->calls == 0 && id == 0 ? 0 : -1);
    NOTE("request for a made-up cause", ask(op, 12345, 0, good));
    op = op_new(self, NULL, NULL);
    wrong.deadline_ms = UINT64_MAX;
    NOTE("request later longest deadline", ask_async(op, cause, wrong, &id));
    NOTE("request later longest deadline ends", wait_for(op));
    NOTE("cancel made-up", self->tasks->cancel(ctx, 12345));
}

/* Answers its delivery in every wrong way, then rightly, then again. */
static exthost_status answer_wrongly(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = sub->self;
    const exthost_events_table *events = self->events;
    const void *ctx = self->ctx;
    struct report *report = sub->data;
    exthost_verdict wrong = {.kind = 4};
    union {
        exthost_verdict verdict;
        char bytes[2 * sizeof(exthost_verdict)];
    } odd = {.bytes = {0}};
    (void)event;
#define ANSWER(what) NOTE(what, events->answer(ctx, cause, &wrong))
    NOTE("answer null ctx", events->answer(NULL, cause, &wrong));
    NOTE("answer null", events->answer(ctx, cause, NULL));
    NOTE("answer misaligned", events->answer(ctx, cause, misaligned(&odd)));
    ANSWER("answer unknown kind");
    wrong.kind = UINT32_MAX;
    ANSWER("answer largest kind");
    wrong = (exthost_verdict){.reserved = 1};
    ANSWER("answer reserved");
    wrong = (exthost_verdict){.kind = EXTHOST_VERDICT_REPLACE};
    wrong.payload = exthost_bytes_of(NULL, 1);
    ANSWER("answer null payload");
    wrong.payload = exthost_bytes_of(large, SIZE_MAX);
    ANSWER("answer huge payload");
    wrong.payload = exthost_bytes_of(large, sizeof large);
    ANSWER("answer large payload");
    wrong = (exthost_verdict){.kind = EXTHOST_VERDICT_VETO};
    wrong.reason = exthost_str_of(NULL, 1);
    ANSWER("answer null reason");
    wrong.reason = bad_text();
    ANSWER("answer reason not utf-8");
    NOTE("answer 0", decide(self, 0, EXTHOST_VERDICT_PASS, ""));
    NOTE("answer made-up", decide(self, 12345, EXTHOST_VERDICT_PASS, ""));
    NOTE("answer largest", decide(self, UINT64_MAX, EXTHOST_VERDICT_PASS, ""));
    NOTE("cancel an event", self->tasks->cancel(ctx, cause));
    /* What is beyond 4096 bytes is cut off. */
    wrong.reason = text_of(5000);
    ANSWER("answer");
    ANSWER("answer twice");
#undef ANSWER
    return EXTHOST_OK;
}

/* Answers as an observer may not; as one that answers, rightly at last. */
static exthost_status observe_wrongly(struct sub *sub, uint64_t cause, const exthost_event *event)
{
    struct plugin *self = sub->self;
    struct report *report = sub->data;
    (void)event;
    if (strcmp(sub->text, "plain") == 0) {
        NOTE("observer passes", decide(self, cause, EXTHOST_VERDICT_PASS, ""));
        NOTE("observer vetoes", decide(self, cause, EXTHOST_VERDICT_VETO, "no"));
        return EXTHOST_OK;
    }
    NOTE("answering observer replaces", decide(self, cause, EXTHOST_VERDICT_REPLACE, "2"));
    NOTE("answering observer vetoes", decide(self, cause, EXTHOST_VERDICT_VETO, "no"));
    NOTE("answering observer passes", decide(self, cause, EXTHOST_VERDICT_PASS, ""));
    NOTE("answering observer passes twice", decide(self, cause, EXTHOST_VERDICT_PASS, ""));
    return EXTHOST_OK;
}

static void misuse_answers(struct plugin *self, uint64_t cause, struct report *report)
{
    const exthost_events_table *events = self->events;
    struct sub *filter = sub_new(self, answer_wrongly), *observer;
    struct op *op = op_new(self, NULL, NULL);
    filter->data = report;
    NOTE("answer a request", decide(self, cause, EXTHOST_VERDICT_PASS, ""));
    NOTE("filter", subscribe(filter, cause, NAME ".answers", FILTER(0)));
    NOTE("ask", ask(op, cause, 0, request_of(NAME ".answers", EXTHOST_POLICY_FAIL_OPEN, LONG_MS)));
    /* It goes on when it has answered. */
    heard(filter, 1);
    NOTE("answer when all is over", decide(self, filter->cause, EXTHOST_VERDICT_PASS, ""));
    NOTE("unsubscribe filter", events->unsubscribe(self->ctx, cause, filter->id));
    for (int answers = 0; answers <= 1; answers++) {
        observer = sub_new(self, observe_wrongly);
        observer->data = report;
        observer->text = answers ? "answers" : "plain";
        subscribe(observer, cause, NAME ".answers",
                  OBSERVER(.flags = answers ? EXTHOST_SUBSCRIBE_ANSWERS : 0));
        emit(self, cause, NAME ".answers", "1");
        heard(observer, 1);
        /* Its delivery ends about when it is released. */
        events->unsubscribe(self->ctx, cause, observer->id);
        released(observer);
        exthost_status status = EXTHOST_MISPLACED;
        for (int tries = 0; tries < 5000 && status == EXTHOST_MISPLACED; tries++) {
            status = decide(self, observer->cause, EXTHOST_VERDICT_PASS, "");
            if (status == EXTHOST_MISPLACED)
                nanosleep(&(struct timespec){0, 1000000}, NULL);
        }
        NOTE(answers ? "answering observer passes afterwards" : "observer passes afterwards",
             status);
    }
}

static exthost_status get_misuse(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    struct report *report = allocate(sizeof *report);
    (void)request;
    misuse_subscriptions(self, cause, report);
    misuse_messages(self, cause, report);
    misuse_requests(self, cause, report);
    misuse_answers(self, cause, report);
    exthost_status status = answer_report(self, cause, report);
    free(report);
    return status;
}

static exthost_status get_foreign(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    struct report made = {.len = 0}, *report = &made;
    uint64_t foreign = query_number(request, "cause");
    NOTE("unsubscribe", self->events->unsubscribe(self->ctx, cause,
                                                  query_number(request, "subscription")));
    NOTE("answer", decide(self, foreign, EXTHOST_VERDICT_VETO, "no"));
    NOTE("cancel", self->tasks->cancel(self->ctx, foreign));
    NOTE("emit", emit(self, foreign, NAME ".foreign", "1"));
    return answer_report(self, cause, report);
}

/* ---- What the tests drive from outside --------------------------------- */

/* The value of a parameter; empty when it is not there. */
static exthost_str query_text(const exthost_request *request, const char *key)
{
    const char *at = request->query.ptr, *end = at + request->query.len;
    size_t len = strlen(key);
    while (at < end) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        const char *stop = next ? next : end;
        if ((size_t)(stop - at) > len && memcmp(at, key, len) == 0 && at[len] == '=')
            return exthost_str_of(at + len + 1, (size_t)(stop - at) - len - 1);
        at = stop + 1;
    }
    return EXTHOST_STR("");
}

static uint64_t query_number(const exthost_request *request, const char *key)
{
    exthost_str text = query_text(request, key);
    uint64_t number = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    return number;
}

static const struct {
    const char *name;
    exthost_status (*act)(struct sub *, uint64_t, const exthost_event *);
    uint32_t mode, flags;
} HOWS[] = {
    {"record", record, EXTHOST_EVENT_MODE_OBSERVE, 0},
    {"log", log_and_write, EXTHOST_EVENT_MODE_OBSERVE, 0},
    {"again", again, EXTHOST_EVENT_MODE_OBSERVE, 0},
    {"append", append, EXTHOST_EVENT_MODE_FILTER, 0},
    {"veto", veto, EXTHOST_EVENT_MODE_FILTER, 0},
    {"ask-again", ask_again, EXTHOST_EVENT_MODE_FILTER, 0},
    {"fail", failing, EXTHOST_EVENT_MODE_FILTER, 0},
    {"silent", record, EXTHOST_EVENT_MODE_FILTER, 0},
    {"silent-inline", record, EXTHOST_EVENT_MODE_FILTER, EXTHOST_SUBSCRIBE_INLINE},
};

static exthost_status get_subscribe(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    exthost_str as = query_text(request, "as"), to = query_text(request, "to");
    char name[128], text[64];
    keep(name, sizeof name, to.ptr, to.len);
    for (size_t i = 0; i < sizeof HOWS / sizeof *HOWS; i++) {
        if (!exthost_str_equal(as, exthost_str_from(HOWS[i].name)))
            continue;
        struct sub *sub = sub_new(self, HOWS[i].act);
        exthost_subscription_spec spec = {
            .mode = HOWS[i].mode,
            .flags = HOWS[i].flags,
            .priority = (int32_t)query_number(request, "priority"),
            .deadline_ms = query_number(request, "deadline"),
        };
        sub->text = HOWS[i].act == append ? "2" : "it is evil";
        exthost_status status = subscribe(sub, cause, name, spec);
        snprintf(text, sizeof text, "{\"subscription\":%" PRIu64 "}", sub->id);
        return status == EXTHOST_OK ? answer(self, cause, text) : status;
    }
    return EXTHOST_INVALID;
}

static exthost_status get_last(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    uint64_t id = query_number(request, "subscription");
    char text[128] = "null";
    pthread_mutex_lock(&self->mutex);
    for (struct sub *sub = self->subs; sub; sub = sub->next)
        if (sub->id == id)
            snprintf(text, sizeof text, "{\"heard\":%u,\"cause\":%" PRIu64 "}", sub->heard,
                     sub->cause);
    pthread_mutex_unlock(&self->mutex);
    return answer(self, cause, text);
}

static void answer_op(struct op *op)
{
    uint64_t request = *(uint64_t *)op->data;
    char text[384];
    snprintf(text, sizeof text,
             "{\"status\":%" PRId32 ",\"payload\":\"%s\",\"vetoed_by\":\"%s\",\"reason\":\"%s\"}",
             op->status, op->payload, op->vetoed_by, op->reason);
    free(op->data);
    answer(op->self, request, text);
}

static exthost_status get_ask(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    exthost_event_request wanted = request_of("", (uint32_t)query_number(request, "policy"),
                                              query_number(request, "deadline"));
    uint64_t *kept = allocate(sizeof *kept);
    *kept = cause;
    wanted.message.name = query_text(request, "name");
    exthost_status status = ask_async(op_new(self, answer_op, kept), cause, wanted, NULL);
    if (status != EXTHOST_OK)
        free(kept);
    return status;
}

static exthost_status get_pending(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    exthost_event_request wanted = request_of("", EXTHOST_POLICY_FAIL_CLOSED, LONG_MS);
    exthost_status status = EXTHOST_OK;
    wanted.message.name = query_text(request, "name");
    for (uint64_t n = query_number(request, "n"); status == EXTHOST_OK && n > 0; n--)
        status = ask_async(op_new(self, NULL, NULL), 0, wanted, NULL);
    return status == EXTHOST_OK ? answer(self, cause, "\"pending\"") : status;
}

static exthost_status get_wait(void *data, uint64_t cause, const exthost_request *request)
{
    struct plugin *self = data;
    struct op *op = op_new(self, NULL, NULL);
    exthost_event_request wanted = request_of("", EXTHOST_POLICY_FAIL_CLOSED, LONG_MS);
    char text[64];
    wanted.message.name = query_text(request, "name");
    snprintf(text, sizeof text, "{\"status\":%" PRId32 "}", ask(op, cause, 0, wanted));
    return answer(self, cause, text);
}

static exthost_status get_say(void *data, uint64_t cause, const exthost_request *request)
{
    exthost_status status = log_line(data, cause, query_text(request, "text"));
    return status == EXTHOST_OK ? answer(data, cause, "\"said\"") : status;
}

static void counts(struct plugin *self, char *text, size_t len)
{
    snprintf(text, len,
             "\"accepted\":%u,\"completed\":%u,\"held\":%u,\"released\":%u,\"faults\":%u",
             atomic_load(&self->accepted), atomic_load(&self->completed),
             atomic_load(&self->held), atomic_load(&self->released), atomic_load(&self->faults));
}

static exthost_status get_counts(void *data, uint64_t cause, const exthost_request *request)
{
    char inner[160], text[192];
    (void)request;
    counts(data, inner, sizeof inner);
    snprintf(text, sizeof text, "{%s}", inner);
    return answer(data, cause, text);
}

/* ---- The door ---------------------------------------------------------- */

static exthost_status add_routes(struct plugin *self)
{
    const uint32_t inlined = EXTHOST_ROUTE_INLINE;
    const struct {
        const char *pattern;
        uint32_t flags;
        exthost_route_handle_fn handle;
    } routes[] = {
        {"all", 0, get_all},
        {"all-inline", inlined, get_all_inline},
        {"cancel", 0, get_cancel},
        {"misuse", 0, get_misuse},
        {"foreign", inlined, get_foreign},
        {"subscribe", inlined, get_subscribe},
        {"last", inlined, get_last},
        {"ask", inlined, get_ask},
        {"pending", inlined, get_pending},
        {"wait", 0, get_wait},
        {"say", inlined, get_say},
        {"counts", inlined, get_counts},
    };
    exthost_status status = EXTHOST_OK;
    for (size_t i = 0; status == EXTHOST_OK && i < sizeof routes / sizeof *routes; i++) {
        exthost_route_spec spec = {
            .method = EXTHOST_STR("GET"),
            .pattern = exthost_str_from(routes[i].pattern),
            .flags = EXTHOST_ROUTE_PUBLIC | routes[i].flags,
        };
        status = self->routes->add(self->ctx, 0, &spec, self, routes[i].handle, NULL);
    }
    return status;
}

/* The text of an option, which is a JSON string without escapes. */
struct option {
    char text[1024];
};

static void keep_option(void *data, exthost_bytes json)
{
    struct option *option = data;
    if (json.len >= 2 && json.ptr[0] == '"')
        keep(option->text, sizeof option->text, json.ptr + 1, json.len - 2);
}

static struct option option(const exthost_services *services, const char *pointer)
{
    struct option option = {.text = ""};
    exthost_config(services)->read(services->ctx, 0, exthost_str_from(pointer), &option,
                                   keep_option);
    return option;
}

/* Notes what each slot answers a plugin that has been stopped. */
static void note_stopped(struct plugin *self, struct report *report)
{
    const exthost_events_table *events = self->events;
    const void *ctx = self->ctx;
    const exthost_event_request request = request_of(NAME ".over", EXTHOST_POLICY_FAIL_OPEN, 0);
    struct sub *sub = sub_new(self, never);
    struct op *op = op_new(self, NULL, NULL);
    uint32_t listeners;
    NOTE("subscribe", subscribe(sub, 0, NAME ".over", OBSERVER(0)));
    NOTE("unsubscribe", events->unsubscribe(ctx, 0, self->subs->id));
    NOTE("answer", decide(self, 1, EXTHOST_VERDICT_PASS, ""));
    NOTE("emit", emit(self, 0, NAME ".over", "1"));
    NOTE("emit_to", events->emit_to(ctx, 0, EXTHOST_STR(NAME), &request.message));
    NOTE("request", events->request(ctx, 0, &request, op, asked));
    NOTE("request later", events->request_async(ctx, 0, &request, op, asked, NULL));
    NOTE("has_listeners", events->has_listeners(ctx, 0, request.message.name, &listeners));
    if (op->calls > 0)
        fault(self);
}

/* A plugin may still call in its `stop`. */
static void stop(void *instance)
{
    struct plugin *self = instance;
    if (emit(self, 0, NAME ".stop", "1") != EXTHOST_OK)
        fault(self);
}

#define FREE_ALL(type, list)          \
    while (list) {                    \
        struct type *freed = list;    \
        list = freed->next;           \
        free(freed);                  \
    }

static void destroy(void *instance)
{
    struct plugin *self = instance;
    for (struct thread *thread = self->threads; thread; thread = thread->next)
        pthread_join(thread->id, NULL);
    FILE *file = self->mark[0] ? fopen(self->mark, "a") : NULL;
    if (file) {
        struct report *report = allocate(sizeof *report);
        char text[160];
        note_stopped(self, report);
        counts(self, text, sizeof text);
        fprintf(file, "{%s,\"stopped\":%s]}\n", text, report->text);
        fclose(file);
        free(report);
    }
    FREE_ALL(sub, self->subs);
    FREE_ALL(op, self->ops);
    FREE_ALL(walk, self->walks);
    FREE_ALL(thread, self->threads);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

/* Waits for a file, for longer than any test does. */
static void wait_for_file(const char *path)
{
    const struct timespec pause = {0, 5000000};
    for (int i = 0; i < 24000 && access(path, F_OK) != 0; i++)
        nanosleep(&pause, NULL);
}

static exthost_status begin(struct plugin *self, const exthost_services *services)
{
    struct option hear = option(services, "/hear"), early = option(services, "/early");
    struct option gate = option(services, "/gate");
    exthost_status status = add_routes(self);
    if (status == EXTHOST_OK && hear.text[0])
        status = subscribe(sub_new(self, write_down), 0, hear.text, OBSERVER(.queue_max = 65536));
    for (int i = 1; status == EXTHOST_OK && early.text[0] && i <= 3; i++) {
        char payload[2] = {(char)('0' + i), '\0'};
        exthost_message message = message_of(early.text, payload);
        status = self->events->emit_to(self->ctx, 0, EXTHOST_STR(NAME), &message);
    }
    if (gate.text[0])
        wait_for_file(gate.text);
    return status;
}

static exthost_status init(const exthost_services *services, void **instance)
{
    struct plugin *self = allocate(sizeof *self);
    self->services = services;
    self->ctx = services->ctx;
    self->routes = exthost_routes(services);
    self->tasks = exthost_tasks(services);
    self->log = exthost_log(services);
    self->events = exthost_events(services);
    memset(large, 'a', sizeof large);
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->changed, NULL);
    struct option journal = option(services, "/journal"), mark = option(services, "/mark");
    memcpy(self->journal, journal.text, sizeof self->journal);
    memcpy(self->mark, mark.text, sizeof self->mark);
    struct option releases = option(services, "/releases");
    memcpy(self->releases, releases.text, sizeof self->releases);
    /* After a failure it is not freed: what it has subscribed to may be released
     * at any time. */
    *instance = self;
    return begin(self, services);
}

EXTHOST_DOOR(init, NULL, stop, destroy, NULL);
