/* exthost.h - write plugins for exthost in C, C++ or whatever speaks C.
 *
 * Generated from the crate exthost-abi; plugins/hello-c shows its use, and
 * docs/abi.md explains the boundary. Frozen: a plugin built once keeps loading
 * in every later host of the same API major.
 *
 * A plugin exports two data symbols: EXTHOST_META says what it is, and
 * EXTHOST_DOOR hands its functions to the host. Both are at the end.
 *
 * What holds for every slot:
 *
 * - The first argument is `exthost_services.ctx`, the second the `cause` of the
 *   call: the id of the request, event, task or timer being served, or 0.
 * - It returns an exthost_status, EXTHOST_OK being success, and gives results
 *   through pointers. Any call may answer EXTHOST_INVALID for a malformed
 *   argument, EXTHOST_DENIED, EXTHOST_STOPPED and EXTHOST_INTERNAL; what else,
 *   the slot says.
 * - Arguments are borrowed for the call, unless the slot says otherwise.
 * - A slot named `_async` that returned EXTHOST_OK calls back exactly once, also
 *   after cancel or stop; until then its `data` belongs to the host.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef EXTHOST_H
#define EXTHOST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The API version this header is of. */
#define EXTHOST_API_VERSION "1.1.0"

/* Each table with its fingerprint, and all of them: the meta's entry. */
#define EXTHOST_TABLE_PLUGIN_1 "plugin/1=cea10bdbee196717"
#define EXTHOST_TABLE_SERVICES_1 "services/1=834731613577e470"
#define EXTHOST_TABLE_LOG_1 "log/1=379919527d880efe"
#define EXTHOST_TABLE_CONFIG_1 "config/1=2185f3c469c08be5"
#define EXTHOST_TABLE_ROUTES_1 "routes/1=3c64dfe5ec1e0c78"
#define EXTHOST_TABLE_TASKS_1 "tasks/1=88e0cb89ef4737a8"
#define EXTHOST_TABLE_EVENTS_1 "events/1=b829466210a028aa"
#define EXTHOST_TABLE_DB_1 "db/1=691e05c712f98b1b"
#define EXTHOST_TABLE_BROADCAST_1 "broadcast/1=77e912b8f78a359b"
#define EXTHOST_TABLE_WEBHOOKS_1 "webhooks/1=58374c7e11bc1835"
#define EXTHOST_TABLE_KV_1 "kv/1=6fc24be41a9dee1e"
#define EXTHOST_TABLE_CACHE_1 "cache/1=c052cd6485d95a79"
#define EXTHOST_TABLE_AUDIT_1 "audit/1=23209901976b5192"
#define EXTHOST_TABLES \
    EXTHOST_TABLE_PLUGIN_1 "," \
    EXTHOST_TABLE_SERVICES_1 "," \
    EXTHOST_TABLE_LOG_1 "," \
    EXTHOST_TABLE_CONFIG_1 "," \
    EXTHOST_TABLE_ROUTES_1 "," \
    EXTHOST_TABLE_TASKS_1 "," \
    EXTHOST_TABLE_EVENTS_1 "," \
    EXTHOST_TABLE_DB_1 "," \
    EXTHOST_TABLE_BROADCAST_1 "," \
    EXTHOST_TABLE_WEBHOOKS_1 "," \
    EXTHOST_TABLE_KV_1 "," \
    EXTHOST_TABLE_CACHE_1 "," \
    EXTHOST_TABLE_AUDIT_1

/* Every struct, declared ahead. */
typedef struct exthost_str exthost_str;
typedef struct exthost_bytes exthost_bytes;
typedef struct exthost_buffer exthost_buffer;
typedef struct exthost_error exthost_error;
typedef struct exthost_version exthost_version;
typedef struct exthost_value exthost_value;
typedef struct exthost_plugin_table exthost_plugin_table;
typedef struct exthost_services exthost_services;
typedef struct exthost_field exthost_field;
typedef struct exthost_log_table exthost_log_table;
typedef struct exthost_config_table exthost_config_table;
typedef struct exthost_route_spec exthost_route_spec;
typedef struct exthost_header exthost_header;
typedef struct exthost_path_param exthost_path_param;
typedef struct exthost_actor exthost_actor;
typedef struct exthost_request exthost_request;
typedef struct exthost_response exthost_response;
typedef struct exthost_routes_table exthost_routes_table;
typedef struct exthost_timer_spec exthost_timer_spec;
typedef struct exthost_tasks_table exthost_tasks_table;
typedef struct exthost_message exthost_message;
typedef struct exthost_subscription_spec exthost_subscription_spec;
typedef struct exthost_event exthost_event;
typedef struct exthost_verdict exthost_verdict;
typedef struct exthost_event_request exthost_event_request;
typedef struct exthost_event_result exthost_event_result;
typedef struct exthost_events_table exthost_events_table;
typedef struct exthost_param exthost_param;
typedef struct exthost_query exthost_query;
typedef struct exthost_row exthost_row;
typedef struct exthost_run_result exthost_run_result;
typedef struct exthost_tx_spec exthost_tx_spec;
typedef struct exthost_migration exthost_migration;
typedef struct exthost_db_table exthost_db_table;
typedef struct exthost_publication exthost_publication;
typedef struct exthost_broadcast_table exthost_broadcast_table;
typedef struct exthost_webhook exthost_webhook;
typedef struct exthost_webhooks_table exthost_webhooks_table;
typedef struct exthost_kv_entry exthost_kv_entry;
typedef struct exthost_kv_write exthost_kv_write;
typedef struct exthost_kv_query exthost_kv_query;
typedef struct exthost_kv_table exthost_kv_table;
typedef struct exthost_cache_table exthost_cache_table;
typedef struct exthost_audit_record exthost_audit_record;
typedef struct exthost_audit_table exthost_audit_table;

/* --------------------------------------------------------------------------
 * The plain data that crosses the boundary: text, bytes, status, values.
 *
 * Nothing here owns memory except `exthost_buffer`, and nothing is followed
 * except `exthost_str`, `exthost_bytes` and the arrays that a struct names
 * with a length. Every pointer is borrowed for the call it is passed to
 * unless its field says otherwise. */

/* Borrowed UTF-8 text, not terminated by a zero byte.
 *
 * A null `ptr` with `len` 0 is the empty text. */
struct exthost_str {
    /* First byte, or null when `len` is 0. */
    const char *ptr;
    /* Length in bytes. */
    size_t len;
};

/* Borrowed bytes.
 *
 * A null `ptr` with `len` 0 is empty. */
struct exthost_bytes {
    /* First byte, or null when `len` is 0. */
    const uint8_t *ptr;
    /* Length in bytes. */
    size_t len;
};

/* Frees what `owner` stands for, or nothing when it is null. Called exactly
 * once, from any thread. That of a `exthost_buffer` may be called after the
 * plugin's `destroy` and must not touch the plugin's instance. */
typedef void (*exthost_release_fn)(void *owner);

/* Owned bytes: whoever made them frees them, through `release`.
 *
 * A buffer with a null `release` is borrowed for the call, and the receiver
 * copies what it wants to keep. */
struct exthost_buffer {
    /* First byte, or null when `len` is 0. */
    const uint8_t *ptr;
    /* Length in bytes. */
    size_t len;
    /* Passed to `release`; belongs to whoever made the buffer. */
    void *owner;
    /* Frees the buffer. */
    exthost_release_fn release;
};

/* The outcome of a call: 0 is success, everything else says what kind of
 * failure; unknown codes are legal and mean failure.
 *
 * Who may grow it: the host, towards plugins. A plugin answers a hook with
 * one of the codes of its own API version. */
typedef int32_t exthost_status;
/* Success. */
#define EXTHOST_OK 0
/* An argument is malformed: null, too long, not UTF-8, an unknown flag. */
#define EXTHOST_INVALID 1
/* The capability was not granted, or what it covers ends before this. */
#define EXTHOST_DENIED 2
/* The plugin is being stopped, or has been. */
#define EXTHOST_STOPPED 3
/* What was named does not exist. */
#define EXTHOST_NOT_FOUND 4
/* What was named exists already, or a constraint forbids it. */
#define EXTHOST_CONFLICT 5
/* A size limit was exceeded. */
#define EXTHOST_TOO_LARGE 6
/* A bounded queue or pool is full; try again later. */
#define EXTHOST_BUSY 7
/* A deadline passed. */
#define EXTHOST_TIMEOUT 8
/* The one who asked is no longer interested. */
#define EXTHOST_CANCELLED 9
/* The id is of something that has ended, or never was this plugin's. */
#define EXTHOST_GONE 10
/* This host has the table, but not yet what stands behind it. */
#define EXTHOST_NOT_YET 11
/* The other side failed in a way the caller cannot mend. */
#define EXTHOST_INTERNAL 12
/* The callee panicked; the panic was contained. */
#define EXTHOST_PANICKED 13
/* Not at this time or on this thread: the slot's tag says when. */
#define EXTHOST_MISPLACED 14
/* The stream has ended; not a failure. */
#define EXTHOST_END 15
/* A filter refused the event. */
#define EXTHOST_VETOED 16
/* A storage quota, or the disk, is full. */
#define EXTHOST_FULL 17
/* The data is damaged. */
#define EXTHOST_CORRUPT 18

/* What went wrong, in the three forms people and programs need.
 *
 * Whoever hands it out says how long it lives. */
struct exthost_error {
    /* The kind of failure. */
    exthost_status status;
    /* 0. */
    uint32_t reserved;
    /* A stable code in lower case, such as `route-conflict`. */
    exthost_str code;
    /* One sentence for a person. */
    exthost_str message;
    /* A JSON object with particulars, or empty. */
    exthost_str detail;
};

/* A version in the sense of Semantic Versioning 2.0.0, without labels. */
struct exthost_version {
    /* Incompatible changes. */
    uint32_t major;
    /* Additions. */
    uint32_t minor;
    /* Corrections. */
    uint32_t patch;
};

