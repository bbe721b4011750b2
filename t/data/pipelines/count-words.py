#!/usr/bin/env python3
"""A stage in Python, as stream(7) shows it: adds the number of words."""
import json
import sys

for line in sys.stdin:
    record = json.loads(line)
    if "error" not in record and "wait" not in record:
        if "text" not in record:
            record["error"] = {"stage": "count-words", "code": "no_text",
                               "message": "text: is missing", "retry": False}
        else:
            record["words"] = len(record["text"].split())
        line = json.dumps(record, ensure_ascii=False) + "\n"
    sys.stdout.write(line)
    sys.stdout.flush()
