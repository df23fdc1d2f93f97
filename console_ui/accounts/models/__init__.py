"""The tables of this app, one file for each noun."""

from console_ui.accounts.models.application_password import ApplicationPassword, Reach, Scope
from console_ui.accounts.models.factors import (
    AuthenticatorApp,
    RecoveryCode,
    SecurityKey,
    TrustedBrowser,
)
from console_ui.accounts.models.organisation import Membership, Organisation, Role
from console_ui.accounts.models.secret_link import Purpose, SecretLink
from console_ui.accounts.models.session import SessionRow
from console_ui.accounts.models.throttle import ThrottleRow
from console_ui.accounts.models.user import Theme, User

__all__ = [
    "ApplicationPassword",
    "AuthenticatorApp",
    "Membership",
    "Organisation",
    "Purpose",
    "Reach",
    "RecoveryCode",
    "Role",
    "Scope",
    "SecretLink",
    "SecurityKey",
    "SessionRow",
    "Theme",
    "ThrottleRow",
    "TrustedBrowser",
    "User",
]
