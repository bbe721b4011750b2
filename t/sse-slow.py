"""sse-slow PORT PATH LAST EVENTS: reads so many events of a stream from the id LAST on, slowly
but always, and prints the first id, the last, how many different ones there were and whether they
went up. The token is in the file "token". Exit 1 when the stream ends before."""
import http.client
import socket
import sys
import time

port, path, last, want = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
con = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
con.connect()
con.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
con.request("GET", path, headers={"Authorization": "Bearer " + open("token").read().strip(), "Last-Event-ID": last})
answer = con.getresponse()
ids, rest = [], b""
while len(ids) < want:
    got = answer.read1(8192)
    if not got:
        sys.exit(f"ended after {len(ids)} events")
    time.sleep(0.002)
    *lines, rest = (rest + got).split(b"\n")
    ids += [int(line[4:]) for line in lines if line.startswith(b"id: ")]
print(ids[0], ids[-1], len(set(ids)), ids == sorted(ids))
