"""Rounds that visit all candidates in turn, and the table of their medians."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

from candidate import Candidate, cpu_seconds


def compare(makers: dict[str, Callable[[], Candidate]], rounds: int, run: Callable[[int], float], direct: int | None = None) -> dict:
    """`run` takes a port and returns how much was done; → name → (done per second, CPU seconds per unit), medians.
    `direct`: a port that nothing stands in front of."""
    import time

    with ExitStack() as stack:
        candidates: dict[str, Candidate | None] = {"direct": None} if direct else {}
        for name, start in makers.items():
            candidates[name] = started = start()
            stack.callback(started.stop)
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in candidates}
        names = list(candidates)
        for n in range(rounds):
            first = n % len(names)
            for name in names[first:] + names[:first]:
                candidate = candidates[name]
                cpu, begin = cpu_seconds(candidate.pid) if candidate else 0.0, time.monotonic()
                done = run(candidate.port if candidate else direct)
                took = time.monotonic() - begin
                used = cpu_seconds(candidate.pid) - cpu if candidate else 0.0
                seen[name].append((done / took, used / done))
    return {name: (median(s for s, _ in runs), median(c for _, c in runs)) for name, runs in seen.items()}


def table(title: str, figures: dict, unit: str, scale: float, cpu_unit: str, cpu_scale: float, floor: str = "forwarder") -> None:
    """Prints speed and CPU, and both divided by the `floor`'s."""
    print(f"\n{title}\n  {'':12}{unit:>14}{'of ' + floor:>14}{cpu_unit:>16}{'of ' + floor:>14}")
    base = figures.get(floor)
    for name, (speed, cpu) in figures.items():
        line = f"  {name:12}{speed / scale:>14.1f}{speed / base[0] if base else 0:>14.3f}"
        if name != "direct":
            line += f"{cpu * cpu_scale:>16.2f}{cpu / base[1] if base else 0:>14.2f}"
        print(line)
