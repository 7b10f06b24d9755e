/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_settle.c - what flips touched that packets may still read the old way: when it may be written
 * again, and when it may go.
 *
 * A packet that read generation g needs of every entry its value as of g. An entry {epoch, before,
 * after} remembers two values. Say that since the last grace period an entry was written at the
 * flips e1 < e2 (e1: the one before the last, or none): a packet with g < e2 reads what held from
 * e1 to e2 - 1. So all that such a packet reads is one policy, that of some generation between g
 * and now, exactly when the highest e1 of all that it reads is below the lowest e2:
 * settle_conflicts() asks that before entries are written. One member that joins and leaves again
 * and again never has to wait; what has to is a change that meets a second one half way.
 *
 * What a packet reads is the configuration of one interface and the entries of one remote address:
 * its member entry and the longest prefix around it. So two members do not count against each
 * other, nor do two prefixes that are apart. (An ICMP error asks about two addresses; each of its
 * two answers is one policy's.) Guards and VLANs count against everything.
 *
 * A configuration has two versions and is too large to be replaced while it is read. When it has to
 * be, the usual case is a rule that changed: a new policy number, one word, is stored into the
 * version that holds. Packets with g before that version read the other one; all others read the
 * newest policy, which needs that nothing else has changed for them meanwhile.
 *
 * Long because what is remembered of flips, what asks it and what forgets it must agree.
 */
#include "rulesd/bpf_internal.h"

#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

/* A flip of more entries is not remembered entry by entry; the next change waits for it. */
#define WIDE_ENTRIES 4096u
/* Pairs of prefixes to compare before it is cheaper to wait. */
#define MAX_PAIRS 200000u
/* Things removed in one step: about a millisecond. */
#define STEP_LIMIT 1024u

static guint touched_hash(gconstpointer pointer)
{
	const struct touched *touched = pointer;
	guint64 words[3], hash;

	memcpy(words, touched->key, sizeof(words));
	hash = (words[0] + touched->table) * 0x9e3779b97f4a7c15ULL;
	hash = (hash ^ hash >> 29 ^ words[1]) * 0xbf58476d1ce4e5b9ULL;
	hash = (hash ^ hash >> 32 ^ words[2]) * 0x94d049bb133111ebULL;
	return (guint)(hash >> 32);
}

static gboolean touched_equal(gconstpointer a, gconstpointer b)
{
	const struct touched *x = a, *y = b;

	return x->table == y->table && !memcmp(x->key, y->key, sizeof(x->key));
}

void settle_init(struct dataplane *dataplane)
{
	struct settling *settling = &dataplane->settling;

	g_mutex_init(&settling->lock);
	g_cond_init(&settling->wake);
	settling->touched = g_hash_table_new_full(touched_hash, touched_equal, g_free, NULL);
	settling->dead = g_array_new(FALSE, FALSE, sizeof(struct dead));
	settling->retired = g_array_new(FALSE, FALSE, sizeof(struct retired));
	settling->narrowed = g_array_new(FALSE, FALSE, sizeof(struct narrowed));
}

void settle_stop(struct settling *settling)
{
	if (!settling->thread)
		return;
	g_mutex_lock(&settling->lock);
	settling->stop = true;
	g_cond_signal(&settling->wake);
	g_mutex_unlock(&settling->lock);
	g_thread_join(TAKE_PTR(settling->thread));
	settling->stop = false;
}

void settle_free(struct dataplane *dataplane)
{
	struct settling *settling = &dataplane->settling;

	settle_stop(settling);
	g_hash_table_unref(settling->touched);
	g_array_unref(settling->dead);
	g_array_unref(settling->retired);
	g_array_unref(settling->narrowed);
	g_cond_clear(&settling->wake);
	g_mutex_clear(&settling->lock);
}

/* ------------------------------------------------------------------ grace periods */

uint64_t settle_generation(struct dataplane *dataplane)
{
	struct settling *settling = &dataplane->settling;
	uint64_t settled;

	g_mutex_lock(&settling->lock);
	settled = settling->settled;
	g_mutex_unlock(&settling->lock);
	return settled;
}

static void passed(struct settling *settling, uint64_t generation)
{
	settling->settled = MAX(settling->settled, generation);
}

static gpointer wait_for_readers(gpointer arg)
{
	struct dataplane *dataplane = arg;
	struct settling *settling = &dataplane->settling;

	g_mutex_lock(&settling->lock);
	while (!settling->stop) {
		uint64_t generation = settling->wanted;
		int code;

		if (generation <= settling->settled) {
			g_cond_wait(&settling->wake, &settling->lock);
			continue;
		}
		g_mutex_unlock(&settling->lock);
		code = grace_wait(dataplane, NULL);
		if (code)
			g_usleep(100000);
		g_mutex_lock(&settling->lock);
		if (!code)
			passed(settling, generation);
	}
	g_mutex_unlock(&settling->lock);
	return NULL;
}

static void want_settled(struct dataplane *dataplane, uint64_t generation)
{
	struct settling *settling = &dataplane->settling;

	g_mutex_lock(&settling->lock);
	settling->wanted = generation;
	if (!settling->thread)
		settling->thread = g_thread_new("settle", wait_for_readers, dataplane);
	g_cond_signal(&settling->wake);
	g_mutex_unlock(&settling->lock);
}

void settle_opened(struct dataplane *dataplane)
{
	uint64_t generation = dataplane_generation(dataplane);

	dataplane->settling.wide = generation;
	if (generation)
		want_settled(dataplane, generation);
}

/* ------------------------------------------------------------------ what may be written again */

static struct touched *find_touched(struct settling *settling, enum bpf_table_id table,
				    const uint8_t *key)
{
	struct touched wanted = {.table = table};

	memcpy(wanted.key, key, sizeof(wanted.key));
	return g_hash_table_lookup(settling->touched, &wanted);
}

/* Whether one prefix lies inside the other. Both tries have keys of this shape: a length that
 * counts a number and an address, the number, the address. */
static bool overlap(const uint8_t *a, const uint8_t *b)
{
	struct sg_prefix_key x, y;
	unsigned int bits, bytes;

	_Static_assert(sizeof(struct sg_prefix_key) == sizeof(struct sg_guard_key), "one shape");
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x.space != y.space)
		return false;
	bits = MIN(x.prefixlen, y.prefixlen) - 32;
	bytes = bits / 8;
	if (memcmp(x.addr, y.addr, bytes) != 0)
		return false;
	return !(bits % 8) || !((x.addr[bytes] ^ y.addr[bytes]) >> (8 - bits % 8));
}

