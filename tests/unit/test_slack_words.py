"""Words come from Slack in many shapes: what a person sees there is what Ritme reads."""

from typing import Any

import pytest

from adapters.slack.words import is_mentioned, list_mentions, read_words

BOT = "UBOT"
NAMES = {"U1": "Fatima", "C1": "zorg", "S1": "nachtdienst"}


def rich(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "block_id": "b", "elements": list(elements)}]


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, **style: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **style}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("<@U1> en <@U1|fatima.b> en <@U2|jan> en <@U3>", "@Fatima en @Fatima en @jan en @…"),
        ("<#C1> <#C1|> <#C2|oud> <#C3|>", "#zorg #zorg #oud #…"),
        ("<!subteam^S1> <!subteam^S2|@dag> <!subteam^S3>", "@nachtdienst @dag @…"),
        ("<!here> <!here|here> <!channel> <!everyone>", "@here @here @channel @everyone"),
        ("<!date^1392734382^{date} om {time}|18 februari> <!date^1^{date}>", "18 februari …"),
        ("<https://a.nl/x?a=1&amp;b=2> <https://a.nl|a.nl>", "https://a.nl/x?a=1&b=2 a.nl"),
        ("<mailto:a@b.nl|a@b.nl> <mailto:a@b.nl> <tel:0612|06 12> <tel:0612>", "a@b.nl a@b.nl 06 12 0612"),
        ("Gelukt :tada::skin-tone-3: :wave:", "Gelukt :tada: :wave:"),
        ("a &amp; b &lt;c&gt; &amp;lt;", "a & b <c> &lt;"),
        ("<@UBOT> vast", "vast"),
        ("<@UBOT|ritme>: vast", "vast"),
        ("<@UBOT>, <@UBOT> vast", "vast"),
        ("Dank je <@UBOT>!", "Dank je!"),
        ("Vraag het <@UBOT> morgen", "Vraag het morgen"),
        ("<@U1> zegt <@UBOT>", "@Fatima zegt"),
        ("", ""),
        (None, ""),
    ],
)
def test_text_is_read_as_people_see_it(sent: str | None, read: str) -> None:
    assert read_words({"text": sent}, bot=BOT, names=NAMES) == read


@pytest.mark.parametrize(
    ("blocks", "read"),
    [
        (rich(section(text("Het "), text("lukte", style={"bold": True}), text(" vandaag"))), "Het lukte vandaag"),
        (rich(section({"type": "emoji", "name": "tada", "unicode": "1f389"})), "🎉"),
        (rich(section({"type": "emoji", "name": "wave", "skin_tone": 3, "unicode": "1f44b-1f3fc"})), "👋🏼"),
        (rich(section({"type": "emoji", "name": "ons_logo"})), ":ons_logo:"),
        (rich(section({"type": "user", "user_id": BOT}, text(" vast"))), "vast"),
        (rich(section(text("Dank "), {"type": "user", "user_id": "U1"}, text("!"))), "Dank @Fatima!"),
        (rich(section({"type": "channel", "channel_id": "C1"}, text(" en "))), "#zorg en"),
        (rich(section({"type": "usergroup", "usergroup_id": "S1"})), "@nachtdienst"),
        (rich(section({"type": "broadcast", "range": "here"})), "@here"),
        (rich(section({"type": "link", "url": "https://a.nl", "text": "hier"})), "hier"),
        (rich(section({"type": "link", "url": "mailto:a@b.nl"})), "a@b.nl"),
        (rich(section({"type": "date", "timestamp": 1, "format": "{date}", "fallback": "dinsdag"})), "dinsdag"),
        (
            rich(
                section(text("Vandaag:\n")),
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [section(text("een")), section(text("twee"))],
                },
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "indent": 1,
                    "offset": 2,
                    "elements": [section(text("drie"))],
                },
                section(text("Klaar")),
            ),
            "Vandaag:\n• een\n• twee\n    3. drie\nKlaar",
        ),
        (rich({"type": "rich_text_quote", "elements": [text("zij zei\nja")]}), "> zij zei\n> ja"),
        (rich({"type": "rich_text_preformatted", "border": 0, "elements": [text("x = *1*")]}), "x = *1*"),
        (rich(section(text("a < b & *c*"))), "a < b & *c*"),
        # What Ritme does not know in full is read from the text.
        (rich(section({"type": "canvas", "canvas_id": "F1"})), "de tekst"),
        (rich({"type": "rich_text_new", "elements": []}), "de tekst"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}], "de tekst"),
        (rich(section(text(5))), "de tekst"),  # type: ignore[arg-type]
        ([None], "de tekst"),
        ([], "de tekst"),
    ],
)
def test_rich_text_goes_before_text(blocks: list[Any], read: str) -> None:
    assert read_words({"text": "de tekst", "blocks": blocks}, bot=BOT, names=NAMES) == read


def test_rich_text_is_read_where_there_is_no_text() -> None:
    assert read_words({"text": "", "blocks": rich(section(text("Toch iets")))}) == "Toch iets"


def test_who_is_mentioned_is_found_in_text_and_blocks() -> None:
    message = {"text": "<@U1|fatima> <#C1|> <!subteam^S1>", "blocks": rich(section({"type": "user", "user_id": "U9"}))}
    assert list_mentions(message, {"text": "<@U1> <@U2>"}) == ("U1", "C1", "S1", "U9", "U2")
    assert len(list_mentions({"text": "".join(f"<@U{number}>" for number in range(99))})) == 20


@pytest.mark.parametrize(
    ("said", "is_ours"), [("<@UBOT> x", True), ("x <@UBOT|r>", True), ("@UBOT", False), ("<@UBOTTOM>", False)]
)
def test_our_own_mention_is_known_by_its_id(said: str, is_ours: bool) -> None:
    assert is_mentioned({"text": said}, BOT) is is_ours
    assert not is_mentioned({"text": said}, "")
