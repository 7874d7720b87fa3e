/* A plugin that leaves a mark when its code runs, and then does as it is told.
 * Both stand in the file, where the tests write them into copies of it.
 *
 * -DROOM=N      bytes for the meta; 4096 without it
 * -DNO_INIT     a door whose init is null
 * -DLAYOUTS     exports what a Rust plugin does for its layouts, damaged
 * -DTEXT        an address in its code, for the dynamic linker to fill in
 * -DUNDEFINED   calls a function that nobody has
 * -DUNIQUE      exports a symbol that all libraries of the process share */
#define _DEFAULT_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exthost.h"

#ifndef ROOM
#define ROOM 4096
#endif

EXTHOST_EXPORT const char exthost_meta[ROOM];
EXTHOST_META_SECTION const char exthost_meta[ROOM] =
    "EXTHOST1\0" EXTHOST_KEY("name", "marked") EXTHOST_KEY("version", "1.0.0")
    EXTHOST_KEY("api", "1.0.0") EXTHOST_KEY("sdk", "c/1.0.0") EXTHOST_KEY("panic", "none")
    EXTHOST_KEY("tables", EXTHOST_TABLES) EXTHOST_KEY("needs", "routes/1");

/* The file that the constructor makes. */
static const volatile char mark[256] = "MARK=";

/* What goes wrong: the code of the refusal that it leads to. */
static const volatile char order[64] = "ORDER=";

#ifdef LAYOUTS
static const char no_header[256];
EXTHOST_EXPORT const void *const _1as_0lib_1header_0root_bmodule_bloader;
const void *const _1as_0lib_1header_0root_bmodule_bloader = no_header;
#endif

#ifdef TEXT
__asm__(".pushsection .text\n.balign 8\n.quad getpid\n.popsection");
#endif

#ifdef UNIQUE
__asm__(".globl marked_shared\n.type marked_shared, %gnu_unique_object\n"
        ".pushsection .data\nmarked_shared: .long 1\n.size marked_shared, 4\n.popsection");
#endif

#ifdef UNDEFINED
extern void nobody_has_this(void);
#endif

static void read_slot(char *to, const volatile char *slot, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = slot[i];
}

static int is_told(const char *code)
{
    char told[sizeof order];
    read_slot(told, order, sizeof order);
    return strcmp(told + strlen("ORDER="), code) == 0;
}

static void hang(void)
{
    for (;;)
        pause();
}

static void rewrite_meta(void)
{
    uintptr_t first = (uintptr_t)exthost_meta;
    uintptr_t page = first & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    if (mprotect((void *)page, first + 1 - page, PROT_READ | PROT_WRITE) == 0)
        *(char *)first = 'e';
}

__attribute__((constructor)) static void leave_mark(void)
{
    char path[sizeof mark];
    read_slot(path, mark, sizeof mark);
    FILE *file = fopen(path + strlen("MARK="), "w");
    if (file)
        fclose(file);
    if (is_told("load-timeout"))
        hang();
    if (is_told("meta-changed"))
        rewrite_meta();
#ifdef UNDEFINED
    nobody_has_this();
#endif
}

/* Ends a hook as it is told to. */
static exthost_status end(const char *failed, const char *panicked, const char *timeout)
{
    if (is_told(failed))
        return EXTHOST_INTERNAL;
    if (is_told(panicked))
        return EXTHOST_PANICKED;
    if (is_told(timeout))
        hang();
    return EXTHOST_OK;
}

#ifndef NO_INIT
static exthost_status init(const exthost_services *services, void **instance)
{
    *instance = NULL;
    if (is_told("init-failed"))
        services->fail(services->ctx, EXTHOST_STR("asked"), EXTHOST_STR("asked to fail in init"),
                       EXTHOST_STR(""));
    return end("init-failed", "init-panicked", "init-timeout");
}
#endif

static exthost_status start(void *instance)
{
    (void)instance;
    return end("start-failed", "start-panicked", "start-timeout");
}

static void stop(void *instance)
{
    (void)instance;
    end("", "", "stop-timeout");
}

#ifdef NO_INIT
EXTHOST_DOOR(NULL, start, stop, NULL, NULL);
#else
EXTHOST_DOOR(init, start, stop, NULL, NULL);
#endif
