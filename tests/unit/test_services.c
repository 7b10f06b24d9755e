/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_services.c - the service table: sorted, sound, and as wide as what other products offer.
 */
#include "rulesd/names.h"

#include <glib.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

static bool valid_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= MODEL_MAX_ID && name[0] != '-' && name[length - 1] != '-' &&
	       !strstr(name, "--") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void names_are_valid_sorted_and_unique(void **state)
{
	unsigned int count = 0;

	(void)state;
	for (; service_at(count); count++) {
		const struct service *service = service_at(count);

		if (!valid_name(service->name))
			fail_msg("service name '%s'", service->name);
		if (count && strcmp(service_at(count - 1)->name, service->name) >= 0)
			fail_msg("'%s' is not behind '%s'", service->name,
				 service_at(count - 1)->name);
		assert_ptr_equal(service_find(service->name), service);
	}
	assert_true(count >= 120);
	assert_null(service_at(count + 1));
}

static bool sound(const struct service_match *match)
{
	if (match->protocol > 255 || match->icmp_code != -1)
		return false;
	if (protocol_has_ports(match->protocol))
		return match->first > 0 && match->first <= match->last && match->icmp_type == -1;
	if (match->first || match->last)
		return false;
	return protocol_is_icmp(match->protocol) ? match->icmp_type >= 0 && match->icmp_type < 256
						 : match->icmp_type == -1;
}

static void every_service_matches_something_sound(void **state)
{
	(void)state;
	for (unsigned int i = 0; service_at(i); i++) {
		const struct service *service = service_at(i);

		if (!*service->description || !service->count)
			fail_msg("'%s' says or matches nothing", service->name);
		for (unsigned int j = 0; j < service->count; j++) {
			if (!sound(&service->matches[j]))
				fail_msg("'%s': match %u", service->name, j);
		}
	}
}

static void unknown_names_are_not_found(void **state)
{
	static const char *const unknown[] = {"", "SSH", "ssh ", "ss", "sshd", "no-such-service"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++)
		assert_null(service_find(unknown[i]));
}

static void ping_is_an_echo_request_of_both_families(void **state)
{
	const struct service *ping = service_find("ping");

	(void)state;
	assert_non_null(ping);
	assert_int_equal(ping->count, 2);
	assert_int_equal(ping->matches[0].protocol, IPPROTO_ICMP);
	assert_int_equal(ping->matches[0].icmp_type, 8);
	assert_int_equal(ping->matches[1].protocol, IPPROTO_ICMPV6);
	assert_int_equal(ping->matches[1].icmp_type, 128);
}

static void dns_is_tcp_and_udp(void **state)
{
	const struct service *dns = service_find("dns");

	(void)state;
	assert_non_null(dns);
	assert_int_equal(dns->count, 2);
	assert_int_equal(dns->matches[0].protocol, IPPROTO_TCP);
	assert_int_equal(dns->matches[1].protocol, IPPROTO_UDP);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dns->matches[i].first, 53);
		assert_int_equal(dns->matches[i].last, 53);
	}
}

/* Whether service opens what a row of another product's list opens: protocol, from, to. */
static bool covers(const struct service *service, uint16_t protocol, const char *from,
		   const char *to)
{
	for (unsigned int i = 0; i < service->count; i++) {
		const struct service_match *match = &service->matches[i];
		int type = -1;

		if (match->protocol != protocol)
			continue;
		if (protocol_has_ports(protocol)) {
			if (match->first <= atoi(from) && atoi(to) <= match->last)
				return true;
		} else if (protocol_is_icmp(protocol)) {
			if (!icmp_type_parse(protocol, from, &type) && match->icmp_type == type)
				return true;
		} else {
			return true;
		}
	}
	return false;
}

static void check_row(const char *file, const char *row)
{
	g_auto(GStrv) cell = g_strsplit(row, ",", -1);
	const struct service *service = NULL;
	uint16_t protocol = 0;

	assert_int_equal(g_strv_length(cell), 6);
	if (!*cell[4]) {
		if (!*cell[5])
			fail_msg("%s: '%s' is left out without a reason", file, row);
		return;
	}
	service = service_find(cell[4]);
	if (!service)
		fail_msg("%s: '%s': no such service", file, row);
	assert_int_equal(protocol_parse(cell[1], &protocol), 0);
	if (!covers(service, protocol, cell[2], cell[3]))
		fail_msg("%s: '%s' is not what the service opens", file, row);
}

/* The first line names the columns: name, protocol, from, to, service, why left out. */
static void check_list(const char *file, unsigned int rows)
{
	g_autofree char *path = g_strdup_printf("tests/data/presets/%s", file);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	unsigned int seen = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("cannot read %s: run it from the top of the project", path);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines + 1; *line && **line; line++, seen++)
		check_row(file, *line);
	assert_int_equal(seen, rows);
}

static void every_aws_console_type_is_covered(void **state)
{
	(void)state;
	check_list("aws-console-types.csv", 34);
}

static void every_terraform_named_rule_is_covered(void **state)
{
	(void)state;
	check_list("terraform-named-rules.csv", 155);
}

static void every_proxmox_macro_is_covered(void **state)
{
	(void)state;
	check_list("proxmox-macros.csv", 123);
}

static void the_json_says_ports_and_icmp_types(void **state)
{
	json_t *list = services_to_json();
	json_t *service = NULL;
	size_t i = 0;
	bool seen = false;

	(void)state;
	json_array_foreach (list, i, service) {
		json_t *wanted = NULL;

		assert_string_equal(json_string_value(json_object_get(service, "name")),
				    service_at((unsigned int)i)->name);
		if (strcmp(service_at((unsigned int)i)->name, "traceroute") != 0)
			continue;
		seen = true;
		wanted = json_pack("[{s:s,s:s},{s:s,s:n,s:{s:s}},{s:s,s:n,s:{s:s}}]", "protocol",
				   "udp", "ports", "33434-33524", "protocol", "icmp", "ports",
				   "icmp", "type", "echo-request", "protocol", "icmpv6", "ports",
				   "icmp", "type", "echo-request");
		assert_true(json_equal(json_object_get(service, "matches"), wanted));
		json_decref(wanted);
	}
	assert_true(seen);
	assert_null(service_at((unsigned int)json_array_size(list)));
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_valid_sorted_and_unique),
		cmocka_unit_test(every_service_matches_something_sound),
		cmocka_unit_test(unknown_names_are_not_found),
		cmocka_unit_test(ping_is_an_echo_request_of_both_families),
		cmocka_unit_test(dns_is_tcp_and_udp),
		cmocka_unit_test(the_json_says_ports_and_icmp_types),
		cmocka_unit_test(every_aws_console_type_is_covered),
		cmocka_unit_test(every_terraform_named_rule_is_covered),
		cmocka_unit_test(every_proxmox_macro_is_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