/* One value of five kinds: what a database column or a log field holds.
 *
 * `kind` says which of the other fields counts; the others are 0 and empty. */
struct exthost_value {
    /* One of the `EXTHOST_VALUE_` constants. */
    uint32_t kind;
    /* 0. */
    uint32_t reserved;
    /* The value of kind `EXTHOST_VALUE_INTEGER`. */
    int64_t integer;
    /* The value of kind `EXTHOST_VALUE_REAL`. */
    double real;
    /* The value of kind `EXTHOST_VALUE_TEXT` (UTF-8) or
     * `EXTHOST_VALUE_BLOB`. */
    exthost_bytes data;
};

/* `exthost_value.kind`: no value. */
#define EXTHOST_VALUE_NULL 0u

/* `exthost_value.kind`: a signed 64-bit integer. */
#define EXTHOST_VALUE_INTEGER 1u

/* `exthost_value.kind`: an IEEE 754 double. */
#define EXTHOST_VALUE_REAL 2u

/* `exthost_value.kind`: UTF-8 text. */
#define EXTHOST_VALUE_TEXT 3u

/* `exthost_value.kind`: bytes. */
#define EXTHOST_VALUE_BLOB 4u

/* Reports the end of an operation that was started with a completing slot.
 *
 * Called exactly once for each operation that the slot accepted, also after
 * cancel or stop: on any thread, but never by the slot itself, on the thread
 * that called it. It must not block. `error` is null when `status` is
 * `EXTHOST_OK` and borrowed for the call otherwise. */
typedef void (*exthost_done_fn)(
    void *data,
    exthost_status status,
    const exthost_error *error);

/* Receives bytes that are borrowed for the call. It must not block. */
typedef void (*exthost_on_bytes_fn)(void *data, exthost_bytes bytes);

/* --------------------------------------------------------------------------
 * The door: the one table a plugin exports, and the one it is handed.
 *
 * Both are frozen like every other table. The plugin's table is data, so the
 * host runs nothing to obtain it. */

/* The value of `exthost_plugin_table.abi` and `exthost_services.abi`. */
#define EXTHOST_ABI 1u

/* The name of the exported door, of type `exthost_plugin_table`. */
#define EXTHOST_DOOR_SYMBOL "exthost_plugin"

/* `[init]` Makes an instance.
 *
 * `services` stays valid until the process ends. `instance` points to null.
 * On success the plugin stores its instance there, which may be null; it
 * belongs to the plugin and is handed back to every other hook. What it
 * registered becomes active with `start`. On failure it frees what it made,
 * calls `exthost_services.fail` to say why, and returns the status;
 * `destroy` is then not called.
 *
 * Called once, on a thread of its own, with a deadline (10 s unless the
 * operator says otherwise), after which every service answers
 * `EXTHOST_STOPPED` and a late success is ignored. */
typedef exthost_status (*exthost_init_fn)(
    const exthost_services *services,
    void **instance);

/* `[init]` Begins the plugin's own work, after every plugin has initialised.
 *
 * Called once, with the deadline of `init`. A failure retires the instance. */
typedef exthost_status (*exthost_start_fn)(void *instance);

/* `[any-thread]` Asks the instance to end its work: threads, connections.
 *
 * Called once, when calls have drained or their deadline has passed; hooks
 * that overstayed it may still be running beside it. Services answer while
 * it runs. When it has returned, or its time is over, tasks, timers and
 * operations are cancelled, and every slot but those of `log/1` answers
 * `EXTHOST_STOPPED`. A thread of the plugin's own learns earlier that a
 * drain has begun, from `exthost_tasks_table.remaining` of cause 0. */
typedef void (*exthost_stop_fn)(void *instance);

/* `[any-thread]` Frees the instance.
 *
 * Called at most once, after `stop`, and only when no hook, task or pending
 * completion of this instance is left. The library stays mapped. */
typedef void (*exthost_destroy_fn)(void *instance);

/* `[any-thread]` Returns the plugin's table for `id` and `revision`, or
 * null.
 *
 * Called at any time after the file was loaded, also before `init`. The
 * table must stay valid until the process ends. */
typedef const void *(*exthost_extension_fn)(exthost_str id, uint32_t revision);

/* The table that a plugin exports as the data symbol `exthost_plugin`.
 *
 * Since: API 1.0. */
struct exthost_plugin_table {
    /* `EXTHOST_ABI`. Anything else is refused. */
    uint32_t abi;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* Makes an instance and registers what it offers. Must not be null. */
    exthost_init_fn init;
    /* Called once all plugins have initialised. May be null. */
    exthost_start_fn start;
    /* Asks the instance to end its work. May be null. */
    exthost_stop_fn stop;
    /* Frees the instance. May be null. */
    exthost_destroy_fn destroy;
    /* Offers optional tables to the host. May be null. */
    exthost_extension_fn extension;
};

/* The table that the host hands to `exthost_init_fn`; valid until the
 * process ends.
 *
 * Since: API 1.0. */
struct exthost_services {
    /* `EXTHOST_ABI`. */
    uint32_t abi;
    /* 0. No bit is defined; the host may grow it. */
    uint32_t flags;
    /* Stands for this plugin's generation; the first argument of every slot
     * of every service table. Never followed by the plugin. */
    const void *ctx;
    /* The API version the host offers. */
    exthost_version api;
    /* 0. */
    uint32_t reserved;

    /* `[any-thread]` Returns the service table `id` at `revision`, valid
     * until the process ends, or null.
     *
     * Errors: null for an unknown id or revision and for a capability that
     * was not granted; `exthost_services.last_error` says which
     * (`no-such-table`, `denied`).
     * Since: API 1.0. */
    const void *(*service)(const void *ctx, exthost_str id, uint32_t revision);

    /* `[any-thread]` Says why the hook that runs on this thread is about to
     * return a failure; of a hook or callback that returns no status, that
     * it has failed, which is counted as a fault. `code` is the plugin's own
     * stable code, `message` one sentence, `detail` a JSON object or empty;
     * all are copied.
     *
     * Errors: `EXTHOST_INVALID`.
     * Since: API 1.0. */
    exthost_status (*fail)(
        const void *ctx,
        exthost_str code,
        exthost_str message,
        exthost_str detail);

    /* `[any-thread]` Describes the failure of this thread's most recent call
     * to the host. The texts stay valid until this thread's next call.
     *
     * Errors: `EXTHOST_NOT_FOUND` when that call did not fail.
     * Since: API 1.0. */
    exthost_status (*last_error)(const void *ctx, exthost_error *error);
};

/* --------------------------------------------------------------------------
 * `log/1`: structured lines, tagged by the host with plugin and request. */

/* The id of the table. */
#define EXTHOST_LOG_ID "log"

/* A failure that someone must look at. */
#define EXTHOST_LEVEL_ERROR 1u

/* Something unexpected that was dealt with. */
#define EXTHOST_LEVEL_WARN 2u

/* What an operator wants to see by default. */
#define EXTHOST_LEVEL_INFO 3u

/* What an author wants to see while writing. */
#define EXTHOST_LEVEL_DEBUG 4u

/* Everything. */
#define EXTHOST_LEVEL_TRACE 5u

/* One named value of a line. */
struct exthost_field {
    /* Name, 1 to 64 bytes. */
    exthost_str name;
    /* Value; a blob is shown as its length. */
    exthost_value value;
};

/* The table `log/1`.
 *
 * Since: API 1.0. */
struct exthost_log_table {
    /* `[any-thread]` Writes one line. `message` is at most 16 KiB, longer
     * ones are cut and marked; at most 64 fields. All arguments are
     * borrowed.
     *
     * Errors: `EXTHOST_INVALID` for an unknown level or a malformed
     * argument.
     * Since: API 1.0. */
    exthost_status (*write)(
        const void *ctx,
        uint64_t cause,
        uint32_t level,
        exthost_str message,
        const exthost_field *fields,
        size_t fields_len);

    /* `[any-thread]` Stores 1 in `enabled` when a line of `level` would be
     * kept, else 0, so that a plugin can skip building it.
     *
     * Errors: `EXTHOST_INVALID`.
     * Since: API 1.0. */
    exthost_status (*enabled)(
        const void *ctx,
        uint64_t cause,
        uint32_t level,
        uint32_t *enabled);
};

/* --------------------------------------------------------------------------
 * `config/1`: the options that the operator set for this plugin. */

/* The id of the table. */
#define EXTHOST_CONFIG_ID "config"

/* The table `config/1`.
 *
 * Since: API 1.0. */
struct exthost_config_table {
    /* `[init]` Declares the defaults, a JSON object, and optionally a JSON
     * Schema (draft 2020-12). The operator's options are merged over the
     * defaults, object by object, and the result is checked. Both texts are
     * copied; either may be empty.
     *
     * Errors: `EXTHOST_INVALID`, with the path of the value and the reason,
     * when a text is not JSON or the options fail the schema; the plugin
     * should then fail its `init`. `EXTHOST_MISPLACED` outside `init`.
     * Since: API 1.0. */
    exthost_status (*declare)(
        const void *ctx,
        uint64_t cause,
        exthost_str defaults,
        exthost_str schema);

    /* `[any-thread]` Hands the value at `pointer`, a JSON Pointer (RFC
     * 6901), to `on_value` as JSON text, once, before it returns. The empty
     * pointer is the whole options object.
     *
     * Errors: `EXTHOST_NOT_FOUND` when nothing stands there,
     * `EXTHOST_INVALID` for a malformed pointer; `on_value` is then not
     * called.
     * Since: API 1.0. */
    exthost_status (*read)(
        const void *ctx,
        uint64_t cause,
        exthost_str pointer,
        void *data,
        exthost_on_bytes_fn on_value);
};

