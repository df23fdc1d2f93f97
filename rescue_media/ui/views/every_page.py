"""From a page's value to its view."""

from __future__ import annotations

from typing import assert_never

from rescue_media.flow import pages as p
from rescue_media.ui.views import beginning, mapping, select, settings, way_in, work
from rescue_media.ui.views.shown import Ground, Shown


def show(page: p.Page, ground: Ground) -> Shown:
    match page:
        case p.Start():
            return beginning.show_start(page, ground)
        case p.Manage():
            return beginning.show_manage(page, ground)
        case p.Begin():
            return beginning.show_begin(page, ground)
        case p.Browse():
            return beginning.show_browse(page, ground)
        case p.Disks():
            return beginning.show_disks(page, ground)
        case p.Cloud():
            return way_in.show_cloud(page, ground)
        case p.LogIn():
            return way_in.show_log_in(page, ground)
        case p.Certificate():
            return way_in.show_certificate(page, ground)
        case p.Code():
            return way_in.show_code(page, ground)
        case p.Address():
            return way_in.show_address(page, ground)
        case p.Password():
            return way_in.show_password(page, ground)
        case p.Select():
            return select.show_select(page, ground)
        case p.Mapping():
            return mapping.show_mapping(page, ground)
        case p.Confirm():
            return mapping.show_confirm(page, ground)
        case p.BackUpPlan():
            return work.show_back_up(page, ground)
        case p.Files():
            return work.show_files(page, ground)
        case p.Running():
            return work.show_running(page, ground)
        case p.Done():
            return work.show_done(page, ground)
        case p.Network():
            return settings.show_network(page, ground)
        case p.Wifi():
            return settings.show_wifi(page, ground)
        case p.LinkAddress():
            return settings.show_link_address(page, ground)
        case p.Proxy():
            return settings.show_proxy(page, ground)
        case p.DateAndTime():
            return settings.show_clock(page, ground)
        case p.Keyboard():
            return settings.show_keyboard(page, ground)
        case _:
            assert_never(page)
