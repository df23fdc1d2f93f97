"""The full-screen window: the only part of the rescue media that knows Qt."""