static bool is_trie(enum bpf_table_id table)
{
	return table == TABLE_PREFIXES || table == TABLE_GUARD;
}

static bool is_inside(const struct sg_member_key *member, const uint8_t *prefix)
{
	struct sg_prefix_key whole = {.prefixlen = 32 + 128};

	whole.space = SG_SPACE(member->zone, !addr_is_v4(&member->addr));
	memcpy(whole.addr, member->addr.b, sizeof(whole.addr));
	return overlap((const uint8_t *)&whole, prefix);
}

/* Whether one packet may read both. */
static bool read_together(const struct touched *touched, enum bpf_table_id table,
			  const uint8_t *key)
{
	struct sg_member_key member;

	if (table == TABLE_MEMBERS && touched->table == TABLE_MEMBERS)
		return false;
	if (table == TABLE_PREFIXES && touched->table == TABLE_PREFIXES)
		return overlap(touched->key, key);
	if (table == TABLE_MEMBERS && touched->table == TABLE_PREFIXES) {
		memcpy(&member, key, sizeof(member));
		return is_inside(&member, touched->key);
	}
	if (table == TABLE_PREFIXES && touched->table == TABLE_MEMBERS) {
		memcpy(&member, touched->key, sizeof(member));
		return is_inside(&member, key);
	}
	/* Configurations of two interfaces. */
	return table != TABLE_IFACES || touched->table != TABLE_IFACES;
}

