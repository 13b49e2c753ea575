"""Entries of the catalogue are what frozen dataclasses by keyword are."""

from dataclasses import FrozenInstanceError, field, fields, replace

import pytest

from bot.catalogue.base import Frozen


class Animal(Frozen):
    name: str
    legs: int = 4


class Cat(Animal):
    """A cat, whose fields are those of an animal, and more."""

    naps: list[str] = field(default_factory=list)


def test_fields_are_inherited_and_defaults_are_filled_in() -> None:
    assert [one.name for one in fields(Cat)] == ["name", "legs", "naps"]  # type: ignore[arg-type]
    cat = Cat(name="Tom")
    assert (cat.name, cat.legs, cat.naps) == ("Tom", 4, [])
    assert cat.naps is not Cat(name="Tom").naps


def test_a_missing_and_an_unknown_field_are_refused() -> None:
    for given in ({}, {"name": "Tom", "wings": 2}):
        with pytest.raises(TypeError, match="and was given"):
            Cat(**given)


def test_nothing_changes_but_a_copy() -> None:
    cat = Cat(name="Tom")
    with pytest.raises(FrozenInstanceError):
        cat.name = "Tim"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del cat.name
    assert replace(cat, legs=3) == Cat(name="Tom", legs=3)


def test_those_of_one_class_with_equal_values_are_equal() -> None:
    assert Cat(name="Tom") == Cat(naps=[], name="Tom") != Cat(name="Tim")
    assert Animal(name="Tom") != Cat(name="Tom")
    assert hash(Animal(name="Tom")) == hash(Animal(legs=4, name="Tom"))
    assert repr(Animal(name="Tom")) == "Animal(legs=4, name='Tom')"
