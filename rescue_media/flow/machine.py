"""From one page to the next: ``advance`` and nothing else decides where a person goes."""

from __future__ import annotations

from dataclasses import replace

from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow import settings_moves as s
from rescue_media.flow import wishes as w
from rescue_media.flow.mapping import advance_mapping
from rescue_media.flow.pages import Flow, Page
from rescue_media.flow.selection import everything, rows_of, ticked
from rescue_media.flow.settings import advance_settings, open_settings
from rescue_media.flow.steps import Step, behind, go, stay, wait
from rescue_media.flow.values import Place, Problem, Purpose, Report, Workstation

STOPPING = "Stopping"
_UNFINISHED = (
    "What is on the destination cannot be used yet. Begin again with the same choices: "
    "what was written already is kept."
)


def advance(flow: Flow, move: m.Move) -> Step:
    """Where that leads, and what is to be done for it. A move that makes no sense here changes
    nothing: a click may come late.
    """
    step = _advance(flow, move)
    if step.flow.paused and not isinstance(step.flow.page, p.Running):
        return replace(step, flow=replace(step.flow, paused=False))
    return step


def _advance(flow: Flow, move: m.Move) -> Step:
    match move:
        case m.GoBack():
            return _back(flow)
        case m.GoHome():
            return Step(replace(flow, page=p.Start(), trail=(), busy="", problem=None))
        case m.Leave(turn_off):
            return wait(flow, "Leaving", w.EndSession(turn_off))
        case m.OpenTerminal():
            return wait(flow, "Opening the terminal", w.ShowTerminal())
        case a.Left():
            return stay(flow)
        case m.LookAround():
            # Beside whatever is waited for, and without a word.
            return Step(flow, w.LookAround())
        case a.LookedAround(status):
            return Step(replace(flow, status=status))
        case s.OpenNetwork() | s.OpenProxy() | s.OpenClock() | s.OpenKeyboard():
            return open_settings(flow, move)
        case a.Failed(problem):
            return _failed(flow, problem)
        case a.Finished(report):
            return Step(replace(flow, page=p.Done(report), busy="", problem=None))
        case _:
            return _by_page(flow, move)


def _back(flow: Flow) -> Step:
    if isinstance(flow.page, p.Running):
        # The work is told to stop; how it ended is its own answer.
        return Step(replace(flow, busy=STOPPING, paused=False))
    if not flow.trail:
        return stay(flow)
    return Step(behind(flow))


def _failed(flow: Flow, problem: Problem) -> Step:
    match flow.page:
        case p.Running(purpose=purpose):
            title = {
                Purpose.RESTORE: "The restore is not finished",
                Purpose.BACK_UP: "There is no new restore point",
                Purpose.COPY_FILES: "Not everything was copied",
            }[purpose]
            sentences = tuple(filter(None, (problem.message, problem.hint)))
            if purpose is Purpose.RESTORE:
                sentences += (_UNFINISHED,)
            report = Report(title, (), sentences, is_complete=False)
            return Step(replace(flow, page=p.Done(report), busy="", problem=None))
        case p.Code(cloud):
            # A code that cannot be had or has run out is asked for again from the page before.
            trail = flow.trail[:-1] if flow.trail else ()
            return Step(replace(flow, page=cloud, trail=trail, busy="", problem=problem))
        case _:
            return Step(replace(flow, busy="", problem=problem))


def _by_page(flow: Flow, move: m.Move) -> Step:
    match flow.page:
        case p.Start() | p.Manage() | p.Begin() | p.Browse() | p.Disks():
            return _beginning(flow, flow.page, move)
        case p.Cloud() | p.LogIn() | p.Certificate() | p.Code() | p.Address():
            return _way_in(flow, flow.page, move)
        case p.Select() as select:
            return _select(flow, select, move)
        case p.Password() as page:
            return _password(flow, page, move)
        case p.Mapping() | p.Confirm():
            return advance_mapping(flow, flow.page, move)
        case p.BackUpPlan() as page:
            return _back_up(flow, page, move)
        case p.Files() as files:
            return _files(flow, files, move)
        case p.Running() as running:
            return _running(flow, running, move)
        case p.Done() as done:
            return _done(flow, done, move)
        case p.Network() | p.Wifi() | p.LinkAddress() | p.Proxy() | p.DateAndTime() | p.Keyboard():
            return advance_settings(flow, flow.page, move)


def _done(flow: Flow, page: p.Done, move: m.Move) -> Step:
    match move:
        case m.SaveLog(path):
            return wait(flow, "Saving the log", w.SaveLog(path))
        case a.LogSaved(path):
            return stay(flow, replace(page, saved=path))
        case _:
            return stay(flow)