/*
 * Whether an entry can be written: own is what was touched of it, NULL nothing. In a trie an entry
 * stands in for those around it, and they for it when it goes; so two that overlap are like one
 * that is written twice, with more than one value to remember.
 */
static bool entry_fits(struct settling *settling, enum bpf_table_id table, const uint8_t *key,
		       const struct touched *own, uint64_t settled)
{
	uint64_t before = own ? own->last : 0, last = G_MAXUINT64;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, settling->touched);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct touched *touched = value;

		if (touched == own || touched->last <= settled ||
		    !read_together(touched, table, key))
			continue;
		if (is_trie(table) && touched->table == table && overlap(touched->key, key))
			return false;
		/* What this change writes as well will have been touched now. */
		before = MAX(before, touched->planned ? touched->last : touched->before);
		last = MIN(last, touched->planned ? G_MAXUINT64 : touched->last);
	}
	return before <= settled || before < last;
}

static bool same_but_policy(const struct sg_iface_conf *old, const struct sg_iface_conf *new)
{
	struct sg_iface_conf like = *new;

	like.policy = old->policy;
	like.outline = old->outline;
	memcpy(like.has, old->has, sizeof(like.has));
	return !memcmp(&like, old, sizeof(like)) && !(new->has[0] & ~old->has[0]) &&
	       !(new->has[1] & ~old->has[1]);
}

static const uint8_t *slot_key(uint32_t slot, uint8_t key[24])
{
	memset(key, 0, 24);
	memcpy(key, &slot, sizeof(slot));
	return key;
}

/* Whether anything but configurations was touched after that flip. */
static bool touched_since(struct settling *settling, uint64_t since)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, settling->touched);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct touched *touched = value;

		if (touched->table != TABLE_IFACES && touched->last > since)
			return true;
	}
	return false;
}

/* Whether the configuration can be written: beside the one that holds, or its policy in place. */
static bool conf_fits(struct dataplane *dataplane, const struct plan *plan,
		      struct iface_change *change, uint64_t settled)
{
	struct settling *settling = &dataplane->settling;
	uint8_t key[24];
	unsigned int current;
	const struct sg_iface_conf *conf = plan_current_conf(dataplane, change->slot, &current);
	uint64_t since = dataplane->ifaces[change->slot].since[current];

	change->in_place = false;
	if (!change->conf_differs)
		return true;
	/* SG_NEVER: somebody else has spoiled both versions. Nobody reads one, and to store a
	 * policy into one would not have anybody read it. */
	if (since <= settled || since == SG_NEVER)
		return entry_fits(settling, TABLE_IFACES, slot_key(change->slot, key), NULL,
				  settled);
	if (plan->changes->len || plan->edits->len || !same_but_policy(conf, &change->conf) ||
	    touched_since(settling, since))
		return false;
	change->in_place = true;
	return true;
}

/* Entries of policies that the plan changes where they are, one after the other. */
static const struct sg_policy_key *next_edit(const struct plan *plan, guint *edit, guint *entry)
{
	for (; *edit < plan->edits->len; ++*edit, *entry = 0) {
		const struct policy_edit *one = plan->edits->pdata[*edit];

		if (*entry < one->entries->len)
			return &g_array_index(one->entries, struct ports_edit, (*entry)++).key;
	}
	return NULL;
}

static void mark_planned(struct settling *settling, const struct plan *plan, bool planned)
{
	const struct sg_policy_key *ports;
	guint edit = 0, entry = 0;
	uint8_t key[24];

	while ((ports = next_edit(plan, &edit, &entry))) {
		struct touched *touched =
			find_touched(settling, TABLE_POLICY, edit_touched_key(ports, key));

		if (touched)
			touched->planned = planned;
	}
	for (guint i = 0; i < plan->changes->len; i++) {
		const struct change *change = &g_array_index(plan->changes, struct change, i);
		struct touched *touched = find_touched(settling, change->table, change->key);

		if (touched)
			touched->planned = planned;
	}
}

