"""Makes touchpoint slugs of the names that people use."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def slugify(name: str) -> str:
    """A slug stays what it is; 'Płatności i zwroty' becomes 'platnosci-i-zwroty'; '' has none."""
    name = name.strip()
    if not name or _SLUG.fullmatch(name):
        return name
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:64].rstrip("-._")
    return slug or f"t-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
