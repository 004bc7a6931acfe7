/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_memory.h - OpenSSL's memory, overwritten before it is given back.
 *
 * Its record buffers hold what an upstream answered, and an upstream may give the key back. libcurl
 * tells it to free them after each record, which by itself leaves the bytes in the heap
 * (CRYPTO_set_mem_functions(3)).
 */
#ifndef AV_BROKER_TLS_MEMORY_H
#define AV_BROKER_TLS_MEMORY_H

#include "base/err.h"

/* Before anything of OpenSSL or libcurl. AV_ESYS: it was too late. */
enum av_err tls_memory_guard(void) AV_MUST_USE;

#endif
