"""Stories are found by their words, alike on both databases, and only by who may read them."""

import random
from collections.abc import Collection, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from adapters.database.repositories import story_search
from adapters.database.story_words import MAX_IN_ROW, read_entries
from adapters.database.tables import story_postings
from bot.domain.movement import Member
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.story import Dimension, Readers, Story, StoryId
from bot.domain.story_search import (
    FoundBy,
    StoryFilters,
    StoryReader,
    index_story,
    match_words,
    read_query,
    story_position,
)
from bot.ports import TookTooLong, UnitOfWork
from tests.contract.seed import DAY, FATIMA, HERE, JAN, NIGHT, NOW, OURS, THEIRS, W1, W2, WALK, Seeded, person, story

OUTSIDER = StoryReader(person=PersonId("somebody"), workspace=W1)


async def find(
    seeded: Seeded,
    typed: str,
    reader: StoryReader = OUTSIDER,
    by: FoundBy = FoundBy.ALL,
    filters: StoryFilters = StoryFilters(),  # noqa: B008  # frozen
    before: int | None = None,
    limit: int = 9,
) -> list[str]:
    """Return the ids of the stories found, in the order they are found: the same before and after they are indexed."""
    async with seeded.begin() as work:
        found = await find_in(work, typed, reader, by, filters, before, limit)
    await index_all(seeded)
    async with seeded.begin() as work:
        assert await find_in(work, typed, reader, by, filters, before, limit) == found
    return found


async def find_in(
    work: UnitOfWork,
    typed: str,
    reader: StoryReader = OUTSIDER,
    by: FoundBy = FoundBy.ALL,
    filters: StoryFilters = StoryFilters(),  # noqa: B008  # frozen
    before: int | None = None,
    limit: int = 9,
) -> list[str]:
    match = match_words(read_query(typed), by)
    if match is None:
        return []
    return [found.id for found, _ in await work.stories.search(OURS, reader, filters, before).find(match, limit)]


def told(id: str, words: str, minutes: int = 0, **more: object) -> Story:
    """Make a story for the movement, told so many minutes ago."""
    usual = {"text": words, "readers": Readers.MOVEMENT, "told_at": NOW - timedelta(minutes=minutes)}
    return story(StoryId(id), **{**usual, **more})  # type: ignore[no-any-return]


async def index_all(seeded: Seeded, at_once: int = 50) -> None:
    """Put all stories into the index, as ticks do."""
    indexed = 1
    while indexed:
        async with seeded.begin() as work:
            indexed = await work.stories.index_stories(at_once)


async def read_postings(seeded: Seeded) -> dict[str, list[int]]:
    """Return the positions of the stories of each token of the movement."""
    held: dict[str, list[int]] = {}
    async with seeded.storage.database.begin() as connection:
        rows = await connection.execute(select(story_postings).where(story_postings.c.movement_id == OURS))
        for _, token, until, content in sorted(rows, key=lambda row: (row.token, row.until)):
            assert 0 < len(content) <= 8 * MAX_IN_ROW
            held.setdefault(token, []).extend(entry >> 1 for entry in read_entries(content))
            assert held[token][-1] <= until
    return held


def positions_by_token(stories: Collection[Story]) -> dict[str, list[int]]:
    held: dict[str, list[int]] = {}
    for position, tokens in map(index_story, stories):
        for token in tokens if position is not None else ():
            held.setdefault(token, []).append(position or 0)
    return {token: sorted(its) for token, its in held.items()}


