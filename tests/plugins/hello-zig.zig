//! Greets in Zig.
//!
//!     GET /api/ext/hello-zig/hello?name=World  ->  hello World

const std = @import("std");
const c = @cImport(@cInclude("exthost.h"));

const meta = ("EXTHOST1\x00" ++
    entry("name", "hello-zig") ++
    entry("version", "1.0.0") ++
    entry("api", c.EXTHOST_API_NEEDED) ++
    entry("sdk", "c/1.0.0") ++
    entry("panic", "none") ++
    entry("tables", c.EXTHOST_TABLES) ++
    entry("needs", "routes/1")).*;

/// What the host reads from the file; its last byte is the empty entry.
export const exthost_meta: [meta.len:0]u8 linksection(".exthost") = meta;

export const exthost_plugin: c.exthost_plugin_table = .{
    .abi = c.EXTHOST_ABI,
    .flags = 0,
    .init = init,
    .start = null,
    .stop = null,
    .destroy = null,
    .extension = null,
};

fn init(services: [*c]const c.exthost_services, instance: [*c]?*anyopaque) callconv(.c) c.exthost_status {
    var spec = std.mem.zeroes(c.exthost_route_spec);
    spec.method = lent("GET");
    spec.pattern = lent("hello");
    spec.flags = c.EXTHOST_ROUTE_INLINE | c.EXTHOST_ROUTE_PUBLIC;
    instance.* = null;
    const table = services.*;
    const routes: *const c.exthost_routes_table = c.exthost_routes(services);
    return routes.add.?(table.ctx, 0, &spec, @constCast(services), hello, null);
}

fn hello(data: ?*anyopaque, cause: u64, request: [*c]const c.exthost_request) callconv(.c) c.exthost_status {
    const services: *const c.exthost_services = @ptrCast(@alignCast(data.?));
    const query = request.*.query;
    const name = if (query.len == 0) "" else query.ptr[0..query.len];
    const greeted = if (std.mem.startsWith(u8, name, "name=")) name[5..] else "world";

    var text: [128]u8 = undefined;
    const body = std.fmt.bufPrint(&text, "hello {s}", .{greeted}) catch "hello";
    var response = std.mem.zeroes(c.exthost_response);
    response.status = 200;
    // Copied before `respond` returns, since nothing releases it.
    response.body = c.exthost_buffer_of(body.ptr, body.len);
    const routes: *const c.exthost_routes_table = c.exthost_routes(services);
    return routes.respond.?(services.ctx, cause, &response);
}

fn lent(text: []const u8) c.exthost_str {
    return .{ .ptr = text.ptr, .len = text.len };
}

fn entry(comptime key: []const u8, comptime value: []const u8) *const [key.len + value.len + 2:0]u8 {
    return key ++ "=" ++ value ++ "\x00";
}
