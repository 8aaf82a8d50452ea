"""What made-up customers say, by language and by how they feel."""

from __future__ import annotations

from typing import Literal

Mood = Literal["good", "middling", "bad"]

COMMENTS: dict[str, dict[Mood, tuple[str, ...]]] = {
    "pl-PL": {
        "good": (
            "Wszystko poszło szybko i bez problemów, dziękuję!",
            "Pani konsultantka bardzo pomocna 👍",
            "Sprawa załatwiona przy pierwszym kontakcie.",
            "Super obsługa, polecam.",
            "Prosto i jasno wytłumaczone.",
        ),
        "middling": (
            "W porządku, ale trzeba było trochę poczekać.",
            "Załatwione, choć nie za pierwszym razem.",
            "Mogłoby być szybciej.",
            "Ani dobrze, ani źle.",
        ),
        "bad": (
            "Czekałem ponad 40 minut i nikt nie pomógł.",
            "Trzeci raz zgłaszam ten sam problem 😡",
            "Strona ciągle się zawiesza przy płatności.",
            "Konsultant nie znał odpowiedzi i się rozłączył.",
            "Paczka uszkodzona, zwrot odrzucony bez wyjaśnienia.",
        ),
    },
    "en-GB": {
        "good": (
            "Quick and painless, thank you!",
            "Really helpful agent, sorted on the first call.",
            "Great service, would use again 😊",
            "Clear answers, no fuss.",
            "Easier than I expected.",
        ),
        "middling": (
            "Fine, but the wait was a bit long.",
            "It works, though I had to ask twice.",
            "OK I suppose.",
            "Could have been clearer.",
        ),
        "bad": (
            "Waited 40 minutes and nobody could help.",
            "Third time I report the same problem 😡",
            "The payment page keeps freezing.",
            "The agent had no idea and hung up on me.",
            "Parcel arrived broken and the refund was refused without a reason.",
        ),
    },
}
LOCALES = tuple(COMMENTS)
