#!/bin/sh
exec "${TBIN:?run me through make check or t/run}/wordpiecetest" "$(dirname "$0")/data/wordpiece-golden.ndjson"
