#!/usr/bin/env python3
"""mineru-api.py PORTFILE LOG SERVERS - so many mineru-api servers of version 3.4.4, as
MinerU documents them, on 127.0.0.1. Each does what the file mode.N beside
PORTFILE (N from 0) says when a request comes, "normal" or a fault by its name below.
Each request is a line of JSON in LOG. Ends with its stdin.
"""
import email.parser
import email.policy
import http.server
import json
import os
import sys
import threading
import time
import uuid

HERE = os.path.dirname(os.path.abspath(sys.argv[1]))
LOG = open(sys.argv[2], "a", buffering=1)
LOCK = threading.Lock()

TEXT = "The quick brown fox jumps over the lazy dog and comes back again for more of it. "
LIST = [
    {"type": "header", "text": "Journal of Foxes", "page_idx": 0, "bbox": [50, 10, 950, 30]},
    {"type": "text", "text": "1 On foxes — “quoted”", "text_level": 1, "page_idx": 0, "bbox": [50, 50, 950, 80]},
    {"type": "text", "text": TEXT * 3, "page_idx": 0, "bbox": [50, 90, 950, 300]},
    {"type": "table", "table_body": "<table><tr><td>a</td><td>1</td></tr></table>", "table_caption": ["Table 1"],
     "table_footnote": [], "img_path": "images/0.jpg", "page_idx": 1, "bbox": [50, 90, 950, 300]},
    {"type": "list", "sub_type": "text", "list_items": ["one { [ \\ \" ", "two"], "page_idx": 1, "bbox": [50, 400, 950, 500]},
    {"type": "equation", "text": "$$e=mc^2$$", "text_format": "latex", "page_idx": 1, "bbox": [50, 600, 950, 700]},
]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, number):
        super().__init__(("127.0.0.1", 0), Handler)
        self.number, self.tasks, self.lost = number, {}, set()

    def mode(self):
        with open(os.path.join(HERE, f"mode.{self.number}")) as f:
            return f.read().strip()

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def answer(self, status, value, kind="application/json", **headers):
        body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        self.wfile.write(body)

    def note(self, **more):
        with LOCK:
            LOG.write(json.dumps({"server": self.server.number, "method": self.command, "path": self.path,
                                  "key": self.headers.get("Authorization"), **more}) + "\n")

    def state(self, task, state, **more):
        return {"task_id": task, "status": state, "backend": "pipeline", "file_names": ["document"], "created_at": "2026-11-22T00:00:00",
                "started_at": None, "completed_at": None, "error": None, "status_url": f"/tasks/{task}",
                "result_url": f"/tasks/{task}/result", **more}

    def upload(self):
        body = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else self.chunks()
        m = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
            b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        fields = {}
        for part in m.iter_parts():
            name = part.get_param("name", header="content-disposition")
            value = part.get_payload(decode=True)
            fields[name] = f"{part.get_filename()} {part.get_content_type()} {len(value)} {value[:5].decode('latin-1')}" \
                if part.get_filename() else value.decode()
        return fields

    def chunks(self):
        body = b""
        while n := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(n)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def result(self, mode, task):
        blocks = LIST
        if mode == "page":
            blocks = LIST + [dict(LIST[2], page_idx=99)]
        if mode == "empty":
            blocks = [dict(LIST[2], text="little")]
        if mode == "strange":
            blocks = {"not": "a list"}
        text = json.dumps(blocks, ensure_ascii=False, indent=4 if mode == "pretty" else None)
        if mode == "deep":
            text = '[{"type":"text","page_idx":0,"new":' + "[" * 61 + "]" * 61 + "}]"
        one = {"md_content": None, "middle_json": None, "model_output": None, "images": None,
               "content_list": None if mode == "null" else text}
        results = {"document": one, **({"other": one} if mode == "two" else {})}
        return self.state(task, "completed", version="3.4.4", results=results)

    def do_POST(self):
        mode = self.server.mode()
        fields = self.upload()
        self.note(fields=fields)
        if mode == "full":
            return self.answer(503, {"detail": "the queue is full"})
        if mode == "later":
            return self.answer(429, {"detail": "too many"}, Retry_After="7")
        if mode == "refused":
            return self.answer(400, {"detail": "Unsupported file type"})
        if mode == "old":
            if self.path != "/file_parse":
                return self.answer(404, {"detail": "Not Found"})
            whole = self.result(mode, "x")
            return self.answer(200, {"backend": "pipeline", "version": "2.5.4", "results": whole["results"]})
        if self.path != "/tasks":
            return self.answer(404, {"detail": "Not Found"})
        if mode == "loop":
            return self.answer(307, b"", Location="/tasks")
        task = "../../etc/passwd" if mode == "strange" else str(uuid.uuid4())
        self.server.tasks[task] = 0
        self.answer(202, self.state(task, "pending", queued_ahead=0, message="Task submitted"))

    def do_GET(self):
        mode = self.server.mode()
        self.note()
        if mode == "gone":
            self.close_connection = True
            return None
        if self.path == "/health":
            return self.health(mode)
        _, _, task, *more = self.path.split("/")
        if mode == "lost" and not self.server.lost:
            self.server.lost.add(task)
            del self.server.tasks[task]
        if mode == "restart" and more and mode not in self.server.lost:
            self.server.tasks.clear()
            self.server.lost.add(mode)
        if task not in self.server.tasks or mode == "always-lost":
            return self.answer(404, {"detail": "Task not found"})
        if more:
            return self.send_result(mode, task)
        self.server.tasks[task] += 1
        seen = self.server.tasks[task]
        if mode == "slow" and seen < 6:
            return self.answer(200, self.state(task, "pending" if seen < 3 else "processing"))
        if mode == "stuck":
            return self.answer(200, self.state(task, "processing"))
        if mode == "failed":
            return self.answer(200, self.state(task, "failed", error="CUDA out of memory"))
        if mode == "flaky" and seen < 3:
            return self.answer(500, b"oops", "text/plain")
        return self.answer(200, self.state(task, "completed"))

    def health(self, mode):
        if mode == "old":
            return self.answer(404, {"detail": "Not Found"})
        if mode == "sick":
            return self.answer(503, {"status": "unhealthy", "error": "no device"})
        return self.answer(200, {"status": "healthy", "version": "3.4.4", "protocol_version": 3 if mode == "newer" else 2,
                                 "queued_tasks": 50 if mode == "busy" else 0, "processing_tasks": 1, "completed_tasks": 0,
                                 "max_concurrent_requests": 3})

    def send_result(self, mode, task):
        if mode == "late-failure":
            return self.answer(409, self.state(task, "failed", message="Task execution failed", error="bad page tree"))
        if mode == "never-ready":
            return self.answer(202, self.state(task, "processing"))
        if mode == "html":
            return self.answer(200, b"<!DOCTYPE html><title>Sign in</title>", "text/html")
        body = json.dumps(self.result(mode, task)).encode()
        if mode == "torn":
            return self.answer(200, body[:len(body) // 2])
        if mode in ("huge", "dribble"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.close_connection = True
            while mode == "huge" or time.sleep(0.05) is None:
                self.wfile.write(b" " * (65536 if mode == "huge" else 1))
        return self.answer(200, body)


servers = [Server(i) for i in range(int(sys.argv[3]))]
for s in servers:
    threading.Thread(target=s.serve_forever, daemon=True).start()
with open(sys.argv[1] + ".tmp", "w") as f:
    f.write(" ".join(str(s.server_port) for s in servers) + "\n")
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
sys.stdin.buffer.read()
