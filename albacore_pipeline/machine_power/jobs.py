"""What a person decides about pauses and machines, as jobs."""

import dagster as dg

from albacore_pipeline.machine_power import acts
from albacore_pipeline.orchestration.operator_jobs import operator_job

definitions = dg.Definitions(
    jobs=[
        operator_job("approve_pause", acts.ApprovePause, acts.approve_pause),
        operator_job("veto_pause", acts.VetoPause, acts.veto_pause),
        operator_job("confirm_power_state", acts.ConfirmPowerState, acts.confirm_power_state),
        operator_job("resume_machine", acts.ResumeMachine, acts.resume_machine),
        operator_job("set_kill_switch", acts.SetKillSwitch, acts.set_kill_switch),
        operator_job("clear_site_stop", acts.ClearSiteStop, acts.clear_site_stop),
        operator_job("sign_off_country", acts.SignOffCountry, acts.sign_off_country),
    ]
)
