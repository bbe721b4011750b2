# shellcheck shell=bash
#: topics
#: Makes Sluice's topics on the Kafka cluster
#: setup
#| Uses SLUICE_KAFKA. Topics that exist are left as they are. Where the
#| cluster's default replication is not what you want, set
#| SLUICE_TOPIC_COPIES=3 before. 'sluice up' does this by itself.
no_arguments "$@"
named SLUICE_KAFKA Kafka
exec "$SLUICE_TOP/lib/sh/topics.sh"
