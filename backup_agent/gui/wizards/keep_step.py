"""How long restore points are kept, shown as what stays and what goes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
)

from backup_agent.agent.plan import Checks
from backup_agent.agent.schedule import OnRequest, Schedule
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import card
from backup_agent.gui.sentences import retention_words
from backup_agent.gui.wizards.draft import BALANCED, LONG, PROVING, SHORT, Draft
from backup_agent.gui.wizards.foresight import foresee
from backup_agent.gui.wizards.step import Step
from backup_agent.model.retention import RetentionPolicy
from backup_agent.qtkit.controls import label
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.legend import Legend, Mark
from backup_agent.qtkit.retention_line import RetentionLine

_MOST = 999
_RULES = ("last", "daily", "weekly", "monthly", "yearly")


class KeepStep(Step):
    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, tr("How long"), tr("How long to keep restore points"))
        self._schedule: Schedule = OnRequest()
        self._policy = BALANCED
        self._checks = PROVING
        self._is_filling = False
        presets = QHBoxLayout()
        self._presets: list[tuple[QRadioButton, RetentionPolicy | None]] = []
        group = QButtonGroup(self)
        for name, text, policy in (
            ("short", tr("&Short"), SHORT),
            ("balanced", tr("Ba&lanced"), BALANCED),
            ("long", tr("Lon&g"), LONG),
            ("everything", tr("E&verything"), None),
        ):
            frame, inside = card()
            inside.setContentsMargins(14, 8, 14, 10)
            choice = QRadioButton(text)
            choice.setObjectName(name)
            choice.setAccessibleDescription(retention_words(policy))
            choice.toggled.connect(partial(self._preset_toggled, policy))
            group.addButton(choice)
            inside.addWidget(choice)
            inside.addWidget(label(retention_words(policy), "caption", wraps=True))
            presets.addWidget(frame, stretch=1)
            self._presets.append((choice, policy))
        # A policy of one's own is none of them.
        self._group = group
        self.inside.addLayout(presets)
        self.inside.addLayout(self._numbers())
        self.inside.addWidget(self._preview())
        frame, inside = card()
        self._prove = QCheckBox(tr("&Prove it can be restored"))
        self._prove.setObjectName("prove")
        self._prove.toggled.connect(self.changed)
        inside.addWidget(self._prove)
        inside.addWidget(
            label(
                tr(
                    "Read back a share of all data every week, so that everything is checked in "
                    "{weeks} weeks. Restore {files} files as a trial each month.",
                    weeks=PROVING.read_back_weeks,
                    files=PROVING.trial_files,
                ),
                "secondary",
                wraps=True,
            )
        )
        self.inside.addWidget(frame)
        self.inside.addStretch(1)

    def _numbers(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        self._boxes: dict[str, QSpinBox] = {}
        captions = (tr("last"), tr("daily"), tr("weekly"), tr("monthly"), tr("yearly"))
        grid.addWidget(label(tr("Keep"), "strong"), 1, 0)
        for column, (rule, caption) in enumerate(zip(_RULES, captions, strict=True), start=1):
            box = QSpinBox()
            box.setObjectName(f"keep {rule}")
            box.setAccessibleName(tr("Keep {rule}", rule=caption))
            box.setRange(0, _MOST)
            box.valueChanged.connect(self._numbers_changed)
            grid.addWidget(label(caption, "caption"), 0, column)
            grid.addWidget(box, 1, column)
            self._boxes[rule] = box
        grid.setColumnStretch(len(_RULES) + 1, 1)
        return grid

    def _preview(self) -> QFrame:
        frame, inside = card()
        top = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(tr("These stay, these go"), "heading"))
        words.addWidget(label(tr("As it will look in a year"), "caption"))
        top.addLayout(words, stretch=1)
        marks = ((Mark.FULL, tr("Stays")), (Mark.OUTLINED, tr("Goes")))
        top.addWidget(Legend(marks, self.ground.palette))
        inside.addLayout(top)
        self._line = RetentionLine(self.ground.palette)
        inside.addWidget(self._line)
        self._sentence = label("", "secondary", wraps=True)
        self._sentence.setObjectName("foreseen")
        inside.addWidget(self._sentence)
        self._preview_card = frame
        return frame

    # Draft

    def show_draft(self, draft: Draft) -> None:
        plan = draft.plan
        self._schedule = plan.schedule
        self._show_policy(plan.retention)
        self._prove.setChecked(plan.checks != Checks())
        if plan.checks != Checks():
            self._checks = plan.checks

    def filled(self, draft: Draft) -> Draft:
        policy = None if self._policy.is_empty else self._policy
        checks = self._checks if self._prove.isChecked() else Checks()
        return replace(draft, plan=replace(draft.plan, retention=policy, checks=checks))

    def focus_likely(self) -> None:
        chosen = next((choice for choice, _ in self._presets if choice.isChecked()), None)
        (chosen or self._boxes["last"]).setFocus()

    def _show_policy(self, policy: RetentionPolicy | None) -> None:
        self._policy = policy or RetentionPolicy()
        self._is_filling = True
        for rule, box in self._boxes.items():
            box.setValue(max(0, getattr(self._policy, rule)))
        self._group.setExclusive(False)
        for choice, preset in self._presets:
            choice.setChecked(preset == policy)
        self._group.setExclusive(True)
        self._is_filling = False
        self._foresee()

    def _preset_toggled(self, policy: RetentionPolicy | None, is_on: bool) -> None:
        if is_on and not self._is_filling:
            self._show_policy(policy)
            self.changed.emit()

    def _numbers_changed(self) -> None:
        if self._is_filling:
            return
        # What only the command line sets (hours, tags, a duration) stays.
        policy = replace(
            self._policy,
            last=self._boxes["last"].value(),
            daily=self._boxes["daily"].value(),
            weekly=self._boxes["weekly"].value(),
            monthly=self._boxes["monthly"].value(),
            yearly=self._boxes["yearly"].value(),
        )
        self._show_policy(None if policy.is_empty else policy)
        self.changed.emit()

    def _foresee(self) -> None:
        policy = None if self._policy.is_empty else self._policy
        judged = foresee(self._schedule, policy, now=self.ground.now())
        self._line.show_points(judged)
        self._preview_card.setVisible(bool(judged))
        stay = sum(point.stays for point in judged)
        self._sentence.setText(trn("{number} restore point.", "{number} restore points.", stay))
