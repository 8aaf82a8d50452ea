"""What is taken out of a comment, and what has to stay in it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.redact import Kind, redacted

TAKEN = [
    ("Proszę o kontakt: jan.kowalski+sklep@poczta.example.pl.", "Proszę o kontakt: [email]."),
    ("mój mail to jan małpa example.pl", "mój mail to [email]"),
    ("write to jane (at) example (dot) com", "write to [email]"),
    ("tel. 600123456", "tel. [phone]"),
    ("zadzwońcie na 600 123 456, dzięki", "zadzwońcie na [phone], dzięki"),
    ("nr tel 600123456", "nr tel [phone]"),
    ("+48 600-123-456!", "[phone]!"),
    ("0048600123456", "[phone]"),
    ("biuro (22) 123 45 67", "biuro [phone]"),
    ("call me on 07911 123456", "call me on [phone]"),
    ("(555) 123-4567 or 555-123-4567", "[phone] or [phone]"),
    ("phone 1234567", "phone [phone]"),
    ("karta 4111 1111 1111 1111 wygasła", "karta [card] wygasła"),
    ("5500-0000-0000-0004", "[card]"),
    ("378282246310005", "[card]"),
    ("zwrot na PL61 1090 1014 0000 0712 1981 2874 proszę", "zwrot na [iban] proszę"),
    ("konto 61 1090 1014 0000 0712 1981 2874", "konto [iban]"),
    ("IBAN DE89 3704 0044 0532 0130 00 ok", "IBAN [iban] ok"),
    ("GB82WEST12345698765432", "[iban]"),
]
STAYS = [
    "zamówienie nr 600123456 nie dotarło",
    "order 600123456 never came",
    "#600123456 is missing",
    "FV/2024/600123456",
    "paczka 123456789012345678901234",
    "I paid 1 200 300 zł and 100 200 300 PLN",
    "$600 123 456",
    "zapłaciłem 12 345,67 zł",
    "on 2024-01-15 10:20, not 12.03.2024 600",
    "01.02.2024 12",
    "4111 1111 1111 1112 fails the check",
    "PL61 1090 1014 0000 0712 1981 2875 fails the check",
    "NIP 123-456-32-18",
    "192.168.100.100",
    "ISBN 978-83-123-4567-8",
    "EAN 5901234123457",
    "follow us on twitter @sklep.pl",
    "24/7 support, 10/10, 30 days, 2 items, 199.99",
    "Czekałem 45 minut na linii z zamówieniem 123456",
]
KINDS: list[tuple[Kind, str]] = [
    ("email", "jan.kowalski@example.pl"),
    ("phone", "+48 600 123 456"),
    ("phone", "600-123-456"),
    ("card", "4111 1111 1111 1111"),
    ("iban", "PL61 1090 1014 0000 0712 1981 2874"),
]
HOSTILE = [
    "@",
    "a@",
    "1",
    "1 ",
    "1-",
    "PL61 ",
    "0",
    "+",
    "(0",
    "a.b@c.",
    "12 ",
    "4111 1111 1111 ",
    "x@a.",
    "600123456 ",
]


def mask(kind: Kind, _: str) -> str:
    return f"[{kind}]"


@pytest.mark.parametrize(("text", "expected"), TAKEN)
def test_what_names_a_person_is_taken_out(text: str, expected: str) -> None:
    assert redacted(text, mask) == expected


@pytest.mark.parametrize("text", STAYS)
def test_numbers_of_other_things_stay(text: str) -> None:
    assert redacted(text, mask) == text


def test_what_was_found_is_given_without_its_separators() -> None:
    text = "Jan@Example.PL, +48 600-123-456, PL61 1090 1014 0000 0712 1981 2874"

    shown = redacted(text, lambda kind, found: f"[{kind} {found}]")

    assert shown == "[email jan@example.pl], [phone +48600123456], [iban pl61109010140000071219812874]"


def test_a_number_under_a_name_is_an_id_unless_the_name_speaks_of_a_phone() -> None:
    assert redacted("600123456", mask, named="order") == "600123456"
    assert redacted("600123456", mask, named="tel") == "[phone]"


@given(
    st.text(st.characters(categories=["L"])), st.sampled_from(KINDS), st.text(st.characters(categories=["L"]))
)
def test_it_is_found_between_any_words(before: str, found: tuple[Kind, str], after: str) -> None:
    kind, text = found

    assert redacted(f"{before}, {text}, {after}", lambda k, _: f"[{k}]") == f"{before}, [{kind}], {after}"


@given(st.text())
def test_text_without_digits_and_ats_is_left_alone(text: str) -> None:
    plain = "".join(sign for sign in text if not sign.isdigit() and sign not in "@([")

    assert "małpa" in plain or redacted(plain, mask) == plain


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 4000)[:4000]
    began = time.process_time()

    redacted(text, mask)

    assert time.process_time() - began < 0.5
