#!/bin/sh
# The parts of the Kafka edge that need no broker.
exec "${TBIN:?run me through make check}/kafkatest"
