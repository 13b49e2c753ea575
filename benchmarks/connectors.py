"""Measure how well it is chosen whom to invite, how evenly people are asked, and what choosing costs.

Made-up movements of nine families, in which taking part spreads by complex and by simple contagion, and all, half or a
quarter of the ties are known. Each way's choice of three is scored by simulation on the true ties: what it adds, as a
share of what greedy choosing by simulation on all ties adds. Four families were held out when the method was tuned, and
all movements measured here are others than those.

Usage: python -m benchmarks connectors
"""

import asyncio
import multiprocessing
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.choices import METHODS, Choose, choose_as_before, choose_by_degree, choose_together
from benchmarks.contagion import (
    FAMILIES,
    HELD_OUT,
    Simulation,
    draw_needs,
    hide_ties,
    make_movement,
    make_two_bridges,
    seed_of,
)
from benchmarks.report import Line, print_progress
from benchmarks.suggesting import measure_use_case
from bot.domain.network import Network, invite

SEEDS = range(500, 506)
"""Other movements than those the method was tuned on (100 to 109)."""
CHOSEN = 3
SHARES = {1.0: "all", 0.5: "half", 0.25: "a quarter"}
AIMS = {1.0: 0.86, 0.5: 0.83, 0.25: 0.79}
BESIDE = "degree"
OURS = "together (Ritme)"
WEEKS = 52
INITIATIVES = 8
TWO_BRIDGES = 20
ASKED_AT_MOST, WITHIN = 2, 30
SIZES = ((1_000, 10_000, 20), (100_000, 1_000_000, 200))
"""People, ties, and the milliseconds aimed at."""
MEGABYTES = 600
QUESTIONS = 40

Scores = NDArray[np.float64]
"""One for every movement."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A choice's share of the greedy ceiling; `complex`: the kind of contagion."""

    method: str
    family: str
    seed: int
    complex: bool
    share: float
    value: float


def score_movement(family: str, seed: int) -> list[Score]:
    """Score every method on one movement, with both kinds of contagion and each share of ties."""
    movement = make_movement(family, seed)
    size = len(movement.graph)
    seen = {share: movement.graph if share == 1 else hide_ties(movement.graph, share, seed) for share in SHARES}
    chosen = {
        (method, share): choose(seen[share], movement, movement.consented, CHOSEN)
        for method, choose in METHODS.items()
        for share in SHARES
    }
    scores = []
    for kind in (True, False):
        search, judge = (
            Simulation(
                movement.graph, movement.active, draw_needs(size, runs, seed_of(family, seed, part), is_complex=kind)
            )
            for part, runs in (("search", 60), ("judge", 300))
        )
        ceiling = judge.reach([search.greedy(movement.consented, CHOSEN)])[0] - judge.before
        scores += [
            Score(
                method=method,
                family=family,
                seed=seed,
                complex=kind,
                share=share,
                value=float((judge.reach([three])[0] - judge.before) / max(ceiling, 0.5)),
            )
            for (method, share), three in chosen.items()
        ]
    return scores


def _gather(scores: Sequence[Score], method: str, share: float, keep: Callable[[Score], bool]) -> Scores:
    return np.array([one.value for one in scores if one.method == method and one.share == share and keep(one)])