static bool fits_again(struct settling *settling, enum bpf_table_id table, const uint8_t *key,
		       uint64_t settled)
{
	const struct touched *own = find_touched(settling, table, key);

	if (own && own->last <= settled)
		own = NULL;
	return entry_fits(settling, table, key, own, settled);
}

static bool edits_fit(struct settling *settling, const struct plan *plan, uint64_t settled)
{
	const struct sg_policy_key *ports;
	guint edit = 0, entry = 0;
	uint8_t key[24];

	while ((ports = next_edit(plan, &edit, &entry)))
		if (!fits_again(settling, TABLE_POLICY, edit_touched_key(ports, key), settled))
			return false;
	return true;
}

static bool plan_fits(struct dataplane *dataplane, struct plan *plan, uint64_t settled)
{
	struct settling *settling = &dataplane->settling;

	for (guint i = 0; i < plan->ifaces->len; i++)
		if (!conf_fits(dataplane, plan,
			       &g_array_index(plan->ifaces, struct iface_change, i), settled))
			return false;
	for (guint i = 0; i < plan->changes->len; i++) {
		const struct change *change = &g_array_index(plan->changes, struct change, i);

		if (!fits_again(settling, change->table, change->key, settled))
			return false;
	}
	return edits_fit(settling, plan, settled);
}

bool settle_conflicts(struct dataplane *dataplane, struct plan *plan)
{
	struct settling *settling = &dataplane->settling;
	uint64_t settled = settle_generation(dataplane);
	guint touched = g_hash_table_size(settling->touched);
	bool fits;

	if (dataplane_generation(dataplane) <= settled)
		return false;
	if (settling->wide > settled || plan->members_of || plan->changes->len > WIDE_ENTRIES ||
	    (uint64_t)(plan->changes->len + plan->ifaces->len) * touched > MAX_PAIRS)
		return true;
	mark_planned(settling, plan, true);
	fits = plan_fits(dataplane, plan, settled);
	mark_planned(settling, plan, false);
	return !fits;
}

bool settle_edits_fit(struct dataplane *dataplane, const struct plan *plan)
{
	struct settling *settling = &dataplane->settling;
	uint64_t settled = settle_generation(dataplane);
	bool fits;

	if (!plan->edits->len || dataplane_generation(dataplane) <= settled)
		return true;
	if (settling->wide > settled)
		return false;
	mark_planned(settling, plan, true);
	fits = edits_fit(settling, plan, settled);
	mark_planned(settling, plan, false);
	return fits;
}

static void touch(struct settling *settling, enum bpf_table_id table, const uint8_t *key,
		  uint64_t generation)
{
	struct touched *touched = find_touched(settling, table, key);

	if (!touched) {
		touched = g_new0(struct touched, 1);
		touched->table = table;
		memcpy(touched->key, key, sizeof(touched->key));
		g_hash_table_add(settling->touched, touched);
	}
	touched->before = touched->last;
	touched->last = generation;
}

static void narrow_later(struct dataplane *dataplane, const struct iface_change *change,
			 uint64_t generation)
{
	struct narrowed narrowed = {
		.slot = change->slot, .policy = change->conf.policy, .since = generation};

	memcpy(narrowed.has, change->conf.has, sizeof(narrowed.has));
	g_array_append_val(dataplane->settling.narrowed, narrowed);
}