def _beginning(
    flow: Flow, page: p.Start | p.Manage | p.Begin | p.Browse | p.Disks, move: m.Move
) -> Step:
    match page, move:
        case p.Start(), m.ManageLocally():
            return go(flow, p.Manage())
        case ((p.Start() | p.Manage()), m.Choose(Purpose.BACK_UP)):
            return go(flow, p.Browse(Purpose.BACK_UP))
        case ((p.Start() | p.Manage()), m.Choose(purpose)):
            return go(flow, p.Begin(purpose))
        case ((p.Start() | p.Manage()), m.CheckDisks()):
            return wait(go(flow, p.Disks()).flow, "Asking the disks", w.AskDisks())
        case p.Disks(), a.HealthFound(health):
            return stay(flow, p.Disks(health))
        case p.Begin(purpose), m.SelectData():
            return go(flow, p.Select(purpose))
        case p.Browse(purpose), m.ChooseCloud():
            media = flow.surroundings.media
            return go(flow, p.Cloud(purpose, media.console, media.code))
        case p.Browse(purpose), m.ChooseStorage(kind):
            return go(flow, p.Address(purpose, kind))
        case _:
            return stay(flow)


def _way_in(
    flow: Flow,
    page: p.Cloud | p.LogIn | p.Certificate | p.Code | p.Address,
    move: m.Move,
) -> Step:
    match page, move:
        case p.Cloud(), m.ChooseLogIn(console):
            cloud = replace(page, console=console)
            return go(stay(flow, cloud).flow, p.LogIn(cloud))
        case ((p.Cloud() | p.LogIn()), m.UseCode(console, media_code)):
            cloud = page if isinstance(page, p.Cloud) else page.cloud
            cloud = replace(cloud, console=console, media_code=media_code)
            before = flow if isinstance(page, p.Cloud) else behind(flow)
            return _ask_for_code(stay(before, cloud).flow, cloud)
        case p.Code(cloud), a.CertificateUnknown(fingerprint, why):
            return stay(flow, p.Certificate(cloud, fingerprint, why))
        case p.Certificate(cloud, fingerprint), m.TrustCertificate():
            return _ask_for_code(behind(flow), cloud, trusted=fingerprint)
        case p.Code(), a.CodeShown(code):
            return wait(stay(flow, replace(page, shown=code)).flow, "Waiting", w.WaitForApproval())
        case p.Code(cloud), a.PlaceOpened() as opened:
            return _opened(flow, cloud.purpose, opened)
        case p.Address(purpose), m.UsePlace(place):
            if purpose is Purpose.BACK_UP:
                return wait(flow, "Looking at this computer's disks", w.PlanBackUp(place))
            return wait(flow, f"Opening {place.shown}", w.OpenPlace(place))
        case p.Address(purpose), a.PlaceOpened() as opened:
            return _opened(flow, purpose, opened)
        case p.Address(), a.PasswordWanted() as wanted:
            return go(flow, p.Password(wanted.shown, wanted.place, wanted.workstation))
        case ((p.Address() | p.Code()), a.BackUpPlanned(place, disks, remarks)):
            return _leave_code(flow, p.BackUpPlan(place, disks, remarks))
        case _:
            return stay(flow)


def _leave_code(flow: Flow, page: Page) -> Step:
    """A code that was used is no place to come back to."""
    return stay(flow, page) if isinstance(flow.page, p.Code) else go(flow, page)


def _ask_for_code(flow: Flow, cloud: p.Cloud, *, trusted: str = "") -> Step:
    certificate = flow.surroundings.media.certificate
    return wait(
        go(flow, p.Code(cloud)).flow,
        "Asking the console for a code",
        w.AskForCode(
            cloud.console,
            cloud.media_code,
            certificate,
            trusted,
            backs_up=cloud.purpose is Purpose.BACK_UP,
        ),
    )


def _opened(flow: Flow, purpose: Purpose, opened: a.PlaceOpened) -> Step:
    if purpose is Purpose.BACK_UP:
        return wait(flow, "Looking at this computer's disks", w.PlanBackUp(opened.place))
    return stay(*_at_select(flow, purpose, opened.place, opened.workstations))


def _at_select(
    flow: Flow, purpose: Purpose, place: Place, workstations: tuple[Workstation, ...]
) -> tuple[Flow, Page]:
    """Back on the page with the two tables, from however many pages behind it."""
    trail = flow.trail
    for depth, page in enumerate(flow.trail):
        if isinstance(page, p.Select):
            trail = flow.trail[:depth]
            break
    return replace(flow, trail=trail), p.Select(purpose, place, workstations)


