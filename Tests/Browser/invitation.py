"""What pages.py was told: where the pages are, and whom to sign in with."""

import pathlib
import sys

address, link, folder, colleagues_link = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve(), sys.argv[4]
code = link.partition("#code=")[2]
