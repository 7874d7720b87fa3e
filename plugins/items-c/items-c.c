/* A plugin in C that stores and lists.
 *
 *     POST /api/ext/items-c/items  with the name as the body  ->  201 {"id":1,"name":"..."}
 *     GET  /api/ext/items-c/items                          ->  {"items":[...]}, newest first
 *
 * SQLite makes the JSON, so there is none to be made here.
 */
#include <stdlib.h>
#include <string.h>

#include "exthost.h"

/* What the host reads from the file before any of this code runs. */
EXTHOST_META("items-c", "1.0.0",
    EXTHOST_KEY("needs", "routes/1,db/1")
    EXTHOST_KEY("description", "Stores items and lists them, in C")
    EXTHOST_KEY("license", "MIT OR Apache-2.0"));

/* The instance: one for each time the host loads the plugin. */
struct items {
    const void *ctx;
    const exthost_routes_table *routes;
    const exthost_db_table *db;
};

/* The schema, step by step; each step runs once. */
static const exthost_migration MIGRATIONS[] = {
    {1, EXTHOST_STR_INIT("CREATE TABLE ext_items_c_items ("
                         "  id INTEGER PRIMARY KEY,"
                         "  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200)"
                         ")")},
};

/* Keeps a copy of the first column of a row: the body of the answer. */
static uint32_t keep_body(void *data, const exthost_row *row)
{
    exthost_buffer *body = data;
    exthost_bytes json = row->values[0].data;
    uint8_t *copy = malloc(json.len);
    if (copy != NULL) {
        memcpy(copy, json.ptr, json.len);
        *body = (exthost_buffer){copy, json.len, copy, free};
    }
    return EXTHOST_DB_ROW_STOP;
}

/* Runs a statement that returns one text of JSON, and answers with it. What it
 * returns on failure the host answers: a failed CHECK is 409, for example. */
static exthost_status answer(struct items *items, uint64_t request, uint32_t status,
                             const exthost_query *query)
{
    static const exthost_header HEADERS[] = {
        {EXTHOST_STR_INIT("content-type"), {(const uint8_t *)"application/json", 16}},
    };
    exthost_response response = {.status = status, .headers = HEADERS, .headers_len = 1};
    exthost_status done =
        items->db->rows(items->ctx, request, query, &response.body, keep_body, NULL);
    if (done != EXTHOST_OK)
        return done;
    if (response.body.ptr == NULL)
        return EXTHOST_INTERNAL;
    return items->routes->respond(items->ctx, request, &response);
}

static exthost_status post_items(void *data, uint64_t cause, const exthost_request *request)
{
    exthost_str name = exthost_str_of((const char *)request->body.ptr, request->body.len);
    if (!exthost_str_is_utf8(name))
        return EXTHOST_INVALID;
    exthost_param params[] = {{.value = exthost_value_text(name)}};
    exthost_query insert = {
        .sql = EXTHOST_STR("INSERT INTO ext_items_c_items (name) VALUES (?1)"
                           " RETURNING json_object('id', id, 'name', name)"),
        .params = params,
        .params_len = 1,
    };
    return answer(data, cause, 201, &insert);
}

static exthost_status get_items(void *data, uint64_t cause, const exthost_request *request)
{
    (void)request;
    exthost_query list = {
        .sql = EXTHOST_STR(
            "SELECT json_object('items',"
            "    json_group_array(json_object('id', id, 'name', name) ORDER BY id DESC))"
            " FROM (SELECT id, name FROM ext_items_c_items ORDER BY id DESC LIMIT 20)"),
    };
    return answer(data, cause, 200, &list);
}

/* Registers one route. It is not inline, so it may wait for the database. */
static exthost_status add(struct items *items, exthost_str method, exthost_route_handle_fn handle)
{
    exthost_route_spec spec = {
        .method = method,
        .pattern = EXTHOST_STR("items"),
        .flags = EXTHOST_ROUTE_PUBLIC,
    };
    return items->routes->add(items->ctx, 0, &spec, items, handle, NULL);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    struct items *items = malloc(sizeof *items);
    if (items == NULL)
        return EXTHOST_INTERNAL;
    items->ctx = services->ctx;
    items->routes = exthost_routes(services); /* `needs` says they are there */
    items->db = exthost_db(services);

    exthost_status status = items->db->migrate(
        items->ctx, 0, MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, NULL);
    if (status == EXTHOST_OK)
        status = add(items, EXTHOST_STR("POST"), post_items);
    if (status == EXTHOST_OK)
        status = add(items, EXTHOST_STR("GET"), get_items);
    if (status != EXTHOST_OK) {
        free(items);
        return status;
    }
    *instance = items;
    return EXTHOST_OK;
}

/* What the host calls: init, start, stop, destroy, extension. */
EXTHOST_DOOR(init, NULL, NULL, free, NULL);
