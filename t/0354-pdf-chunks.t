#!/bin/sh
# From PDFs that others made to chunks: mineru, postpdf and chunk on real papers.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
SLUICE_DOCS=$T_TOP/.deps/pdfs
SLUICE_MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
if [ ! -e "$SLUICE_DOCS/dtc-paper.pdf" ] || [ ! -e "$SLUICE_MODEL/vocab.txt" ]; then
	echo "1..0 # SKIP no PDFs or no model: make deps"
	exit 0
fi
export SLUICE_DOCS SLUICE_MODEL
unset SLUICE_BLOBS
for f in dtc-paper cvs-paper RProtoBuf-paper RJournal_6_111-122-2014; do
	printf '{"job_id":"%s","path":"%s.pdf"}\n' $f $f
done >requests
parse() { mineru <requests 2>err | postpdf 2>>err >in; }
ok 'four papers' parse
ok 'have text, pages and titles' jq -es 'length == 4 and all(.[]; .error == null and .document.pages > 5 and .document.length > 20000 and (.document.title | length) > 10 and .document.language == "en")' in
again() { postpdf <in >again 2>err && cmp in again; }
ok 'once' again
run() { chunk -n "$1" -o "$2" <in >got 2>err; }
oracle() { python3 "$T_TOP/t/chunk-oracle.py" in got "$@"; }
for how in '256 12.5' '64 0' '512 25'; do
	# shellcheck disable=SC2086
	set -- $how
	ok "chunks, -n $1 -o $2" run "$1" "$2"
	ok '  keep every law' oracle "$1" "$2"
done
run 256 12.5
# Each chunk against the layout: page, section, and tables whole or cut at rows.
python3 - <<'P' >places
import json
jobs = {}
for line in open("got"):
    r = json.loads(line)
    jobs.setdefault(r["job_id"], []).append(r)
for lines in jobs.values():
    *chunks, job = lines
    layout, text = job["layout"], job["content"].encode()
    tables = [p for p in layout if p["kind"] == "table"]
    for c in (x["chunk"] for x in chunks):
        inside = [p for p in layout if p["at"] < c["end"] and p["at"] + p["len"] > c["start"]]
        pages = [p["page"] for p in inside]
        assert c["page"] == pages[0] and c.get("pages", pages[:1] * 2)[1] == max(pages) <= job["document"]["pages"], c
        assert c.get("path", []) in [p.get("path", []) for p in inside], c
        assert c.get("kind") == ("table" if inside[0]["kind"] == "table" else None), c
        if c.get("kind") == "table":
            assert len(inside) == 1 and (c["start"] <= inside[0]["at"] + 9 or text[:c["start"]].rstrip(b" \t").endswith(b"\n")), c
        assert inside[-1]["kind"] != "heading" or len(inside) == 1 or c["end"] == layout[-1]["at"] + layout[-1]["len"] or \
            c["end"] + 2 in [t["at"] for t in tables], c
    print(job["job_id"], len(chunks), len(tables))
P
ok 'say where they are' test "$(wc -l <places)" = 4
paths() { jq -r 'select(.chunk and .job_id == "cvs-paper").chunk.path[-1]' got >paths && for s in "$@"; do grep -qx "$s" paths || { echo "no $s"; return 1; }; done; }
ok 'sections of a paper' paths '1. Background' '2.4. Configurable Logging Support' '2.6. Building “patch” Source Distributions' '3.1. Statistics' '7. Acknowledgements'
deep() { jq -es 'any(.[]; .chunk.path == ["3. CVS Experience", "3.2. Performance"])' got; }
ok 'subsections are under their sections' deep
table() { jq -r 'select(.chunk.kind == "table" and .job_id == "RProtoBuf-paper").chunk.text' got | grep -qx "‘Message’$(printf '\t')2$(printf '\t')20$(printf '\t')yes (field names)"; }
ok 'a row of a table' table
done_testing