/* --------------------------------------------------------------------------
 * `routes/1`: HTTP routes under `/api/ext/<name>/`, requests, responses and
 * streams of both.
 *
 * The host calls `exthost_route_handle_fn` with a request; the plugin
 * answers the request's id, at once or later, from any thread. The answer is
 * a state machine with one end: `respond`, or `respond_start`, any number of
 * `respond_chunk`, then `respond_end` or `respond_abort`. A second answer is
 * `EXTHOST_GONE` and counted as a fault; a chunk or an end before the head
 * is `EXTHOST_MISPLACED`; a response that is refused is counted as well and
 * leaves the request open. When no head has come by the deadline the host
 * answers 504 and the id is gone. */

/* The id of the table. */
#define EXTHOST_ROUTES_ID "routes"

/* `exthost_route_spec.flags`: reachable without authentication. */
#define EXTHOST_ROUTE_PUBLIC 1u

/* `exthost_route_spec.flags`: `handle` is called on the thread that read the
 * request, and must return within microseconds without blocking. */
#define EXTHOST_ROUTE_INLINE 2u

/* `exthost_route_spec.flags`: the body is not collected; `body_next` reads
 * it. */
#define EXTHOST_ROUTE_STREAM_BODY 4u

/* `flags` of `cancelled_async`: a drain does not complete it. */
#define EXTHOST_CANCELLED_NOT_BY_DRAIN 1u

/* What a route answers to, and its limits. Borrowed for the call. Times
 * above a day count as a day. */
struct exthost_route_spec {
    /* An HTTP method in capitals, or `*` for all. */
    exthost_str method;
    /* The path after the mount, `items/{id}` or `files/{*path}`; a leading
     * slash is allowed and changes nothing. */
    exthost_str pattern;
    /* `EXTHOST_ROUTE_` bits. The plugin may grow it; a host refuses bits it
     * does not know. */
    uint32_t flags;
    /* 0. */
    uint32_t reserved;
    /* Scopes that the actor must have, all of them. */
    const exthost_str *scopes;
    /* Number of `scopes`. */
    size_t scopes_len;
    /* Largest request body in bytes, streamed or not; 0 for the host's
     * default of 2 MiB, `UINT64_MAX` for no limit. */
    uint64_t body_bytes_max;
    /* Time to the response head; 0 for the host's default of 30 s. */
    uint64_t deadline_ms;
    /* Longest pause in a streamed body, either way; 0 for the default of 30
     * s. */
    uint64_t idle_timeout_ms;
};

/* One header or trailer. */
struct exthost_header {
    /* Name; in requests in lower case. */
    exthost_str name;
    /* Value as sent. */
    exthost_bytes value;
};

/* One value captured by the pattern. */
struct exthost_path_param {
    /* Name in the pattern. */
    exthost_str name;
    /* Value, percent-decoded once. */
    exthost_str value;
};

/* `exthost_actor.kind`: nobody was authenticated. */
#define EXTHOST_ACTOR_ANONYMOUS 0u

/* `exthost_actor.kind`: a person. */
#define EXTHOST_ACTOR_USER 1u

/* `exthost_actor.kind`: an application or a token. */
#define EXTHOST_ACTOR_TOKEN 2u

/* `exthost_actor.kind`: another plugin. */
#define EXTHOST_ACTOR_PLUGIN 3u

/* Who is asking. */
struct exthost_actor {
    /* One of the `EXTHOST_ACTOR_` constants; the host may grow them. */
    uint32_t kind;
    /* 0. */
    uint32_t reserved;
    /* Stable id, empty when anonymous. */
    exthost_str id;
    /* Name for people, may be empty. */
    exthost_str name;
    /* Scopes the actor has. */
    const exthost_str *scopes;
    /* Number of `scopes`. */
    size_t scopes_len;
    /* On whose behalf the actor asks, or null. */
    const exthost_actor *on_behalf_of;
};

/* A request. Everything in it is borrowed for the call of
 * `exthost_route_handle_fn`; a plugin that answers later copies what it
 * needs. */
struct exthost_request {
    /* The id that `add` stored for the route. */
    uint64_t route;
    /* HTTP method. */
    exthost_str method;
    /* The path after the mount as the client sent it, without a leading
     * slash. */
    exthost_str path;
    /* The query as the client sent it, without `?`. */
    exthost_str query;
    /* Where the plugin is mounted: `/api/ext/<name>`. */
    exthost_str mount;
    /* Values captured by the pattern, in order. */
    const exthost_path_param *params;
    /* Number of `params`. */
    size_t params_len;
    /* Headers in the order received. */
    const exthost_header *headers;
    /* Number of `headers`. */
    size_t headers_len;
    /* The whole body; empty for `EXTHOST_ROUTE_STREAM_BODY`. */
    exthost_bytes body;
    /* Address of the client, `ip:port`; empty when unknown. */
    exthost_str peer;
    /* The request's id in logs and error bodies. */
    exthost_str request_id;
    /* Who is asking; never null. */
    const exthost_actor *actor;
    /* Time left until the head must be there. */
    uint64_t deadline_ms;
};

/* A response, or its head. Borrowed for the call, but for the body's buffer. */
struct exthost_response {
    /* HTTP status, 200 to 999. */
    uint32_t status;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* Headers. */
    const exthost_header *headers;
    /* Number of `headers`. */
    size_t headers_len;
    /* The body. The host takes it whatever it answers: with a `release` it
     * is not copied, without one it is copied before the call returns. */
    exthost_buffer body;
};

/* `[serving]` Handles one request; `cause` is the id to answer.
 *
 * Returning `EXTHOST_OK` says that the plugin has answered or will. Any
 * other status is an answer as of `respond_error`, with what was told to
 * `exthost_services.fail`; after a head it is `respond_abort`. */
typedef exthost_status (*exthost_route_handle_fn)(
    void *data,
    uint64_t cause,
    const exthost_request *request);

/* Receives one chunk of a request body, with the contract of
 * `exthost_done_fn`.
 *
 * With `EXTHOST_OK` the plugin takes `chunk` and releases it once;
 * `EXTHOST_END` says that the body is complete. Otherwise `chunk` is null. */
typedef void (*exthost_body_done_fn)(
    void *data,
    exthost_status status,
    const exthost_error *error,
    exthost_buffer *chunk);

/* The table `routes/1`.
 *
 * Since: API 1.0. */
struct exthost_routes_table {
    /* `[init]` Adds a route; it becomes active when the plugin serves.
     * `handle` and `data` stay the plugin's and must be valid until
     * `destroy`. The route's id is stored in `route`.
     *
     * Errors: `EXTHOST_CONFLICT` naming both patterns; `EXTHOST_INVALID` for
     * a bad method, pattern or flag; `EXTHOST_MISPLACED` outside `init`.
     * Since: API 1.0. */
    exthost_status (*add)(
        const void *ctx,
        uint64_t cause,
        const exthost_route_spec *spec,
        void *data,
        exthost_route_handle_fn handle,
        uint64_t *route);

    /* `[any-thread]` Answers `request` with a head and a whole body.
     *
     * Errors: `EXTHOST_GONE` when it was answered, timed out or the client
     * left; `EXTHOST_INVALID` for a bad status or header, and the request
     * stays open.
     * Since: API 1.0. */
    exthost_status (*respond)(
        const void *ctx,
        uint64_t request,
        const exthost_response *response);

    /* `[any-thread]` Answers `request` with a problem (RFC 9457). The status
     * of `error` says which: `EXTHOST_INVALID` 400, `EXTHOST_DENIED` 403,
     * `EXTHOST_NOT_FOUND` 404, `EXTHOST_CONFLICT` 409, `EXTHOST_TOO_LARGE`
     * 413, `EXTHOST_BUSY` and `EXTHOST_STOPPED` 503, `EXTHOST_TIMEOUT` 504,
     * `EXTHOST_FULL` 507, anything else 500. The client sees code and
     * message, but not those of a 500, which go to the log alone. Everything
     * is copied.
     *
     * Errors: `EXTHOST_GONE`; `EXTHOST_INVALID` for a status of
     * `EXTHOST_OK`.
     * Since: API 1.0. */
    exthost_status (*respond_error)(
        const void *ctx,
        uint64_t request,
        const exthost_error *error);

    /* `[any-thread]` Sends the head and begins a streamed body; a body in
     * `response` is its first chunk. With a `content-length` among the
     * headers the body must have that length, else the connection is cut.
     *
     * Errors: as `respond`.
     * Since: API 1.0. */
    exthost_status (*respond_start)(
        const void *ctx,
        uint64_t request,
        const exthost_response *response);

    /* `[any-thread]`, not in an inline route or a poll. Sends a chunk,
     * waiting while the client is slower than the plugin. The host takes
     * `chunk` whatever it answers, as in `exthost_response.body`.
     *
     * Errors: `EXTHOST_GONE` when the client left or the response has ended;
     * `EXTHOST_TIMEOUT` after the idle timeout, which ends it;
     * `EXTHOST_MISPLACED`.
     * Since: API 1.0. */
    exthost_status (*respond_chunk)(
        const void *ctx,
        uint64_t request,
        const exthost_buffer *chunk);

    /* `[any-thread]` Sends a chunk if there is room for it at once. Unlike
     * the other slots it takes `chunk` only when it answers `EXTHOST_OK`.
     *
     * Errors: `EXTHOST_BUSY` when there is no room; else as `respond_chunk`.
     * Since: API 1.0. */
    exthost_status (*respond_chunk_try)(
        const void *ctx,
        uint64_t request,
        const exthost_buffer *chunk);

