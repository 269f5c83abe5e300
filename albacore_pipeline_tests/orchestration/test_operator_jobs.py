"""Every job that a person starts: through Dagster, on a world in which it can act, with its one entry in the audit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from albacore_pipeline.definitions import defs
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.escalation.desk import CHAIN_DAYS, Desk
from albacore_pipeline_tests.invoicing.fakes import one_day
from albacore_pipeline_tests.orchestration.deployment import Deployment
from albacore_pipeline_tests.registry.folders import write
from albacore_pipeline_tests.small_world import collect

WHO = {"actor": "anna@albacore.example", "reason": "because I looked"}
Form = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """For each job a world in which it has something to do, and the form that a person fills in."""

    desk: Desk
    folder: Path

    def open(self, machine: str = "NO-0001") -> None:
        """Acme has an issued invoice for a machine; half of a site may be paused by nobody alone."""
        policy = Policy(share_of_site_and_day=Decimal(1 if machine.startswith("ET") else 0))
        self.desk.open_books(one_day(machine, "acme"), policy=policy)
        self.desk.write_documents()
        self.desk.issue()

    def accept_gap(self) -> Form:
        self.open()
        return {"site": "norway", "machines": ["NO-0001"], "first_day": "2025-10-30", "last_day": "2025-10-30"}

    def accept_revision(self) -> Form:
        self.open()
        with self.desk.engine.begin() as connection:
            collect(connection, site="norway", day=date(2025, 10, 31), machines={"NO-0001": 9_000_000}, accept=False)
        return {"site": "norway", "day": "2025-10-31"}

    def load_registry(self) -> Form:
        return {"folder": str(write(self.folder))}

    def place_hold(self) -> Form:
        self.open()
        return {"customer": "acme", "kind": "dispute", "days": 3, "owner": "finance@albacore.example"}

    def release_hold(self) -> Form:
        self.open()
        self.desk.hold()
        return {"customer": "acme"}

    def report_bounce(self) -> Form:
        self.open()
        self.desk.night(CHAIN_DAYS[0])
        ids = "select answer ->> 'message_id' from albacore.effect where business_key ~ '^mail:step' order by 1 limit 1"
        return {"message_id": self.desk.ask(ids)[0][0]}

    def approve_pause(self) -> Form:
        self.open()
        self.desk.run_chain()
        self.desk.plan()
        self.desk.pause()
        mail = next(mails[0] for key, mails in self.desk.mail.sent.items() if key.startswith("mail:approval:"))
        (code,) = re.findall(r"code: \W?(\w{8})", mail["text"])
        return {"plan": 1, "approver": mail["to"], "code": code}

    def veto_pause(self) -> Form:
        self.open()
        self.desk.run_chain()
        return {"customer": "acme"}

    def confirm_power_state(self) -> Form:
        self.open("ET-0001")
        self.desk.run_chain()
        self.desk.plan()
        self.desk.pause()
        return {"site": "ethiopia", "machine": "ET-0001", "action": "pause"}

    def resume_machine(self) -> Form:
        self.open("ET-0001")
        self.desk.run_chain()
        self.desk.pause()
        return {"site": "ethiopia", "machine": "ET-0001"}

    def resolve_dispute(self) -> Form:
        self.open()
        self.desk.hold("ALB-2025-000001")
        return {"customer": "acme", "number": "ALB-2025-000001", "outcome": "granted"}

    def reopen_case(self) -> Form:
        self.open()
        self.desk.night(CHAIN_DAYS[0])
        return {"number": "ALB-2025-000001", "stage": "reminder"}

    def write_off(self) -> Form:
        self.open()
        return {"number": "ALB-2025-000001"}

    def finish_task(self) -> Form:
        self.open()
        self.desk.night(CHAIN_DAYS[0])
        return {"key": "step:1"}

    def clear_site_stop(self) -> Form:
        with self.desk.engine.begin() as connection:
            connection.exec_driver_sql(
                "insert into albacore.site values ('norway', 'NO', 'Europe/Oslo', '2025-10-01', 0)"
            )
            connection.exec_driver_sql("insert into albacore.site_stop values ('norway', now(), 'it lied')")
        return {"site": "norway"}

    def sign_off_country(self) -> Form:
        return {"country": "NO", "until": "2026-12-31", "reference": "opinion 7 of 2025"}

    def set_kill_switch(self) -> Form:
        return {"on": True}

    def release_document(self) -> Form:
        self.open()
        with self.desk.engine.begin() as connection:
            connection.exec_driver_sql("update albacore.document set state = 'parked'")
            connection.exec_driver_sql("update albacore.effect set state = 'parked' where kind = 'xero.document'")
        return {"number": "ALB-2025-000001"}


def operator_jobs() -> dict[str, str]:
    """The jobs whose form asks who and why, each with the op that has the form."""
    jobs = [job for job in defs.get_repository_def().get_all_jobs() if not job.name.startswith("__")]
    return {job.name: op.name for job in jobs for op in job.graph.node_defs if _asks_who_and_why(op)}


def _asks_who_and_why(op: dg.NodeDefinition) -> bool:
    schema = op.config_schema.config_type if isinstance(op, dg.OpDefinition) and op.config_schema else None
    return {"actor", "reason"} <= set(getattr(schema, "fields", ()))


@pytest.fixture
def scenes(deployment: Deployment, tmp_path: Path) -> Scenes:
    return Scenes(desk=deployment.desk, folder=tmp_path)


def filled_in(name: str, form: Form) -> Form:
    return {"ops": {operator_jobs()[name]: {"config": {**WHO, **form}}}}


@pytest.mark.parametrize("name", operator_jobs())
def test_each_act_leaves_one_entry_under_its_own_name(name: str, scenes: Scenes, deployment: Deployment) -> None:
    form = getattr(scenes, name)()
    ((before,),) = scenes.desk.ask("select coalesce(max(seq), 0) from report.audit")

    assert deployment.run(name, config=filled_in(name, form)).success

    entries = "select actor, action, details ->> 'reason' from report.audit where seq > :before"
    assert scenes.desk.ask(entries, before=before) == [(WHO["actor"], name, WHO["reason"])]


def test_an_act_that_can_not_be_done_leaves_nothing(scenes: Scenes, deployment: Deployment) -> None:
    scenes.open()
    before = scenes.desk.ask("select count(*) from report.audit")

    assert not deployment.run("release_hold", config=filled_in("release_hold", {"customer": "acme"})).success

    assert scenes.desk.ask("select count(*) from report.audit") == before


def test_who_and_why_are_not_blank(scenes: Scenes, deployment: Deployment) -> None:
    form = scenes.place_hold()
    before = scenes.desk.ask("select count(*) from report.audit")

    assert not deployment.run("place_hold", config=filled_in("place_hold", {**form, "reason": "  "})).success

    assert scenes.desk.ask("select count(*) from report.audit") == before
    assert scenes.desk.ask("select count(*) from albacore.hold") == [(0,)]


def test_a_document_s_number_is_released_alone(scenes: Scenes, deployment: Deployment) -> None:
    form = {**scenes.release_document(), "customer": "acme"}

    assert not deployment.run("release_document", config=filled_in("release_document", form)).success


def test_the_jobs_of_people_are_those_of_the_contract() -> None:
    assert set(operator_jobs()) == {
        "load_registry", "accept_gap", "accept_revision", "place_hold", "release_hold", "resolve_dispute",
        "reopen_case", "write_off", "finish_task", "approve_pause", "veto_pause", "confirm_power_state",
        "resume_machine", "release_document", "report_bounce", "set_kill_switch", "clear_site_stop", "sign_off_country",
    }  # fmt: skip