def _select(flow: Flow, page: p.Select, move: m.Move) -> Step:
    match move:
        case m.OpenBrowse():
            return go(flow, p.Browse(page.purpose))
        case m.Unfold(number) if page.place is not None:
            if page.workstations[number].points is not None:
                return stay(flow)
            wish = w.FindPoints(page.place, page.workstations, number)
            return wait(flow, f"Opening {page.workstations[number].name}", wish)
        case a.PasswordWanted() as wanted:
            return go(flow, p.Password(wanted.shown, wanted.place, wanted.workstation))
        case a.PointsFound(workstations, _):
            return stay(flow, replace(page, workstations=workstations))
        case m.ChoosePoint(number, point):
            chosen = replace(
                page, workstation=number, point=point, contents=(), checked=frozenset()
            )
            return wait(stay(flow, chosen).flow, "Reading what it holds", w.ReadContents(point.id))
        case a.ContentsFound(contents):
            return stay(flow, replace(page, contents=contents, checked=everything(contents)))
        case m.Check(source, on):
            after = ticked(page.contents, page.checked, source, on=on)
            return stay(flow, replace(page, checked=after))
        case m.Accept() if page.point is not None and page.place is not None:
            return _accept_selection(flow, page, page.place)
        case _:
            return stay(flow)


def _accept_selection(flow: Flow, page: p.Select, place: Place) -> Step:
    if page.purpose is Purpose.COPY_FILES:
        return wait(go(flow, p.Files(page, "/")).flow, "Listing", w.ListFolder("/"))
    rows = rows_of(page.contents, page.checked)
    if not rows:
        return stay(flow)
    mapping = p.Mapping(page, rows)
    return wait(go(flow, mapping).flow, "Looking at this computer's disks", w.FindDisks(place))


def _password(flow: Flow, page: p.Password, move: m.Move) -> Step:
    page_before = flow.trail[-1] if flow.trail else None
    match move:
        case m.GivePassword(password) if isinstance(page_before, p.BackUpPlan):
            return _run_back_up(behind(flow), page_before, password)
        case m.GivePassword(password):
            known = page_before.workstations if isinstance(page_before, p.Select) else ()
            wish = w.FindPoints(page.place, known, page.workstation, password)
            return wait(flow, f"Opening {page.shown}", wish)
        case a.PasswordWanted() as wanted:
            return Step(replace(flow, busy="", problem=_wrong(wanted)))
        case a.PointsFound(workstations, _):
            purpose = _purpose(flow)
            return stay(*_at_select(flow, purpose, page.place, workstations))
        case _:
            return stay(flow)


def _wrong(wanted: a.PasswordWanted) -> Problem | None:
    if not wanted.wrong:
        return None
    return Problem(
        "This password does not open it.",
        "Mind capital letters and the keyboard layout; Show makes it readable.",
    )


def _purpose(flow: Flow) -> Purpose:
    for page in reversed(flow.trail):
        if isinstance(page, p.Select | p.Address | p.Browse):
            return page.purpose
    return Purpose.RESTORE


def _back_up(flow: Flow, page: p.BackUpPlan, move: m.Move) -> Step:
    match move:
        case m.Accept():
            return _run_back_up(flow, page, None)
        case _:
            return stay(flow)


def _running(flow: Flow, page: p.Running, move: m.Move) -> Step:
    match move:
        case m.Pause() if flow.busy != STOPPING:
            return Step(replace(flow, paused=True))
        case m.Resume():
            return Step(replace(flow, paused=False))
        case a.PasswordWanted() if page.purpose is Purpose.BACK_UP:
            # Before a backup begins to write, its repository is opened or made.
            password = p.Password(move.shown, move.place, is_new=move.is_new)
            return go(behind(flow), password, problem=_wrong(move))
        case _:
            return stay(flow)


def _run_back_up(flow: Flow, page: p.BackUpPlan, password: str | None) -> Step:
    running = p.Running("Backing up this computer", Purpose.BACK_UP)
    return wait(go(flow, running).flow, "Backing up", w.BackUp(page.place, page.disks, password))


def _files(flow: Flow, page: p.Files, move: m.Move) -> Step:
    match move:
        case m.OpenFolder(path):
            return wait(flow, "Listing", w.ListFolder(path))
        case a.FolderListed(path, items):
            return stay(flow, replace(page, path=path, items=items))
        case m.Check(path, on):
            after = page.checked | {path} if on else page.checked - {path}
            return stay(flow, replace(page, checked=after))
        case m.CopyTo(folder) if page.checked:
            running = p.Running("Copying files", Purpose.COPY_FILES)
            wish = w.CopyFiles(tuple(sorted(page.checked)), folder)
            return wait(go(flow, running).flow, "Copying", wish)
        case _:
            return stay(flow)
