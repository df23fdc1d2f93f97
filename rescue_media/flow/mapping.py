"""Volume mapping, "Restore Options", and the plan before the last "OK"."""

from __future__ import annotations

from dataclasses import replace

from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow import wishes as w
from rescue_media.flow.pages import Flow
from rescue_media.flow.proposal import propose, why_not
from rescue_media.flow.steps import Step, go, stay, wait
from rescue_media.flow.values import Destination, Problem, Purpose, Row


def advance_mapping(flow: Flow, page: p.Mapping | p.Confirm, move: m.Move) -> Step:
    match page:
        case p.Mapping():
            return _mapping(flow, page, move)
        case p.Confirm():
            return _confirm(flow, page, move)


def _mapping(flow: Flow, page: p.Mapping, move: m.Move) -> Step:
    match move:
        case a.DisksFound(disks, destinations):
            rows = propose(page.rows, destinations)
            return stay(flow, replace(page, rows=rows, disks=disks, destinations=destinations))
        case m.MapTo(source, destination):
            return _map(flow, page, source, destination)
        case m.TakeProposals():
            rows = tuple(
                replace(row, destination=row.destination or row.proposal) for row in page.rows
            )
            return _planning(flow, replace(page, rows=rows))
        case m.AddImage(path):
            wanted = max((row.size for row in page.rows if row.destination is None), default=0)
            return wait(flow, "Looking at the file", w.LookAtImage(path, wanted))
        case a.ImageFound(destination):
            return _add(flow, page, destination)
        case m.SetOptions(options):
            return _planning(flow, replace(page, options=options))
        case a.Planned(plans):
            return stay(flow, replace(page, plans=plans))
        case m.Accept() if page.is_ready:
            return go(flow, p.Confirm(page))
        case _:
            return stay(flow)


def _map(flow: Flow, page: p.Mapping, source: str, destination: Destination | None) -> Step:
    chosen = next(row for row in page.rows if row.source == source)
    if destination is not None:
        reason = why_not(chosen, destination)
        taken = [r for r in page.rows if r.destination == destination and r is not chosen]
        if taken:
            reason = f"{taken[0].shown} goes there already."
        if reason:
            return Step(replace(flow, problem=Problem(f"{destination.shown}: {reason}")))
    rows = tuple(
        replace(row, destination=destination) if row is chosen else row for row in page.rows
    )
    return _planning(flow, replace(page, rows=rows))


def _add(flow: Flow, page: p.Mapping, destination: Destination) -> Step:
    """A file that somebody named is meant for the first row that has no place yet."""
    others = [d for d in page.destinations if d.path != destination.path]
    page = replace(page, destinations=(*others, destination))
    row = next((row for row in page.rows if row.destination is None), None)
    return stay(flow, page) if row is None else _map(flow, page, row.source, destination)


def _planning(flow: Flow, page: p.Mapping) -> Step:
    """Whatever changes, the engine says anew what it would do."""
    placed = tuple(row for row in page.rows if row.destination is not None)
    page = replace(page, plans=())
    if not placed:
        return stay(flow, page)
    return wait(stay(flow, page).flow, "Planning", w.MakePlans(placed, page.options))


def _confirm(flow: Flow, page: p.Confirm, move: m.Move) -> Step:
    match move:
        case m.SavePlan(path):
            return wait(flow, "Saving the plan", w.WritePlan(path))
        case a.PlanSaved(path):
            return stay(flow, replace(page, saved=path))
        case m.Accept():
            options = page.mapping.options
            running = p.Running(
                f"Restoring {_names(page.mapping.rows)}",
                Purpose.RESTORE,
                restarts=options.automatic_restart and flow.surroundings.on_medium,
                plans=page.mapping.plans,
            )
            return wait(go(flow, running).flow, "Restoring", w.Restore(options))
        case _:
            return stay(flow)


def _names(rows: tuple[Row, ...]) -> str:
    return ", ".join(row.shown for row in rows)
