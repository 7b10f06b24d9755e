/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_state.c - any bytes as a file of the state directory, among others as rulesd writes them: it
 * is refused with a message that names the directory, or what it says can be read as a whole.
 *
 * The first byte chooses the file, and by bit 7 that it gets a seal that fits (state_seal.h); by
 * bit 6, that the rest is no file but a text inside of one, whose sum has been found right.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "rulesd/state.h"
#include "rulesd/state_file.h"
#include "rulesd/state_json.h"
#include "rulesd/state_seal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/sources.h"

#define MOST_FILES 16

struct file {
	char *name; /* in the state directory */
	char *text;
	size_t length;
};

static char *folder;
static struct file files[MOST_FILES];
static unsigned int file_count;

/* A policy, a patch of it and an interface attached by hand. */
static void write_state(void)
{
	g_autoptr(GPtrArray) policy =
		sources_of("{\"version\":1,\"groups\":{\"sg-a\":{\"ingress\":[]}}}");
	g_autoptr(GPtrArray) patch = sources_of("{\"version\":1,\"groups\":{\"sg-b\":{}}}");
	static const char hand[] = "{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"]}";
	struct state_record record = {.generation = 2, .offset = 0};
	g_autofree char *error = NULL;
	struct numbers *numbers = NULL;
	struct state *state = NULL;
	bool whole = true;

	FUZZ_EXPECT(state_open(folder, &state, &error) == 0, "%s", error);
	FUZZ_EXPECT(state_load_numbers(state, &numbers, &whole, &error) == 0, "%s", error);
	FUZZ_EXPECT(state_save_numbers(state, numbers) == 0, "numbers");
	FUZZ_EXPECT(state_policy_prepare(state, policy, NULL, "api", NULL, 1) == 0, "prepare");
	FUZZ_EXPECT(state_policy_commit(state, 1, 0) == 0, "commit");
	FUZZ_EXPECT(state_append_patch(state, &record, patch, "api") == 0, "patch");
	record.generation = 3;
	FUZZ_EXPECT(state_append_attached(state, &record, "hand", hand, strlen(hand)) == 0, "hand");
	numbers_free(&numbers);
	state_close(&state);
}

static void remember(const char *below)
{
	g_autofree char *path = g_build_filename(folder, below, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		struct file *known = &files[file_count];

		if (strcmp(name, "lock") == 0 || g_file_test(file, G_FILE_TEST_IS_DIR))
			continue;
		FUZZ_EXPECT(file_count < MOST_FILES, "too many files");
		known->name = *below ? g_build_filename(below, name, NULL) : g_strdup(name);
		FUZZ_EXPECT(g_file_get_contents(file, &known->text, &known->length, NULL), "%s",
			    file);
		file_count++;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static void remove_folder(void)
{
	const char *argv[] = {"rm", "-rf", folder, NULL};

	g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		     NULL, NULL, NULL);
}

static void make_world(void)
{
	/* Below every level: what is wrong with the input is not to be read. */
	log_setup(LOG_FORMAT_TEXT, (enum log_level) - 1);
	folder = g_strdup("/dev/shm/tapguard-fuzz-state-XXXXXX");
	FUZZ_EXPECT(g_mkdtemp(folder), "no directory");
	atexit(remove_folder);
	write_state();
	remember("");
	remember("policies");
	qsort(files, file_count, sizeof(*files), by_name); /* the same choice in every run */
}

static void put(const char *name, const void *data, size_t size)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_EXPECT(fd >= 0 && state_file_write_all(fd, data, size) == 0, "%s: %s", path,
		    g_strerror(errno));
}

static void read_all(struct state *state)
{
	g_autoptr(GPtrArray) interfaces = load_sources_new();
	g_autofree char *error = NULL, *problem = NULL;
	struct numbers *numbers = NULL;
	bool whole = true;

	if (state_load_numbers(state, &numbers, &whole, &error) < 0)
		FUZZ_EXPECT(error && strstr(error, folder), "refused without a word");
	numbers_free(&numbers);
	for (guint i = 0; i < state->generations->len; i++) {
		g_autoptr(GPtrArray) sources = load_sources_new();
		g_autoptr(GPtrArray) patches = load_patches_new();
		g_autofree char *why = NULL;

		if (state_load_sources(state, state->generations->pdata[i], sources, patches,
				       &why) < 0)
			FUZZ_EXPECT(why, "refused without a word");
	}
	if (state_load_attached(state, interfaces, &problem) < 0)
		FUZZ_EXPECT(problem, "refused without a word");
}

/* {"crc32":"...", instead of the opening brace, which the input has not. */
static void put_sealed(const char *name, const void *data, size_t size)
{
	g_autoptr(GByteArray) sealed = g_byte_array_new();
	char seal[STATE_SEAL_BYTES + 1];

	snprintf(seal, sizeof(seal), "{\"crc32\":\"%08x\",", (unsigned int)crc32_z(0, data, size));
	g_byte_array_append(sealed, (const guint8 *)seal, (guint)strlen(seal));
	g_byte_array_append(sealed, data, (guint)size);
	put(name, sealed->data, sealed->len);
}

static void read_text(struct state *state, unsigned int kind, const char *data, size_t size)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autofree char *text = g_malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	if (kind % 3 == 0)
		state_policy_from_text(&text, size, kind & 8, sources, patches);
	else if (kind % 3 == 1)
		state_patch_from_text(text, size, patches);
	else if (state_record_from_text(state, text, size, kind & 8) == 0)
		read_all(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *error = NULL;
	struct state *state = NULL;
	int result;

	if (!folder)
		make_world();
	if (!size)
		return 0;
	for (unsigned int i = 0; i < file_count; i++)
		put(files[i].name, files[i].text, files[i].length);
	if (!(data[0] & 0x40))
		(data[0] & 0x80 ? put_sealed : put)(
			files[(data[0] & 0x3f) % MAX(file_count, 1)].name, data + 1, size - 1);
	result = state_open(folder, &state, &error);
	FUZZ_EXPECT((result == 0) == (state != NULL), "state_open says %d", result);
	FUZZ_EXPECT(result == 0 || (error && strstr(error, folder)), "refused without a word");
	if (state && data[0] & 0x40)
		read_text(state, data[0] & 0x3f, (const char *)data + 1, size - 1);
	else if (state)
		read_all(state);
	state_close(&state);
	return 0;
}