@pytest.mark.parametrize(
    ("words", "typed", "by"),
    [
        ("De nachtdienst hoorde het als laatste.", "NACHTDIENST", FoundBy.ALL),
        ("Twee verhalen over diensten", "verhaal dienst", FoundBy.ALL),
        ("Ze loopt weer", "lopen", FoundBy.ALL),
        ("The nurses were running late", "nurse run", FoundBy.ALL),
        ("Koffie in het café met Zoë", "cafe zoe", FoundBy.ALL),
        ("Koffie in het cafe", "Café", FoundBy.ALL),
        ("Історія про нічну зміну", "ІСТОРІЯ", FoundBy.ALL),
        ('100% _zeker_: "ja" OR nee\' & (of) | <niet>*', "zeker ja or nee of niet 100", FoundBy.ALL),
        ("De nachtdienst", "dienst", FoundBy.PARTS),
        ("De nachtdienst", "nacht", FoundBy.PARTS),
        ("De nachtdiensten", "nacht dienst", FoundBy.PARTS),
        ("Een dienst in de nacht", "nachtdienst", FoundBy.PARTS),
        ("Op de markt van arbeid", "arbeidsmarkt", FoundBy.PARTS),
        ("Over de overdracht", "overdracht wethouder", FoundBy.SOME),
        ("De nachtdienst", "nachtdiest", FoundBy.NEAR),
        ("De overdracht", "overdarcht", FoundBy.NEAR),
        ("De overdracht", "overdrracht", FoundBy.NEAR),
        ("De overdracht", "overdrecht", FoundBy.NEAR),
    ],
)
async def test_a_story_is_found_by_its_words(seeded: Seeded, words: str, typed: str, by: FoundBy) -> None:
    await seeded.add(told("it", words), told("another", "Heel iets anders"))
    assert await find(seeded, typed, by=by) == ["it"]
    if by is not FoundBy.ALL:
        assert await find(seeded, typed) == []


@pytest.mark.parametrize("typed", ["", "…", "' OR 1=1 --", '"', "*", "nacht*", "NOT", "a:*", "_a", "'' & !x", "\0"])
async def test_no_search_says_more_than_its_words(seeded: Seeded, typed: str) -> None:
    await seeded.add(told("it", "Koffie"))
    for by in FoundBy:
        if read_query(typed):
            assert await find(seeded, typed, by=by) == []


async def test_the_newest_comes_first_and_pages_go_on_by_position(seeded: Seeded) -> None:
    stories = [told(f"s{number}", "De nachtdienst", minutes=number) for number in range(7)]
    await seeded.add(*stories)
    pages: list[list[str]] = []
    before: int | None = None
    by_id = {one.id: one for one in stories}
    while not pages or pages[-1]:
        pages.append(await find(seeded, "nachtdienst", before=before, limit=3))
        before = story_position(by_id[pages[-1][-1]]) if pages[-1] else before
        await seeded.add(told(f"new{len(pages)}", "De nachtdienst", minutes=-len(pages)))
    assert pages == [["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6"], []]


async def test_only_what_somebody_may_read_is_found(seeded: Seeded) -> None:
    await seeded.add(
        told("all", "koffie", 1, readers=Readers.EVERYONE),
        told("movement", "koffie", 2, place_id=NIGHT),
        told("thread", "koffie", 3, readers=Readers.THREAD, place_id=HERE, thread="t", message="m"),
        told("alone", "koffie", 4, readers=Readers.THREAD, place_id=None),
        told("theirs", "koffie", 5, movement_id=THEIRS),
    )
    open_to_all = ["all", "movement"]
    assert await find(seeded, "koffie", StoryReader(person=JAN, workspace=W1)) == open_to_all
    assert await find(seeded, "koffie", StoryReader(person=JAN, workspace=W1, place=NIGHT)) == open_to_all
    assert await find(seeded, "koffie", StoryReader(person=JAN, workspace=W1, place=HERE)) == [*open_to_all, "thread"]
    assert await find(seeded, "koffie", StoryReader(person=FATIMA, workspace=W1)) == [*open_to_all, "thread", "alone"]


async def test_what_is_withdrawn_changed_or_narrowed_is_gone_in_the_same_transaction(seeded: Seeded) -> None:
    await seeded.add(told("it", "koffie met gebak", place_id=NIGHT))
    async with seeded.begin() as work:
        kept = await work.stories.get(StoryId("it"), OURS)
        assert kept is not None
        kept.text = "thee met gebak"
        assert await find_in(work, "koffie") == []
        assert await find_in(work, "thee") == ["it"]
        kept.readers = Readers.THREAD
        assert await find_in(work, "thee") == []
        kept.readers = Readers.MOVEMENT
        kept.withdraw(NOW)
        assert await find_in(work, "thee") == await find_in(work, "gebak") == []
        kept.tell_again("koffie", Readers.MOVEMENT, NOW + DAY)
        assert await find_in(work, "koffie") == ["it"]
        assert await find_in(work, "thee") == []
    assert await find(seeded, "koffie") == ["it"]


