#!/bin/sh
# TLS and SASL by plain librdkafka properties: a broker with TLS, PLAIN and
# SCRAM over TLS; a wrong password, a stranger's certificate, a name that does
# not resolve are said, waited for, and never shown.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k
pids=''
t_end() { for p in $pids; do kill -9 "$p" 2>/dev/null; done; }
# Three in a row, below those that the system gives to whoever connects.
port=$((30000 + $$ % 600 * 4))
taken() { nc -z 127.0.0.1 $port || nc -z 127.0.0.1 $((port + 1)) || nc -z 127.0.0.1 $((port + 2)); }
while taken 2>/dev/null; do port=$((30000 + (port - 30000 + 4) % 2400)); done
secret=T0p-secret-$$

# -- certificates ------------------------------------------------------------------
cert() { # cert NAME: a key and a certificate of our authority
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" 2>>ssl.log
	printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >ext
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out "$1.pem" 2>>ssl.log
}
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=ours -days 2 -out ca.pem 2>ssl.log
openssl req -x509 -newkey rsa:2048 -nodes -keyout alien.key -subj /CN=alien -days 2 -out alien.pem 2>>ssl.log
cert broker
cat broker.key broker.pem >keystore.pem

# -- the broker ----------------------------------------------------------------------
jaas=org.apache.kafka.common.security
cat >extra <<Y
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1)),SECURE://127.0.0.1:$((port + 2))
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SECURE://127.0.0.1:$((port + 2))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=$jaas.plain.PlainLoginModule required user_app="$secret";
listener.name.secure.scram-sha-512.sasl.jaas.config=$jaas.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=$PWD/keystore.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
Y
libs=${SLUICE_DEPS:-$T_TOP/.deps}/kafka/libs
mkdir -p kafka
printf 'process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:%s\ncontroller.listener.names=CONTROLLER\nlog.dirs=%s\n' \
	$((port + 1)) "$PWD/kafka/log" | cat - extra >format
java -XX:TieredStopAtLevel=1 -cp "$libs/*" kafka.tools.StorageTool format -t Sabcdefghijklmnopqrstg -c format \
	--add-scram "SCRAM-SHA-512=[name=app,password=$secret]" >format.log 2>&1
SLUICE_KAFKA_HEAP=256m "$T_TOP/lib/sh/kafka-broker" "$PWD/kafka" $port "$PWD/extra" >kafka.log 2>&1 &
pids="$pids $!"
ok 'a broker' until_ok 40 kcat -b 127.0.0.1:$port -L -m 2

# conf MECHANISM PASSWORD CA: properties as an operator writes them.
conf() {
	printf 'security.protocol=sasl_ssl\nsasl.mechanism=%s\nsasl.username=app\nsasl.password=%s\nssl.ca.location=%s\n' "$1" "$2" "$3" >conf
	chmod 600 conf
}
SLUICE_KAFKA=127.0.0.1:$((port + 2)) SLUICE_KAFKA_CONF=$PWD/conf
export SLUICE_KAFKA SLUICE_KAFKA_CONF
for mech in PLAIN SCRAM-SHA-512; do
	conf $mech "$secret" ca.pem
	ok "$mech: makes a topic" sh -c "echo s.$mech 2 | topics"
	ok '... sends' sh -c "seq 1 20 | sed 's/.*/{\"topic\":\"s.$mech\",\"key\":\"k&\",\"value\":{\"n\":&}}/' | to-kafka >out 2>>err"
	ok '... reads in a group' sh -c "from-kafka -t s.$mech -g g.$mech -e -- tee seen.$mech >out 2>>err && [ \"\$(grep -c '\"kafka\"' seen.$mech)\" = 20 ]"
done

# A topic that may be looked at and not written to, in a stream of transactions: its
# messages go where they may, those beside them where they belong.
acls=kafka.admin.AclCommand
acl() { java -XX:TieredStopAtLevel=1 -cp "$libs/*" $acls --bootstrap-server 127.0.0.1:$port "$@" >>acl.log 2>&1; }
ok 'topics' sh -c 'printf "%s\n" "sluice.positions.v1 1 cleanup.policy=compact" "s.open 1" "s.closed 1" | topics -q'
ok 'one that may not be written to' acl --add --allow-principal User:app --operation Describe --topic s.closed
i=0
for to in open closed closed open; do
	i=$((i + 1))
	fallback=',"fallback":"s.open"'
	[ $i != 3 ] || fallback=''
	echo "{\"outbox\":{\"ledger\":\"s\",\"epoch\":1,\"stream\":\"main\",\"seq\":$i},\"topic\":\"s.$to\"$fallback,\"key\":\"k$i\",\"value\":$i}"
done >in
ok 'publishes' timeout 100 sh -c 'to-kafka -x s <in >out 2>>err'
jq -c '[.outbox.seq, .error.code, .error.message]' out >got
cat >want <<'Y'
[1,null,null]
[2,null,null]
[3,"undeliverable","topic s.closed: Broker: Topic authorization failed"]
[4,null,null]
Y
same '... but for one' want got
kcat -b 127.0.0.1:$port -C -e -q -t s.open -X isolation.level=read_committed -f '%s %h\n' | sort >got
printf '%s\n' '1 ' '2 sluice-callback=refused,sluice-callback-topic=s.closed' '4 ' >want
same '... each is there once' want got

# waits NAME PATTERN: a reader says so, stays up, and goes on once that is mended.
waits() {
	: >w.err
	from-kafka -t s.PLAIN -S state >w.out 2>>w.err &
	pid=$!
	pids="$pids $pid"
	ok "$1: is said" until_ok 30 grep -q "waiting: .*$2" w.err
	ok '... in the state' until_ok 5 grep -q '^waiting: ' state
	ok '... and waited for' kill -0 $pid
	kill $pid
	wait $pid
}
conf PLAIN wrong-password ca.pem
waits 'a wrong password' 'does not let us in: .*[Aa]uthentication failed'
conf SCRAM-SHA-512 wrong-password ca.pem
waits 'a wrong password, SCRAM' 'does not let us in: .*[Aa]uthentication failed'
conf PLAIN "$secret" alien.pem
waits 'a broker that we do not trust' '[Ss][Ss][Ll]\|certificate'
conf PLAIN "$secret" ca.pem
SLUICE_KAFKA=no-such-host.invalid:9092 waits 'a name that does not resolve' "no-such-host.invalid:9092"
echo '{"topic":"s.PLAIN","value":1}' >in
conf PLAIN wrong-password ca.pem
to-kafka -S out.state <in >out 2>out.err &
pid=$!
pids="$pids $pid"
ok 'to-kafka says it too' until_ok 30 grep -q 'waiting: .*does not let us in' out.err
ok '... and shows no secret on its command line' sh -c "! tr '\\0' ' ' </proc/$pid/cmdline | grep -e '$secret' -e wrong-password"
kill -9 $pid
ok 'no secret in any message' sh -c "! grep -e '$secret' -e wrong-password -- *err"
done_testing
