#!/usr/bin/env python3
"""mineru-real.py PORT - MinerU's own server, mineru-api, on 127.0.0.1, without its models,
which can't be fetched everywhere: what they would find, our built-in engine finds. Everything
else, from the form's fields over tasks to the JSON in strings, is theirs. Run it by the
python of a venv that has mineru 3.x (docs/testing.md). SLOW: seconds more for a document."""
import asyncio
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import mineru.cli.fast_api as api
from mineru.cli.output_paths import build_parse_dir

MINERU = pathlib.Path(__file__).resolve().parents[1] / "bin/mineru"


def blocks(pdf):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "a.pdf").write_bytes(pdf)
        out = subprocess.run([MINERU], input=b'{"job_id":"x","path":"a.pdf"}\n', stdout=subprocess.PIPE, check=True,
                             env={"SLUICE_DOCS": folder, "PATH": os.environ["PATH"]})
    return json.loads(out.stdout)["parsed"]["blocks"]


async def parse(output_dir, pdf_file_names, pdf_bytes_list, p_lang_list, backend="pipeline", parse_method="auto", **_):
    for name, pdf in zip(pdf_file_names, pdf_bytes_list):
        folder = build_parse_dir(output_dir, name, backend, parse_method)
        folder.mkdir(parents=True, exist_ok=True)
        found = await asyncio.to_thread(blocks, pdf)
        await asyncio.sleep(float(os.environ.get("SLOW", "0")))
        (folder / f"{name}_content_list.json").write_text(json.dumps(found, ensure_ascii=False, indent=4), encoding="utf-8")


api.aio_do_parse = parse
sys.argv = ["mineru-api", "--host", "127.0.0.1", "--port", sys.argv[1]]
api.main()
