/* Uses every macro and helper of exthost.h, as C and as C++. */
#include "exthost.h"

EXTHOST_META("uses", "0.1.0",
    EXTHOST_KEY("needs", "routes/1")
    EXTHOST_KEY("wants", "log/1"));

static const exthost_header HEADERS[] = {
    {EXTHOST_STR_INIT("content-type"), {NULL, 0}},
};

static exthost_status init(const exthost_services *services, void **instance)
{
    const exthost_log_table *log = exthost_log(services);
    exthost_field fields[5];
    exthost_buffer buffer = exthost_buffer_of("abc", 3);
    size_t i;

    if (log == NULL || exthost_routes(services) == NULL)
        return EXTHOST_DENIED;
    for (i = 0; i < 5; i++)
        fields[i].name = exthost_str_from("field");
    fields[0].value = exthost_value_null();
    fields[1].value = exthost_value_integer(1);
    fields[2].value = exthost_value_real(1.0);
    fields[3].value = exthost_value_text(EXTHOST_STR("text"));
    fields[4].value = exthost_value_blob(exthost_bytes_of("blob", 4));
    exthost_buffer_release(&buffer);
    *instance = NULL;
    if (!exthost_str_equal(HEADERS[0].name, exthost_str_of("x", 1)))
        return log->write(services->ctx, 0, EXTHOST_LEVEL_INFO, EXTHOST_STR("up"), fields, 5);
    return EXTHOST_OK;
}

EXTHOST_DOOR(init, NULL, NULL, NULL, NULL);
