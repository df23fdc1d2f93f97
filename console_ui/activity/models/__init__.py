"""The tables of this app, one file for each noun."""

from console_ui.activity.models.command import Command, CommandKind, CommandState
from console_ui.activity.models.plan import Plan
from console_ui.activity.models.report import Report
from console_ui.activity.models.restore_point import RestorePoint
from console_ui.activity.models.run import WITHOUT_VERDICT, Outcome, Run
from console_ui.activity.models.thresholds import Thresholds

__all__ = [
    "WITHOUT_VERDICT",
    "Command",
    "CommandKind",
    "CommandState",
    "Outcome",
    "Plan",
    "Report",
    "RestorePoint",
    "Run",
    "Thresholds",
]
