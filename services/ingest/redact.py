"""Step 2 of ingest: takes e-mail addresses, phone and card numbers and IBANs out of text before anything keeps it.

Pure. Every pattern is bounded, so the time grows with the text and no faster. A number is judged by its shape, its
check digits and the words around it: an order number, a price or a date stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

Kind = Literal["email", "phone", "card", "iban"]
Substitute = Callable[[Kind, str], str]
"""What stands in the text instead: of a kind, and of what was found without its separators, in lower case."""

_ATS = ("@", "(at)", "[at]", "(małpa)", " małpa ")
_MANY_DIGITS = re.compile(r"[0-9](?:[^\w\n]{0,3}[0-9]){6}")
_BEFORE = 28
"""So many characters before a number may say what it is."""


def redacted(text: str, substitute: Substitute, named: str = "") -> str:
    """The text without them; `named` is the name under which it was sent, if it is no free text."""
    if any(at in text for at in _ATS):
        text = _without_emails(text, substitute)
    if not _MANY_DIGITS.search(text):
        return text
    text = _IBAN.sub(lambda found: _iban(found, substitute), text)
    text = _CARD.sub(lambda found: _card(found, substitute), text)
    return _PHONE.sub(lambda found: _phone(found, substitute, named), text)


_AT = r"(?:@| @ |\s?[(\[]\s?(?:at|małpa)\s?[)\]]\s?|\smałpa\s)"
_DOT = r"(?:\.|\s?[(\[]\s?(?:dot|kropka)\s?[)\]]\s?|\skropka\s)"
_HOST = re.compile(rf"{_AT}((?:[\w-]{{1,63}}{_DOT}){{1,6}}[^\W\d_]{{2,24}})", re.IGNORECASE)
_MAILBOX_REVERSED = re.compile(r"[\w.+%'-]{0,63}\w")


def _without_emails(text: str, substitute: Substitute) -> str:
    """Found from the @ to both sides: a pattern that begins with the mailbox would try at every letter."""
    parts, end = [], 0
    for host in _HOST.finditer(text):
        box = _MAILBOX_REVERSED.match(text[max(end, host.start() - 64) : host.start()][::-1])
        if box is not None:
            start = host.start() - box.end()
            address = f"{box[0][::-1]}@{re.sub(_DOT, '.', host[1], flags=re.IGNORECASE)}".lower()
            parts += [text[end:start], substitute("email", address)]
            end = host.end()
    return "".join([*parts, text[end:]])


_IBAN_LENGTH = {
    code: int(length)
    for length, codes in (
        line.split(" ", 1)
        for line in (
            "15 no",
            "16 be",
            "18 dk fi fo gl nl",
            "19 mk si",
            "20 at ba ee kz lt lu xk",
            "21 ch cr hr li lv",
            "22 bg bh de gb ge ie me rs va",
            "23 ae gi il",
            "24 ad cz es md pk ro sa se sk tn vg",
            "25 pt",
            "26 is tr",
            "27 fr gr it mc sm",
            "28 al az by cy do gt hu lb pl",
            "29 br ps qa ua",
            "30 jo kw mu",
            "31 mt sc",
        )
    )
    for code in codes.split()
}
_GAP = r"[ \u00a0-]?"
_IBAN = re.compile(rf"(?<!\w)(?:[a-z]{{2}}{_GAP})?\d{{2}}(?:{_GAP}[a-z0-9]){{11,30}}", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^0-9a-z]+", re.IGNORECASE)


def _iban(found: re.Match[str], substitute: Substitute) -> str:
    """With its country, or as Poles write theirs, without; what follows in the same breath stays."""
    text = found[0]
    plain = _SEPARATORS.sub("", text).lower()
    country = plain[:2] if plain[:2].isalpha() else ""
    number, length = (plain, _IBAN_LENGTH.get(country, 99)) if country else (f"pl{plain}", 28)
    taken = _after(text, length - len(number) + len(plain))
    number = number[:length]
    if taken and text[taken : taken + 1] not in _ALNUM and _is_iban(number):
        return substitute("iban", number) + text[taken:]
    return text


def _is_iban(number: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1


_ALNUM = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _after(text: str, count: int) -> int:
    """Where the text goes on after so many letters and digits; 0 if it has fewer."""
    for at, sign in enumerate(text, 1):
        count -= sign in _ALNUM
        if count == 0:
            return at
    return 0


_CARD = re.compile(r"(?<!\w)(?<!\d[.,-])[2-6](?:[ \u00a0-]?\d){13,18}(?!\w)")
_CARD_LENGTHS = (
    (re.compile(r"4"), (16, 19)),
    (re.compile(r"5[1-5]|2(?:2[2-9]|[3-6]|7[01]|720)"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"3(?:[68]|0[0-5])"), (14, 16)),
    (re.compile(r"35|6(?:011|4[4-9]|5|2)|5[0678]|6[37]"), (16, 19)),
)
"""By what a card of a network begins with."""


def _card(found: re.Match[str], substitute: Substitute) -> str:
    text = found[0]
    digits = _SEPARATORS.sub("", text)
    for network, lengths in _CARD_LENGTHS:
        for length in lengths if network.match(digits) else ():
            taken = _after(text, length)
            if taken and not text[taken : taken + 1].isdigit() and _passes_luhn(digits[:length]):
                return substitute("card", digits[:length]) + text[taken:]
    return text


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _passes_luhn(digits: str) -> bool:
    return (sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(d)] for d in digits[-2::-2])) % 10 == 0


_S = r"[ \u00a0./-]"
_PHONE = re.compile(
    r"(?<![\w#=])(?<!\d[.,/-])(?<![^\W\d_][/-])(?:"
    rf"(?P<abroad>(?:\+|00)\(?[1-9](?:[ \u00a0./()-]{{0,2}}\d){{7,14}})"
    rf"|(?P<grouped>\d{{3}}{_S}\d{{3}}{_S}\d{{3}}"
    rf"|\(?0?\d{{2}}\)?{_S}\d{{3}}{_S}\d{{2}}{_S}\d{{2}}"
    rf"|\(\d{{3}}\){_S}?\d{{3}}{_S}\d{{4}}|\d{{3}}{_S}\d{{3}}{_S}\d{{4}})"
    rf"|(?P<trunk>\(?0[1-9](?:{_S}?\)?{_S}?\d){{7,9}})"
    r"|(?P<bare>(?:45|5[0137]|6[069]|7[2389]|88)\d{7})"
    rf"|(?P<told>\(?\d(?:[ \u00a0./()-]{{0,2}}\d){{6,14}})"
    r")(?!\w)(?![.,-]\d)"
)
"""As they are written with the country, in groups, with the trunk 0, and as nine digits in Poland; the last kind is
taken for a phone number only where the words before it say so."""
_PHONE_WORDS = re.compile(
    r"(?:\b(?:tel|telefon\w*|phone|kom|kom[oó]rk\w*|mobile|cell|call|z?a?dzwo\w*|whatsapp|sms\w*|fax|faks)\b"
    r"|☎|📞)\D*\Z",
    re.IGNORECASE,
)
_REFERENCE_WORDS = re.compile(
    r"(?:[#№]|\b(?:nr|no|numer\w*|number|order\w*|zam\w*|id|ids|ref\w*|ticket|case|zg[lł]osz\w*|spraw\w*|paczk\w*"
    r"|przesy[lł]k\w*|parcel|tracking|faktur\w*|invoice|sku|ean|isbn|nip|regon|krs|pesel|kod\w*|code|serial|sn|model"
    r"|produkt\w*|product|item|account|kont\w*|klient\w*|customer)\b)[^\d\n]{0,14}\Z",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"[$€£]\s?\Z")
_MONEY_AFTER = re.compile(
    r"\s?(?:zł|pln|eur|usd|gbp|chf|czk|€|\$|£|%|tys|mln|mld|szt|kg|km|ml|mm|cm)", re.IGNORECASE
)
_DATE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d(?!\d)|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}(?!\d)"
)


def _phone(found: re.Match[str], substitute: Substitute, named: str) -> str:
    text = found[0]
    before = found.string[max(0, found.start() - _BEFORE) : found.start()] or named
    if found["abroad"] or _is_phone(found, before, bool(named)):
        return substitute("phone", "".join(sign for sign in text if sign.isdigit() or sign == "+"))
    return text


def _is_phone(found: re.Match[str], before: str, named: bool) -> bool:
    if _DATE.match(found[0]) or _MONEY_BEFORE.search(before):
        return False
    if _MONEY_AFTER.match(found.string, found.end()):
        return False
    if _PHONE_WORDS.search(before):
        return True
    return not (named or found["told"] or _REFERENCE_WORDS.search(before))