    /* `[any-thread]` The completing form of `respond_chunk`, which takes
     * `chunk` whatever it answers as well; one chunk of a request may be
     * under way at a time.
     *
     * Errors: as `respond_chunk`, by the call or by `done`, and
     * `EXTHOST_BUSY`.
     * Since: API 1.0. */
    exthost_status (*respond_chunk_async)(
        const void *ctx,
        uint64_t request,
        const exthost_buffer *chunk,
        void *data,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Ends a streamed body, with trailers or none.
     *
     * Errors: `EXTHOST_GONE`; `EXTHOST_INVALID` for a bad trailer, and the
     * response stays open.
     * Since: API 1.0. */
    exthost_status (*respond_end)(
        const void *ctx,
        uint64_t request,
        const exthost_header *trailers,
        size_t trailers_len);

    /* `[any-thread]` Gives the request up: before the head the client is
     * answered 500, after it the connection is cut, so that the client sees
     * that the body is not whole.
     *
     * Errors: `EXTHOST_GONE`.
     * Since: API 1.0. */
    exthost_status (*respond_abort)(const void *ctx, uint64_t request);

    /* `[any-thread]`, not in an inline route or a poll. Waits for the next
     * chunk of the request's body and stores it in `chunk`; the plugin
     * releases it once.
     *
     * Errors: `EXTHOST_END` when the body is complete, however often asked;
     * `EXTHOST_GONE` when the client left; `EXTHOST_TOO_LARGE` beyond the
     * route's limit; `EXTHOST_TIMEOUT` after the idle timeout;
     * `EXTHOST_MISPLACED`, also for a route without
     * `EXTHOST_ROUTE_STREAM_BODY`. A body may be read until the request
     * ends, also while a response is streamed.
     * Since: API 1.0. */
    exthost_status (*body_next)(
        const void *ctx,
        uint64_t request,
        exthost_buffer *chunk);

    /* `[any-thread]` The completing form of `body_next`; one read of a
     * request may be under way at a time.
     *
     * Errors: as `body_next`, by the call or by `done`, and `EXTHOST_BUSY`.
     * Since: API 1.0. */
    exthost_status (*body_next_async)(
        const void *ctx,
        uint64_t request,
        void *data,
        exthost_body_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Answers whether the response is still wanted:
     * `EXTHOST_OK` when it is.
     *
     * Errors: `EXTHOST_CANCELLED` when the client left, `EXTHOST_TIMEOUT`
     * when the host gave it up, `EXTHOST_STOPPED` when the plugin drains and
     * endless streams should end, `EXTHOST_GONE` when the request has ended.
     * Since: API 1.0. */
    exthost_status (*cancelled)(const void *ctx, uint64_t request);

    /* `[any-thread]` Completes as soon as `cancelled` would not answer
     * `EXTHOST_OK`, with that status. `flags` are `EXTHOST_CANCELLED_` bits,
     * which the plugin may grow.
     *
     * Errors: `EXTHOST_GONE` when the request has ended, `EXTHOST_INVALID`
     * for an unknown flag.
     * Since: API 1.0. */
    exthost_status (*cancelled_async)(
        const void *ctx,
        uint64_t request,
        uint32_t flags,
        void *data,
        exthost_done_fn done,
        uint64_t *op);
};

/* --------------------------------------------------------------------------
 * `tasks/1`: futures on the host's runtime, timers, and blocking work. Needs
 * no grant.
 *
 * Ids of tasks, timers and operations are unique in the process and never
 * used twice; `exthost_tasks_table.cancel` takes any of them. Each
 * registration carries a `release`, called exactly once when the host will
 * not call the other callbacks again, after cancel and stop as well, never
 * on the thread that called the slot; until then `data` belongs to the host.
 *
 * What is registered in `init` begins when `start` has returned. It takes on
 * actor, request id and depth of its `cause`, not the deadline, and ends
 * with the plugin, not with the cause, unless a flag says so. */

/* The id of the table. */
#define EXTHOST_TASKS_ID "tasks"

/* `exthost_poll_fn`: not done; poll again after a wake. */
#define EXTHOST_POLL_PENDING 0u

/* `exthost_poll_fn`: done; never polled again. */
#define EXTHOST_POLL_READY 1u

/* `flags` of `spawn` and `blocking`: cancelled as soon as nobody waits for
 * the request that is its cause: the client left, the host gave it up, or
 * the response is complete. A drain does not cancel it. */
#define EXTHOST_TASK_ENDS_WITH_CAUSE 1u

/* `exthost_timer_spec.flags`: `fire` is called on the host's runtime and
 * must return within microseconds without blocking. */
#define EXTHOST_TIMER_INLINE 1u

/* `[serving]` Advances a future; must return within microseconds. `task` is
 * the id to wake, and the cause of calls the future makes for itself; one
 * that serves a request goes on to use the request's id.
 *
 * Never called twice at a time for one task. */
typedef uint32_t (*exthost_poll_fn)(void *data, uint64_t task);

/* `[serving]` Runs when a timer is due, or for blocking work once. `id` is
 * that of the timer or task, and the cause of the calls it makes.
 *
 * Never called twice at a time for one id. */
typedef void (*exthost_run_fn)(void *data, uint64_t id);

/* When a timer fires. */
struct exthost_timer_spec {
    /* Time to the first firing. */
    uint64_t delay_ms;
    /* Time between firings, start to start; 0 fires once. A firing that
     * overstays makes the next one late, never doubled. */
    uint64_t period_ms;
    /* `EXTHOST_TIMER_` bits. The plugin may grow it. */
    uint32_t flags;
    /* 0. */
    uint32_t reserved;
    /* Name for people, shown when it overstays a drain; may be empty. */
    exthost_str name;
};

/* The table `tasks/1`.
 *
 * Since: API 1.0. */
struct exthost_tasks_table {
    /* `[any-thread]` Spawns a future on the host's runtime: `poll` is called
     * once soon, and again after each wake, also one that came during a
     * poll. `name` is for people and copied; `flags` are `EXTHOST_TASK_`
     * bits, which the plugin may grow.
     *
     * Errors: `EXTHOST_BUSY` at the plugin's limit of tasks,
     * `EXTHOST_INVALID`, `EXTHOST_STOPPED`; nothing is then called,
     * `release` neither.
     * Since: API 1.0. */
    exthost_status (*spawn)(
        const void *ctx,
        uint64_t cause,
        uint32_t flags,
        exthost_str name,
        void *data,
        exthost_poll_fn poll,
        exthost_release_fn release,
        uint64_t *task);

    /* `[any-thread]` Makes the host poll `task` again. Never runs plugin
     * code before it returns.
     *
     * Errors: `EXTHOST_GONE` when the task has ended.
     * Since: API 1.0. */
    exthost_status (*wake)(const void *ctx, uint64_t task);

    /* `[any-thread]` Starts a timer; `fire` runs on the plugin's blocking
     * pool unless it is `EXTHOST_TIMER_INLINE`. One of period 0 is released
     * after it fired; any may be cancelled by its own `fire`.
     *
     * Errors: as `spawn`.
     * Since: API 1.0. */
    exthost_status (*timer)(
        const void *ctx,
        uint64_t cause,
        const exthost_timer_spec *spec,
        void *data,
        exthost_run_fn fire,
        exthost_release_fn release,
        uint64_t *timer);

    /* `[any-thread]` Runs `run` once on the plugin's blocking pool; `name`
     * and `flags` as of `spawn`.
     *
     * Errors: `EXTHOST_BUSY` when the pool's queue is full; else as `spawn`.
     * Since: API 1.0. */
    exthost_status (*blocking)(
        const void *ctx,
        uint64_t cause,
        uint32_t flags,
        exthost_str name,
        void *data,
        exthost_run_fn run,
        exthost_release_fn release,
        uint64_t *task);

    /* `[any-thread]` Cancels a task, timer, blocking work that has not
     * begun, or an operation started by a completing slot of any table. What
     * is running is not interrupted; its `release` or `exthost_done_fn`
     * follows. A chunk of a response that was not yet sent is dropped, one
     * of a request that was not yet handed over is kept for the next read.
     *
     * Errors: `EXTHOST_GONE` when it has ended.
     * Since: API 1.0. */
    exthost_status (*cancel)(const void *ctx, uint64_t id);

    /* `[any-thread]` Stores the time left for the request, event or call
     * that `cause` stands for in `remaining_ms`; `UINT64_MAX` when there is
     * no bound, as for cause 0.
     *
     * Errors: `EXTHOST_TIMEOUT` when it has passed, `EXTHOST_CANCELLED` when
     * nobody waits any more, `EXTHOST_GONE` when it has ended; for cause 0
     * `EXTHOST_STOPPED` once the plugin drains.
     * Since: API 1.0. */
    exthost_status (*remaining)(
        const void *ctx,
        uint64_t cause,
        uint64_t *remaining_ms);
};

/* --------------------------------------------------------------------------
 * `events/1`: publish and subscribe between plugins and the host, with
 * filters that may change or veto. */

/* The id of the table. */
#define EXTHOST_EVENTS_ID "events"

/* `exthost_subscription_spec.mode`: told after the fact, through a queue, in
 * order. */
#define EXTHOST_EVENT_MODE_OBSERVE 0u

/* `exthost_subscription_spec.mode`: asked in turn; may replace the payload
 * or veto. */
#define EXTHOST_EVENT_MODE_FILTER 1u

/* `exthost_subscription_spec.flags`: does not hear what this plugin emits. */
#define EXTHOST_SUBSCRIBE_NOT_OWN 1u

/* `exthost_subscription_spec.flags`: the handler is called on the host's
 * runtime and must return within microseconds without blocking. */
#define EXTHOST_SUBSCRIBE_INLINE 2u

/* `exthost_subscription_spec.flags`: a delivery lasts until `answer`, an
 * observer's too, and the next one waits for it; so that a handler may go on
 * later. */
#define EXTHOST_SUBSCRIBE_ANSWERS 4u

/* `exthost_event_request.policy`: a filter that fails is passed over. */
#define EXTHOST_POLICY_FAIL_OPEN 1u

/* `exthost_event_request.policy`: a filter that fails vetoes. */
#define EXTHOST_POLICY_FAIL_CLOSED 2u

/* `exthost_verdict.kind`: let it pass as it is. */
#define EXTHOST_VERDICT_PASS 0u

/* `exthost_verdict.kind`: go on with the payload given. */
#define EXTHOST_VERDICT_REPLACE 1u

/* `exthost_verdict.kind`: refuse, with a reason. */
#define EXTHOST_VERDICT_VETO 2u

/* `exthost_verdict.kind`: the handler has failed, as by a status other than
 * `EXTHOST_OK`. */
#define EXTHOST_VERDICT_FAIL 3u

/* An event to be sent. Borrowed for the call, copied by the host. */
struct exthost_message {
    /* Tokens `[A-Za-z0-9_-]+` joined by dots. */
    exthost_str name;
    /* Media type of the payload; empty for `application/json`. */
    exthost_str content_type;
    /* The payload, at most 1 MiB. */
    exthost_bytes payload;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* 0. */
    uint32_t reserved;
};

/* What a subscription hears, and how. */
struct exthost_subscription_spec {
    /* A name, in which `*` stands for one token and a last `>` for the rest. */
    exthost_str pattern;
    /* One of the `EXTHOST_EVENT_MODE_` constants. */
    uint32_t mode;
    /* Lower is called first; ties by plugin name, then registration. */
    int32_t priority;
    /* `EXTHOST_SUBSCRIBE_` bits. The plugin may grow it. */
    uint32_t flags;
    /* Events that may wait for an observer, 65,536 at most; 0 for the
     * default of 1,024. */
    uint32_t queue_max;
    /* Time for a filter, or an observer that answers, to do so, a day at
     * most; 0 for the request's own deadline, and for an observer for the
     * default of 5 s. */
    uint64_t deadline_ms;
};

/* An event as a handler sees it. Borrowed for the call. */
struct exthost_event {
    /* The subscription that heard it. */
    uint64_t subscription;
    /* Its name, after the operator's aliases. */
    exthost_str name;
    /* Media type of the payload. */
    exthost_str content_type;
    /* The payload; for a filter, as the filters before it left it. */
    exthost_bytes payload;
    /* The plugin that emitted it; empty for the host. */
    exthost_str emitter;
    /* When it was emitted, milliseconds since the Unix epoch. */
    uint64_t emitted_at_ms;
    /* Events that this subscription has lost to a full queue since the last. */
    uint64_t lost;
};

/* `[serving]` Handles an event; `cause` is the id of this delivery.
 *
 * A filter answers `cause` with `answer`, at once or later, from any thread,
 * once. A status other than `EXTHOST_OK`, `EXTHOST_VERDICT_FAIL`, and no
 * answer by the deadline is a failed filter, whose meaning the emitter's
 * policy decides. */
typedef exthost_status (*exthost_event_handle_fn)(
    void *data,
    uint64_t cause,
    const exthost_event *event);

/* What a filter decides. Borrowed for the call, copied by the host. */
struct exthost_verdict {
    /* One of the `EXTHOST_VERDICT_` constants. */
    uint32_t kind;
    /* 0. */
    uint32_t reserved;
    /* The new payload of `EXTHOST_VERDICT_REPLACE`, of the event's content
     * type. */
    exthost_bytes payload;
    /* The reason of `EXTHOST_VERDICT_VETO`, for people; that of
     * `EXTHOST_VERDICT_FAIL`, for the log. What is beyond 4 KiB is cut off. */
    exthost_str reason;
};

/* An event whose filters are waited for. Borrowed for the call. */
struct exthost_event_request {
    /* The event. */
    exthost_message message;
    /* One of the `EXTHOST_POLICY_` constants; there is no default. */
    uint32_t policy;
    /* 0. */
    uint32_t reserved;
    /* Time for all filters, 5 minutes at most; 0 for the host's default of 5
     * s. */
    uint64_t deadline_ms;
};

/* The result of an `exthost_event_request`. Borrowed for the call. */
struct exthost_event_result {
    /* The payload as the filters left it. */
    exthost_bytes payload;
    /* Media type of the payload. */
    exthost_str content_type;
    /* The plugin that vetoed, or empty. */
    exthost_str vetoed_by;
    /* Its reason, or empty. */
    exthost_str reason;
};

/* Receives the result of a request, with the contract of `exthost_done_fn`.
 *
 * `result` is null unless `status` is `EXTHOST_OK` or `EXTHOST_VETOED`. */
typedef void (*exthost_event_done_fn)(
    void *data,
    exthost_status status,
    const exthost_error *error,
    const exthost_event_result *result);

/* The table `events/1`.
 *
 * Since: API 1.0. */
struct exthost_events_table {
    /* `[any-thread]` Subscribes; one made in `init` becomes active when the
     * plugin serves. `data` belongs to the host until it calls `release`,
     * which it does once `handle` will not be called again: after
     * `unsubscribe`, or before `destroy`. The subscription's id is stored in
     * `subscription`.
     *
     * Errors: `EXTHOST_INVALID` for a bad pattern, mode or flag;
     * `EXTHOST_BUSY` at the plugin's limit of subscriptions.
     * Since: API 1.0. */
    exthost_status (*subscribe)(
        const void *ctx,
        uint64_t cause,
        const exthost_subscription_spec *spec,
        void *data,
        exthost_event_handle_fn handle,
        exthost_release_fn release,
        uint64_t *subscription);

    /* `[any-thread]` Ends a subscription; what is queued for it is dropped.
     * A delivery that has begun may still be running when this returns.
     *
     * Errors: `EXTHOST_GONE`.
     * Since: API 1.0. */
    exthost_status (*unsubscribe)(
        const void *ctx,
        uint64_t cause,
        uint64_t subscription);

    /* `[any-thread]` Ends the delivery `event` with a verdict; an observer's
     * can only be `EXTHOST_VERDICT_PASS` or `EXTHOST_VERDICT_FAIL`.
     *
     * Errors: `EXTHOST_GONE` when it was answered or its deadline has
     * passed; `EXTHOST_INVALID`; `EXTHOST_MISPLACED` for an observer without
     * `EXTHOST_SUBSCRIBE_ANSWERS`.
     * Since: API 1.0. */
    exthost_status (*answer)(
        const void *ctx,
        uint64_t event,
        const exthost_verdict *verdict);

    /* `[any-thread]` Emits an event; returns once it is queued for every
     * observer that has room.
     *
     * Errors: `EXTHOST_INVALID`, `EXTHOST_TOO_LARGE`; `EXTHOST_DENIED` for
     * `core.*`; `EXTHOST_BUSY` beyond the depth of 8 events that cause each
     * other.
     * Since: API 1.0. */
    exthost_status (*emit)(
        const void *ctx,
        uint64_t cause,
        const exthost_message *message);

    /* `[any-thread]` Emits an event to one plugin, which hears it exactly
     * once, as soon as it serves.
     *
     * Errors: `EXTHOST_NOT_FOUND` for an unknown plugin, `EXTHOST_BUSY` when
     * its queue is full; else as `emit`.
     * Since: API 1.0. */
    exthost_status (*emit_to)(
        const void *ctx,
        uint64_t cause,
        exthost_str plugin,
        const exthost_message *message);

    /* `[any-thread]`, not in an inline route or a poll. Runs the filters,
     * tells the observers, and calls `done` once before it returns.
     *
     * A filter that fails, or has not answered by the deadline, is what the
     * policy says.
     *
     * Errors: `EXTHOST_VETOED`; `EXTHOST_BUSY` at capacity or beyond the
     * depth; `EXTHOST_MISPLACED`; else as `emit`. `done` is called for
     * `EXTHOST_OK` and `EXTHOST_VETOED` only.
     * Since: API 1.0. */
    exthost_status (*request)(
        const void *ctx,
        uint64_t cause,
        const exthost_event_request *request,
        void *data,
        exthost_event_done_fn done);

    /* `[any-thread]` The completing form of `request`.
     *
     * Errors: as `request`, but for `EXTHOST_MISPLACED`; by the call or by
     * `done`.
     * Since: API 1.0. */
    exthost_status (*request_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_event_request *request,
        void *data,
        exthost_event_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Stores 1 in `listeners` when anybody would hear `name`,
     * else 0, so that a plugin can skip building the payload.
     *
     * Errors: `EXTHOST_INVALID`.
     * Since: API 1.0. */
    exthost_status (*has_listeners)(
        const void *ctx,
        uint64_t cause,
        exthost_str name,
        uint32_t *listeners);
};

/* --------------------------------------------------------------------------
 * `db/1`: the plugin's own SQLite database, scoped to tables named
 * `ext_<name>_...`.
 *
 * Arguments are borrowed for the call, also by the completing slots, which
 * copy them. A blocking slot may not be called in an inline route or a poll,
 * and no slot in `on_row` (`EXTHOST_MISPLACED`). Errors common to all that
 * run SQL: `EXTHOST_INVALID` (syntax, unknown column, wrong parameters),
 * `EXTHOST_DENIED` (outside the plugin's scope), `EXTHOST_CONFLICT` (a
 * constraint), `EXTHOST_BUSY`, `EXTHOST_TIMEOUT` (the deadline of a
 * statement or of its transaction), `EXTHOST_TOO_LARGE`, `EXTHOST_FULL`,
 * `EXTHOST_CORRUPT`, `EXTHOST_INTERNAL` (the disk), `EXTHOST_GONE` (a
 * transaction or statement that has ended), and `EXTHOST_CONFLICT` with the
 * code `own-transaction-open` for a write outside the transaction that the
 * same cause, other than 0, holds open. A transaction whose cause ends is
 * rolled back; one nested in another ends with it. A cancel does not cut
 * `commit`, `rollback` and a nested `begin` short. The error's detail is a
 * JSON object with SQLite's extended code and, where known, the position in
 * the text. */

/* The id of the table. */
#define EXTHOST_DB_ID "db"

/* `exthost_query.on`: the writer for statements that write, else a reader. */
#define EXTHOST_DB_ON_AUTO 0u

/* `exthost_query.on`: a reader; sees what was committed when it begins. */
#define EXTHOST_DB_ON_READER 1u

/* `exthost_query.on`: the writer; sees all that was acknowledged. */
#define EXTHOST_DB_ON_WRITER 2u

/* `exthost_query.on`: a reader, and the writer when that found no row. */
#define EXTHOST_DB_ON_READER_THEN_WRITER 3u

/* `exthost_db_table.dialect`: SQLite's. */
#define EXTHOST_DIALECT_SQLITE 1u

/* One parameter of a statement. */
struct exthost_param {
    /* Its name with its sign, `:id`, `@id` or `$id`; empty for the next
     * position. */
    exthost_str name;
    /* Its value. */
    exthost_value value;
};

/* One statement with its parameters. */
struct exthost_query {
    /* An id from `prepare`, with an empty `sql`; or 0 to use `sql`. */
    uint64_t statement;
    /* The text of one statement; statements are cached by their text. */
    exthost_str sql;
    /* An open transaction of this plugin, or 0. */
    uint64_t tx;
    /* Parameters. */
    const exthost_param *params;
    /* Number of `params`. */
    size_t params_len;
    /* One of the `EXTHOST_DB_ON_` constants; inside a transaction it is
     * ignored. */
    uint32_t on;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* Time for the statement; 0 for the plugin's limit, which also bounds
     * it. */
    uint64_t deadline_ms;
};

/* One row. Borrowed for the call of `exthost_on_row_fn`. */
struct exthost_row {
    /* Names of the columns, the same for every row of a statement. */
    const exthost_str *names;
    /* Values of the columns. */
    const exthost_value *values;
    /* Number of columns. */
    size_t len;
};

/* `exthost_on_row_fn`: go on. */
#define EXTHOST_DB_ROW_NEXT 0u

/* `exthost_on_row_fn`: enough; the statement ends with `EXTHOST_OK`. */
#define EXTHOST_DB_ROW_STOP 1u

/* Receives one row and answers `EXTHOST_DB_ROW_NEXT` or
 * `EXTHOST_DB_ROW_STOP`. It must not block and must not call the database. */
typedef uint32_t (*exthost_on_row_fn)(void *data, const exthost_row *row);

/* What a statement without rows did. */
struct exthost_run_result {
    /* Rows changed. */
    uint64_t changes;
    /* Rowid of the last row this connection inserted. */
    int64_t last_insert_rowid;
};

/* Receives the result of `run_async` and `rows_async`, with the contract of
 * `exthost_done_fn`; `result` is null unless `status` is `EXTHOST_OK`. */
typedef void (*exthost_run_done_fn)(
    void *data,
    exthost_status status,
    const exthost_error *error,
    const exthost_run_result *result);

/* Receives the id of a transaction or a prepared statement, with the
 * contract of `exthost_done_fn`; `id` is 0 unless `status` is `EXTHOST_OK`. */
typedef void (*exthost_id_done_fn)(
    void *data,
    exthost_status status,
    const exthost_error *error,
    uint64_t id);

/* Receives the result of the statement at `index` of a batch, in order,
 * before the batch completes. It must not block. May be null. */
typedef void (*exthost_on_result_fn)(
    void *data,
    size_t index,
    const exthost_run_result *result);

/* How a transaction is opened. */
struct exthost_tx_spec {
    /* An open transaction to nest in, as a savepoint, or 0. */
    uint64_t parent;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* 0. */
    uint32_t reserved;
    /* Time until it is rolled back; 0 for the plugin's limit, which also
     * bounds it. */
    uint64_t deadline_ms;
};

/* One step of a schema. */
struct exthost_migration {
    /* Its number, ascending from 1. */
    uint64_t version;
    /* One or more statements. */
    exthost_str sql;
};

/* The table `db/1`.
 *
 * Since: API 1.0. */
struct exthost_db_table {
    /* `[any-thread]` Runs each migration above the recorded version, each
     * once and in a transaction, after a backup; stores the version reached
     * in `version` unless that is null.
     *
     * Errors: `EXTHOST_CONFLICT` with the code `schema-newer` when the
     * recorded version is above the last given; `EXTHOST_INVALID` when they
     * do not ascend.
     * Since: API 1.0. */
    exthost_status (*migrate)(
        const void *ctx,
        uint64_t cause,
        const exthost_migration *migrations,
        size_t migrations_len,
        uint64_t *version);

    /* `[any-thread]` The completing form of `migrate`.
     *
     * Errors: as `migrate`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*migrate_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_migration *migrations,
        size_t migrations_len,
        void *data,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Checks one statement and stores an id for it in
     * `statement`, valid until `close`.
     *
     * Errors: those common to all.
     * Since: API 1.0. */
    exthost_status (*prepare)(
        const void *ctx,
        uint64_t cause,
        exthost_str sql,
        uint64_t *statement);

    /* `[any-thread]` The completing form of `prepare`.
     *
     * Errors: as `prepare`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*prepare_async)(
        const void *ctx,
        uint64_t cause,
        exthost_str sql,
        void *data,
        exthost_id_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Gives a prepared statement back; never waits.
     *
     * Errors: `EXTHOST_GONE`.
     * Since: API 1.0. */
    exthost_status (*close)(
        const void *ctx,
        uint64_t cause,
        uint64_t statement);

    /* `[any-thread]` Runs all statements of `sql`, without parameters, in
     * `tx` or, when that is 0, each by itself; stops at the first failure.
     *
     * Errors: those common to all; outside a transaction, what ran before
     * the failure stays.
     * Since: API 1.0. */
    exthost_status (*exec)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str sql);

    /* `[any-thread]` The completing form of `exec`.
     *
     * Errors: as `exec`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*exec_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str sql,
        void *data,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Runs a statement, ignoring rows, and stores what it did
     * in `result` unless that is null. Outside a transaction it returns once
     * committed.
     *
     * Errors: those common to all.
     * Since: API 1.0. */
    exthost_status (*run)(
        const void *ctx,
        uint64_t cause,
        const exthost_query *query,
        exthost_run_result *result);

    /* `[any-thread]` The completing form of `run`.
     *
     * Errors: as `run`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*run_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_query *query,
        void *data,
        exthost_run_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Runs a statement and hands each row to `on_row` before
     * it returns. A statement that writes (`RETURNING`) is committed before
     * the first row is handed over, and what it did is stored in `result`
     * unless that is null.
     *
     * Errors: those common to all; rows may have been handed over before
     * one.
     * Since: API 1.0. */
    exthost_status (*rows)(
        const void *ctx,
        uint64_t cause,
        const exthost_query *query,
        void *data,
        exthost_on_row_fn on_row,
        exthost_run_result *result);

    /* `[any-thread]` The completing form of `rows`: `on_row` for each row,
     * on any thread but never two at a time, then `done`.
     *
     * Errors: as `rows`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*rows_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_query *query,
        void *data,
        exthost_on_row_fn on_row,
        exthost_run_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Runs several statements in one transaction, or inside
     * the one their queries name, which must be the same; all or none.
     *
     * Errors: those common to all; nothing of the batch is kept then.
     * Since: API 1.0. */
    exthost_status (*batch)(
        const void *ctx,
        uint64_t cause,
        const exthost_query *queries,
        size_t queries_len,
        void *data,
        exthost_on_result_fn on_result);

    /* `[any-thread]` The completing form of `batch`.
     *
     * Errors: as `batch`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*batch_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_query *queries,
        size_t queries_len,
        void *data,
        exthost_on_result_fn on_result,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Opens a transaction, waiting for the writer, and stores
     * its id in `tx`. It is rolled back when its deadline passes.
     *
     * Errors: `EXTHOST_BUSY`, `EXTHOST_TIMEOUT`; `EXTHOST_GONE` for a parent
     * that has ended.
     * Since: API 1.0. */
    exthost_status (*begin)(
        const void *ctx,
        uint64_t cause,
        const exthost_tx_spec *spec,
        uint64_t *tx);

    /* `[any-thread]` The completing form of `begin`.
     *
     * Errors: as `begin`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*begin_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_tx_spec *spec,
        void *data,
        exthost_id_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Commits; the id ends whatever the answer, and a failure
     * has rolled back.
     *
     * Errors: those common to all.
     * Since: API 1.0. */
    exthost_status (*commit)(const void *ctx, uint64_t cause, uint64_t tx);

    /* `[any-thread]` The completing form of `commit`.
     *
     * Errors: as `commit`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*commit_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        void *data,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Rolls back; the id ends.
     *
     * Errors: those common to all.
     * Since: API 1.0. */
    exthost_status (*rollback)(const void *ctx, uint64_t cause, uint64_t tx);

    /* `[any-thread]` The completing form of `rollback`.
     *
     * Errors: as `rollback`, by the call or by `done`.
     * Since: API 1.0. */
    exthost_status (*rollback_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        void *data,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Stores one of the `EXTHOST_DIALECT_` constants in
     * `dialect`.
     *
     * Errors: none of its own.
     * Since: API 1.0. */
    exthost_status (*dialect)(
        const void *ctx,
        uint64_t cause,
        uint32_t *dialect);
};

/* --------------------------------------------------------------------------
 * `broadcast/1`: messages to the clients connected at `/api/broadcast`. */

/* The id of the table. */
#define EXTHOST_BROADCAST_ID "broadcast"

/* A message to be published. Borrowed for the call, copied by the host. */
struct exthost_publication {
    /* The channel, without the plugin's name: tokens `[A-Za-z0-9_-]+` joined
     * by dots, at most 128 bytes. */
    exthost_str channel;
    /* The kind of message, named like a channel; may be empty. */
    exthost_str event;
    /* UTF-8 text, JSON by convention, at most 64 KiB. What is not JSON
     * reaches clients as a JSON string. */
    exthost_str payload;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* 0. */
    uint32_t reserved;
};

/* The table `broadcast/1`.
 *
 * Since: API 1.0. */
struct exthost_broadcast_table {
    /* `[any-thread]` Publishes to the channel `<plugin>/<channel>`; returns
     * once the message is in the channel's ring and never waits for a
     * client. The message's number in its channel, counted from 1 and on
     * over reloads of the plugin, is stored in `sequence`, which may be
     * null.
     *
     * Errors: `EXTHOST_INVALID` for a bad channel or event name,
     * `EXTHOST_TOO_LARGE`; `EXTHOST_BUSY` (`channels-max`) beyond the
     * plugin's limit of channels, 256 by default; `EXTHOST_DENIED`
     * (`reserved-name`) for a plugin named `host`.
     * Since: API 1.0. */
    exthost_status (*publish)(
        const void *ctx,
        uint64_t cause,
        const exthost_publication *publication,
        uint64_t *sequence);

    /* `[any-thread]` Stores the number of clients that would receive a
     * message of `channel` in `count`, which may be null.
     *
     * Errors: `EXTHOST_INVALID`.
     * Since: API 1.0. */
    exthost_status (*subscriber_count)(
        const void *ctx,
        uint64_t cause,
        exthost_str channel,
        uint64_t *count);
};

/* --------------------------------------------------------------------------
 * `webhooks/1`: durable, signed messages to the endpoints of the operator. */

/* The id of the table. */
#define EXTHOST_WEBHOOKS_ID "webhooks"

/* A message to be delivered. Borrowed for the call, copied by the host. */
struct exthost_webhook {
    /* An open transaction of this plugin, whose commit queues the message
     * and whose rollback drops it; 0 queues it by itself. */
    uint64_t tx;
    /* What happened, as tokens joined by dots, such as `note.created`. */
    exthost_str event_type;
    /* Media type of the payload; empty for `application/json`. */
    exthost_str content_type;
    /* The bytes that are signed and sent, at most 256 KiB. */
    exthost_bytes payload;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* 0. */
    uint32_t reserved;
};

/* Receives the message's id, `msg_...`, the same over all attempts.
 *
 * For `fire` it is called once before `fire` returns `EXTHOST_OK`; for
 * `fire_async` it has the contract of `exthost_done_fn`, and `id` is empty
 * when `status` is not `EXTHOST_OK`. */
typedef void (*exthost_fire_done_fn)(
    void *data,
    exthost_status status,
    const exthost_error *error,
    exthost_str id);

/* The table `webhooks/1`.
 *
 * Since: API 1.0. */
struct exthost_webhooks_table {
    /* `[any-thread]`, not in an inline route or a poll. Queues a message and
     * returns once it is durable, or with a `tx` once it is part of it.
     *
     * Errors: `EXTHOST_INVALID`, `EXTHOST_TOO_LARGE`, `EXTHOST_GONE` for a
     * transaction that has ended, `EXTHOST_FULL`, `EXTHOST_MISPLACED`.
     * Since: API 1.0. */
    exthost_status (*fire)(
        const void *ctx,
        uint64_t cause,
        const exthost_webhook *webhook,
        void *data,
        exthost_fire_done_fn done);

    /* `[any-thread]` The completing form of `fire`.
     *
     * Errors: as `fire`, but for `EXTHOST_MISPLACED`; by the call or by
     * `done`.
     * Since: API 1.0. */
    exthost_status (*fire_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_webhook *webhook,
        void *data,
        exthost_fire_done_fn done,
        uint64_t *op);
};

/* --------------------------------------------------------------------------
 * `kv/1`: the plugin's own durable keys and values.
 *
 * A key is UTF-8, 1 to 1,024 bytes; a value is bytes. They lie in the
 * plugin's own file, so with a `tx` of `db/1` they are part of that
 * transaction; 0 stands for none. An entry whose time is up is not there for
 * any call. Arguments are copied; a blocking slot may not be called in an
 * inline route or a poll, and no slot in an `on_row` of `db/1`
 * (`EXTHOST_MISPLACED`). Errors common to all: `EXTHOST_INVALID` (an empty
 * key, a flag or condition that is not known), `EXTHOST_TOO_LARGE` (a key, a
 * value, too many at a time), `EXTHOST_BUSY`, `EXTHOST_TIMEOUT`,
 * `EXTHOST_FULL`, `EXTHOST_CORRUPT`, `EXTHOST_INTERNAL` (the disk),
 * `EXTHOST_GONE` (a transaction that has ended), and `EXTHOST_CONFLICT` with
 * the code `own-transaction-open` for a write outside the transaction that
 * the same cause, other than 0, holds open. */

/* The id of the table. */
#define EXTHOST_KV_ID "kv"

/* One entry. Borrowed for the call of `exthost_on_entry_fn`.
 *
 * Since: API 1.1. */
struct exthost_kv_entry {
    /* Its key. */
    exthost_str key;
    /* Its value; empty where only keys were asked for. */
    exthost_bytes value;
    /* Milliseconds until it ends; 0 for one that does not end. */
    uint64_t ttl_ms;
};

/* Receives one entry. It must not block and must not panic.
 *
 * Since: API 1.1. */
typedef void (*exthost_on_entry_fn)(void *data, const exthost_kv_entry *entry);

/* `exthost_kv_write.when`: whatever is there.
 *
 * Since: API 1.1. */
#define EXTHOST_KV_ALWAYS 0u

/* `exthost_kv_write.when`: only if there is no entry.
 *
 * Since: API 1.1. */
#define EXTHOST_KV_IF_ABSENT 1u

/* `exthost_kv_write.when`: only if there is an entry.
 *
 * Since: API 1.1. */
#define EXTHOST_KV_IF_PRESENT 2u

/* `exthost_kv_write.when`: only if there is an entry, and its value is that
 * of `exthost_kv_write.expected`.
 *
 * Since: API 1.1. */
#define EXTHOST_KV_IF_EQUAL 3u

/* `exthost_kv_write.flags`: removes the entry; `value` is empty and `ttl_ms`
 * 0.
 *
 * Since: API 1.1. */
#define EXTHOST_KV_DELETE 1u

/* `exthost_kv_write.flags`: leaves the time that an entry has; `ttl_ms` is
 * that of a new one.
 *
 * Since: API 1.1. */
#define EXTHOST_KV_KEEP_TTL 2u

/* One entry to be set or removed. Borrowed for the call, copied by the host.
 *
 * Since: API 1.1. */
struct exthost_kv_write {
    /* Its key. */
    exthost_str key;
    /* Its new value. */
    exthost_bytes value;
    /* For `EXTHOST_KV_IF_EQUAL` the value that is to be there; empty
     * otherwise. */
    exthost_bytes expected;
    /* Milliseconds until it ends; 0 for one that does not end. */
    uint64_t ttl_ms;
    /* One of `EXTHOST_KV_ALWAYS` and the `EXTHOST_KV_IF_` constants. */
    uint32_t when;
    /* `EXTHOST_KV_DELETE` or `EXTHOST_KV_KEEP_TTL`, or 0. */
    uint32_t flags;
};

/* `exthost_kv_query.flags`: keys without values.
 *
 * Since: API 1.1. */
#define EXTHOST_KV_KEYS_ONLY 1u

/* Which entries are listed.
 *
 * Since: API 1.1. */
struct exthost_kv_query {
    /* What their keys begin with; empty for all. */
    exthost_str prefix;
    /* Only keys above this one, in the order of bytes: the last key of the
     * list before, or empty to begin. */
    exthost_str after;
    /* The most entries; 0 for 1,000, which is also the most. */
    uint32_t limit;
    /* `EXTHOST_KV_KEYS_ONLY`, or 0. */
    uint32_t flags;
};

/* Receives a number, with the contract of `exthost_done_fn`; `number` is 0
 * unless `status` is `EXTHOST_OK`.
 *
 * Since: API 1.1. */
typedef void (*exthost_number_done_fn)(
    void *data,
    exthost_status status,
    const exthost_error *error,
    int64_t number);

/* The table `kv/1`.
 *
 * Since: API 1.1. */
struct exthost_kv_table {
    /* `[any-thread]` Hands each entry of `keys` that is there to `on_entry`,
     * in the order of `keys`, before it returns; at most 1,000 keys, all as
     * of one moment.
     *
     * Errors: those common to all.
     * Since: API 1.1. */
    exthost_status (*get)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        const exthost_str *keys,
        size_t keys_len,
        void *data,
        exthost_on_entry_fn on_entry);

    /* `[any-thread]` The completing form of `get`: `on_entry` for each, then
     * `done`.
     *
     * Errors: as `get`, by the call or by `done`.
     * Since: API 1.1. */
    exthost_status (*get_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        const exthost_str *keys,
        size_t keys_len,
        void *data,
        exthost_on_entry_fn on_entry,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Sets and removes entries, at most 1,000, all or none;
     * outside a transaction it returns once committed. Stores in `number`,
     * unless that is null, how many were set, or were there to be removed.
     *
     * Errors: those common to all; `EXTHOST_CONFLICT` with the code
     * `kv-condition`, and the key in the detail, when one of the conditions
     * does not hold.
     * Since: API 1.1. */
    exthost_status (*write)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        const exthost_kv_write *writes,
        size_t writes_len,
        int64_t *number);

    /* `[any-thread]` The completing form of `write`.
     *
     * Errors: as `write`, by the call or by `done`.
     * Since: API 1.1. */
    exthost_status (*write_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        const exthost_kv_write *writes,
        size_t writes_len,
        void *data,
        exthost_number_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Adds `amount` to a value that is a decimal number of 64
     * bits, as text, and stores the sum in `number` unless that is null. An
     * entry that is not there counts as 0 and gets `ttl_ms`, 0 for none; one
     * that is keeps its time.
     *
     * Errors: those common to all; `EXTHOST_CONFLICT` with the code
     * `kv-not-a-number`, or `kv-overflow`.
     * Since: API 1.1. */
    exthost_status (*add)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str key,
        int64_t amount,
        uint64_t ttl_ms,
        int64_t *number);

    /* `[any-thread]` The completing form of `add`.
     *
     * Errors: as `add`, by the call or by `done`.
     * Since: API 1.1. */
    exthost_status (*add_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str key,
        int64_t amount,
        uint64_t ttl_ms,
        void *data,
        exthost_number_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Lets an entry end in `ttl_ms` from now; 0 for never.
     *
     * Errors: those common to all; `EXTHOST_NOT_FOUND`.
     * Since: API 1.1. */
    exthost_status (*expire)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str key,
        uint64_t ttl_ms);

    /* `[any-thread]` The completing form of `expire`.
     *
     * Errors: as `expire`, by the call or by `done`.
     * Since: API 1.1. */
    exthost_status (*expire_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str key,
        uint64_t ttl_ms,
        void *data,
        exthost_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Hands entries to `on_entry` in the order of their keys'
     * bytes, before it returns; fewer than asked for only when there are no
     * more, or when they hold 16 MiB together. Stores 1 in `more`, unless
     * that is null, when there are more, else 0.
     *
     * Errors: those common to all.
     * Since: API 1.1. */
    exthost_status (*list)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        const exthost_kv_query *query,
        void *data,
        exthost_on_entry_fn on_entry,
        uint32_t *more);

    /* `[any-thread]` The completing form of `list`: `on_entry` for each,
     * then `done` with 1 when there are more, else 0.
     *
     * Errors: as `list`, by the call or by `done`.
     * Since: API 1.1. */
    exthost_status (*list_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        const exthost_kv_query *query,
        void *data,
        exthost_on_entry_fn on_entry,
        exthost_number_done_fn done,
        uint64_t *op);

    /* `[any-thread]` Removes all entries whose keys begin with `prefix`, all
     * of them when it is empty, and stores in `number`, unless that is null,
     * how many there were.
     *
     * Errors: those common to all.
     * Since: API 1.1. */
    exthost_status (*flush)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str prefix,
        int64_t *number);

    /* `[any-thread]` The completing form of `flush`.
     *
     * Errors: as `flush`, by the call or by `done`.
     * Since: API 1.1. */
    exthost_status (*flush_async)(
        const void *ctx,
        uint64_t cause,
        uint64_t tx,
        exthost_str prefix,
        void *data,
        exthost_number_done_fn done,
        uint64_t *op);
};

/* --------------------------------------------------------------------------
 * `cache/1`: keys and values in memory, which may be lost at any time.
 *
 * Keys, values, times and conditions are those of `kv/1`. All that one
 * plugin keeps is bounded in bytes; to make room, what was used longest ago
 * goes. Generations of a plugin share it, a restart of the host empties it.
 * No slot waits. Errors common to all: `EXTHOST_INVALID` (an empty key, a
 * flag or condition that is not known), `EXTHOST_TOO_LARGE` (a key, a value,
 * too many at a time). */

/* The id of the table. */
#define EXTHOST_CACHE_ID "cache"

/* The table `cache/1`.
 *
 * Since: API 1.1. */
struct exthost_cache_table {
    /* `[any-thread]` Hands each entry of `keys` that is there to `on_entry`,
     * in the order of `keys`, before it returns; at most 1,000 keys.
     *
     * Errors: those common to all.
     * Since: API 1.1. */
    exthost_status (*get)(
        const void *ctx,
        uint64_t cause,
        const exthost_str *keys,
        size_t keys_len,
        void *data,
        exthost_on_entry_fn on_entry);