void settle_flipped(struct dataplane *dataplane, const struct plan *plan, uint64_t generation)
{
	struct settling *settling = &dataplane->settling;
	bool wide = plan->members_of || plan->changes->len > WIDE_ENTRIES;
	const struct sg_policy_key *ports;
	guint edit = 0, entry = 0;
	uint8_t key[24];

	if (wide) {
		settling->wide = generation;
		hints_want(dataplane);
	}
	for (guint i = 0; i < plan->changes->len; i++) {
		const struct change *change = &g_array_index(plan->changes, struct change, i);

		if (!wide)
			touch(settling, change->table, change->key, generation);
		if (change->removed)
			settle_dead(dataplane, change, generation);
	}
	while ((ports = next_edit(plan, &edit, &entry)))
		touch(settling, TABLE_POLICY, edit_touched_key(ports, key), generation);
	for (guint i = 0; i < plan->removed->len; i++)
		settle_dead(dataplane, &g_array_index(plan->removed, struct change, i), generation);
	for (guint i = 0; i < plan->ifaces->len; i++) {
		const struct iface_change *change =
			&g_array_index(plan->ifaces, struct iface_change, i);

		if (change->in_place)
			narrow_later(dataplane, change, generation);
		else if (change->conf_differs)
			touch(settling, TABLE_IFACES, slot_key(change->slot, key), generation);
	}
	want_settled(dataplane, generation);
}

void settle_undone(struct dataplane *dataplane, enum bpf_table_id table, const uint8_t key[24])
{
	struct touched *touched = find_touched(&dataplane->settling, table, key);

	/* As if written twice: whoever reads it now reads what the last flip wrote. */
	if (touched)
		touched->before = touched->last;
}

void settle_dead(struct dataplane *dataplane, const struct change *change, uint64_t since)
{
	struct dead dead = {.change = *change, .since = since};

	g_array_append_val(dataplane->settling.dead, dead);
}

void settle_retire(struct dataplane *dataplane, bool set, uint32_t number, uint64_t since)
{
	struct retired retired = {.number = number, .set = set, .since = since};
	struct held_policy *policy = set ? NULL : held_policy_at(dataplane, number);
	struct held_set *peers = set ? held_set_at(dataplane, number) : NULL;

	if (policy)
		policy->retired = since;
	if (peers)
		peers->retired = since;
	g_array_append_val(dataplane->settling.retired, retired);
}

/* ------------------------------------------------------------------ what may go */

/* How many at the front of a list are from settled generations, at most limit. */
#define READY(list, type, settled, limit)                                    \
	({                                                                   \
		guint _count = 0;                                            \
		while (_count < (list)->len && _count < (limit) &&           \
		       g_array_index(list, type, _count).since <= (settled)) \
			_count++;                                            \
		_count;                                                      \
	})

static int remove_dead(struct dataplane *dataplane, uint64_t settled, guint *limit, char **error)
{
	struct settling *settling = &dataplane->settling;
	guint count = READY(settling->dead, struct dead, settled, *limit), done = 0;
	int code = 0;

	for (; done < count; done++) {
		const struct dead *dead = &g_array_index(settling->dead, struct dead, done);
		const struct touched *touched =
			find_touched(settling, dead->change.table, dead->change.key);

		if (touched && touched->last > dead->since)
			continue; /* it lives again */
		code = table_delete(dataplane, dead->change.table, dead->change.key, error);
		if (code)
			break;
	}
	if (done)
		g_array_remove_range(settling->dead, 0, done);
	settling->buried += done;
	*limit -= done;
	return code;
}

/* One that came back and went again waits for the last time. */
static bool retired_again(struct dataplane *dataplane, const struct retired *retired)
{
	const struct held_policy *policy = held_policy_at(dataplane, retired->number);
	const struct held_set *peers = held_set_at(dataplane, retired->number);

	if (retired->set)
		return peers && peers->retired > retired->since;
	return policy && policy->retired > retired->since;
}

