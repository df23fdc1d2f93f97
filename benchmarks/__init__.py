"""Paired measurements against stock restic; apart from the tests, for they depend on the machine.

``python -m benchmarks.against_restic`` runs them; docs/benchmarks.md says what was seen.
"""
