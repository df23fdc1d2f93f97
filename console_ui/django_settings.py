"""From our frozen settings to what Django wants: the only place that knows both."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

import django
from django.conf import settings as django_conf
from django.contrib.messages.constants import ERROR, INFO, SUCCESS, WARNING

from backup_agent.errors import UsageError
from console_ui.keyfile import MasterKey, read_or_create
from console_ui.sealing import derive
from console_ui.settings import Database, Postgresql, Settings, Smtp, Sqlite

APPS = (
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "console_ui.web",
    "console_ui.audit",
    "console_ui.accounts",
    "console_ui.devices",
    "console_ui.storage",
    "console_ui.activity",
    "console_ui.alerts",
    "console_ui.restore",
    "console_ui.media",
    "console_ui.download",
)

MIDDLEWARE = (
    "console_ui.web.content_policy.ContentPolicyMiddleware",
    "console_ui.accounts.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "console_ui.accounts.middleware.AccountMiddleware",
)

# The longest form has a few kilobytes.
LONGEST_BODY_BYTES = 1_000_000

_SESSION_HOURS = 12


def configure(settings: Settings) -> None:
    """Make this process the console that ``settings`` describe; once in a process.

    Creates data folder and key file where they are missing. Raises ``UsageError`` for a
    database whose key file is gone.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_lost_key(settings)
    settings.spool_folder.mkdir(mode=0o700, exist_ok=True)
    master = read_or_create(settings.key_file)
    django_conf.configure(**django_settings(settings, master))
    django.setup()


def _refuse_lost_key(settings: Settings) -> None:
    """A new key beside an old database would open nothing that the old one sealed."""
    match settings.database:
        case Sqlite(file=file) if file.exists() and not settings.key_file.exists():
            raise UsageError(
                f"The key file {settings.key_file} is missing, but its database is there.",
                hint="Put the copy from your backup there: without it, no second factor and no "
                "stored secret can be opened.",
            )
        case _:
            pass


def console_settings() -> Settings:
    """What this process was configured with."""
    return django_conf.EVERBOOT


def django_settings(settings: Settings, master: MasterKey) -> dict[str, object]:
    """Django's settings. Those that begin with ``EVERBOOT`` are ours."""
    prefix = "__Host-everboot-" if settings.is_encrypted else "everboot-"
    return {
        "EVERBOOT": settings,
        "EVERBOOT_SEALING_KEY": derive(master, "sealing"),
        "EVERBOOT_HASHING_KEY": derive(master, "hashing"),
        "EVERBOOT_COOKIE_PREFIX": prefix,
        "SECRET_KEY": derive(master, "django").hex(),
        "DEBUG": False,
        "ALLOWED_HOSTS": [settings.host, "localhost", "127.0.0.1", "[::1]"],
        "INSTALLED_APPS": APPS,
        "MIDDLEWARE": MIDDLEWARE,
        "ROOT_URLCONF": "console_ui.urls",
        "TEMPLATES": [_templates()],
        "DATABASES": {"default": _database(settings.database)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LANGUAGE_CODE": "en",
        "LANGUAGES": (("en", "English"), ("fr", "Français")),
        "LOCALE_PATHS": [str(Path(__file__).with_name("locale"))],
        "LANGUAGE_COOKIE_NAME": f"{prefix}language",
        "LANGUAGE_COOKIE_SECURE": settings.is_encrypted,
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        # The tones of the design kit's notes.
        "MESSAGE_TAGS": {INFO: "", SUCCESS: "ok", WARNING: "warn", ERROR: "bad"},
        **_accounts(settings, prefix),
        **_browser_rules(settings, prefix),
        **_mail(settings),
        "LOGGING": _logging(),
    }


def _templates() -> dict[str, object]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console_ui.accounts.context.account",
                "console_ui.alerts.context.alerts",
            ],
            "builtins": ["console_ui.web.templatetags.page"],
        },
    }


def _database(database: Database) -> dict[str, object]:
    match database:
        case Sqlite(file=file):
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(file),
                "OPTIONS": {
                    # A transaction that reads first and writes later would fail, not wait.
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    # FULL: an answered request survives a power cut, too.
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        case Postgresql():
            return {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": database.name,
                "USER": database.user,
                "PASSWORD": database.password,
                "HOST": database.host,
                "PORT": database.port or "",
            }
        case _:
            assert_never(database)


def _accounts(settings: Settings, prefix: str) -> dict[str, object]:
    rules = "django.contrib.auth.password_validation"
    return {
        "AUTH_USER_MODEL": "accounts.User",
        "AUTHENTICATION_BACKENDS": ("console_ui.accounts.backend.PasswordBackend",),
        "LOGIN_URL": "login",
        "PASSWORD_HASHERS": ("console_ui.accounts.hashing.Argon2id",),
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"{rules}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": f"{rules}.CommonPasswordValidator"},
            {
                "NAME": f"{rules}.UserAttributeSimilarityValidator",
                "OPTIONS": {"user_attributes": ("email", "name")},
            },
        ],
        "SESSION_ENGINE": "console_ui.accounts.sessions",
        "SESSION_COOKIE_NAME": f"{prefix}session",
        "SESSION_COOKIE_SECURE": settings.is_encrypted,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_AGE": _SESSION_HOURS * 3600,
        # The cookie dies with the browser; the row dies after the hours above.
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    }


def _browser_rules(settings: Settings, prefix: str) -> dict[str, object]:
    # No SECURE_PROXY_SSL_HEADER: uvicorn takes X-Forwarded-Proto from the named proxies alone and
    # makes it the request's scheme, where Django would believe the header from everybody.
    return {
        "CSRF_COOKIE_NAME": f"{prefix}csrf",
        "CSRF_COOKIE_SECURE": settings.is_encrypted,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_TRUSTED_ORIGINS": [settings.public_address],
        "CSRF_FAILURE_VIEW": "console_ui.web.failures.forged_request",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": LONGEST_BODY_BYTES,
        "APPEND_SLASH": False,
    }


def _mail(settings: Settings) -> dict[str, object]:
    sender = {"DEFAULT_FROM_EMAIL": settings.mail_sender, "SERVER_EMAIL": settings.mail_sender}
    match settings.smtp:
        case None:
            return {
                **sender,
                "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                "EMAIL_FILE_PATH": str(settings.mail_folder),
            }
        case Smtp() as smtp:
            return {
                **sender,
                "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "EMAIL_HOST": smtp.host,
                "EMAIL_PORT": smtp.port,
                "EMAIL_HOST_USER": smtp.user,
                "EMAIL_HOST_PASSWORD": smtp.password,
                "EMAIL_USE_SSL": smtp.implicit_tls,
                "EMAIL_USE_TLS": not smtp.implicit_tls,
                "EMAIL_TIMEOUT": 30,
            }
        case _:
            assert_never(settings.smtp)


def _logging() -> dict[str, object]:
    """Warnings and errors to standard error. Requests are not logged: the audit log is ours."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        # Refused requests (404, 403) are business as usual here.
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "ERROR"},
            # Anybody can send any Host header: a log must not grow by that.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
