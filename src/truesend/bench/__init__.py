"""``truesend bench``: what Truesend reaches on this machine, each figure beside its limit.

Every bench starts what it measures by itself, in a temporary folder and on free loopback ports, and ends it again.
A claim of speed is a ratio of two systems measured in one session, since machines differ and their days do too.
"""
