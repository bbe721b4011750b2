#!/usr/bin/env python3
"""make-pdf.py KIND - a small PDF on stdout, made for the tests.

text       two pages of text, a title in its information
plain      one page with text enough for a document
crowd      the same and 50,000 objects that nothing refers to
empty      one page without text
encrypted  one page, needs a password (40-bit RC4, PDF 1.4)
bomb       a page whose content unpacks to 60 MB of operators
none       no page
objects    a page of text and 50,000 objects that nothing refers to
columns    two columns of text that are drawn row by row, under a title
shuffled   lines of text in no order at all
claims     two pages, and a title of several lines that says there are seven
noise      bytes that no font explains, markup and control bytes in a text
"""
import hashlib
import sys
import zlib

PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
ID = b"0123456789abcdef"


def rc4(key, data):
    s, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + s[i] + key[i % len(key)]) % 256
        s[i], s[j] = s[j], s[i]
    i = j = 0
    for b in data:
        i = (i + 1) % 256
        j = (j + s[i]) % 256
        s[i], s[j] = s[j], s[i]
        out.append(b ^ s[(s[i] + s[j]) % 256])
    return bytes(out)


def page_text(lines):
    return b"BT /F1 12 Tf 72 720 Td 14 TL " + b" ".join(b"(%s) Tj T*" % x for x in lines) + b" ET"


def placed(pieces):
    return b"BT /F1 10 Tf " + b" ".join(b"1 0 0 1 %d %d Tm (%s) Tj" % p for p in pieces) + b" ET"


def column(name):
    """Lines that fill their column; each word says where it belongs."""
    return [b" ".join(b"%s%02d%c" % (name, i, 97 + k) for k in range(7 if len(name) == 4 else 6)) for i in range(30)]


def build(contents, title=None, password=None, flate=False, more=0):
    objs = [b"<</Type/Catalog/Pages 2 0 R>>", None, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    extra, key = b"", None
    if password is not None:
        user = (password + PAD)[:32]
        owner = rc4(hashlib.md5(user).digest()[:5], user)
        key = hashlib.md5(user + owner + (0xFFFFFFFC).to_bytes(4, "little") + ID).digest()[:5]
    kids = []
    for c in contents:
        n = len(objs) + 1
        filt = b""
        if flate:
            c, filt = zlib.compress(c, 9), b"/Filter/FlateDecode"
        if key:
            c = rc4(hashlib.md5(key + n.to_bytes(3, "little") + b"\0\0").digest()[:10], c)
        objs.append(b"<</Length %d%s>>stream\n%s\nendstream" % (len(c), filt, c))
        objs.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
                    b"/Contents %d 0 R>>" % n)
        kids.append(b"%d 0 R" % (n + 1))
    objs[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    if title:
        objs.append(b"<</Title(%s)>>" % title)
        extra += b"/Info %d 0 R" % len(objs)
    if key:
        objs.append(b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" %
                    (owner.hex().encode(), rc4(key, PAD).hex().encode()))
        extra += b"/Encrypt %d 0 R/ID[<%s><%s>]" % (len(objs), ID.hex().encode(), ID.hex().encode())
    objs += [b"<</Nothing %d>>" % i for i in range(more)]
    out, at = bytearray(b"%PDF-1.4\n"), []
    for i, o in enumerate(objs, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (i, o)
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objs) + 1)
    out += b"".join(b"%010d 00000 n \n" % a for a in at)
    out += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objs) + 1, extra, xref)
    return bytes(out)


kind = sys.argv[1]
if kind == "text":
    doc = build([page_text([b"The first page of the test.", b"It has two lines, and this is the second of them."]),
                 page_text([b"The second page is for the end of it."])], title=b"Made for the test")
elif kind in ("plain", "crowd"):
    doc = build([page_text([b"One page about the keeper of a lock, who opens the upper gate when the water is level,",
                            b"and closes it behind the boat. He has done so for thirty years, at every hour of the day."])],
                more=50000 if kind == "crowd" else 0)
elif kind == "empty":
    doc = build([b"72 72 m 144 144 l S"])
elif kind == "encrypted":
    doc = build([page_text([b"Nobody reads this."])], password=b"secret")
elif kind == "columns":
    left, right = column(b"left"), column(b"right")
    pieces = [(200, 740, b"A title over both columns")]
    for i in range(30):
        pieces += [(50, 700 - 12 * i, left[i]), (330, 700 - 12 * i, right[i])]
    doc = build([placed(pieces)])
elif kind == "shuffled":
    doc = build([placed(sorted(((72, 700 - 12 * i, line) for i, line in enumerate(column(b"text"))),
                               key=lambda p: hashlib.md5(p[2]).digest()))])
elif kind == "claims":
    doc = build([page_text([b"The first page of two."]), page_text([b"And this is the second one."])],
                title=b"Claims\\nPages:          7\\n" + b"and so on " * 100)
elif kind == "none":
    doc = build([])
elif kind == "objects":
    doc = build([page_text([b"Fifty thousand objects, and one page with some text on it.",
                            b"Nobody has to look at all of them to read this text."])], more=50000)
elif kind == "noise":
    doc = build([page_text([b"</word></page></doc><page width=\"9\" height=\"9\"><word xMin=\"1\">", b"&amp; &lt;td&gt; \\000\\001\\037 \\377\\376",
                            b"Some more words, so that there is text enough in it for a document to be called one."])],
                title=b"</title><word>")
else:
    doc = build([b"q 1 0 0 1 0 0 cm Q\n" * (60000000 // 19)], flate=True)
sys.stdout.buffer.write(doc)
