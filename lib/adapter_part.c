#include "adapter.h"
#include "arg.h"
#include "err.h"
#include "json.h"
#include "text/body.h"

void
adapter_key(struct buf *out, const char *env)
{
	const char *path = arg_env(env, NULL);

	if (path && fetch_secret(path, out) < 0)
		die_sys(XPERM, "%s: %s", env, path);
}

size_t
adapter_content(struct flow_item *it, struct rec_change *c, const struct buf *text, size_t room)
{
	static struct buf json;
	static struct blob blobs = BLOB_INIT;
	char hex[SHA256_HEX];

	json.len = 0;
	json_quote(&json, text->p, text->len);
	c[0] = (struct rec_change){ "content", json.p, json.len };
	if (json.len < room)
		return 1;
	if (!arg_env("SLUICE_BLOBS", NULL)) {
		flow_error(it, "too_large", false, 0, "the record with its text is too long and SLUICE_BLOBS is not set");
		return 0;
	}
	if (body_blobs(&blobs) < 0 || blob_put(&blobs, text->p, text->len, hex) < 0) {
		flow_error(it, "blob_unavailable", true, 0, "SLUICE_BLOBS: %s", blob_why());
		return 0;
	}
	json.len = 0;
	buf_addf(&json, "{\"sha256\":\"%s\",\"length\":%zu}", hex, text->len);
	c[0] = (struct rec_change){ "content_blob", json.p, json.len };
	return 1;
}