async def test_filters_narrow(seeded: Seeded) -> None:
    away = PersonId("away")
    await seeded.add(
        person(away, WorkspaceId(W2), group="nacht"),
        Member(movement_id=OURS, person_id=away, joined_at=NOW),
        told("walked", "koffie", 1, initiative_id=None, dimension=Dimension.DEEPEN),
        told("nameless", "koffie", 2, named=False, teller_id=JAN),
        told("unseen", "koffie", 3, teller_id=away),
        told("old", "koffie", 60 * 24 * 9, teller_id=JAN, dimension=Dimension.BROADEN),
    )

    async def narrowed(**filters: object) -> Sequence[str]:
        return await find(seeded, "koffie", filters=StoryFilters(**filters))  # type: ignore[arg-type]

    assert await narrowed(dimension=Dimension.DEEPEN) == ["walked"]
    assert await narrowed(since=NOW - DAY) == ["walked", "nameless", "unseen"]
    assert await narrowed(until=NOW - DAY) == ["old"]
    assert await narrowed(group="nacht") == ["walked", "old"]
    assert await narrowed(group="nacht", dimension=Dimension.BROADEN) == ["old"]
    assert await narrowed(group="dag") == []
    assert await narrowed(initiative=WALK) == []


async def test_without_words_the_newest_are_found(seeded: Seeded) -> None:
    await seeded.add(told("new", "koffie"), told("old", "thee", 5))
    async with seeded.begin() as work:
        match = match_words((), FoundBy.ALL)
        assert match is not None
        found = await work.stories.search(OURS, OUTSIDER, StoryFilters(), None).find(match, 9)
    assert [one.id for one, _ in found] == ["new", "old"]


async def test_the_index_holds_what_stories_say_and_nothing_else(seeded: Seeded) -> None:
    """…whatever was told, changed and taken back, in whatever order."""
    chance = random.Random(20)
    words = ["koffie", "nachtdienst", "overdracht", "thee", "balie", "rolstoel"]
    stories = [
        told(f"s{number}", " ".join(chance.sample(words, 2)), 60 * 9 * number, readers=chance.choice(list(Readers)))
        for number in chance.sample(range(400), 400)
    ]
    for begin in range(0, 400, 80):
        await seeded.add(*stories[begin : begin + 80])
        await index_all(seeded, at_once=chance.choice((7, 50)))
    async with seeded.begin() as work:
        told_ids = [StoryId("told"), *(one.id for one in stories)]
        every = [one for its in told_ids if (one := await work.stories.get(its, OURS)) is not None]
        for changed in chance.sample(every, 150):
            if chance.random() < 0.5:
                changed.withdraw(NOW)
            else:
                changed.text = "heel iets anders"
    assert await read_postings(seeded) == positions_by_token([one for one in every if "iets" not in one.text])
    await index_all(seeded)
    assert await read_postings(seeded) == positions_by_token(every)
    both = [one for one in every if {"koffie", "balie"} <= set(one.text.split()) and one.may_travel]
    assert await find(seeded, "balie koffie", limit=99) == [
        one.id for one in sorted(both, key=story_position, reverse=True)
    ]


async def test_the_index_is_no_word_for_what_stands_in_a_story(seeded: Seeded) -> None:
    await seeded.add(told("it", "koffie"), told("gone", "koffie", 1))
    await index_all(seeded)
    async with seeded.storage.database.begin() as connection:
        await connection.execute(text("UPDATE stories SET text = 'thee' WHERE id = 'it'"))
        await connection.execute(text("DELETE FROM stories WHERE id = 'gone'"))
    assert await find(seeded, "koffie") == []


async def test_common_words_are_found_as_rare_ones_are(seeded: Seeded) -> None:
    await seeded.add(*(told(f"s{number}", f"De nachtdienst {number}", number) for number in range(120)))
    assert await find(seeded, "nachtdienst", limit=4) == ["s0", "s1", "s2", "s3"]
    assert await find(seeded, "nachtdienst 119") == ["s119"]
    assert await find(seeded, "dienst", by=FoundBy.PARTS, limit=2) == ["s0", "s1"]


async def test_what_takes_too_long_is_given_up(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    await seeded.add(told("it", "koffie"))
    await index_all(seeded)
    monkeypatch.setattr(story_search, "LONGEST_SEARCH", -1)
    assert await find(seeded, "koffie", limit=1) == ["it"]
    with pytest.raises(TookTooLong):
        await find(seeded, "koffie", limit=2)


def test_only_the_longest_words_may_be_spelled_otherwise() -> None:
    match = match_words(read_query("nachtdiest overdarcht wandelrote bewonrs"), FoundBy.NEAR)
    assert match is not None
    assert sum(len(one) > 2 for one in match.every) == 2
