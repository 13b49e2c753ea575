"""Codes, keys and private links of ours are recognised in what somebody types; other words and links are left alone."""

from datetime import UTC, datetime

import pytest

from bot.domain.typed_secrets import HIDDEN, find_secrets, hide_secrets, without_secrets
from tests.support.secrets import core_of, make_secrets

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("number", range(5))
def test_every_secret_of_ours_is_found_and_hidden(number: int) -> None:
    for name, secret in make_secrets(NOW).items():
        said = f"Kijk eens: {secret}, werkt die?"
        found = find_secrets([said])
        assert found, name
        shown = str(hide_secrets([said, {"text": said}], found))
        assert HIDDEN in shown, name
        assert secret not in shown, name
        assert core_of(secret) not in shown, name
        assert without_secrets(secret, found) in ("", secret.replace(core_of(secret), HIDDEN).replace(".ics", "")), name


@pytest.mark.parametrize(
    "words",
    [
        "Niemand komt vandaag naar de huiskamer",
        "elke dinsdag om 10:00",
        "2027-03-01 tot 2027-04-01",
        "bel 0612345678 of 06-1234-5678",
        "https://zorg.sharepoint.com/sites/samen/AbCdEfGhIjKlMnOpQrStUvWxYz123456/document.docx",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "zorg-team-hier-buiten doet mee",
        "Wijkteam-Noord",
        "ritme_van_de_week",
        "ons ZORGPLAN2026 en WIJKTEAM2027",
        "rekening 123456789012 over 2024-2025-2026",
        "",
    ],
)
def test_other_words_and_links_are_left_alone(words: str) -> None:
    assert find_secrets([words]) == ()
    assert without_secrets(words, ()) == words
