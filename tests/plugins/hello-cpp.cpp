/* Greets in C++: no exception leaves a function that the host calls.
 *
 *     GET /api/ext/hello-cpp/hello?name=World  ->  hello World
 *     GET /api/ext/hello-cpp/hello?name=       ->  400, code no-name
 */
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "exthost.h"

EXTHOST_META("hello-cpp", "1.0.0",
    EXTHOST_KEY("needs", "routes/1")
    EXTHOST_KEY("description", "Greets by name, in C++"));

namespace {

exthost_str lent(std::string_view text)
{
    return exthost_str_of(text.data(), text.size());
}

class NoName : public std::invalid_argument {
public:
    NoName() : std::invalid_argument("name is empty; say who you are") {}
};

class Hello {
public:
    explicit Hello(const exthost_services *services)
        : services_(services), routes_(exthost_routes(services))
    {
        exthost_route_spec spec{};
        spec.method = EXTHOST_STR("GET");
        spec.pattern = EXTHOST_STR("hello");
        spec.flags = EXTHOST_ROUTE_INLINE | EXTHOST_ROUTE_PUBLIC;
        if (routes_->add(services_->ctx, 0, &spec, this, handle, nullptr) != EXTHOST_OK)
            throw std::runtime_error("the route was refused");
    }

private:
    /* The fence: what is thrown becomes an answer. */
    static exthost_status handle(void *data, uint64_t cause, const exthost_request *request)
    {
        auto *self = static_cast<Hello *>(data);
        try {
            return self->greet(cause, *request);
        } catch (const NoName &refused) {
            return self->fail(cause, EXTHOST_INVALID, "no-name", refused.what());
        } catch (const std::exception &unexpected) {
            return self->fail(cause, EXTHOST_INTERNAL, "unexpected", unexpected.what());
        }
    }

    exthost_status greet(uint64_t cause, const exthost_request &request) const
    {
        auto body = std::make_unique<std::string>("hello " + name(request));
        exthost_response response{};
        response.status = 200;
        response.body.ptr = reinterpret_cast<const uint8_t *>(body->data());
        response.body.len = body->size();
        response.body.owner = body.release();
        response.body.release = [](void *owner) { delete static_cast<std::string *>(owner); };
        return routes_->respond(services_->ctx, cause, &response);
    }

    static std::string name(const exthost_request &request)
    {
        constexpr std::string_view key = "name=";
        std::string_view query(request.query.ptr, request.query.len);
        if (query.substr(0, key.size()) != key || query.size() == key.size())
            throw NoName();
        return std::string(query.substr(key.size()));
    }

    exthost_status fail(uint64_t cause, exthost_status status, std::string_view code,
                        std::string_view message) const
    {
        exthost_error error{};
        error.status = status;
        error.code = lent(code);
        error.message = lent(message);
        return routes_->respond_error(services_->ctx, cause, &error);
    }

    const exthost_services *services_;
    const exthost_routes_table *routes_;
};

exthost_status init(const exthost_services *services, void **instance)
{
    try {
        *instance = new Hello(services);
        return EXTHOST_OK;
    } catch (const std::exception &failure) {
        services->fail(services->ctx, EXTHOST_STR("no-init"), lent(failure.what()),
                       EXTHOST_STR(""));
        return EXTHOST_INTERNAL;
    }
}

void destroy(void *instance)
{
    delete static_cast<Hello *>(instance);
}

} // namespace

EXTHOST_DOOR(init, nullptr, nullptr, destroy, nullptr);
