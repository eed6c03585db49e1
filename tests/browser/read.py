"""Reads every mail and every page below a folder with parsers of other makers.

Usage: read.py FOLDER

Each mail `x.eml` is taken apart by Python's `email` and its HTML by `html5lib`; so is each page
`x.html`. What a mail program would show is left beside the mail as `x.eml.html`, its images inside
it, for the browser. Prints every fault, then how much was read; ends with 1 if there was a fault.
"""

import base64
import email
import struct
import sys
import zlib
from email import policy
from html import escape
from pathlib import Path

import html5lib

SUBJECT_MAX = 78
LINE_MAX = 998  # of RFC 5322, without the line break
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
ENCODINGS = ["7bit", "quoted-printable", "base64"]


class Faults:
    """What is wrong with a document, said with its name."""

    def __init__(self):
        self.said = []
        self.document = ""

    def unless(self, holds, said):
        if not holds:
            self.said.append(f"{self.document}: {said}")
        return holds


def one_line(text):
    return " ".join(text.split())


def tree_of(faults, html):
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(html)
    for position, code, values in parser.errors:
        faults.unless(False, f"html5lib at {position}: {code} {values}")
    for tag in ["title", "body"]:
        faults.unless(tree.find(f".//{tag}") is not None, f"no {tag}")
    faults.unless(one_line(tree.findtext(".//title") or "") != "", "an empty title")
    identities = [node.get("id") for node in tree.iter() if node.get("id")]
    faults.unless(len(set(identities)) == len(identities), "two elements of one id")
    for node in tree.iter("a"):
        link = node.get("href", "")
        faults.unless(":" not in link and not link.startswith("/"), f"a link to {link}")
        faults.unless(link[:1] != "#" or link[1:] in identities, f"a link to nothing: {link}")
    return tree


def pixels(faults, name, png):
    """Width and height of a PNG whose every part is whole."""
    faults.unless(png[:8] == b"\x89PNG\r\n\x1a\n", f"{name}: no PNG")
    at, kinds, packed = 8, [], b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        faults.unless(zlib.crc32(kind + content) == checksum, f"{name}: checksum of {kind}")
        kinds.append(kind)
        packed += content if kind == b"IDAT" else b""
        if kind == b"IHDR":
            width, height, depth, colours = struct.unpack(">IIBB", content[:10])
            faults.unless((depth, colours) == (8, 3), f"{name}: {depth} bits, kind {colours}")
        at += 12 + length
    faults.unless(at == len(png) and kinds[-1] == b"IEND", f"{name}: cut off")
    faults.unless(len(zlib.decompress(packed)) == height * (width + 1), f"{name}: rows missing")
    return width, height


def envelope(faults, raw, message):
    faults.unless(raw.isascii(), "bytes above 127")
    lines = raw.split(b"\r\n")
    faults.unless(all(len(line) <= LINE_MAX for line in lines), "a line too long")
    faults.unless(not any(b"\r" in line or b"\n" in line for line in lines), "a bare line break")
    alone = [] if message.is_multipart() else ["Content-Transfer-Encoding"]
    names = sorted(message.keys())
    faults.unless(names == sorted(HEADERS + alone), f"headers {names}")
    for name, value in message.items():
        faults.unless(not value.defects, f"{name}: {value.defects}")
    for part in message.walk():
        faults.unless(not part.defects, f"{part.get_content_type()}: {part.defects}")
        encoding = part.get("Content-Transfer-Encoding", "7bit")
        faults.unless(encoding in ENCODINGS, f"encoding {encoding}")
    faults.unless(message["Date"].datetime.tzinfo is not None, "a date without a zone")
    faults.unless(len(message["From"].addresses) == 1, "not one sender")
    faults.unless(len(message["To"].addresses) >= 1, "no recipient")
    faults.unless(len(message["Subject"]) <= SUBJECT_MAX, f"long subject: {message['Subject']}")


