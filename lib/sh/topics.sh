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

# Those of headers: of requests, of events; without the one of mappings, which is below.
own=$("$top/bin/pipeline-header" -t "$top/pipelines")
events=$("$top/bin/pipeline-header" -e "$top/pipelines" | { grep -vxF mapping.events.v1 || :; })

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
$({ sed 's/$/ 16/' <<<"$own"; sed 's/$/ 8/' <<<"$events"; } | grep '^[^ ]' | sort -u -k 1,1 | sed "s/\$/ $size retention.ms=$((7 * days))/")
X
