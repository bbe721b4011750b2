#!/usr/bin/env python3
"""Write t/data/wordpiece-golden.ndjson: the reference's tokens of many texts.

Run once, in a throw-away venv:
    python3 -m venv V; V/bin/pip install tokenizers==0.23.3
    V/bin/python t/golden/make-tokens.py MODELDIR >t/data/wordpiece-golden.ndjson

Each line: text, ids, and offsets (start, end, start, end, ...) in bytes of the
text's UTF-8. Texts: sentences.txt and what follows here, which is chosen to be
awkward.
"""
import json
import os
import sys

from tokenizers import Tokenizer

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "sentences.txt"), encoding="utf-8", newline="\n") as f:
    texts = f.read().split("\n")[:-1]
texts += [
    "", " ", "\n", "\t\r\n", "\u0000", "a\u0000b", "\ufffd", "a\ufffdb", "\u200b", "\ue000x\uf8ff",
    "x" * 100, "x" * 101, "é" * 100, "é" * 101, "한" * 33 + "가", "한" * 34, "日" * 200,
    "e\u0301", "\u0301e", "\u0301", "e\u0301\u0302\u0303 x", "cafe\u0301s", "a\u0338b", "q\u0307\u0323",
    "İI ıi", "ΣΑΣ ςσ", "ǅ ǈ Ǆ", "ẞ ß ŉ ǰ", "ﬀ ﬁ ﬂ ﬃ", "Å Å Å", "Ω Ω K K",
    "豈更車", "㐀㐁", "\U00020000\U0002a6d6", "丽丸", "々〆〇", "ｱｲｳ アイウ", "ガ か\u3099",
    "각 가 ᄀ ᅡ ᆨ", "\u1100\u1161\u11a8", "ꥠ ힰ", "；\u037e\u0387", "\u1fef\u1ffd`´",
    "[SEP][CLS] [PAD]x[UNK]y [MASK]", "[sep] [Mask] [ MASK ]", "[", "[[SEP]]", "[SE", "a[SEP",
    "##ing ing #hash ##", "don't do-not (a)b{c}d[e]f<g>h", "$a+b=c^d`e|f~g", "a_b:c;d,e.f!g?h\"i'j/k\\l@m#n%o&p*q",
    "\u00a0\u2003\u3000\u2028\u2029\u0085x", "\u180e\u200e\u200f\u202a\u2066\ufeffx", "\u00adsoft\u00adhy\u00adphen",
    "\U0001f600\U0001f468\u200d\U0001f469 \U0001f1e9\U0001f1ea", "\u2764\ufe0f", "x\ufe0fy", "\U000e0041tag",
    "\u0e01\u0e33 \u0eb3", "\u0628\u0650\u0633\u0652\u0645", "\u05d1\u05bc\u05b0", "\u0915\u094d\u0937", "\u0dca\u200d\u0dbb",
    "\ufdfa \ufdd0 \uffff \U0010ffff", "\U0001d11e \U0001d15e \u1d2c", "\u0378 \u0870 \U0001fae8",
    "\u2160\u2170 \u24b6\u24d0 \u1e9e", "\u0345\u03b1\u0345", "\u1f80\u1fb3", "A\u030a\u0327",
]
tok = Tokenizer.from_file(os.path.join(sys.argv[1], "tokenizer.json"))
tok.no_truncation()
tok.no_padding()
for text in texts:
    byte = [0]
    for c in text:
        byte.append(byte[-1] + len(c.encode()))
    e = tok.encode(text, add_special_tokens=False)
    print(json.dumps({"text": text, "ids": e.ids, "offsets": [byte[x] for pair in e.offsets for x in pair]},
                     ensure_ascii=False))
