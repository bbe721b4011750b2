#!/usr/bin/env python3
"""Write uni.c: python3 uni-make.py >uni.c

Made with tokenizers 0.23.3 (pip install tokenizers==0.23.3). Asks that
package, code point by code point, what BertNormalizer (clean text, CJK
spacing, accents stripped, lower case) and BertPreTokenizer do: both work on
single code points, apart from the canonical ordering of marks, which
changes no token (every mark that survives is in no piece of the vocabulary).
"""
import tokenizers
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

assert tokenizers.__version__ == "0.23.3", tokenizers.__version__
KEEP, DROP, SPACE, ALONE, HANGUL, MAP = range(6)
BLOCK = 64
norm = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
pre = BertPreTokenizer()
pool, pool_at, value = [], {}, [KEEP] * 0x110000


def is_punct(c):
    return len(pre.pre_tokenize_str("a" + c + "a")) == 3


def mapped(text):
    if text not in pool_at:
        pool_at[text] = len(pool)
        pool.extend([len(text)] + [ord(c) for c in text])
    return MAP + pool_at[text]


def classify(cp):
    c = chr(cp)
    got = norm.normalize_str(c)
    if 0xAC00 <= cp <= 0xD7A3:
        return HANGUL
    if got == "":
        return DROP
    if got == " ":
        return SPACE
    cjk = got[0] == got[-1] == " "
    got = got.strip(" ")
    assert got and " " not in got
    if got != c:
        assert not cjk or norm.normalize_str(got) == f" {got} ", hex(cp)
        return mapped(got)
    return ALONE if cjk or is_punct(c) else KEEP


for cp in range(0x110000):
    if not 0xD800 <= cp < 0xE000:
        value[cp] = classify(cp)
for v in value:     # what a mapping yields is final: mapping it again changes nothing
    if v >= MAP:
        at = v - MAP
        for cp in pool[at + 1:at + 1 + pool[at]]:
            assert value[cp] in (KEEP, ALONE), hex(cp)

blocks, order, index = {}, [], []
for at in range(0, 0x110000, BLOCK):
    b = tuple(value[at:at + BLOCK])
    if b not in blocks:
        blocks[b] = len(order)
        order.append(b)
    index.append(blocks[b])
assert len(order) <= 256 and MAP + len(pool) < 65536


def numbers(seq):
    line = ""
    for n in seq:
        if len(line) + len(str(n)) > 108:
            print("\t" + line)
            line = ""
        line += f"{n},"
    print("\t" + line)


print("/* Made by uni-make.py with tokenizers " + tokenizers.__version__ + "; do not edit. */")
print('#include "embed/uni.h"\n')
print("const uint8_t uni_block[0x110000 >> UNI_SHIFT] = {")
numbers(index)
print("};\n\nconst uint16_t uni_class_of[][UNI_BLOCK] = {")
for b in order:
    print("\t{")
    numbers(b)
    print("\t},")
print("};\n\nconst uint32_t uni_pool[] = {")
numbers(pool)
print("};")
