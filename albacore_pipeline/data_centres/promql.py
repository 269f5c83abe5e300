"""What Prometheus and VictoriaMetrics share: the envelope of answers, vectors of series, and names in selectors.

Belongs here: Prometheus's HTTP API as far as both serve it (prometheus.io/docs/prometheus/latest/querying/api).
Does not belong here: what is asked of either (`prometheus.py`, `victoriametrics.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from albacore_pipeline.data_centres.decode import decoding
from albacore_pipeline.data_centres.http import SiteHttp, status
from albacore_pipeline.data_centres.interface import KeepRaw

T = TypeVar("T")
Labels = dict[str, str]

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


class _Answer(msgspec.Struct, rename={"partial": "isPartial"}):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    warnings: list[str] = []
    partial: bool = False


class _Sample(msgspec.Struct):
    metric: Labels
    value: tuple[float, str]


class _Vector(msgspec.Struct, tag_field="resultType", tag="vector"):
    result: list[_Sample]


def ask(
    *,
    http: SiteHttp,
    software: str,
    what: str,
    path: str,
    form: Mapping[str, str],
    parse: Callable[[msgspec.Raw], T],
    keep_raw: KeepRaw | None = None,
) -> T:
    """The parsed `data` of an answer that is a success without reservations. Raises the client's failure."""
    answer = http.read(what=what, path=path, method="POST", data=form, accept=status(200, 400, 422))
    if keep_raw:
        keep_raw(answer.raw)
    with decoding(body=answer.body, http=http, what=what):
        decoded = msgspec.json.decode(answer.body, type=_Answer)
        if decoded.status == "success" and not decoded.warnings and not decoded.partial:
            return parse(decoded.data)
    error = decoded.error or f"the answer may be partial: {' '.join(decoded.warnings)}"
    mend = "see whether the metrics' names in sites.py are the site's, and whether its server is whole"
    raise http.failure(what=what, cause=f"{software} says: {error}", mend=mend)


def vector(data: msgspec.Raw) -> list[tuple[Labels, str]]:
    """The labels of each series and its value, which is a number in a string."""
    return [(sample.metric, sample.value[1]) for sample in msgspec.json.decode(data, type=_Vector).result]


def seconds(at: datetime) -> str:
    """An instant as both take it."""
    return f"{at.timestamp():.3f}"


def any_of(names: Sequence[str]) -> str:
    """A quoted regular expression (RE2) that matches exactly these names."""
    pattern = "|".join(_SPECIAL.sub(r"\\\1", name) for name in names)
    return json.dumps(pattern, ensure_ascii=False)
