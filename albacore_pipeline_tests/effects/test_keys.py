"""Business keys: each is made in one place, and no two are alike."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from albacore_pipeline.database.engine import SQL_FOLDER
from albacore_pipeline.effects import keys
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.clocks import utc

PRODUCT = PROJECT / "albacore_pipeline"

KEYS = [
    keys.contact(customer="acme", sha256="0123456789abcdef0123"),
    keys.document("ALB-1"),
    *(keys.follow_up(kind=f"xero.{kind}", number="ALB-1") for kind in ("approve", "attachment", "allocation", "sent")),
    keys.follow_up(kind="mail", number="ALB-1"),
    keys.mail_again(number="ALB-1", nth=2),
    keys.notice(step_id=1, recipient="a@acme.example"),
    keys.task(key="step:1", opened_at=utc("2025-11-01T06:00")),
    keys.approval(plan_id=1, approver="a@albacore.example"),
    keys.running(command_id=1),
    keys.withdrawn(plan_id=1),
    keys.ticket("power.pause:1:2"),
    keys.pause(plan_id=1, machine_id=2),
    keys.resume(command_id=1, nth=2),
]
PREFIXES = [re.match(r"(mail:)?[a-z.]+:", key)[0] for key in KEYS]  # type: ignore[index]


def test_every_way_to_make_a_key_is_tried_here() -> None:
    tried = {
        "contact", "document", "follow_up", "mail_again", "notice", "task", "approval", "running", "withdrawn",
        "ticket", "pause", "resume",
    }  # fmt: skip
    assert {name for name, _ in inspect.getmembers(keys, inspect.isfunction)} == tried, "add it to KEYS"


def test_no_key_begins_like_another() -> None:
    assert len(set(PREFIXES)) == len(KEYS)


def test_every_key_stands_in_the_table_of_keys() -> None:
    table = re.findall(r"`([a-z][^`]*?:)[A-Z]", keys.__doc__ or "")
    assert sorted(table) == sorted(PREFIXES)


def test_a_key_s_prefix_stands_in_one_file_only() -> None:
    written = re.compile(f"""["'](?:{"|".join(map(re.escape, PREFIXES))})""")
    queries = [path for path in SQL_FOLDER.rglob("*.sql") if "migrations" not in path.parts]
    files = [*PRODUCT.rglob("*.py"), *queries]
    assert [path for path in files if written.search(path.read_text())] == [PRODUCT / "effects" / "keys.py"]


def test_sql_takes_no_key_apart_and_makes_none() -> None:
    mention = [path for path in SQL_FOLDER.rglob("*.sql") if "business_key" in path.read_text()]
    assert {path.parent.relative_to(SQL_FOLDER).parts[0] for path in mention} == {"effects", "migrations"}


def test_whoever_prepares_an_effect_asks_for_its_key() -> None:
    for path in PRODUCT.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for call in _calls_of_prepare(tree):
            (key,) = (keyword.value for keyword in call.keywords if keyword.arg == "business_key")
            assert _made_by_keys(key, tree), f"{path.relative_to(PRODUCT)}:{call.lineno}"


def _calls_of_prepare(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "prepare":
            yield node


def _made_by_keys(key: ast.expr, tree: ast.Module) -> bool:
    """Whether an expression is a call of `keys`, or a name that is only ever given one."""
    if isinstance(key, ast.Name):
        given = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [key.id]
        ]
        return bool(given) and all(_made_by_keys(value, tree) for value in given)
    return isinstance(key, ast.Call) and ast.unparse(key.func).startswith("keys.")


def test_keys_keep_their_form() -> None:
    """Effects under way are known by them, and mails by the Message-ID that is made from them."""
    assert KEYS == [
        "contact:acme:0123456789abcdef", "document:ALB-1", "approve:ALB-1", "attachment:ALB-1", "allocation:ALB-1",
        "sent:ALB-1", "mail:document:ALB-1", "mail:again:ALB-1:2", "mail:step:1:a@acme.example",
        "mail:task:step:1:2025-11-01T06:00:00.000000", "mail:approval:1:a@albacore.example", "mail:running:1",
        "mail:withdrawn:1", "mail:ticket:power.pause:1:2", "power.pause:1:2", "power.resume:1:2",
    ]  # fmt: skip
