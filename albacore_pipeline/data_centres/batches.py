"""Asking for many machines in parts, and noticing that nothing came.

Belongs here: what all energy sources do around their own questions.
Does not belong here: the questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from albacore_pipeline.data_centres.http import SiteHttp
from albacore_pipeline.data_centres.interface import Samples
from albacore_pipeline.periods import Window

Ask = Callable[[Sequence[str]], Iterable[Samples]]


def in_batches(*, machines: Sequence[str], size: int, window: Window, http: SiteHttp, ask: Ask) -> Iterator[Samples]:
    """The answers for all machines, asked for in batches of about the same number, at most `size`.

    A batch without a single reading is a failed read and no empty one. Neighbours go into different batches, so that
    a hall without power, which is the site's business and no failure of ours, doesn't make up a batch of its own.
    Store nothing before the iterator is through.
    """
    count = -(-len(machines) // size)
    for batch in (machines[number::count] for number in range(count)):
        readings = 0
        for samples in ask(batch):
            readings += len(samples.value) + len(samples.refused)
            yield samples
        if readings == 0:
            raise http.failure(
                what=f"readings from {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC",
                cause=f"the site has none for any of {len(batch)} machines",
                mend="run again when the site has delivered them, and see whether the names in sites.py are its own",
            )
