/* A plugin in C that does everything db/1 and webhooks/1 offer, in both of their
 * forms, and much that they forbid. All routes are public GETs.
 *
 *     cc -std=c11 -Wall -Wextra -Wpedantic -fvisibility=hidden -fPIC -pthread
 *        -Iplugin-api/include -shared -o libstoring-c.so tests/plugins/storing-c.c
 *
 * all                   pool; [["step",0],...] of the blocking slots; -1 is a wrong
 *                       result, any other number a status that was not expected
 * all-async             inline; the same of the completing slots, each step begun by
 *                       the completion of the one before
 * all-async?thread=1    the same, begun by a thread of the plugin's own
 * misuse                pool; [["what was misused",status],...]
 * misuse-inline         inline; the same of the slots that block
 * forget?nested=N       pool; opens a transaction, N in it, writes, ends none
 * write                 pool; writes a row and answers how many there are
 * cancel?by=B           pool; cancels a long query: B is 0 for the handler, 1 for a
 *                       row; {"status":9,"late":0}
 * pending?n=N           pool; leaves N operations behind a transaction: "pending"
 * counts                inline; {"accepted":N,"completed":N,"faults":N} of operations
 *
 * Option: `mark`, a file to which destroy appends the counts. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exthost.h"

EXTHOST_META("storing-c", "0.1.0",
    EXTHOST_KEY("needs", "routes/1,config/1,db/1,webhooks/1"));

struct storing {
    const void *ctx;
    const exthost_routes_table *routes;
    const exthost_tasks_table *tasks;
    const exthost_db_table *db;
    const exthost_webhooks_table *webhooks;
    /* Operations that slots have accepted, and that have completed. */
    atomic_uint accepted, completed;
    /* Completions that broke their contract. */
    atomic_uint faults;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    struct op *ops;
    char mark[1024];
};

/* What an operation has come to. */
struct outcome {
    exthost_status status;
    uint64_t id;
    uint64_t changes;
    int has_message_id;
};

/* One operation. It is kept until the instance is destroyed, so that a second
 * completion is noticed rather than a crash. */
struct op {
    struct storing *self;
    struct op *next;
    struct outcome outcome;
    int is_done;
    /* Called by the completion, with the data it was made with. */
    void (*then)(struct op *op);
    void *data;
};

/* Lines of the form `["what",status]`. */
struct report {
    char text[16384];
    size_t len;
};

static exthost_status answer(struct storing *self, uint64_t request, const char *body)
{
    static const exthost_header JSON = {
        EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"application/json", 16}};
    exthost_response response = {.status = 200, .headers = &JSON, .headers_len = 1};
    response.body = exthost_buffer_of(body, strlen(body));
    return self->routes->respond(self->ctx, request, &response);
}

static void note(struct report *report, const char *what, exthost_status status)
{
    size_t room = sizeof report->text - report->len;
    int len = snprintf(report->text + report->len, room, "%s[\"%s\",%" PRId32 "]",
                       report->len > 0 ? "," : "[", what, status);
    /* A report that is cut is no JSON, and so fails its test. */
    report->len += (size_t)len < room ? (size_t)len : room - 1;
}

static exthost_status answer_report(struct storing *self, uint64_t request, struct report *report)
{
    if (report->len + 1 < sizeof report->text)
        memcpy(report->text + report->len, "]", 2);
    return answer(self, request, report->text);
}

