"""What people should know without looking: in the console, and by e-mail if they want.

Nobody calls this package to raise an alert. It listens: to runs that end (``activity.reports``),
to the audit log, and once every few minutes it looks for what did not happen (``watch``).
"""
