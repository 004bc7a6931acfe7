/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/netguard.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

struct block4 {
	uint8_t prefix[4];
	unsigned bits;
};

/* IANA IPv4 special-purpose registry; all that is not globally reachable, and multicast. */
static const struct block4 refused4[] = {
    {{0, 0, 0, 0}, 8}, /* this network */
    {{10, 0, 0, 0}, 8}, /* private */
    {{100, 64, 0, 0}, 10}, /* shared address space (CGNAT) */
    {{127, 0, 0, 0}, 8}, /* loopback */
    {{169, 254, 0, 0}, 16}, /* link-local, cloud metadata */
    {{172, 16, 0, 0}, 12}, /* private */
    {{192, 0, 0, 0}, 24}, /* protocol assignments */
    {{192, 0, 2, 0}, 24}, /* documentation */
    {{192, 31, 196, 0}, 24}, /* AS112 */
    {{192, 52, 193, 0}, 24}, /* AMT */
    {{192, 88, 99, 0}, 24}, /* 6to4 relays */
    {{192, 168, 0, 0}, 16}, /* private */
    {{192, 175, 48, 0}, 24}, /* AS112 */
    {{198, 18, 0, 0}, 15}, /* benchmarking */
    {{198, 51, 100, 0}, 24}, /* documentation */
    {{203, 0, 113, 0}, 24}, /* documentation */
    {{224, 0, 0, 0}, 4}, /* multicast */
    {{240, 0, 0, 0}, 4}, /* reserved, broadcast */
};

struct block6 {
	uint8_t prefix[16];
	unsigned bits;
};

/* Inside 2000::/3, the only space that is handed out; everything outside it is refused. */
static const struct block6 refused6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48}, /* AS112 */
    {{0x3f, 0xff}, 20}, /* documentation */
};

static bool
bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (((unsigned)a[whole] ^ (unsigned)b[whole]) >> (8 - rest)) == 0;
}

bool
netguard_ipv4_is_public(const uint8_t addr[4])
{
	size_t i;

	for (i = 0; i < sizeof(refused4) / sizeof(refused4[0]); i++) {
		if (bits_equal(addr, refused4[i].prefix, refused4[i].bits))
			return false;
	}
	return true;
}

bool
netguard_ipv6_is_public(const uint8_t addr[16])
{
	/* NAT64 (RFC 6052): a public address may be wrapped, as networks without IPv4 do. */
	static const uint8_t nat64[16] = {0x00, 0x64, 0xff, 0x9b};
	static const uint8_t six_to_four[2] = {0x20, 0x02};
	size_t i;

	if (bits_equal(addr, nat64, 96))
		return netguard_ipv4_is_public(addr + 12);
	/* Everything mapped, compatible, ULA, link-local, multicast, loopback is outside 2000::/3. */
	if ((addr[0] & 0xe0) != 0x20)
		return false;
	if (bits_equal(addr, six_to_four, 16))
		return netguard_ipv4_is_public(addr + 2);
	for (i = 0; i < sizeof(refused6) / sizeof(refused6[0]); i++) {
		if (bits_equal(addr, refused6[i].prefix, refused6[i].bits))
			return false;
	}
	return true;
}

bool
netguard_sockaddr_is_public(const struct sockaddr *sa, socklen_t len)
{
	if (sa->sa_family == AF_INET && len >= (socklen_t)sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		return netguard_ipv4_is_public((const uint8_t *)&in.sin_addr);
	}
	if (sa->sa_family == AF_INET6 && len >= (socklen_t)sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		return netguard_ipv6_is_public(in6.sin6_addr.s6_addr);
	}
	return false;
}
