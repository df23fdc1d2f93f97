"""What the flow wishes, done by the engine's services; each wish is answered by one move.

Everything here runs in a working thread, one wish at a time. What stays open between two wishes
(the repository, the link to a console) stays here, so that the flow holds plain values only.
"""
