"""The tables of this app, one file for each."""

from console_ui.accounts.models.organisation import Membership, Organisation, Role
from console_ui.accounts.models.session import SessionRow
from console_ui.accounts.models.user import User

__all__ = ["Membership", "Organisation", "Role", "SessionRow", "User"]
