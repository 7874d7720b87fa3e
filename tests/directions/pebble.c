/* Weighs three pebbles, where the host can.
 *
 * Compiled with ENTRIES, what it says of itself, and MARK, the file by which one
 * sees that its code has run.
 */
#include <stdio.h>

#include "exthost.h"

EXTHOST_META("pebble-c", "1.0.0", ENTRIES);

__attribute__((constructor)) static void mark_that_code_ran(void)
{
    FILE *file = fopen(MARK, "w");
    if (file)
        fclose(file);
}

static exthost_status weigh(void *data, uint64_t cause, const exthost_request *request)
{
    const exthost_services *services = data;
    const exthost_pebble_table *pebble = exthost_pebble(services);
    uint64_t grams = 0;
    char text[512];
    int length;
    if (pebble && pebble->weigh(services->ctx, cause, 3, &grams) == EXTHOST_OK) {
        length = snprintf(text, sizeof text, "%d g", (int)grams);
    } else {
        exthost_error error = {0};
        services->last_error(services->ctx, &error);
        length = snprintf(text, sizeof text, "%.*s: %.*s", (int)error.code.len, error.code.ptr,
                          (int)error.message.len, error.message.ptr);
    }
    exthost_response response = {
        .status = 200,
        .body = exthost_buffer_of(text, (size_t)length),
    };
    (void)request;
    return exthost_routes(services)->respond(services->ctx, cause, &response);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    exthost_route_spec spec = {
        .method = EXTHOST_STR("GET"),
        .pattern = EXTHOST_STR("weigh"),
        .flags = EXTHOST_ROUTE_INLINE | EXTHOST_ROUTE_PUBLIC,
    };
    *instance = NULL;
    return exthost_routes(services)->add(services->ctx, 0, &spec, (void *)services, weigh, NULL);
}

EXTHOST_DOOR(init, NULL, NULL, NULL, NULL);