static int remove_retired(struct dataplane *dataplane, uint64_t settled, guint *limit, char **error)
{
	struct settling *settling = &dataplane->settling;
	guint count = READY(settling->retired, struct retired, settled, *limit), done = 0;
	int code = 0;

	for (; done < count; done++) {
		const struct retired *retired =
			&g_array_index(settling->retired, struct retired, done);

		if (retired_again(dataplane, retired))
			continue;
		if (retired->set)
			code = held_set_drop(dataplane, retired->number, error);
		else
			code = held_policy_drop(dataplane, retired->number, error);
		if (code)
			break;
	}
	if (done)
		g_array_remove_range(settling->retired, 0, done);
	*limit -= done;
	return code;
}

static void narrow(struct dataplane *dataplane, uint64_t settled)
{
	struct settling *settling = &dataplane->settling;
	guint count = READY(settling->narrowed, struct narrowed, settled, G_MAXUINT);

	for (guint i = 0; i < count; i++) {
		const struct narrowed *narrowed =
			&g_array_index(settling->narrowed, struct narrowed, i);
		struct sg_iface *iface = &dataplane->ifaces[narrowed->slot];
		unsigned int current;

		plan_current_conf(dataplane, narrowed->slot, &current);
		if (!iface->ifindex || iface->conf[current].policy != narrowed->policy)
			continue;
		for (unsigned int dir = 0; dir < SG_DIRS; dir++)
			__atomic_store_n(&iface->conf[current].has[dir], narrowed->has[dir],
					 __ATOMIC_RELEASE);
	}
	if (count)
		g_array_remove_range(settling->narrowed, 0, count);
}

static gboolean is_settled(gpointer key, gpointer value, gpointer arg)
{
	struct dataplane *dataplane = arg;
	const struct touched *touched = key;
	struct sg_member_key member;

	(void)value;
	if (touched->last > dataplane->settling.forgotten)
		return FALSE;
	if (touched->table == TABLE_MEMBERS) {
		memcpy(&member, touched->key, sizeof(member));
		hints_learn(dataplane, &member);
	}
	return TRUE;
}

static void forget_touched(struct dataplane *dataplane, uint64_t settled)
{
	struct settling *settling = &dataplane->settling;

	if (settled <= settling->forgotten)
		return;
	settling->forgotten = settled;
	g_hash_table_foreach_remove(settling->touched, is_settled, dataplane);
}

int settle_entries(struct dataplane *dataplane, char **error)
{
	uint64_t settled = settle_generation(dataplane);
	guint limit = G_MAXUINT;
	int code = apply_undo(dataplane, error);

	if (!code)
		code = remove_dead(dataplane, settled, &limit, error);
	if (!code)
		code = edits_finish(dataplane, settled, error);
	if (code)
		return code;
	narrow(dataplane, settled);
	/* Only now: what is dead and was written again is told by what was touched. */
	forget_touched(dataplane, settled);
	return 0;
}

int settle_wait(struct dataplane *dataplane, char **error)
{
	struct settling *settling = &dataplane->settling;
	uint64_t generation = dataplane_generation(dataplane);
	int code = 0;

	if (settle_generation(dataplane) < generation)
		code = grace_period(dataplane, error);
	if (code)
		return code;
	g_mutex_lock(&settling->lock);
	passed(settling, generation);
	g_mutex_unlock(&settling->lock);
	return settle_entries(dataplane, error);
}

int dataplane_settle(struct dataplane *dataplane, bool *more)
{
	struct settling *settling = &dataplane->settling;
	uint64_t settled = settle_generation(dataplane);
	guint limit = STEP_LIMIT;
	int code = apply_undo(dataplane, NULL);

	if (!code)
		code = remove_dead(dataplane, settled, &limit, NULL);
	/* Before what it has changed is removed. */
	if (!code)
		code = edits_finish(dataplane, settled, NULL);
	if (!code)
		code = remove_retired(dataplane, settled, &limit, NULL);
	if (!code && limit)
		code = settle_entries(dataplane, NULL);
	if (code)
		return code;
	*more = hints_step(dataplane) || settling->dead->len || settling->retired->len ||
		settling->narrowed->len || edits_due(dataplane) ||
		settled < dataplane_generation(dataplane);
	return 0;
}
