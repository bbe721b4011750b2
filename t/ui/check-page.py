#!/usr/bin/env python3
"""check-page.py FILE... - is each a document in which nobody's data is markup? Strict where browsers are not: every element is
closed in its order, ids are there once, each attribute is one that the pages use, nothing runs or styles inline, every
address is ours. Prints what is wrong; exits 1 if there is anything."""
import re
import sys
from html.parser import HTMLParser

VOID = {'meta', 'link', 'input', 'br'}
ELEMENTS = VOID | set('''html head title script body a header div svg path rect nav ul ol li main h1 h2 h3 p span form label select option button
    section article dl dt dd table caption thead tbody tr th td figure figcaption desc details summary pre code b strong time blockquote footer
    textarea bdi'''.split())
ATTRIBUTES = set('''lang charset name content rel href type src defer class id tabindex role hidden value method action for required rows maxlength
    placeholder autocomplete autofocus spellcheck selected scope datetime d viewbox x width height open'''.split()) | {'vector-effect', 'preserveaspectratio', 'focusable'}
ADDRESSES = {'href', 'src', 'action', 'data-events'}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=False)
        self.open, self.ids, self.wrong, self.scripts = [], set(), [], 0

    def bad(self, text):
        self.wrong.append('line %d: %s' % (self.getpos()[0], text))

    def handle_starttag(self, tag, attrs):
        if tag not in ELEMENTS:
            self.bad('element ' + tag)
        if tag == 'script':
            self.scripts += 1
            if dict(attrs) != {'src': '/ui/sluice.js', 'defer': None}:
                self.bad('script %r' % attrs)
        if tag not in VOID and not self.get_starttag_text().endswith('/>'):
            self.open.append(tag)
        names = [n for n, _ in attrs]
        for name, value in attrs:
            if name not in ATTRIBUTES and not re.fullmatch(r'(aria|data)-[a-z]+', name) or names.count(name) > 1:
                self.bad('attribute %s of %s' % (name, tag))
            if name == 'id':
                if value in self.ids or not re.fullmatch(r'[a-z][a-z0-9-]*', value):
                    self.bad('id ' + value)
                self.ids.add(value)
            if name in ADDRESSES and not re.fullmatch(r"(/(?!/)|#)[A-Za-z0-9._~%/?&=#-]*", value):
                self.bad('address ' + value)
            if tag in ('path', 'rect', 'svg') and name in ('d', 'x', 'width', 'height', 'viewbox') and re.search('nan|inf', value, re.I):
                self.bad('%s %s' % (name, value[:40]))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad('end of ' + tag)

    def handle_data(self, data):
        if '<' in data:
            self.bad('a bare <')
        if self.open and self.open[-1] == 'script' and data.strip():
            self.bad('script in the page')

    def handle_comment(self, data):
        self.bad('comment')

    def handle_entityref(self, name):
        if name not in ('amp', 'lt', 'gt', 'quot'):
            self.bad('entity ' + name)

    def handle_charref(self, name):
        if name != '39':
            self.bad('reference ' + name)


failed = False
for name in sys.argv[1:]:
    page = Page()
    with open(name, 'rb') as f:
        raw = f.read()
    try:
        text = raw.decode()
    except UnicodeDecodeError as e:
        print('%s: %s' % (name, e))
        failed = True
        continue
    page.feed(text)
    page.close()
    if page.open:
        page.bad('left open: %s' % page.open)
    if page.scripts != 1:
        page.bad('%d scripts' % page.scripts)
    for m in re.finditer('[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]', text):
        page.bad('byte %r' % m.group())
    for ref in re.findall(r'(?:aria-labelledby|aria-describedby|for)="([^"]*)"', text):
        for one in ref.split():
            if one not in page.ids:
                page.bad('no element has id ' + one)
    for w in page.wrong[:20]:
        print('%s: %s' % (name, w))
    failed |= bool(page.wrong)
sys.exit(failed)
