"""One chat on the two web pages, as three people see it in three browsers, from the sign-in link to the certificate.

Usage: pages.py ADDRESS LINK FOLDER LINK. The links sign two administrators of one organisation in, Anna and Bo, and nobody
has used them; browsers and downloads write into FOLDER.
Screenshots are kept in the folder that SAMTAL_SCREENSHOTS names, if it does.
"""

import signal
import sys
import traceback

# The chapters, each of which adds its steps, in this order.
import arriving  # noqa: F401
import asking  # noqa: F401
import erasing  # noqa: F401
import leaving  # noqa: F401
from invitation import folder
from story import Story, steps


def main():
    def late(*_):
        raise TimeoutError("the story took too long")

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, late)
    signal.alarm(150)
    story = Story()
    what = "three browsers start"
    try:
        story.begin(folder)
        for what, play in steps:
            play(story)
            print("seen:", what, flush=True)
        print(f"{len(steps)} of {len(steps)} steps seen")
    except Exception:
        print("NOT SEEN:", what)
        traceback.print_exc(file=sys.stdout)
        for person in story.people:
            print(f"{person.name}'s console: {person.complaints()}")
        return 1
    finally:
        signal.alarm(0)
        story.end()
    return 0


sys.exit(main())
