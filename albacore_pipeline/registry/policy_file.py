"""Reads `policies.yaml`: a mapping of policy names to lists of versions. What a version may say is `policies.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import yaml
from pydantic import ValidationError

from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.problems import Problem
from albacore_pipeline.registry.rows import is_identifier

NAME = "policies.yaml"
# What PyYAML's constructors raise on values that are none of their type, such as a day that isn't in the calendar.
_UNREADABLE = (ValueError, LookupError, AttributeError, TypeError, RecursionError)


def read_policies(text: str) -> tuple[dict[str, list[Policy]], list[Problem]]:
    """The policies by name, ordered by day, and what is wrong with them."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = f"is not YAML: {getattr(error, 'problem', None) or 'it holds a character that YAML has not'}"
        return {}, [Problem(NAME, mark.line + 1 if mark else 0, "", message)]
    except _UNREADABLE as error:
        return {}, [Problem(NAME, 0, "", f"is not YAML that can be read: {error or type(error).__name__}")]
    if (
        root is None
        or not isinstance(content, dict)
        or not all(isinstance(versions, list) for versions in content.values())
    ):
        return {}, [Problem(NAME, 1, "", "must be a mapping of policy names to lists of versions")]
    problems = list(_twice(root))
    policies: dict[str, list[Policy]] = {}
    for name, versions in content.items():
        if not is_identifier(name):
            problems.append(Problem(NAME, _line(root, [name]), str(name)[:50], "is no name for a policy"))
        elif not versions:
            problems.append(
                Problem(NAME, _line(root, [name]), name, "has no version: give one, `- {}` for the default")
            )
        else:
            policies[name] = list(_versions(name, versions, root, problems))
    return policies, problems


def _versions(name: str, given: Sequence[object], root: yaml.Node, problems: list[Problem]) -> Iterator[Policy]:
    read = []
    for number, version in enumerate(given):
        try:
            read.append(Policy.model_validate(version))
        except ValidationError as error:
            for wrong in error.errors(include_url=False, include_input=False):
                column = ".".join(map(str, [name, *wrong["loc"]]))
                line = _line(root, [name, number, *wrong["loc"]])
                problems.append(Problem(NAME, line, column, wrong["msg"].removeprefix("Value error, ")[:300]))
    read.sort(key=lambda version: version.from_day)
    for earlier, later in pairwise(read):
        if earlier.from_day == later.from_day:
            problems.append(Problem(NAME, _line(root, [name]), f"{name}.from_day", f"{later.from_day} stands twice"))
    yield from read


def _line(node: yaml.Node, path: Sequence[object]) -> int:
    """The line of what stands at a path of keys and numbers, as deep as the path leads."""
    line = node.start_mark.line
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
    return int(line) + 1


def _twice(root: yaml.Node) -> Iterator[Problem]:
    """Keys that stand twice in a mapping, of which YAML would silently take the last."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))  # an alias stands in several places
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        keys: set[object] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                yield Problem(NAME, key.start_mark.line + 1, str(key.value)[:50], "stands twice: leave one of them")
            keys.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
            waiting.append(value)
