"""A made region of any size: the embedded default, and what tests are fed with.

Land cover is a function of place: smooth random fields at several scales, a quilt of parcels,
rivers and lakes. A reader evaluates it for any chips in any order.
"""

from llpbench.data.synthetic.reader import SyntheticReader
from llpbench.data.synthetic.region import synthesize

__all__ = ["SyntheticReader", "synthesize"]