def limits(values: Scores) -> tuple[float, float]:
    """Return the 95 % limits of a mean, by bootstrap over movements."""
    draws = np.random.default_rng(1).integers(0, len(values), (4_000, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def _tell_scores(scores: Sequence[Score], title: str, keep: Callable[[Score], bool], *, aims: bool) -> list[Line]:
    lines = [Line(what=title)]
    for method in METHODS:
        values = [_gather(scores, method, share, keep) for share in SHARES]
        told = [f"{one.mean():.3f} ({limits(one)[0]:.2f}–{limits(one)[1]:.2f})" for one in values]
        aim = " / ".join(f"≥ {AIMS[share]}" for share in SHARES) if aims and method == OURS else ""
        lines.append(Line(what=f"  {method}", measured=" · ".join(told), aim=aim))
    better = _gather(scores, OURS, 0.5, keep) - _gather(scores, BESIDE, 0.5, keep)
    low, high = limits(better)
    lines.append(
        Line(
            what=f"  {OURS} less {BESIDE}, half of the ties",
            measured=f"{better.mean():+.3f} ({low:+.3f} to {high:+.3f})",
            aim="above 0" if aims else "",
        )
    )
    return lines


def measure_scores() -> list[Line]:
    """Score all methods on all movements, in a process for each core: nothing here is timed."""
    with multiprocessing.get_context("spawn").Pool() as pool:
        each = pool.starmap(score_movement, ((family, seed) for family in FAMILIES for seed in SEEDS), chunksize=1)
    scores = [one for some in each for one in some]
    title = "share of the greedy ceiling, all / half / a quarter of the ties known (95 %):"
    lines = _tell_scores(scores, f"complex contagion, nine families; {title}", lambda one: one.complex, aims=True)
    lines += _tell_scores(
        scores, "complex contagion, the four families held out", lambda one: one.complex and one.family in HELD_OUT,
        aims=True,
    )  # fmt: skip
    lines += _tell_scores(scores, "simple contagion, nine families", lambda one: not one.complex, aims=False)
    lines.append(Line(what=f"{OURS}, complex contagion, by family"))
    for family in FAMILIES:
        ours, beside = (
            " / ".join(
                f"{_gather(scores, method, share, lambda one, f=family: one.complex and one.family == f).mean():.2f}"
                for share in SHARES
            )
            for method in (OURS, BESIDE)
        )
        lines.append(Line(what=f"  {family}", measured=ours, beside=f"{BESIDE} {beside}"))
    return lines


def measure_bridges() -> list[Line]:
    """Count how often both of two bridges are among the three chosen."""
    found: dict[str, int] = defaultdict(int)
    for seed in range(TWO_BRIDGES):
        movement, bridges = make_two_bridges(seed)
        for method, choose in METHODS.items():
            found[method] += bridges <= set(choose(movement.graph, movement, movement.consented, CHOSEN))
    return [
        Line(what=f"both bridges found, of {TWO_BRIDGES}"),
        *(
            Line(what=f"  {method}", measured=str(found[method]), aim="≥ 18" if method == OURS else "")
            for method in METHODS
        ),
    ]


def gini(counts: Sequence[int]) -> float:
    """Return how unevenly something is spread: 0 when everybody has as much, towards 1 when one has all."""
    ordered = np.sort(np.array(counts, float))
    size = len(ordered)
    return float((2 * np.arange(1, size + 1) - size - 1) @ ordered / (size * ordered.sum())) if ordered.sum() else 0.0


def ask_for_a_year(family: str, seed: int, choose: Choose | None) -> tuple[float, float, int]:
    """Ask three people a week for a year, for one initiative after the other; `None` is Ritme's way, which knows when
    people were asked. Return how unevenly those who agreed were asked, what the asks added a week, and how often
    somebody was asked within thirty days at most."""
    movement = make_movement(family, seed)
    starts = [make_movement(family, seed).active] + [
        tuple(
            int(one)
            for one in np.random.default_rng(seed_of(family, seed, number)).choice(
                len(movement.graph), 4, replace=False
            )
        )
        for number in range(1, INITIATIVES)
    ]
    needs = draw_needs(len(movement.graph), 100, seed_of(family, seed, "year"), is_complex=True)
    simulations = [Simulation(movement.graph, active, needs) for active in starts]
    days: dict[int, list[int]] = defaultdict(list)
    added = 0.0
    for week in range(WEEKS):
        today, number = 7 * week, week % INITIATIVES
        turn = replace(movement, active=starts[number])
        asked = {one: [today - day for day in before] for one, before in days.items()}
        free = [
            one
            for one in movement.consented
            if one not in turn.active and sum(ago <= WITHIN for ago in asked.get(one, ())) < ASKED_AT_MOST
        ]
        if choose is None:
            chosen = choose_together(movement.graph, turn, movement.consented, CHOSEN, asked)
        else:
            chosen = choose(movement.graph, turn, free, CHOSEN)
        added += simulations[number].reach([chosen])[0] - simulations[number].before
        for one in chosen:
            days[one].append(today)
    most = max(sum(0 <= day - other <= WITHIN for other in given) for given in days.values() for day in given)
    return gini([len(days[one]) for one in movement.consented]), added / WEEKS, most


def measure_asks() -> list[Line]:
    """Measure how evenly asks are spread in a year, and what that costs."""
    lines = [
        Line(what=f"a year of {CHOSEN} asks a week: Gini among who agreed · people added a week · most in 30 days")
    ]
    ways: dict[str, Choose | None] = {
        "degree": choose_by_degree,
        "a new group first (before)": choose_as_before,
        OURS: None,
    }
    families = [family for family in FAMILIES if len(make_movement(family, 0).graph) > 100]
    with multiprocessing.get_context("spawn").Pool() as pool:
        asks = [(family, SEEDS[0], choose) for choose in ways.values() for family in families]
        all_years = iter(pool.starmap(ask_for_a_year, asks, chunksize=1))
    for method in ways:
        years = [next(all_years) for _ in families]
        uneven, added, most = zip(*years, strict=True)
        lines.append(
            Line(
                what=f"  {method}",
                measured=f"{np.mean(uneven):.2f} (at most {max(uneven):.2f}) · {np.mean(added):.1f} · {max(most)}",
                aim="≤ 0.70 · · 2" if method == OURS else "",
            )
        )
    return lines


def measure_speed(people: int, ties: int) -> tuple[float, float, float, float]:
    """Return the 95th percentile of the milliseconds that choosing took, and of the processor time in that (which
    machine lengthen less); the seconds that making the network took; and the megabytes the process held at most."""
    rng = np.random.default_rng(people)
    ones = rng.integers(0, people, ties)
    # Half of the ties within one's own surroundings, half with those who know many.
    others = np.where(
        rng.random(ties) < 0.5, (ones + rng.geometric(0.02, ties)) % people, people * rng.random(ties) ** 3
    )
    began = time.perf_counter()
    network = Network.of(
        zip(ones.tolist(), others.astype(int).tolist(), rng.integers(1, 6, ties).tolist(), strict=True),
        {one: f"group {one % 60}" for one in range(people)},
    )
    made = time.perf_counter() - began
    took, computed = [], []
    for _ in range(QUESTIONS):
        active = rng.choice(people, 12, replace=False).tolist()
        consented = rng.choice(people, int(0.4 * people), replace=False).tolist()
        asked = {one: [float(rng.integers(0, 60))] for one in consented[: people // 50]}
        began, cpu = time.perf_counter(), time.process_time()
        invite(network, active, consented, asked, CHOSEN)
        took.append(1000 * (time.perf_counter() - began))
        computed.append(1000 * (time.process_time() - cpu))
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    p95 = (float(np.percentile(times, 95)) for times in (took, computed))
    return *p95, made, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def time_choosing() -> list[Line]:
    """Measure speed and memory at each size, each in a process of its own."""
    lines = [Line(what="p95 of one choice; of its processor time; the network made from rows; the process at most")]
    for people, ties, aim in SIZES:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            p95, computed, made, megabytes = pool.apply(measure_speed, (people, ties))
        lines.append(
            Line(
                what=f"  {people:,} people, {ties:,} ties",
                measured=f"{p95:.0f} ms · {computed:.0f} ms · {made:.1f} s · {megabytes:.0f} MB",
                aim=f"≤ {aim} ms · · · ≤ {MEGABYTES} MB",
            )
        )
    return lines


async def run() -> list[Line]:
    """Measure choices, bridges, asks and speed, and the whole use case."""
    lines: list[Line] = []
    for measure in (time_choosing, measure_bridges, measure_asks, measure_scores):
        lines += await asyncio.to_thread(measure)
        print_progress(f"  {measure.__name__} done")
    return lines + await measure_use_case()
