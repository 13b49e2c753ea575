"""Compiled templates are kept, until a template or the core changes; without a place to keep them all works too."""

from pathlib import Path

import jinja2
import pytest

from bot.template_cache import open_template_cache


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "hello.j2").write_text('Hello {{ "name" | other }}')
    (folder / "other.j2").write_text("Ada")
    return folder


def render(prompts: Path, kept: Path) -> str:
    """Render as a process that begins now does; a filter says the words of another template."""
    cache = open_template_cache(prompts, kept)
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
    cache = open_template_cache(prompts, tmp_path / "kept")
    (tmp_path / "kept").rename(tmp_path / "gone")
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(prompts), bytecode_cache=cache, autoescape=True)
    assert environment.get_template("other.j2").render() == "Ada"
