"""Clean text that users type or paste, in the same way for forms, JSON, imports, commands and drafts.

Passwords are never cleaned.
"""

import re

# Removed: marks of the writing direction (Contacts and Signal put them around numbers), the byte order mark, and tag
# characters, which are invisible and can carry a hidden text. The flags of England, Scotland and Wales, a black flag
# with tags, are kept.
_TAGS = {letter: chr(0xE0000 + ord(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"}
_FLAG = "\U0001f3f4(?:" + "|".join("".join(map(_TAGS.__getitem__, f"gb{land}")) for land in ("eng", "sct", "wls"))
_REMOVED = re.compile(f"({_FLAG})\U000e007f)|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
# PowerPoint separates lines by a vertical tab, PDF readers by a form feed, web pages by U+2028.
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BREAK_OR_TAB = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+")
# Spaces, Unicode's Default_Ignorable_Code_Point (UAX 44), and two characters that look like a space.
_INVISIBLE = re.compile(
    "[\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0080-\U000e0fff]*"
)
# PostgreSQL cannot store NUL or a lone surrogate. The other control characters can change the output of a terminal.
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SHOWN_BEFORE = 20


def clean_line(text: str) -> str:
    """Return the text on one line, with a space for line breaks and tabs. Return '' if no character is visible."""
    if text.isascii() and text.isprintable():
        return text.strip()  # most cells of an import
    return _visible(_BREAK_OR_TAB.sub(" ", _REMOVED.sub(r"\1", text)))


def clean_lines(text: str) -> str:
    """Return the text with a line feed for each kind of line break. Return '' if no character is visible."""
    return _visible(_LINE_BREAK.sub("\n", _REMOVED.sub(r"\1", text)))


def search_words(text: str, max_length: int) -> str:
    """Return a search text: words separated by one space, shortened, without control characters."""
    return " ".join(_CONTROL.sub("", clean_line(text)).split())[:max_length]


def control_character_problem(text: str) -> str | None:
    """Describe the first control character of a cleaned text, to complete "has …". Return None if there is none."""
    found = _CONTROL.search(text)
    if found is None:
        return None
    before = text[max(0, found.start() - _SHOWN_BEFORE) : found.start()].splitlines()
    place = f"after “{before[-1]}”" if before and before[-1].strip() else "at the start of a line"
    return f"an invisible control character (U+{ord(found.group()):04X}) {place}"


def _visible(text: str) -> str:
    return "" if _INVISIBLE.fullmatch(text) else text.strip()
