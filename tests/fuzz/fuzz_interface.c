/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_interface.c - any bytes as the interface that an API client attaches.
 */
#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "tests/fuzz/fuzz.h"

static void free_interface(struct model_interface **iface)
{
	if (*iface)
		model_interface_free(*iface);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(free_interface) struct model_interface *iface = NULL;
	g_autofree char *text = g_strndup((const char *)data, size);
	int result = load_interface("vm", text, size, &iface, diag);

	FUZZ_EXPECT((result == 0) == (iface != NULL), "load_interface says %d", result);
	FUZZ_EXPECT(result == 0 || diag->entries->len, "refused without a word");
	return 0;
}
