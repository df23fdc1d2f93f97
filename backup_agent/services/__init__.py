"""What Everboot does for people: backup, restore, browse, maintain.

The only layer where sources, repository and targets meet. Each service takes
plain arguments, reports through ``emit`` and stops when its ``CancelToken`` says so.
"""
