#!/bin/sh
# sluice replay --sshlogin: by way of an ssh server of our own on loopback.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
sshd=$(command -v sshd || command -v /usr/sbin/sshd) || { echo '1..0 # SKIP there is no sshd'; exit 0; }
command -v rsync >/dev/null || { echo '1..0 # SKIP there is no rsync, by which parallel sends files'; exit 0; }
t_stack -k
pids=''
t_end() { for p in $pids; do kill "$p" 2>/dev/null; done; }
SLUICE_VAR=$T_DIR/var
export SLUICE_VAR
mkdir "$SLUICE_VAR"
t_topic sluice.positions.v1 1 cleanup.policy=compact
t_topic ssh.a 3 retention.ms=-1

# -- the server, and the client's settings, in this folder -----------------------------
ssh-keygen -q -t ed25519 -N '' -f hostkey
ssh-keygen -q -t ed25519 -N '' -f key
cp key.pub keys
port=$((38000 + $$ % 2000))
cat >sshd_config <<X
ListenAddress 127.0.0.1
Port $port
HostKey $T_DIR/hostkey
PidFile none
AuthorizedKeysFile $T_DIR/keys
PasswordAuthentication no
StrictModes no
UsePAM no
X
# What its package's service makes: root's sshd does not start without it.
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
"$sshd" -D -e -f "$T_DIR/sshd_config" 2>sshd.err &
pids="$pids $!"
cat >ssh_config <<X
Host there
	HostName 127.0.0.1
	Port $port
	User $(id -un)
	IdentityFile $T_DIR/key
	IdentitiesOnly yes
	UserKnownHostsFile $T_DIR/known
	StrictHostKeyChecking accept-new
X
mkdir path
printf '#!/bin/sh\nexec %s -F %s/ssh_config "$@"\n' "$(command -v ssh)" "$T_DIR" >path/ssh
chmod +x path/ssh
PATH=$T_DIR/path:$PATH
export PATH
ok 'the server answers' until_ok 10 ssh there true

seq 1 300 | awk '{ printf "{\"topic\":\"ssh.a\",\"partition\":%d,\"offset\":%d,\"ts\":%d,\"key\":\"k%d\",\"text\":\"%d\"}\n", $1 % 3, $1, 1700000000000 + $1, $1 % 40, $1 }' >made
ok 'another host sends' sluice replay -q --sshlogin there made
from-kafka -c -t ssh.a -e 2>err | jq -r '"\(.partition) \(.text)"' | sort -s -n -k 1,1 >got
awk 'BEGIN { for (i = 1; i <= 300; i++) print i % 3, i }' | sort -s -n -k 1,1 >want
same 'each message once, in the order of its partition' want got
ok 'nothing is left behind' sh -c '[ -z "$(ls -A var/replay)" ]'
printf '%s\n' '{"topic":"ssh.a","partition":7,"offset":1,"ts":1700000000000,"key":null,"text":"x"}' >bad
code 1 'what it could not send comes back' sluice replay -q --sshlogin there bad
ok '... as it was' sh -c 'grep -q "\"text\":\"x\"" var/replay/*/undeliverable.ndjson'
done_testing