    /* `[any-thread]` Sets and removes entries, at most 1,000, all or none.
     * Stores in `number`, unless that is null, how many were set, or were
     * there to be removed.
     *
     * Errors: those common to all; `EXTHOST_CONFLICT` with the code
     * `cache-condition`, and the key in the detail, when one of the
     * conditions does not hold.
     * Since: API 1.1. */
    exthost_status (*write)(
        const void *ctx,
        uint64_t cause,
        const exthost_kv_write *writes,
        size_t writes_len,
        int64_t *number);

    /* `[any-thread]` Adds `amount` to a value that is a decimal number of 64
     * bits, as text, and stores the sum in `number` unless that is null. An
     * entry that is not there counts as 0 and gets `ttl_ms`, 0 for none; one
     * that is keeps its time.
     *
     * Errors: those common to all; `EXTHOST_CONFLICT` with the code
     * `cache-not-a-number`, or `cache-overflow`.
     * Since: API 1.1. */
    exthost_status (*add)(
        const void *ctx,
        uint64_t cause,
        exthost_str key,
        int64_t amount,
        uint64_t ttl_ms,
        int64_t *number);

    /* `[any-thread]` Lets an entry end in `ttl_ms` from now; 0 for never.
     *
     * Errors: those common to all; `EXTHOST_NOT_FOUND`.
     * Since: API 1.1. */
    exthost_status (*expire)(
        const void *ctx,
        uint64_t cause,
        exthost_str key,
        uint64_t ttl_ms);

