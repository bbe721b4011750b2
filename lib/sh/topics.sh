#!/bin/bash
# topics.sh - makes Sluice's Kafka topics, with their settings, on the cluster
# SLUICE_KAFKA, and those that headers of pipelines name for their requests and their
# events. Topics that exist are left as they are, so it can be run at any time.
# SLUICE_TOPIC_COPIES sets the copies of each partition; without, the cluster's default counts.
set -euo pipefail
top=$(cd "$(dirname "$(readlink -f -- "$0")")/../.." && pwd)

# 24 MiB: a record of 16 MiB, in base64.
size=max.message.bytes=$((24 << 20))
days=$((24 * 3600 * 1000))

# shellcheck source=SCRIPTDIR/common.sh
SLUICE_TOP=$top . "$top/lib/sh/common.sh"

# headers: the topics of headers, a line each as below: those of requests, those of events.
headers() {
	local f topic
	for topic in $(header_topics "$top/pipelines"); do echo "$topic 16"; done
	for f in "$top"/pipelines/*; do
		[ ! -f "$f" ] || [ ! -x "$f" ] || sed -n '/^#/!q; s/^#:[[:space:]]*event[[:space:]]\{1,\}//p' "$f" | tr -d '\000"'
	done | while read -r topic _; do
		[[ ! $topic =~ ^[A-Za-z0-9._-]{1,249}$ || $topic =~ ^(ingest|jobs|sluice)\.|^mapping\.events\.v1$ ]] || echo "$topic 8"
	done
}

"$top/bin/topics" ${SLUICE_TOPIC_COPIES:+-r "$SLUICE_TOPIC_COPIES"} "$@" <<X
# what to do: documents, and compute jobs
ingest.requests.v1    16 $size retention.ms=$((7 * days))
jobs.requests.v1      16 $size retention.ms=$((7 * days))
# what became of it
ingest.results.v1      8 $size retention.ms=$((30 * days))
mapping.events.v1      8 $size retention.ms=$((7 * days))
# what can't be processed, kept longest
ingest.deadletter.v1   8 $size retention.ms=$((90 * days))
# how far each outbox has been published: the last record of a key counts
sluice.positions.v1    1 cleanup.policy=compact min.cleanable.dirty.ratio=0.1 segment.ms=$((days / 24))
$(headers | sort -u -k 1,1 | sed "s/\$/ $size retention.ms=$((7 * days))/")
X
