/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiping_alloc.h - malloc's family with blocks that are overwritten before they are given back.
 *
 * For libcurl (curl_global_init_mem), which copies header lines and targets that hold secrets.
 */
#ifndef AV_BROKER_WIPING_ALLOC_H
#define AV_BROKER_WIPING_ALLOC_H

#include <stddef.h>

void *wiping_malloc(size_t len);
void *wiping_calloc(size_t n, size_t size);
void *wiping_realloc(void *p, size_t len);
char *wiping_strdup(const char *s);
void wiping_free(void *p);

#endif