static uint64_t query_number(const exthost_request *request, const char *key)
{
    exthost_str query = request->query;
    size_t len = strlen(key);
    uint64_t number = 0;
    if (query.len <= len || memcmp(query.ptr, key, len) != 0 || query.ptr[len] != '=')
        return 0;
    for (size_t i = len + 1; i < query.len && query.ptr[i] >= '0' && query.ptr[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(query.ptr[i] - '0');
    return number;
}

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- Operations and their completions --------------------------------- */

/* Whether this thread is inside a completing slot. */
static _Thread_local int in_slot;

static struct op *op_new(struct storing *self, void (*then)(struct op *), void *data)
{
    struct op *op = calloc(1, sizeof *op);
    if (op == NULL)
        abort();
    op->self = self;
    op->then = then;
    op->data = data;
    pthread_mutex_lock(&self->mutex);
    op->next = self->ops;
    self->ops = op;
    pthread_mutex_unlock(&self->mutex);
    return op;
}

/* `STARTED(call)` is the status of a completing slot, told whether it completes
 * before it has returned, on its own thread. */
#define STARTED(op, call) started(op, (in_slot = 1, (call)))

static exthost_status started(struct op *op, exthost_status status)
{
    in_slot = 0;
    if (status == EXTHOST_OK)
        atomic_fetch_add(&op->self->accepted, 1);
    return status;
}

static void op_ended(struct op *op, exthost_status status, const exthost_error *error,
                     struct outcome outcome)
{
    struct storing *self = op->self;
    outcome.status = status;
    pthread_mutex_lock(&self->mutex);
    int is_first = !op->is_done;
    op->outcome = outcome;
    op->is_done = 1;
    pthread_cond_broadcast(&self->ended);
    pthread_mutex_unlock(&self->mutex);
    if (!is_first || in_slot || (error == NULL) != (status == EXTHOST_OK)
        || (error != NULL && (error->status != status || error->code.len == 0)))
        atomic_fetch_add(&self->faults, 1);
    atomic_fetch_add(&self->completed, 1);
    if (is_first && op->then)
        op->then(op);
}

static void done(void *data, exthost_status status, const exthost_error *error)
{
    op_ended(data, status, error, (struct outcome){0});
}

static void id_done(void *data, exthost_status status, const exthost_error *error, uint64_t id)
{
    struct op *op = data;
    if ((id != 0) != (status == EXTHOST_OK))
        atomic_fetch_add(&op->self->faults, 1);
    op_ended(op, status, error, (struct outcome){.id = id});
}

static void run_done(void *data, exthost_status status, const exthost_error *error,
                     const exthost_run_result *result)
{
    struct op *op = data;
    if ((result != NULL) != (status == EXTHOST_OK))
        atomic_fetch_add(&op->self->faults, 1);
    op_ended(op, status, error, (struct outcome){.changes = result ? result->changes : 0});
}

static int is_message_id(exthost_str id)
{
    return id.len > 4 && memcmp(id.ptr, "msg_", 4) == 0;
}

static void fire_done(void *data, exthost_status status, const exthost_error *error,
                      exthost_str id)
{
    struct op *op = data;
    if (is_message_id(id) != (status == EXTHOST_OK))
        atomic_fetch_add(&op->self->faults, 1);
    op_ended(op, status, error, (struct outcome){.has_message_id = is_message_id(id)});
}

/* Waits for a completion, on a thread that may. */
static exthost_status wait_for(struct op *op)
{
    struct timespec until;
    int timed_out = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&op->self->mutex);
    while (!op->is_done && !timed_out)
        timed_out = pthread_cond_timedwait(&op->self->ended, &op->self->mutex, &until) != 0;
    exthost_status status = op->is_done ? op->outcome.status : -2;
    pthread_mutex_unlock(&op->self->mutex);
    return status;
}

/* ---- The steps, for both forms ---------------------------------------- */

#define ITEMS "ext_storing_c_items"
#define COUNT "SELECT count(*) FROM " ITEMS

static const exthost_migration MIGRATIONS[] = {
    {1, EXTHOST_STR_INIT("CREATE TABLE " ITEMS " (id INTEGER PRIMARY KEY, n UNIQUE, r, s, b, z)")},
    {2, EXTHOST_STR_INIT("CREATE TABLE ext_storing_c_more (a); CREATE INDEX ext_storing_c_more_a"
                         " ON ext_storing_c_more (a)")},
};

enum kind { MIGRATE, EXEC, PREPARE, RUN, ROWS, BATCH, BEGIN, COMMIT, ROLLBACK, FIRE };
enum within { NO_TX, OUTER, INNER };
enum params { NONE, POSITIONAL, NAMED };

struct step {
    const char *what;
    enum kind kind;
    /* Null runs the prepared statement. */
    const char *sql;
    enum within within;
    enum params params;
    exthost_status expected;
    /* Rows handed over or changed, or results of a batch. */
    uint64_t rows;
    /* Of the last row's first value, when that is an integer. */
    int64_t number;
    uint32_t on;
};

#define INSERT(n) "INSERT INTO " ITEMS " (n) VALUES (" #n ")"

static const struct step STEPS[] = {
    {.what = "migrate", .kind = MIGRATE, .rows = 1},
    {.what = "migrate on", .kind = MIGRATE, .rows = 2},
    {.what = "migrate again", .kind = MIGRATE, .rows = 2},
    {.what = "exec", .kind = EXEC, .sql = "DELETE FROM " ITEMS "; DELETE FROM ext_storing_c_more"},
    {.what = "exec fails", .kind = EXEC, .sql = "SELECT nothing FROM " ITEMS,
     .expected = EXTHOST_INVALID},
    {.what = "exec outside", .kind = EXEC, .sql = "SELECT * FROM sqlite_schema",
     .expected = EXTHOST_DENIED},
    {.what = "prepare", .kind = PREPARE,
     .sql = "INSERT INTO " ITEMS " (n, r, s, b, z) VALUES (?1, ?2, ?3, ?4, ?5)"},
    {.what = "run prepared", .kind = RUN, .params = POSITIONAL, .rows = 1},
    {.what = "run prepared again", .kind = RUN, .params = POSITIONAL,
     .expected = EXTHOST_CONFLICT},
    {.what = "rows of all kinds", .kind = ROWS, .params = POSITIONAL,
     .sql = "SELECT n, r, s, b, z FROM " ITEMS
            " WHERE n = ?1 AND r = ?2 AND s = ?3 AND b = ?4 AND z IS ?5",
     .rows = 1, .number = INT64_MIN},
    {.what = "run named", .kind = RUN, .params = NAMED,
     .sql = "INSERT INTO " ITEMS " (z, b, s, r, n) VALUES ($z, @b, :s, :r, :n)", .rows = 1},
    {.what = "rows named", .kind = ROWS, .params = NAMED,
     .sql = "SELECT n, r, s, b, z FROM " ITEMS
            " WHERE n = :n AND r = :r AND s = :s AND b = @b AND z IS $z",
     .rows = 1, .number = INT64_MAX},
    {.what = "rows returning", .kind = ROWS,
     .sql = "INSERT INTO " ITEMS " (n) VALUES (7), (8) RETURNING n", .rows = 2, .number = 8},
    {.what = "rows of a reader", .kind = ROWS, .sql = COUNT, .rows = 1, .number = 4,
     .on = EXTHOST_DB_ON_READER},
    {.what = "rows of the writer", .kind = ROWS, .sql = COUNT, .rows = 1, .number = 4,
     .on = EXTHOST_DB_ON_WRITER},
    {.what = "rows of none", .kind = ROWS, .sql = "SELECT 1 FROM " ITEMS " WHERE n = 99",
     .on = EXTHOST_DB_ON_READER_THEN_WRITER},
    {.what = "rows until stopped", .kind = ROWS, .rows = 1000, .number = 1000,
     .sql = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT i FROM c"},
    {.what = "batch", .kind = BATCH, .sql = INSERT(10), .rows = 3},
    {.what = "batch fails", .kind = BATCH, .sql = INSERT(10), .expected = EXTHOST_CONFLICT},
    {.what = "rows after the batches", .kind = ROWS, .sql = COUNT, .rows = 1, .number = 7},
    {.what = "begin", .kind = BEGIN},
    {.what = "run inside", .kind = RUN, .within = OUTER, .sql = INSERT(20), .rows = 1},
    {.what = "run beside", .kind = RUN, .sql = INSERT(21), .expected = EXTHOST_CONFLICT},
    {.what = "rows beside", .kind = ROWS, .sql = COUNT, .rows = 1, .number = 7},
    {.what = "rows inside", .kind = ROWS, .within = OUTER, .sql = COUNT, .rows = 1, .number = 8},
    {.what = "begin nested", .kind = BEGIN, .within = OUTER},
    {.what = "exec nested", .kind = EXEC, .within = INNER, .sql = INSERT(22) ";" INSERT(23)},
    {.what = "run outside nested", .kind = RUN, .within = OUTER, .sql = INSERT(24),
     .expected = EXTHOST_CONFLICT},
    {.what = "rows nested", .kind = ROWS, .within = INNER, .sql = COUNT, .rows = 1, .number = 10},
    {.what = "rollback nested", .kind = ROLLBACK, .within = INNER},
    {.what = "nested is gone", .kind = RUN, .within = INNER, .sql = INSERT(25),
     .expected = EXTHOST_GONE},
    {.what = "begin nested again", .kind = BEGIN, .within = OUTER},
    {.what = "batch nested", .kind = BATCH, .within = INNER, .sql = INSERT(26), .rows = 3},
    {.what = "commit nested", .kind = COMMIT, .within = INNER},
    {.what = "fire inside", .kind = FIRE, .within = OUTER, .sql = "storing.inside"},
    {.what = "commit", .kind = COMMIT, .within = OUTER},
    {.what = "commit again", .kind = COMMIT, .within = OUTER, .expected = EXTHOST_GONE},
    {.what = "rows after the commit", .kind = ROWS, .sql = COUNT, .rows = 1, .number = 11},
    {.what = "begin to roll back", .kind = BEGIN},
    {.what = "run to roll back", .kind = RUN, .within = OUTER, .sql = "DELETE FROM " ITEMS,
     .rows = 11},
    {.what = "fire to roll back", .kind = FIRE, .within = OUTER, .sql = "storing.never"},
    {.what = "rollback", .kind = ROLLBACK, .within = OUTER},
    {.what = "rollback again", .kind = ROLLBACK, .within = OUTER, .expected = EXTHOST_GONE},
    {.what = "rows after the rollback", .kind = ROWS, .sql = COUNT, .rows = 1, .number = 11},
    {.what = "fire", .kind = FIRE, .sql = "storing.alone"},
};
#define STEPS_LEN (sizeof STEPS / sizeof *STEPS)

/* A run through the steps. */
struct walk {
    struct storing *self;
    uint64_t request;
    size_t at, migrations;
    uint64_t statement, outer, inner;
    /* What the callbacks of the step under way have seen. */
    uint64_t seen;
    int64_t number;
    int is_wrong, has_message_id;
    atomic_flag in_row;
    struct report report;
};

/* The arguments of one step. They are overwritten when the slot has returned:
 * what the host needs later it has copied. */
struct arguments {
    char sql[512], payload[64];
    exthost_param params[5];
    exthost_query queries[3];
    exthost_tx_spec spec;
    exthost_webhook webhook;
    exthost_migration migrations[2];
};

/* What is bound, and read again, in either way. */
static exthost_value value_of(enum params params, size_t column)
{
    int first = params == POSITIONAL;
    switch (column) {
    case 0:
        return exthost_value_integer(first ? INT64_MIN : INT64_MAX);
    case 1:
        return exthost_value_real(first ? -0.5 : 1e308);
    case 2:
        return exthost_value_text(first ? EXTHOST_STR("gr\xc3\xbc\xc3\x9f" "e") : EXTHOST_STR(""));
    case 3:
        return exthost_value_blob(first ? exthost_bytes_of("\x00\xff", 2)
                                        : exthost_bytes_of(NULL, 0));
    default:
        return exthost_value_null();
    }
}

static int value_equal(exthost_value a, exthost_value b)
{
    return a.kind == b.kind && a.reserved == 0 && a.integer == b.integer
        && memcmp(&a.real, &b.real, sizeof a.real) == 0 && a.data.len == b.data.len
        && (a.data.len == 0 || memcmp(a.data.ptr, b.data.ptr, a.data.len) == 0);
}

static uint32_t on_row(void *data, const exthost_row *row)
{
    static const char *const NAMES[] = {"n", "r", "s", "b", "z"};
    struct walk *walk = data;
    const struct step *step = &STEPS[walk->at];
    if (atomic_flag_test_and_set(&walk->in_row))
        walk->is_wrong = 1;
    for (size_t i = 0; step->params != NONE && i < 5; i++)
        if (row->len != 5 || !exthost_str_equal(row->names[i], exthost_str_from(NAMES[i]))
            || !value_equal(row->values[i], value_of(step->params, i)))
            walk->is_wrong = 1;
    walk->seen++;
    walk->number = row->values[0].integer;
    atomic_flag_clear(&walk->in_row);
    return walk->seen == 1000 ? EXTHOST_DB_ROW_STOP : EXTHOST_DB_ROW_NEXT;
}

static void on_result(void *data, size_t index, const exthost_run_result *result)
{
    struct walk *walk = data;
    if (index != walk->seen++ || result->changes != 1)
        walk->is_wrong = 1;
}

/* The completing slots hand one `data` to both callbacks, which here is the
 * operation. */
static uint32_t on_row_of_op(void *data, const exthost_row *row)
{
    struct op *op = data;
    if (op->is_done)
        atomic_fetch_add(&op->self->faults, 1);
    return on_row(op->data, row);
}

static void on_result_of_op(void *data, size_t index, const exthost_run_result *result)
{
    struct op *op = data;
    on_result(op->data, index, result);
}

static void fired(void *data, exthost_status status, const exthost_error *error, exthost_str id)
{
    struct walk *walk = data;
    walk->seen++;
    if (status != EXTHOST_OK || error != NULL)
        walk->is_wrong = 1;
    walk->has_message_id = is_message_id(id);
}

static void prepare_arguments(struct walk *walk, struct arguments *of)
{
    static const char *const NAMED_AS[] = {":n", ":r", ":s", "@b", "$z"};
    const struct step *step = &STEPS[walk->at];
    uint64_t tx = step->within == OUTER ? walk->outer : step->within == INNER ? walk->inner : 0;
    memset(of, 0, sizeof *of);
    walk->seen = 0;
    walk->number = 0;
    walk->is_wrong = walk->has_message_id = 0;
    walk->migrations = walk->at == 0 ? 1 : 2;
    memcpy(of->migrations, MIGRATIONS, sizeof MIGRATIONS);
    if (step->sql)
        memcpy(of->sql, step->sql, strlen(step->sql) + 1);
    /* The order of named parameters is not that of the statement. */
    for (size_t i = 0; i < 5; i++) {
        size_t column = step->params == NAMED ? 4 - i : i;
        if (step->params == NAMED)
            of->params[i].name = exthost_str_from(NAMED_AS[column]);
        of->params[i].value = value_of(step->params, column);
    }
    for (size_t i = 0; i < 3; i++) {
        of->queries[i].statement = step->sql ? 0 : walk->statement;
        of->queries[i].sql = exthost_str_from(of->sql);
        of->queries[i].tx = tx;
        of->queries[i].on = step->on;
        of->queries[i].params = of->params;
        of->queries[i].params_len = step->params == NONE ? 0 : 5;
    }
    if (step->kind == BATCH) {
        of->queries[0].sql = EXTHOST_STR("INSERT INTO ext_storing_c_more VALUES (1)");
        of->queries[2].sql = EXTHOST_STR("INSERT INTO " ITEMS " (n) SELECT max(n) % 1000 + 100"
                                         " FROM " ITEMS " WHERE n < 1000");
        if (step->expected == EXTHOST_OK)
            of->queries[0].sql = EXTHOST_STR("INSERT INTO " ITEMS " (n) SELECT 1 + max(n) FROM "
                                             ITEMS " WHERE n < 1000");
    }
    of->spec.parent = tx;
    of->webhook.tx = tx;
    of->webhook.event_type = exthost_str_from(of->sql);
    if (step->kind == FIRE)
        snprintf(of->payload, sizeof of->payload, "{\"event\":\"%s\"}", step->sql);
    of->webhook.payload = exthost_bytes_of(of->payload, strlen(of->payload));
}

/* Notes what a step has come to. */
static void conclude(struct walk *walk, struct outcome outcome)
{
    const struct step *step = &STEPS[walk->at];
    int holds = !walk->is_wrong;
    if (outcome.status != step->expected) {
        note(&walk->report, step->what, outcome.status == EXTHOST_OK ? -1 : outcome.status);
        walk->at++;
        return;
    }
    if (step->expected == EXTHOST_OK) {
        switch (step->kind) {
        case RUN:
            holds &= outcome.changes == step->rows;
            break;
        case ROWS:
            holds &= walk->seen == step->rows && walk->number == step->number;
            break;
        case BATCH:
            holds &= walk->seen == step->rows;
            break;
        case PREPARE:
            holds &= outcome.id != 0;
            walk->statement = outcome.id;
            break;
        case BEGIN:
            holds &= outcome.id != 0;
            *(step->within == OUTER ? &walk->inner : &walk->outer) = outcome.id;
            break;
        case FIRE:
            holds &= outcome.has_message_id;
            break;
        default:
            break;
        }
    }
    note(&walk->report, step->what, holds ? 0 : -1);
    walk->at++;
}

/* What is left when all steps are done: the slots without a completing form. */
static void conclude_all(struct walk *walk)
{
    struct storing *self = walk->self;
    uint32_t dialect = 0;
    exthost_status status = self->db->dialect(self->ctx, walk->request, &dialect);
    note(&walk->report, "dialect", dialect == EXTHOST_DIALECT_SQLITE ? status : -1);
    note(&walk->report, "close", self->db->close(self->ctx, walk->request, walk->statement));
    status = self->db->close(self->ctx, walk->request, walk->statement);
    note(&walk->report, "close again", status == EXTHOST_GONE ? 0 : -1);
    answer_report(self, walk->request, &walk->report);
    free(walk);
}

static struct walk *walk_new(struct storing *self, uint64_t request)
{
    struct walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL)
        abort();
    walk->self = self;
    walk->request = request;
    atomic_flag_clear(&walk->in_row);
    return walk;
}

static struct outcome blocking_step(struct walk *walk, struct arguments *of)
{
    struct storing *self = walk->self;
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    uint64_t cause = walk->request, tx = of->spec.parent, version = 0;
    struct outcome outcome = {0};
    exthost_run_result result = {0, 0};
    switch (STEPS[walk->at].kind) {
    case MIGRATE:
        outcome.status = db->migrate(ctx, cause, of->migrations, walk->migrations, &version);
        /* After the first run it is at the second version from the start. */
        if (walk->migrations == 2 && version != 2)
            outcome.status = -1;
        if (walk->migrations == 1 && outcome.status == EXTHOST_CONFLICT)
            outcome.status = EXTHOST_OK;
        break;
    case EXEC:
        outcome.status = db->exec(ctx, cause, tx, exthost_str_from(of->sql));
        break;
    case PREPARE:
        outcome.status = db->prepare(ctx, cause, exthost_str_from(of->sql), &outcome.id);
        break;
    case RUN:
        outcome.status = db->run(ctx, cause, of->queries, &result);
        break;
    case ROWS:
        outcome.status = db->rows(ctx, cause, of->queries, walk, on_row, &result);
        break;
    case BATCH:
        outcome.status = db->batch(ctx, cause, of->queries, 3, walk, on_result);
        break;
    case BEGIN:
        outcome.status = db->begin(ctx, cause, &of->spec, &outcome.id);
        break;
    case COMMIT:
        outcome.status = db->commit(ctx, cause, tx);
        break;
    case ROLLBACK:
        outcome.status = db->rollback(ctx, cause, tx);
        break;
    case FIRE:
        outcome.status = self->webhooks->fire(ctx, cause, &of->webhook, walk, fired);
        outcome.has_message_id = walk->has_message_id && walk->seen == 1;
        break;
    }
    outcome.changes = result.changes;
    return outcome;
}

static exthost_status get_all(void *data, uint64_t cause, const exthost_request *request)
{
    struct walk *walk = walk_new(data, cause);
    struct arguments arguments;
    (void)request;
    while (walk->at < STEPS_LEN) {
        prepare_arguments(walk, &arguments);
        conclude(walk, blocking_step(walk, &arguments));
    }
    conclude_all(walk);
    return EXTHOST_OK;
}

static exthost_status async_step(struct walk *walk, struct op *op, struct arguments *of)
{
    struct storing *self = walk->self;
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    uint64_t cause = walk->request, tx = of->spec.parent, id;
    switch (STEPS[walk->at].kind) {
    case MIGRATE:
        return db->migrate_async(ctx, cause, of->migrations, walk->migrations, op, done, &id);
    case EXEC:
        return db->exec_async(ctx, cause, tx, exthost_str_from(of->sql), op, done, &id);
    case PREPARE:
        return db->prepare_async(ctx, cause, exthost_str_from(of->sql), op, id_done, &id);
    case RUN:
        return db->run_async(ctx, cause, of->queries, op, run_done, &id);
    case ROWS:
        return db->rows_async(ctx, cause, of->queries, op, on_row_of_op, run_done, &id);
    case BATCH:
        return db->batch_async(ctx, cause, of->queries, 3, op, on_result_of_op, done, &id);
    case BEGIN:
        return db->begin_async(ctx, cause, &of->spec, op, id_done, &id);
    case COMMIT:
        return db->commit_async(ctx, cause, tx, op, done, &id);
    case ROLLBACK:
        return db->rollback_async(ctx, cause, tx, op, done, &id);
    case FIRE:
        return self->webhooks->fire_async(ctx, cause, &of->webhook, op, fire_done, NULL);
    }
    return EXTHOST_INTERNAL;
}

static void step_ended(struct op *op);

/* Begins the next step. Once its slot has accepted it, the walk may be over and
 * freed by another thread before the slot returns. */
static void begin_step(struct walk *walk)
{
    struct storing *self = walk->self;
    for (;;) {
        struct arguments arguments;
        if (walk->at == STEPS_LEN) {
            conclude_all(walk);
            return;
        }
        struct op *op = op_new(self, step_ended, walk);
        prepare_arguments(walk, &arguments);
        exthost_status status = STARTED(op, async_step(walk, op, &arguments));
        memset(&arguments, 0xee, sizeof arguments);
        if (status == EXTHOST_OK)
            return;
        conclude(walk, (struct outcome){.status = status});
    }
}

static void step_ended(struct op *op)
{
    struct walk *walk = op->data;
    struct storing *self = walk->self;
    struct outcome outcome = op->outcome;
    if (walk->at == 0 && outcome.status == EXTHOST_CONFLICT)
        outcome.status = EXTHOST_OK;
    /* A completion may not block, and so not wait. */
    if (self->db->exec(self->ctx, walk->request, 0, EXTHOST_STR("SELECT 1"))
        != EXTHOST_MISPLACED)
        walk->is_wrong = 1;
    conclude(walk, outcome);
    begin_step(walk);
}

static void *walk_thread(void *walk)
{
    begin_step(walk);
    return NULL;
}

static exthost_status get_all_async(void *data, uint64_t cause, const exthost_request *request)
{
    struct walk *walk = walk_new(data, cause);
    pthread_t thread;
    if (!query_number(request, "thread")) {
        begin_step(walk);
    } else if (pthread_create(&thread, NULL, walk_thread, walk) == 0) {
        pthread_detach(thread);
    } else {
        free(walk);
        return EXTHOST_INTERNAL;
    }
    return EXTHOST_OK;
}

/* ---- Misuse ----------------------------------------------------------- */

static exthost_query query_of(const char *sql)
{
    return (exthost_query){.sql = exthost_str_from(sql)};
}

static uint32_t ignore_row(void *data, const exthost_row *row)
{
    (void)data, (void)row;
    return EXTHOST_DB_ROW_NEXT;
}

/* A pointer to an object that no object of its type can have. */
static void *misaligned(void *object)
{
    return (char *)object + 1;
}

/* Runs a query that is wrong in some way. */
static exthost_status run(struct storing *self, uint64_t cause, exthost_query query)
{
    return self->db->run(self->ctx, cause, &query, NULL);
}

/* Waits for what was accepted, so that its end can be told. */
static exthost_status settled(struct op *op, exthost_status status)
{
    return status == EXTHOST_OK ? wait_for(op) : status;
}

static void misuse_queries(struct storing *self, uint64_t cause, struct report *report)
{
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    union {
        exthost_query query;
        exthost_param params[2];
        char bytes[256];
    } odd = {.bytes = {0}};
    exthost_query query = query_of(COUNT);
    exthost_param params[2] = {{.value = exthost_value_integer(1)},
                               {.value = exthost_value_integer(2)}};
    uint64_t statement = 0;
    note(report, "null ctx", db->run(NULL, cause, &query, NULL));
    note(report, "null query", db->run(ctx, cause, NULL, NULL));
    note(report, "misaligned query", db->run(ctx, cause, misaligned(&odd), NULL));
    query.sql = exthost_str_of(NULL, 8);
    note(report, "null sql with a length", run(self, cause, query));
    query.sql = exthost_str_of("SELECT 1", SIZE_MAX);
    note(report, "huge sql", run(self, cause, query));
    note(report, "sql not utf-8", run(self, cause, query_of("SELECT '\xff'")));
    query.sql = exthost_str_of("SELECT 1\0SELECT 2", 17);
    note(report, "sql with a zero", run(self, cause, query));
    note(report, "neither sql nor statement", run(self, cause, query_of("")));
    query = query_of(COUNT);
    query.statement = 12345;
    note(report, "both sql and statement", run(self, cause, query));
    query.sql = exthost_str_of(NULL, 0);
    note(report, "made-up statement", run(self, cause, query));
    query.statement = UINT64_MAX;
    note(report, "largest statement", run(self, cause, query));
    query = query_of(COUNT);
    query.on = 4;
    note(report, "unknown on", run(self, cause, query));
    query.on = 0;
    query.flags = 1;
    note(report, "unknown flag", run(self, cause, query));
    query.flags = 0;
    query.tx = 12345;
    note(report, "made-up transaction", run(self, cause, query));

    query = query_of("SELECT ?1");
    note(report, "too few parameters", run(self, cause, query));
    query.params_len = 1;
    note(report, "null parameters", run(self, cause, query));
    query.params = misaligned(&odd);
    note(report, "misaligned parameters", run(self, cause, query));
    query.params = params;
    query.params_len = 2;
    note(report, "too many parameters", run(self, cause, query));
    query.params_len = SIZE_MAX / sizeof *params;
    note(report, "huge parameters", run(self, cause, query));
    query.params_len = SIZE_MAX;
    note(report, "largest parameters", run(self, cause, query));
    query.params_len = 1;
    params[0].name = EXTHOST_STR(":nobody");
    note(report, "unknown parameter", run(self, cause, query));
    params[0].name = EXTHOST_STR("\xc3");
    note(report, "parameter not utf-8", run(self, cause, query));
    params[0].name = exthost_str_of(NULL, 0);
    params[0].value.kind = 5;
    note(report, "unknown kind", run(self, cause, query));
    params[0].value = exthost_value_integer(1);
    params[0].value.reserved = 1;
    note(report, "reserved of a value", run(self, cause, query));
    params[0].value = exthost_value_text(exthost_str_of("x", SIZE_MAX));
    note(report, "huge text", run(self, cause, query));
    params[0].value = exthost_value_text(EXTHOST_STR("\xed\xa0\x80"));
    note(report, "text not utf-8", run(self, cause, query));
    params[0].value = exthost_value_blob(exthost_bytes_of(NULL, 1));
    note(report, "null blob with a length", run(self, cause, query));

    note(report, "two statements", run(self, cause, query_of("SELECT 1; SELECT 2")));
    note(report, "no statement", run(self, cause, query_of("-- nothing")));
    note(report, "syntax", run(self, cause, query_of("SELEKT 1")));
    note(report, "no such table", run(self, cause, query_of("SELECT * FROM ext_storing_c_no")));
    note(report, "outside", run(self, cause, query_of("SELECT * FROM ext_notes_items")));
    note(report, "begin as sql", run(self, cause, query_of("BEGIN")));
    query = query_of(INSERT(900));
    query.on = EXTHOST_DB_ON_READER;
    note(report, "write on a reader", run(self, cause, query));
    query = query_of("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c)"
                     " SELECT max(i) FROM c");
    query.deadline_ms = 20;
    note(report, "past the deadline", run(self, cause, query));
    query = query_of("SELECT zeroblob(1000000000)");
    note(report, "value too large", run(self, cause, query));

    note(report, "prepare null", db->prepare(ctx, cause, exthost_str_of(NULL, 1), &statement));
    note(report, "prepare nothing", db->prepare(ctx, cause, EXTHOST_STR(""), &statement));
    note(report, "prepare syntax", db->prepare(ctx, cause, EXTHOST_STR("SELEKT"), &statement));
    note(report, "prepare into null", db->prepare(ctx, cause, EXTHOST_STR("SELECT 1"), NULL));
    note(report, "no statement is prepared", statement == 0 ? 0 : -1);
    note(report, "prepare", db->prepare(ctx, cause, EXTHOST_STR(COUNT), &statement));
    query = (exthost_query){.statement = statement};
    note(report, "result null", db->run(ctx, cause, &query, NULL));
    note(report, "rows result null", db->rows(ctx, cause, &query, NULL, ignore_row, NULL));
    note(report, "rows without on_row", db->rows(ctx, cause, &query, NULL, NULL, NULL));
    note(report, "close", db->close(ctx, cause, statement));
    note(report, "closed statement", run(self, cause, query));
    note(report, "close twice", db->close(ctx, cause, statement));
    note(report, "close 0", db->close(ctx, cause, 0));
    note(report, "exec null", db->exec(ctx, cause, 0, exthost_str_of(NULL, 1)));
    note(report, "exec made-up transaction", db->exec(ctx, cause, 77, EXTHOST_STR("SELECT 1")));
    note(report, "dialect null ctx", db->dialect(NULL, cause, NULL));
}

static void misuse_migrations(struct storing *self, uint64_t cause, struct report *report)
{
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    exthost_migration list[3];
    memcpy(list, MIGRATIONS, sizeof MIGRATIONS);
    list[2] = (exthost_migration){3, EXTHOST_STR("CREATE TABLE users (a)")};
    note(report, "migrate null", db->migrate(ctx, cause, NULL, 1, NULL));
    note(report, "migrate huge", db->migrate(ctx, cause, list, SIZE_MAX, NULL));
    note(report, "migrate misaligned", db->migrate(ctx, cause, misaligned(list), 1, NULL));
    note(report, "migrate back", db->migrate(ctx, cause, list, 1, NULL));
    note(report, "migrate outside", db->migrate(ctx, cause, list, 3, NULL));
    list[1].version = 1;
    note(report, "migrate not ascending", db->migrate(ctx, cause, list, 2, NULL));
    list[0].version = 0;
    note(report, "migrate from 0", db->migrate(ctx, cause, list, 1, NULL));
    list[0] = (exthost_migration){1, EXTHOST_STR("\xff")};
    note(report, "migrate not utf-8", db->migrate(ctx, cause, list, 1, NULL));
    note(report, "version null", db->migrate(ctx, cause, MIGRATIONS, 2, NULL));
}

static void misuse_transactions(struct storing *self, uint64_t cause, struct report *report)
{
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    exthost_tx_spec spec = {0};
    exthost_query query = query_of("UPDATE " ITEMS " SET r = 1"), batch[2] = {query, query};
    uint64_t tx = 0, nested = 0, inmost = 0, other = 0;
    note(report, "begin null", db->begin(ctx, cause, NULL, &tx));
    note(report, "begin misaligned", db->begin(ctx, cause, misaligned(&spec), &tx));
    note(report, "begin into null", db->begin(ctx, cause, &spec, NULL));
    spec.flags = 1;
    note(report, "begin unknown flag", db->begin(ctx, cause, &spec, &tx));
    spec.flags = 0;
    spec.reserved = 1;
    note(report, "begin reserved", db->begin(ctx, cause, &spec, &tx));
    spec.reserved = 0;
    spec.parent = 4711;
    note(report, "begin in a made-up one", db->begin(ctx, cause, &spec, &tx));
    note(report, "commit 0", db->commit(ctx, cause, 0));
    note(report, "commit made-up", db->commit(ctx, cause, UINT64_MAX));
    note(report, "rollback made-up", db->rollback(ctx, cause, 12345));

    spec.parent = 0;
    note(report, "begin", db->begin(ctx, cause, &spec, &tx));
    note(report, "begin beside", db->begin(ctx, cause, &spec, &other));
    note(report, "write beside", run(self, cause, query));
    note(report, "exec beside", db->exec(ctx, cause, 0, EXTHOST_STR("SELECT 1")));
    note(report, "batch beside", db->batch(ctx, cause, batch, 2, NULL, NULL));
    note(report, "migrate beside", db->migrate(ctx, cause, MIGRATIONS, 2, NULL));
    batch[0].tx = tx;
    note(report, "batch over two", db->batch(ctx, cause, batch, 2, NULL, NULL));
    batch[1].tx = tx;
    note(report, "on_result null", db->batch(ctx, cause, batch, 2, NULL, NULL));
    note(report, "batch null", db->batch(ctx, cause, NULL, 1, NULL, NULL));
    note(report, "batch huge", db->batch(ctx, cause, batch, SIZE_MAX, NULL, NULL));
    query.tx = spec.parent = tx;
    note(report, "begin nested", db->begin(ctx, cause, &spec, &nested));
    note(report, "outer while nested", run(self, cause, query));
    note(report, "exec outer while nested", db->exec(ctx, cause, tx, EXTHOST_STR("SELECT 1")));
    note(report, "nest beside nested", db->begin(ctx, cause, &spec, &other));
    spec.parent = nested;
    note(report, "begin inmost", db->begin(ctx, cause, &spec, &inmost));
    note(report, "commit nested", db->commit(ctx, cause, nested));
    query.tx = inmost;
    note(report, "inmost ended with nested", run(self, cause, query));
    spec.parent = inmost;
    note(report, "nest in ended with nested", db->begin(ctx, cause, &spec, &other));
    note(report, "commit ended with nested", db->commit(ctx, cause, inmost));
    spec.parent = nested;
    note(report, "nest in ended", db->begin(ctx, cause, &spec, &other));
    note(report, "commit nested twice", db->commit(ctx, cause, nested));
    query.tx = tx;
    note(report, "outer after nested", run(self, cause, query));
    note(report, "commit", db->commit(ctx, cause, tx));
    note(report, "commit twice", db->commit(ctx, cause, tx));
    note(report, "rollback after commit", db->rollback(ctx, cause, tx));
    note(report, "use after commit", run(self, cause, query));

    spec = (exthost_tx_spec){.deadline_ms = 30};
    note(report, "begin for 30 ms", db->begin(ctx, cause, &spec, &tx));
    sleep_ms(150);
    query.tx = tx;
    note(report, "use after the deadline", run(self, cause, query));
    note(report, "commit after the deadline", db->commit(ctx, cause, tx));
    query.tx = 0;
    note(report, "write after the deadline", run(self, cause, query));

    /* A cause that has ended counts as 0: nothing ends the transaction. */
    spec.deadline_ms = 0;
    note(report, "begin for an ended cause", db->begin(ctx, UINT64_MAX, &spec, &tx));
    sleep_ms(20);
    query.tx = tx;
    note(report, "use for an ended cause", run(self, UINT64_MAX, query));
    note(report, "commit for an ended cause", db->commit(ctx, UINT64_MAX, tx));
}

/* What is called from inside a row. */
struct inside {
    struct storing *self;
    uint64_t cause, tx;
    struct report *report;
};

static uint32_t misuse_row(void *data, const exthost_row *row)
{
    struct inside *inside = data;
    struct storing *self = inside->self;
    struct report *report = inside->report;
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    uint64_t cause = inside->cause, id;
    exthost_query query = query_of(COUNT);
    exthost_tx_spec spec = {0};
    exthost_webhook webhook = {.event_type = EXTHOST_STR("storing.never")};
    (void)row;
    note(report, "run in a row", db->run(ctx, cause, &query, NULL));
    note(report, "rows in a row", db->rows(ctx, cause, &query, NULL, ignore_row, NULL));
    note(report, "exec in a row", db->exec(ctx, cause, 0, query.sql));
    note(report, "batch in a row", db->batch(ctx, cause, &query, 1, NULL, NULL));
    note(report, "prepare in a row", db->prepare(ctx, cause, query.sql, &id));
    note(report, "migrate in a row", db->migrate(ctx, cause, MIGRATIONS, 2, NULL));
    note(report, "begin in a row", db->begin(ctx, cause, &spec, &id));
    note(report, "commit in a row", db->commit(ctx, cause, inside->tx));
    note(report, "rollback in a row", db->rollback(ctx, cause, inside->tx));
    note(report, "fire in a row", self->webhooks->fire(ctx, cause, &webhook, NULL, fired));
#define LATER(what, call)                                      \
    do {                                                       \
        struct op *op = op_new(self, NULL, NULL);              \
        note(report, what " later in a row", STARTED(op, call)); \
    } while (0)
    LATER("run", db->run_async(ctx, cause, &query, op, run_done, &id));
    LATER("rows", db->rows_async(ctx, cause, &query, op, ignore_row, run_done, &id));
    LATER("exec", db->exec_async(ctx, cause, 0, query.sql, op, done, &id));
    LATER("batch", db->batch_async(ctx, cause, &query, 1, op, NULL, done, &id));
    LATER("prepare", db->prepare_async(ctx, cause, query.sql, op, id_done, &id));
    LATER("migrate", db->migrate_async(ctx, cause, MIGRATIONS, 2, op, done, &id));
    LATER("begin", db->begin_async(ctx, cause, &spec, op, id_done, &id));
    LATER("commit", db->commit_async(ctx, cause, inside->tx, op, done, &id));
    LATER("rollback", db->rollback_async(ctx, cause, inside->tx, op, done, &id));
    LATER("fire", self->webhooks->fire_async(ctx, cause, &webhook, op, fire_done, &id));
#undef LATER
    return EXTHOST_DB_ROW_NEXT;
}

static void misuse_rows(struct storing *self, uint64_t cause, struct report *report)
{
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    struct inside inside = {self, cause, 0, report};
    exthost_query query = query_of("SELECT 1"), write = query_of("UPDATE " ITEMS " SET r = 2");
    exthost_tx_spec spec = {0};
    note(report, "begin for rows", db->begin(ctx, cause, &spec, &inside.tx));
    note(report, "rows that call", db->rows(ctx, cause, &query, &inside, misuse_row, NULL));
    /* Nothing has happened to it. */
    write.tx = inside.tx;
    note(report, "write after rows", run(self, cause, write));
    note(report, "commit after rows", db->commit(ctx, cause, inside.tx));
}

static void result_that_waits(void *data, size_t index, const exthost_run_result *result)
{
    struct op *op = data;
    struct storing *self = op->self;
    (void)index, (void)result;
    op->outcome.id = (uint64_t)self->db->exec(self->ctx, 0, 0, EXTHOST_STR("SELECT 1"));
    if (op->outcome.id != EXTHOST_MISPLACED)
        atomic_fetch_add(&self->faults, 1);
}

static void misuse_later(struct storing *self, uint64_t cause, struct report *report)
{
    const exthost_db_table *db = self->db;
    const exthost_webhooks_table *webhooks = self->webhooks;
    const void *ctx = self->ctx;
    exthost_query query = query_of("UPDATE " ITEMS " SET r = 3");
    exthost_tx_spec spec = {0};
    exthost_webhook webhook = {.event_type = EXTHOST_STR("storing.never")};
    uint64_t id = 0, tx = 0;
    struct op *op;
#define LATER(what, call)                                 \
    do {                                                  \
        op = op_new(self, NULL, NULL);                    \
        note(report, what, settled(op, STARTED(op, call))); \
    } while (0)
    LATER("run later without done", db->run_async(ctx, cause, &query, op, NULL, &id));
    LATER("rows later without done",
          db->rows_async(ctx, cause, &query, op, ignore_row, NULL, &id));
    LATER("rows later without on_row",
          db->rows_async(ctx, cause, &query, op, NULL, run_done, &id));
    LATER("exec later without done", db->exec_async(ctx, cause, 0, query.sql, op, NULL, &id));
    LATER("batch later without done",
          db->batch_async(ctx, cause, &query, 1, op, NULL, NULL, &id));
    LATER("prepare later without done", db->prepare_async(ctx, cause, query.sql, op, NULL, &id));
    LATER("migrate later without done",
          db->migrate_async(ctx, cause, MIGRATIONS, 2, op, NULL, &id));
    LATER("begin later without done", db->begin_async(ctx, cause, &spec, op, NULL, &id));
    LATER("fire later without done", webhooks->fire_async(ctx, cause, &webhook, op, NULL, &id));
    LATER("run later null", db->run_async(ctx, cause, NULL, op, run_done, &id));
    LATER("run later null ctx", db->run_async(NULL, cause, &query, op, run_done, &id));
    LATER("batch later huge",
          db->batch_async(ctx, cause, &query, SIZE_MAX, op, NULL, done, &id));
    LATER("migrate later null", db->migrate_async(ctx, cause, NULL, 2, op, done, &id));
    LATER("fire later null", webhooks->fire_async(ctx, cause, NULL, op, fire_done, &id));
    LATER("commit later made-up", db->commit_async(ctx, cause, 99, op, done, &id));
    LATER("rollback later made-up", db->rollback_async(ctx, cause, 99, op, done, &id));
    LATER("exec later made-up", db->exec_async(ctx, cause, 99, query.sql, op, done, &id));
    LATER("op null", db->run_async(ctx, cause, &query, op, run_done, NULL));
    LATER("batch later without on_result",
          db->batch_async(ctx, cause, &query, 1, op, NULL, done, NULL));
    LATER("batch later that waits",
          db->batch_async(ctx, cause, &query, 1, op, result_that_waits, done, NULL));

    /* One that waits for a transaction of somebody else is cancelled. */
    note(report, "begin to wait for", db->begin(ctx, 0, &spec, &tx));
    op = op_new(self, NULL, NULL);
    note(report, "run to cancel",
         STARTED(op, db->run_async(ctx, cause, &query, op, run_done, &id)));
    note(report, "cancel", self->tasks->cancel(ctx, id));
    note(report, "cancelled", wait_for(op));
    sleep_ms(20);
    note(report, "cancel twice", self->tasks->cancel(ctx, id));
    op = op_new(self, NULL, NULL);
    note(report, "begin to cancel",
         STARTED(op, db->begin_async(ctx, cause, &spec, op, id_done, &id)));
    note(report, "cancel begin", self->tasks->cancel(ctx, id));
    note(report, "cancelled begin", wait_for(op));
    LATER("commit later without done", db->commit_async(ctx, 0, tx, op, NULL, &id));

    /* What would leave the transaction in a state that nobody knows is not cut
     * short by a cancel: a savepoint, and its end. */
    spec.parent = tx;
    op = op_new(self, NULL, NULL);
    note(report, "nested to cancel",
         STARTED(op, db->begin_async(ctx, 0, &spec, op, id_done, &id)));
    self->tasks->cancel(ctx, id);
    note(report, "cancelled nested", wait_for(op));
    note(report, "rollback nested", db->rollback(ctx, 0, op->outcome.id));
    query.tx = tx;
    note(report, "outer after cancelled nested", run(self, 0, query));
    op = op_new(self, NULL, NULL);
    note(report, "commit to cancel", STARTED(op, db->commit_async(ctx, 0, tx, op, done, &id)));
    self->tasks->cancel(ctx, id);
    note(report, "cancelled commit", wait_for(op));
    note(report, "commit after cancel", db->commit(ctx, 0, tx));
    query.tx = 0;
    note(report, "write after all", run(self, cause, query));
#undef LATER
}

static void count_call(void *data, exthost_status status, const exthost_error *error,
                       exthost_str id)
{
    (void)status, (void)error, (void)id;
    ++*(int *)data;
}

static void misuse_webhooks(struct storing *self, uint64_t cause, struct report *report)
{
    static const uint8_t LARGE[256 * 1024 + 1];
    const exthost_webhooks_table *webhooks = self->webhooks;
    const void *ctx = self->ctx;
    const exthost_webhook good = {.event_type = EXTHOST_STR("storing.never")};
    exthost_webhook wrong = good;
    exthost_tx_spec spec = {0};
    uint64_t tx = 0;
    int calls = 0;
#define FIRE_IT(what) note(report, what, webhooks->fire(ctx, cause, &wrong, &calls, count_call))
    note(report, "fire null ctx", webhooks->fire(NULL, cause, &good, &calls, count_call));
    note(report, "fire null", webhooks->fire(ctx, cause, NULL, &calls, count_call));
    note(report, "fire misaligned",
         webhooks->fire(ctx, cause, misaligned(&wrong), &calls, count_call));
    note(report, "fire without done", webhooks->fire(ctx, cause, &good, &calls, NULL));
    wrong.flags = 2;
    FIRE_IT("fire unknown flag");
    wrong = good;
    wrong.reserved = 1;
    FIRE_IT("fire reserved");
    wrong = good;
    wrong.event_type = EXTHOST_STR("");
    FIRE_IT("fire no event");
    wrong.event_type = EXTHOST_STR("a b");
    FIRE_IT("fire bad event");
    wrong.event_type = EXTHOST_STR("a..b");
    FIRE_IT("fire empty token");
    wrong.event_type = exthost_str_of(NULL, 3);
    FIRE_IT("fire null event");
    wrong = good;
    wrong.content_type = EXTHOST_STR("a\r\nb: c");
    FIRE_IT("fire header injection");
    wrong = good;
    wrong.payload = exthost_bytes_of(NULL, 1);
    FIRE_IT("fire null payload");
    wrong.payload = exthost_bytes_of(LARGE, SIZE_MAX);
    FIRE_IT("fire huge payload");
    wrong.payload = exthost_bytes_of(LARGE, sizeof LARGE);
    FIRE_IT("fire large payload");
    wrong = good;
    wrong.tx = 12345;
    FIRE_IT("fire in a made-up transaction");
    note(report, "begin to fire", self->db->begin(ctx, cause, &spec, &tx));
    wrong.tx = 0;
    FIRE_IT("fire beside");
    note(report, "rollback fired", self->db->rollback(ctx, cause, tx));
    wrong.tx = tx;
    FIRE_IT("fire in a stale transaction");
    note(report, "calls of refused fires", calls == 0 ? 0 : -1);
#undef FIRE_IT
}

static exthost_status get_misuse(void *data, uint64_t cause, const exthost_request *request)
{
    struct storing *self = data;
    struct report *report = calloc(1, sizeof *report);
    (void)request;
    if (report == NULL)
        return EXTHOST_INTERNAL;
    exthost_status status = self->db->migrate(self->ctx, cause, MIGRATIONS, 2, NULL);
    if (status == EXTHOST_OK) {
        misuse_queries(self, cause, report);
        misuse_migrations(self, cause, report);
        misuse_transactions(self, cause, report);
        misuse_rows(self, cause, report);
        misuse_later(self, cause, report);
        misuse_webhooks(self, cause, report);
        status = answer_report(self, cause, report);
    }
    free(report);
    return status;
}

static exthost_status get_misuse_inline(void *data, uint64_t cause,
                                        const exthost_request *request)
{
    struct storing *self = data;
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    struct report report = {.len = 0};
    exthost_query query = query_of("SELECT 1");
    exthost_tx_spec spec = {0};
    exthost_webhook webhook = {.event_type = EXTHOST_STR("storing.never")};
    uint64_t id = 0;
    uint32_t dialect;
    (void)request;
    note(&report, "migrate", db->migrate(ctx, cause, MIGRATIONS, 2, NULL));
    note(&report, "prepare", db->prepare(ctx, cause, query.sql, &id));
    note(&report, "exec", db->exec(ctx, cause, 0, query.sql));
    note(&report, "run", db->run(ctx, cause, &query, NULL));
    note(&report, "rows", db->rows(ctx, cause, &query, NULL, ignore_row, NULL));
    note(&report, "batch", db->batch(ctx, cause, &query, 1, NULL, NULL));
    note(&report, "begin", db->begin(ctx, cause, &spec, &id));
    note(&report, "commit", db->commit(ctx, cause, 1));
    note(&report, "rollback", db->rollback(ctx, cause, 1));
    note(&report, "fire", self->webhooks->fire(ctx, cause, &webhook, NULL, fired));
    note(&report, "close", db->close(ctx, cause, 1));
    note(&report, "dialect", db->dialect(ctx, cause, &dialect));
    return answer_report(self, cause, &report);
}

/* ---- Ends that nobody waits for --------------------------------------- */

static exthost_status get_forget(void *data, uint64_t cause, const exthost_request *request)
{
    struct storing *self = data;
    exthost_tx_spec spec = {0};
    exthost_status status = self->db->migrate(self->ctx, cause, MIGRATIONS, 2, NULL);
    for (uint64_t n = query_number(request, "nested") + 1; status == EXTHOST_OK && n > 0; n--)
        status = self->db->begin(self->ctx, cause, &spec, &spec.parent);
    if (status == EXTHOST_OK)
        status = self->db->exec(self->ctx, cause, spec.parent, EXTHOST_STR("DELETE FROM " ITEMS));
    return status == EXTHOST_OK ? answer(self, cause, "\"forgotten\"") : status;
}

static uint32_t keep_integer(void *data, const exthost_row *row)
{
    *(int64_t *)data = row->values[0].integer;
    return EXTHOST_DB_ROW_STOP;
}

static exthost_status get_write(void *data, uint64_t cause, const exthost_request *request)
{
    struct storing *self = data;
    exthost_query query = query_of(COUNT);
    char text[24];
    int64_t rows = 0;
    (void)request;
    exthost_status status = self->db->migrate(self->ctx, cause, MIGRATIONS, 2, NULL);
    if (status == EXTHOST_OK)
        status = run(self, cause, query_of("INSERT INTO " ITEMS " (s) VALUES ('written')"));
    query.on = EXTHOST_DB_ON_WRITER;
    if (status == EXTHOST_OK)
        status = self->db->rows(self->ctx, cause, &query, &rows, keep_integer, NULL);
    snprintf(text, sizeof text, "%" PRId64, rows);
    return status == EXTHOST_OK ? answer(self, cause, text) : status;
}

/* A query that is cancelled. Its rows go to `seen`, which is freed as soon as it
 * has completed. */
struct long_query {
    struct storing *self;
    atomic_uint_fast64_t op;
    int by_row;
    unsigned *seen;
    atomic_uint late;
};

static uint32_t long_row(void *data, const exthost_row *row)
{
    struct op *op = data;
    struct long_query *query = op->data;
    if (query->seen == NULL) {
        atomic_fetch_add(&query->late, 1);
        return EXTHOST_DB_ROW_NEXT;
    }
    (void)row;
    /* Slower than the database, without a wait. */
    for (volatile int spin = 0; spin < 20000;)
        spin = spin + 1;
    if (++*query->seen == 20 && query->by_row)
        query->self->tasks->cancel(query->self->ctx, atomic_load(&query->op));
    return EXTHOST_DB_ROW_NEXT;
}

static void long_ended(struct op *op)
{
    struct long_query *query = op->data;
    free(query->seen);
    query->seen = NULL;
}

static exthost_status get_cancel(void *data, uint64_t cause, const exthost_request *request)
{
    struct storing *self = data;
    exthost_query sql = query_of(
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT i FROM c");
    struct long_query *query = calloc(1, sizeof *query);
    uint64_t id = 0;
    char text[64];
    if (query == NULL || (query->seen = calloc(1, sizeof *query->seen)) == NULL) {
        free(query);
        return EXTHOST_INTERNAL;
    }
    query->self = self;
    query->by_row = query_number(request, "by") == 1;
    struct op *op = op_new(self, long_ended, query);
    exthost_status status = STARTED(
        op, self->db->rows_async(self->ctx, cause, &sql, op, long_row, run_done, &id));
    atomic_store(&query->op, id);
    if (status == EXTHOST_OK) {
        sleep_ms(query->by_row ? 100 : 3);
        /* A row may have done so before, or not known the id in time. */
        self->tasks->cancel(self->ctx, id);
        status = wait_for(op);
        sleep_ms(1);
    }
    snprintf(text, sizeof text, "{\"status\":%" PRId32 ",\"late\":%u}", status,
             atomic_load(&query->late));
    /* The record of it goes with the instance; a late row is seen until then. */
    return answer(self, cause, text);
}

static exthost_status get_pending(void *data, uint64_t cause, const exthost_request *request)
{
    struct storing *self = data;
    const exthost_db_table *db = self->db;
    const void *ctx = self->ctx;
    exthost_tx_spec spec = {0};
    exthost_query query = query_of("INSERT INTO " ITEMS " (s) VALUES ('pending')");
    exthost_webhook webhook = {.event_type = EXTHOST_STR("storing.never")};
    uint64_t tx = 0;
    exthost_status status = db->migrate(ctx, cause, MIGRATIONS, 2, NULL);
    if (status == EXTHOST_OK)
        status = db->begin(ctx, 0, &spec, &tx);
    /* All of them wait for the transaction, which nobody ends. */
    for (uint64_t n = query_number(request, "n"); status == EXTHOST_OK && n > 0; n--) {
        struct op *op = op_new(self, NULL, NULL);
        switch (n % 6) {
        case 0:
            status = STARTED(op, db->run_async(ctx, 0, &query, op, run_done, NULL));
            break;
        case 1:
            status = STARTED(op, db->begin_async(ctx, 0, &spec, op, id_done, NULL));
            break;
        case 2:
            status = STARTED(op, db->rows_async(ctx, 0, &query, op, ignore_row, run_done, NULL));
            break;
        case 3:
            status = STARTED(op, db->batch_async(ctx, 0, &query, 1, op, NULL, done, NULL));
            break;
        case 4:
            status = STARTED(op, db->migrate_async(ctx, 0, MIGRATIONS, 2, op, done, NULL));
            break;
        default:
            status = STARTED(
                op, self->webhooks->fire_async(ctx, 0, &webhook, op, fire_done, NULL));
        }
    }
    return status == EXTHOST_OK ? answer(self, cause, "\"pending\"") : status;
}

static void counts(struct storing *self, char *text, size_t len)
{
    snprintf(text, len, "{\"accepted\":%u,\"completed\":%u,\"faults\":%u}",
             atomic_load(&self->accepted), atomic_load(&self->completed),
             atomic_load(&self->faults));
}

static exthost_status get_counts(void *data, uint64_t cause, const exthost_request *request)
{
    char text[96];
    (void)request;
    counts(data, text, sizeof text);
    return answer(data, cause, text);
}

/* ---- The door --------------------------------------------------------- */

static exthost_status add_routes(struct storing *self)
{
    const uint32_t inlined = EXTHOST_ROUTE_INLINE;
    const struct {
        const char *pattern;
        uint32_t flags;
        exthost_route_handle_fn handle;
    } routes[] = {
        {"all", 0, get_all},
        {"all-async", inlined, get_all_async},
        {"misuse", 0, get_misuse},
        {"misuse-inline", inlined, get_misuse_inline},
        {"forget", 0, get_forget},
        {"write", 0, get_write},
        {"cancel", 0, get_cancel},
        {"pending", 0, get_pending},
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

/* Remembers the option `mark`, a JSON string without escapes. */
static void keep_mark(void *data, exthost_bytes json)
{
    struct storing *self = data;
    if (json.len < 2 || json.ptr[0] != '"' || json.len - 2 >= sizeof self->mark)
        return;
    memcpy(self->mark, json.ptr + 1, json.len - 2);
}

static void destroy(void *instance)
{
    struct storing *self = instance;
    FILE *file = self->mark[0] ? fopen(self->mark, "a") : NULL;
    char text[96];
    if (file) {
        counts(self, text, sizeof text);
        fprintf(file, "%s\n", text);
        fclose(file);
    }
    while (self->ops) {
        struct op *op = self->ops;
        self->ops = op->next;
        if (op->then == long_ended)
            free(op->data);
        free(op);
    }
    pthread_cond_destroy(&self->ended);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    struct storing *self = calloc(1, sizeof *self);
    if (self == NULL)
        return EXTHOST_INTERNAL;
    self->ctx = services->ctx;
    self->routes = exthost_routes(services);
    self->tasks = exthost_tasks(services);
    self->db = exthost_db(services);
    self->webhooks = exthost_webhooks(services);
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->ended, NULL);
    const exthost_config_table *config = exthost_config(services);
    config->read(self->ctx, 0, EXTHOST_STR("/mark"), self, keep_mark);
    exthost_status status = add_routes(self);
    if (status != EXTHOST_OK) {
        self->mark[0] = '\0';
        destroy(self);
        return status;
    }
    *instance = self;
    return EXTHOST_OK;
}

EXTHOST_DOOR(init, NULL, NULL, destroy, NULL);
