/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netguard.h - is this an address of the public internet? Asked for every connection, new or kept
 * (I6). Refused: what the IANA special-purpose registries (RFC 6890 and its updates) keep from the
 * public, multicast, and every IPv6 form that carries such an IPv4 address inside.
 */
#ifndef AV_BROKER_NETGUARD_H
#define AV_BROKER_NETGUARD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

bool netguard_ipv4_is_public(const uint8_t addr[4]);
bool netguard_ipv6_is_public(const uint8_t addr[16]);
/* Any other family is refused. */
bool netguard_sockaddr_is_public(const struct sockaddr *sa, socklen_t len);

#endif
