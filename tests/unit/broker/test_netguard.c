/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/netguard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static const char *const public_addresses[] = {
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "104.18.7.192",
    /* just outside refused blocks */
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2606:4700::6812:7c0",
    "2a00:1450:4001:81b::200e",
    "2001:4860:4860::8888",
    "2001:200::1",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "3ffe::1",
    "3fff:1000::1",
    /* wrapped, and public inside */
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
};

static const char *const refused_addresses[] = {
    /* this network */
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    /* private */
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.0",
    "172.20.1.1",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.1.1",
    "192.168.255.255",
    /* CGNAT */
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    /* loopback */
    "127.0.0.0",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    /* link-local, cloud metadata */
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    /* protocol assignments, documentation, benchmarking, relays */
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.255",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    /* multicast, reserved, broadcast */
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
    /* IPv6: unspecified, loopback, compatible */
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::8.8.8.8",
    /* mapped, whatever is inside */
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    /* NAT64 with something inside that is not public; its local prefix */
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.1.2.3",
    "64:ff9b::169.254.169.254",
    "64:ff9b::0.0.0.0",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:0:0:1::8.8.8.8",
    /* 6to4 likewise */
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:c0a8:101::1",
    "2002:6440:1::",
    /* discard-only, protocol assignments, Teredo, ORCHID, documentation */
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "3fff::1",
    "3fff:fff::1",
    "2620:4f:8000::1",
    /* ULA, link-local, site-local, multicast */
    "fc00::1",
    "fd00::40",
    "fdff:ffff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    /* space that is not handed out */
    "4000::1",
    "8000::1",
    "e000::1",
    "5f00::1",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
by_sockaddr(const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return netguard_sockaddr_is_public((struct sockaddr *)&in, sizeof(in));
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return netguard_sockaddr_is_public((struct sockaddr *)&in6, sizeof(in6));
}

static void
test_public_addresses_pass(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(public_addresses); i++) {
		if (!by_sockaddr(public_addresses[i]))
			fail_msg("%s is refused", public_addresses[i]);
	}
}

static void
test_i6_addresses_inside_are_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refused_addresses); i++) {
		if (by_sockaddr(refused_addresses[i]))
			fail_msg("%s passes", refused_addresses[i]);
	}
}

static void
test_other_families_and_cut_addresses_are_refused(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "8.8.8.8", &in.sin_addr), 1);
	assert_true(netguard_sockaddr_is_public((struct sockaddr *)&in, sizeof(in)));
	assert_false(netguard_sockaddr_is_public((struct sockaddr *)&in, 4));
	assert_false(netguard_sockaddr_is_public((struct sockaddr *)&un, sizeof(un)));
	in.sin_family = AF_INET6; /* too short for one */
	assert_false(netguard_sockaddr_is_public((struct sockaddr *)&in, sizeof(in)));
}

/* Every first byte of IPv4 whose whole /8 is kept from the public. */
static void
test_i6_whole_blocks_are_refused(void **state)
{
	unsigned a, b;

	(void)state;
	for (a = 0; a < 256; a++) {
		bool whole = a == 0 || a == 10 || a == 127 || a >= 224;

		for (b = 0; b < 256; b++) {
			const uint8_t addr[4] = {(uint8_t)a, (uint8_t)b, 77, 77};

			if (whole)
				assert_false(netguard_ipv4_is_public(addr));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_public_addresses_pass),
	    cmocka_unit_test(test_i6_addresses_inside_are_refused),
	    cmocka_unit_test(test_other_families_and_cut_addresses_are_refused),
	    cmocka_unit_test(test_i6_whole_blocks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
