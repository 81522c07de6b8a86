"""How long calls took and how they ended, per process; ``/metrics`` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import Histogram, Summary
from prometheus_client.samples import Sample

#: Upper bounds in seconds: for calls to a service, and for answers to clicks, for which Slack waits three.
CALL: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ACK: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)


class CallTimes:
    """The times of one sort of call, by ``labels``, of which the last is how the call ended.

    Endpoint names come from the code, with braces for parameters, so there are few.
    """

    def __init__(self, *labels: str, buckets: tuple[float, ...] = CALL) -> None:
        self.labels = labels
        self._took = Histogram("took", "seconds", labels, buckets=buckets, registry=None)
        self._waited = Summary("waited", "seconds", ("endpoint",), registry=None)

    def took(self, *labels: str, seconds: float) -> None:
        """Note a call that has ended."""
        self._took.labels(*labels).observe(max(0.0, seconds))

    def waited(self, endpoint: str, seconds: float) -> None:
        """Note that a rate limit delayed something for this long."""
        self._waited.labels(endpoint).observe(seconds)

    def counts(self) -> Mapping[tuple[str, ...], int]:
        """Return how many calls there were, by their labels."""
        return {
            tuple(sample.labels[label] for label in self.labels): int(sample.value)
            for sample in self.times()
            if sample.name.endswith("_count")
        }

    def times(self) -> Iterator[Sample]:
        """Yield the samples of a histogram; only the endings of their names matter."""
        return (sample for metric in self._took.collect() for sample in metric.samples)

    def waits(self) -> Iterator[Sample]:
        """Yield the samples of a summary by ``endpoint``, in the same way."""
        return (sample for metric in self._waited.collect() for sample in metric.samples)
