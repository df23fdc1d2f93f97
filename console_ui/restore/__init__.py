"""Restoring in the browser: restore points, what is in them, and a zip of what was chosen.

The console holds no repository's key. ``unlocking`` starts a process of its own for each session
and vault (``console_ui.unlocked``) and knows how to reach it; pages ask it and show the answers.
"""
