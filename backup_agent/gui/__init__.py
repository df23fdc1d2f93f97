"""The window of the desktop agent: shows what the agent does, asks it for more, decides nothing.

``application`` starts Qt, ``window`` is the frame with its navigation, ``pages`` what stands in
it, ``wizards`` what asks several questions in a row. All of them speak to the agent through
``desk_link`` and to restore points through ``shelf``; both work beside the window's thread.
"""
