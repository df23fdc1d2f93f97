"""The computer's clock: shown, set, and named where it is to blame.

A PC that lay in a cupboard has an empty battery and begins in the year its
maker set. Then certificates are "not yet valid" and storage refuses signatures,
in words that lead nobody to the clock: ``blame`` does.
"""
