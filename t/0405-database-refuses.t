#!/bin/sh
# What a program does when the database answers no: some answers are for ever.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# A server that refuses every connection with the words in the file "says".
cat >server <<'X'
import socket
s = socket.socket(socket.AF_UNIX)
s.bind(".s.PGSQL.5432")
s.listen(8)
while True:
    c, _ = s.accept()
    with c:
        c.recv(4096)
        m = b"SFATAL\0VFATAL\0CXX000\0M" + open("says", "rb").read().strip() + b"\0\0"
        c.sendall(b"E" + (len(m) + 4).to_bytes(4, "big") + m)
X
python3 server 2>server.err &
server=$!
t_end() { kill "$server" 2>/dev/null || :; }
SLUICE_DB="host=$PWD user=x dbname=x sslmode=disable"
export SLUICE_DB

try() {
	echo "$1" >says
	timeout 20 admit </dev/null 2>err
}
code 111 'a full disk is temporary' try 'could not write init file: No space left on device'
ok 'and is said' grep -q 'fatal: connect to the database: .*No space left on device' err
code 111 'so is a start' try 'the database system is starting up'
code 100 'a wrong password is permanent' try 'password authentication failed for user "x"'
code 100 'no such database is permanent' try 'database "x" does not exist'
done_testing
