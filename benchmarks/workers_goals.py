"""What is claimed of the warm worker, each against Prefect's process worker."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A claim about a measure. most: of the warm worker's figure. most_ratio, least_ratio: of warm over process."""

    measure: str
    title: str
    unit: str
    summary: Callable[[Sequence[float]], float] = statistics.median
    most: float | None = None
    most_ratio: float | None = None
    least_ratio: float | None = None

    def is_met(self, warm: float, ratio: float) -> bool:
        """Whether the figures are as claimed."""
        return (
            warm <= (self.most or warm) and ratio <= (self.most_ratio or ratio) and ratio >= (self.least_ratio or ratio)
        )

    def __str__(self) -> str:
        """Return it as the table says it."""
        parts = [
            f"{self.most} {self.unit}" if self.most else "",
            f"at most {self.most_ratio:g} x" if self.most_ratio else "",
            f"at least {self.least_ratio:g} x" if self.least_ratio else "",
        ]
        return ", ".join(part for part in parts if part)


def p95(samples: Sequence[float]) -> float:
    """Return the smallest sample that 95 of 100 are at most."""
    return sorted(samples)[-(-95 * len(samples) // 100) - 1]


GOALS = (
    Goal("runs-a-minute", "trivial runs, from first start to last end", "a minute", least_ratio=12),
    Goal("runs-a-minute-from-trigger", "trivial runs, from the first trigger", "a minute"),
    Goal("worker-cpu", "worker, a run", "CPU s", most=0.25, most_ratio=0.1),
    Goal("latency", "trigger to running, p50", "s", most=0.8),
    Goal("latency", "trigger to running, p95", "s", p95, most=1.5),
    Goal("latency-pandas", "the same with pandas, p50", "s", most=0.9),
    Goal("latency-pandas", "the same with pandas, p95", "s", p95, most=1.6),
    Goal("latency-libraries", "the same with pandas, pyarrow, polars, duckdb, scikit-learn, p50", "s", most=0.9),
    Goal("latency-libraries", "the same with these, p95", "s", p95, most=1.6),
    Goal("runs-a-minute-libraries", "runs with these, from first start to last end", "a minute", least_ratio=5),
    Goal("memory", "memory of a further run", "MB", most=20, most_ratio=0.2),
    Goal("server-cpu", "server and database, a run", "CPU s", most_ratio=1),
    Goal("server-idle-cpu", "server and database, idle, 4 workers", "CPU s a minute", most_ratio=1),
)
