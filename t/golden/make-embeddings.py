#!/usr/bin/env python3
"""Write t/data/embed-golden.ndjson: what the reference makes of real sentences.

Run once, in a throw-away venv:
    python3 -m venv V; V/bin/pip install torch==2.6.0 sentence-transformers==6.2.0 \
        transformers==5.23.0 tokenizers==0.23.3 numpy==2.4.6
    V/bin/python t/golden/make-embeddings.py MODELDIR >t/data/embed-golden.ndjson
MODELDIR: all-MiniLM-L6-v2, model.safetensors with sha256
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db.

Texts: sentences.txt (written for this project) and passages made of its
lines, so that lengths up to and beyond the model's 512 positions occur. The
reference's own limit of 256 tokens is raised to 512 as ours is. Each text is
encoded alone, float32, on the CPU.
"""
import base64
import json
import os
import sys

import torch
from sentence_transformers import SentenceTransformer

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "sentences.txt"), encoding="utf-8", newline="\n") as f:
    lines = f.read().split("\n")[:-1]
texts = list(lines)
# Neighbours joined: 2, 3, 5, ... lines; the longest are cut at 512 tokens.
at = 0
for n in (2, 2, 3, 3, 4, 5, 5, 6, 8, 8, 10, 12, 14, 16, 20, 24, 40):
    texts.append(" ".join(lines[(at + i) % len(lines)] for i in range(n)))
    at += n
texts.append("\n".join(lines[60:110]))
texts.append("")

torch.manual_seed(0)
torch.set_num_threads(1)
model = SentenceTransformer(sys.argv[1], device="cpu")
model.max_seq_length = 512
for text in texts:
    vector = model.encode([text], convert_to_numpy=True).astype("<f4")[0]
    tokens = len(model.tokenizer(text, truncation=True, max_length=512)["input_ids"])
    print(json.dumps({"text": text, "tokens": tokens, "f32": base64.b64encode(vector.tobytes()).decode()},
                     ensure_ascii=False))
