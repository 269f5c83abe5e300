"""Asking for many machines in parts, and noticing that nothing came.

Belongs here: what all energy sources do around their own questions.
Does not belong here: the questions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from albacore_pipeline.data_centres.http import SiteHttp
from albacore_pipeline.data_centres.interface import Samples
from albacore_pipeline.periods import Window

Ask = Callable[[Sequence[str]], Iterable[Samples]]


def in_batches(*, machines: Sequence[str], size: int, window: Window, http: SiteHttp, ask: Ask) -> Iterator[Samples]:
    """The answers for all machines, asked for in batches of about the same number, at most `size`.

    A batch without a single reading is a failed read and no empty one. Neighbours go into different batches, so that
    a hall without power, which is the site's business and no failure of ours, doesn't make up a batch of its own.
    `ask` runs in threads: while one batch is decoded the next is on its way, and no more of them are held than that.
    Store nothing before the iterator is through.
    """
    count = -(-len(machines) // size)
    for batch, answer in _ahead(ask, [machines[number::count] for number in range(count)]):
        if not any(len(samples.value) or samples.refused for samples in answer):
            raise http.failure(
                what=f"readings from {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC",
                cause=f"the site has none for any of {len(batch)} machines",
                mend="run again when the site has delivered them, and see whether the names in sites.py are its own",
            )
        yield from answer


def _ahead(ask: Ask, batches: Sequence[Sequence[str]]) -> Iterator[tuple[Sequence[str], list[Samples]]]:
    """Each batch with its answer, in order. Whoever stops listening waits for the question that is under way."""
    under_way: deque[Future[list[Samples]]] = deque()
    with ThreadPoolExecutor(max_workers=2) as threads:  # one for the network, one for the processor
        try:
            for number in range(len(batches) + 1):
                if number < len(batches):
                    under_way.append(threads.submit(lambda names: list(ask(names)), batches[number]))
                if number:
                    yield batches[number - 1], under_way.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)
