"""The console without a browser: domain modules and pages, on SQLite and PostgreSQL."""
