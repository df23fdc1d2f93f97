"""The console as people use it: in Debian's Chromium, driven headless."""
