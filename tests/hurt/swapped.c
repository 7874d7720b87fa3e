/* One of several builds that take each other's place: it answers with the version
 * that stands in its code, and with that of the meta that it finds in memory.
 *
 *     GET /api/ext/swapped/version  ->  1.0.3 1.0.3
 */
#include <stdlib.h>
#include <string.h>

#include "exthost.h"

EXTHOST_META("swapped", VERSION, EXTHOST_KEY("needs", "routes/1"));

/* Builds differ in size as well. */
const volatile char filling[FILLING] = {1};

struct swapped {
    const void *ctx;
    const exthost_routes_table *routes;
    char answer[64];
};

/* The version in the meta; the keys before it are in any order. */
static const char *meta_version(void)
{
    for (const char *entry = exthost_meta; *entry; entry += strlen(entry) + 1)
        if (strncmp(entry, "version=", 8) == 0)
            return entry + 8;
    return "none";
}

static exthost_status get_version(void *data, uint64_t request, const exthost_request *asked)
{
    struct swapped *swapped = data;
    (void)asked;
    exthost_response response = {
        .status = 200,
        .body = {(const uint8_t *)swapped->answer, strlen(swapped->answer), NULL, NULL},
    };
    return swapped->routes->respond(swapped->ctx, request, &response);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    struct swapped *swapped = calloc(1, sizeof *swapped);
    if (swapped == NULL)
        return EXTHOST_INTERNAL;
    swapped->ctx = services->ctx;
    swapped->routes = exthost_routes(services);
    strcpy(swapped->answer, VERSION " ");
    strncat(swapped->answer, meta_version(), 32);
    exthost_route_spec spec = {
        .method = EXTHOST_STR("GET"),
        .pattern = EXTHOST_STR("version"),
        .flags = EXTHOST_ROUTE_INLINE | EXTHOST_ROUTE_PUBLIC,
    };
    *instance = swapped;
    return swapped->routes->add(swapped->ctx, 0, &spec, swapped, get_version, NULL);
}

EXTHOST_DOOR(init, NULL, NULL, free, NULL);
