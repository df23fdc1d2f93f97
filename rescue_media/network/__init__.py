"""The network of the computer that is being rescued: what there is, and how to set it.

``state`` and ``settings`` are values; ``nmcli`` is the one door to
NetworkManager, which connects wired networks by itself before anybody asks.
Nothing set here outlives the restart: the medium keeps its files in memory.
"""