    /* `[any-thread]` Removes all entries whose keys begin with `prefix`, all
     * of them when it is empty, and stores in `number`, unless that is null,
     * how many there were.
     *
     * Errors: those common to all.
     * Since: API 1.1. */
    exthost_status (*flush)(
        const void *ctx,
        uint64_t cause,
        exthost_str prefix,
        int64_t *number);
};

/* --------------------------------------------------------------------------
 * `audit/1`: who did what to what, in a record that can only grow.
 *
 * The host adds the plugin, the actor and the id of the request that the
 * cause belongs to, and the time; a plugin cannot claim another. Each record
 * holds the hash of the one before, and the host signs the newest, so that
 * one that was removed, edited or cut off shows. */

/* The id of the table. */
#define EXTHOST_AUDIT_ID "audit"

/* What was done. Borrowed for the call, copied by the host.
 *
 * Since: API 1.1. */
struct exthost_audit_record {
    /* An open transaction of this plugin, whose commit keeps the record and
     * whose rollback drops it; 0 keeps it by itself. */
    uint64_t tx;
    /* What was done, as tokens joined by dots, such as `item.created`; at
     * most 128 bytes. */
    exthost_str action;
    /* Of what kind that is to which it was done, such as `item`; at most 128
     * bytes, may be empty. */
    exthost_str target_kind;
    /* Which one of the kind; at most 1,024 bytes, may be empty. */
    exthost_str target_id;
    /* What else is to be known, as JSON, at most 64 KiB; empty for nothing. */
    exthost_bytes detail;
    /* 0. No bit is defined; the plugin may grow it. */
    uint32_t flags;
    /* 0. */
    uint32_t reserved;
};

/* The table `audit/1`.
 *
 * Since: API 1.1. */
struct exthost_audit_table {
    /* `[any-thread]`, not in an inline route or a poll. Appends a record and
     * returns once it is durable, or with a `tx` once it is part of it.
     *
     * Errors: `EXTHOST_INVALID`, `EXTHOST_TOO_LARGE`, `EXTHOST_GONE` for a
     * transaction that has ended, `EXTHOST_BUSY`, `EXTHOST_TIMEOUT`,
     * `EXTHOST_FULL`, `EXTHOST_CORRUPT` (with a `tx`), `EXTHOST_INTERNAL`
     * (the disk, or a record that does not verify), `EXTHOST_MISPLACED`.
     * Since: API 1.1. */
    exthost_status (*record)(
        const void *ctx,
        uint64_t cause,
        const exthost_audit_record *record);

