"""The works-council pack and the privacy pages say how Ritme is really set up, in both languages."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import aiohttp
import pypdf
import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from adapters.cli.commands import ritme
from adapters.settings import Settings
from adapters.trust import PACK, PRIVACY_SECTIONS, TrustPack, compose_pack, dump_pack, format_markdown
from adapters.typesetting import TypstTypesetter
from bot.domain.person import Language
from tests.contract.seed import NOW
from tests.support.service import serve_platforms

DOCS = Path(__file__).parents[2] / "docs" / "trust"
TENANT = "12345678-90ab-cdef-1234-567890abcdef"
SLACK = {"slack_bot_token": "xoxb-1", "slack_signing_secret": "geheim"}
TEAMS = {"teams_app_id": TENANT, "teams_app_password": "geheim", "teams_tenant_id": TENANT}
NOTES = {
    Language.NL: "Zo ziet het pakket eruit bij een gewone instelling met Slack en Teams. `ritme trust-pack` maakt het "
    "als PDF van jullie eigen instellingen. Hoe je het gebruikt: [ondernemingsraad](works-council.nl.md).",
    Language.EN: "This is the pack of a usual setup with Slack and Teams. `ritme trust-pack -l en` makes it as a PDF "
    "of your own settings. How to use it: [works council](works-council.md).",
}
BOTH = {**SLACK, **TEAMS, "public_url": "https://ritme.example.org"}


def text_of_pdf(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages).split())


@pytest.mark.parametrize("language", list(Language), ids=str)
async def test_the_pack_is_one_tagged_pdf(language: Language) -> None:
    pack = compose_pack(Settings(**BOTH), language, NOW)
    content = await TypstTypesetter().typeset("trust_pack", dump_pack(pack), "pdf")
    root = pypdf.PdfReader(BytesIO(content)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == language.value
    assert b"pdfuaid" in content or "pdfuaid" in str(root["/Metadata"].get_data())
    said = text_of_pdf(content)
    assert [one.title for one in pack.sections if one.title not in said] == []


def test_what_is_set_is_what_is_said() -> None:
    usual = format_markdown(compose_pack(Settings(**SLACK), Language.NL, NOW))
    other = format_markdown(
        compose_pack(
            Settings(
                **TEAMS,
                works_council=True,
                keep_closed_days=77,
                keep_deliveries_days=33,
                forget_left_days=44,
                keep_events_days=11,
                database_url="postgresql://r:geheim@db.example.org/ritme",
            ),
            Language.NL,
            NOW,
        )
    )
    assert "365 dagen na afloop" in usual
    assert "één SQLite-bestand" in usual
    assert "| Eerst de ondernemingsraad | uit |" in usual
    assert "Microsoft" not in usual
    for said in ("77 dagen na afloop", "33 dagen na verzending", "44 dagen", "11 dagen", "PostgreSQL",
                 "| Eerst de ondernemingsraad | aan |", "Microsoft"):  # fmt: skip
        assert said in other, said
    assert "Slack (Salesforce)" not in other
    assert "geheim" not in other
    assert "db.example.org" not in other


def every_text(pack: TrustPack) -> list[str]:
    """Return all that is read in a pack, a text at a time."""
    cells = [cell for one in pack.sections if one.table is not None for row in one.table.rows for cell in row]
    said = [text for one in pack.sections for text in (one.title, *one.paragraphs, *one.items, *one.after)]
    return [pack.title, pack.made, *said, *cells, *pack.flow, pack.flow_text]


@pytest.mark.parametrize("language", list(Language), ids=str)
@pytest.mark.parametrize("chosen", [{}, SLACK, TEAMS, BOTH], ids=["none", "slack", "teams", "both"])
@pytest.mark.parametrize("sections", [PACK, PRIVACY_SECTIONS], ids=["pack", "privacy"])
def test_it_reads_as_plain_sentences(language: Language, chosen: dict[str, str], sections: tuple[str, ...]) -> None:
    """A PDF and a page show Markdown as it is; and before a platform is chosen there is none to name."""
    for said in every_text(compose_pack(Settings(**chosen), language, NOW, sections=sections)):
        assert "**" not in said
        assert "–" not in said
        assert " + " not in said


def test_the_picture_has_each_way_that_data_goes() -> None:
    keyed = {**BOTH, "secret_key": Fernet.generate_key().decode()}
    ends = {
        name: {end for flow in compose_pack(Settings(**chosen), Language.EN, NOW).beside for end in flow.ends}
        for name, chosen in (("all", keyed), ("no key", BOTH), ("no address", SLACK))
    }
    assert ends["no address"] == {"Log", "a file to take along"}
    assert ends["no key"] - ends["no address"] == {
        "someone’s own calendar",
        "someone’s own browser",
        "a program with a key",
        "The bot",
    }
    assert ends["all"] - ends["no key"] == {"an address outside"}
    pack = compose_pack(Settings(**keyed), Language.EN, NOW)
    assert [end for flow in pack.beside for end in flow.ends if end.casefold() not in pack.flow_text.casefold()] == []


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_article_27_is_answered_question_by_question(language: Language) -> None:
    for mode in (False, True):
        (wor,) = (
            one
            for one in compose_pack(Settings(**BOTH, works_council=mode), language, NOW).sections
            if one.name == "wor"
        )
        assert [one for one in wor.paragraphs if "? " not in one] == []
        assert len(wor.paragraphs) == 5


def test_traces_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "geen meetgegevens" in format_markdown(compose_pack(Settings(**SLACK), Language.NL, NOW))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel.example.org")
    said = format_markdown(compose_pack(Settings(**SLACK), Language.NL, NOW))
    assert "naar een OpenTelemetry-dienst" in said
    assert "Meetgegevens naar een andere dienst | aan" in said


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_the_docs_show_the_pack_of_a_usual_setup(language: Language) -> None:
    """Made again with: python -m tests.integration.test_trust."""
    assert (DOCS / _name(language)).read_text(encoding="utf-8") == sample(language)


def sample(language: Language) -> str:
    pack = compose_pack(Settings(**BOTH), language, NOW)
    return format_markdown(replace(pack, made=NOTES[language]))


def _name(language: Language) -> str:
    return f"pack.{language.value}.md" if language is Language.NL else "pack.md"


@pytest.mark.parametrize(("language", "title"), [("nl", "ondernemingsraad"), ("en", "works council")])
def test_the_command_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, title: str) -> None:
    monkeypatch.setenv("RITME_KEEP_CLOSED_DAYS", "55")
    for name in ("pack.pdf", "pack.md"):
        ran = CliRunner().invoke(ritme, ["trust-pack", "--to", str(tmp_path / name), "--language", language])
        assert ran.exit_code == 0, ran.output
    said = text_of_pdf((tmp_path / "pack.pdf").read_bytes())
    assert title in said
    assert "55" in said
    assert "55" in (tmp_path / "pack.md").read_text()


def test_where_it_cannot_be_written_it_says_so(tmp_path: Path) -> None:
    ran = CliRunner().invoke(ritme, ["trust-pack", "--to", str(tmp_path / "nowhere" / "pack.md")])
    assert ran.exit_code != 0
    assert "Nothing was written" in ran.output


async def test_each_platform_has_its_privacy_page(tmp_path: Path) -> None:
    async with serve_platforms(tmp_path) as port, aiohttp.ClientSession() as browser:
        found = {}
        for path in ("", "/slack", "/teams"):
            for language in ("nl", "en"):
                address = f"http://127.0.0.1:{port}/privacy{path}"
                async with browser.get(address, headers={"Accept-Language": language}) as answer:
                    assert answer.status == 200
                    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                    found[path, language] = await answer.text()
        async with browser.get(f"http://127.0.0.1:{port}/privacy/nowhere") as answer:
            assert answer.status == 404
    assert "Wat Ritme bewaart" in found["", "nl"]
    assert "What Ritme keeps" in found["", "en"]
    assert "Salesforce" in found["/slack", "en"]
    assert "Microsoft is" not in found["/slack", "nl"]
    assert "Salesforce" not in found["/teams", "en"]
    assert "typ /ritme" not in found["/teams", "nl"]


def test_a_privacy_page_is_part_of_the_pack() -> None:
    assert set(PRIVACY_SECTIONS) < set(PACK)


if __name__ == "__main__":
    for one in Language:
        (DOCS / _name(one)).write_text(sample(one), encoding="utf-8")  # its own output, compared above
