"""Turns Wikipedia into text for pre-training: a sentence a line, a blank line between articles.

    python scripts/pretraining/wikipedia_text.py OUT.txt [--held-out HELD.txt] FILE ...

Files are MediaWiki's XML (.xml or .xml.bz2, articles of namespace 0 without redirects) or WikiText as Merity et al. published it (.txt).
With --held-out every twentieth article goes there instead. Only Python's standard library is needed. What is left out of an article: templates, tables,
files, references, comments, headings, and the sections from "References" or "See also" on.
"""

import argparse
import bz2
import html
import re
import xml.etree.ElementTree as ElementTree

LAST_SECTIONS = re.compile(r"^==\s*(See also|References|Notes|Further reading|External links|Bibliography|Sources)\s*==\s*$", re.M | re.I)
REMOVED = [
    re.compile(r"<!--.*?-->", re.S),
    re.compile(r"<(ref|gallery|math|timeline|source|code|pre|table|sub|sup|imagemap)\b[^>]*?/>", re.I),
    re.compile(r"<(ref|gallery|math|timeline|source|code|pre|table|imagemap)\b[^>]*>.*?</\1>", re.S | re.I),
    re.compile(r"__[A-Z]+__"),
    re.compile(r"^=+.*?=+\s*$", re.M),
    re.compile(r"</?[a-z][^>]*>", re.I),
]
INNER_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}", re.S)
INNER_TABLE = re.compile(r"\{\|(?:(?!\{\|)(?!\|\}).)*\|\}", re.S)
INNER_LINK = re.compile(r"\[\[([^\[\]]*)\]\]")
NOT_TEXT = re.compile(r"^\s*:?\s*(file|image|category|[a-z]{2,3}(-[a-z]+)?)\s*:", re.I)
OUTER_LINK = re.compile(r"\[(?:https?:|ftp:)?//\S+\s*([^\]]*)\]")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
ABBREVIATION = re.compile(r"(?:\b[A-Z]|\b(?:Mr|Mrs|Ms|Dr|St|Prof|No|vs|etc|e\.g|i\.e|c|ca|Jr|Sr|Inc|Ltd|Co|Gen|Col|Lt|Mt|Ft|approx))\.$")


def until_stable(pattern, replacement, text):
    while True:
        replaced = pattern.sub(replacement, text)
        if replaced == text:
            return text
        text = replaced


def link_text(match):
    target = match.group(1)
    return "" if NOT_TEXT.match(target) else target.rsplit("|", 1)[-1]


def plain_text(markup):
    """An article's markup as paragraphs."""
    last = LAST_SECTIONS.search(markup)
    text = html.unescape(markup[: last.start()] if last else markup)
    text = REMOVED[0].sub("", text)
    text = until_stable(INNER_TEMPLATE, "", text)
    text = until_stable(INNER_TABLE, "", text)
    for pattern in REMOVED[1:]:
        text = pattern.sub("", text)
    text = until_stable(INNER_LINK, link_text, text)
    text = OUTER_LINK.sub(r"\1", text).replace("'''", "").replace("''", "")
    lines = (re.sub(r"^[*#:;]+\s*", "", line).strip() for line in text.splitlines())
    return [re.sub(r"\(\s*[,;]?\s*\)", "", line) for line in lines if len(line.split()) > 3 and not line.startswith(("|", "!", "{", "}"))]


def sentences(paragraph):
    """Sentences of a paragraph; one does not end behind an abbreviation or an initial."""
    found, begin = [], 0
    for match in SENTENCE_END.finditer(paragraph):
        if ABBREVIATION.search(paragraph[begin : match.start()]):
            continue
        found.append(paragraph[begin : match.end()].strip())
        begin = match.end()
    found.append(paragraph[begin:].strip())
    return [" ".join(sentence.split()) for sentence in found if sentence]


def articles_of_xml(path):
    opened = bz2.open(path) if path.endswith(".bz2") else open(path, "rb")
    with opened as file:
        for _, page in ElementTree.iterparse(file):
            if not page.tag.endswith("}page"):
                continue
            space = page.tag[:-4]
            markup = page.findtext(f"{space}revision/{space}text") or ""
            if page.findtext(f"{space}ns") == "0" and page.find(f"{space}redirect") is None:
                yield [sentence for paragraph in plain_text(markup) for sentence in sentences(paragraph)]
            page.clear()


def articles_of_wikitext(path):
    article = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if re.fullmatch(r"= [^=].*[^=] =", line):
                yield article
                article = []
            elif line and not line.startswith("="):
                text = line.replace("<unk>", "").replace(" @-@ ", "-").replace(" @.@ ", ".").replace(" @,@ ", ",")
                article += [" ".join(part.split()) for part in re.split(r"(?<= [.!?]) (?=[\"'(A-Z0-9])", text) if part.strip()]
    yield article


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--held-out")
    options = parser.parse_args()
    count = 0
    with open(options.output, "w", encoding="utf-8") as output, open(options.held_out or "/dev/null", "w", encoding="utf-8") as held_out:
        for path in options.files:
            for article in articles_of_wikitext(path) if path.endswith(".txt") else articles_of_xml(path):
                if not article:
                    continue
                count += 1
                target = held_out if options.held_out and count % 20 == 0 else output
                target.write("\n".join(article) + "\n\n")
    print(f"{count} articles")


if __name__ == "__main__":
    main()