    /* `[any-thread]` The completing form of `record`.
     *
     * Errors: as `record`, but for `EXTHOST_MISPLACED`; by the call or by
     * `done`.
     * Since: API 1.1. */
    exthost_status (*record_async)(
        const void *ctx,
        uint64_t cause,
        const exthost_audit_record *record,
        void *data,
        exthost_done_fn done,
        uint64_t *op);
};

/* --------------------------------------------------------------------------
 * The service tables by name: null when the host does not offer one or the
 * plugin was not granted it; `exthost_services.last_error` says which. */

static inline const exthost_log_table *exthost_log(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_LOG_ID, sizeof EXTHOST_LOG_ID - 1};
    return (const exthost_log_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_config_table *exthost_config(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_CONFIG_ID, sizeof EXTHOST_CONFIG_ID - 1};
    return (const exthost_config_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_routes_table *exthost_routes(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_ROUTES_ID, sizeof EXTHOST_ROUTES_ID - 1};
    return (const exthost_routes_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_tasks_table *exthost_tasks(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_TASKS_ID, sizeof EXTHOST_TASKS_ID - 1};
    return (const exthost_tasks_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_events_table *exthost_events(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_EVENTS_ID, sizeof EXTHOST_EVENTS_ID - 1};
    return (const exthost_events_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_db_table *exthost_db(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_DB_ID, sizeof EXTHOST_DB_ID - 1};
    return (const exthost_db_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_broadcast_table *exthost_broadcast(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_BROADCAST_ID, sizeof EXTHOST_BROADCAST_ID - 1};
    return (const exthost_broadcast_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_webhooks_table *exthost_webhooks(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_WEBHOOKS_ID, sizeof EXTHOST_WEBHOOKS_ID - 1};
    return (const exthost_webhooks_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_kv_table *exthost_kv(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_KV_ID, sizeof EXTHOST_KV_ID - 1};
    return (const exthost_kv_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_cache_table *exthost_cache(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_CACHE_ID, sizeof EXTHOST_CACHE_ID - 1};
    return (const exthost_cache_table *)services->service(services->ctx, id, 1u);
}

static inline const exthost_audit_table *exthost_audit(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_AUDIT_ID, sizeof EXTHOST_AUDIT_ID - 1};
    return (const exthost_audit_table *)services->service(services->ctx, id, 1u);
}

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
