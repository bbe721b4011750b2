#!/bin/bash
# cluster.sh FOLDER COMMAND - three Kafka brokers (KRaft, each of them controller
# too) on loopback, all that they keep in FOLDER: replication 3, min.insync 2,
# no unclean election. For tests:
#   up             makes and starts them on free ports; returns when all three answer
#   down           ends them; FOLDER stays
#   start N...     broker N (1, 2, 3), which is not running; returns when it answers
#   stop N...      drained (TERM), until it is gone
#   kill N...      -9, until it is gone
#   pause N...     SIGSTOP; "cont N..." wakes it
#   pid N          its process id
#   direct         host:port of all three, joined with commas: for SLUICE_KAFKA
#   proxied        the same for clients that are to go through a proxy: each
#                  broker is known to them at a port where nothing listens until
#                  a proxy does;
#   pairs          "LISTEN:TARGET" (ports) of each, as t/proxy takes them
#
#     t/cluster.sh "$T_DIR/kafka" up
#     SLUICE_KAFKA=$(t/cluster.sh "$T_DIR/kafka" direct)
#     t/cluster.sh "$T_DIR/kafka" kill 2
#
# SLUICE_KAFKA_HEAP is each one's heap (256m).
set -euo pipefail
export LC_ALL=C
SLUICE_TOP=$(cd "$(dirname "$(readlink -f -- "$0")")/.." && pwd)
export SLUICE_TOP SLUICE_KAFKA_HEAP=${SLUICE_KAFKA_HEAP:-256m}
# shellcheck source=SCRIPTDIR/../lib/sh/common.sh
. "$SLUICE_TOP/lib/sh/common.sh"

usage() { die 100 'usage: cluster.sh FOLDER up|down|start|stop|kill|pause|cont|pid|direct|proxied|pairs [N...]'; }
[ $# -ge 2 ] || usage
dir=$1 command=$2
shift 2
for n; do [[ $n = [123] ]] || usage; done

# Of each broker's ten ports: clients, controller, clients behind the proxy, the proxy.
port() { echo $(($(cat "$dir/port") + 10 * $1 - 10 + $2)); }
list() { echo "127.0.0.1:$(port 1 "$1"),127.0.0.1:$(port 2 "$1"),127.0.0.1:$(port 3 "$1")"; }

# first_port: thirty ports in a row that are free.
first_port() {
	local p i
	while :; do
		p=$((20000 + RANDOM % 1000 * 10))
		for ((i = 0; i < 30; i++)); do port_free $((p + i)) || continue 2; done
		echo $p
		return
	done
}

# properties N: where this broker differs from the one of lib/sh/kafka-broker.
properties() {
	cat <<-P
		node.id=$1
		controller.quorum.voters=1@127.0.0.1:$(port 1 1),2@127.0.0.1:$(port 2 1),3@127.0.0.1:$(port 3 1)
		listeners=PLAINTEXT://127.0.0.1:$(port "$1" 0),CONTROLLER://127.0.0.1:$(port "$1" 1),PROXIED://127.0.0.1:$(port "$1" 2)
		advertised.listeners=PLAINTEXT://127.0.0.1:$(port "$1" 0),PROXIED://127.0.0.1:$(port "$1" 3)
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
		default.replication.factor=3
		min.insync.replicas=2
		unclean.leader.election.enable=false
		auto.leader.rebalance.enable=false
		offsets.topic.replication.factor=3
		transaction.state.log.replication.factor=3
		transaction.state.log.min.isr=2
		share.coordinator.state.topic.replication.factor=3
		share.coordinator.state.topic.min.isr=2
	P
}

alive() { kill -s 0 "$(cat "$dir/$1.pid" 2>/dev/null)" 2>/dev/null && ! zombie "$1"; }
# Dead and not yet reaped by whoever started it is gone.
zombie() { [ "$(cut -d ' ' -f 3 "/proc/$(cat "$dir/$1.pid")/stat" 2>/dev/null)" = Z ]; }
launch() {
	! alive "$1" || die 100 "broker $1 runs"
	setsid "$SLUICE_TOP/lib/sh/kafka-broker" "$dir/$1" "$(port "$1" 0)" "$dir/$1.properties" \
		>>"$dir/$1.log" 2>&1 </dev/null &
	echo $! >"$dir/$1.pid"
}
# wait_for N COMMAND...: until COMMAND succeeds; fails when broker N has ended.
wait_for() {
	local n=$1
	shift
	until "$@" >/dev/null 2>&1; do
		if ! alive "$n"; then
			tail -n 20 "$dir/$n.log" >&2
			die 111 "broker $n has ended"
		fi
		sleep 0.1
	done
}
gone() {
	local n=$1
	while alive "$n"; do sleep 0.05; done
}
sent() { kill -s "$1" "$(cat "$dir/$2.pid")"; }

# A broker answers metadata by itself only when it has registered.
answers() { kafka_answers "127.0.0.1:$(port "$1" 0)"; }
# all_in: the cluster knows all three.
all_in() { [ "$(kcat -b "$(list 0)" -L -m 2 | grep -c '^  broker ')" = 3 ]; }

# copy_format: one format for all; three would start three JVMs more. The
# folder's id is each one's own.
copy_format() {
	local n id
	for n in 2 3; do
		mkdir -p "$dir/$n/log"
		cp "$dir/1/log/bootstrap.checkpoint" "$dir/$n/log/"
		id=S$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)
		sed "s/^node.id=.*/node.id=$n/; s/^directory.id=.*/directory.id=$id/" \
			"$dir/1/log/meta.properties" >"$dir/$n/log/meta.properties.new"
		mv "$dir/$n/log/meta.properties.new" "$dir/$n/log/meta.properties"
	done
}

up() {
	local n
	need kcat java
	mkdir -p "$dir"
	[ -f "$dir/port" ] || first_port >"$dir/port"
	for n in 1 2 3; do properties $n >"$dir/$n.properties"; done
	launch 1
	# The format is whole when the broker itself has begun.
	[ -f "$dir/3/log/meta.properties" ] || {
		wait_for 1 test -d "$dir/1/log/__cluster_metadata-0"
		copy_format
	}
	launch 2
	launch 3
	for n in 1 2 3; do wait_for $n answers $n; done
	wait_for 1 all_in
}

case $command in
up) up ;;
down) for n in 1 2 3; do
	! alive $n || { sent CONT $n; sent KILL $n; gone $n; }
done ;;
start)
	for n; do launch "$n"; done
	for n; do wait_for "$n" answers "$n"; done
	;;
stop) for n; do sent TERM "$n"; gone "$n"; done ;;
kill) for n; do sent KILL "$n"; gone "$n"; done ;;
pause) for n; do sent STOP "$n"; done ;;
cont) for n; do sent CONT "$n"; done ;;
pid) cat "$dir/${1:?}.pid" ;;
direct) list 0 ;;
proxied) list 3 ;;
pairs) for n in 1 2 3; do echo "$(port $n 3):$(port $n 2)"; done ;;
*) usage ;;
esac