def parts_of(faults, message):
    """The text, the HTML or `None`, and the images by content id."""
    if message.get_content_type() == "text/plain":
        faults.unless(message.get_content_charset() == "utf-8", message["Content-Type"])
        return message.get_content(), None, {}
    kinds = [part.get_content_type() for part in message.iter_parts()]
    faults.unless(message.get_content_type() == "multipart/alternative", "no alternatives")
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    images = {}
    if kinds == ["text/plain", "multipart/related"]:
        _, related = message.iter_parts()
        faults.unless(related.get_param("type") == "text/html", "related to nothing")
        first, *rest = related.iter_parts()
        faults.unless(first.get_content_type() == "text/html", "the HTML is not the root")
        for part in rest:
            name = part["Content-ID"] or ""
            faults.unless(name.startswith("<") and name.endswith(">"), f"content id {name}")
            faults.unless(name[1:-1] not in images, f"two parts of {name}")
            faults.unless(part.get_content_type() == "image/png", part.get_content_type())
            faults.unless(part.get_content_disposition() == "inline", f"{name} is not inline")
            faults.unless((part.get_filename() or "").endswith(".png"), f"{name} without a file")
            images[name[1:-1]] = part.get_content()
    else:
        faults.unless(kinds == ["text/plain", "text/html"], f"parts {kinds}")
    for part in [text, html]:
        faults.unless(part.get_content_charset() == "utf-8", f"{part['Content-Type']}")
    return text.get_content(), html.get_content(), images


def shown_images(faults, tree, images):
    shown = []
    for node in tree.iter("img"):
        scheme, _, name = node.get("src", "").partition(":")
        if faults.unless(scheme == "cid" and name in images, f"an image of {node.get('src')}"):
            shown.append(name)
            width, height = pixels(faults, name, images[name])
            size = (int(node.get("width", 0)) * 2, int(node.get("height", 0)) * 2)
            faults.unless(size == (width, height), f"{name}: {width}x{height} shown as {size}")
        faults.unless(len(node.get("alt", "")) > 20, f"{name}: no words instead of it")
    faults.unless(sorted(shown) == sorted(images), f"shown {shown}, sent {sorted(images)}")


def told(node, found):
    """Every piece of text that a reader of the HTML sees.

    Captions of images apart, and the headline, which says in fewer words what the answers say.
    """
    is_caption = False
    for child in node:
        hidden = "display:none" in child.get("style", "") or child.tag == "h1"
        if not hidden and not is_caption:
            found.append(child.text or "")
            told(child, found)
        is_caption = child.tag == "img"
        found.append(child.tail or "")
    return found


def same_facts(faults, tree, text):
    twin = one_line(text).casefold()
    for piece in told(tree.find(".//body"), []):
        piece = one_line(piece).casefold()
        faults.unless(piece in twin, f"not in the text twin: {piece}")


def as_page(subject, text):
    """How a mail program shows a letter that is text alone."""
    style = "white-space:pre-wrap;overflow-wrap:anywhere"
    head = f'<!doctype html><html lang="en"><title>{escape(subject)}</title>'
    return f'{head}<main><h1>Letter</h1><p style="{style}">{escape(text)}</p></main></html>'


def read_mail(faults, path):
    raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=policy.default)
    envelope(faults, raw, message)
    text, html, images = parts_of(faults, message)
    if html is None:
        html = as_page(message["Subject"], text)
    tree = tree_of(faults, html)
    title = tree.findtext(".//title")
    faults.unless(title == message["Subject"], f"subject {message['Subject']}, title {title}")
    shown_images(faults, tree, images)
    same_facts(faults, tree, text)
    for name, png in images.items():
        data = base64.b64encode(png).decode()
        html = html.replace(f'"cid:{name}"', f'"data:image/png;base64,{data}"')
    path.with_name(path.name + ".html").write_text(html, encoding="utf-8")


def main():
    folder = Path(sys.argv[1])
    faults = Faults()
    pages = [path for path in folder.rglob("*.html") if not path.name.endswith(".eml.html")]
    mails = list(folder.rglob("*.eml"))
    for path in sorted(mails + pages):
        faults.document = str(path.relative_to(folder))
        try:
            if path.suffix == ".eml":
                read_mail(faults, path)
            else:
                tree_of(faults, path.read_text(encoding="utf-8"))
        except Exception as error:  # whatever stops a parser is a fault of the document
            faults.unless(False, f"stopped by {error!r}")
    print("\n".join(faults.said))
    print(f"read {len(mails)} mails and {len(pages)} pages")
    sys.exit(1 if faults.said else 0)


main()
