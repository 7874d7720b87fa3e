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
