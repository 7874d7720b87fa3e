/* Answers with its own version, which a flag of the compiler says.
 *
 *     GET /api/ext/versioned/version  ->  1.0.0
 */
#include "exthost.h"

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef NEEDS
#define NEEDS "routes/1"
#endif
#ifndef WANTS
#define WANTS "log/1"
#endif

EXTHOST_META("versioned", VERSION,
    EXTHOST_KEY("needs", NEEDS)
    EXTHOST_KEY("wants", WANTS));

static const exthost_services *host;

static exthost_status version(void *data, uint64_t cause, const exthost_request *request)
{
    const exthost_routes_table *routes = exthost_routes(host);
    exthost_response response = {
        .status = 200,
        .body = { .ptr = (const uint8_t *)VERSION, .len = sizeof VERSION - 1 },
    };
    (void)data;
    (void)request;
    return routes->respond(host->ctx, cause, &response);
}

static exthost_status init(const exthost_services *services, void **instance)
{
    const exthost_routes_table *routes = exthost_routes(services);
    exthost_route_spec route = {
        .method = EXTHOST_STR("GET"),
        .pattern = EXTHOST_STR("version"),
        .flags = EXTHOST_ROUTE_PUBLIC | EXTHOST_ROUTE_INLINE,
    };
    host = services;
    *instance = NULL;
    return routes->add(services->ctx, 0, &route, NULL, version, NULL);
}

EXTHOST_DOOR(init, NULL, NULL, NULL, NULL);
