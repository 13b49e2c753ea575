"""The install guide for Teams: its own lines in a shell up to the package, every name in it held to the software."""

import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from jsonschema import Draft4Validator

from adapters.settings import CURES, Settings
from adapters.teams import pages
from adapters.teams.package import MANIFEST_VERSION, RESOURCE_PERMISSIONS
from bot.commands import VOCABULARY
from tests.support.guides import (
    BLOCK,
    CLONE,
    DOCS,
    code_blocks,
    find_broken_links,
    read_until,
    split_by_heading,
    trouble_texts,
    type_in_shell,
)

GUIDES = {"en": "install-teams.md", "nl": "install-teams.nl.md"}
MANIFEST = Draft4Validator(
    json.loads((CLONE / "tests" / "schemas" / f"teams-manifest-{MANIFEST_VERSION}.json").read_text())
)
IDS = {
    "your-application-client-id": "a1b2c3d4-1111-2222-3333-444455556666",
    "your-directory-tenant-id": "aaaabbbb-1111-2222-3333-444455556666",
    "their-directory-tenant-id": "ccccdddd-1111-2222-3333-444455556666",
    "your-client-secret-value": "a~secret.value",
}
MICROSOFTS = {"Manifest parsing has failed", "Upload a custom app", "same app ID", "Something went wrong", "/"}


def guide(language: str) -> str:
    return (DOCS / GUIDES[language]).read_text()


@pytest.mark.parametrize("language", GUIDES)
async def test_following_it_leads_to_a_package(language: str, tmp_path: Path) -> None:
    text = list(split_by_heading(guide(language)).values())[1]
    (typed,) = code_blocks(text, "ini")
    for placeholder, value in IDS.items():
        typed = typed.replace(placeholder, value)
    assert "your-" not in typed
    *lines, last = code_blocks(text, "sh")
    assert last.endswith("ritme serve\n")
    async with type_in_shell(lines, tmp_path, typed=typed, environment={}) as shell:
        said = await read_until(shell, "ritme-teams.zip")
        assert IDS["your-client-secret-value"] not in said
        await shell.communicate()
        assert shell.returncode == 0
    assert (tmp_path / "ritme" / "var" / "ritme.db").exists()
    with ZipFile(tmp_path / "ritme" / "ritme-teams.zip") as zipped:
        made = json.loads(zipped.read("manifest.json"))
    assert list(MANIFEST.iter_errors(made)) == []
    assert made["id"] == IDS["your-application-client-id"]
    assert made["validDomains"] == ["ritme.example.org"]


@pytest.mark.parametrize("language", GUIDES)
def test_both_languages_type_the_same(language: str) -> None:
    assert BLOCK.findall(guide(language)) == BLOCK.findall(guide("en"))
    assert len(split_by_heading(guide(language))) == len(split_by_heading(guide("en")))


@pytest.mark.parametrize("language", GUIDES)
def test_the_list_of_what_ritme_may_do_is_whole(language: str) -> None:
    rows = re.findall(r"^\| `([A-Za-z.]+)` \| .+ \|$", guide(language), re.MULTILINE)
    assert rows == list(RESOURCE_PERMISSIONS)


@pytest.mark.parametrize("language", GUIDES)
def test_with_what_it_puts_in_the_file_teams_can_be_served(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CURES:
        monkeypatch.delenv(name, raising=False)
    for line in "".join(code_blocks(guide(language), "ini")).splitlines():
        name, _, value = line.partition("=")
        assert name in CURES
        monkeypatch.setenv(name, re.sub(r"[\w-]+", lambda found: IDS.get(found[0], found[0]), value))
    settings = Settings.load()
    assert settings.missing_for_serving() == {}
    assert settings.serves_teams


@pytest.mark.parametrize("language", GUIDES)
def test_what_the_doctor_says_is_what_it_says(language: str) -> None:
    (foretold,) = (block for block in code_blocks(guide(language), "") if "✓" in block)
    doctor = (CLONE / "adapters" / "doctor.py").read_text()
    (about,) = re.findall(r"✓ Teams  (.+) https://ritme.example.org(/\S+)", foretold)
    assert all(words in doctor for words in about)


@pytest.mark.parametrize("language", GUIDES)
def test_every_command_in_it_means_something(language: str) -> None:
    typed = re.findall(r"`(?:/ritme|@Ritme) ([a-z]+)`", guide(language))
    assert "start" in typed
    assert all(map(VOCABULARY.meaning, typed))


@pytest.mark.parametrize("language", GUIDES)
def test_every_link_leads_somewhere(language: str) -> None:
    assert find_broken_links(guide(language)) == []
    assert f"https://ritme.example.org{pages.ABOUT_PATH}" in guide(language)


@pytest.mark.parametrize("language", GUIDES)
def test_its_troubles_are_in_the_words_people_see(language: str) -> None:
    ours = "\n".join(
        file.read_text()
        for pattern in ("adapters/**/*.py", "Makefile", f"prompts/{language}/errors/*.j2")
        for file in CLONE.glob(pattern)
    )
    for said in trouble_texts(guide(language)):
        assert said in ours or any(one in said for one in MICROSOFTS), said
