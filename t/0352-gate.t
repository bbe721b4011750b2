#!/bin/sh
# gate: jobs wait unless it is open, for them or for all.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
unset SLUICE_GATES_OPEN
run() { gate "$@" <in >got 2>err; }

cat >in <<'X'
{"job_id":"a", "n":1.50}
{"job_id":"b","gates":{"parse":"open"}}
{"job_id":"c","gates":{"other":"open","parse":"shut"}}
{"job_id":"d","error":{"code":"x"}}
{"job_id":"e","wait":{"gate":"other"}}
{"job_id":"f","chunk":{"i":0}}
{"job_id":"g","gates":[]}
X
cat >want <<'X'
{"job_id":"a", "n":1.50,"wait":{"gate":"parse","timeout_s":900}}
{"job_id":"b","gates":{"parse":"open"}}
{"job_id":"c","gates":{"other":"open","parse":"shut"},"wait":{"gate":"parse","timeout_s":900}}
{"job_id":"d","error":{"code":"x"}}
{"job_id":"e","wait":{"gate":"other"}}
{"job_id":"f","chunk":{"i":0}}
{"job_id":"g","gates":[],"wait":{"gate":"parse","timeout_s":900}}
X
ok 'a gate' run parse
same 'makes all wait that it was not opened for' want got
sed 's/:900/:60/' want >want60
run -t 60 parse
same 'as long as it is told' want60 got
for open in parse a,parse parse,b ',parse,' a,,parse; do
	SLUICE_GATES_OPEN=$open run parse
	same "SLUICE_GATES_OPEN=$open: none waits" in got
done
for open in '' pars parsed ',' x,y PARSE; do
	SLUICE_GATES_OPEN=$open run parse
	same "SLUICE_GATES_OPEN=$open: all wait" want got
done
code 100 'no name' gate
code 100 'two names' gate a b
code 100 'no name for a gate' gate 'a b'
code 100 'nor the empty one' gate ''
code 100 'too long a time' gate -t 31622401 a
code 100 'an unknown option' gate -x a
torn() { printf '{"job_id":' | gate a; }
code 111 'torn input' torn
full() { gate a <in >/dev/full; }
code 111 'a full disk' full
done_testing
