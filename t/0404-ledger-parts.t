#!/bin/sh
exec "${TBIN:?run me through make check or t/run}/ledgertest"
