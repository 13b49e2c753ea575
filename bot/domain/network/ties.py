"""A movement's network, kept as arrays: who knows whom, how well, and who belongs to which group."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

T = TypeVar("T", bound=Hashable)
Numbers = NDArray[np.int32]
Values = NDArray[np.float32]
Sparse = Any
"""A sparse matrix in rows; scipy carries no types."""

AT_A_TIME = 20_000
"""Ties read without a pause: between two such chunks other threads of the process get their turn."""
WEAKEST, STRONGEST = 0.6, 1.4
"""How much the weakest and the strongest tie count, where the ordinary one counts as one contact."""
STRONGER = 1e9
"""Strengths above this are no stronger."""
CLOSURE, CLOSED, MOST_CLOSURE = 4.0, 0.2, 1.5
"""Where people have 4 known ties on average, two with all contacts in common count as 4 / 4 - 0.2 of a tie."""
HUB = 50
"""Having a contact in common who knows more people than this says nothing."""
FAINT = 0.05
"""Parts of a tie that are left out."""


class _Positions(dict[T, int]):
    """Number what is asked for in the order in which it is first asked for."""

    def __missing__(self, key: T) -> int:
        self[key] = number = len(self)
        return number


@dataclass(frozen=True, eq=False)
class Network(Generic[T]):
    """People and the ties between them. It is never changed: `with_ties` returns another, so that who computes with one
    in another thread is not disturbed.

    People are known by their position, the order in which they first appeared. `strengths` and `weights` are symmetric:
    the strengths as they came, added up, and how much each counts as a contact. `group_of` is -1 for who has no group.
    """

    positions: Mapping[T, int]
    ids: tuple[T, ...]
    group_of: Numbers
    group_names: tuple[str, ...]
    strengths: Sparse
    weights: Sparse = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _weigh(self.strengths))

    @cached_property
    def likely(self) -> Sparse:
        """Weights as far as they are known, and a part of one for two who probably know each other too."""
        return close(self.weights, self.gaps)

    @cached_property
    def gaps(self) -> float:
        """How much two people count as contacts by what they have in common: more where few ties are known."""
        people = np.count_nonzero(np.diff(self.weights.indptr))
        ties = self.weights.nnz / people if people else 0.0
        return float(np.clip(CLOSURE / ties - CLOSED, 0, MOST_CLOSURE)) if ties else 0.0

    @classmethod
    def of(cls, ties: Iterable[tuple[T, T, float | None]], groups: Mapping[T, str]) -> "Network[T]":
        """Make a network of ties (one, other, strength; in any order, also twice) and the groups of people.

        Strengths are in any unit; an unknown one counts as 1. Ties with oneself, or without strength, are none.
        """
        return _extend(_Positions(), ties, groups, None)

    def with_ties(
        self, ties: Iterable[tuple[T, T, float | None]], groups: Mapping[T, str] | None = None
    ) -> "Network[T]":
        """Return this network with more ties (a tie that was there grows stronger), people and groups."""
        known = {
            one: self.group_names[number] for one, number in zip(self.ids, self.group_of, strict=True) if number >= 0
        }
        return _extend(_Positions(self.positions), ties, {**known, **(groups or {})}, self.strengths)

    def __len__(self) -> int:
        return len(self.ids)


def close(weights: Sparse, gaps: float) -> Sparse:
    """Add a part of a tie for two people with common contacts, each common contact counting for less the more people
    they know (Zhou, Lü and Zhang 2009: resource allocation)."""
    if not gaps or not weights.nnz:
        return weights
    known = np.asarray(weights.sum(axis=1)).ravel()
    passed = np.where((known > 0) & (np.diff(weights.indptr) <= HUB), np.float32(gaps) / np.maximum(known, 1), 0)
    through = weights.copy()
    through.data = through.data * passed.astype(np.float32)[through.indices]
    # By columns, then turned over, as it is the same both ways: so each row is in order, in a time that grows with the
    # ties only. Sorting takes several times that.
    shared = (through @ weights).tocsc().T
    shared.data = np.minimum(shared.data, 1)
    tied = weights.astype(bool).astype(np.float32)
    guessed = shared - shared.multiply(tied)
    guessed.setdiag(0)
    guessed.data[guessed.data < FAINT] = 0
    guessed.eliminate_zeros()
    return (weights + guessed).tocsr().astype(np.float32)


def _extend(
    positions: _Positions[T], ties: Iterable[tuple[T, T, float | None]], groups: Mapping[T, str], before: Sparse | None
) -> Network[T]:
    ones, others, strengths = _read(positions, ties)
    for person in groups:
        positions[person]  # who has no ties is numbered too
    size = len(positions)
    added = sparse.csr_array(
        (np.concatenate([strengths, strengths]), (np.concatenate([ones, others]), np.concatenate([others, ones]))),
        shape=(size, size),
    )
    if before is not None:
        grown = before.copy()
        grown.resize((size, size))
        added = grown + added
    added.sort_indices()
    names = tuple(dict.fromkeys(name for name in groups.values() if name))
    number_of = {name: number for number, name in enumerate(names)}
    group_of = np.fromiter((number_of.get(groups.get(person) or "", -1) for person in positions), np.int32, size)
    return Network(
        positions=dict(positions), ids=tuple(positions), group_of=group_of, group_names=names, strengths=added
    )


def _read(positions: _Positions[T], ties: Iterable[tuple[T, T, float | None]]) -> tuple[Numbers, Numbers, Values]:
    """Read ties into arrays: the two people's positions, and the strength."""
    ones, others, strengths = [np.empty(0, np.int32)], [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    rest = iter(ties)
    while chunk := list(islice(rest, AT_A_TIME)):
        one, other, strength = zip(*chunk, strict=True)
        ones.append(np.fromiter(map(positions.__getitem__, one), np.int32, len(chunk)))
        others.append(np.fromiter(map(positions.__getitem__, other), np.int32, len(chunk)))
        values = np.array([1.0 if value is None else value for value in strength], np.float64)
        strengths.append(np.clip(np.nan_to_num(values, nan=1.0, posinf=STRONGER), 0, STRONGER).astype(np.float32))
    first, second, strong = np.concatenate(ones), np.concatenate(others), np.concatenate(strengths)
    real = (first != second) & (strong > 0)
    return first[real], second[real], strong[real]


def _weigh(strengths: Sparse) -> Sparse:
    """Make the strengths comparable: the ordinary tie counts as one contact, a much stronger one as a little more."""
    weights = strengths.copy()
    if weights.nnz:
        relative = weights.data / np.median(weights.data)
        weights.data = (WEAKEST + (STRONGEST - WEAKEST) * relative / (1 + relative)).astype(np.float32)
    return weights
