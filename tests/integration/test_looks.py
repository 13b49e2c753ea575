"""Pictures look today as they did when somebody last looked at them (docs/images/drawn-*.png)."""

from pathlib import Path

import numpy as np
import pytest

from bot.domain.person import Language
from tests.looks import IMAGES, draw_look, list_looks
from tests.support.images import find_difference, read_png, write_png

LOOKS = list(list_looks())


@pytest.mark.parametrize(("name", "language"), LOOKS, ids=[f"{name}-{language}" for name, language in LOOKS])
async def test_it_looks_as_it_did(name: str, language: Language, tmp_path: Path) -> None:
    for file, drawn in (await draw_look(name, language)).items():
        stored = IMAGES / file
        assert stored.is_file(), f"{file} was never drawn: `make pictures`, and look at it"
        told, difference = find_difference(stored.read_bytes(), drawn)
        if told:
            (tmp_path / file).write_bytes(drawn)
            (tmp_path / f"difference-{file}").write_bytes(difference or drawn)
            pytest.fail(f"{file}: {told}. Look at {tmp_path}; if it is as you want it: `make pictures`")


async def test_nothing_is_stored_that_is_drawn_no_more_and_all_of_it_is_small() -> None:
    stored = {one.name: one.stat().st_size for one in IMAGES.glob("drawn-*.png")}
    assert set(stored) == {file for one in LOOKS for file in await draw_look(*one)}
    assert sum(stored.values()) < 1_500_000


async def test_a_word_that_moved_is_seen_and_a_shade_of_another_machine_is_not() -> None:
    (png,) = (await draw_look("history_drawn", Language.NL)).values()
    pixels = read_png(png)
    assert write_png(pixels) != png
    assert find_difference(png, write_png(pixels)) == ("", None), "what is written is what was read"
    shade = np.clip(pixels.astype(np.int16) + 3, 0, 255).astype(np.uint8)
    assert find_difference(png, write_png(shade)) == ("", None)
    moved = pixels.copy()
    moved[30:60] = np.roll(pixels[30:60], 4, axis=1)
    told, difference = find_difference(png, write_png(moved))
    assert "pixels are not as they were" in told
    assert difference is not None
    red = (read_png(difference)[:, :, :3] == (220, 0, 0)).all(axis=2)
    assert red[30:60].any()
    assert not red[60:].any()
    assert "it was" in find_difference(png, write_png(pixels[:-1]))[0]
