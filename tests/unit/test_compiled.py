"""Keeping what is made of prompts: until a prompt or the core changes; without a place to keep it all works too."""

from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from bot.compiled import keep_templates, keep_value, prepare_folder
from bot.domain.person import Language
from bot.understanding.phrasebook import PhraseBook, _read_phrase_book


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "hello.j2").write_text('Hello {{ "name" | other }}')
    (folder / "other.j2").write_text("Ada")
    return folder


def render(prompts: Path, kept: Path) -> str:
    """Render as a process that begins now does; a filter says the words of another template."""
    cache = keep_templates(prepare_folder(prompts, kept))
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(prompts), bytecode_cache=cache, autoescape=True)
    environment.filters["other"] = lambda _: (prompts / "other.j2").read_text()
    return environment.get_template("hello.j2").render()


def test_what_is_compiled_is_kept_and_used_again(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert render(prompts, tmp_path / "kept") == "Hello Ada"
    monkeypatch.setattr(jinja2.Environment, "_generate", lambda *_, **__: pytest.fail("it was compiled again"))
    assert render(prompts, tmp_path / "kept") == "Hello Ada"


def test_what_another_template_said_is_not_kept_when_that_changes(prompts: Path, tmp_path: Path) -> None:
    assert render(prompts, tmp_path / "kept") == "Hello Ada"
    (prompts / "other.j2").write_text("Grace")
    assert render(prompts, tmp_path / "kept") == "Hello Grace"
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_without_a_place_to_keep_them_templates_are_rendered_too(prompts: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file stands where the folder would")
    assert render(prompts, tmp_path / "kept") == "Hello Ada"


def test_a_place_that_disappears_is_no_fault(prompts: Path, tmp_path: Path) -> None:
    cache = keep_templates(prepare_folder(prompts, tmp_path / "kept"))
    (tmp_path / "kept").rename(tmp_path / "gone")
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(prompts), bytecode_cache=cache, autoescape=True)
    assert environment.get_template("other.j2").render() == "Ada"


def test_what_was_made_is_kept_and_made_again_when_a_prompt_changes(prompts: Path, tmp_path: Path) -> None:
    made: list[str] = []

    def make() -> str:
        made.append("made")
        return (prompts / "other.j2").read_text()

    def take() -> str:
        return keep_value(prepare_folder(prompts, tmp_path / "kept"), "words", make)

    assert [take(), take()] == ["Ada", "Ada"]
    assert len(made) == 1
    (prompts / "other.j2").write_text("Grace")
    assert take() == "Grace"
    (tmp_path / "elsewhere").write_text("a file stands where the folder would")
    assert keep_value(prepare_folder(prompts, tmp_path / "elsewhere"), "words", make) == "Grace"


def list_attributes(value: object, name: str = "book") -> Iterator[tuple[str, object]]:
    """Yield all that something is made of, each with its name."""
    if not hasattr(value, "__dict__"):
        yield name, value
        return
    for attribute, one in vars(value).items():
        yield from list_attributes(one, f"{name}.{attribute}")


@pytest.mark.parametrize("language", list(Language))
def test_a_phrase_book_that_was_kept_is_all_that_was_read(language: Language, tmp_path: Path) -> None:
    def refuse() -> PhraseBook:
        pytest.fail("it was kept")

    fresh = _read_phrase_book(language)
    keep_value(tmp_path, "book", lambda: fresh)
    kept, read = (dict(list_attributes(one)) for one in (keep_value(tmp_path, "book", refuse), fresh))
    assert {"book.needing._found", "book.despairing._found", "book._weights", "book.phrases._whole"} <= read.keys()
    assert [name for name in {**kept, **read} if kept.get(name) != read.get(name)] == []
