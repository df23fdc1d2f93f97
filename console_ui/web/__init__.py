"""What every page shares: content policy, static files, icons, the base template, errors."""
