"""The synthetic demonstration trial: made by the same workflows that the pages call, at simulated times.

Every person in it is invented. A fixed seed gives the same participants, visits and answers each time.
"""

from demo import origin
from demo.loading import load
from demo.people import credentials

__all__ = ["credentials", "load", "origin"]
